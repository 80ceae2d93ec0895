//! The shell around the core: one loop that takes events in, performs effects, and keeps the only copy of each key's
//! value. It decides nothing about a rotation.

mod alerts_file;
mod answers;
mod asks;
pub mod client;
mod clock;
mod control;
mod duty;
mod found;
mod gate;
pub mod history;
mod http;
mod inbox;
mod intake;
mod keyring;
mod lease;
mod log;
mod mailboxes;
mod manage;
pub mod memory;
mod once;
mod perform;
pub mod request;
mod rotate_at;
mod run;
mod schedule;
mod settings;
mod shell;
mod socket;
mod standing;
mod story;
mod systemd;
pub mod tokens;
mod tools;
mod watcher;
mod weight;

pub use log::to_journal;
pub use manage::Alone;
pub use once::once;
pub use run::{Order, run, serve};
pub use settings::host_name;
