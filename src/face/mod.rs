//! What people and programs are shown of the daemon's state: one computation, as a document and as text. It reads no
//! clock and asks nobody.

mod brief;
pub mod history;
pub mod line;
pub mod metrics;
pub mod page;
pub mod status;
pub mod table;
pub mod text;
pub mod web;

#[cfg(test)]
mod tests;
