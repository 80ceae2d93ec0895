//! The state document: written when something in it matters and nothing more urgent is under way.

use super::{Ctx, Out};
use crate::domain::{MailId, WriteOutcome};
use crate::rotation::{
    effect::Action,
    event::Attempt,
    phase::Phase,
    state::{Call, Dirty, Rotation},
    state_document::StateDocument,
    task::{backoff_cap, salt},
};

impl Rotation {
    pub(super) fn advance_state(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let calm = match self.phase() {
            Phase::Steady | Phase::Announced | Phase::Parked(_) | Phase::Unseeded => {
                !self.is_changing_consumers()
            }
            Phase::Probing | Phase::Storing | Phase::HandingOver => self.stopping,
        };
        let due = match self.dirty {
            Dirty::No => false,
            Dirty::WhenCalm => calm,
            Dirty::Now => self.pending.is_none(),
        };
        let readable =
            self.documents.known && !self.documents.state_wanted && self.documents.state_refused.is_none();
        if !due || !readable || !self.saving.may_start(ctx.now) {
            return;
        }
        self.dirty = Dirty::No;
        let attempt = self.saving.start(&mut self.attempts);
        self.wish_is_being_noted(attempt);
        let document = Box::new(self.document());
        out.actions.push(Action::SaveState { attempt, cas: self.documents.state_version, document });
    }
    /// As it is now. A mail is done with when its key is in the store or in the spool, and not before: until then it
    /// may hold the key's only other copy.
    fn document(&self) -> StateDocument {
        let mut document = self.memory.clone();
        document.consumers =
            self.consumers.iter().map(|(name, consumer)| (name.clone(), consumer.note())).collect();
        document.incidents.known = self.incidents.to_vec();
        let known = self.known_fingerprints();
        document.notes.retain(|note| known.contains(&note.fingerprint));
        document
            .done
            .retain(|mail| self.candidates.iter().all(|candidate| candidate.mail_not_done() != Some(mail)));
        document
    }
    /// Somebody is about to be delivered to or acted upon: one write then notes it all.
    fn is_changing_consumers(&self) -> bool {
        self.consumers.values().any(|consumer| consumer.is_changing())
    }

    pub(super) fn state_saved(
        &mut self,
        attempt: Attempt,
        outcome: WriteOutcome,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        if !self.saving.finish(attempt) {
            return;
        }
        let noted = outcome.clone();
        match outcome {
            WriteOutcome::Written { version } => {
                self.saving.succeeded();
                self.documents.state_version = version;
                self.store_worked(Call::SaveState, out);
            }
            WriteOutcome::Mismatch | WriteOutcome::Unknown(_) => {
                self.documents.state_wanted = true;
                self.save_later(ctx);
            }
            WriteOutcome::Failed(trouble) => {
                self.save_later(ctx);
                self.store_failed(Call::SaveState, trouble, out);
            }
        }
        self.wish_was_noted(attempt, &noted, ctx, out);
    }
    fn save_later(&mut self, ctx: Ctx<'_>) {
        self.dirty = Dirty::Now;
        let salt = salt(&[self.settings.name.as_str(), "save"]);
        self.saving.failed(ctx.now, backoff_cap(None, ctx.limits), salt, ctx.limits);
    }

    /// Mails that need no second look, the newest `remembered_mails` of them.
    pub(super) fn remember_done(&mut self, mail: MailId, ctx: Ctx<'_>) {
        if self.memory.done.contains(&mail) {
            return;
        }
        self.memory.done.push_back(mail);
        while self.memory.done.len() > ctx.limits.remembered_mails {
            self.memory.done.pop_front();
        }
        self.dirty = self.dirty.max(Dirty::WhenCalm);
    }
}
