//! The vendor's rate limit, of which keyrelay uses a tenth, half of that reserved for candidates. Probes past it wait
//! in line. An operator's own calls may use half of the limit, what probes have used of it included; they take nothing
//! from the probes' tenth.

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
    /// How often each of the credentials that share it may be asked by the schedule.
    pub routine_period: Duration,
    sent: VecDeque<(Timestamp, Purpose)>,
    waiting: VecDeque<Waiting>,
    /// An operator's calls, each with its weight.
    calls: VecDeque<(Timestamp, u32)>,
    /// The last answer to a random key.
    pub control: Option<(Verdict, Timestamp)>,
    /// A random key should be tried, in the shape of this credential's.
    control_wanted: Option<CredentialName>,
    control_in_flight: bool,
    controls: VecDeque<Timestamp>,
}

const HOUR: Duration = Duration::from_secs(3_600);

impl Meter {
    pub fn new(limit: (u32, Duration)) -> Self {
        let (sent, waiting, calls, controls) = Default::default();
        Self {
            limit,
            routine_period: Duration::ZERO,
            sent,
            waiting,
            calls,
            control: None,
            control_wanted: None,
            control_in_flight: false,
            controls,
        }
    }
    pub fn share(&mut self, credentials: u32, limits: &Limits) {
        let each = u32::try_from(self.allowance(limits) / 2).unwrap_or(1).max(1);
        self.routine_period = self.limit.1 * credentials / each;
    }
    fn allowance(&self, limits: &Limits) -> usize {
        (self.limit.0 / limits.vendor_limit_part).max(2) as usize
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
    /// When `may_send` next becomes true, as far as what was sent decides.
    fn may_send_at(&self, purpose: Purpose, limits: &Limits) -> Option<Timestamp> {
        let mut moments: Vec<_> = self.sent.iter().map(|(at, _)| *at + self.limit.1).collect();
        moments.sort();
        moments.into_iter().find(|at| self.may_send(purpose, *at, limits))
    }
    pub fn count(&mut self, purpose: Purpose, now: Timestamp) {
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
    pub fn next_release_at(&self, limits: &Limits) -> Option<Timestamp> {
        self.may_send_at(self.waiting.front()?.purpose, limits)
    }

    /// Requests of a clock that was ahead count as sent now; its answer to a random key counts for nothing.
    pub fn clock_went_back(&mut self, now: Timestamp) {
        self.sent.iter_mut().for_each(|(at, _)| *at = (*at).min(now));
        self.calls.iter_mut().for_each(|(at, _)| *at = (*at).min(now));
        self.controls.iter_mut().for_each(|at| *at = (*at).min(now));
        self.control = self.control.filter(|(_, at)| *at <= now);
    }
    /// An operator's call goes now, or not before the moment that is named. One of which the vendor lets only half as
    /// many through weighs two.
    pub fn call(&mut self, weight: u32, now: Timestamp, limits: &Limits) -> Result<(), Timestamp> {
        let (requests, period) = self.limit;
        self.calls.retain(|(at, _)| now.since(*at) < period);
        let probes = self.sent.iter().map(|(at, _)| (*at, 1)).filter(|(at, _)| now.since(*at) < period);
        let mut spent: Vec<_> = self.calls.iter().copied().chain(probes).collect();
        spent.sort();
        let room = (requests / limits.call_limit_part).max(weight) - weight;
        let mut used: u32 = spent.iter().map(|(_, weight)| weight).sum();
        let mut fits_at = now;
        for (at, weight) in spent {
            if used <= room {
                break;
            }
            used -= weight;
            fits_at = at + period;
        }
        if fits_at > now {
            return Err(fits_at);
        }
        self.calls.push_back((now, weight));
        Ok(())
    }

    pub fn want_control(&mut self, name: &CredentialName) {
        self.control_wanted.get_or_insert_with(|| name.clone());
    }
    pub fn forget_control(&mut self) {
        self.control_wanted = None;
    }
    /// A random key is due: one request that is meant to fail.
    pub fn release_control(&mut self, now: Timestamp, limits: &Limits) -> Option<CredentialName> {
        self.control_wanted.as_ref().filter(|_| !self.control_in_flight)?;
        if self.control_due_at(limits).is_some_and(|at| at > now) || !self.control_fits(now, limits) {
            return None;
        }
        self.controls.push_back(now);
        self.count(Purpose::Candidate, now);
        self.control_in_flight = true;
        self.control_wanted.take()
    }
    pub fn control_finished(&mut self, verdict: Verdict, now: Timestamp) {
        (self.control, self.control_in_flight) = (Some((verdict, now)), false);
        self.control_wanted = None; // whoever is not content with that says so again
    }
    fn control_fits(&mut self, now: Timestamp, limits: &Limits) -> bool {
        self.controls.retain(|at| now.since(*at) < HOUR);
        self.controls.len() < limits.failing_per_hour as usize
            && self.may_send(Purpose::Candidate, now, limits)
    }
    /// A vendor that was blind is asked again soon, but not with every breath; any other once a day.
    fn control_due_at(&self, limits: &Limits) -> Option<Timestamp> {
        let (verdict, at) = self.control?;
        Some(match verdict {
            Verdict::Alive => at + HOUR / limits.failing_per_hour.max(1),
            Verdict::Dead | Verdict::Unclear => at + limits.control_every,
        })
    }
    pub fn next_control_at(&self, limits: &Limits) -> Option<Timestamp> {
        self.control_wanted.as_ref().filter(|_| !self.control_in_flight)?;
        let full = self.controls.len() >= limits.failing_per_hour as usize;
        let room_at = self.controls.front().map(|at| *at + HOUR).filter(|_| full);
        let due = self.control_due_at(limits).max(room_at);
        due.filter(|at| self.may_send(Purpose::Candidate, *at, limits))
            .or_else(|| self.may_send_at(Purpose::Candidate, limits).max(due))
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
        assert_eq!(meter.next_release_at(&limits), Some(now + Duration::from_secs(60)));
        assert_eq!(attempts(&meter.release(now + Duration::from_secs(60), &limits)), [9, 3, 4, 5]);
    }

    #[test]
    fn an_operators_calls_use_half_of_the_limit_probes_included_and_take_nothing_from_a_candidate() {
        let (limits, now) = (Limits::default(), Timestamp::from_secs(1_000));
        let later = now + Duration::from_secs(10);
        let mut meter = Meter::new((60, Duration::from_secs(60)));
        meter.enqueue(probe(0, Purpose::Routine));
        assert_eq!(meter.release(now, &limits).len(), 1);
        let granted = (0..40).filter(|_| meter.call(1, later, &limits).is_ok()).count();
        assert_eq!(granted, 29, "the probe is counted");
        assert_eq!(meter.call(1, later, &limits), Err(now + Duration::from_secs(60)));
        assert_eq!(meter.call(2, later, &limits), Err(later + Duration::from_secs(60)));
        (1..9).for_each(|attempt| meter.enqueue(probe(attempt, Purpose::Candidate)));
        assert_eq!(attempts(&meter.release(later, &limits)), [1, 2, 3, 4, 5], "a tenth is theirs");
    }

    #[test]
    fn a_call_that_weighs_two_goes_half_as_often_and_is_possible_under_any_limit() {
        let (limits, now) = (Limits::default(), Timestamp::from_secs(1_000));
        let mut meter = Meter::new((60, Duration::from_secs(60)));
        let granted = (0..40).filter(|_| meter.call(2, now, &limits).is_ok()).count();
        assert_eq!(granted, 15);
        let next = now + Duration::from_secs(60);
        assert_eq!(meter.call(2, now, &limits), Err(next));
        assert_eq!(meter.call(2, next, &limits), Ok(()));
        let mut tiny = Meter::new((1, Duration::from_secs(60)));
        assert_eq!(tiny.call(2, now, &limits), Ok(()));
        assert_eq!(tiny.call(2, now, &limits), Err(next));
    }

    #[test]
    fn a_random_key_is_tried_once_a_day_and_again_soon_while_the_vendor_is_blind() {
        let (limits, now) = (Limits::default(), Timestamp::from_secs(1_000_000));
        let mut meter = Meter::new((60, Duration::from_secs(60)));
        let goes = |meter: &mut Meter, at| {
            meter.want_control(&"leaf7-main".parse().unwrap());
            meter.release_control(at, &limits).is_some()
        };
        assert!(goes(&mut meter, now));
        assert!(!goes(&mut meter, now), "in flight");
        meter.control_finished(Verdict::Dead, now);
        assert!(!goes(&mut meter, now + HOUR));
        assert_eq!(meter.next_control_at(&limits), Some(now + 24 * HOUR));
        assert!(goes(&mut meter, now + 24 * HOUR));
        meter.control_finished(Verdict::Alive, now + 24 * HOUR);
        assert!(!goes(&mut meter, now + 24 * HOUR + HOUR / 20));
        assert_eq!(meter.next_control_at(&limits), Some(now + 24 * HOUR + HOUR / 10));
        assert!(goes(&mut meter, now + 24 * HOUR + HOUR / 10));
    }

    #[test]
    fn a_probe_that_was_just_sent_does_not_put_the_random_key_off() {
        let (limits, now) = (Limits::default(), Timestamp::from_secs(1_000_000));
        let mut meter = Meter::new((60, Duration::from_secs(60)));
        meter.control_finished(Verdict::Alive, now);
        meter.want_control(&"leaf7-main".parse().unwrap());
        let due = now + HOUR / 10;
        meter.enqueue(probe(1, Purpose::Routine));
        meter.release(due - Duration::from_secs(1), &limits);
        assert_eq!(meter.next_control_at(&limits), Some(due));
        assert!(meter.release_control(due, &limits).is_some());
    }
}
