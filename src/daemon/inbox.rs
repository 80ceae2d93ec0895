//! Everything that can reach the loop: one bounded queue, so that whoever is too fast waits.

use super::{
    intake::{Answered, Judged},
    mailboxes::Admitted,
    request::{Request, Response},
};
use crate::{
    domain::{CredentialName, Fingerprint, MailboxName},
    face::status::Status,
    mail::{Look, MailboxTrouble},
    rotation::Event,
};
use tokio::sync::oneshot;

/// How many messages wait at most.
pub const CAPACITY: usize = 1024;

pub enum Message {
    Event(Event),
    /// An effect is done; what came of it.
    Performed(Option<Event>),
    /// The access token that a mailbox was to be opened with.
    Admitted(Box<Admitted>),
    /// A watcher looked without trouble; `all`: at every folder.
    Looked {
        name: MailboxName,
        look: Look,
        all: bool,
    },
    /// A watcher gave up; it is gone.
    MailboxEnded {
        name: MailboxName,
        trouble: MailboxTrouble,
    },
    Answered(Answered),
    Judged(Judged),
    Asked(Asked),
    Face(FaceAsks),
    /// A moment of this credential's `rotate_at`.
    RotationDue(CredentialName),
}

/// An operator's command, and where its answer goes.
pub struct Asked {
    pub request: Request,
    pub uid: u32,
    pub answer: oneshot::Sender<Response>,
}

/// What the HTTP face wants to know.
pub enum FaceAsks {
    Status(oneshot::Sender<Status>),
    /// What does not work, of mailboxes, store and alerts.
    Failing(oneshot::Sender<Vec<String>>),
    /// A consumer was refused with this key. The answer: whether it is the current one; `None`: no such credential.
    Hint {
        name: CredentialName,
        fingerprint: Option<Fingerprint>,
        /// Whose program it is, where the socket tells.
        uid: Option<u32>,
        answer: oneshot::Sender<Option<bool>>,
    },
}
