//! One way out for notices: in order, tried again until they are gone, and never more than their reader can read.

mod queue;
mod summary;

#[cfg(test)]
mod tests;

pub use queue::{Kept, Told};

use super::task::{Task, salt};
use crate::domain::{Limits, Notice, Timestamp};
use queue::Waiting;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The ways out; each has its own queue, so that one that fails holds the other up by nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// To people: so many an hour, the rest summed up.
    Mail,
    /// To a program: every step of every incident.
    Webhook,
}

const HOUR: Duration = Duration::from_secs(3_600);

/// What became of a notice that was to be queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits now, or took the place of an earlier step.
    New,
    /// It, or a later step, waits already.
    Waits,
    /// It was told before.
    Told,
}

#[derive(Debug, Clone)]
pub(super) struct Outbox {
    channel: Channel,
    kept: Kept,
    /// The notice that is being sent.
    sending: Option<(String, u32)>,
    task: Task,
    /// Given up since somebody asked.
    dropped: u32,
}

impl Outbox {
    /// With what an earlier process left.
    pub fn new(channel: Channel, kept: Kept) -> Self {
        Self { channel, kept, sending: None, task: Task::default(), dropped: 0 }
    }
    pub fn kept(&self) -> &Kept {
        &self.kept
    }
    pub fn queued(&self) -> usize {
        self.kept.queue.len()
    }
    pub fn last_sent_at(&self) -> Option<Timestamp> {
        self.kept.last_sent_at
    }
    /// How often in a row nothing could be sent.
    pub fn failures(&self) -> u32 {
        self.task.failures()
    }
    pub fn works(&self) -> bool {
        self.task.failures() == 0 && self.kept.queue.iter().all(|waiting| waiting.refusals == 0)
    }
    /// Its address has changed: what waits is tried at once.
    pub fn retry_now(&mut self) {
        self.task.retry_now();
        self.kept.queue.iter_mut().for_each(|waiting| waiting.not_before = None);
    }
    pub fn clock_went_back(&mut self, now: Timestamp, limits: &Limits) {
        self.task.clock_went_back(now);
        self.kept.clock_went_back(now, limits.refused_retry);
    }
    /// How many notices were given up since the last time.
    pub fn take_dropped(&mut self) -> u32 {
        std::mem::take(&mut self.dropped)
    }

    pub fn push(&mut self, notice: Notice, limits: &Limits) -> Pushed {
        if self.kept.was_told(&notice.incident, notice.step) {
            return Pushed::Told;
        }
        let in_flight = self.sending.clone();
        let pushed = self.kept.push(notice, in_flight.as_ref());
        while self.kept.queue.len() > limits.queued_notices && self.kept.drop_one(in_flight.as_ref()) {
            self.dropped += 1;
        }
        pushed
    }

    /// The next notice to send, if one may go now. The same notice is offered again after a failure.
    /// `may_go`: whether what it says would be known to whoever takes over.
    pub fn next(
        &mut self,
        now: Timestamp,
        limits: &Limits,
        may_go: impl Fn(&Notice) -> bool,
    ) -> Option<Notice> {
        self.kept.sent.retain(|at| now.since(*at) < HOUR);
        if self.sending.is_some() || !self.task.may_start(now) {
            return None;
        }
        self.sum_up(now, limits);
        let index = (0..self.queued()).find(|index| {
            let goes = self.kept.queue.get(*index).is_some_and(|waiting| may_go(&waiting.notice));
            goes && self.ready_at(*index, now, limits).is_none_or(|at| at <= now)
        })?;
        let notice = self.kept.queue.get(index)?.notice.clone();
        self.task.pause();
        self.sending = Some((notice.incident.clone(), notice.step));
        Some(notice)
    }
    /// When the time of this one comes; `None`: it is here. A step never goes before the beginning of its own incident.
    fn ready_at(&self, index: usize, now: Timestamp, limits: &Limits) -> Option<Timestamp> {
        let waiting = self.kept.queue.get(index)?;
        let room_at = self.room_at(now, limits).filter(|_| self.is_limited(waiting));
        let earlier = self.kept.queue.iter().take(index);
        let behind = earlier.filter(|earlier| earlier.speaks_of(&waiting.notice.incident));
        behind.filter_map(|earlier| earlier.not_before).chain(room_at).chain(waiting.not_before).max()
    }

    /// It is out. Gives everything that is told with it.
    pub fn sent(&mut self, incident: &str, step: u32, now: Timestamp, limits: &Limits) -> Vec<Told> {
        let Some(waiting) = self.remove(incident, step) else { return Vec::new() };
        self.task.succeeded();
        if self.is_limited(&waiting) {
            self.note_sent(now, limits);
        }
        self.kept.last_sent_at = Some(now);
        let told = waiting.told();
        self.kept.remember(&told, limits.remembered_notices);
        told
    }
    pub fn failed(&mut self, incident: &str, step: u32, now: Timestamp, limits: &Limits) {
        if self.finish(incident, step) {
            self.task.failed(now, limits.backoff_cap_max, salt(&["alerts"]), limits);
        }
    }
    /// The receiver will not take this one; the others go on. It is offered again later, and given up in the end.
    pub fn refused(&mut self, incident: &str, step: u32, now: Timestamp, limits: &Limits) -> Vec<Told> {
        if !self.finish(incident, step) {
            return Vec::new();
        }
        let this = |waiting: &&mut Waiting| waiting.is(incident, step);
        let Some(waiting) = self.kept.queue.iter_mut().find(this) else { return Vec::new() };
        waiting.refusals += 1;
        waiting.not_before = Some(now + limits.refused_retry);
        if waiting.refusals < limits.refused_tries {
            return Vec::new();
        }
        self.dropped += 1;
        self.kept.take(incident, step).map(|waiting| waiting.told()).unwrap_or_default()
    }
    fn remove(&mut self, incident: &str, step: u32) -> Option<Waiting> {
        self.finish(incident, step).then(|| self.kept.take(incident, step)).flatten()
    }
    fn finish(&mut self, incident: &str, step: u32) -> bool {
        self.sending.take_if(|(id, number)| id == incident && *number == step).is_some()
    }

    pub fn next_deadline(&self, now: Timestamp, limits: &Limits) -> Option<Timestamp> {
        if self.sending.is_some() || self.kept.queue.is_empty() {
            return None;
        }
        let ready_at = (0..self.queued()).map(|index| self.ready_at(index, now, limits)).min()?;
        ready_at.max(self.task.waits_until())
    }
}
