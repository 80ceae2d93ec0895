//! What is to be done. The shell performs each effect once and answers with an event; nothing in here is a secret.

use super::{
    alerts_state::AlertsState,
    event::{Attempt, Ticket},
    history::Record,
    outbox::Channel,
    state::Generation,
    state_document::StateDocument,
    wish::CallAction,
};
use crate::domain::{
    ConsumerName, CredentialName, Fingerprint, MailPlace, MailboxName, Notice, Origin, RotationId, Settled,
    Timestamp,
};

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    Credential {
        name: CredentialName,
        action: Action,
    },
    /// Try a random key of this credential's shape at its origin.
    ProbeControl {
        origin: String,
        name: CredentialName,
    },
    OpenMailbox {
        name: MailboxName,
    },
    /// Search again; `afresh` hands out again what was handed out before.
    LookAtMailbox {
        name: MailboxName,
        afresh: bool,
    },
    /// Write a mailbox's new refresh token to the store.
    SaveToken {
        name: MailboxName,
    },
    /// Do with these mails what the operator wants done once a rotation is over; each is what it was, or not touched.
    TidyMail {
        mailbox: MailboxName,
        name: CredentialName,
        attempt: Attempt,
        mails: Vec<MailPlace>,
        settled: Settled,
    },
    CheckStore,
    /// Write down what came up, for whoever reads the journal.
    Journal(Box<Notice>),
    Notify {
        channel: Channel,
        notice: Box<Notice>,
    },
    /// Keep what waits to be told, on this machine.
    SaveAlerts(Box<AlertsState>),
    /// Give a sign of life.
    Beat,
    Answer {
        ticket: Ticket,
        reply: Reply,
    },
    /// Make the operator's call that waits under this ticket.
    Call {
        ticket: Ticket,
    },
    Record {
        name: CredentialName,
        record: Box<Record>,
    },
}

/// Something to be done for one credential.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    ReadDocuments {
        attempt: Attempt,
        with_state: bool,
    },
    ProbeKey {
        attempt: Attempt,
        fingerprint: Fingerprint,
        purpose: Purpose,
        fresh_connection: bool,
    },
    StoreKey {
        attempt: Attempt,
        cas: Generation,
        promotion: Promotion,
    },
    /// Remove `_previous` and its end.
    RetireKey {
        attempt: Attempt,
        cas: Generation,
    },
    SaveState {
        attempt: Attempt,
        cas: Generation,
        document: Box<StateDocument>,
    },
    SpoolKey {
        fingerprint: Fingerprint,
        origin: Origin,
        dated: Timestamp,
        rotated_at: Timestamp,
        held: Option<String>,
    },
    DropSpooled {
        fingerprint: Fingerprint,
    },
    CompareCopy {
        consumer: ConsumerName,
        attempt: Attempt,
        fingerprint: Fingerprint,
    },
    Deliver {
        consumer: ConsumerName,
        attempt: Attempt,
        fingerprint: Fingerprint,
    },
    Act {
        consumer: ConsumerName,
        attempt: Attempt,
    },
    Prove {
        consumer: ConsumerName,
        attempt: Attempt,
        fingerprint: Fingerprint,
    },
    Rehearse {
        consumer: ConsumerName,
        attempt: Attempt,
    },
    /// For a new key from the vendor's API.
    Call(CallAction),
}

/// Whose half of the vendor's budget a probe is paid from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The schedule, a hint, the old key.
    Routine,
    /// A candidate, or the current key beside it.
    Candidate,
}

/// A proven key on its way to being the current one.
#[derive(Debug, Clone, PartialEq)]
pub struct Promotion {
    pub fingerprint: Fingerprint,
    pub previous: Option<Fingerprint>,
    pub generation: u64,
    pub rotated_at: Timestamp,
    pub rotation_id: RotationId,
    pub previous_expires_at: Option<Timestamp>,
}

/// What an operator's command came to.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The key is the current one; whether every consumer is at its level.
    Promoted {
        generation: u64,
        proven: bool,
        /// What was under way when it was put in, and what became of that.
        beside: Option<String>,
    },
    /// It waits, safe in the spool.
    Spooled {
        why: String,
    },
    /// It needs the operator's word: the account cannot be proven, say.
    Held {
        why: String,
    },
    Refused {
        why: String,
    },
    /// Nothing was changed: the store or the vendor does not say what must be known.
    Unreachable {
        why: String,
    },
    /// `rollback --check`: the key that would become the current one, and until when it is known to work.
    RollbackPossible {
        key: String,
        until: Option<Timestamp>,
    },
    /// `prove` and `deliver`: done for now; the status says the rest.
    Consumers {
        proven: bool,
    },
    /// A call to the vendor does not fit into what operators may use of its limit; it does from this moment on.
    Later {
        at: Timestamp,
    },
}
