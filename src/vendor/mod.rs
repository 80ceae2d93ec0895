//! Vendors as data: what keyrelay knows of each, and what a mail of theirs means.

mod answer;
mod call;
mod examples;
mod extract;
mod fill;
mod issued;
mod key;
mod learn;
pub mod pattern;
pub mod profile;
mod recognise;
mod registry;
mod validate;

pub use answer::{Reading, classify};
pub use issued::{Issued, NewKey, issued};
pub use key::looks_like;
pub use learn::{Learned, Lesson, Unlearned, fixture};
pub use profile::Profile;
pub use recognise::{Expectation, Recognised, addressees, recognise};
pub use registry::{ProfileMistake, resolve, senders};
pub use validate::{address_mistakes, mistakes};
