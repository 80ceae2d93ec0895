//! What commands ask of a running daemon, and what it answers: JSON over the control socket.

use crate::{
    domain::{ConsumerName, CredentialName, Fingerprint, Secret, Timestamp},
    leaf7::{Answer, Operation},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One command. The peer's uid comes from the socket, never from the request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    Status,
    /// What is written down of this credential; one that is no longer configured may have a history.
    History {
        credential: CredentialName,
    },
    Prove {
        credential: Option<CredentialName>,
        consumer: Option<ConsumerName>,
    },
    Deliver {
        credential: CredentialName,
        consumer: Option<ConsumerName>,
    },
    /// `sure`: the operator vouches for what cannot be proven.
    Ingest {
        credential: CredentialName,
        key: Pasted,
        sure: bool,
        /// When the key ends, where its operator says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// `check`: only say whether it would be possible.
    Rollback {
        credential: CredentialName,
        check: bool,
    },
    /// `fingerprint`: as `status` shows it.
    Accept {
        credential: CredentialName,
        fingerprint: String,
    },
    /// A new key from the vendor's API.
    Rotate {
        credential: CredentialName,
    },
    /// One call with the key that is in the store now. `refused`: the key that the vendor did not know a moment ago;
    /// only another one is tried.
    Leaf7 {
        credential: CredentialName,
        operation: Operation,
        refused: Option<Fingerprint>,
    },
}

impl Request {
    /// Nothing is done for it.
    pub fn only_looks(&self) -> bool {
        match self {
            Self::Status | Self::History { .. } => true,
            Self::Prove { .. }
            | Self::Deliver { .. }
            | Self::Ingest { .. }
            | Self::Rollback { .. }
            | Self::Accept { .. }
            | Self::Rotate { .. }
            | Self::Leaf7 { .. } => false,
        }
    }
}

/// What came of a call to the vendor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Called {
    Answered {
        answer: Answer,
        with: Fingerprint,
    },
    /// Not called: until then the vendor's limit is used up as far as operators may use it.
    Later {
        at: Timestamp,
    },
    /// Not called: the key in the store is still the one that was refused.
    SameKey,
}

/// A key as it was typed: checked by the daemon, unprintable on the way.
#[derive(Debug, Clone)]
pub struct Pasted(pub Secret);

impl Serialize for Pasted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}
impl<'de> Deserialize<'de> for Pasted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::new(&zeroize::Zeroizing::new(text))))
    }
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds: promoted, or every consumer asked about is at its level.
    Done,
    /// It was done, and not every consumer is at its level.
    NotProven,
    /// It needs the operator's word (`--yes`, `accept`).
    Held,
    /// Refused; nothing was changed.
    Refused,
    /// The key is safe in the spool, and waits for an outside system.
    Spooled,
    /// No such credential, consumer or fingerprint.
    Unknown,
    /// An outside system could not be reached.
    Unreachable,
}

/// The answer: what happened in words, and the status document as it is now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Response {
    pub outcome: Outcome,
    /// One sentence; empty where there is nothing to say.
    pub message: String,
    /// What to type next.
    pub hint: Option<String>,
    /// `status --json`, all credentials.
    pub status: serde_json::Value,
    /// What `history` asked for: a list of [`crate::rotation::Record`], newest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<Vec<crate::rotation::Record>>,
    /// What came of a [`Request::Leaf7`]; the status is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Called>,
}

impl Response {
    pub fn without_status(outcome: Outcome, message: String) -> Self {
        let (hint, history, called) = (None, None, None);
        Self { outcome, message, hint, status: serde_json::Value::Null, history, called }
    }
}
