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
        let index = (0..self.queue.len()).find(|index| self.may_go(*index, limits))?;
        let notice = self.queue.remove(index)?;
        self.queue.push_front(notice.clone());
        self.task.pause();
        self.sending = Some((notice.incident.clone(), notice.step));
        Some(notice)
    }
    /// Steps and ends go past the hour's limit, but never before the beginning of their own incident.
    fn may_go(&self, index: usize, limits: &Limits) -> bool {
        let Some(notice) = self.queue.get(index) else { return false };
        let begun = self.queue.iter().take(index).all(|earlier| earlier.incident != notice.incident);
        begun && (notice.step > 0 || !self.is_full(limits))
    }
    fn is_full(&self, limits: &Limits) -> bool {
        self.sent.len() >= limits.notices_per_hour as usize
    }

    /// It is out.
    pub fn sent(&mut self, incident: &str, step: u32, now: Timestamp) -> Option<Notice> {
        let notice = self.remove(incident, step)?;
        if step == 0 {
            self.sent.push_back(now);
        }
        self.last_sent_at = Some(now);
        Some(notice)
    }
    /// It will never be sent.
    pub fn given_up(&mut self, incident: &str, step: u32) -> Option<Notice> {
        self.remove(incident, step)
    }
    fn remove(&mut self, incident: &str, step: u32) -> Option<Notice> {
        if !self.finish(incident, step) {
            return None;
        }
        self.task.succeeded();
        let this = |notice: &Notice| notice.incident == incident && notice.step == step;
        let index = self.queue.iter().position(this)?;
        self.queue.remove(index)
    }
    pub fn failed(&mut self, incident: &str, step: u32, now: Timestamp, limits: &Limits) {
        if self.finish(incident, step) {
            self.task.failed(now, limits.backoff_cap_max, salt(&["alerts"]), limits);
        }
    }
    fn finish(&mut self, incident: &str, step: u32) -> bool {
        self.sending.take_if(|(id, number)| id == incident && *number == step).is_some()
    }
    pub fn next_deadline(&self, limits: &Limits) -> Option<Timestamp> {
        self.queue.front().filter(|_| self.sending.is_none())?;
        let room_at = self.sent.front().map(|at| *at + HOUR).filter(|_| self.is_full(limits));
        self.task.waits_until().max(room_at)
    }
}
