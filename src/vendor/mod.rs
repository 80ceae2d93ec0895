//! Vendors as data: what keyrelay knows of each, and what a mail of theirs means.

pub mod profile;
mod registry;

pub use profile::Profile;
pub use registry::{ProfileMistake, resolve};
