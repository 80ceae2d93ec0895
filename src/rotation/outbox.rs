//! Notices on their way out: at most so many an hour, ladder steps excepted; tried again until they are gone.

use super::task::{Task, salt};
use crate::domain::{Limits, Notice, Timestamp};
use std::{collections::VecDeque, time::Duration};

#[derive(Debug, Clone, Default)]
pub(super) struct Outbox {
    queue: VecDeque<Notice>,
    /// The notice that is being sent.
    sending: Option<(String, u32)>,
    task: Task,
    sent: VecDeque<Timestamp>,
    pub last_sent_at: Option<Timestamp>,
}

const HOUR: Duration = Duration::from_secs(3_600);

impl Outbox {
    pub fn push(&mut self, notice: Notice) {
        self.queue.push_back(notice);
    }
    pub fn queued(&self) -> usize {
        self.queue.len()
    }
    pub fn failures(&self) -> u32 {
        self.task.failures()
    }
    /// The next notice to send, if one may go now. The same notice is offered again after a failure.
    pub fn next(&mut self, now: Timestamp, limits: &Limits) -> Option<Notice> {
        self.sent.retain(|at| now.since(*at) < HOUR);
        if self.sending.is_some() || !self.task.may_start(now) {
            return None;
        }
        let full = self.sent.len() >= limits.notices_per_hour as usize;
        let may_go = |notice: &Notice| !full || notice.step > 0;
        let index = self.queue.iter().position(may_go)?;
        let notice = self.queue.remove(index)?;
        self.queue.push_front(notice.clone());
        self.sending = Some((notice.incident.clone(), notice.step));
        Some(notice)
    }
    /// It is gone, whether it was sent or will never be.
    pub fn done(&mut self, incident: &str, step: u32, now: Timestamp) {
        if self.finish(incident, step) {
            if step == 0 {
                self.sent.push_back(now);
            }
            self.task.succeeded();
            self.last_sent_at = Some(now);
            self.queue.retain(|notice| !(notice.incident == incident && notice.step == step));
        }
    }
    pub fn failed(&mut self, incident: &str, step: u32, now: Timestamp, limits: &Limits) {
        if self.finish(incident, step) {
            self.task.failed(now, limits.backoff_cap_max, salt(&["alerts"]), limits);
        }
    }
    fn finish(&mut self, incident: &str, step: u32) -> bool {
        self.sending.take_if(|(id, number)| id == incident && *number == step).is_some()
    }
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.queue.front()?;
        let full_until = self.sent.front().map(|at| *at + HOUR);
        self.task.waits_until().or(full_until.filter(|_| self.sending.is_none()))
    }
}
