//! The call itself and its answer. The wish is in the store before the call is made, and the answer's bytes are in the
//! spool before anybody reads them; the answer leaves the spool when its key is there by itself, or in the store.

use super::{Ctx, Out};
use crate::domain::{
    Asker, CallOutcome, Code, Fingerprint, IssuedKey, Origin, RotationId, Severity, Timestamp, WriteOutcome,
};
use crate::rotation::{
    candidate::{Candidate, Spool},
    effect::{Action, Reply},
    event::Attempt,
    history::{PhaseEntered, Record, RecordKind, Trigger},
    incident::Report,
    state::{Awaits, Dirty, Rotation},
    task::{backoff_cap, salt},
    wish::{Answer, Asking, CallAction, CallInput, Stage, Wish},
};

impl Rotation {
    pub(super) fn called(&mut self, input: CallInput, ctx: Ctx<'_>, out: &mut Out) {
        match input {
            CallInput::RotateAsked { uid, ticket, occasion } => {
                self.rotate_asked((uid, ticket), occasion, ctx, out)
            }
            CallInput::RotationDue { at, next, host, window } => self.rotation_due(at, next, host, window),
            CallInput::SpoolTried { wish, outcome } => self.spool_tried(wish, outcome),
            CallInput::RotationAnswered { wish, by, at, outcome, kept } => {
                self.rotation_answered(wish, Answered { by, at, outcome, kept }, ctx, out)
            }
            CallInput::AnswerKept { wish, attempt, outcome } => self.answer_kept(wish, attempt, outcome, ctx),
        }
    }

    /// This write of the state document carries the wish.
    pub(super) fn wish_is_being_noted(&mut self, by: Attempt) {
        if let Some(asking) = self.asking.as_mut().filter(|asking| asking.stage == Stage::Noting(None)) {
            asking.stage = Stage::Noting(Some(by));
        }
    }
    /// Only a write that is known to have succeeded lets the call go; whoever wrote meanwhile may have asked himself.
    pub(super) fn wish_was_noted(
        &mut self,
        by: Attempt,
        outcome: &WriteOutcome,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        let noted = |asking: &&Asking| asking.stage == Stage::Noting(Some(by));
        let Some(asking) = self.asking.as_ref().filter(noted).cloned() else { return };
        let trouble = match outcome {
            WriteOutcome::Written { .. } => self.call_or_why_not(&asking, ctx, out),
            WriteOutcome::Mismatch => Some(Reply::Refused {
                why: "somebody else has changed keyrelay's notes meanwhile; ask again".into(),
            }),
            WriteOutcome::Unknown(why) => Some(Reply::Unreachable { why: why.clone() }),
            WriteOutcome::Failed(trouble) => Some(Reply::Unreachable { why: trouble.to_string() }),
        };
        if let Some(reply) = trouble {
            self.uncalled = Some(asking.occasion.rotation_id);
            (self.memory.wish, self.memory.scheduled) = (None, asking.scheduled);
            self.dirty = Dirty::Now;
            self.stop_asking(reply, ctx, out);
        }
    }
    fn call_or_why_not(&mut self, asking: &Asking, ctx: Ctx<'_>, out: &mut Out) -> Option<Reply> {
        let Some(wish) = self.memory.wish.clone() else {
            return Some(Reply::Refused { why: "the wish was taken back".into() });
        };
        let current = self.current.as_ref().map(|current| current.fingerprint);
        if self.stopping {
            return Some(Reply::Unreachable { why: "keyrelay was told to stop".into() });
        }
        if current != Some(wish.old) || self.best_candidate().is_some() || self.settings.observe {
            return Some(Reply::Refused { why: "another key has come meanwhile".into() });
        }
        self.incidents.clear(Code::RotationFailed, "");
        self.incidents.clear(Code::RotationBlocked, "");
        self.due = self.due.take().filter(|due| Some(due.at) > self.memory.scheduled);
        let until = self.judged_from(&wish, ctx) + ctx.limits.dead_over + ctx.limits.operator_wait / 2;
        for waiting in &mut self.waiting {
            if waiting.awaits == Awaits::Rotation(wish.rotation_id) {
                waiting.until = until;
            }
        }
        if let Some(asking) = &mut self.asking {
            asking.stage = Stage::Calling;
        }
        (self.judged, self.unanswered) = (None, None);
        out.actions.push(Action::Call(CallAction::CallRotation {
            wish: wish.rotation_id,
            fingerprint: wish.old,
            by: asking.by,
        }));
        None
    }

