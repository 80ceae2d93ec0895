//! From the promotion to the last consumer: every consumer walks its own way, side by side.

use super::{Ctx, Out, probing::old_key_asked_at};
use crate::domain::{
    Code, ConsumerName, CopyState, DeliveryOutcome, Fingerprint, KeyDocument, Limits, Origin, Severity,
    Timestamp,
};
use crate::rotation::{
    candidate::Candidate,
    consumer::{Baton, ConsumerState, Told},
    effect::Action,
    event::Attempt,
    incident::{Ladder, Report},
    policy::CurrentKey,
    settings::Delivery,
    state::{Dirty, Rotation},
    state_document::Former,
};

impl Rotation {
    /// The store was read back, and holds the new key: consumers may have it.
    pub(super) fn promoted(&mut self, document: &KeyDocument, ctx: Ctx<'_>, out: &mut Out) {
        let Some(fingerprint) = document.current else { return };
        self.adopted(fingerprint, ctx);
        self.note_accepted(fingerprint);
        let back = self.went_back(document, self.current.as_ref());
        if let Some(note) = back {
            self.hold_newer(note, ctx);
        }
        if let Some(old) = self.current.take().filter(|old| old.fingerprint != fingerprint) {
            let previous = document.previous.filter(|previous| previous.fingerprint == old.fingerprint);
            let until = previous.and_then(|previous| previous.expires_at);
            self.remember_former(Former { fingerprint: old.fingerprint, until });
            let lives_on = self.lives_until_revoked();
            let facts = self.keys.entry(old.fingerprint).or_default();
            facts.probe.wait_until(old_key_asked_at(until, lives_on, ctx));
        } else if let Some(previous) =
            document.previous.filter(|previous| previous.fingerprint != fingerprint)
        {
            self.remember_former(Former { fingerprint: previous.fingerprint, until: previous.expires_at });
        } else if let Some(noted) = self.memory.current.filter(|noted| noted.fingerprint != fingerprint) {
            // It had left the store before: put back there, it is an earlier key, and not one that nobody has seen.
            self.remember_former(Former { fingerprint: noted.fingerprint, until: None });
        }
        self.memory.formers.retain(|former| former.fingerprint != fingerprint);
        if self.is_probe_off() {
            self.note_key(fingerprint, |note| note.vouched = true);
        }
        self.refresh_current(document);
        self.documents.foreign = None;
        self.documents.reverted = None;
        self.memory.account =
            self.facts(fingerprint).and_then(|facts| facts.account.clone()).or(self.memory.account.take());
        if back.is_none() {
            self.memory.announced = None;
            self.incidents.clear_others(Code::MailUnparsed, &[]);
        }
        // A new key is what a rotation by the API was for, however it came.
        self.incidents.clear(Code::RotationBlocked, "");
        self.incidents.clear(Code::RotationFailed, "");
        (self.memory.rolled_back, self.memory.retiring) = (back, None);
        (self.rehearsed_for, self.rehearsal_began_at) = (None, None);
        self.operator_hears_of_promotion(fingerprint, ctx);
        match back {
            Some(_) => self.drop_candidate(fingerprint, out),
            None => self.finish_candidates(fingerprint, ctx, out),
        }
        self.forget_notes();
        self.consumers.values_mut().for_each(|consumer| consumer.key_changed(ctx.now));
        self.dirty = self.dirty.max(Dirty::WhenCalm);
        self.record_promotion(document, ctx.now, out);
        // One that another daemon promoted was not asked about here yet.
        if self.current_facts().is_none_or(|facts| facts.alive_at.is_none()) {
            self.probe_due = Some(ctx.now);
        }
    }
    /// A key that somebody else wrote to the store became ours.
    fn adopted(&mut self, fingerprint: Fingerprint, ctx: Ctx<'_>) {
        let found =
            |candidate: &Candidate| candidate.fingerprint == fingerprint && candidate.origin == Origin::Store;
        if self.candidates.iter().any(found) && !self.settings.observe {
            let label = self.label(fingerprint);
            let message = format!(
                "somebody else wrote the new key {label} to {}; it is alive and of this account, and was adopted",
                self.settings.path
            );
            let report =
                Report::new(Code::StoreAdopted, Severity::Warning, message, "nothing, if that was you")
                    .doing("every consumer is brought to it now");
            self.incidents.announce(ctx.now, report);
        }
    }

    pub(super) fn advance_consumers(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        self.rehearse_deliveries(ctx, out);
        let Some(current) = self.current.clone().filter(|_| self.may_deliver()) else { return };
        if self.prove_due.is_some_and(|at| at <= ctx.now) {
            self.prove_due = None;
            self.consumers
                .values_mut()
                .filter(|consumer| consumer.task.is_idle())
                .for_each(ConsumerState::restart);
        }
        let left = self.time_left(ctx);
        for (name, consumer) in &mut self.consumers {
            let baton = baton(&current, name, left, self.settings.observe, ctx);
            let noted = (consumer.delivered, consumer.acted);
            out.actions.extend(consumer.next_action(&mut self.attempts, baton));
            if noted != (consumer.delivered, consumer.acted) {
                self.dirty = self.dirty.max(Dirty::WhenCalm);
            }
        }
    }
    /// No consumer gets a key that is not the store's, or that this process never saw alive.
    pub(super) fn may_deliver(&self) -> bool {
        let documents = &self.documents;
        let ours = documents.foreign.is_none() && documents.reverted.is_none() && !documents.deleted;
        let alive_once = self.current_facts().is_some_and(|facts| facts.alive_at.is_some());
        documents.known && documents.state_refused.is_none() && ours && (alive_once || self.is_vouched_for())
    }
    /// Its vendor cannot be asked, and an operator let it in.
    fn is_vouched_for(&self) -> bool {
        let noted = self.current.as_ref().and_then(|current| self.note_of(current.fingerprint));
        self.is_probe_off() && noted.is_some_and(|note| note.vouched)
    }

