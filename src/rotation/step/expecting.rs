//! What is to come: the next rotation, its rehearsal, the return of a reverted key, a new definition.

use super::{Ctx, Out};
use crate::domain::{Fingerprint, Timestamp};
use crate::rotation::{
    consumer::ConsumerState,
    history::shown,
    incident::Ladder,
    settings::Credential,
    state::{Phase, Rotation},
};
use std::sync::Arc;

impl Rotation {
    /// When the vendor is expected to rotate: as announced, else by its cadence.
    pub fn expected_at(&self) -> Option<Timestamp> {
        let announced = self.memory.announced.as_ref().map(|announced| announced.expected_at);
        announced.or(Some(self.current.as_ref()?.dated() + self.settings.cadence?))
    }

    /// Without a warning mail the rehearsal is held at the same hour.
    pub(super) fn advance_announced(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        if let Some(expected) = self.rehearsal_expected().filter(|expected| *expected <= ctx.now) {
            let before = self.settings.notice_before.unwrap_or_default();
            self.rehearse(expected + before, ctx, out);
        }
        if let Some(newer) = self.reverted_is_due(ctx)
            && let Some(candidate) = self.candidate(newer)
        {
            (candidate.held, candidate.word) = (None, None);
        }
    }
    /// The moment of the rehearsal of the next expected rotation, where none was held yet and no mail said so.
    fn rehearsal_expected(&self) -> Option<Timestamp> {
        let expected =
            self.expected_at().filter(|_| self.memory.announced.is_none() && self.generation() > 0)?;
        let from = expected - self.settings.notice_before?;
        (self.rehearsed_for != Some(expected) && self.documents.known).then_some(from)
    }
    pub(super) fn next_expectation_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let overdue = self.expected_at().map(|expected| expected + ctx.limits.unconfirmed_after);
        let reverted = self.revert_ladder(ctx).map(|ladder| last_step(ladder, ctx));
        let over = self
            .previous()
            .and_then(|previous| previous.until)
            .map(|until| until + ctx.limits.unconfirmed_after);
        let moments = [self.rehearsal_expected(), overdue, reverted, over, self.prove_due];
        moments.into_iter().flatten().filter(|at| *at > ctx.now).min()
    }

    /// A key that was put back is replaced again at the last step of the time that the earlier one has.
    pub(super) fn revert_ladder(&self, ctx: Ctx<'_>) -> Option<Ladder> {
        let earlier = self.documents.reverted?;
        let until = self.memory.formers.iter().find(|former| former.fingerprint == earlier)?.until?;
        let from = self.current.as_ref()?.dated();
        Some(Ladder { from, until: until - ctx.limits.margin(until.since(from)) })
    }
    fn reverted_is_due(&self, ctx: Ctx<'_>) -> Option<Fingerprint> {
        let due = last_step(self.revert_ladder(ctx)?, ctx) <= ctx.now && ctx.clock_agrees;
        self.current.as_ref().filter(|_| due).map(|current| current.fingerprint)
    }
    /// Whether what somebody wrote to the store is still being asked about.
    pub(super) fn is_judging_foreign(&self) -> bool {
        let found = self.documents.key.as_ref().and_then(|document| document.current);
        self.best_candidate()
            .is_some_and(|candidate| Some(candidate.fingerprint) == found && candidate.dead_since.is_none())
    }

    /// The key of `fingerprint`, as it may be shown: a weak one by its generation, or its number among the candidates.
    pub fn label(&self, fingerprint: Fingerprint) -> String {
        let number = self.candidates.iter().position(|candidate| candidate.fingerprint == fingerprint);
        match number.filter(|_| fingerprint.is_weak()) {
            Some(number) => format!("c{}", number + 1),
            None if self.current.as_ref().is_some_and(|current| current.fingerprint == fingerprint) => {
                shown(fingerprint, self.generation())
            }
            None => shown(fingerprint, self.generation().saturating_sub(1)),
        }
    }
    /// What an operator means by a label, among candidates.
    pub fn candidate_labelled(&self, label: &str) -> Option<Fingerprint> {
        self.candidates
            .iter()
            .map(|candidate| candidate.fingerprint)
            .find(|fingerprint| self.label(*fingerprint) == label)
    }

    /// A changed definition counts at once, but for a credential in rotation: there it waits.
    pub(in crate::rotation) fn reconfigure(&mut self, settings: Arc<Credential>) {
        self.next_settings = Some(settings).filter(|settings| **settings != *self.settings);
    }
    pub(super) fn take_new_settings(&mut self, ctx: Ctx<'_>) {
        let in_rotation = match self.phase() {
            Phase::Probing | Phase::Storing | Phase::HandingOver => true,
            Phase::Unseeded | Phase::Steady | Phase::Announced | Phase::Parked(_) => false,
        };
        let Some(settings) = self.next_settings.take_if(|_| !in_rotation) else { return };
        let moved = settings.path != self.settings.path;
        self.consumers.retain(|name, _| settings.consumers.contains_key(name));
        for (name, policy) in &settings.consumers {
            let known =
                self.consumers.entry(name.clone()).or_insert_with(|| ConsumerState::new(policy.clone()));
            if known.policy != *policy {
                known.policy = policy.clone();
                known.restart();
            }
        }
        self.settings = settings;
        self.documents.key_wanted = true;
        self.documents.state_wanted |= moved;
        self.reconsider_held();
        self.probe_due.get_or_insert(ctx.now);
    }
}

fn last_step(ladder: Ladder, ctx: Ctx<'_>) -> Timestamp {
    ladder.until - ladder.until.since(ladder.from) / ctx.limits.ladder_parts[3]
}
