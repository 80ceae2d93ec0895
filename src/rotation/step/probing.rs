//! Asking the vendor: which key, when, and what its answers are remembered as.

use super::{Ctx, Out};
use crate::domain::{Account, Code, Fingerprint, Origin, ProbeAnswer, Severity, Timestamp, Verdict};
use crate::rotation::{
    candidate::Candidate,
    effect::{Action, Purpose},
    event::Attempt,
    hints::HintFrom,
    incident::Report,
    keys::KeyFacts,
    settings::Beside,
    state::{Dirty, Rotation},
    task::{backoff_cap, salt_of},
};
use std::time::Duration;

/// Of the requests that the vendor's limit leaves to the schedule, one in so many may be about an old key.
const OLD_KEY_SHARE: u32 = 6;

impl Rotation {
    /// Every probe that is due: the candidate's, the current key's, the old key's.
    pub(super) fn advance_probes(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let known = self.known_fingerprints();
        self.keys.retain(|fingerprint, _| known.contains(fingerprint));
        if self.is_probe_off() {
            self.probe_due = None;
            return;
        }
        let only_current = self.settings.beside == Beside::TheActive;
        let current = self.current_fingerprint();
        for (fingerprint, purpose) in self.probes_wanted(ctx) {
            if only_current && Some(fingerprint) != current {
                continue; // the one that acts asks
            }
            let facts = self.keys.entry(fingerprint).or_default();
            if facts.probe.may_start(ctx.now) {
                let fresh_connection = facts.looks_dead();
                let attempt = facts.ask(&mut self.attempts);
                out.actions.push(Action::ProbeKey { attempt, fingerprint, purpose, fresh_connection });
            }
        }
    }

    fn probes_wanted(&mut self, ctx: Ctx<'_>) -> Vec<(Fingerprint, Purpose)> {
        let mut wanted = Vec::new();
        let stored = self.pending.is_some() || self.store_trouble().is_some();
        if let Some(candidate) = self
            .best_candidate()
            .filter(|candidate| self.may_probe(candidate) && !(candidate.ready && stored))
        {
            let fingerprint = candidate.fingerprint;
            let alive = |facts: &KeyFacts| facts.is_alive(ctx.now, ctx.limits.verdict_fresh);
            if self.candidate_wanted || !self.facts(fingerprint).is_some_and(alive) {
                wanted.push((fingerprint, Purpose::Candidate));
            }
        }
        let current = self.current.as_ref().map(|current| current.fingerprint);
        if let Some(current) = current.filter(|current| self.documents.unheld != Some(*current)) {
            let facts = self.facts(current).cloned().unwrap_or_default();
            let scheduled = self.probe_due.is_some_and(|at| at <= ctx.now);
            let follow_up = facts.looks_dead() && !facts.is_dead(ctx.limits);
            let unclear = matches!(facts.verdict, Some((Verdict::Unclear, _)));
            if scheduled && (facts.probe.may_start(ctx.now) || !facts.probe.is_idle()) {
                self.probe_due = None; // asked now, or being asked already
            }
            if self.current_wanted {
                wanted.push((current, Purpose::Candidate));
            } else if scheduled || follow_up || unclear {
                wanted.push((current, Purpose::Routine));
            }
        }
        match self.rollback_wanted {
            Some(earlier) => wanted.push((earlier, Purpose::Candidate)),
            None => wanted.extend(self.old_key_probe(ctx)),
        }
        wanted
    }
    /// A paste, and a key out of an answer, are spooled before anything else happens to them.
    pub(super) fn may_probe(&self, candidate: &Candidate) -> bool {
        let only_copy = matches!(candidate.origin, Origin::Ingest { .. } | Origin::Api { .. });
        self.documents.known && !(only_copy && candidate.spool.is_unsettled())
    }
    /// Until the hand-over is done the old key is asked every minute; after its grace, until it is dead.
    fn old_key_probe(&self, ctx: Ctx<'_>) -> Option<(Fingerprint, Purpose)> {
        let previous = self.previous()?.fingerprint;
        let facts = self.facts(previous);
        if facts.is_some_and(|facts| facts.looks_dead()) {
            return None;
        }
        let handing_over = self.generation() > self.memory.settled;
        (handing_over || self.old_key_is_due(ctx).is_some()).then_some((previous, Purpose::Routine))
    }

