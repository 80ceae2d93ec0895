//! Candidates are judged by what the vendor said of them: let through, held, refused, or asked about.

use super::{Ctx, Out};
use crate::domain::{Code, Fingerprint, Origin, Severity};
use crate::rotation::{
    candidate::Candidate,
    effect::Reply,
    incident::Report,
    keys::KeyFacts,
    policy::{self, Case, Judgement, Need},
    state::{Dirty, Rotation},
};

impl Rotation {
    /// Judges the newest candidate; one that is held or refused makes room for the next.
    pub(super) fn advance_candidates(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        (self.candidate_wanted, self.current_wanted) = (false, false);
        while let Some(fingerprint) = self.best_candidate().map(|candidate| candidate.fingerprint) {
            let may_probe = self.best_candidate().is_some_and(|candidate| self.may_probe(candidate));
            if !may_probe || self.pending.is_some() {
                return;
            }
            self.begin_journey(fingerprint, ctx);
            // The verdict is renewed when the store is back, and not while it is away.
            let ready = self.candidate(fingerprint).is_some_and(|candidate| candidate.ready);
            if ready && self.store_trouble().is_some() {
                return;
            }
            match self.judgement(fingerprint, ctx, out) {
                Judgement::Promote if self.settings.observe => self.would_promote(fingerprint, ctx, out),
                Judgement::Promote => return self.set_ready(fingerprint, true),
                Judgement::Wait(why) if self.is_dead_for_good(fingerprint, ctx) => {
                    self.refuse(fingerprint, why, ctx, out)
                }
                Judgement::Ask(_) | Judgement::Wait(_) => return self.set_ready(fingerprint, false),
                Judgement::Hold(why) => self.hold(fingerprint, why, out),
                Judgement::Refuse(why) if self.is_the_only_copy(fingerprint) => {
                    self.hold(fingerprint, why, out)
                }
                Judgement::Refuse(why) => self.refuse(fingerprint, why, ctx, out),
            }
        }
    }
    /// A mailed key that the vendor refuses is tried again until its deadline. One that an operator typed is refused at
    /// once, one that somebody put into the store when it is sure.
    fn is_dead_for_good(&self, fingerprint: Fingerprint, ctx: Ctx<'_>) -> bool {
        let facts = self.facts(fingerprint);
        let sure = facts.is_some_and(|facts| facts.is_dead(ctx.limits));
        let candidate = self.candidates.iter().find(|candidate| candidate.fingerprint == fingerprint);
        candidate.is_some_and(|candidate| match candidate.origin {
            Origin::Ingest { .. } | Origin::Rollback { .. } => facts.is_some_and(KeyFacts::looks_dead),
            Origin::Store => sure,
            Origin::Api { .. } => false, // nobody else has it
            Origin::Mail(_) | Origin::Former => {
                let whole = self.settings.hand_over();
                let deadline = candidate.rotated_at + whole - ctx.limits.margin(whole);
                let told = candidate.dead_since.map(|since| since + ctx.limits.wrong_key_after);
                sure && deadline <= ctx.passed && told < Some(ctx.passed)
            }
        })
    }
    /// An answer of the vendor's API is given once: its key is kept, whatever speaks against it.
    fn is_the_only_copy(&self, fingerprint: Fingerprint) -> bool {
        let candidate = self.candidates.iter().find(|candidate| candidate.fingerprint == fingerprint);
        candidate.is_some_and(|candidate| matches!(candidate.origin, Origin::Api { .. }))
    }
    fn set_ready(&mut self, fingerprint: Fingerprint, ready: bool) {
        if let Some(candidate) = self.candidate(fingerprint) {
            candidate.ready = ready;
        }
    }

    fn judgement(&mut self, fingerprint: Fingerprint, ctx: Ctx<'_>, out: &mut Out) -> Judgement {
        let Some(candidate) = self.candidates.iter().find(|candidate| candidate.fingerprint == fingerprint)
        else {
            return Judgement::Wait("it is gone".into());
        };
        let facts = self.facts(fingerprint).unwrap_or(KeyFacts::UNKNOWN);
        let formers = self.former_fingerprints();
        let case = self.case(candidate, facts, &formers, ctx);
        let found = self.documents.key.as_ref().and_then(|document| document.current);
        let overwrites_foreign = self.documents.foreign.is_some() && found != Some(fingerprint);
        if overwrites_foreign && candidate.word.is_none() {
            return Judgement::Hold(
                "somebody else's value is in the store, and only an operator may overwrite it".into(),
            );
        }
        let judgement = policy::judge(&case);
        let needs = policy::needs(&case);
        if matches!(judgement, Judgement::Ask(_) | Judgement::Wait(_)) {
            self.candidate_wanted = needs.contains(&Need::Candidate);
            self.current_wanted = needs.contains(&Need::Current);
            out.control_wanted |= needs.contains(&Need::Control);
        }
        judgement
    }

