//! `rotate_at`: what is due goes, or is told; what was missed is told and not made up for late.

use super::{
    bench::*,
    by_api::{Mood, api, api_settings_with, now},
    *,
};
use crate::{
    domain::{Code, Severity, StoreTrouble, Verdict},
    rotation::{CallInput, Input, Window},
};

impl Bench {
    /// A moment of the schedule; the next one is a week later.
    fn due(&mut self, at: Timestamp, window: Option<Window>) {
        self.input(Input::Call(CallInput::RotationDue {
            at,
            next: Some(at + 7 * DAY),
            host: "web1".into(),
            window,
        }));
    }
}
/// Quiet since the schedule was first seen.
fn scheduled() -> Bench {
    seen(api())
}
fn seen(mut bench: Bench) -> Bench {
    bench.due(START - DAY, None);
    bench.wait(MIN);
    assert_eq!(bench.calls(), 0, "it lies before the schedule was written");
    bench.take();
    bench
}
fn open(bench: &Bench) -> Vec<(Code, Severity)> {
    bench.view().incidents.iter().map(|incident| (incident.code, incident.severity)).collect()
}

#[test]
fn what_is_due_goes_once() {
    let mut bench = scheduled();
    bench.due(bench.now, None);
    bench.wait(HOUR);
    bench.due(bench.now - HOUR, None);
    bench.wait(2 * HOUR);
    assert_eq!((bench.calls(), now(&bench).as_str()), (1, "K2"));
    assert_eq!(open(&bench), []);
}

#[test]
fn the_next_one_is_shown() {
    let mut bench = scheduled();
    bench.due(bench.now, None);
    bench.wait(HOUR);
    assert_eq!(bench.view().next_rotation_expected_at, Some(bench.now - HOUR + 7 * DAY));
}

#[test]
fn what_cannot_begin_is_told_and_goes_when_it_can() {
    let mut bench = scheduled();
    bench.world.fake("web").silent = true;
    let at = bench.now;
    bench.due(at, None);
    bench.wait(10 * MIN);
    assert_eq!(bench.calls(), 0);
    let blocked = bench.view().incidents.into_iter().find(|incident| incident.code == Code::RotationBlocked);
    let blocked = blocked.unwrap();
    let why =
        "consumer web is not proven (nobody answers); mend that, then: keyrelay prove main --consumer web";
    assert_eq!(blocked.message, format!("the rotation that was due {} cannot begin: {why}", at.minutes()));
    let doing = format!(
        "nothing was called; it is tried again until {}, then {}",
        (at + HOUR).minutes(),
        (at + 7 * DAY).minutes()
    );
    assert_eq!(blocked.doing, Some(doing));
    bench.world.fake("web").silent = false;
    bench.wait(10 * MIN);
    assert_eq!((bench.calls(), open(&bench)), (1, vec![]));
}

#[test]
fn after_an_hour_the_next_moment_counts_and_it_stays_told() {
    let mut bench = scheduled();
    bench.world.fake("web").silent = true;
    bench.due(bench.now, None);
    bench.wait(2 * HOUR);
    bench.world.fake("web").silent = false;
    bench.passes(3 * DAY);
    assert_eq!((bench.calls(), open(&bench)), (0, vec![(Code::RotationBlocked, Severity::Warning)]));
    bench.due(bench.now, None);
    bench.wait(10 * MIN);
    assert_eq!((bench.calls(), open(&bench)), (1, vec![]));
}

#[test]
fn what_came_while_nobody_ran_goes_within_the_hour_and_is_told_after_it() {
    let mut bench = scheduled();
    let at = bench.now;
    bench.now = at + 30 * MIN;
    bench.restart();
    bench.due(at, None);
    bench.wait(10 * MIN);
    assert_eq!(bench.calls(), 1);

    let mut bench = scheduled();
    let at = bench.now;
    bench.now = at + 3 * HOUR;
    bench.restart();
    bench.due(at, None);
    bench.wait(10 * MIN);
    assert_eq!((bench.calls(), open(&bench)), (0, vec![(Code::RotationBlocked, Severity::Warning)]));
    let message = &bench.view().incidents[0].message;
    assert_eq!(
        *message,
        format!("the rotation that was due {} was missed: keyrelay was not there", at.minutes())
    );
}

#[test]
fn a_restart_after_it_does_not_do_it_again() {
    let mut bench = scheduled();
    let at = bench.now;
    bench.due(at, None);
    bench.wait(10 * MIN);
    bench.restart();
    bench.due(at, None);
    bench.wait(10 * MIN);
    assert_eq!((bench.calls(), open(&bench)), (1, vec![]));
}

#[test]
fn it_waits_for_its_window_and_for_no_longer_than_that() {
    let mut bench = scheduled();
    let window = Some(Window { opens: bench.now + 2 * HOUR, closes: bench.now + 3 * HOUR });
    bench.due(bench.now, window);
    bench.wait(HOUR);
    assert_eq!((bench.calls(), open(&bench)), (0, vec![]));
    bench.wait(2 * HOUR);
    assert_eq!((bench.calls(), open(&bench)), (1, vec![]));
}

#[test]
fn a_sealed_store_is_waited_for_and_nobody_is_called_meanwhile() {
    let mut bench = scheduled();
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.due(bench.now, None);
    bench.wait(20 * MIN);
    assert_eq!(bench.calls(), 0);
    bench.world.store_trouble = None;
    bench.wait(20 * MIN);
    assert_eq!(bench.calls(), 1);
}

#[test]
fn a_lost_answer_is_not_asked_for_again_before_the_next_moment() {
    let mut bench = scheduled();
    bench.world.api.mood = Mood::LosesRequest;
    bench.due(bench.now, None);
    bench.wait(50 * MIN);
    assert_eq!((bench.calls(), open(&bench)), (1, vec![(Code::RotationFailed, Severity::Warning)]));
    bench.world.api.mood = Mood::Issues;
    bench.due(bench.now, None);
    bench.wait(10 * MIN);
    assert_eq!((bench.calls(), open(&bench)), (2, vec![]));
}

#[test]
fn with_a_grace_the_schedule_never_asks_again_for_the_same_key() {
    let mut bench = seen(Bench::seeded_with(api_settings_with(Some(DAY))));
    bench.world.api.mood = Mood::LosesRequest;
    bench.due(bench.now, None);
    bench.wait(2 * HOUR);
    bench.due(bench.now, None);
    bench.wait(30 * MIN);
    assert_eq!(bench.calls(), 1);
    let codes: Vec<_> = open(&bench).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [Code::RotationBlocked, Code::RotationFailed]);
}

#[test]
fn a_dead_key_is_not_asked_with() {
    let mut bench = scheduled();
    bench.world.says(key(1), Verdict::Dead);
    bench.due(bench.now, None);
    bench.wait(20 * MIN);
    assert_eq!(bench.calls(), 0);
}
