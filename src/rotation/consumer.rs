//! One consumer's way to the current key: compare its copy, deliver, act, prove. Kept right, not only changed: the
//! same way is walked after a promotion, on the schedule, and when an operator asks; only what differs is done.

use super::{
    effect::Action,
    event::Attempt,
    settings::{Consumer, Delivery, Proof},
    shown::Shown,
    state_document::ConsumerNote,
    task::{Task, backoff_cap, salt},
};
use crate::domain::{
    ActionOutcome, ConsumerName, CopyState, DeliveryOutcome, Fingerprint, Instances, Limits, ProofLevel,
    ProofOutcome, Timestamp,
};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Look at its copy.
    Compare,
    Deliver,
    Act,
    Prove,
    /// As good as it is wanted; the schedule comes back.
    Rest,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConsumerState {
    pub policy: Consumer,
    pub step: Step,
    pub task: Task,
    pub rehearsal: Task,
    /// The last proof that held.
    pub shown: Option<Shown>,
    /// Why it is not proven now, for people.
    pub error: Option<String>,
    /// The delivery or the action failed (and not merely the proof).
    pub failed: bool,
    /// It works with this key, which is not the current one.
    pub other_key: Option<Fingerprint>,
    /// The generation that was delivered, and the one whose action ended, as far as is on record.
    pub delivered: Option<u64>,
    pub acted: Option<u64>,
    pub delivered_at: Option<Timestamp>,
    /// Not proven since then.
    pub unproven_since: Option<Timestamp>,
    /// Copies that were put back and written again.
    pub heals: Vec<Timestamp>,
    /// Such a copy is being written again.
    healing: bool,
    /// The copy was seen to be right for this generation.
    pub copy_right_for: Option<u64>,
    /// An operator wants it delivered again, whatever the copy is.
    pub forced: bool,
    /// How often the way was walked to its end, well or not: operators wait for the next.
    pub passes: u64,
    /// Whether its delivery could be made, when that was last tried without making it.
    pub rehearsed: Option<Result<(), String>>,
    /// A key became current while this was being given the one before: that is left to end, and counts for nothing.
    overtaken: bool,
}

/// What a step needs to know of its credential.
#[derive(Clone, Copy)]
pub(super) struct Baton<'a> {
    pub fingerprint: Fingerprint,
    pub generation: u64,
    pub name: &'a ConsumerName,
    pub now: Timestamp,
    /// What is left of the hand-over time.
    pub left: Option<Duration>,
    /// Nothing may be given to anybody.
    pub observe: bool,
    pub limits: &'a Limits,
}

/// What an operator must hear of at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    /// A copy was put back to something else and is written again.
    Drifted,
}

impl ConsumerState {
    pub fn new(policy: Consumer) -> Self {
        Self {
            policy,
            step: Step::Compare,
            task: Task::default(),
            rehearsal: Task::default(),
            shown: None,
            error: None,
            failed: false,
            other_key: None,
            delivered: None,
            acted: None,
            delivered_at: None,
            unproven_since: None,
            heals: Vec::new(),
            healing: false,
            copy_right_for: None,
            forced: false,
            passes: 0,
            rehearsed: None,
            overtaken: false,
        }
    }
    pub fn remember(&mut self, note: &ConsumerNote) {
        (self.delivered, self.acted) = (note.delivered, note.acted);
        self.unproven_since = self.unproven_since.or(note.unproven_since);
        if let (Some(fingerprint), Some(level), Some(at)) = (note.fingerprint, note.level, note.at) {
            let since = note.since.unwrap_or(at);
            self.shown = Some(Shown { fingerprint, level, instances: Instances::default(), at, since });
        }
    }
    pub fn note(&self) -> ConsumerNote {
        let shown = self.shown.as_ref();
        ConsumerNote {
            delivered: self.delivered,
            acted: self.acted,
            fingerprint: shown.map(|shown| shown.fingerprint),
            level: shown.map(|shown| shown.level),
            at: shown.map(|shown| shown.at),
            since: shown.map(|shown| shown.since),
            unproven_since: self.unproven_since,
        }
    }

    /// A delivery or an action is under way.
    pub fn is_changing(&self) -> bool {
        let changes = match self.step {
            Step::Deliver | Step::Act => true,
            Step::Compare | Step::Prove | Step::Rest => false,
        };
        changes && !self.task.is_idle()
    }
    /// Begins the way anew. What is in flight and changes something is left to end.
    pub fn restart(&mut self) {
        if !self.is_changing() {
            self.task = Task::default();
            self.step = Step::Compare;
        }
    }
    /// Tries what a rotation will need: whether the copy can be written, and whether the current key proves itself.
    pub fn rehearse(&mut self, now: Timestamp) {
        self.rehearsed = None;
        if !self.policy.elsewhere {
            if self.policy.delivery != Delivery::None {
                self.rehearsal.wait_until(now);
            }
            self.restart();
        }
    }
    /// A new key is current: what was known of the old one's delivery does not count. A delivery of the old key that
    /// is under way ends first: it might end last.
    pub fn key_changed(&mut self, now: Timestamp) {
        self.overtaken = self.is_changing();
        if !self.overtaken {
            self.task = Task::default();
            self.step = Step::Compare;
        }
        self.rehearsed = None;
        (self.copy_right_for, self.healing) = (None, false);
        self.delivered_at = None;
        self.unproven_since = Some(now);
        (self.error, self.failed, self.other_key) = (None, false, None);
    }

