//! What is written down of each rotation, for `keyrelay history` and the journal.

use crate::domain::{ConsumerName, Fingerprint, Origin, ProofLevel, RotationId, Timestamp};
use serde::{Deserialize, Serialize};

/// One line of a credential's history. A rotation is written at its promotion and again when it has settled; the
/// later line of the same `rotation_id` replaces the earlier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub rotation_id: RotationId,
    pub kind: RecordKind,
    /// `None`: the rotation was taken over from an earlier process, whose line names it.
    pub trigger: Option<Origin>,
    pub phases: Vec<PhaseEntered>,
    pub old_fingerprint: Option<String>,
    pub new_fingerprint: Option<String>,
    pub generation: u64,
    /// The KV version of the promotion.
    pub store_version: Option<u64>,
    pub consumers: Vec<ConsumerRecord>,
    /// What was left of the hand-over time when the last consumer was proven; negative: late.
    pub margin_secs: Option<i64>,
    /// Why, of a refusal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    Rotation,
    Refusal,
    Ingest,
    Rollback,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseEntered {
    pub phase: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerRecord {
    pub name: ConsumerName,
    pub proof: ProofLevel,
    pub at: Option<Timestamp>,
}

/// The fingerprint as it may be shown: a weak one by its generation.
pub fn shown(fingerprint: Fingerprint, generation: u64) -> String {
    if fingerprint.is_weak() { format!("g{generation}") } else { fingerprint.hex() }
}
