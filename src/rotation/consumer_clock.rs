//! A consumer, when this machine's clock was set back.

use super::consumer::ConsumerState;
use crate::domain::Timestamp;

impl ConsumerState {
    /// What was seen by a clock that was ahead was seen at the latest now.
    pub fn clock_went_back(&mut self, now: Timestamp) {
        self.task.clock_went_back(now);
        self.rehearsal.clock_went_back(now);
        self.heals.iter_mut().for_each(|at| *at = (*at).min(now));
        let moments = [&mut self.delivered_at, &mut self.unproven_since].into_iter().flatten();
        let shown = self.shown.iter_mut().flat_map(|shown| [&mut shown.at, &mut shown.since]);
        moments.chain(shown).for_each(|at| *at = (*at).min(now));
    }
}
