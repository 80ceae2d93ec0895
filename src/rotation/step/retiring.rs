//! After grace: show that the old key is dead, write down that it is to go, remove it from the current version.

use super::{Ctx, Out};
use crate::domain::{Timestamp, WriteOutcome};
use crate::rotation::{
    effect::Action,
    event::Attempt,
    state::{Call, Dirty, Rotation},
    state_document::Former,
    task::{backoff_cap, salt},
};

impl Rotation {
    /// Whether an old key waits for its end, or for its removal.
    pub fn is_retiring(&self) -> bool {
        let newer = self.rolled_back().map(|note| note.from);
        let old = self.previous().filter(|previous| newer != Some(previous.fingerprint));
        old.is_some() && self.generation() <= self.memory.settled
    }
    /// Its time is over: by the end of its grace, or, where there is none, by the last consumer's proof.
    pub(super) fn old_key_is_due(&self, ctx: Ctx<'_>) -> Option<Former> {
        let newer = self.rolled_back().map(|note| note.from);
        let previous = self.previous().filter(|previous| newer != Some(previous.fingerprint))?;
        let settled = self.generation() <= self.memory.settled;
        let over = previous.until.map_or(settled, |until| until <= ctx.now);
        (over && ctx.clock_agrees && self.pending.is_none()).then_some(previous)
    }

    /// One *dead* answer is enough here, while the current key is alive at the same place.
    pub(super) fn advance_retiring(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let Some(previous) = self.old_key_is_due(ctx).filter(|_| !self.settings.observe) else { return };
        let shown_dead = self.facts(previous.fingerprint).is_some_and(|facts| facts.looks_dead());
        let control = self.current_facts().is_some_and(|facts| facts.is_alive(ctx.now, 2 * ctx.probe_period));
        if self.memory.retiring != Some(previous.fingerprint) {
            if shown_dead && control {
                self.memory.retiring = Some(previous.fingerprint);
                self.dirty = Dirty::Now;
            }
            return;
        }
        let written_down = self.dirty == Dirty::No && self.saving.is_idle();
        let documents = &self.documents;
        let ours = documents.foreign.is_none() && documents.reverted.is_none();
        let fresh = !documents.key_wanted && documents.known && ours;
        if written_down && fresh && self.best_candidate().is_none() && self.retire.may_start(ctx.now) {
            let attempt = self.retire.start(&mut self.attempts);
            out.actions.push(Action::RetireKey { attempt, cas: self.documents.key_version });
        }
    }

    pub(super) fn key_retired(
        &mut self,
        attempt: Attempt,
        outcome: WriteOutcome,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        if !self.retire.finish(attempt) {
            return;
        }
        match outcome {
            WriteOutcome::Written { version } => {
                self.retire.succeeded();
                self.documents.key_version = version;
                self.memory.retiring = None;
                if let Some(document) = &mut self.documents.key {
                    document.previous = None;
                    document.version = version;
                }
                self.store_worked(Call::RetireKey, out);
            }
            WriteOutcome::Mismatch | WriteOutcome::Unknown(_) => {
                self.documents.key_wanted = true;
                self.retire_later(ctx);
            }
            WriteOutcome::Failed(trouble) => {
                self.retire_later(ctx);
                self.store_failed(Call::RetireKey, trouble, out);
            }
        }
    }
    fn retire_later(&mut self, ctx: Ctx<'_>) {
        let salt = salt(&[self.settings.name.as_str(), "retire"]);
        self.retire.failed(ctx.now, backoff_cap(None, ctx.limits), salt, ctx.limits);
    }

    pub(super) fn next_retirement_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let begins = self.previous()?.until.filter(|until| *until > ctx.now);
        begins.or(self.retire.waits_until())
    }

    /// Old keys are remembered, so that one that comes back is known; the oldest are forgotten.
    pub(super) fn remember_former(&mut self, former: Former) {
        const FORMERS_MAX: usize = 16;
        self.memory.formers.retain(|known| known.fingerprint != former.fingerprint);
        self.memory.formers.push_back(former);
        while self.memory.formers.len() > FORMERS_MAX {
            self.memory.formers.pop_front();
        }
    }
}
