//! The world of the tests is itself as the tests rely on.

mod canary;
mod config;
mod secrets;
mod servers;
