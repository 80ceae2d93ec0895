//! Vendors as data: what keyrelay knows of each, and what a mail of theirs means.

mod extract;
mod learn;
pub mod pattern;
pub mod profile;
mod recognise;
mod registry;
mod validate;

pub use learn::{Learned, Lesson, Unlearned, fixture};
pub use profile::Profile;
pub use recognise::{Expectation, Recognised, recognise};
pub use registry::{ProfileMistake, resolve, senders};
pub use validate::mistakes;
