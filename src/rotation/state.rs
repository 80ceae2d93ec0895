//! One credential's state: what is known, what is under way, and the document that outlives the process.
//!
//! Phases are read off the state, never stored beside it: there is no combination of them that could be wrong.

use super::{
    candidate::Candidate,
    consumer::ConsumerState,
    effect::Promotion,
    event::{Attempt, Ticket},
    hints::Hints,
    history::{PhaseEntered, RecordKind, Trigger},
    incident::Incidents,
    keys::KeyFacts,
    phase::{Parked, Phase},
    policy::CurrentKey,
    settings::Credential,
    state_document::{Former, SCHEMA, StateDocument},
    task::Task,
    wish::{Answer, Asking, Due, Fate, Stage},
};
use crate::domain::{
    ConsumerName, Fingerprint, KeyDocument, MailId, RotationId, StoreTrouble, Timestamp, Verdict, Warning,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// A document's version in the store, as check-and-set names it; 0 where there is none.
pub type Generation = u64;

/// The rotation that is being told of: its phases as they come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Journey {
    pub rotation_id: RotationId,
    pub kind: RecordKind,
    /// `None`: it began in an earlier process.
    pub trigger: Option<Trigger>,
    pub old: Option<Fingerprint>,
    pub new: Fingerprint,
    pub phases: Vec<PhaseEntered>,
    /// What it met under way, and what became of that.
    pub beside: Option<String>,
}

/// An operator's command that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub ticket: Ticket,
    pub until: Timestamp,
    pub awaits: Awaits,
    /// What the command met under way, and what becomes of that.
    pub beside: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Awaits {
    /// The previous key's judgement: then its promotion, or the answer to a check.
    Rollback(Rollback),
    /// The vendor's answer to this wish.
    Rotation(RotationId),
    /// The judgement and promotion of this key.
    Promotion(Fingerprint),
    /// It was promoted as this generation: now the consumers.
    Consumers(u64),
    /// What each consumer's count of passes must reach.
    Passes(BTreeMap<ConsumerName, u64>),
}

/// An operator's wish to go back from one key to the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rollback {
    pub from: Fingerprint,
    pub to: Fingerprint,
    pub uid: u32,
    /// Nothing is to be changed.
    pub check: bool,
    pub rotation_id: RotationId,
    pub asked_at: Timestamp,
}

/// A kind of call to the store: what is refused for one may work for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    Read,
    StoreKey,
    SaveState,
    RetireKey,
}

/// What is known of the store's documents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Documents {
    pub reading: Task,
    /// Something happened after which the key document must be read (again).
    pub key_wanted: bool,
    pub state_wanted: bool,
    /// The key document as last read; `None` where there is none.
    pub key: Option<KeyDocument>,
    /// Both documents were read at least once.
    pub known: bool,
    /// The newest version of it that was read, and when that was written.
    pub newest: Option<(Generation, Timestamp)>,
    /// The version that the next write of the key document names.
    pub key_version: Generation,
    pub state_version: Generation,
    /// The store does not answer, or is sealed.
    pub trouble: Option<StoreTrouble>,
    /// It answers, and refuses these calls.
    pub refusals: BTreeMap<Call, StoreTrouble>,
    pub state_refused: Option<String>,
    pub deleted: bool,
    /// A value that is not ours and not adopted; nothing is written over it.
    pub foreign: Option<String>,
    /// An earlier key of ours that somebody put back.
    pub reverted: Option<Fingerprint>,
    /// The key that the notes call current, of which only an older version in the store has the value: it was replaced
    /// there while nobody ran.
    pub unheld: Option<Fingerprint>,
}

/// When the state document must be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dirty {
    No,
    /// Once nothing is under way.
    WhenCalm,
    Now,
}

