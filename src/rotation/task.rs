//! One piece of work that may have to be tried again: in flight, waiting for its next try, or idle.

use super::event::Attempt;
use crate::domain::{Fingerprint, Limits, Timestamp};
use std::time::Duration;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Task {
    in_flight: Option<Attempt>,
    not_before: Option<Timestamp>,
    failures: u32,
}

impl Task {
    pub const IDLE: Self = Self { in_flight: None, not_before: None, failures: 0 };

    pub fn is_idle(&self) -> bool {
        self.in_flight.is_none()
    }
    pub fn failures(&self) -> u32 {
        self.failures
    }
    /// Whether the next try may begin.
    pub fn may_start(&self, now: Timestamp) -> bool {
        self.in_flight.is_none() && self.not_before.is_none_or(|at| at <= now)
    }
    /// When the next try is due, if it waits for that.
    pub fn waits_until(&self) -> Option<Timestamp> {
        self.not_before.filter(|_| self.in_flight.is_none())
    }
    /// Begins a try, and names it.
    pub fn start(&mut self, attempts: &mut Attempt) -> Attempt {
        *attempts += 1;
        self.in_flight = Some(*attempts);
        self.not_before = None;
        *attempts
    }
    /// Whether this completion is the one that is awaited; it no longer is afterwards.
    pub fn finish(&mut self, attempt: Attempt) -> bool {
        let live = self.in_flight == Some(attempt);
        if live {
            self.in_flight = None;
        }
        live
    }
    /// A try of which there is only one kind has ended, however it was named.
    pub fn ended(&mut self) {
        self.in_flight = None;
    }
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }
    /// The next try waits: twice as long after each failure, up to the cap, less a jitter that is the same in every
    /// run for the same input.
    pub fn failed(&mut self, now: Timestamp, cap: Duration, salt: u64, limits: &Limits) {
        let doubled = limits.backoff_min.saturating_mul(1 << self.failures.min(16));
        let full = doubled.min(cap);
        let jitter = jitter(full, salt, self.failures.into());
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(now + (full - jitter));
    }
    /// Waits until a moment, without calling that a failure.
    pub fn wait_until(&mut self, at: Timestamp) {
        self.not_before = Some(at);
    }
    /// Waits at least until a moment.
    pub fn wait_at_least_until(&mut self, at: Timestamp) {
        self.not_before = self.not_before.max(Some(at));
    }
    /// The clock was set back: what was reckoned by the wrong one is not waited for.
    pub fn clock_went_back(&mut self, now: Timestamp) {
        self.not_before = self.not_before.map(|at| at.min(now));
    }
    /// The try that was waited for begins elsewhere; its failures count on.
    pub fn pause(&mut self) {
        self.not_before = None;
    }
    /// A new input: the next try begins at once.
    pub fn retry_now(&mut self) {
        self.not_before = None;
        self.failures = 0;
    }
}

/// How long back-off may become: a twentieth of what is left, between ten seconds and five minutes.
pub(super) fn backoff_cap(left: Option<Duration>, limits: &Limits) -> Duration {
    let by_time_left = left.map_or(limits.backoff_cap_max, |left| left / limits.backoff_left_part);
    by_time_left.min(limits.backoff_cap_max).max(limits.backoff_cap_min)
}

/// A number that differs between credentials and consumers, and is the same in every run.
pub(super) fn salt(parts: &[&str]) -> u64 {
    parts.iter().flat_map(|part| part.bytes().chain([0])).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

pub(super) fn salt_of(fingerprint: &Fingerprint) -> u64 {
    salt(&[&fingerprint.hex()])
}

fn mix(salt: u64, round: u64) -> u64 {
    let mut x = salt ^ round.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    x ^ (x >> 33)
}

/// Up to a quarter of a span, the same in every run for the same input and round.
pub(super) fn jitter(span: Duration, salt: u64, round: u64) -> Duration {
    span.mul_f64(0.25 * unit(mix(salt, round)))
}

/// A hash as a fraction of one.
pub(super) fn unit(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h05_back_off_doubles_up_to_its_cap_and_is_the_same_in_every_run() {
        let (limits, now) = (Limits::default(), Timestamp::from_secs(1_000));
        let waits = |salt| {
            let mut task = Task::default();
            (0..12)
                .map(|_| {
                    task.failed(now, Duration::from_secs(10), salt, &limits);
                    task.waits_until().unwrap().since(now).as_secs_f64()
                })
                .collect::<Vec<_>>()
        };
        let one = waits(1);
        assert_eq!(one, waits(1));
        assert_ne!(one, waits(2));
        assert!((0.75..=1.0).contains(&one[0]) && (1.5..=2.0).contains(&one[1]), "{one:?}");
        assert!(one[5..].iter().all(|wait| (7.5..=10.0).contains(wait)), "{one:?}");
    }

    #[test]
    fn only_the_awaited_completion_counts_and_only_once() {
        let (mut task, mut attempts) = (Task::default(), 0);
        let first = task.start(&mut attempts);
        assert!(!task.may_start(Timestamp::from_secs(9)));
        assert!(!task.finish(first + 1));
        assert!(task.finish(first));
        assert!(!task.finish(first));
    }

    #[test]
    fn h06_the_cap_follows_the_time_left() {
        let limits = Limits::default();
        let cap = |secs| backoff_cap(Some(Duration::from_secs(secs)), &limits).as_secs();
        assert_eq!((cap(86_400), cap(1_200), cap(100), cap(0)), (300, 60, 10, 10));
    }
}
