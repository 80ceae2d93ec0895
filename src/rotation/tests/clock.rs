//! This machine's clock is set, by a second or by years, and set right again. Nothing is late because of it, nothing is
//! given up, and nothing waits for the years to pass.

use super::{
    bench::*,
    by_api::{api, now},
    *,
};
use crate::{
    domain::{Finding, Verdict},
    rotation::{Alerts, CallInput, Event, Input},
};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

impl Bench {
    /// The clock is set; everybody else's goes on, and is shown by who answers.
    fn sets_clock(&mut self, to: Timestamp) {
        let before = self.now;
        let truth = self.world.vendor_time.unwrap_or(before);
        (self.world.vendor_time, self.world.store_facts.time) = (Some(truth), Some(truth));
        self.now = to;
        self.happens(Event::ClockSet { before });
    }
    fn sets_clock_right(&mut self) {
        let truth = self.world.vendor_time.expect("a clock that was set");
        self.sets_clock(truth);
        self.run();
        (self.world.vendor_time, self.world.store_facts.time) = (None, None);
    }
}

/// It was told at once that the rotation was overdue, that a consumer's time had run out, and that the key is lost.
#[test]
fn r58_c02_what_is_late_by_a_clock_that_was_set_ahead_alone_is_not_late() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.fake("web").silent = true;
    bench.confirmed(key(2));
    bench.wait(MIN);
    let truth = bench.now;
    bench.take();
    bench.sets_clock(truth + 10 * YEAR);
    bench.run();
    bench.passes(20 * MIN);
    assert_eq!(bench.take_only("mail"), ["mail clock-skewed 0 warning", "mail clock-skewed 0 warning"]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    bench.sets_clock_right();
    bench.wait(MIN);
    let told = bench.take_only("mail");
    assert_eq!(told, ["mail clock-skewed 1 warning resolved", "mail clock-skewed 1 warning resolved"]);
    bench.wait(HOUR);
    assert_eq!(bench.take_only("mail"), ["mail consumer-unproven 0 warning"], "in its time");
}

/// It was refused as dead beyond its deadline, and taken out of the spool.
#[test]
fn r58_a_key_that_does_not_work_yet_is_not_given_up_by_a_clock_that_was_set_ahead() {
    let mut bench = Bench::seeded();
    bench.world.says(key(2), Verdict::Dead);
    bench.confirmed(key(2));
    bench.wait(10 * MIN);
    bench.take();
    bench.sets_clock(bench.now + 10 * YEAR);
    bench.passes(30 * MIN);
    let lines = bench.take();
    assert!(lines.iter().all(|line| !line.contains("refus") && !line.starts_with("drop")), "{lines:?}");
    bench.sets_clock_right();
    bench.world.alive(key(2));
    bench.passes(10 * MIN);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

/// Where nobody shows his clock, this one counts in the end: somebody must be told.
#[test]
fn r58_after_an_hour_in_which_nobody_shows_his_clock_this_one_counts() {
    let mut bench = Bench::seeded();
    bench.take();
    let before = bench.now;
    bench.now = before + 30 * DAY;
    bench.happens(Event::ClockSet { before });
    bench.passes(50 * MIN);
    assert_eq!(bench.take_only("mail"), [""; 0]);
    bench.passes(20 * MIN);
    assert_eq!(bench.take_only("mail"), ["mail rotation-overdue 0 urgent"]);
}

/// A board that starts in 1970 is set ahead as soon as it hears of the time, and by then everybody agrees.
#[test]
fn r58_c07_a_clock_that_is_set_right_from_1970_is_believed_when_somebody_agrees() {
    let mut bench = Bench::rotated();
    let truth = bench.now + 10 * DAY;
    (bench.world.vendor_time, bench.world.store_facts.time) = (Some(truth), Some(truth));
    bench.now = Timestamp::from_secs(60);
    bench.restart();
    bench.run();
    bench.passes(10 * MIN);
    bench.take();
    bench.now = truth;
    bench.happens(Event::ClockSet { before: Timestamp::from_secs(60) + 10 * MIN });
    bench.passes(MIN);
    let told = bench.take_only("mail");
    assert!(told.iter().any(|line| line.starts_with("mail rotation-overdue")), "{told:?}");
}

/// For ten years nobody heard a sign of life, and no new key was asked for: both waited for the year 2036.
#[test]
fn r58_what_was_planned_by_a_clock_that_was_ahead_is_not_waited_for() {
    let alerts = Alerts { heartbeat: Some(5 * MIN), ..main_settings().alerts };
    let mut bench = Bench::seeded_with(crate::rotation::Settings { alerts, ..main_settings() });
    bench.sets_clock(bench.now + 10 * YEAR);
    bench.wait(10 * MIN);
    bench.sets_clock_right();
    bench.take();
    bench.wait(10 * MIN);
    assert!(bench.take_only("beat").len() >= 2);

    let mut bench = api();
    let due = |bench: &mut Bench, at: Timestamp| {
        let next = Some(at + 7 * DAY);
        let input = CallInput::RotationDue { at, next, host: "web1".into(), window: None };
        bench.input(Input::Call(input));
        bench.wait(10 * MIN);
    };
    due(&mut bench, START - DAY);
    let truth = bench.now;
    bench.sets_clock(truth + 10 * YEAR);
    let at = bench.now;
    due(&mut bench, at);
    assert_eq!(bench.calls(), 0, "it is not due yet by anybody else's clock");
    bench.sets_clock_right();
    let at = bench.now;
    due(&mut bench, at);
    assert_eq!((bench.calls(), now(&bench).as_str()), (1, "K2"));
}

/// Between any two effects of a rotation, and set right a moment later.
#[test]
fn r58_whenever_it_is_set_and_set_right_the_rotation_ends_well_and_nobody_is_told_of_anything_but_the_clock()
{
    let mut effects = 0;
    let steps = [10 * YEAR, HOUR, SEC];
    for step in 0.. {
        let mut more = false;
        for (by, ahead) in steps.iter().flat_map(|by| [(*by, true), (*by, false)]) {
            let mut bench = Bench::seeded();
            bench.world.alive(key(2));
            let confirmation = bench.confirmation(key(2), bench.now);
            bench.looks(&[Finding::NewKey(confirmation)]);
            more |= bench.run_only(step);
            let to = if ahead { bench.now + by } else { bench.now - by };
            bench.sets_clock(to);
            bench.run_only(step / 2);
            bench.wait(30 * SEC);
            bench.sets_clock_right();
            bench.wait(2 * HOUR);
            assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1", "{step} {by:?} {ahead}");
            let told = bench.take_only("mail");
            let known = |line: &String| line.contains("clock-skewed") || line.contains("rotated");
            assert!(told.iter().all(known), "{step} {by:?} {ahead}: {told:?}");
            effects += 1;
        }
        if !more {
            break;
        }
    }
    assert!(effects > 100, "{effects}");
}
