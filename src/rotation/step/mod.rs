//! The transitions: an input changes what is known, then `advance` does what is due. Whatever is due follows from
//! the state and the moment alone, so a deadline needs no memory of its own.

mod asking;
mod by_hand;
mod calling;
mod clock;
mod consumer_incidents;
mod documents;
mod due;
mod expecting;
mod expiring;
mod foreign;
mod handing;
mod incidents;
mod intake;
mod journey;
mod judging;
mod key_document;
mod key_incidents;
mod lost;
mod observing;
mod operator;
mod probe_off;
mod probing;
mod redefining;
mod retiring;
mod revoking;
mod rollback;
mod saving;
mod spooling;
mod standing_by;
mod store_incidents;
mod storing;
mod telling;
mod tidying;

use super::{
    candidate::Candidate,
    effect::{Action, Reply},
    event::{Attempt, Input, StateRead, Ticket},
    history::Record,
    settings::Beside,
    state::Rotation,
    state_document::ProbeOff,
};
use crate::domain::{
    CredentialName, Fingerprint, Limits, MailPlace, Notice, StoreTrouble, Timestamp, Verdict,
};
use std::{collections::BTreeMap, time::Duration};

impl Out {
    /// Grows with everything that comes out.
    fn count(&self) -> usize {
        self.actions.len() + self.replies.len() + self.records.len()
    }
}

/// What a credential must know of the others and of the world.
#[derive(Clone, Copy)]
pub(super) struct Ctx<'a> {
    pub now: Timestamp,
    pub limits: &'a Limits,
    /// Which credential holds which key.
    pub taken: &'a BTreeMap<Fingerprint, CredentialName>,
    /// The last answer to a random key at this credential's origin.
    pub control: Option<(Verdict, Timestamp)>,
    /// Deadlines up to this moment have passed, as far as others' clocks show it.
    pub passed: Timestamp,
    /// Whether this machine's clock agrees with the vendor's and the store's.
    pub clock_agrees: bool,
    pub probe_period: Duration,
    /// How often the vendor's limit lets a key be asked.
    pub budget_period: Duration,
    /// The vendor may not be asked as this credential would.
    pub probe_off: Option<&'a ProbeOff>,
}

/// What comes out of one step of one credential.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub actions: Vec<Action>,
    pub replies: Vec<(Ticket, Reply)>,
    pub records: Vec<Record>,
    pub notices: Vec<Notice>,
    /// A random key should be tried at the origin.
    pub control_wanted: bool,
    /// The mailbox should be searched again; from the beginning?
    pub look_again: Option<bool>,
    /// These mails should be tidied.
    pub tidy: Option<(Attempt, Vec<MailPlace>)>,
    /// The store answered, or did not.
    pub store: Option<Result<(), StoreTrouble>>,
    /// The vendor's clock.
    pub vendor_time: Option<Timestamp>,
}

impl Rotation {
    pub(super) fn handle(&mut self, input: Input, ctx: Ctx<'_>, out: &mut Out) {
        match input {
            Input::DocumentsRead { attempt, key, state } => {
                self.documents_read(attempt, key, state, ctx, out)
            }
            Input::MailsSeen { findings, first, rotation_id } => {
                self.mails_seen(findings, first, rotation_id, ctx, out)
            }
            Input::MailTidied { attempt, outcome } => self.mail_tidied(attempt, outcome, ctx, out),
            Input::ProbeFinished { attempt, fingerprint, answer } => {
                out.vendor_time = answer.vendor_time;
                self.probe_finished(attempt, fingerprint, answer, ctx, out);
            }
            Input::KeyStored { attempt, outcome } => self.key_stored(attempt, outcome, ctx, out),
            Input::KeyRetired { attempt, outcome } => self.key_retired(attempt, outcome, ctx, out),
            Input::StateSaved { attempt, outcome } => self.state_saved(attempt, outcome, ctx, out),
            Input::Spooled { fingerprint, outcome } => self.spooled(fingerprint, outcome, ctx, out),
            Input::SpoolFound { fingerprint, origin, dated, rotated_at, held, rotation_id } => {
                let spooled = Candidate::new(fingerprint, origin, rotation_id, ctx.now)
                    .holding(held)
                    .spooled(dated, rotated_at);
                self.spool_found(spooled, out);
            }
            Input::SpoolUnreadable { why } => self.spool_unreadable(why, ctx),
            Input::CopyCompared { consumer, attempt, outcome } => {
                self.copy_compared(&consumer, attempt, outcome, ctx);
            }
            Input::Delivered { consumer, attempt, outcome } => {
                self.on_consumer(&consumer, attempt, ctx, |state, baton| state.delivered(outcome, baton));
            }
            Input::Acted { consumer, attempt, outcome } => {
                self.on_consumer(&consumer, attempt, ctx, |state, baton| state.acted(outcome, baton));
            }
            Input::Proved { consumer, attempt, outcome } => {
                self.on_consumer(&consumer, attempt, ctx, |state, baton| state.proved(outcome, baton));
            }
            Input::Rehearsed { consumer, attempt, outcome } => self.rehearsed(&consumer, attempt, outcome),
            Input::Ingested { fingerprint, uid, sure, expires_at, ticket, rotation_id } => {
                self.ingested(fingerprint, expires_at, (uid, sure, ticket), rotation_id, ctx, out);
            }
            Input::Accepted { fingerprint, uid, ticket, rotation_id } => {
                self.accepted(fingerprint, (uid, ticket), rotation_id, ctx, out);
            }
            Input::RollbackAsked { uid, check, ticket, rotation_id } => {
                self.rollback_asked((uid, check, ticket), rotation_id, ctx, out);
            }
            Input::DeliverAsked { consumer, ticket } => {
                self.consumers_asked(consumer, true, ticket, ctx, out)
            }
            Input::ProveAsked { consumer, ticket } => self.consumers_asked(consumer, false, ticket, ctx, out),
            Input::Unauthorized { fingerprint, from } => self.unauthorized(fingerprint, from, ctx, out),
            Input::Call(input) => self.called(input, ctx, out),
        }
        self.advance(ctx, out);
    }

