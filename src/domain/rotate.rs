//! A vendor's API is asked for a new key: who wanted it, and what came of it.

use super::{Fingerprint, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Whose wish it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Asker {
    Operator { uid: u32 },
    Schedule,
}

impl fmt::Display for Asker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Asker::Operator { uid } => write!(f, "an operator (uid {uid})"),
            Asker::Schedule => f.write_str("the schedule"),
        }
    }
}

/// What one call came to. Nothing in it is taken from the answer's text but names of keys and times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    Issued(IssuedKey),
    /// The vendor says that it made no key.
    Refused {
        why: String,
    },
    /// An answer that nobody understands. `success`: by its status it may hold a key.
    Unread {
        why: String,
        success: bool,
    },
    /// No answer came; the vendor may have made a key all the same.
    Lost {
        why: String,
    },
    /// Nothing was sent.
    Unsent {
        why: String,
    },
}

/// A key that an answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedKey {
    pub fingerprint: Fingerprint,
    /// The vendor's name of it.
    pub key_id: Option<String>,
    /// The vendor's time of the rotation.
    pub rotated_at: Option<Timestamp>,
    /// When the old key ends, by the vendor's word.
    pub old_until: Option<Timestamp>,
}
