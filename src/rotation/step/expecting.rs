//! What is to come: the next rotation, its rehearsal, the return of a reverted key.

use super::{Ctx, Out};
use crate::domain::{Fingerprint, Timestamp};
use crate::rotation::{history::shown, incident::Ladder, state::Rotation};

impl Rotation {
    /// When the next key is expected: as announced, else by our own schedule, else by the cadence, or before the current one ends.
    pub fn expected_at(&self) -> Option<Timestamp> {
        let announced = self.memory.announced.as_ref().map(|announced| announced.expected_at);
        let due =
            self.vendor_rotated_at().zip(self.settings.cadence).map(|(rotated, cadence)| rotated + cadence);
        announced.or(self.next_due).or_else(|| due.into_iter().chain(self.expires_at()).min())
    }

    /// Without a warning mail the rehearsal is held at the same hour.
    pub(super) fn advance_announced(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        // After a restart between warning and rotation the rehearsal is held again: what fails then is not known here.
        let announced = self.memory.announced.as_ref().map(|announced| announced.expected_at);
        if let Some(expected) =
            announced.filter(|at| *at > ctx.now && self.rehearsed_for.is_none() && self.may_deliver())
        {
            self.rehearse(expected, ctx, out);
        }
        if let Some(expected) = self.rehearsal_expected().filter(|expected| *expected <= ctx.passed) {
            let before = self.settings.notice_before.unwrap_or_default();
            self.rehearse(expected + before, ctx, out);
        }
        if let Some(newer) = self.reverted_is_due(ctx)
            && let Some(candidate) = self.candidate(newer)
        {
            candidate.held = None;
        }
    }
    /// The moment of the rehearsal of the next expected rotation, where none was held yet and no mail said so.
    fn rehearsal_expected(&self) -> Option<Timestamp> {
        let is_known = self.generation() > 0 || self.expires_at().is_some();
        let expected = self.expected_at().filter(|_| self.memory.announced.is_none() && is_known)?;
        let from = expected - self.settings.notice_before?;
        (self.rehearsed_for != Some(expected) && self.may_deliver()).then_some(from)
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
        self.current.as_ref().filter(|_| due && !self.settings.observe).map(|current| current.fingerprint)
    }
    /// Whether what somebody wrote to the store is still being asked about.
    pub(super) fn is_judging_foreign(&self, ctx: Ctx<'_>) -> bool {
        let found = self.documents.key.as_ref().and_then(|document| document.current);
        self.best_candidate().is_some_and(|candidate| {
            let lately = ctx.now.since(candidate.received_at) < ctx.limits.unclear_told_after;
            Some(candidate.fingerprint) == found && lately
        })
    }

    /// The key of `fingerprint`, as it may be shown: a weak one by its generation, or its number among the candidates.
    pub fn label(&self, fingerprint: Fingerprint) -> String {
        let candidate = self.candidates.iter().find(|candidate| candidate.fingerprint == fingerprint);
        match candidate.filter(|_| fingerprint.is_weak()) {
            Some(candidate) => format!("c{}", candidate.number),
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
}

fn last_step(ladder: Ladder, ctx: Ctx<'_>) -> Timestamp {
    ladder.until - ladder.until.since(ladder.from) / ctx.limits.ladder_parts[3]
}
