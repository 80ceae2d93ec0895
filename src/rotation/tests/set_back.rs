//! This machine's clock was ahead, by years, and is set right: what it noted meanwhile is neither waited for nor fresh.
//! Found in the simulation (seed 88), one rule after the other.

use super::{bench::*, *};
use crate::{
    domain::{StoreTrouble, Verdict},
    rotation::{Input, Phase, Schedule},
};

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);

/// What happens by a clock that is ten years ahead, and then its mending.
fn ahead(bench: &mut Bench, meanwhile: impl FnOnce(&mut Bench)) {
    let began = bench.now;
    bench.now = began + TEN_YEARS;
    meanwhile(bench);
    let took = bench.now.since(began + TEN_YEARS);
    bench.now = began + took;
    bench.take();
}

#[test]
fn the_stores_back_off_is_not_waited_for() {
    let mut bench = Bench::seeded();
    ahead(&mut bench, |bench| {
        bench.world.store_trouble = Some(StoreTrouble::Sealed);
        bench.passes(HOUR);
    });
    bench.world.store_trouble = None;
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(MIN);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 1".into())
    );
}

#[test]
fn a_consumers_back_off_is_not_waited_for_and_its_proof_is_not_of_the_future() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    ahead(&mut bench, |bench| {
        bench.world.fake("bot").deliver_fails = true;
        bench.confirmed(key(2));
        bench.passes(HOUR);
    });
    bench.world.fake("bot").deliver_fails = false;
    bench.tick(Schedule::MailboxPoll);
    bench.wait(MIN);
    assert_eq!(bench.world.fake("bot").runs, Some(key(2)));
    let now = bench.now;
    assert!(
        bench.view().consumers.iter().all(|consumer| consumer.at <= Some(now) && consumer.since <= Some(now))
    );
}

#[test]
fn a_verdict_of_the_future_is_of_no_age() {
    let mut bench = Bench::seeded();
    ahead(&mut bench, |bench| bench.passes(20 * MIN));
    bench.tick(Schedule::MailboxPoll);
    bench.run();
    assert_eq!(bench.take_only("probe"), ["probe K1"], "asked anew at once");
    let (_, asked_at) = bench.view().last_probe.unwrap();
    assert_eq!(asked_at, bench.now);
}

#[test]
fn dead_answers_of_the_future_count_for_nothing() {
    let mut bench = Bench::seeded();
    ahead(&mut bench, |bench| {
        bench.world.says(key(1), Verdict::Dead);
        bench.tick(Schedule::CurrentKeyProbe);
        bench.run();
    });
    bench.tick(Schedule::MailboxPoll);
    bench.wait(59 * SEC);
    assert_eq!(bench.take_only("mail key-dead"), [""; 0]);
    bench.wait(2 * MIN);
    assert_eq!(bench.take_only("mail key-dead"), ["mail key-dead 0 urgent"]);
}

#[test]
fn a_paste_that_was_dated_by_it_is_not_the_newest_for_ten_years() {
    let mut bench = Bench::seeded();
    for n in [2, 3] {
        bench.world.alive(key(n));
    }
    ahead(&mut bench, |bench| {
        bench.world.store_trouble = Some(StoreTrouble::Sealed);
        bench.ingest(key(2), false, 1);
        bench.wait(MIN);
    });
    bench.tick(Schedule::MailboxPoll);
    bench.world.store_trouble = None;
    bench.wait(MIN);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    bench.wait(MIN);
    bench.confirmed(key(3));
    bench.run();
    assert_eq!(bench.world.holds("main"), "K3 after K2, generation 2");
}

#[test]
fn a_hint_is_asked_about_though_one_was_given_in_the_future() {
    let mut bench = Bench::seeded();
    let hint = || Input::Unauthorized { fingerprint: None, from: None };
    ahead(&mut bench, |bench| {
        bench.input(hint());
        bench.run();
    });
    bench.tick(Schedule::MailboxPoll);
    bench.wait(2 * MIN);
    bench.take();
    bench.input(hint());
    bench.run();
    assert_eq!(bench.take_only("probe"), ["probe K1"]);
}

#[test]
fn an_operator_who_asked_by_it_is_answered_in_his_time() {
    let mut bench = Bench::seeded();
    bench.world.says(key(2), Verdict::Unclear);
    bench.world.spool_trouble = Some("no space left on device".into());
    let began = bench.now;
    bench.now = began + TEN_YEARS;
    bench.ingest(key(2), true, 1);
    bench.run();
    bench.now = began;
    bench.wait(2 * MIN);
    bench.tick(Schedule::MailboxPoll);
    bench.wait(2 * MIN);
    assert_eq!(bench.take_only("answer").len(), 1);
}

#[test]
fn notices_go_out_though_as_many_as_an_hour_may_have_went_out_in_the_future() {
    let mut bench = Bench::seeded();
    ahead(&mut bench, |bench| {
        for _ in 0..40 {
            bench.world.store_trouble = Some(StoreTrouble::Sealed);
            bench.passes(10 * MIN);
            bench.world.store_trouble = None;
            bench.passes(10 * MIN);
        }
    });
    bench.tick(Schedule::MailboxPoll);
    bench.wait(MIN);
    bench.take();
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.passes(20 * MIN);
    assert_eq!(bench.take_only("mail store-sealed 0").len(), 1);
}

/// By less than what clocks may differ by nothing is asked anew: every machine's clock is corrected so.
#[test]
fn a_correction_by_a_minute_is_nothing() {
    let mut bench = Bench::seeded();
    bench.now = Timestamp::from_millis(bench.now.as_millis() - 60_000);
    bench.tick(Schedule::MailboxPoll);
    bench.run();
    bench.expect(&["look", "check store"]);
}
