//! This machine's clock may be set back, by minutes or by years.

use super::Fleet;
use crate::domain::Timestamp;
use crate::rotation::effect::Effect;

impl Fleet {
    /// Called with every moment that is told. Less than what clocks may differ by is waited for.
    pub(super) fn follow_clock(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let went_back = self.latest.since(now) > self.settings.limits.clock_skew;
        self.latest = now;
        if !went_back {
            return;
        }
        let limits = self.settings.limits.clone();
        self.meters.values_mut().for_each(|meter| meter.clock_went_back(now));
        self.mailboxes.values_mut().for_each(|mailbox| mailbox.clock_went_back(now));
        self.outboxes.values_mut().for_each(|outbox| outbox.clock_went_back(now, &limits));
        self.incidents.clock_went_back(now);
        self.store.clock_went_back(now);
        self.keeping.clock_went_back(now);
        self.rotations.values_mut().for_each(|rotation| rotation.clock_went_back(now, &limits));
        self.step_all(now, effects);
    }
}
