//! The sign of life that somebody else listens for: given while all is well, so that silence says the opposite.

use crate::domain::Timestamp;
use std::time::Duration;

#[derive(Debug, Clone, Default)]
pub(super) struct Heartbeat {
    /// `None`: nobody listens.
    every: Option<Duration>,
    due_at: Option<Timestamp>,
    beating: bool,
    failures: u32,
    pub last_ok_at: Option<Timestamp>,
}

/// While it may not be given, whether it may is looked at again after one part in so many of its period.
const LOOK_PART: u32 = 10;
const LOOK_MIN: Duration = Duration::from_secs(1);

impl Heartbeat {
    pub fn configure(&mut self, every: Option<Duration>, now: Timestamp) {
        if self.every != every {
            (self.every, self.due_at) = (every, every.map(|_| now));
        }
    }
    pub fn clock_went_back(&mut self, now: Timestamp) {
        let moments = [&mut self.due_at, &mut self.last_ok_at];
        moments.into_iter().flatten().for_each(|at| *at = (*at).min(now));
    }
    pub fn is_wanted(&self) -> bool {
        self.every.is_some()
    }
    pub fn is_due(&self, now: Timestamp) -> bool {
        !self.beating && self.due_at.is_some_and(|at| at <= now)
    }
    pub fn beats(&mut self, now: Timestamp) {
        self.beating = true;
        self.due_at = self.every.map(|every| now + every);
    }
    pub fn waits(&mut self, now: Timestamp) {
        self.due_at = self.every.map(|every| now + (every / LOOK_PART).max(LOOK_MIN));
    }
    pub fn ended(&mut self, well: bool, now: Timestamp) {
        self.beating = false;
        if well {
            (self.failures, self.last_ok_at) = (0, Some(now));
        } else {
            self.failures = self.failures.saturating_add(1);
        }
    }
    /// In a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.due_at.filter(|_| !self.beating)
    }
}
