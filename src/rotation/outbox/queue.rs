//! What waits to be told on one way out, and what was told: all of it outlives the process.

use super::Pushed;
use crate::domain::{CredentialName, Notice, Severity, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Everything of one way out that must not be lost.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    #[serde(default)]
    pub(super) queue: VecDeque<Waiting>,
    /// When, within the last hour, a notice went out alone …
    #[serde(default)]
    pub(super) sent: VecDeque<Timestamp>,
    /// … and when several did as one.
    #[serde(default)]
    pub(super) summed_up_at: Option<Timestamp>,
    /// The last that were told.
    #[serde(default)]
    told: VecDeque<(String, u32)>,
    #[serde(default)]
    pub(super) last_sent_at: Option<Timestamp>,
}

/// A notice in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub notice: Notice,
    /// It sums these up.
    #[serde(default)]
    pub sums_up: Vec<Told>,
    /// How often its receiver refused it.
    #[serde(default)]
    pub refusals: u32,
    #[serde(default)]
    pub not_before: Option<Timestamp>,
}

/// One step of one incident that somebody knows of now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    pub incident: String,
    pub step: u32,
    pub resolved: bool,
    pub severity: Severity,
    pub credential: Option<CredentialName>,
}

impl Told {
    pub fn of(notice: &Notice) -> Self {
        let Notice { incident, step, resolved, severity, credential, .. } = notice.clone();
        Self { incident, step, resolved, severity, credential }
    }
}

impl Waiting {
    pub fn new(notice: Notice) -> Self {
        Self { notice, sums_up: Vec::new(), refusals: 0, not_before: None }
    }
    pub fn is(&self, incident: &str, step: u32) -> bool {
        self.notice.incident == incident && self.notice.step == step
    }
    pub fn speaks_of(&self, incident: &str) -> bool {
        self.notice.incident == incident || self.sums_up.iter().any(|told| told.incident == incident)
    }
    /// What is told when this is out: itself, or what it sums up.
    pub fn told(&self) -> Vec<Told> {
        self.sums_up.iter().cloned().chain([Told::of(&self.notice)]).collect()
    }
}

impl Kept {
    pub fn forget_credentials(&mut self) {
        self.queue.retain(|waiting| waiting.notice.credential.is_none() && waiting.sums_up.is_empty());
    }
    /// How many wait.
    pub fn len(&self) -> usize {
        self.queue.len()
    }
    /// What was noted by a clock that was ahead, which a restart brings back as well.
    pub fn clock_went_back(&mut self, now: Timestamp, refused_retry: std::time::Duration) {
        self.sent.iter_mut().for_each(|at| *at = (*at).min(now));
        let moments = [&mut self.summed_up_at, &mut self.last_sent_at];
        moments.into_iter().flatten().for_each(|at| *at = (*at).min(now));
        let waiting = self.queue.iter_mut().filter_map(|waiting| waiting.not_before.as_mut());
        waiting.for_each(|at| *at = (*at).min(now + refused_retry));
    }
    pub fn was_told(&self, incident: &str, step: u32) -> bool {
        self.told.iter().any(|(id, number)| id == incident && *number == step)
    }
    pub(super) fn remember(&mut self, told: &[Told], most: usize) {
        self.told.extend(told.iter().map(|told| (told.incident.clone(), told.step)));
        self.told.drain(..self.told.len().saturating_sub(most));
    }

    /// A later step takes the place of an earlier one that was not sent: who reads it late reads how things are.
    pub(super) fn push(&mut self, notice: Notice, in_flight: Option<&(String, u32)>) -> Pushed {
        let known = |waiting: &Waiting| {
            waiting.speaks_of(&notice.incident) && waiting.step_of(&notice) >= notice.step
        };
        if self.queue.iter().any(known) {
            return Pushed::Waits;
        }
        let flies = |waiting: &Waiting| in_flight.is_some_and(|(id, step)| waiting.is(id, *step));
        let earlier = |waiting: &&mut Waiting| waiting.notice.incident == notice.incident && !flies(waiting);
        match self.queue.iter_mut().find(earlier) {
            Some(earlier) => *earlier = Waiting::new(notice),
            None => self.queue.push_back(Waiting::new(notice)),
        }
        Pushed::New
    }
    /// Gives up the oldest of the least weight; whether there was one.
    pub(super) fn drop_one(&mut self, in_flight: Option<&(String, u32)>) -> bool {
        let stays = |waiting: &Waiting| in_flight.is_some_and(|(id, step)| waiting.is(id, *step));
        let weight = |(_, waiting): &(usize, &Waiting)| (waiting.notice.severity, !waiting.notice.resolved);
        let loose = self.queue.iter().enumerate().filter(|(_, waiting)| !stays(waiting));
        let least = loose.min_by_key(weight).map(|(index, _)| index);
        least.and_then(|index| self.queue.remove(index)).is_some()
    }
    pub(super) fn take(&mut self, incident: &str, step: u32) -> Option<Waiting> {
        let index = self.queue.iter().position(|waiting| waiting.is(incident, step))?;
        self.queue.remove(index)
    }
}

impl Waiting {
    /// The step at which this one speaks of the notice's incident.
    fn step_of(&self, notice: &Notice) -> u32 {
        let summed = self.sums_up.iter().find(|told| told.incident == notice.incident);
        summed.map_or(self.notice.step, |told| told.step)
    }
}
