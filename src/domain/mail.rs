//! What recognition makes of a mail, and where a candidate came from. No text of a mail is in here but names that
//! were checked.

use super::{Asker, Fingerprint, MailHash, MailPlace, RotationId, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A mail's `Message-ID`, cut to what may be shown; a hash of the raw bytes where it has none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MailId(pub String);

/// Which mail it was, for history and notices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailRef {
    pub id: MailId,
    /// The address in `From`.
    pub from: String,
    /// The signing domain and selector (`d=`, `s=`) of the signature that counted; empty where none did.
    pub signed_by: String,
    pub selector: String,
    /// INTERNALDATE, or a maildir file's mtime.
    pub arrived_at: Timestamp,
    pub folder: String,
    /// The mail server took it for junk.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub junk: bool,
    /// `uidvalidity/uid`, or a maildir file's unique name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    #[serde(default, skip_serializing_if = "MailHash::is_unknown")]
    pub hash: MailHash,
}

impl MailRef {
    /// Where it lay when it was read; `None` for what an earlier version noted.
    pub fn lies_at(&self) -> Option<MailPlace> {
        let (folder, place, hash) = (self.folder.clone(), self.place.clone(), self.hash.clone());
        Some(MailPlace { folder, place, hash }).filter(|at| !at.hash.is_unknown())
    }
}

/// A genuine mail that says when the vendor will rotate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    pub mail: MailRef,
    /// The signed `Date`.
    pub dated: Timestamp,
}

/// A mail that carries a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    pub mail: MailRef,
    pub fingerprint: Fingerprint,
    /// The signed `Date`, whole seconds: what orders confirmations.
    pub dated: Timestamp,
    /// The earliest of the vendor's stated time, the signed Date and INTERNALDATE.
    pub rotated_at: Timestamp,
}

/// The decision about one mail (for one credential). `why` is one sentence for the operator, free of content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    NewKey(Confirmation),
    Warning(Warning),
    /// It carries a key that is known here: nothing to do.
    Known {
        mail: MailRef,
        fingerprint: Fingerprint,
        /// Its `Date`, which is the signed one where it is genuine.
        dated: Timestamp,
        /// Nothing speaks against it: had its key been new, it had been let in.
        genuine: bool,
    },
    /// It cannot be judged yet (DNS); look again.
    Wait {
        mail: MailRef,
        why: String,
    },
    /// It would fit, and only an operator may let it in.
    Held {
        confirmation: Confirmation,
        why: String,
    },
    /// It pretends: never offered.
    Suspicious {
        mail: MailRef,
        why: String,
    },
    /// Genuine and a confirmation, but no key could be taken out of it.
    Unparsed {
        mail: MailRef,
        dated: Timestamp,
        why: String,
    },
    /// Somebody else's business.
    NotOurs {
        mail: MailRef,
        why: String,
    },
}

/// Where a candidate came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// The mail's arrival is in it.
    Mail(MailRef),
    Ingest {
        uid: u32,
        /// When the key ends, as its operator said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// Found in the store: somebody else wrote it.
    Store,
    /// It was ours, and was replaced: by an operator's rollback, or by a foreign write.
    Former,
    /// The key before the current one, which an operator goes back to.
    Rollback { uid: u32 },
    /// The vendor's API made it, when it was asked.
    Api {
        by: Asker,
        /// The id of the wish, and of the rotation.
        wish: RotationId,
        /// The vendor's name of the new key.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key_id: Option<String>,
        /// When the old key ends, by the vendor's word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        old_until: Option<Timestamp>,
    },
}

/// The short word for `held[].from`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OriginKind {
    Mail,
    Ingest,
    Spool,
    Store,
    Api,
}

impl Origin {
    pub fn kind(&self) -> OriginKind {
        match self {
            Origin::Mail(_) => OriginKind::Mail,
            Origin::Ingest { .. } => OriginKind::Ingest,
            Origin::Store | Origin::Rollback { .. } => OriginKind::Store,
            Origin::Former => OriginKind::Spool,
            Origin::Api { .. } => OriginKind::Api,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Mail(mail) => write!(f, "the mail {} from {}", mail.id.0, mail.from),
            Origin::Ingest { uid, .. } => write!(f, "an operator (uid {uid})"),
            Origin::Store => f.write_str("the store, written by somebody else"),
            Origin::Former => f.write_str("the store, before it was replaced there"),
            Origin::Rollback { uid } => write!(f, "the store, by an operator's rollback (uid {uid})"),
            Origin::Api { by, key_id: Some(key_id), .. } => {
                write!(f, "the vendor's API, asked by {by} (key {key_id})")
            }
            Origin::Api { by, key_id: None, .. } => write!(f, "the vendor's API, asked by {by}"),
        }
    }
}
