//! Asking the vendor, and judging by its answers.

use super::{Ctx, Out};
use crate::domain::{Account, Code, Fingerprint, Origin, ProbeAnswer, Severity, Timestamp, Verdict};
use crate::rotation::{
    candidate::Candidate,
    effect::{Action, Purpose, Reply},
    event::Attempt,
    incident::Report,
    keys::KeyFacts,
    policy::{self, Case, Judgement, Need},
    state::{Dirty, Rotation},
    task::{backoff_cap, salt_of},
};

impl Rotation {
    /// Judges the newest candidate; one that is held or refused makes room for the next.
    pub(super) fn advance_candidates(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        self.current_wanted = false;
        while let Some(fingerprint) = self.best_candidate().map(|candidate| candidate.fingerprint) {
            let may_probe = self.best_candidate().is_some_and(|candidate| self.may_probe(candidate));
            if !may_probe || self.pending.is_some() {
                return;
            }
            self.begin_journey(fingerprint, ctx);
            let waits_for_store = self.documents.trouble.is_some();
            match self.judgement(fingerprint, ctx, out) {
                // The verdict is renewed when the store is back, and not while it is away.
                _ if waits_for_store
                    && self.candidate(fingerprint).is_some_and(|candidate| candidate.ready) =>
                {
                    return;
                }
                Judgement::Promote => return self.set_ready(fingerprint, true),
                Judgement::Wait(why) if self.is_dead_paste(fingerprint) => {
                    self.refuse(fingerprint, why, ctx, out)
                }
                Judgement::Ask(_) | Judgement::Wait(_) => return self.set_ready(fingerprint, false),
                Judgement::Hold(why) => self.hold(fingerprint, why, ctx, out),
                Judgement::Refuse(why) => self.refuse(fingerprint, why, ctx, out),
            }
        }
    }
    /// A key that an operator typed and the vendor refuses: nothing is gained by waiting.
    fn is_dead_paste(&self, fingerprint: Fingerprint) -> bool {
        let pasted = |candidate: &Candidate| {
            candidate.fingerprint == fingerprint && matches!(candidate.origin, Origin::Ingest { .. })
        };
        self.candidates.iter().any(pasted) && self.keys.get(&fingerprint).is_some_and(KeyFacts::looks_dead)
    }
    fn set_ready(&mut self, fingerprint: Fingerprint, ready: bool) {
        if let Some(candidate) = self.candidate(fingerprint) {
            candidate.ready = ready;
        }
    }

    fn judgement(&mut self, fingerprint: Fingerprint, ctx: Ctx<'_>, out: &mut Out) -> Judgement {
        let unknown = KeyFacts::default();
        let Some(candidate) = self.candidates.iter().find(|candidate| candidate.fingerprint == fingerprint)
        else {
            return Judgement::Wait("it is gone".into());
        };
        let current = self.current.as_ref().filter(|current| current.fingerprint != fingerprint);
        let facts_of = |key: &Fingerprint| self.keys.get(key).unwrap_or(&unknown);
        let formers: Vec<_> = self.memory.formers.iter().map(|former| former.fingerprint).collect();
        let case = Case {
            candidate,
            facts: facts_of(&fingerprint),
            current: current.map(|current| (current, facts_of(&current.fingerprint))),
            pin: self.settings.account.as_ref(),
            recorded: self.memory.account.as_ref(),
            has_identity: self.settings.has_identity,
            formers: &formers,
            taken_by: ctx.taken.get(&fingerprint).filter(|owner| **owner != self.settings.name),
            control: ctx.control,
            now: ctx.now,
            limits: ctx.limits,
        };
        let overwrites_foreign = self.documents.foreign.is_some() && candidate.origin != Origin::Store;
        if overwrites_foreign && candidate.word.is_none() {
            return Judgement::Hold(
                "somebody else's value is in the store, and only an operator may overwrite it".into(),
            );
        }
        let judgement = policy::judge(&case);
        let needs = policy::needs(&case);
        if matches!(judgement, Judgement::Ask(_) | Judgement::Wait(_)) {
            self.current_wanted = needs.contains(&Need::Current);
            out.control_wanted |= needs.contains(&Need::Control);
        }
        judgement
    }