    pub(super) fn probe_finished(
        &mut self,
        attempt: Attempt,
        fingerprint: Fingerprint,
        answer: ProbeAnswer,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        let candidate = self.candidates.iter().find(|candidate| candidate.fingerprint == fingerprint);
        let left = candidate.and_then(|known| self.time_left_for(known, ctx)).or(self.time_left(ctx));
        let current = self.current.as_ref().is_some_and(|current| current.fingerprint == fingerprint);
        let candidate = candidate.is_some();
        let previous = self.previous().filter(|previous| previous.fingerprint == fingerprint);
        let until = previous.and_then(|previous| previous.until);
        if answer.wrote {
            return self.probe_wrote(&answer.why, ctx.now);
        }
        let (lives_on, label) = (self.lives_until_revoked(), answer.label.clone());
        let Some(facts) = self.keys.get_mut(&fingerprint) else { return };
        if !facts.probe.finish(attempt) {
            return;
        }
        let before = facts.verdict.map(|(verdict, _)| verdict);
        let (verdict, retry_after, account) = (answer.verdict, answer.retry_after, answer.account.clone());
        facts.learn(answer, ctx.now);
        match verdict {
            Verdict::Alive => facts.probe.succeeded(),
            Verdict::Dead if current => {
                facts.probe.wait_until(ctx.now + ctx.limits.dead_over / (ctx.limits.dead_answers - 1))
            }
            Verdict::Dead | Verdict::Unclear => {
                facts.probe.failed(ctx.now, backoff_cap(left, ctx.limits), salt_of(&fingerprint), ctx.limits);
            }
        }
        let asked_for = self.rollback_wanted == Some(fingerprint);
        let counts = current || candidate || verdict == Verdict::Dead;
        let answers = asked_for && verdict == Verdict::Unclear;
        if !counts && !answers {
            facts.probe.wait_until(old_key_asked_at(until, lives_on, ctx));
        }
        if let Some(asked) = retry_after {
            let most = left.unwrap_or(ctx.limits.control_every) / 4;
            facts.leave_alone_until(ctx.now + asked.min(most));
        }
        if let Some(candidate) = self.candidate(fingerprint) {
            candidate.dead_since =
                (verdict == Verdict::Dead).then(|| candidate.dead_since.unwrap_or(ctx.now));
        }
        if current {
            let (label, generation) = (self.label(fingerprint), self.generation());
            out.records.extend(self.hints.answered(fingerprint, label, generation, verdict, ctx.now));
            self.current_was_asked(before, verdict, account, ctx, out);
        }
        if label.is_some() {
            self.note_key(fingerprint, |note| note.label = label);
        }
    }

    /// One that is put in by hand holds up what was mailed before it, whose time runs out sooner.
    fn time_left_for(&self, candidate: &Candidate, ctx: Ctx<'_>) -> Option<Duration> {
        let waits = |known: &&Candidate| known.fingerprint == candidate.fingerprint || known.held.is_none();
        let time_of = |known: &Candidate| self.ladder_from(known.rotated_at, ctx).until.since(ctx.now);
        self.candidates.iter().filter(waits).map(time_of).min()
    }
    fn current_was_asked(
        &mut self,
        before: Option<Verdict>,
        verdict: Verdict,
        account: Option<Account>,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        if before.is_some_and(|before| before != verdict) {
            self.reconsider_held();
        }
        if verdict == Verdict::Dead && before != Some(verdict) {
            out.look_again.get_or_insert(false);
        }
        let Some(account) = account.filter(|account| !account.is_empty()) else { return };
        if self.memory.account.as_ref() == Some(&account) {
            return;
        }
        if self.memory.account.is_none() && self.generation() == 0 {
            let ids: Vec<_> = account.0.iter().cloned().collect();
            let message =
                format!("the key in the store is alive; its account is recorded: {}", ids.join(", "));
            let hint = format!(
                "nothing; to pin it, set credentials.{}.account in the configuration",
                self.settings.name
            );
            let report = Report::new(Code::AccountRecorded, Severity::Info, message, hint);
            self.incidents.announce(ctx.now, report);
        }
        self.memory.account = Some(account);
        self.dirty = self.dirty.max(Dirty::WhenCalm);
    }

    /// A consumer says that it was refused: one probe, at most one a minute.
    pub(super) fn unauthorized(
        &mut self,
        fingerprint: Option<Fingerprint>,
        from: Option<HintFrom>,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        let current = self.current.as_ref().map(|current| current.fingerprint);
        let about_current = fingerprint.is_none() || fingerprint == current;
        let too_soon = self.hints.last_at.is_some_and(|at| ctx.now.since(at) < ctx.limits.old_key_probe);
        if about_current && !too_soon {
            self.hints.ask(from, ctx.now);
            self.probe_due = Some(ctx.now);
            out.look_again.get_or_insert(false);
        }
    }

    pub(super) fn next_probe_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        if self.is_probe_off() {
            return None;
        }
        let retry = |key: Fingerprint| self.facts(key)?.probe.waits_until();
        let current = self.current.as_ref().map(|current| current.fingerprint);
        let current_retry = current.and_then(|key| self.facts(key)).and_then(|facts| {
            let settled = facts.is_dead(ctx.limits) || facts.is_alive(ctx.now, ctx.limits.verdict_fresh);
            let wanted = self.probe_due.is_some() || self.current_wanted || !settled;
            facts.probe.waits_until().filter(|_| wanted)
        });
        let candidate = self.best_candidate().map(|candidate| candidate.fingerprint);
        let old = self.rollback_wanted.or(self.previous().map(|previous| previous.fingerprint));
        let scheduled = self.probe_due.filter(|_| current.is_some());
        // A verdict that a promotion rests on while it waits.
        let renewal = candidate.and_then(|key| self.facts(key)).and_then(|facts| {
            facts.last_probe_at().map(|at| at + ctx.limits.verdict_fresh + Duration::from_millis(1))
        });
        [scheduled, current_retry, candidate.and_then(retry), old.and_then(retry), renewal]
            .into_iter()
            .flatten()
            .filter(|at| *at > ctx.now)
            .min()
    }
}

/// When an old key that works is asked next: a while on, or at the end of its grace. One that works until somebody
/// revokes it may be asked for days, and leaves the vendor's limit to the current key.
pub(super) fn old_key_asked_at(until: Option<Timestamp>, lives_on: bool, ctx: Ctx<'_>) -> Timestamp {
    let spared = if lives_on { OLD_KEY_SHARE * ctx.budget_period } else { Duration::ZERO };
    let next = ctx.now + ctx.limits.old_key_probe.max(spared);
    until.filter(|until| *until > ctx.now).map_or(next, |until| next.min(until))
}
