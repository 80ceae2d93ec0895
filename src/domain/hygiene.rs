//! What becomes of a confirmation once its rotation is over: where it lies, what is to be done with it, and what came
//! of that.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Tells a mail from every other: the SHA-256 of its raw bytes, in hex.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailHash(String);

impl MailHash {
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
    }
    /// It was noted by a version that did not know it.
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }
}

/// Where a mail lies, and what it is: a place may have become another mail's meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MailPlace {
    pub folder: String,
    /// `uidvalidity/uid`.
    pub place: String,
    pub hash: MailHash,
}

/// What the operator wants done with a confirmation whose rotation has settled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Settled {
    #[default]
    Keep,
    Delete,
    /// To this folder.
    Move(String),
}

/// What is done in a mailbox besides reading it: nothing, unless the operator says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hygiene {
    pub settled: Settled,
    /// Say so when a confirmation lies in the watched folders more than once.
    pub report_copies: bool,
}

/// What came of it, for one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tidied {
    /// Moved or deleted as it was wanted; or only looked at, and there.
    Done,
    /// Nothing lies there any more: somebody else has taken it away, or an earlier try of ours did.
    Gone,
    /// The place is not what it was (another UIDVALIDITY, another mail): nothing was touched.
    Elsewhere,
    /// The server does not do it: why.
    Refused(String),
}
