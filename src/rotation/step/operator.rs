//! What operators ask for by hand. Each command gets exactly one answer, at the latest after `operator_wait`.

use super::{Ctx, Out};
use crate::domain::{ConsumerName, Fingerprint, Origin, RotationId, Timestamp};
use crate::rotation::{
    candidate::{Candidate, OperatorsWord, Spool},
    effect::Reply,
    event::Ticket,
    state::{Awaits, Rotation, Waiting},
};
use std::collections::BTreeMap;

impl Rotation {
    /// A key by hand: the same proofs as a mailed one. `sure` answers the question that an unprovable account asks.
    pub(super) fn ingested(
        &mut self,
        fingerprint: Fingerprint,
        expires_at: Option<Timestamp>,
        (uid, sure, ticket): (u32, bool, Ticket),
        rotation_id: RotationId,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        if let Some(reply) = self.is_only_observed() {
            return out.replies.push((ticket, reply));
        }
        if self.current.as_ref().is_some_and(|current| current.fingerprint == fingerprint)
            && self.documents.foreign.is_none()
            && self.documents.reverted.is_none()
        {
            let name = &self.settings.name;
            let end = expires_at.map(|_| format!("; when it ends is said by credentials.{name}.expires_at"));
            let why = format!("it is the current key already{}", end.unwrap_or_default());
            return out.replies.push((ticket, Reply::Refused { why }));
        }
        if self.memory.formers.iter().any(|former| former.fingerprint == fingerprint) {
            let why = match self.rolled_back().filter(|note| note.from == fingerprint) {
                Some(_) => "an operator went back from it, and it is held: keyrelay accept lets it in again",
                None => "it is an earlier key of this credential, not a new one",
            };
            let why = why.to_owned();
            return out.replies.push((ticket, Reply::Refused { why }));
        }
        let word = Some(OperatorsWord { uid, at: ctx.now, sure });
        let beside = self.met_under_way(fingerprint);
        self.refused.retain(|refused| *refused != fingerprint);
        let full = self.candidates.len() >= ctx.limits.candidates;
        // What lies in the store may be gone from there a moment later: the paste is a candidate of its own.
        let found =
            |candidate: &Candidate| candidate.fingerprint == fingerprint && candidate.origin == Origin::Store;
        self.candidates.retain(|candidate| !found(candidate));
        match self.candidate(fingerprint) {
            Some(known) => (known.word, known.held, known.beside) = (word, None, beside.clone()),
            None if full => {
                let why = "too many keys wait already; keyrelay status shows them".to_owned();
                return out.replies.push((ticket, Reply::Refused { why }));
            }
            None => {
                let origin = Origin::Ingest { uid, expires_at };
                self.add_candidate(Candidate {
                    word,
                    beside: beside.clone(),
                    ..Candidate::new(fingerprint, origin, rotation_id, ctx.now)
                });
            }
        }
        if expires_at.is_some() {
            self.note_key(fingerprint, |note| note.expires_at = expires_at);
        }
        self.answer_later(ticket, Awaits::Promotion(fingerprint), ctx);
        self.waiting.last_mut().into_iter().for_each(|waiting| waiting.beside = beside.clone());
    }
    /// Of two keys the later one counts. One that is being written to the store is left to end.
    fn met_under_way(&self, fingerprint: Fingerprint) -> Option<String> {
        if let Some(pending) = self.pending.as_ref().filter(|pending| pending.fingerprint != fingerprint) {
            let label = self.label(pending.fingerprint);
            return Some(format!("it waited for the key {label}, which was being written to the store"));
        }
        let other = self.best_candidate().filter(|other| other.fingerprint != fingerprint);
        if let Some(other) = other {
            let label = self.label(other.fingerprint);
            return Some(format!(
                "it supersedes the key {label} from {}, which was not promoted yet",
                other.origin
            ));
        }
        let current = self.current.as_ref().filter(|_| self.is_handing_over())?;
        let label = self.label(current.fingerprint);
        Some(format!(
            "it supersedes the rotation to the key {label}, which not every consumer had come to yet"
        ))
    }

    /// What is held is let in: it must still be alive, and not of another account.
    pub(super) fn accepted(
        &mut self,
        fingerprint: Fingerprint,
        (uid, ticket): (u32, Ticket),
        rotation_id: RotationId,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        if let Some(reply) = self.is_only_observed() {
            return out.replies.push((ticket, reply));
        }
        let Some(candidate) = self.candidate(fingerprint) else {
            let why = "nothing with this fingerprint is held; keyrelay status shows what is".to_owned();
            return out.replies.push((ticket, Reply::Refused { why }));
        };
        candidate.word = Some(OperatorsWord { uid, at: ctx.now, sure: true });
        candidate.rotation_id = rotation_id;
        (candidate.held, candidate.unprovable) = (None, false);
        self.answer_later(ticket, Awaits::Promotion(fingerprint), ctx);
    }

