//! The spool: where a key rests that exists nowhere else, or is not promoted in time.

use super::{Ctx, Out};
use crate::domain::{Code, Fingerprint, Limits, Origin, Severity, Timestamp};
use crate::rotation::{
    candidate::{Candidate, Spool},
    effect::Action,
    incident::Report,
    state::{Dirty, Rotation},
};

impl Rotation {
    /// A key that waited here from before the start.
    pub(super) fn spool_found(&mut self, candidate: Candidate, out: &mut Out) {
        let fingerprint = candidate.fingerprint;
        if let Some(known) = self.candidate(fingerprint) {
            known.spool = Spool::Safe;
            return;
        }
        if let Origin::Ingest { expires_at: Some(expires_at), .. } = candidate.origin {
            self.note_key(fingerprint, |note| note.expires_at = Some(expires_at));
        }
        self.add_candidate(candidate);
        let promoted = self.current.as_ref().is_some_and(|current| current.fingerprint == fingerprint)
            && self.documents.reverted.is_none()
            && self.documents.foreign.is_none();
        if promoted {
            self.drop_candidate(fingerprint, out);
        }
        self.drop_spooled_formers(out);
    }
    pub(super) fn spool_unreadable(&mut self, why: String, ctx: Ctx<'_>) {
        let hint = format!(
            "give keyrelay the spool key that wrote it (spool.key), or:\nkeyrelay ingest {}",
            self.settings.name
        );
        let report = Report::new(Code::SpoolLost, Severity::Urgent, why.clone(), hint).about(why);
        self.incidents.raise(ctx.now, report);
    }

