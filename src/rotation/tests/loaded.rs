//! Consumers that are units: they can show that they were started with the file, and no more.

use super::{bench::*, *};
use crate::{
    domain::{Code, ProofLevel, Severity},
    rotation::{Consumer, Delivery, Input, Phase, Proof, Schedule},
};

/// `main` with one unit, which has loaded the first key.
fn with_a_unit() -> Bench {
    let unit = Consumer { wanted: ProofLevel::Loaded, ..consumer(Delivery::Copy, true, Proof::Asked) };
    let mut bench = Bench::seeded_with(settings(vec![credential("main", &[("unit", unit)])]));
    let fake = bench.world.fake("unit");
    (fake.is_unit, fake.acts) = (true, true);
    (fake.copy, fake.runs) = (Some(key(1)), Some(key(1)));
    bench.tick(Schedule::ConsumerProve);
    bench.run();
    bench.take();
    bench
}
fn rotate(bench: &mut Bench) {
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
}
fn level(bench: &Bench) -> ProofLevel {
    bench.view().consumers[0].proof
}

#[test]
fn a_unit_that_was_started_with_the_new_key_is_as_good_as_it_is_wanted() {
    let mut bench = with_a_unit();
    rotate(&mut bench);
    assert_eq!((bench.phase(), level(&bench)), (Phase::Steady, ProofLevel::Loaded));
    let mut lines = bench.take();
    lines.retain(|line| line.contains(" unit"));
    assert_eq!(lines, ["compare unit K2", "deliver unit K2", "act unit", "prove unit K2"]);
}

#[test]
fn a_unit_whose_restart_is_not_on_record_is_looked_at_before_it_is_restarted_again() {
    let mut bench = with_a_unit();
    bench.held_back = vec!["prove unit".into()];
    rotate(&mut bench);
    bench.held_back.clear();
    bench.restart();
    bench.run();
    assert_eq!(bench.take_only("act"), ["act unit"], "the one before");
    assert_eq!((bench.phase(), level(&bench)), (Phase::Steady, ProofLevel::Loaded));
}

#[test]
fn a_unit_that_was_not_restarted_before_the_end_is_restarted() {
    let mut bench = with_a_unit();
    bench.held_back = vec!["act unit".into()];
    rotate(&mut bench);
    bench.held_back.clear();
    bench.restart();
    bench.take();
    bench.run();
    assert_eq!(bench.take_only("act"), ["act unit"]);
    assert_eq!(level(&bench), ProofLevel::Loaded);
}

#[test]
fn a_unit_that_somebody_stops_is_unproven_by_the_schedule_and_nobody_starts_it() {
    let mut bench = with_a_unit();
    rotate(&mut bench);
    bench.take();
    bench.world.fake("unit").runs = None;
    bench.tick(Schedule::ConsumerProve);
    bench.wait(2 * HOUR);
    assert_eq!(level(&bench), ProofLevel::Unproven);
    assert_eq!(bench.take_only("act"), [""; 0]);
    let told = bench.notices.iter().rfind(|notice| notice.code == Code::ConsumerUnproven).unwrap();
    assert_eq!(told.severity, Severity::Warning);
    assert!(told.message.contains("unit (the file was changed after it was started)"), "{}", told.message);
}

/// Acting takes the ten seconds that a unit is watched for: operators type meanwhile.
#[test]
fn a_delivery_that_is_asked_for_while_an_action_is_under_way_is_made_before_it_is_answered_and_not_later() {
    for holds in [true, false] {
        let mut bench = with_a_unit();
        bench.held_back = vec!["act unit".into()];
        rotate(&mut bench);
        bench.input(Input::DeliverAsked { consumer: None, ticket: 3 });
        bench.take();
        bench.held_back.clear();
        bench.world.fake("unit").silent = !holds;
        bench.run();
        let mut lines = bench.take();
        lines.retain(|line| line.contains(" unit") || line.starts_with("answer"));
        let walk = ["prove unit K2", "compare unit K2", "deliver unit K2", "act unit", "prove unit K2"];
        assert_eq!(lines[..5], walk.map(str::to_owned), "{lines:?}");
        assert_eq!(lines[5], format!("answer 3: proven: {holds}"));
        bench.tick(Schedule::ConsumerProve);
        bench.run();
        assert_eq!(bench.take_only("act"), [""; 0], "it was made once");
    }
}

#[test]
fn a_unit_that_does_not_start_is_told_of_at_once_and_started_again_only_while_it_shows_nothing() {
    let mut bench = with_a_unit();
    bench.world.fake("unit").act_fails = true;
    rotate(&mut bench);
    let told = |bench: &Bench| bench.notices.iter().any(|notice| notice.code == Code::ConsumerFailed);
    assert!(told(&bench));
    assert_eq!((bench.phase(), level(&bench)), (Phase::HandingOver, ProofLevel::Unproven));
    bench.take();
    // An operator mends it, and starts it by hand.
    bench.world.fake("unit").runs = Some(key(2));
    bench.wait(10 * MIN);
    assert_eq!(bench.take_only("act"), [""; 0]);
    assert_eq!((bench.phase(), level(&bench)), (Phase::Steady, ProofLevel::Loaded));
}
