//! Alerts: a notice becomes a mail ([`render`], pure), and the mail is sent ([`smtp`], adapter).
//!
//! Neither decides anything: whether a notice is due, whom it wakes and whether a mail is sent again is the core's
//! business.

pub mod render;
pub mod smtp;

#[cfg(test)]
mod readme_tests;
