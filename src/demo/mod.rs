//! The simulated vendor and the guided run.

pub mod sign;
