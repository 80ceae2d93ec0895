//! Mails: what the rest of the program may know of one. Parsing and judging are pure; IMAP, maildir and DNS are adapters.

pub mod authenticity;
pub mod dns;
pub mod imap;
mod mailbox;
pub mod maildir;
pub mod parse;
#[cfg(test)]
mod properties;
pub mod results;
pub mod text;
pub mod token;
mod waker;

pub use mailbox::{Folders, Mailbox, MailboxSettings, open};
pub use waker::{Waker, Woken};

use crate::domain::Timestamp;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// A mail as it lay in the mailbox. Only these bytes are evidence.
#[derive(Clone)]
pub struct RawMail {
    /// The whole mail, or its header alone where `size` is above the limit. May hold a key: wiped when dropped.
    pub bytes: Zeroizing<Vec<u8>>,
    /// RFC822.SIZE, or the file's.
    pub size: usize,
    /// Whether `bytes` is the header alone.
    pub header_only: bool,
    /// INTERNALDATE, or a maildir file's mtime.
    pub arrived_at: Timestamp,
    pub folder: String,
    /// The server flags that folder `\Junk`.
    pub junk: bool,
    /// The mail's place: `uidvalidity/uid`, or a maildir file's unique name.
    pub place: String,
}

impl std::fmt::Debug for RawMail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RawMail({} {}, {} bytes)", self.folder, self.place, self.size)
    }
}

/// What to look for: the server (or the header, in a maildir) filters by sender, and by day of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// Addresses (`a@b.example`) or domains (`@b.example`), lower case.
    pub senders: Vec<String>,
    /// Nothing that arrived on an earlier day (a server may count days in another time zone, so one more is asked).
    pub since: Timestamp,
    /// Of a mail above this size only the header is read.
    pub bytes_max: usize,
}

/// One look at a mailbox, all watched folders together.
#[derive(Debug)]
pub struct Look {
    /// Mails not yet handed out on this connection, oldest first. Where there are too many for one look these are
    /// the newest, and the others come with the next looks.
    pub mails: Vec<RawMail>,
    /// Mails that this connection could not read, with the reason; the others are complete.
    pub unreadable: Vec<String>,
}

/// Why a mailbox cannot be watched. Texts are for operators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailboxTrouble {
    /// Network, TLS, protocol, a folder that cannot be opened: try again.
    #[error("{0}")]
    Unreachable(String),
    /// The login was refused: trying again locks accounts out.
    #[error("{0}")]
    Refused(String),
    /// The server lets nobody in for a while (too many connections, a day's budget spent): hurry makes it worse.
    #[error("{0}")]
    Busy(String),
    /// The access token is at its end, or the server takes it for ended: with the next one all is well.
    #[error("{0}")]
    TokenEnded(String),
}

/// What the DNS said of one name's TXT records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TxtAnswer {
    /// The records, each with its chunks joined.
    Found(Vec<String>),
    /// The name, or a TXT record of it, does not exist.
    Missing,
    /// Nothing is known (time-out, SERVFAIL): ask again.
    Trouble(String),
}

/// By name, lower case, without a final dot.
pub type TxtAnswers = BTreeMap<String, TxtAnswer>;