    fn hold(&mut self, fingerprint: Fingerprint, why: String, ctx: Ctx<'_>, out: &mut Out) {
        let Some(candidate) = self.candidate(fingerprint) else { return };
        candidate.held = Some(why.clone());
        (candidate.unprovable, candidate.ready) = (true, false);
        self.journey = None;
        self.dirty = self.dirty.max(Dirty::Now);
        self.answer_operator(fingerprint, Reply::Held { why }, ctx, out);
    }

    fn refuse(&mut self, fingerprint: Fingerprint, why: String, ctx: Ctx<'_>, out: &mut Out) {
        const REFUSED_MAX: usize = 64;
        let Some(candidate) = self.candidate(fingerprint).cloned() else { return };
        self.record_refusal(&candidate, &why, out);
        self.answer_operator(fingerprint, Reply::Refused { why: why.clone() }, ctx, out);
        let message = format!("a key from {} was refused: {why}", candidate.origin);
        let hint = format!(
            "keyrelay explain --credential {name}\nthe right key goes in with: keyrelay ingest {name}",
            name = self.settings.name
        );
        let by_hand = matches!(candidate.origin, Origin::Ingest { .. });
        if !by_hand {
            let report = Report::new(Code::CandidateRefused, Severity::Warning, message, hint)
                .doing("it was not used, and is not kept");
            self.incidents.announce(ctx.now, report);
            self.refused.push_back(fingerprint);
            self.refused.drain(..self.refused.len().saturating_sub(REFUSED_MAX));
        }
        self.journey = None;
        self.drop_candidate(fingerprint, out);
    }

    /// Every probe that is due: the candidate's, the current key's, the old key's.
    pub(super) fn advance_probes(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        for (fingerprint, purpose) in self.probes_wanted(ctx) {
            let facts = self.keys.entry(fingerprint).or_default();
            if facts.probe.may_start(ctx.now) {
                let fresh_connection = facts.looks_dead();
                let attempt = facts.ask(&mut self.attempts);
                out.actions.push(Action::ProbeKey { attempt, fingerprint, purpose, fresh_connection });
            }
        }
        let known = self.known_fingerprints();
        self.keys.retain(|fingerprint, _| known.contains(fingerprint));
    }