    pub(super) fn consumers_asked(
        &mut self,
        only: Option<ConsumerName>,
        deliver: bool,
        ticket: Ticket,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        if let Some(reply) = self.is_only_observed().filter(|_| deliver) {
            return out.replies.push((ticket, reply));
        }
        if self.current.is_none() {
            let why = "there is no key in the store yet".to_owned();
            return out.replies.push((ticket, Reply::Refused { why }));
        }
        if !self.may_deliver() {
            let why =
                "nothing is handed to consumers while what the status says of this key is open".to_owned();
            return out.replies.push((ticket, Reply::Refused { why }));
        }
        let mut passes = BTreeMap::new();
        for (name, consumer) in &mut self.consumers {
            if only.as_ref().is_none_or(|only| only == name) && !consumer.policy.elsewhere {
                consumer.forced |=
                    deliver && consumer.policy.delivery != crate::rotation::settings::Delivery::None;
                consumer.restart();
                passes.insert(name.clone(), consumer.passes + 1);
            }
        }
        if let Some(only) = only.filter(|_| passes.is_empty()) {
            let why = format!("{only} is no consumer of this credential, or lives on another host");
            return out.replies.push((ticket, Reply::Refused { why }));
        }
        self.answer_later(ticket, Awaits::Passes(passes), ctx);
    }

    pub(super) fn answer_later(&mut self, ticket: Ticket, awaits: Awaits, ctx: Ctx<'_>) {
        let until = ctx.now + ctx.limits.operator_wait;
        self.waiting.push(Waiting { ticket, until, awaits, beside: None });
    }

    /// The operators who gave this key hear at once.
    pub(super) fn answer_operator(&mut self, fingerprint: Fingerprint, reply: Reply, out: &mut Out) {
        let about = Awaits::Promotion(fingerprint);
        let (answered, waiting): (Vec<_>, _) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.awaits == about);
        self.waiting = waiting;
        out.replies.extend(answered.into_iter().map(|waiting| (waiting.ticket, reply.clone())));
    }
    /// The key is in; now its operators wait for the consumers.
    pub(super) fn operator_hears_of_promotion(&mut self, fingerprint: Fingerprint, ctx: Ctx<'_>) {
        let generation = self.generation();
        let until = ctx.now + ctx.limits.operator_wait;
        for waiting in &mut self.waiting {
            if waiting.awaits == Awaits::Promotion(fingerprint) {
                (waiting.awaits, waiting.until) = (Awaits::Consumers(generation), until);
            }
        }
    }

    pub(super) fn advance_waiting(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        for command in std::mem::take(&mut self.waiting) {
            match self.answer_to(&command, ctx) {
                Some(reply) => out.replies.push((command.ticket, reply)),
                None => self.waiting.push(command),
            }
        }
        self.forget_rollbacks();
    }
    fn answer_to(&self, command: &Waiting, ctx: Ctx<'_>) -> Option<Reply> {
        let over = command.until <= ctx.now;
        let fingerprint = self.current.as_ref().map(|current| current.fingerprint);
        let good = |name: &ConsumerName| {
            let consumer = self.consumers.get(name).zip(fingerprint);
            consumer.is_none_or(|(consumer, key)| consumer.is_good(key) && !consumer.is_in_doubt())
        };
        match &command.awaits {
            Awaits::Rollback(wish) => over.then(|| self.rollback_hangs(wish, ctx)),
            Awaits::Rotation(_) => over.then(|| Reply::Unreachable {
                why: format!(
                    "what came of the call is not known yet; see: keyrelay status {}",
                    self.settings.name
                ),
            }),
            Awaits::Promotion(key) => self.answer_about(*key, over),
            Awaits::Consumers(generation) => {
                let (generation, proven) = (*generation, self.consumers.keys().all(good));
                let beside = command.beside.clone();
                (proven || over).then_some(Reply::Promoted { generation, proven, beside })
            }
            Awaits::Passes(passes) => {
                let passed = |(name, passes): (&ConsumerName, &u64)| {
                    self.consumers.get(name).is_none_or(|consumer| consumer.passes >= *passes)
                };
                let done = passes.iter().all(passed);
                (done || over).then(|| Reply::Consumers { proven: passes.keys().all(good) })
            }
        }
    }
    fn answer_about(&self, key: Fingerprint, over: bool) -> Option<Reply> {
        let Some(candidate) = self.candidates.iter().find(|candidate| candidate.fingerprint == key) else {
            let why = "another key has become the current one meanwhile".to_owned();
            return Some(Reply::Refused { why });
        };
        if matches!(candidate.origin, Origin::Rollback { .. }) {
            // An answer that was lost is read back first.
            let trouble = self.store_trouble().filter(|_| self.pending.is_none()).map(ToString::to_string);
            let unsaid =
                || "the store has not said whether the key was written; look at the status".to_owned();
            let why = trouble.or_else(|| over.then(unsaid))?;
            return Some(Reply::Unreachable { why });
        }
        let safe = candidate.spool == Spool::Safe;
        if let Some(trouble) = self.store_trouble().filter(|_| safe) {
            return Some(Reply::Spooled { why: trouble.to_string() });
        }
        let facts = self.facts(key);
        // A key that the vendor made for us is tried on: it may work only later.
        let given_once = matches!(candidate.origin, Origin::Api { .. });
        if let Some(facts) = facts.filter(|facts| facts.looks_dead() && !given_once) {
            return Some(Reply::Refused { why: format!("the vendor refuses it ({})", facts.why) });
        }
        if !safe {
            let unsaid = "its write was not confirmed".to_owned();
            let trouble = candidate.spool_error.clone().unwrap_or(unsaid);
            let why = format!("it is in no spool yet ({trouble}): keep it until the status shows it there");
            return over.then_some(Reply::Unreachable { why });
        }
        let why = match facts.filter(|facts| !facts.why.is_empty()) {
            None => "it could not be judged yet".to_owned(),
            Some(facts) => format!("it could not be judged yet ({})", facts.why),
        };
        over.then_some(Reply::Spooled { why })
    }
}
