//! What can happen. Everything the core learns comes through here, with the moment it is told at.

use super::{
    alerts_state::AlertsState, hints::HintFrom, outbox::Channel, settings::Settings, state::Generation,
    state_document::StateDocument, wish::CallInput,
};
use crate::domain::{
    ActionOutcome, ConsumerName, CopyState, CredentialName, DeliveryOutcome, Finding, Fingerprint, KeyRead,
    MailPlace, MailboxName, Origin, ProbeAnswer, ProofOutcome, RotationId, StoreFacts, StoreTrouble, Tidied,
    Timestamp, WriteOutcome,
};

/// Names one try of one effect: a completion that matches no live attempt changes nothing.
pub type Attempt = u64;

/// Names an operator's command that waits for its answer.
pub type Ticket = u64;

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The configuration, at start and after a reload.
    Configured(Box<Settings>),
    /// A reload was asked for, and the new configuration has mistakes.
    ConfigRefused {
        mistakes: String,
    },
    Credential {
        name: CredentialName,
        input: Input,
    },
    Mailbox {
        name: MailboxName,
        input: MailboxInput,
    },
    /// The store answered, or did not.
    StoreChecked {
        outcome: Result<StoreFacts, StoreTrouble>,
    },
    /// A random key was tried at an origin.
    ControlFinished {
        origin: String,
        answer: ProbeAnswer,
    },
    /// What an earlier process left of its notices, at the start; the error says why it cannot be read.
    AlertsFound {
        outcome: Result<Box<AlertsState>, String>,
    },
    AlertsSaved {
        outcome: Result<(), String>,
    },
    /// The sign of life was given, or not.
    BeatSent {
        outcome: Result<(), String>,
    },
    /// A notice went out, or not.
    NoticeSent {
        channel: Channel,
        incident: String,
        step: u32,
        outcome: Result<(), NoticeFailure>,
    },
    /// An operator wants to call the vendor with this credential's key; `weight` is what it counts for in the limit.
    CallAsked {
        name: CredentialName,
        weight: u32,
        ticket: Ticket,
    },
    /// Another daemon has written a key: the key documents are read anew.
    KeysChanged,
    /// A schedule came round; its work is spread over a tenth of the period.
    Tick(Schedule),
    /// This machine's clock was set: otherwise it would say `before` now. A suspend does not set it.
    ClockSet {
        before: Timestamp,
    },
    /// The process was told to stop: whatever exists nowhere else must be spooled now.
    Stopping,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    MailboxPoll,
    CurrentKeyProbe,
    ConsumerProve,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeFailure {
    /// Nothing can be sent there now.
    Later(String),
    /// This one was refused for good; others may go.
    Never(String),
}

/// Something about one credential.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// Both documents were read (`state` is `None` where only the key's was asked for).
    DocumentsRead {
        attempt: Attempt,
        key: KeyRead,
        state: Option<StateRead>,
    },
    /// A look at the credential's mailbox, judged. `first` marks the first complete look after a start.
    MailsSeen {
        findings: Vec<Finding>,
        first: bool,
        rotation_id: RotationId,
    },
    /// Each mail with what came of it; the error says why nothing is known.
    MailTidied {
        attempt: Attempt,
        outcome: Result<Vec<(MailPlace, Tidied)>, String>,
    },
    ProbeFinished {
        attempt: Attempt,
        fingerprint: Fingerprint,
        answer: ProbeAnswer,
    },
    KeyStored {
        attempt: Attempt,
        outcome: WriteOutcome,
    },
    KeyRetired {
        attempt: Attempt,
        outcome: WriteOutcome,
    },
    StateSaved {
        attempt: Attempt,
        outcome: WriteOutcome,
    },
    Spooled {
        fingerprint: Fingerprint,
        outcome: Result<(), String>,
    },
    /// A key that waited in the spool from before the start.
    SpoolFound {
        fingerprint: Fingerprint,
        origin: Origin,
        dated: Timestamp,
        rotated_at: Timestamp,
        held: Option<String>,
        rotation_id: RotationId,
    },
    /// A file in the spool that cannot be opened.
    SpoolUnreadable {
        why: String,
    },
    CopyCompared {
        consumer: ConsumerName,
        attempt: Attempt,
        outcome: CopyState,
    },
    Delivered {
        consumer: ConsumerName,
        attempt: Attempt,
        outcome: DeliveryOutcome,
    },
    Acted {
        consumer: ConsumerName,
        attempt: Attempt,
        outcome: ActionOutcome,
    },
    Proved {
        consumer: ConsumerName,
        attempt: Attempt,
        outcome: ProofOutcome,
    },
    /// The rehearsal of a delivery: could it be written?
    Rehearsed {
        consumer: ConsumerName,
        attempt: Attempt,
        outcome: DeliveryOutcome,
    },
    Ingested {
        fingerprint: Fingerprint,
        uid: u32,
        sure: bool,
        /// When the key ends, as its operator says.
        expires_at: Option<Timestamp>,
        ticket: Ticket,
        rotation_id: RotationId,
    },
    Accepted {
        fingerprint: Fingerprint,
        uid: u32,
        ticket: Ticket,
        rotation_id: RotationId,
    },
    /// The previous key as a new version; `check`: only say whether that would be possible.
    RollbackAsked {
        uid: u32,
        check: bool,
        ticket: Ticket,
        rotation_id: RotationId,
    },
    DeliverAsked {
        consumer: Option<ConsumerName>,
        ticket: Ticket,
    },
    ProveAsked {
        consumer: Option<ConsumerName>,
        ticket: Ticket,
    },
    /// A consumer says that it got a 401. `None`: with the current key.
    Unauthorized {
        fingerprint: Option<Fingerprint>,
        /// `None`: nobody knows whose program it is.
        from: Option<HintFrom>,
    },
    /// About a new key from the vendor's API.
    Call(CallInput),
}

/// One reading of a state document.
#[derive(Debug, Clone, PartialEq)]
pub enum StateRead {
    Present {
        version: Generation,
        document: Box<StateDocument>,
    },
    Absent {
        version: Generation,
    },
    /// It is there, and this version cannot read it.
    Refused {
        why: String,
    },
    Failed(StoreTrouble),
}

/// Something about one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxInput {
    /// It was looked at, all folders, without trouble.
    Looked { newest_notice_at: Option<Timestamp> },
    /// The connection ended.
    Lost { why: String },
    /// The login was refused.
    Refused { why: String },
    /// It lets nobody in for a while: the connection ended, and hurry makes it worse.
    Busy { why: String },
    /// The connection ended with its access token; with another one all is well.
    TokenEnded { why: String },
    /// The newest refresh token is in the store, or the first one still counts.
    TokenSaved,
    /// A new refresh token is not in the store: only on this host's disk, or nowhere but in this process.
    TokenUnsaved { why: String, on_disk: bool },
    /// A mail that may be the vendor's is too large, or killed the process before.
    Unread { place: String, why: String, broken: bool },
}
