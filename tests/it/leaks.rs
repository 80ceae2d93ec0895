//! The ways by which a secret could leave the program, each tried: memory, core dumps, what it starts, what answers
//! lead it to, and what the store writes down. That none is in logs, mails, faces and files is looked at in every test
//! (`world::secrets`); and in
//! the end of a run, once more, in all that it has printed and left behind (`whole_run`).

mod answers;
mod children;
mod memory;
mod redirects;
mod whole_run;
mod wire;
mod written;