    /// Does what is due. Safe to call at any moment, and again: it goes on until nothing more comes of it.
    pub(super) fn advance(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        /// One round sets off what the next takes up; a third finds nothing.
        const ROUNDS_MAX: usize = 8;
        if self.settings.beside == Beside::TheActive {
            return self.stand_by(ctx, out);
        }
        for _ in 0..ROUNDS_MAX {
            let before = out.count();
            self.advance_once(ctx, out);
            if out.count() == before {
                break;
            }
        }
        self.advance_incidents(ctx, out);
        self.advance_waiting(ctx, out);
        self.tell(ctx, out);
        self.advance_state(ctx, out);
    }
    fn advance_once(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        self.take_new_settings(ctx);
        self.advance_probe_off(ctx);
        self.advance_announced(ctx, out);
        self.forget_rollbacks();
        self.advance_candidates(ctx, out);
        self.advance_rollbacks(ctx, out);
        self.advance_due(ctx, out);
        self.advance_asking(ctx, out);
        self.advance_lost(ctx, out);
        self.advance_answers(ctx, out);
        self.advance_documents(ctx, out);
        self.advance_probes(ctx, out);
        self.advance_storing(ctx, out);
        self.advance_consumers(ctx, out);
        self.advance_settled(ctx, out);
        self.advance_retiring(ctx, out);
        self.advance_expiry();
        self.advance_revoking(ctx);
        self.advance_spool(ctx, out);
        self.advance_superseded(ctx);
        self.advance_mail_retry(ctx, out);
        self.advance_tidying(ctx, out);
        self.note_phase(ctx.now);
    }

    /// The earliest moment at which `advance` has something to do, and why. What was due before is done: a moment that
    /// has passed and was not acted on waits for an event.
    pub(super) fn next_deadline(&self, ctx: Ctx<'_>) -> Option<(Timestamp, Reason)> {
        let moments = [
            (self.documents.reading.waits_until(), Reason::ReadDocuments),
            (self.read_due, Reason::ReadDocuments),
            (self.next_probe_at(ctx), Reason::Probe),
            (self.writing.waits_until(), Reason::Store),
            (self.next_consumer_at(ctx), Reason::Consumer),
            (self.next_retirement_at(ctx), Reason::Retire),
            (self.next_spooling_at(ctx), Reason::Spool),
            (self.next_expectation_at(ctx), Reason::Expect),
            (self.next_incident_at(ctx), Reason::Tell),
            (self.waiting.iter().map(|waiting| waiting.until).min(), Reason::Answer),
            (self.saving.waits_until(), Reason::Save),
            (self.mail_retry.waits_until(), Reason::LookAgain),
            (self.tidying.waits_until(), Reason::Tidy),
            (self.next_asking_at(ctx), Reason::Ask),
        ];
        let ahead =
            |(at, reason): (Option<Timestamp>, Reason)| Some((at.filter(|at| *at > ctx.now)?, reason));
        moments.into_iter().filter_map(ahead).min_by_key(|(at, _)| *at)
    }
}

/// Why something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    ReadDocuments,
    Probe,
    Store,
    Consumer,
    Retire,
    Spool,
    Expect,
    Tell,
    Answer,
    Save,
    LookAgain,
    Tidy,
    /// A new key from the vendor's API.
    Ask,
    /// The fleet's own: mailboxes, the store's health, alerts, budgets.
    Fleet,
}

impl StateRead {
    fn trouble(&self) -> Option<StoreTrouble> {
        match self {
            StateRead::Failed(trouble) => Some(trouble.clone()),
            StateRead::Present { .. } | StateRead::Absent { .. } | StateRead::Refused { .. } => None,
        }
    }
}
