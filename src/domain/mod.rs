//! The vocabulary: what a key, a name, a moment, a verdict and a notice are. Everybody imports this
//! module and it imports nobody: it reads no clock, opens no file and starts no task.

mod consumer;
mod document;
mod fingerprint;
mod grant;
mod host;
mod hygiene;
mod key;
mod lease;
mod limits;
mod login;
mod mail;
mod name;
mod notice;
mod probe;
mod rotate;
mod rotated_by;
mod secret;
mod time;

pub use consumer::{ActionOutcome, CopyState, DeliveryOutcome, Instances, ProofLevel, ProofOutcome};
pub use document::{KeyDocument, KeyRead, PreviousKey, StoreTrouble, WriteOutcome};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use grant::{AccessToken, Grant, GrantId, GrantIdError, RefreshToken};
pub use host::is_host_name;
pub use hygiene::{Hygiene, MailHash, MailPlace, Settled, Tidied};
pub use key::{Key, KeyError, KeyShape};
pub use lease::{Holder, LeaseDocument, LeaseRead};
pub use limits::Limits;
pub use login::{Ending, LoginPart, StoreFacts};
pub use mail::{Confirmation, Finding, MailId, MailRef, Origin, OriginKind, Warning};
pub use name::{ConsumerName, CredentialName, MailboxName, NameError, VendorName};
pub use notice::{Code, ConsumerLine, GoodNews, Notice, Section, Severity, UnknownCode};
pub use probe::{Account, ProbeAnswer, Verdict};
pub use rotate::{Asker, CallOutcome, IssuedKey};
pub use rotated_by::RotatedBy;
pub use secret::Secret;
pub use time::{DurationError, Timestamp, parse_duration, spell_duration, write_duration};
pub use ulid::Ulid as RotationId;
