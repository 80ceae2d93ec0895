//! The document that outlives the process: how far things are. The key document decides which key is current.

use super::{key_note::KeyNote, noted_incidents::NotedIncidents, wish::Wish};
use crate::domain::{
    Account, ConsumerName, CredentialName, Fingerprint, MailId, MailPlace, ProofLevel, RotationId, Timestamp,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// What is noted of one credential.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StateDocument {
    pub schema: u32,
    /// Names this line of documents: one that was replaced by another's is noticed.
    pub lineage: String,
    #[serde(default)]
    pub account: Option<Account>,
    /// The key that was last known to be current: a foreign value that was written meanwhile is recognised by it.
    #[serde(default)]
    pub current: Option<CurrentNote>,
    /// Keys that were current before, the newest last.
    #[serde(default)]
    pub formers: VecDeque<Former>,
    /// Mails that are done with, the newest last.
    #[serde(default)]
    pub done: VecDeque<MailId>,
    /// Confirmations of keys that are, were or may become current, as they lie in the mailbox; kept only where
    /// something is to be done with them.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    pub copies: VecDeque<MailCopy>,
    #[serde(default)]
    pub announced: Option<Announced>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<ObservedNote>,
    /// The generation whose hand-over was complete.
    #[serde(default)]
    pub settled: u64,
    /// The old key that was shown to be dead and is about to be removed.
    #[serde(default)]
    pub retiring: Option<Fingerprint>,
    #[serde(default)]
    pub consumers: BTreeMap<ConsumerName, ConsumerNote>,
    #[serde(default)]
    pub incidents: NotedIncidents,
    /// The vendor's API was asked for a new key, and what came of it is not settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wish: Option<Wish>,
    /// The last moment of `rotate_at` that is done with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<KeyNote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_expiry: Option<StatedExpiry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_revoke: Option<ToRevoke>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe_off: Option<ProbeOff>,
    /// Fields of a later version, kept.
    #[serde(flatten)]
    pub other: BTreeMap<String, serde_json::Value>,
}

/// The one schema that this version writes.
pub const SCHEMA: u32 = 1;

/// The current key as the key document had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentNote {
    pub fingerprint: Fingerprint,
    pub generation: u64,
    pub dated: Timestamp,
}

/// What must be remembered of a consumer, so that no action is run twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerNote {
    pub delivered: Option<u64>,
    pub acted: Option<u64>,
    pub fingerprint: Option<Fingerprint>,
    pub level: Option<ProofLevel>,
    pub at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Not proven since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unproven_since: Option<Timestamp>,
}

/// A key that was current, and until when it works (`None`: nobody knows, or it is dead).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    pub fingerprint: Fingerprint,
    pub until: Option<Timestamp>,
}

/// A genuine mail with one of this credential's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailCopy {
    pub fingerprint: Fingerprint,
    #[serde(flatten)]
    pub at: MailPlace,
    /// Moved, deleted, or seen to be there: kept to be counted, while its key is the current one.
    #[serde(default)]
    pub dealt_with: bool,
}

/// A rotation that the vendor has said will come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    pub mail: MailId,
    pub dated: Timestamp,
    pub expected_at: Timestamp,
}

/// An operator went back to the key before. It counts while that is the current key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolledBack {
    /// The newer key, which is held until an operator lets it in again.
    pub from: Fingerprint,
    /// The vendor's time of the newer key: the next rotation is reckoned from it.
    pub from_dated: Timestamp,
    pub to: Fingerprint,
    /// Until when the key gone back to works, as far as is known.
    pub until: Option<Timestamp>,
}

/// The last rotation that was only observed: told once, however often keyrelay is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedNote {
    pub fingerprint: Fingerprint,
    pub rotation_id: RotationId,
    /// When keyrelay would have made it the current key; `None`: it was in the store before.
    pub would_at: Option<Timestamp>,
    /// When whoever rotates here put it into the store.
    pub stored_at: Option<Timestamp>,
}

/// The configuration's `expires_at`, and the key that was current when that was first seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedExpiry {
    pub fingerprint: Fingerprint,
    pub expires_at: Timestamp,
}

/// The old key that an operator is to revoke, and since when that may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToRevoke {
    pub fingerprint: Fingerprint,
    pub since: Timestamp,
}

/// A probe that was let through where it must be refused: it is not sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeOff {
    /// The request in words: another one may be sent.
    pub probe: String,
    pub since: Timestamp,
    /// Whose key it was asked about.
    pub by: CredentialName,
    /// What the vendor answered.
    pub why: String,
}
