//! The vendor's rate limit, of which keyrelay uses a tenth, half of that reserved for candidates. Probes past it wait
//! in line.

use super::effect::Purpose;
use crate::domain::{CredentialName, Fingerprint, Limits, Timestamp, Verdict};
use std::{collections::VecDeque, time::Duration};

/// A probe that waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub name: CredentialName,
    pub attempt: u64,
    pub fingerprint: Fingerprint,
    pub purpose: Purpose,
    pub fresh_connection: bool,
}

/// One origin's meter, and what its control showed.
#[derive(Debug, Clone)]
pub(super) struct Meter {
    limit: (u32, Duration),
    sent: VecDeque<(Timestamp, Purpose)>,
    waiting: VecDeque<Waiting>,
    /// The last answer to a random key.
    pub control: Option<(Verdict, Timestamp)>,
    pub control_in_flight: bool,
    controls: VecDeque<Timestamp>,
}

const HOUR: Duration = Duration::from_secs(3_600);

impl Meter {
    pub fn new(limit: (u32, Duration)) -> Self {
        let (sent, waiting, controls) = Default::default();
        Self { limit, sent, waiting, control: None, control_in_flight: false, controls }
    }
    fn allowance(&self, limits: &Limits) -> usize {
        (self.limit.0 / limits.vendor_limit_part).max(2) as usize
    }
    /// How many routine probes fit into a period: what many credentials of one origin share.
    pub fn routine_period(&self, credentials: u32, limits: &Limits) -> Duration {
        let each = u32::try_from(self.allowance(limits) / 2).unwrap_or(1).max(1);
        self.limit.1 * credentials.div_ceil(each)
    }
    fn may_send(&self, purpose: Purpose, now: Timestamp, limits: &Limits) -> bool {
        let recent = || self.sent.iter().filter(|(at, _)| now.since(*at) < self.limit.1);
        let allowance = self.allowance(limits);
        match purpose {
            Purpose::Candidate => recent().count() < allowance,
            Purpose::Routine => {
                let routine = recent().filter(|(_, purpose)| *purpose == Purpose::Routine).count();
                routine < allowance.div_ceil(2) && recent().count() < allowance
            }
        }
    }
    fn count(&mut self, purpose: Purpose, now: Timestamp) {
        let period = self.limit.1;
        self.sent.retain(|(at, _)| now.since(*at) < period);
        self.sent.push_back((now, purpose));
    }

    pub fn enqueue(&mut self, probe: Waiting) {
        match probe.purpose {
            Purpose::Candidate => {
                let behind = self.waiting.iter().position(|other| other.purpose == Purpose::Routine);
                self.waiting.insert(behind.unwrap_or(self.waiting.len()), probe);
            }
            Purpose::Routine => self.waiting.push_back(probe),
        }
    }
    /// The probes that may go now, in their order.
    pub fn release(&mut self, now: Timestamp, limits: &Limits) -> Vec<Waiting> {
        let mut released = Vec::new();
        while let Some(next) = self.waiting.front().filter(|next| self.may_send(next.purpose, now, limits)) {
            let purpose = next.purpose;
            released.extend(self.waiting.pop_front());
            self.count(purpose, now);
        }
        released
    }
    pub fn next_release_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.waiting.front()?;
        self.sent.iter().map(|(at, _)| *at + self.limit.1).filter(|at| *at > now).min()
    }

    /// A request that is meant to fail: counted apart, too.
    pub fn may_control(&mut self, now: Timestamp, limits: &Limits) -> bool {
        self.controls.retain(|at| now.since(*at) < HOUR);
        let fits = (self.controls.len() as u32) < limits.failing_per_hour
            && self.may_send(Purpose::Candidate, now, limits);
        let due = match self.control {
            None => true,
            // A blind vendor, or one that did not answer, is asked again; not with every breath.
            Some((Verdict::Alive, at)) => now.since(at) >= HOUR / limits.failing_per_hour.max(1),
            Some((Verdict::Dead | Verdict::Unclear, at)) => now.since(at) > limits.control_every,
        };
        let may = fits && due && !self.control_in_flight;
        if may {
            self.controls.push_back(now);
            self.count(Purpose::Candidate, now);
            self.control_in_flight = true;
        }
        may
    }
    pub fn next_control_at(&self, limits: &Limits) -> Option<Timestamp> {
        match self.control {
            Some((Verdict::Alive, at)) if !self.control_in_flight => {
                Some(at + HOUR / limits.failing_per_hour.max(1))
            }
            Some(_) | None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(attempt: u64, purpose: Purpose) -> Waiting {
        let fingerprint = "0123456789abcdef".parse().unwrap();
        Waiting {
            name: "leaf7-main".parse().unwrap(),
            attempt,
            fingerprint,
            purpose,
            fresh_connection: false,
        }
    }
    fn attempts(released: &[Waiting]) -> Vec<u64> {
        released.iter().map(|probe| probe.attempt).collect()
    }

    #[test]
    fn a_tenth_of_the_limit_is_used_and_half_of_it_is_kept_for_candidates() {
        let (limits, now) = (Limits::default(), Timestamp::from_secs(1_000));
        let mut meter = Meter::new((60, Duration::from_secs(60)));
        (0..6).for_each(|attempt| meter.enqueue(probe(attempt, Purpose::Routine)));
        assert_eq!(attempts(&meter.release(now, &limits)), [0, 1, 2]);
        (6..10).for_each(|attempt| meter.enqueue(probe(attempt, Purpose::Candidate)));
        assert_eq!(attempts(&meter.release(now, &limits)), [6, 7, 8]);
        assert_eq!(meter.next_release_at(now), Some(now + Duration::from_secs(60)));
        assert_eq!(attempts(&meter.release(now + Duration::from_secs(60), &limits)), [9, 3, 4, 5]);
    }

    #[test]
    fn a_random_key_is_tried_once_a_day_and_again_soon_while_the_vendor_is_blind() {
        let (limits, now) = (Limits::default(), Timestamp::from_secs(1_000_000));
        let mut meter = Meter::new((60, Duration::from_secs(60)));
        assert!(meter.may_control(now, &limits));
        assert!(!meter.may_control(now, &limits), "in flight");
        (meter.control, meter.control_in_flight) = (Some((Verdict::Dead, now)), false);
        assert!(!meter.may_control(now + HOUR, &limits));
        assert!(meter.may_control(now + 25 * HOUR, &limits));
        (meter.control, meter.control_in_flight) = (Some((Verdict::Alive, now + 25 * HOUR)), false);
        assert!(meter.may_control(now + 25 * HOUR + HOUR / 10, &limits));
    }
}
