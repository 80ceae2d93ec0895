//! This machine's clock may be set, by minutes or by years, and nobody here knows which of its times is right. What
//! others show of theirs decides: no deadline has passed on this clock alone.

use super::Fleet;
use crate::domain::{Code, Severity, Timestamp};
use crate::rotation::{effect::Effect, incident::Report};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What is known of this machine's clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock {
    /// How far it is ahead of others' that differ by minutes; zero where it is behind.
    apart: BTreeMap<String, Duration>,
    /// Whose agree with it.
    agreed: BTreeSet<String>,
    ahead: Option<SetAhead>,
}

/// It was set ahead, and nobody has shown his since.
#[derive(Debug, Clone, Copy)]
struct SetAhead {
    by: Duration,
    at: Timestamp,
}

impl Clock {
    /// Without having been set it would say `before`.
    fn was_set(&mut self, before: Timestamp, now: Timestamp, skew: Duration) {
        let (on, back) = (now.since(before), before.since(now));
        let by = (self.ahead.map_or(Duration::ZERO, |ahead| ahead.by) + on).saturating_sub(back);
        self.ahead = Some(SetAhead { by, at: now }).filter(|_| by > skew);
        for ahead in self.apart.values_mut() {
            *ahead = (*ahead + on).saturating_sub(back);
        }
        if on.max(back) > skew {
            self.agreed.clear();
        }
    }
    /// Up to when deadlines have passed. Where nobody shows his clock for as long as `patience`, this one must do.
    pub(super) fn passed(&self, now: Timestamp, patience: Duration) -> Timestamp {
        let unsure = self.ahead.filter(|ahead| now.since(ahead.at) < patience).map(|ahead| ahead.by);
        let others = self.apart.values().copied().filter(|_| self.agreed.is_empty());
        now - others.chain(unsure).max().unwrap_or_default()
    }
    pub(super) fn agrees(&self, now: Timestamp, patience: Duration) -> bool {
        self.apart.is_empty() && self.ahead.is_none_or(|ahead| now.since(ahead.at) >= patience)
    }
}

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
        self.heartbeat.clock_went_back(now);
        self.digest.clock_went_back(now);
        self.rotations.values_mut().for_each(|rotation| rotation.clock_went_back(now, &limits));
        self.step_all(now, effects);
    }

    /// Others' clocks are asked for at once, and until then nothing is late.
    pub(super) fn clock_was_set(&mut self, before: Timestamp, now: Timestamp, effects: &mut Vec<Effect>) {
        self.clock.was_set(before, now, self.settings.limits.clock_skew);
        effects.push(Effect::CheckStore);
        self.step_all(now, effects);
    }
    /// Up to this moment deadlines have passed, as far as others' clocks show it.
    pub fn passed(&self, now: Timestamp) -> Timestamp {
        self.clock.passed(now, self.settings.limits.unconfirmed_after)
    }

    pub(super) fn compare_clock(&mut self, whose: &str, theirs: Timestamp, now: Timestamp) {
        let apart = now.since(theirs).max(theirs.since(now)) > self.settings.limits.clock_skew;
        self.clock.ahead = None;
        if !apart {
            self.clock.agreed.insert(whose.to_owned());
            self.clock.apart.remove(whose);
            return self.incidents.clear(Code::ClockSkewed, whose);
        }
        self.clock.agreed.remove(whose);
        self.clock.apart.insert(whose.to_owned(), now.since(theirs));
        let message = format!("this machine's clock ({now}) and {whose} ({theirs}) differ");
        let report = Report::new(Code::ClockSkewed, Severity::Warning, message, "timedatectl status")
            .about(whose)
            .breaks("grace periods and deadlines are judged by a clock that may be wrong")
            .doing("no old key is removed, and no key is put back, until the clocks agree");
        self.incidents.raise(now, report);
    }
}