    /// Whatever is not promoted in time, and whatever exists nowhere else, is written to the spool.
    pub(super) fn advance_spool(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let stopping = self.stopping;
        // A key that an operator goes back to is in the store.
        let elsewhere = |candidate: &&mut Candidate| matches!(candidate.origin, Origin::Rollback { .. });
        for candidate in self.candidates.iter_mut().filter(|candidate| !elsewhere(candidate)) {
            let only_copy =
                matches!(candidate.origin, Origin::Ingest { .. } | Origin::Api { .. } | Origin::Former);
            let late = candidate.received_at + ctx.limits.spool_after <= ctx.now;
            let due = match candidate.spool {
                Spool::Outside => only_copy || late || stopping,
                Spool::Failed { again_at } => again_at <= ctx.now,
                Spool::Writing | Spool::Safe => false,
            };
            if due {
                candidate.spool = Spool::Writing;
                out.actions.push(candidate.spool_action());
            }
        }
    }
    pub(super) fn spooled(
        &mut self,
        fingerprint: Fingerprint,
        outcome: Result<(), String>,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        let Some(candidate) = self.candidate(fingerprint) else {
            // Promoted or refused while it was being written.
            out.actions.push(Action::DropSpooled { fingerprint });
            return;
        };
        match outcome {
            Ok(()) => {
                (candidate.spool, candidate.spool_error) = (Spool::Safe, None);
                // Its mail is done with now, and that is to be noted.
                self.dirty = self.dirty.max(Dirty::WhenCalm);
                self.drop_answer_with(fingerprint, out);
            }
            Err(why) => {
                candidate.spool = Spool::Failed { again_at: ctx.now + ctx.limits.backoff_cap_min };
                candidate.spool_error = Some(why);
            }
        }
    }
    pub(super) fn next_spooling_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let due = |candidate: &Candidate| match candidate.spool {
            Spool::Outside => Some(candidate.received_at + ctx.limits.spool_after),
            Spool::Failed { again_at } => Some(again_at),
            Spool::Writing | Spool::Safe => None,
        };
        self.candidates.iter().filter_map(due).filter(|at| *at > ctx.now).min()
    }

    /// Takes a candidate away; its copy in the spool goes with it.
    pub(super) fn drop_candidate(&mut self, fingerprint: Fingerprint, out: &mut Out) {
        let Some(index) = self.candidates.iter().position(|candidate| candidate.fingerprint == fingerprint)
        else {
            return;
        };
        let candidate = self.candidates.remove(index);
        self.drop_answer_with(fingerprint, out);
        if candidate.spool == Spool::Safe && candidate.origin != Origin::Store {
            out.actions.push(Action::DropSpooled { fingerprint });
        }
    }
    /// One became the current key: it is done with, and so is everything older, held or not.
    pub(super) fn finish_candidates(&mut self, promoted: Fingerprint, ctx: Ctx<'_>, out: &mut Out) {
        let kept = self.hold_what_may_be_newer(promoted, ctx.limits);
        let promoted_one =
            self.candidate(promoted).map(|candidate| (candidate.order(), candidate.word.map(|word| word.at)));
        let (newest, word_at) = match (promoted_one, &self.current) {
            (Some(promoted_one), _) => promoted_one,
            (None, Some(current)) => ((current.dated(), Timestamp::MIN), None),
            (None, None) => return,
        };
        self.drop_older(newest, word_at, &kept, ctx, out);
        self.drop_candidate(promoted, out);
    }
    /// The date of a key that somebody put in by hand says nothing of its age: what the vendor sent meanwhile may be the
    /// newer one, and lie nowhere else. Whoever pastes one has decided against an earlier key that was offered.
    fn hold_what_may_be_newer(&mut self, promoted: Fingerprint, limits: &Limits) -> Vec<Fingerprint> {
        let mut kept = Vec::new();
        let by_word = match self.candidate(promoted) {
            Some(candidate) if !candidate.is_dated_by_vendor() => candidate.word.is_some(),
            Some(_) | None => return kept,
        };
        for candidate in &mut self.candidates {
            let refused = self.keys.get(&candidate.fingerprint).is_some_and(|facts| facts.is_dead(limits));
            let sent = matches!(candidate.origin, Origin::Mail(_) | Origin::Api { .. });
            let genuine = candidate.held.is_none() || candidate.unprovable;
            let former = candidate.origin == Origin::Former && !by_word;
            let in_doubt = (sent && genuine || former) && candidate.word.is_none() && !refused;
            if in_doubt && candidate.fingerprint != promoted {
                let why = "another key was put in by hand before it could be promoted";
                candidate.held.get_or_insert_with(|| why.into());
                kept.push(candidate.fingerprint);
            }
        }
        kept
    }
    /// Of two keys that operators put in the later one counts, and no earlier word stands against a later one; against
    /// a mail, one that was let in stays let in.
    pub(super) fn drop_older(
        &mut self,
        newest: (Timestamp, Timestamp),
        word_at: Option<Timestamp>,
        kept: &[Fingerprint],
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        let promoted = self.current.as_ref().map(|current| current.fingerprint);
        // Of two words in the same moment, the one that was taken in later is the later one.
        let place = self.candidates.iter().position(|candidate| Some(candidate.fingerprint) == promoted);
        let earlier = |(index, candidate): &(usize, &Candidate)| match (word_at, candidate.word) {
            (Some(at), Some(word)) => (word.at, Some(*index)) < (at, place),
            (None, Some(_)) if !matches!(candidate.origin, Origin::Ingest { .. }) => false,
            (_, _) => candidate.order() < newest,
        };
        let all = self.candidates.iter().enumerate().filter(earlier).map(|(_, candidate)| candidate);
        let over: Vec<_> = all
            .filter(|candidate| {
                Some(candidate.fingerprint) != promoted && !kept.contains(&candidate.fingerprint)
            })
            .cloned()
            .collect();
        for candidate in over {
            self.record_refusal(&candidate, "a newer key has taken its place", ctx.now, out);
            self.drop_candidate(candidate.fingerprint, out);
        }
    }
    /// Nothing newer waits any more: what was passed over for it is history.
    pub(super) fn advance_superseded(&mut self, ctx: Ctx<'_>) {
        if self.documents.known && self.best_candidate().is_none() {
            std::mem::take(&mut self.superseded).into_iter().for_each(|mail| self.remember_done(mail, ctx));
        }
    }
}