    /// The awaited end has come, and was about the key before: the way begins with the new one.
    pub fn ended_for_an_older_key(&mut self) -> bool {
        let overtaken = std::mem::take(&mut self.overtaken);
        if overtaken {
            self.task = Task::default();
            self.step = Step::Compare;
        }
        overtaken
    }

    /// As good as it is wanted, with this key.
    pub fn is_good(&self, fingerprint: Fingerprint) -> bool {
        self.policy.elsewhere || self.level(fingerprint) >= self.policy.wanted
    }
    /// What it last showed did not hold.
    pub fn is_in_doubt(&self) -> bool {
        !self.policy.elsewhere && self.unproven_since.is_some()
    }
    /// What was shown of this key; nothing, where it was shown to work with another since.
    pub fn level(&self, fingerprint: Fingerprint) -> ProofLevel {
        match &self.shown {
            Some(shown) if shown.fingerprint == fingerprint && self.other_key.is_none() => shown.level,
            Some(_) | None => ProofLevel::Unproven,
        }
    }

    /// The next action, if one is due.
    pub fn next_action(&mut self, attempts: &mut Attempt, baton: Baton<'_>) -> Option<Action> {
        if self.policy.elsewhere || !self.task.may_start(baton.now) {
            return None;
        }
        self.leave_out_what_is_not_done(baton);
        if !self.task.may_start(baton.now) {
            return None;
        }
        let (consumer, fingerprint) = (baton.name.clone(), baton.fingerprint);
        match self.step {
            Step::Rest => None,
            Step::Compare => {
                Some(Action::CompareCopy { consumer, attempt: self.task.start(attempts), fingerprint })
            }
            Step::Deliver => {
                Some(Action::Deliver { consumer, attempt: self.task.start(attempts), fingerprint })
            }
            Step::Act => Some(Action::Act { consumer, attempt: self.task.start(attempts) }),
            Step::Prove => Some(Action::Prove { consumer, attempt: self.task.start(attempts), fingerprint }),
        }
    }
    pub(super) fn skip_what_is_not_needed(&mut self, baton: Baton<'_>) {
        if self.step == Step::Compare {
            match self.policy.delivery {
                Delivery::Copy => {}
                Delivery::None => self.step = Step::Prove,
                Delivery::Command if self.delivered == Some(baton.generation) && !self.forced => {
                    self.after_right_copy(baton)
                }
                Delivery::Command => self.step = Step::Deliver,
            }
        }
        if self.step == Step::Prove && self.policy.proof == Proof::ByDelivery {
            let level = match self.policy.delivery {
                Delivery::Command => ProofLevel::Delivered,
                Delivery::Copy | Delivery::None => ProofLevel::WorkingCopy,
            };
            self.prove(level, Instances::default(), baton.now, baton);
        }
    }

    pub fn compared(&mut self, outcome: CopyState, baton: Baton<'_>) -> Told {
        // A delivery on record was right when it ended.
        let was_right =
            !self.healing && [self.copy_right_for, self.delivered].contains(&Some(baton.generation));
        match outcome {
            CopyState::Same if self.forced => self.step = Step::Deliver,
            CopyState::Same | CopyState::Unreadable => {
                (self.copy_right_for, self.healing) = (Some(baton.generation), false);
                self.after_right_copy(baton);
                self.failed &= self.owes_action(baton);
            }
            CopyState::Missing | CopyState::Differs(_) if baton.observe => self.miss_copy(baton),
            CopyState::Missing | CopyState::Differs(_) if was_right && !self.may_heal(baton) => {
                self.fail(
                    "its copy is changed again and again; it is left alone until tomorrow".into(),
                    baton,
                );
                self.task
                    .wait_until(baton.now + Duration::from_secs(86_400) / baton.limits.heals_per_day.max(1));
            }
            CopyState::Missing | CopyState::Differs(_) => {
                self.step = Step::Deliver;
                if was_right {
                    self.heals.push(baton.now);
                    self.healing = true;
                    self.acted = None;
                    return Told::Drifted;
                }
            }
            CopyState::NotOurs(why) | CopyState::Failed(why) => self.fail(why, baton),
        }
        Told::Nothing
    }
    fn may_heal(&mut self, baton: Baton<'_>) -> bool {
        self.heals.retain(|at| baton.now.since(*at) < Duration::from_secs(86_400));
        self.heals.len() < baton.limits.heals_per_day as usize
    }
    /// A copy that is right and of which no delivery is on record was right before we came: nobody is restarted.
    /// One whose action's end is not on record is proven first.
    fn after_right_copy(&mut self, baton: Baton<'_>) {
        if self.delivered.is_none() {
            self.acted = Some(baton.generation);
        }
        self.delivered = Some(baton.generation);
        self.delivered_at.get_or_insert(baton.now);
        let proof_can_tell = self.policy.proof != Proof::ByDelivery;
        self.step = if self.owes_action(baton) && !proof_can_tell { Step::Act } else { Step::Prove };
    }
    fn owes_action(&self, baton: Baton<'_>) -> bool {
        self.policy.acts && !baton.observe && self.acted != Some(baton.generation)
    }

