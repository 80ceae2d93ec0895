//! The simulated vendor and the guided run.

pub mod mails;
pub mod sign;
