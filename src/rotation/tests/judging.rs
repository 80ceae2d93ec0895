//! What the vendor says of a key that a mail brought, and what comes of it.

use super::{bench::*, *};
use crate::{
    domain::Verdict,
    rotation::{Phase, Schedule},
};

#[test]
fn a_key_of_another_account_is_refused() {
    let mut bench = Bench::seeded();
    bench.world.vendor.insert(key(2), (Verdict::Alive, ["somebody-else"].into_iter().collect()));
    bench.confirmed(key(2));
    bench.run();
    bench.expect(&[
        "read key",
        "probe K2",
        "probe K1",
        "control",
        "record refusal",
        "mail candidate-refused 0 warning",
        "save",
    ]);
    assert_eq!(bench.world.holds("main"), "K1, generation 0");
}

#[test]
fn h03_a_dead_candidate_is_tried_again_and_told_of_and_given_up_after_its_deadline() {
    let mut bench = Bench::seeded();
    bench.confirmed(key(2));
    bench.wait(5 * MIN - SEC);
    assert!(bench.take_only("probe K2").len() > 5);
    bench.wait(SEC);
    bench.expect_mails(&["mail candidate-dead 0 warning"]);
    bench.wait(DAY);
    bench.expect_mails(&[
        "mail candidate-dead 1 warning",
        "mail candidate-dead 2 warning",
        "mail candidate-dead 3 urgent",
        "mail candidate-dead 4 urgent",
        "mail candidate-refused 0 warning",
        "mail candidate-dead 5 urgent resolved",
    ]);
    assert_eq!((bench.phase(), bench.world.spool.len()), (Phase::Steady, 0));
}

#[test]
fn h03_r51_a_candidate_that_comes_alive_later_is_promoted() {
    let mut bench = Bench::seeded();
    bench.confirmed(key(2));
    bench.wait(2 * MIN);
    bench.world.alive(key(2));
    bench.wait(5 * MIN);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    assert_eq!(
        bench.world.spool.len(),
        0,
        "it was spooled after five seconds, and left when it was read back"
    );
}

#[test]
fn h02_r50_unclear_answers_neither_promote_nor_condemn() {
    let mut bench = Bench::seeded();
    bench.world.says(key(2), Verdict::Unclear);
    bench.confirmed(key(2));
    bench.wait(HOUR);
    bench.expect_mails(&[]);
    assert_eq!((bench.phase(), bench.world.holds("main")), (Phase::Probing, "K1, generation 0".into()));
    bench.world.alive(key(2));
    bench.wait(5 * MIN);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn a_new_key_is_tried_at_once_whatever_the_current_keys_back_off() {
    let mut bench = Bench::seeded();
    bench.world.says(key(1), Verdict::Unclear);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(10 * MIN);
    bench.world.alive(key(1));
    bench.world.alive(key(2));
    bench.take();
    bench.confirmed(key(2));
    bench.run();
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn an_old_key_and_a_new_one_that_were_asked_far_apart_are_asked_again_and_not_for_ever() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.says(key(1), Verdict::Unclear);
    bench.confirmed(key(2));
    bench.wait(3 * MIN);
    bench.world.alive(key(1));
    bench.take();
    bench.wait(MIN);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    assert!(bench.take_only("probe").len() < 6);
}

#[test]
fn a_verdict_older_than_five_minutes_is_renewed_before_the_promotion() {
    let mut bench = Bench::seeded();
    bench.held_back = vec!["control".into()];
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(5 * MIN);
    assert_eq!(bench.take_only("probe"), ["probe K2", "probe K1"]);
    bench.world.says(key(2), Verdict::Dead);
    bench.wait(SEC);
    bench.held_back.clear();
    bench.run();
    let mut lines = bench.take();
    lines.retain(|line| !line.starts_with("probe"));
    assert_eq!(lines, [""; 0]);
}

#[test]
fn when_the_vendor_is_blind_nothing_is_promoted() {
    let mut bench = Bench::seeded();
    bench.world.control = Some(Verdict::Alive);
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    bench.expect(&[
        "read key",
        "probe K2",
        "probe K1",
        "control",
        "mail probe-blind 0 urgent",
        "save",
        "save",
    ]);
    assert_eq!(bench.phase(), Phase::Parked(crate::rotation::Parked::ProbeBlind));
    bench.wait(HOUR);
    assert_eq!(bench.take_only("control").len(), 10, "at most ten an hour are meant to fail");
    bench.world.control = Some(Verdict::Dead);
    bench.wait(10 * MIN);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 1".into())
    );
}

#[test]
fn h01_r52_a_wish_to_be_left_alone_is_obeyed_and_never_for_more_than_a_quarter_of_the_time_left() {
    for (asked, silent_for, asked_again_by) in [
        (30 * SEC, 29 * SEC, 31 * SEC),
        (DAY, 5 * HOUR, 6 * HOUR + MIN),
        (9_999 * DAY, 5 * HOUR, 6 * HOUR + MIN),
    ] {
        let mut bench = Bench::seeded();
        bench.world.says(key(2), Verdict::Unclear);
        bench.world.retry_after = Some(asked);
        bench.confirmed(key(2));
        bench.run();
        bench.take();
        bench.wait(silent_for);
        assert_eq!(bench.take_only("probe K2"), [""; 0], "{asked:?}");
        bench.wait(asked_again_by - silent_for);
        assert_eq!(bench.take_only("probe K2").len(), 1, "{asked:?}");
    }
}
