//! A consumer that is only observed: it is compared and asked, and nothing is given to it.

use super::{
    consumer::{Baton, ConsumerState, Step},
    settings::{Delivery, Proof},
};

const WOULD_WRITE: &str = "its copy is not the current key: keyrelay would write it, and only observes";
const WOULD_HAND: &str = "keyrelay would hand it the current key by its command, and only observes";

impl ConsumerState {
    pub(super) fn leave_out_what_is_not_done(&mut self, baton: Baton<'_>) {
        match baton.observe {
            true => self.only_look(baton),
            false => self.skip_what_is_not_needed(baton),
        }
    }
    fn only_look(&mut self, baton: Baton<'_>) {
        self.forced = false;
        match self.step {
            Step::Deliver | Step::Act => self.step = Step::Compare,
            Step::Compare | Step::Prove | Step::Rest => {}
        }
        let by_command = self.step == Step::Compare
            && self.policy.delivery == Delivery::Command
            && self.delivered != Some(baton.generation);
        match (by_command, self.policy.proof) {
            (true, Proof::ByDelivery) => self.not_proven(WOULD_HAND.into(), baton),
            (true, Proof::Asked | Proof::Report { .. }) => self.step = Step::Prove,
            (false, _) => self.skip_what_is_not_needed(baton),
        }
    }

    /// A copy that is missing, or another key's. The consumer may have the current key by another way: where it can be
    /// asked, it is.
    pub(super) fn miss_copy(&mut self, baton: Baton<'_>) {
        match self.policy.proof {
            Proof::ByDelivery => self.not_proven(WOULD_WRITE.into(), baton),
            Proof::Asked | Proof::Report { .. } => {
                self.error = Some(WOULD_WRITE.into());
                self.task.succeeded();
                self.step = Step::Prove;
            }
        }
    }

    /// Somebody else made another key the current one: what was given of the one before says nothing of it.
    pub(super) fn key_came_from_elsewhere(&mut self) {
        (self.delivered, self.acted) = (None, None);
    }
}
