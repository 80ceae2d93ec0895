//! keyrelay keeps third-party API keys alive while they rotate, and every consumer in sync with them.
//!
//! The relay race is the picture: the baton (the key) changes hands inside a marked zone (the grace period).
//!
//! # The map of the house
//!
//! | place | what it owns | may import |
//! | --- | --- | --- |
//! | [`domain`] | the words: keys, names, moments, verdicts, notices | nobody |
//! | [`rotation`] | the decisions: a pure state machine, events in, effects out | `domain` |
//! | [`vendor`] | vendors as data, and what a mail means | `domain`, `mail` |
//! | [`mail`] | parsing and judging mails (pure); IMAP, maildir and DNS (adapters) | `domain` |
//! | [`ask`] | how a vendor is asked anything with a key | `domain`, `vendor`, `http` |
//! | [`probe`] | asks a vendor whether a key works | `ask`, `domain`, `vendor` |
//! | [`rotate`] | asks a vendor's API for a new key | `ask`, `domain`, `vendor` |
//! | [`leaf7`] | Leaf7's key management: its customers' keys | `domain`, `vendor`, `ask` |
//! | [`tls`] | makes every TLS configuration | nobody |
//! | [`http`] | makes every HTTP client | nobody |
//! | [`hardening`] | keeps the process' memory from others | nobody |
//! | [`store`], [`spool`] | where keys live, and where they wait | `domain` |
//! | [`at_rest`] | private files and encryption on this host, for `store`, `spool` and `daemon` | `domain` |
//! | [`consumer`] | delivers a key, proves its use | `domain` |
//! | [`alert`] | renders and sends notices | `domain` |
//! | [`config`] | one file becomes everybody's settings | everyone's `Settings` |
//! | [`daemon`] | the shell: one loop that performs effects | everything |
//! | [`face`] | status, as JSON and text | `domain`, `rotation` |
//! | [`cli`] | the commands | everything |
//! | [`demo`] | a simulated vendor and a guided run | everything |
//! | `sim` | of the tests: the core in a simulated world | `domain`, `rotation`, `alert` |
//!
//! `tests/it/tidy.rs` enforces this table and says why each rule is there.

pub mod alert;
pub mod ask;
pub mod at_rest;
pub mod cli;
pub mod config;
pub mod consumer;
pub mod daemon;
pub mod demo;
pub mod domain;
pub mod face;
pub mod hardening;
pub mod http;
pub mod leaf7;
pub mod mail;
pub mod probe;
pub mod rotate;
pub mod rotation;
#[cfg(test)]
mod sim;
pub mod spool;
pub mod store;
pub mod tls;
pub mod vendor;
