//! What the store says of a credential, without the keys: the core sees fingerprints, the shell keeps the values.

use super::{Fingerprint, RotationId, Timestamp};

/// The key document as read: which key is current, which is previous, which generation. Authoritative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyDocument {
    /// The KV version that the next check-and-set names.
    pub version: u64,
    /// When that version was written, by the store's clock.
    pub created_at: Timestamp,
    /// The key in the configured field; `None` where the field is missing, or holds what is no key.
    pub current: Option<Fingerprint>,
    pub previous: Option<PreviousKey>,
    /// 0 where keyrelay never promoted.
    pub generation: u64,
    /// The vendor's time of the current key, where keyrelay wrote it.
    pub rotated_at: Option<Timestamp>,
    pub rotation_id: Option<RotationId>,
    /// Whether keyrelay's own fields are there.
    pub ours: bool,
    /// Whether they speak of the key that is there: nobody has put another value in since.
    pub as_written: bool,
    /// Why the field holds no key, if it is there and unusable; never its content.
    pub unusable: Option<String>,
}

/// The key before the current one, and the end of its grace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PreviousKey {
    pub fingerprint: Fingerprint,
    pub expires_at: Option<Timestamp>,
}

/// One reading of a key document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRead {
    Present(KeyDocument),
    /// 404 without metadata: never written, or wholly removed.
    Absent,
    /// The newest version is deleted or destroyed. Not a first start.
    Deleted {
        version: u64,
    },
    Failed(StoreTrouble),
}

/// Why the store did not do it. The text is for an operator and holds no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreTrouble {
    /// Nobody answers, or not in time.
    Unreachable(String),
    /// What answers has a certificate that is not trusted here; it was told nothing.
    Untrusted(String),
    Sealed,
    /// The login is refused, or what it gave has ended: no call can work.
    LoggedOut(String),
    /// 403: the policy.
    Forbidden(String),
    /// The store answered and refused for another reason (a quota, a full disk, a bad request).
    Refused(String),
}

impl std::fmt::Display for StoreTrouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StoreTrouble::Unreachable(why) => write!(f, "the store cannot be reached: {why}"),
            StoreTrouble::Untrusted(why) => write!(f, "the store's certificate is not trusted: {why}"),
            StoreTrouble::Sealed => f.write_str("the store is sealed"),
            StoreTrouble::LoggedOut(why) => write!(f, "the store does not let keyrelay in: {why}"),
            StoreTrouble::Forbidden(why) => write!(f, "the store forbids it: {why}"),
            StoreTrouble::Refused(why) => write!(f, "the store refused: {why}"),
        }
    }
}

/// One check-and-set write's outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteOutcome {
    Written {
        version: u64,
    },
    /// Somebody wrote in between: nothing was changed; read again.
    Mismatch,
    /// The answer was lost: it may have been written; read back before any retry.
    Unknown(String),
    Failed(StoreTrouble),
}
