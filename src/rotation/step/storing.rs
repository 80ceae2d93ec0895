//! The promotion: read, write by check-and-set, read back. The write is the commit.

use super::{Ctx, Out};
use crate::domain::{Fingerprint, Origin, StoreTrouble, WriteOutcome};
use crate::rotation::{
    candidate::Candidate,
    effect::{Action, Promotion},
    event::Attempt,
    state::{Call, Rotation},
    task::{backoff_cap, salt},
};

impl Rotation {
    pub(super) fn advance_storing(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        if self.settings.observe
            || self.pending.is_some()
            || self.documents.state_refused.is_some()
            || !self.documents.known
        {
            return;
        }
        let Some(candidate) = self.best_candidate().filter(|one| one.ready && self.may_probe(one)) else {
            return;
        };
        let fresh = !self.documents.key_wanted && self.documents.reading.is_idle();
        if !fresh || !self.writing.may_start(ctx.now) {
            return;
        }
        let promotion = self.promotion_of(candidate);
        let cas = self.documents.key_version;
        let attempt = self.writing.start(&mut self.attempts);
        out.actions.push(Action::StoreKey { attempt, cas, promotion: promotion.clone() });
        self.pending = Some(promotion);
    }

    /// The old key is the current one (or the earlier one that somebody put back over it); its grace begins with the
    /// rotation.
    fn promotion_of(&self, candidate: &Candidate) -> Promotion {
        let current = self.current.as_ref().map(|current| current.fingerprint).or(self.removed_key());
        let current = current.filter(|current| self.documents.unheld != Some(*current));
        let previous =
            current.filter(|current| *current != candidate.fingerprint).or(self.documents.reverted);
        let written = self.documents.key.as_ref().map_or(0, |document| document.generation);
        let noted = self.memory.current.map_or(0, |noted| noted.generation);
        // A document that was deleted or written anew may count less than what was handed out already.
        let given = self.consumers.values().filter_map(|consumer| consumer.delivered).max();
        let handed = self.memory.settled.max(given.unwrap_or_default());
        Promotion {
            fingerprint: candidate.fingerprint,
            previous,
            generation: self.generation().max(written).max(noted).max(handed) + 1,
            rotated_at: candidate.rotated_at,
            rotation_id: candidate.rotation_id,
            previous_expires_at: previous.and(self.end_of_replaced(candidate)),
        }
    }

    /// The key whose document was removed; consumers may work with it still.
    fn removed_key(&self) -> Option<Fingerprint> {
        let removed = |known: &&Candidate| known.origin == Origin::Former && known.held.is_some();
        self.candidates.iter().filter(|_| self.documents.deleted).find(removed).map(|known| known.fingerprint)
    }

    pub(super) fn key_stored(
        &mut self,
        attempt: Attempt,
        outcome: WriteOutcome,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        if !self.writing.finish(attempt) {
            return;
        }
        // Written or not, what counts is what the store says next.
        self.documents.key_wanted = true;
        match outcome {
            WriteOutcome::Written { .. } => self.store_worked(Call::StoreKey, out),
            WriteOutcome::Mismatch => {
                self.pending = None;
                self.documents.state_wanted = true;
                self.store_worked(Call::StoreKey, out);
            }
            WriteOutcome::Unknown(why) => {
                self.write_failed(ctx);
                self.store_failed(Call::StoreKey, StoreTrouble::Unreachable(why), out);
            }
            WriteOutcome::Failed(trouble) => {
                self.pending = None;
                self.write_failed(ctx);
                self.store_failed(Call::StoreKey, trouble, out);
            }
        }
    }
    fn write_failed(&mut self, ctx: Ctx<'_>) {
        let salt = salt(&[self.settings.name.as_str(), "write"]);
        let cap = backoff_cap(self.time_left(ctx), ctx.limits);
        self.writing.failed(ctx.now, cap, salt, ctx.limits);
        self.documents.reading.wait_until(self.writing.waits_until().unwrap_or(ctx.now));
    }
}