    /// The answer to a call, or one that waited in the spool. One that carries a key is never late.
    fn rotation_answered(&mut self, wish: RotationId, answer: Answered, ctx: Ctx<'_>, out: &mut Out) {
        if self
            .asking
            .as_ref()
            .is_some_and(|asking| asking.occasion.rotation_id == wish && asking.stage == Stage::Calling)
        {
            self.asking = None;
        }
        let Answered { by, at, outcome, kept } = answer;
        let keep =
            |key, success| Answer { by, at, key, success, unkept: kept.err(), keeping: Default::default() };
        match outcome {
            CallOutcome::Issued(key) => {
                self.answers.insert(wish, keep(Ok(key.fingerprint), true));
                self.key_issued(wish, (by, at), key, ctx, out);
            }
            CallOutcome::Unread { why, success } => {
                self.unanswered = Some(why.clone());
                self.answers.insert(wish, keep(Err(why), success));
            }
            CallOutcome::Refused { why } => {
                self.answers.insert(wish, keep(Err(why.clone()), false));
                self.drop_answer(wish, out);
                self.ended_without_key(wish, &why, ctx, out);
            }
            CallOutcome::Unsent { why } => {
                let why = format!("nothing was sent: {why}");
                self.ended_without_key(wish, &why, ctx, out);
            }
            CallOutcome::Lost { why } => self.unanswered = Some(why),
        }
    }

    fn key_issued(
        &mut self,
        wish: RotationId,
        (by, at): (Asker, Timestamp),
        key: IssuedKey,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        let fingerprint = key.fingerprint;
        let current = self.current.as_ref().map(|current| current.fingerprint);
        if current == Some(fingerprint) {
            // Read once more after it was promoted; or the vendor has given the same key again.
            self.drop_answer(wish, out);
            return self.ended_without_key(wish, "its answer holds the current key", ctx, out);
        }
        for waiting in &mut self.waiting {
            if waiting.awaits == Awaits::Rotation(wish) {
                waiting.awaits = Awaits::Promotion(fingerprint);
                waiting.until = ctx.now + ctx.limits.operator_wait;
            }
        }
        match self.candidate(fingerprint).map(|known| known.spool) {
            Some(Spool::Safe) => self.drop_answer(wish, out),
            Some(Spool::Outside | Spool::Writing | Spool::Failed { .. }) => {}
            None => {
                let origin = Origin::Api { by, wish, key_id: key.key_id, old_until: key.old_until };
                // The vendor's clock does not make a key older than the one that asked for it.
                let said = key
                    .rotated_at
                    .filter(|said| said.since(at).max(at.since(*said)) <= ctx.limits.clock_skew);
                let rotated_at = said.unwrap_or(at).whole_secs();
                let asked_with = self.current.as_ref().map_or(Timestamp::MIN, |current| current.dated());
                let candidate = Candidate {
                    dated: rotated_at.max(at.whole_secs()).max(asked_with),
                    rotated_at,
                    ..Candidate::new(fingerprint, origin, wish, ctx.now)
                };
                self.add_candidate(candidate);
            }
        }
    }