    pub(super) fn on_consumer<T>(
        &mut self,
        name: &ConsumerName,
        attempt: Attempt,
        ctx: Ctx<'_>,
        change: impl FnOnce(&mut ConsumerState, Baton<'_>) -> T,
    ) -> Option<T> {
        let left = self.time_left(ctx);
        let consumer = self.consumers.get_mut(name)?;
        if !consumer.task.finish(attempt) || consumer.ended_for_an_older_key() {
            return None;
        }
        let Some(current) = self.current.clone() else {
            // Its key left the store meanwhile.
            consumer.restart();
            return None;
        };
        let noted = consumer.note();
        let changed = change(consumer, baton(&current, name, left, self.settings.observe, ctx));
        let after = consumer.note();
        if (noted.delivered, noted.acted) != (after.delivered, after.acted) {
            self.dirty = self.dirty.max(Dirty::WhenCalm);
        }
        Some(changed)
    }
    pub(super) fn copy_compared(
        &mut self,
        name: &ConsumerName,
        attempt: Attempt,
        outcome: CopyState,
        ctx: Ctx<'_>,
    ) {
        let told = self.on_consumer(name, attempt, ctx, |consumer, baton| consumer.compared(outcome, baton));
        if told == Some(Told::Drifted) {
            let message =
                format!("{name}'s copy of the key was changed by somebody else; it is written again");
            let hint = "find out what writes there: a deployment, a configuration manager, a colleague";
            let report =
                Report::new(Code::ConsumerDrifted, Severity::Warning, message, hint).about(name.as_str());
            self.incidents.announce(ctx.now, report);
        }
    }

    /// The hand-over is complete when every consumer is as good as it is wanted.
    pub(super) fn advance_settled(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let Some(current) = &self.current else { return };
        let (fingerprint, generation) = (current.fingerprint, current.generation);
        let handing_over = self.is_handing_over() && self.may_deliver();
        let good = self.consumers.values().all(|consumer| consumer.is_good(fingerprint));
        if handing_over && good {
            self.memory.settled = generation;
            self.dirty = self.dirty.max(Dirty::WhenCalm);
            self.record_settled(ctx, out);
        }
    }

    pub(super) fn next_consumer_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        self.current.as_ref().filter(|_| self.may_deliver())?;
        let tasks = self.consumers.values().filter(|consumer| !consumer.policy.elsewhere);
        let moments = tasks.filter_map(|consumer| consumer.task.waits_until()).chain(self.prove_due);
        moments.filter(|at| *at > ctx.now).min()
    }

    /// The time in which consumers must come to the current key: from the rotation to the deadline of the earliest
    /// key that one of them was last proven with.
    pub(in crate::rotation) fn hand_over_ladder(&self, limits: &Limits) -> Option<Ladder> {
        let current = self.current.as_ref().filter(|_| self.is_handing_over())?;
        let from = self.handed_over_from(current);
        let behind = self.consumers.values().filter(|consumer| !consumer.is_good(current.fingerprint));
        let last_keys = behind.filter_map(|consumer| consumer.shown.as_ref()).map(|shown| shown.fingerprint);
        let ends = last_keys
            .filter_map(|key| self.memory.formers.iter().find(|former| former.fingerprint == key)?.until);
        let end = ends.chain([self.hand_over_end(from)]).min()?;
        Some(Ladder { from, until: end - limits.margin(end.since(from)) })
    }

    /// The whole time that consumers have for the current key; a key that was gone back to may die before.
    pub(super) fn hand_over_end(&self, from: Timestamp) -> Timestamp {
        let end = from + self.settings.hand_over();
        let dies = self.rolled_back().and_then(|note| note.until).filter(|until| *until > from);
        dies.map_or(end, |dies| dies.min(end))
    }

    fn rehearse_deliveries(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        for (name, consumer) in &mut self.consumers {
            if self.settings.observe {
                consumer.rehearsal.pause(); // it would write
            }
            let due = consumer.rehearsal.waits_until().is_some_and(|at| at <= ctx.now);
            if due && !consumer.policy.elsewhere && consumer.policy.delivery != Delivery::None {
                let attempt = consumer.rehearsal.start(&mut self.attempts);
                out.actions.push(Action::Rehearse { consumer: name.clone(), attempt });
            }
        }
    }
    pub(super) fn rehearsed(&mut self, name: &ConsumerName, attempt: Attempt, outcome: DeliveryOutcome) {
        let Some(consumer) = self.consumers.get_mut(name) else { return };
        if !consumer.rehearsal.finish(attempt) {
            return;
        }
        consumer.rehearsal.succeeded();
        consumer.rehearsed = Some(match outcome {
            DeliveryOutcome::Done => Ok(()),
            DeliveryOutcome::Failed(why) => Err(why),
        });
    }
}

fn baton<'a>(
    current: &CurrentKey,
    name: &'a ConsumerName,
    left: Option<std::time::Duration>,
    observe: bool,
    ctx: Ctx<'a>,
) -> Baton<'a> {
    Baton {
        fingerprint: current.fingerprint,
        generation: current.generation,
        name,
        now: ctx.now,
        left,
        observe,
        limits: ctx.limits,
    }
}