    fn probes_wanted(&mut self, ctx: Ctx<'_>) -> Vec<(Fingerprint, Purpose)> {
        let mut wanted = Vec::new();
        let stored = self.pending.is_some() || self.documents.trouble.is_some();
        if let Some(candidate) = self
            .best_candidate()
            .filter(|candidate| self.may_probe(candidate) && !(candidate.ready && stored))
        {
            let fingerprint = candidate.fingerprint;
            let alive = |facts: &KeyFacts| facts.is_alive(ctx.now, ctx.limits.verdict_fresh);
            if !self.keys.get(&fingerprint).is_some_and(alive) {
                wanted.push((fingerprint, Purpose::Candidate));
            }
        }
        if let Some(current) = self.current.as_ref().map(|current| current.fingerprint) {
            let facts = self.keys.get(&current).cloned().unwrap_or_default();
            let scheduled = self.probe_due.is_some_and(|at| at <= ctx.now);
            let follow_up = facts.looks_dead() && !facts.is_dead(ctx.limits);
            let unclear = matches!(facts.verdict, Some((Verdict::Unclear, _)));
            if scheduled && facts.probe.may_start(ctx.now) {
                self.probe_due = None;
            }
            if self.current_wanted {
                wanted.push((current, Purpose::Candidate));
            } else if scheduled || follow_up || unclear {
                wanted.push((current, Purpose::Routine));
            }
        }
        wanted.extend(self.old_key_probe(ctx));
        wanted
    }
    /// A paste is spooled before anything else happens to it.
    fn may_probe(&self, candidate: &Candidate) -> bool {
        let pasted = matches!(candidate.origin, Origin::Ingest { .. });
        self.documents.known && !(pasted && candidate.spool.is_unsettled())
    }
    /// Until the hand-over is done the old key is asked every minute; after its grace, until it is dead.
    fn old_key_probe(&self, ctx: Ctx<'_>) -> Option<(Fingerprint, Purpose)> {
        let previous = self.previous()?.fingerprint;
        let facts = self.keys.get(&previous);
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
    ) {
        let left = self.time_left(ctx);
        let current = self.current.as_ref().is_some_and(|current| current.fingerprint == fingerprint);
        let candidate = self.candidate(fingerprint).is_some();
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
        if !current && !candidate && verdict != Verdict::Dead {
            facts.probe.wait_until(ctx.now + ctx.limits.old_key_probe);
        }
        if let Some(asked) = retry_after {
            let most = left.unwrap_or(ctx.limits.control_every) / 4;
            facts.probe.wait_until(ctx.now + asked.min(most));
        }
        if let Some(candidate) = self.candidate(fingerprint) {
            candidate.dead_since =
                (verdict == Verdict::Dead).then(|| candidate.dead_since.unwrap_or(ctx.now));
        }
        if current {
            self.current_was_asked(before, verdict, account, ctx);
        }
    }

    fn current_was_asked(
        &mut self,
        before: Option<Verdict>,
        verdict: Verdict,
        account: Option<Account>,
        ctx: Ctx<'_>,
    ) {
        if before.is_some_and(|before| before != verdict) {
            self.reconsider_held();
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
                "nothing; to pin it, write into the configuration: credentials.{}.account",
                self.settings.name
            );
            let report = Report::new(Code::AccountRecorded, Severity::Info, message, hint);
            self.incidents.announce(ctx.now, report);
        }
        self.memory.account = Some(account);
        self.dirty = self.dirty.max(Dirty::WhenCalm);
    }
    /// What was held for want of a proof is judged again: the proof may be there now.
    pub(super) fn reconsider_held(&mut self) {
        for candidate in self.candidates.iter_mut().filter(|candidate| candidate.unprovable) {
            (candidate.held, candidate.unprovable) = (None, false);
        }
    }

    /// A consumer says that it was refused: one probe, at most one a minute.
    pub(super) fn unauthorized(&mut self, fingerprint: Option<Fingerprint>, ctx: Ctx<'_>, out: &mut Out) {
        let current = self.current.as_ref().map(|current| current.fingerprint);
        let about_current = fingerprint.is_none() || fingerprint == current;
        let too_soon = self.last_hint.is_some_and(|at| ctx.now.since(at) < ctx.limits.old_key_probe);
        if about_current && !too_soon {
            self.last_hint = Some(ctx.now);
            self.probe_due = Some(ctx.now);
            out.look_again.get_or_insert(false);
        }
    }

    pub(super) fn next_probe_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let current = self.current.as_ref().map(|current| current.fingerprint);
        let candidate = self.best_candidate().map(|candidate| candidate.fingerprint);
        let old = self.old_key_probe(ctx).map(|(fingerprint, _)| fingerprint);
        let unsettled = |facts: &&KeyFacts| !facts.is_alive(ctx.now, ctx.limits.verdict_fresh);
        let retry = |key: Fingerprint| self.keys.get(&key)?.probe.waits_until();
        let current_retry = current
            .and_then(|key| self.keys.get(&key))
            .filter(unsettled)
            .and_then(|facts| facts.probe.waits_until().filter(|_| !facts.is_dead(ctx.limits)));
        [self.probe_due, current_retry, candidate.and_then(retry), old.and_then(retry)]
            .into_iter()
            .flatten()
            .min()
    }
}
