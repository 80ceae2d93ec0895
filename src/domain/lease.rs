//! Which of two daemons acts: what the lease document in the store says.

use super::RotationId;

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
