//! The shell around the core: one loop that takes events in, performs effects, and keeps the only copy of each key's
//! value. It decides nothing about a rotation.

pub mod request;

mod clock;
mod keyring;
mod perform;
mod settings;
mod tools;