/// One credential's state machine.
#[derive(Debug, Clone)]
pub struct Rotation {
    pub(super) settings: Arc<Credential>,
    /// A new definition, that waits until this rotation has settled.
    pub(super) next_settings: Option<Arc<Credential>>,
    pub(super) attempts: Attempt,
    pub(super) documents: Documents,
    pub(super) current: Option<CurrentKey>,
    /// Boxed: a map keeps room for eleven.
    pub(super) keys: BTreeMap<Fingerprint, Box<KeyFacts>>,
    pub(super) candidates: Vec<Candidate>,
    /// Keys that were refused for good, the newest last.
    pub(super) refused: VecDeque<Fingerprint>,
    /// Warnings that were read before the documents: whether they are old news is not known yet.
    pub(super) early_warnings: Vec<Warning>,
    /// Mails whose keys a newer one supersedes, as soon as that is the current key.
    pub(super) superseded: Vec<MailId>,
    /// Mails that could not be judged are looked at again.
    pub(super) mail_retry: Task,
    pub(super) tidying: Task,
    /// The key document was asked for once more, before mails are touched.
    pub(super) tidying_checked: bool,
    /// Copies of a confirmation may lie there that are not noted: the mailbox is to be looked at again for them.
    pub(super) copies_left_out: bool,
    /// The first complete look at the mailbox is done (or there is no mailbox).
    pub(super) looked: bool,
    pub(super) writing: Task,
    /// The promotion that was written and is not read back yet.
    pub(super) pending: Option<Promotion>,
    pub(super) retire: Task,
    pub(super) saving: Task,
    pub(super) dirty: Dirty,
    pub(super) memory: StateDocument,
    pub(super) consumers: BTreeMap<ConsumerName, ConsumerState>,
    pub(super) incidents: Incidents,
    pub(super) journey: Option<Journey>,
    /// The current key's hand-over, while a newer candidate's journey is told: it goes on if that comes to nothing.
    pub(super) resting_journey: Option<Journey>,
    pub(super) waiting: Vec<Waiting>,
    /// When the schedule next asks for these, spread by the credential's name.
    pub(super) read_due: Option<Timestamp>,
    pub(super) probe_due: Option<Timestamp>,
    pub(super) prove_due: Option<Timestamp>,
    /// The rehearsal before an expected rotation was held for this moment.
    pub(super) rehearsed_for: Option<Timestamp>,
    pub(super) rehearsal_began_at: Option<Timestamp>,
    pub(super) hints: Hints,
    /// A judgement needs these verdicts.
    pub(super) candidate_wanted: bool,
    pub(super) current_wanted: bool,
    /// An operator's rollback needs this key's verdict.
    pub(super) rollback_wanted: Option<Fingerprint>,
    /// A new key from the vendor's API, from the look at all it needs to the answer.
    pub(super) asking: Option<Asking>,
    /// A wish that was perhaps noted, and that this process knows to have called nobody.
    pub(super) uncalled: Option<RotationId>,
    /// Answers that are, or should be, in the spool.
    pub(super) answers: BTreeMap<RotationId, Answer>,
    /// Why the last call has no answer that tells.
    pub(super) unanswered: Option<String>,
    /// What the old key said first, after a call without an answer.
    pub(super) judged: Option<(Verdict, Timestamp)>,
    /// The schedule's moment that is not done with, and the one after it.
    pub(super) due: Option<Due>,
    pub(super) next_due: Option<Timestamp>,
    /// How many candidates there were.
    pub(super) numbers: u32,
    pub(super) stopping: bool,
}

impl Rotation {
    /// A credential of which nothing is known yet.
    pub(super) fn new(settings: Arc<Credential>) -> Self {
        let consumers = settings
            .consumers
            .iter()
            .map(|(name, policy)| (name.clone(), ConsumerState::new(policy.clone())))
            .collect();
        let incidents = Incidents::new(settings.name.as_str(), Vec::new());
        let looked = settings.mailbox.is_none();
        Self {
            settings,
            next_settings: None,
            attempts: 0,
            documents: Documents { key_wanted: true, state_wanted: true, ..Documents::default() },
            current: None,
            keys: BTreeMap::new(),
            candidates: Vec::new(),
            refused: VecDeque::new(),
            early_warnings: Vec::new(),
            superseded: Vec::new(),
            mail_retry: Task::default(),
            tidying: Task::default(),
            tidying_checked: false,
            copies_left_out: false,
            looked,
            writing: Task::default(),
            pending: None,
            retire: Task::default(),
            saving: Task::default(),
            dirty: Dirty::No,
            memory: StateDocument { schema: SCHEMA, ..StateDocument::default() },
            consumers,
            incidents,
            journey: None,
            resting_journey: None,
            waiting: Vec::new(),
            read_due: None,
            probe_due: None,
            prove_due: None,
            rehearsed_for: None,
            rehearsal_began_at: None,
            hints: Hints::default(),
            candidate_wanted: false,
            current_wanted: false,
            rollback_wanted: None,
            asking: None,
            uncalled: None,
            answers: BTreeMap::new(),
            unanswered: None,
            judged: None,
            due: None,
            next_due: None,
            numbers: 0,
            stopping: false,
        }
    }

    /// Where the rotation is; the first line that holds decides.
    pub fn phase(&self) -> Phase {
        let documents = &self.documents;
        if self.pending.is_some() {
            return Phase::Storing;
        }
        if documents.state_refused.is_some() {
            return Phase::Parked(Parked::StateRefused);
        }
        if let Some(candidate) = self.best_candidate() {
            let blind = self.incidents.is_open(crate::domain::Code::ProbeBlind, "");
            return match (blind, candidate.ready) {
                (true, _) => Phase::Parked(Parked::ProbeBlind),
                (false, true) => Phase::Storing,
                (false, false) => Phase::Probing,
            };
        }
        if !documents.known {
            return if self.store_trouble().is_some() {
                Phase::Parked(Parked::StoreUnread)
            } else {
                Phase::Unseeded
            };
        }
        self.phase_without_candidate()
    }

