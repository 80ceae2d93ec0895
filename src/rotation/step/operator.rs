//! What operators ask for by hand. Each command gets exactly one answer, at the latest after `operator_wait`.

use super::{Ctx, Out};
use crate::domain::{ConsumerName, Fingerprint, Origin, RotationId};
use crate::rotation::{
    candidate::{Candidate, OperatorsWord},
    effect::Reply,
    event::Ticket,
    state::{Rotation, Waiting},
};
use std::collections::BTreeMap;

impl Rotation {
    /// A key by hand: the same proofs as a mailed one. `sure` answers the question that an unprovable account asks.
    pub(super) fn ingested(
        &mut self,
        fingerprint: Fingerprint,
        (uid, sure, ticket): (u32, bool, Ticket),
        rotation_id: RotationId,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        if self.current.as_ref().is_some_and(|current| current.fingerprint == fingerprint)
            && self.documents.foreign.is_none()
        {
            let why = "it is the current key already".to_owned();
            return out.replies.push((ticket, Reply::Refused { why }));
        }
        if self.memory.formers.iter().any(|former| former.fingerprint == fingerprint) {
            let why = "it is an earlier key of this credential, not a new one".to_owned();
            return out.replies.push((ticket, Reply::Refused { why }));
        }
        let word = Some(OperatorsWord { uid, sure, ticket: Some(ticket) });
        self.refused.retain(|refused| *refused != fingerprint);
        match self.candidate(fingerprint) {
            Some(known) => (known.word, known.held) = (word, None),
            None => {
                let origin = Origin::Ingest { uid };
                self.candidates
                    .push(Candidate { word, ..Candidate::new(fingerprint, origin, rotation_id, ctx.now) });
            }
        }
        self.answer_later(ticket, fingerprint, ctx);
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
        let Some(candidate) = self.candidate(fingerprint) else {
            let why = "nothing with this fingerprint is held; keyrelay status shows what is".to_owned();
            return out.replies.push((ticket, Reply::Refused { why }));
        };
        candidate.word = Some(OperatorsWord { uid, sure: true, ticket: Some(ticket) });
        candidate.rotation_id = rotation_id;
        (candidate.held, candidate.unprovable) = (None, false);
        self.answer_later(ticket, fingerprint, ctx);
    }

    pub(super) fn consumers_asked(
        &mut self,
        only: Option<ConsumerName>,
        deliver: bool,
        ticket: Ticket,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        if self.current.is_none() {
            let why = "there is no key in the store yet".to_owned();
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
        let until = ctx.now + ctx.limits.operator_wait;
        self.waiting.push(Waiting { ticket, until, passes, promoted: None });
    }

    fn answer_later(&mut self, ticket: Ticket, _fingerprint: Fingerprint, ctx: Ctx<'_>) {
        let until = ctx.now + ctx.limits.operator_wait;
        self.waiting.push(Waiting { ticket, until, passes: BTreeMap::new(), promoted: None });
    }

    /// The operator who gave this key hears at once.
    pub(super) fn answer_operator(
        &mut self,
        fingerprint: Fingerprint,
        reply: Reply,
        _ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        let word = self.candidate(fingerprint).and_then(|candidate| candidate.word.as_mut());
        let Some(ticket) = word.and_then(|word| word.ticket.take()) else { return };
        self.waiting.retain(|waiting| waiting.ticket != ticket);
        out.replies.push((ticket, reply));
    }
    /// The key is in; now its operator waits for the consumers.
    pub(super) fn operator_hears_of_promotion(&mut self, fingerprint: Fingerprint, ctx: Ctx<'_>) {
        let generation = self.generation();
        let Some(ticket) = self.candidate(fingerprint).and_then(|candidate| candidate.word?.ticket) else {
            return;
        };
        let until = ctx.now + ctx.limits.operator_wait;
        for waiting in self.waiting.iter_mut().filter(|waiting| waiting.ticket == ticket) {
            (waiting.promoted, waiting.until) = (Some(generation), until);
        }
    }

    pub(super) fn advance_waiting(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let waiting = std::mem::take(&mut self.waiting);
        for command in waiting {
            match self.answer_to(&command, ctx) {
                Some(reply) => {
                    self.forget_ticket(command.ticket);
                    out.replies.push((command.ticket, reply));
                }
                None => self.waiting.push(command),
            }
        }
    }
    fn answer_to(&self, command: &Waiting, ctx: Ctx<'_>) -> Option<Reply> {
        let over = command.until <= ctx.now;
        let fingerprint = self.current.as_ref().map(|current| current.fingerprint);
        let good = |name: &ConsumerName| {
            self.consumers.get(name).zip(fingerprint).is_none_or(|(consumer, key)| consumer.is_good(key))
        };
        if let Some(generation) = command.promoted {
            let proven = self.consumers.keys().all(good);
            return (proven || over).then_some(Reply::Promoted { generation, proven });
        }
        let by_ticket =
            |candidate: &&Candidate| candidate.word.is_some_and(|word| word.ticket == Some(command.ticket));
        if let Some(candidate) = self.candidates.iter().find(by_ticket) {
            return self.answer_about(candidate, over);
        }
        let passed = |(name, passes): (&ConsumerName, &u64)| {
            self.consumers.get(name).is_none_or(|consumer| consumer.passes >= *passes)
        };
        let done = command.passes.iter().all(passed);
        (done || over).then(|| Reply::Consumers { proven: command.passes.keys().all(good) })
    }
    fn answer_about(&self, candidate: &Candidate, over: bool) -> Option<Reply> {
        let safe = candidate.spool == crate::rotation::candidate::Spool::Safe;
        if let Some(trouble) = self.documents.trouble.as_ref().filter(|_| safe) {
            return Some(Reply::Spooled { why: trouble.to_string() });
        }
        let facts = self.keys.get(&candidate.fingerprint);
        if let Some(facts) = facts.filter(|facts| facts.looks_dead()) {
            return Some(Reply::Refused { why: format!("the vendor refuses it ({})", facts.why) });
        }
        let why = facts.map_or("it could not be judged yet".to_owned(), |facts| {
            format!("it could not be judged yet ({})", facts.why)
        });
        over.then_some(Reply::Spooled { why })
    }
    fn forget_ticket(&mut self, ticket: Ticket) {
        for word in self.candidates.iter_mut().filter_map(|candidate| candidate.word.as_mut()) {
            if word.ticket == Some(ticket) {
                word.ticket = None;
            }
        }
    }
}
