//! The ways by which a secret could leave the program, each tried: memory, core dumps, what it starts, what answers
//! lead it to, and what the store writes down. That none is in logs, mails, faces and files is looked at in every test
//! (`world::secrets`).

mod answers;
mod children;
mod memory;
mod redirects;
mod wire;
mod written;