    /// Not every consumer was shown to be at the current key since it became so. What somebody else put into the store
    /// has no generation of its own: there its journey counts.
    pub(super) fn is_handing_over(&self) -> bool {
        let Some(current) = &self.current else { return false };
        let told = self.journey.as_ref().is_some_and(|journey| journey.new == current.fingerprint);
        current.generation > self.memory.settled || (self.settings.observe && told)
    }

    fn phase_without_candidate(&self) -> Phase {
        let documents = &self.documents;
        if documents.foreign.is_some() {
            return Phase::Parked(Parked::StoreForeign);
        }
        if documents.deleted {
            return Phase::Parked(Parked::DocumentDeleted);
        }
        if documents.reverted.is_some() {
            return Phase::Parked(Parked::StoreReverted);
        }
        if self.current.is_none() {
            let held = self.candidates.iter().any(|candidate| candidate.held.is_some());
            return if held { Phase::Parked(Parked::Held) } else { Phase::Unseeded };
        }
        if self.incidents.is_open(crate::domain::Code::KeyDead, "") {
            return Phase::Parked(Parked::KeyDead);
        }
        if let Some(phase) = self.phase_of_wish() {
            return phase;
        }
        if self.is_handing_over() {
            return Phase::HandingOver;
        }
        if self.asking.is_some() {
            return Phase::Announced; // all that the rotation needs is tried
        }
        if self.memory.announced.is_some() { Phase::Announced } else { Phase::Steady }
    }

    /// A new key may be under way from the vendor's API.
    fn phase_of_wish(&self) -> Option<Phase> {
        let calling = self.asking.as_ref().is_some_and(|asking| asking.stage == Stage::Calling);
        match self.unanswered_wish().map(|wish| wish.fate) {
            Some(Fate::Open) => Some(Phase::Probing),
            Some(Fate::Lost) => Some(Phase::Parked(Parked::KeyLost)),
            Some(Fate::Unsure) | None => calling.then_some(Phase::Probing),
        }
    }

    /// Why keys cannot be read or written now.
    pub(super) fn store_trouble(&self) -> Option<&StoreTrouble> {
        let refused = |call| self.documents.refusals.get(&call);
        self.documents.trouble.as_ref().or(refused(Call::Read)).or(refused(Call::StoreKey))
    }

    /// The newest key that may become the current one without an operator.
    pub(super) fn best_candidate(&self) -> Option<&Candidate> {
        self.candidates
            .iter()
            .filter(|candidate| candidate.held.is_none() && candidate.would.is_none())
            .max_by_key(|candidate| candidate.rank())
    }
    pub(super) fn candidate(&mut self, fingerprint: Fingerprint) -> Option<&mut Candidate> {
        self.candidates.iter_mut().find(|candidate| candidate.fingerprint == fingerprint)
    }
    /// What the vendor said of a key, if it was asked.
    pub(super) fn facts(&self, key: Fingerprint) -> Option<&KeyFacts> {
        self.keys.get(&key).map(Box::as_ref)
    }
    pub(super) fn current_facts(&self) -> Option<&KeyFacts> {
        self.facts(self.current.as_ref()?.fingerprint)
    }
    /// Everything that is, was or may become this credential's key.
    pub fn known_fingerprints(&self) -> BTreeSet<Fingerprint> {
        self.known_keys().collect()
    }
    /// The same in no order, some more than once.
    pub(super) fn known_keys(&self) -> impl Iterator<Item = Fingerprint> {
        let current = self.current.as_ref().map(|current| current.fingerprint);
        let previous = self.previous().map(|former| former.fingerprint);
        let formers = self.memory.formers.iter().map(|former| former.fingerprint);
        let candidates = self.candidates.iter().map(|candidate| candidate.fingerprint);
        current.into_iter().chain(previous).chain(formers).chain(candidates)
    }
    pub fn done_mails(&self) -> BTreeSet<MailId> {
        self.memory.done.iter().cloned().collect()
    }
    /// The old key that the document still names, with the end of its grace.
    pub fn previous(&self) -> Option<Former> {
        let previous = self.documents.key.as_ref()?.previous?;
        Some(Former { fingerprint: previous.fingerprint, until: previous.expires_at })
    }
    pub(super) fn generation(&self) -> u64 {
        self.current.as_ref().map_or(0, |current| current.generation)
    }
}
