//! Proving that a consumer works with a key: by a challenge over HTTP or to a command, or by the consumer's report.
//! Each asks once and says what was shown; whether that is enough, and when to ask again, is the core's.

pub mod challenge;
mod command;
mod http;
pub mod report;
mod tally;

use crate::domain::{ConsumerName, CredentialName, Key, Limits, Timestamp};

pub use http::Http;

/// Does this consumer work with this key?
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub credential: &'a CredentialName,
    pub consumer: &'a ConsumerName,
    pub key: &'a Key,
    /// The credential's other keys that are known: a consumer that works with one of them is told from one that
    /// talks nonsense.
    pub others: &'a [Key],
    pub now: Timestamp,
}

/// Asks consumers. One is enough for all of them.
pub struct Prover {
    limits: Limits,
    client: http::PlatformClient,
}

impl Prover {
    /// The process must have a TLS provider by now (`rustls::crypto::CryptoProvider`).
    pub fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), client: http::PlatformClient::default() }
    }
}
