//! Consumers that are services of a real systemd: keyrelay is installed in a box, has exactly the rights that
//! `keyrelay policy systemd` prints, and takes its keys by hand. Each test is a sentence of what an operator may rely on.

mod failing;
mod host;
mod rotating;