    pub(super) fn former_fingerprints(&self) -> Vec<Fingerprint> {
        self.memory.formers.iter().map(|former| former.fingerprint).collect()
    }
    /// Everything that the judgement of this key rests on.
    pub(super) fn case<'a>(
        &'a self,
        candidate: &'a Candidate,
        facts: &'a KeyFacts,
        formers: &'a [Fingerprint],
        ctx: Ctx<'a>,
    ) -> Case<'a> {
        let current = self.current.as_ref().filter(|current| current.fingerprint != candidate.fingerprint);
        let current = current.map(|current| (current, self.facts(current.fingerprint)));
        let newest = match (&self.current, self.memory.current) {
            (Some(current), _) => Some((current.fingerprint, current.dated())),
            (None, noted) => noted.map(|noted| (noted.fingerprint, noted.dated)),
        };
        let newest = newest.filter(|(key, _)| *key != candidate.fingerprint).map(|(_, dated)| dated);
        let taken_by = ctx.taken.get(&candidate.fingerprint);
        Case {
            candidate,
            facts,
            current: current.map(|(current, facts)| (current, facts.unwrap_or(KeyFacts::UNKNOWN))),
            unheld: current.is_some_and(|(current, _)| self.documents.unheld == Some(current.fingerprint)),
            newest,
            pin: self.settings.account.as_ref(),
            recorded: self.memory.account.as_ref(),
            has_identity: self.settings.has_identity,
            probe_off: self.is_probe_off(),
            formers,
            taken_by: taken_by.filter(|owner| **owner != self.settings.name),
            control: ctx.control,
            now: ctx.now,
            limits: ctx.limits,
        }
    }

    fn hold(&mut self, fingerprint: Fingerprint, why: String, out: &mut Out) {
        let Some(candidate) = self.candidate(fingerprint) else { return };
        candidate.held = Some(why.clone());
        (candidate.unprovable, candidate.ready) = (true, false);
        if candidate.origin == Origin::Store {
            self.documents.foreign = Some(why.clone());
        }
        self.end_journey(fingerprint);
        self.dirty = self.dirty.max(Dirty::WhenCalm);
        self.answer_operator(fingerprint, Reply::Held { why }, out);
        self.look_at_what_was_passed_over(out);
    }

    fn refuse(&mut self, fingerprint: Fingerprint, why: String, ctx: Ctx<'_>, out: &mut Out) {
        const REFUSED_MAX: usize = 64;
        let Some(candidate) = self.candidate(fingerprint).cloned() else { return };
        self.record_refusal(&candidate, &why, ctx.now, out);
        self.answer_operator(fingerprint, Reply::Refused { why: why.clone() }, out);
        match candidate.origin {
            Origin::Ingest { .. } | Origin::Rollback { .. } => {}
            Origin::Store => self.documents.foreign = Some(format!("a key that was refused: {why}")),
            Origin::Mail(_) | Origin::Former | Origin::Api { .. } => self.tell_refusal(&candidate, &why, ctx),
        }
        if !matches!(candidate.origin, Origin::Ingest { .. } | Origin::Rollback { .. }) {
            self.refused.push_back(fingerprint);
            self.refused.drain(..self.refused.len().saturating_sub(REFUSED_MAX));
        }
        self.end_journey(fingerprint);
        self.drop_candidate(fingerprint, out);
        self.look_at_what_was_passed_over(out);
    }
    /// It may be the genuine key, passed over for one that was not.
    fn look_at_what_was_passed_over(&mut self, out: &mut Out) {
        if !std::mem::take(&mut self.superseded).is_empty() {
            out.look_again = Some(true);
        }
    }
    fn tell_refusal(&mut self, candidate: &Candidate, why: &str, ctx: Ctx<'_>) {
        let name = &self.settings.name;
        let message = format!("a key from {} was refused: {why}", candidate.origin);
        let hint = format!(
            "keyrelay explain --credential {name}\nthe right key goes in with:\nkeyrelay ingest {name}"
        );
        let report = Report::new(Code::CandidateRefused, Severity::Warning, message, hint)
            .doing("it was not used, and is not kept; the current key stays in use");
        self.incidents.announce(ctx.now, report);
    }

    /// What was held for want of a proof is judged again: the proof may be there now.
    pub(super) fn reconsider_held(&mut self) {
        for candidate in self.candidates.iter_mut().filter(|candidate| candidate.unprovable) {
            (candidate.held, candidate.unprovable) = (None, false);
        }
    }
}
