//! Alerts: a notice becomes a mail or a post ([`render`], pure), and is sent ([`smtp`], [`web`]: adapters).
//!
//! None of them decides anything: whether a notice is due, on which way it goes and whether it is sent again is the
//! core's business.

pub mod render;
pub mod smtp;
pub mod web;

use crate::domain::{GoodNews, Secret};
use std::time::Duration;

/// What is configured of alerts besides the mail server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// By mail.
    pub good_news: GoodNews,
    /// Where each notice is posted.
    pub webhook: Option<Secret>,
    pub heartbeat: Option<Heartbeat>,
}

/// The sign of life that somebody listens for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat {
    pub url: Secret,
    pub every: Duration,
}

#[cfg(test)]
mod readme_tests;
