//! What is known of each key at its vendor: verdicts with their age, and the account.

use super::{event::Attempt, task::Task};
use crate::domain::{Account, Limits, ProbeAnswer, Timestamp, Verdict};
use std::time::Duration;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct KeyFacts {
    pub verdict: Option<(Verdict, Timestamp)>,
    /// Why the last verdict was given, for messages.
    pub why: String,
    /// When it was last seen alive.
    pub alive_at: Option<Timestamp>,
    pub account: Option<Account>,
    /// When the account was last asked for (an answer without identities counts).
    account_at: Option<Timestamp>,
    /// An unbroken run of *dead* answers.
    dead_since: Option<Timestamp>,
    dead_answers: u32,
    unclear_since: Option<Timestamp>,
    /// The vendor calls it alive, and another account's.
    pub foreign: bool,
    /// The vendor asked to be left alone until then.
    left_alone_until: Option<Timestamp>,
    pub probe: Task,
}

impl KeyFacts {
    /// Of a key that nobody was asked about.
    pub const UNKNOWN: &Self = &Self {
        verdict: None,
        why: String::new(),
        alive_at: None,
        account: None,
        account_at: None,
        dead_since: None,
        dead_answers: 0,
        unclear_since: None,
        foreign: false,
        left_alone_until: None,
        probe: Task::IDLE,
    };

    pub fn ask(&mut self, attempts: &mut Attempt) -> Attempt {
        self.probe.start(attempts)
    }

    /// A new input needs an answer: at once, unless the vendor asked to be left alone.
    pub fn ask_anew(&mut self, now: Timestamp) {
        self.probe.retry_now();
        if let Some(until) = self.left_alone_until.filter(|until| *until > now) {
            self.probe.wait_until(until);
        }
    }
    pub fn leave_alone_until(&mut self, until: Timestamp) {
        self.left_alone_until = Some(until);
        self.probe.wait_at_least_until(until);
    }

    /// What was learned by a clock that was ahead is of no known age: it is asked again.
    pub fn clock_went_back(&mut self, now: Timestamp) {
        self.probe.clock_went_back(now);
        self.verdict = self.verdict.filter(|(_, at)| *at <= now);
        self.alive_at = self.alive_at.map(|at| at.min(now));
        self.account_at = self.account_at.filter(|at| *at <= now);
        if self.dead_since > Some(now) {
            (self.dead_since, self.dead_answers) = (None, 0);
        }
        self.unclear_since = self.unclear_since.map(|at| at.min(now));
        self.left_alone_until = None;
    }

    pub fn learn(&mut self, answer: ProbeAnswer, now: Timestamp) {
        self.verdict = Some((answer.verdict, now));
        self.why = answer.why;
        // Only an alive key's account is known; what was known of it before stays so.
        if answer.verdict == Verdict::Alive {
            self.foreign = answer.foreign;
        }
        match answer.verdict {
            Verdict::Alive => {
                self.alive_at = Some(now);
                self.account_at = Some(now);
                self.account = answer.account.or(self.account.take());
                (self.dead_since, self.dead_answers, self.unclear_since) = (None, 0, None);
            }
            Verdict::Dead => {
                self.dead_since.get_or_insert(now);
                self.dead_answers += 1;
                self.unclear_since = None;
            }
            Verdict::Unclear => {
                self.unclear_since.get_or_insert(now);
            }
        }
    }

    /// An earlier process saw it.
    pub fn was_alive(&mut self, at: Timestamp) {
        (self.verdict, self.alive_at) = (Some((Verdict::Alive, at)), Some(at));
    }
    pub fn is_alive(&self, now: Timestamp, within: Duration) -> bool {
        matches!(self.verdict, Some((Verdict::Alive, at)) if now.since(at) <= within)
    }
    /// The last answer was *dead*, however few there were.
    pub fn looks_dead(&self) -> bool {
        matches!(self.verdict, Some((Verdict::Dead, _)))
    }
    /// Enough agreeing answers over enough time.
    pub fn is_dead(&self, limits: &Limits) -> bool {
        let over = self.dead_since.zip(self.verdict).map(|(since, (_, at))| at.since(since));
        self.looks_dead() && self.dead_answers >= limits.dead_answers && over >= Some(limits.dead_over)
    }
    pub fn unclear_since(&self) -> Option<Timestamp> {
        self.unclear_since
    }
    /// Whether both accounts were asked for within `within` of each other.
    pub fn account_was_asked_with(&self, other: &Self, within: Duration) -> bool {
        self.account_at
            .zip(other.account_at)
            .is_some_and(|(one, two)| one.since(two).max(two.since(one)) <= within)
    }
    pub fn account_asked_at(&self) -> Option<Timestamp> {
        self.account_at
    }
    pub fn last_probe_at(&self) -> Option<Timestamp> {
        self.verdict.map(|(_, at)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learn(facts: &mut KeyFacts, verdict: Verdict, secs: i64) {
        let answer = ProbeAnswer::new(verdict, "");
        facts.learn(answer, Timestamp::from_secs(secs));
    }

    #[test]
    fn h02_dead_takes_three_agreeing_answers_over_a_minute() {
        let limits = Limits::default();
        let mut facts = KeyFacts::default();
        for secs in [0, 10, 59] {
            learn(&mut facts, Verdict::Dead, secs);
            assert!(!facts.is_dead(&limits), "at {secs} s");
        }
        learn(&mut facts, Verdict::Dead, 60);
        assert!(facts.is_dead(&limits));
    }

    #[test]
    fn one_alive_answer_in_between_begins_the_count_anew_and_an_unclear_one_does_not() {
        let limits = Limits::default();
        let mut facts = KeyFacts::default();
        for (secs, verdict) in
            [(0, Verdict::Dead), (30, Verdict::Unclear), (40, Verdict::Dead), (60, Verdict::Dead)]
        {
            learn(&mut facts, verdict, secs);
        }
        assert!(facts.is_dead(&limits));
        learn(&mut facts, Verdict::Alive, 70);
        learn(&mut facts, Verdict::Dead, 150);
        assert!(!facts.is_dead(&limits));
    }
}
