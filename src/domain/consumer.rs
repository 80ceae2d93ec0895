//! How well a consumer's use of a key is proven, and what came of touching it.

use super::{Fingerprint, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What was shown of a consumer, weakest first. `Delivered` and `WorkingCopy` let a rotation settle, but are never
/// shown as good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofLevel {
    Unproven,
    /// Written, and cannot be read back.
    Delivered,
    /// keyrelay read the consumer's own copy back: byte for byte the current key, which is alive.
    WorkingCopy,
    /// The unit that names the file was started after the file was written.
    Loaded,
    /// The running program answered a challenge with the key, or reported a call that worked.
    InUse,
}

impl ProofLevel {
    /// As in JSON: `in_use`.
    pub fn as_str(self) -> &'static str {
        match self {
            ProofLevel::Unproven => "unproven",
            ProofLevel::Delivered => "delivered",
            ProofLevel::WorkingCopy => "working_copy",
            ProofLevel::Loaded => "loaded",
            ProofLevel::InUse => "in_use",
        }
    }
    /// For people: what the level means.
    pub fn words(self) -> &'static str {
        match self {
            ProofLevel::Unproven => "not tested",
            ProofLevel::Delivered => "delivered, use not tested",
            ProofLevel::WorkingCopy => "copy works, use not tested",
            ProofLevel::Loaded => "loaded",
            ProofLevel::InUse => "in use",
        }
    }
}

impl fmt::Display for ProofLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How many instances of a consumer proved it; `wanted` is `None` where the configuration names no number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instances {
    pub proven: u32,
    pub wanted: Option<u32>,
}

/// What the consumer's own copy (its file, its path in the store) holds, compared with the key it should hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CopyState {
    /// Byte for byte what keyrelay would write.
    Same,
    /// Nothing is there yet.
    Missing,
    /// Another key, or the same in another form; the fingerprint where it is a key.
    Differs(Option<Fingerprint>),
    /// Something that keyrelay did not write and will not overwrite.
    NotOurs(String),
    /// There is nothing to compare (no delivery, or a command).
    Unreadable,
    /// It could not be looked at this time.
    Failed(String),
}

/// What came of writing a consumer's copy. Texts are for operators: no key, no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// Written, and read back as written (or the command ended well).
    Done,
    Failed(String),
}

/// What came of the action after a delivery (`then`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionOutcome {
    Done,
    Failed(String),
}

/// What a consumer showed when it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProofOutcome {
    /// It holds the key it was asked about. `at` is when it showed that (a report's own time).
    Proven { level: ProofLevel, instances: Instances, at: Timestamp, last_401_at: Option<Timestamp> },
    /// It answered, with a proof of another key of this credential.
    OtherKey(Fingerprint),
    /// It answered, and what it said proves nothing; or only `k of N` instances did.
    Unproven { why: String, instances: Instances },
    /// No answer, or one that says nothing about the key.
    Silent(String),
}
