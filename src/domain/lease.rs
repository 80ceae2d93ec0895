//! Which of two daemons acts: what the lease document in the store says.

use super::RotationId;
use std::time::Duration;

/// One daemon, as others know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// One start of one process.
    pub run: RotationId,
    /// `uname -n`, for people.
    pub host: String,
    /// Names what it is configured with: two daemons act for each other only where this is the same.
    pub configuration: String,
}

/// The document. Its KV version is what others watch; no moment stands in it, because no two clocks agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseDocument {
    /// Names this line of documents: one that was replaced by another's is noticed.
    pub lineage: String,
    /// Raised each time that a daemon begins to act.
    pub term: u64,
    /// Who wrote it.
    pub holder: Holder,
    /// Its holder has stopped: whoever comes first may have it.
    pub given_up: bool,
    /// Which of its holder's writes this is: whoever lost the answer to one knows it by this.
    pub write: u64,
    /// Raised when its holder has written a key: others look at the key documents then.
    pub news: u64,
}

/// One reading of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseRead {
    Present {
        version: u64,
        document: LeaseDocument,
    },
    /// Never written, or deleted; a write names this version.
    Absent {
        version: u64,
    },
    /// It is there, and this version of keyrelay cannot read it.
    Refused {
        why: String,
    },
    Failed,
}

/// The lease's part of [`super::Limits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseLimits {
    /// One that has renewed its lease may hold itself for the active one so long, by its own clock; others take over
    /// when they have seen no new version for so long, by theirs.
    pub span: Duration,
    /// With less than this left of its lease, the active one starts nothing outside the store.
    pub margin: Duration,
    /// The lease is renewed this often …
    pub renew: Duration,
    /// … looked at by the others this often …
    pub look: Duration,
    /// … and after a failure tried again this soon.
    pub retry: Duration,
    /// A call about the lease is given up after this: whether it was done is then looked up.
    pub call: Duration,
}

impl Default for LeaseLimits {
    fn default() -> Self {
        let secs = Duration::from_secs;
        Self { span: secs(15), margin: secs(5), renew: secs(3), look: secs(2), retry: secs(1), call: secs(3) }
    }
}