    pub fn delivered(&mut self, outcome: DeliveryOutcome, baton: Baton<'_>) {
        match outcome {
            DeliveryOutcome::Done => {
                self.delivered = Some(baton.generation);
                self.copy_right_for = Some(baton.generation);
                if self.forced {
                    self.acted = None;
                }
                (self.forced, self.healing) = (false, false);
                self.failed &= self.policy.acts;
                self.gets_on(baton);
                self.step = if self.policy.acts { Step::Act } else { Step::Prove };
            }
            DeliveryOutcome::Failed(why) => self.fail(why, baton),
        }
    }
    pub fn acted(&mut self, outcome: ActionOutcome, baton: Baton<'_>) {
        match outcome {
            ActionOutcome::Done => {
                self.acted = Some(baton.generation);
                self.failed = false;
                self.gets_on(baton);
                self.step = Step::Prove;
            }
            ActionOutcome::Failed(why) => self.fail(why, baton),
        }
    }
    /// It was given something new: what it showed before says nothing of what it will show.
    fn gets_on(&mut self, baton: Baton<'_>) {
        self.task.succeeded();
        self.delivered_at = Some(baton.now);
        self.other_key = None;
        self.unproven_since = self.unproven_since.map(|_| baton.now);
    }
    pub fn proved(&mut self, outcome: ProofOutcome, baton: Baton<'_>) {
        match outcome {
            ProofOutcome::Proven { level, instances, at, .. } => self.prove(level, instances, at, baton),
            ProofOutcome::OtherKey(other) => {
                // That is a proof, too, of the key that it names.
                let (level, instances) = (ProofLevel::InUse, Instances::default());
                self.shown = Some(Shown::after(self.shown.take(), other, level, instances, baton.now));
                self.other_key = Some(other);
                let named = if other.is_weak() { String::new() } else { format!(" ({other})") };
                self.not_proven(format!("it works with another key{named} than the current one"), baton);
            }
            ProofOutcome::Unproven { why, instances } => {
                if let Some(shown) =
                    self.shown.as_mut().filter(|shown| shown.fingerprint == baton.fingerprint)
                {
                    (shown.level, shown.instances) = (ProofLevel::Unproven, instances);
                }
                self.not_proven(why, baton);
            }
            ProofOutcome::Silent(why) => self.not_proven(why, baton),
        }
    }

    fn prove(&mut self, level: ProofLevel, instances: Instances, at: Timestamp, baton: Baton<'_>) {
        self.shown = Some(Shown::after(self.shown.take(), baton.fingerprint, level, instances, at));
        self.other_key = None;
        if level < self.policy.wanted {
            let (has, wants) = (level.words(), self.policy.wanted.words());
            return self.not_proven(format!("it shows \"{has}\", and \"{wants}\" is wanted"), baton);
        }
        if level >= ProofLevel::Loaded {
            self.acted = Some(baton.generation);
        }
        (self.error, self.failed, self.unproven_since) = (None, false, None);
        self.task.succeeded();
        self.ends_its_way(Step::Rest, baton);
    }
    /// A delivery that was asked for while an action was under way comes first; who asked waits for that. `true`: so.
    fn ends_its_way(&mut self, step: Step, baton: Baton<'_>) -> bool {
        let is_asked_for = self.forced && !baton.observe;
        self.step = if is_asked_for { Step::Compare } else { step };
        self.passes += u64::from(!is_asked_for);
        is_asked_for
    }
    /// The proof did not hold: the action that is still owed comes first, then the proof again, later and later.
    pub(super) fn not_proven(&mut self, why: String, baton: Baton<'_>) {
        self.error = Some(why);
        self.unproven_since.get_or_insert(baton.now);
        if self.owes_action(baton) && self.policy.delivery != Delivery::None {
            self.step = Step::Act;
            return;
        }
        if !self.ends_its_way(self.step, baton) {
            self.back_off(baton);
        }
    }
    /// Delivery or action failed: told at once, and tried again from the comparison on.
    fn fail(&mut self, why: String, baton: Baton<'_>) {
        self.error = Some(why);
        self.failed = true;
        self.unproven_since.get_or_insert(baton.now);
        self.passes += 1;
        self.step = Step::Compare;
        self.back_off(baton);
    }
    fn back_off(&mut self, baton: Baton<'_>) {
        let cap = backoff_cap(baton.left, baton.limits);
        self.task.failed(
            baton.now,
            cap,
            salt(&[baton.name.as_str(), &baton.fingerprint.hex()]),
            baton.limits,
        );
    }
}