    /// The vendor made no key; the old one stays.
    pub(super) fn ended_without_key(&mut self, wish: RotationId, why: &str, ctx: Ctx<'_>, out: &mut Out) {
        let Some(noted) = self.memory.wish.take_if(|noted| noted.rotation_id == wish) else { return };
        let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
        self.dirty = Dirty::Now;
        let message = format!("{vendor} was asked for a new key by {}, and none was made: {why}", noted.by);
        let hint = format!("mend what it says, then:\nkeyrelay rotate {name}");
        let report = Report::new(Code::RotationFailed, Severity::Warning, message, hint).doing(
            "the current key stays in use; nothing is asked again but by you, or at the next schedule",
        );
        self.incidents.raise(ctx.now, report);
        self.record_wish(&noted, why, ctx.now, out);
        self.probe_due = Some(ctx.now);
        let why = format!("{vendor} made no new key: {why}");
        let reply = match self.unanswered.take() {
            Some(_) => Reply::Unreachable { why },
            None => Reply::Refused { why },
        };
        self.answer_rotation(wish, reply, out);
    }
    pub(super) fn record_wish(&self, wish: &Wish, why: &str, now: Timestamp, out: &mut Out) {
        let trigger = Origin::Api { by: wish.by, wish: wish.rotation_id, key_id: None, old_until: None };
        let phase = |phase: &str, at| PhaseEntered { phase: phase.into(), at };
        out.records.push(Record {
            trigger: Some(Trigger::Candidate(trigger)),
            phases: vec![phase("asked", wish.at), phase("refused", now)],
            old_fingerprint: Some(self.label(wish.old)),
            why: Some(why.to_owned()),
            ..Record::bare(wish.rotation_id, RecordKind::Refusal, self.generation())
        });
    }

    /// An answer that is in memory only goes to the spool as soon as that takes it.
    pub(super) fn advance_answers(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        self.drop_superseded_answers(out);
        for (wish, answer) in &mut self.answers {
            if answer.unkept.is_some() && answer.key.is_err() && answer.keeping.may_start(ctx.now) {
                let attempt = answer.keeping.start(&mut self.attempts);
                out.actions.push(Action::Call(CallAction::KeepAnswer { attempt, wish: *wish }));
            }
        }
    }
    pub(super) fn answer_kept(
        &mut self,
        wish: RotationId,
        attempt: Attempt,
        outcome: Result<(), String>,
        ctx: Ctx<'_>,
    ) {
        let Some(answer) = self.answers.get_mut(&wish) else { return };
        if !answer.keeping.finish(attempt) {
            return;
        }
        answer.unkept = outcome.err();
        if answer.unkept.is_some() {
            let salt = salt(&[self.settings.name.as_str(), "answer"]);
            answer.keeping.failed(ctx.now, backoff_cap(None, ctx.limits), salt, ctx.limits);
        }
    }
    pub(super) fn next_keeping_at(&self) -> Option<Timestamp> {
        let unkept = self.answers.values().filter(|answer| answer.unkept.is_some() && answer.key.is_err());
        unkept.filter_map(|answer| answer.keeping.waits_until()).min()
    }
    /// What no key could be read out of is of no use once a later key is the current one.
    fn drop_superseded_answers(&mut self, out: &mut Out) {
        let Some(current) = self.current.as_ref().filter(|_| self.documents.known) else { return };
        let over = |answer: &Answer| answer.key.is_err() && answer.at.whole_secs() < current.dated();
        let over: Vec<_> =
            self.answers.iter().filter(|(_, answer)| over(answer)).map(|(wish, _)| *wish).collect();
        over.into_iter().for_each(|wish| self.drop_answer(wish, out));
    }
    pub(super) fn drop_answer(&mut self, wish: RotationId, out: &mut Out) {
        if self.answers.remove(&wish).is_some() {
            out.actions.push(Action::Call(CallAction::DropAnswer { wish }));
        }
    }
    /// The key is in the spool by itself, or in the store.
    pub(super) fn drop_answer_with(&mut self, key: Fingerprint, out: &mut Out) {
        let with = self.answers.iter().find(|(_, answer)| answer.key == Ok(key)).map(|(wish, _)| *wish);
        with.into_iter().for_each(|wish| self.drop_answer(wish, out));
    }
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq)]
struct Answered {
    by: Asker,
    at: Timestamp,
    outcome: CallOutcome,
    kept: Result<(), String>,
}
