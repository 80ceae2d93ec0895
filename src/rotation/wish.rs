//! A wish for a new key from a vendor's API: what is noted of it, and how far it is in this process.

use super::{
    event::{Attempt, Ticket},
    task::Task,
};
use crate::domain::{Asker, CallOutcome, ConsumerName, Fingerprint, RotationId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The vendor was asked for a new key, or is about to be. While it is noted nobody asks again with this key by
/// himself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The key that asks, and that a rotation ends.
    pub old: Fingerprint,
    /// The machine that asks.
    pub host: String,
    pub at: Timestamp,
    pub rotation_id: RotationId,
    pub by: Asker,
    #[serde(default)]
    pub fate: Fate,
}

/// What is known of a wish whose new key is not here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    #[default]
    Open,
    /// No answer, and the old key works on: as it would after a rotation with a grace.
    Unsure,
    /// No answer, and the old key is dead: a key was issued, and is lost.
    Lost,
}

/// When the vendor may be asked: the stretch that is open, or the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub opens: Timestamp,
    pub closes: Timestamp,
}

/// Where and when a wish is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occasion {
    pub rotation_id: RotationId,
    pub host: String,
    /// `None`: at any time.
    pub window: Option<Window>,
}

/// What happens to a wish.
#[derive(Debug, Clone, PartialEq)]
pub enum CallInput {
    /// An operator wants a new key from the vendor's API.
    RotateAsked {
        uid: u32,
        ticket: Ticket,
        occasion: Occasion,
    },
    /// A moment of `rotate_at` has come, or was the last one before a start; `next`: the one after it.
    RotationDue {
        at: Timestamp,
        next: Option<Timestamp>,
        host: String,
        window: Option<Window>,
    },
    /// The spool was written, as far as that can be tried.
    SpoolTried {
        wish: RotationId,
        outcome: Result<(), String>,
    },
    /// The call for a new key has ended, or its answer was found in the spool; `kept`: whether it is there.
    RotationAnswered {
        wish: RotationId,
        by: Asker,
        at: Timestamp,
        outcome: CallOutcome,
        kept: Result<(), String>,
    },
    AnswerKept {
        wish: RotationId,
        attempt: Attempt,
        outcome: Result<(), String>,
    },
}

/// What is done for a wish.
#[derive(Debug, Clone, PartialEq)]
pub enum CallAction {
    /// Write the spool, and keep room in it for an answer.
    TrySpool {
        wish: RotationId,
    },
    /// Ask the vendor's API for a new key, once. The old key may die of it, and the answer is the only copy.
    CallRotation {
        wish: RotationId,
        fingerprint: Fingerprint,
        by: Asker,
    },
    /// Write an answer to the spool that did not get there.
    KeepAnswer {
        attempt: Attempt,
        wish: RotationId,
    },
    DropAnswer {
        wish: RotationId,
    },
}

/// One wish on its way, from the look at everything that it needs to the vendor's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asking {
    pub by: Asker,
    pub occasion: Occasion,
    pub asked_at: Timestamp,
    /// What each consumer's count of passes must reach: a proof from before proves nothing now.
    pub passes: BTreeMap<ConsumerName, u64>,
    /// What was noted of the schedule before.
    pub scheduled: Option<Timestamp>,
    /// Whether the spool could be written.
    pub spool: Option<Result<(), String>>,
    pub stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Checking,
    /// The wish is being noted, by this write.
    Noting(Option<Attempt>),
    /// The vendor was asked; its answer comes, or its absence is told.
    Calling,
}

/// A moment of the schedule that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Due {
    pub at: Timestamp,
    pub host: String,
    pub window: Option<Window>,
    pub retry: Task,
}

/// An answer in the spool, or on its way there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub by: Asker,
    pub at: Timestamp,
    /// The key that was read out of it; or why none was.
    pub key: Result<Fingerprint, String>,
    /// By its status it may hold a key.
    pub success: bool,
    /// Why it is not in the spool.
    pub unkept: Option<String>,
    pub keeping: Task,
}

/// An operator's command that waits for it.
pub(super) type Asked = (u32, Ticket);
