//! The store at its worst: lost check-and-sets, lost answers, outages, refusals; the spool and the retirement.

use super::{bench::*, *};
use crate::{
    domain::{StoreFacts, StoreTrouble, Verdict},
    rotation::{Event, Parked, Phase},
};

/// K2's promotion is on its way, and the store has not heard of it yet.
fn about_to_store() -> Bench {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.held_back = vec!["store".into()];
    bench.confirmed(key(2));
    bench.run();
    bench.take();
    bench.held_back.clear();
    bench
}

#[test]
fn nothing_is_done_between_the_write_and_its_reading_back() {
    let mut bench = about_to_store();
    assert_eq!(bench.phase(), Phase::Storing);
    bench.held_back = vec!["read key".into()];
    bench.run();
    bench.expect(&["read key"]);
    assert_eq!(bench.phase(), Phase::Storing);
}

#[test]
fn c08_a_lost_check_and_set_because_another_daemon_promoted_the_same_key() {
    let mut bench = about_to_store();
    let stored = bench.world.stored("main");
    let mut document = stored.key.clone().unwrap();
    (document.current, document.generation) = (Some(key(2)), 1);
    (document.ours, document.as_written, document.version) = (true, true, 2);
    (stored.key, stored.version) = (Some(document), 2);
    bench.run();
    let lines = bench.take();
    assert_eq!(lines[..3], ["read both", "compare bot K2", "prove web K2"]);
    assert_eq!(lines.iter().filter(|line| line.starts_with("store")).count(), 0);
    assert_eq!((bench.phase(), bench.world.holds("main")), (Phase::Steady, "K2, generation 1".into()));
}

#[test]
fn a_lost_check_and_set_because_another_field_changed_is_read_and_written_again() {
    let mut bench = about_to_store();
    bench.world.put("main", key(1), bench.now);
    bench.run();
    let lines = bench.take();
    assert_eq!(lines[..3], ["read both", "store K2 after K1 as 1 over 2", "read key"]);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn a_lost_check_and_set_because_somebody_else_wrote_another_key() {
    let mut bench = about_to_store();
    bench.world.says(key(9), Verdict::Dead);
    bench.world.put("main", key(9), bench.now + SEC);
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail candidate-held 0 warning", "mail store-foreign 0 warning"]);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Parked(Parked::StoreForeign), "K9, generation 0".into())
    );
    bench.accept(key(2), 4);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 4: promoted as 1, proven: true"]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn a_lost_answer_is_read_back_before_anything_is_tried_again() {
    let mut bench = about_to_store();
    bench.world.lose_answer = true;
    bench.run();
    assert_eq!(bench.take_only("store"), [""; 0]);
    bench.wait(2 * SEC);
    assert_eq!(bench.take_only("store"), [""; 0]);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 1".into())
    );
}

#[test]
fn a_write_that_is_forbidden_is_one_incident_however_often_it_is_tried() {
    let mut bench = about_to_store();
    bench.world.write_trouble = Some(StoreTrouble::Forbidden("permission denied".into()));
    bench.wait(HOUR);
    let lines = bench.take();
    let mails: Vec<_> = lines.iter().filter(|line| line.starts_with("mail")).collect();
    assert_eq!(mails, ["mail store-forbidden 0 urgent", "mail key-spooled 0 warning"]);
    assert!(lines.iter().filter(|line| line.starts_with("store")).count() > 10);
    bench.world.write_trouble = None;
    bench.wait(5 * MIN);
    bench.expect_mails(&[
        "mail store-forbidden 1 urgent resolved",
        "mail key-spooled 1 warning resolved",
        "mail rotated 0 info",
    ]);
}

#[test]
fn a_key_is_spooled_after_five_seconds_and_leaves_the_spool_when_it_was_read_back() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.confirmed(key(2));
    bench.wait(5 * SEC - Duration::from_millis(1));
    assert_eq!(bench.take_only("spool"), [""; 0]);
    bench.wait(Duration::from_millis(1));
    assert_eq!(bench.take_only("spool"), ["spool K2"]);
    bench.wait(HOUR);
    assert_eq!(bench.take_only("spool"), [""; 0]);
    bench.world.store_trouble = None;
    bench.held_back = vec!["store".into()];
    bench.wait(20 * SEC);
    assert_eq!(bench.take_only("unspool"), [""; 0]);
    bench.held_back = vec!["read key".into()];
    bench.run();
    assert_eq!(bench.take_only("unspool"), [""; 0], "written, and not read back");
    bench.held_back.clear();
    bench.run();
    assert_eq!(bench.take_only("unspool"), ["unspool K2"]);
    assert_eq!((bench.phase(), bench.world.spool.len()), (Phase::Steady, 0));
}

#[test]
fn a_mail_is_done_with_only_when_its_key_is_in_the_store_or_in_the_spool() {
    let mut bench = Bench::seeded();
    bench.world.spool_trouble = Some("no space left on device".into());
    let confirmation = bench.confirmation(key(2), bench.now);
    let mail = confirmation.mail.id.clone();
    bench.looks(&[crate::domain::Finding::Held { confirmation, why: "it has no signature".into() }]);
    bench.wait(MIN);
    bench.expect_mails(&["mail candidate-held 0 warning", "mail spool-failed 0 urgent"]);
    let done = |bench: &mut Bench| bench.world.stored("main").state.clone().unwrap().done.contains(&mail);
    assert!(!done(&mut bench), "it may be the key's only other place");
    bench.world.spool_trouble = None;
    bench.wait(MIN);
    bench.expect_mails(&["mail spool-failed 1 urgent resolved"]);
    assert!(done(&mut bench));
}

#[test]
fn when_the_process_is_told_to_stop_what_exists_nowhere_else_is_spooled() {
    let mut bench = Bench::seeded();
    bench.confirmed(key(2));
    bench.take();
    bench.happens(Event::Stopping);
    bench.expect(&["spool K2", "save"]);
}

#[test]
fn an_outage_is_one_incident_for_all_and_told_again_when_a_key_waits() {
    let mut bench = Bench::seeded();
    bench.world.store_trouble = Some(StoreTrouble::Unreachable("connection refused".into()));
    bench.happens(Event::Tick(crate::rotation::Schedule::MailboxPoll));
    bench.wait(9 * SEC);
    bench.expect_mails(&[]);
    bench.wait(MIN);
    bench.expect_mails(&["mail store-unreachable 0 warning"]);
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(MIN);
    bench.expect_mails(&["mail store-unreachable 1 urgent", "mail key-spooled 0 warning"]);
    bench.world.store_trouble = None;
    bench.wait(10 * SEC);
    bench.expect_mails(&[
        "mail store-unreachable 2 urgent resolved",
        "mail key-spooled 1 warning resolved",
        "mail rotated 0 info",
    ]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn while_it_is_away_the_store_is_asked_at_most_every_ten_seconds_and_for_ever() {
    let mut bench = Bench::seeded();
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.happens(Event::Tick(crate::rotation::Schedule::MailboxPoll));
    bench.wait(HOUR);
    let asked = bench.take_only("check store").len();
    assert!((360..500).contains(&asked), "{asked}");
}

#[test]
fn deliveries_of_a_promoted_key_never_wait_for_the_store() {
    let mut bench = about_to_store();
    bench.held_back = vec!["compare".into(), "prove".into()];
    bench.run();
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.held_back.clear();
    bench.world.fake("web").runs = Some(key(2));
    bench.run();
    assert_eq!(bench.world.fake("bot").runs, Some(key(2)));
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn the_old_key_is_retired_when_its_grace_is_over_and_it_is_dead_and_that_is_noted_before() {
    let mut bench = Bench::rotated();
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(DAY - 2 * HOUR);
    assert_eq!(bench.take_only("retire"), [""; 0]);
    assert!(bench.view().retiring);
    bench.passes(2 * HOUR);
    let lines: Vec<_> =
        bench.take().into_iter().filter(|line| ["save", "retire over 2"].contains(&line.as_str())).collect();
    assert_eq!(lines, ["save", "retire over 2"]);
    assert_eq!((bench.view().retiring, bench.world.holds("main")), (false, "K2, generation 1".into()));
}

/// It was kept in memory as long as the process lived, with up to fifteen before it.
#[test]
fn s14_an_old_keys_value_is_needed_until_it_is_retired_and_no_consumer_works_with_it() {
    let mut bench = Bench::rotated();
    let needs =
        |bench: &Bench, number| bench.fleet.needs_key(&"main".parse().unwrap(), key(number), bench.now);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(DAY - 2 * HOUR);
    assert!(needs(&bench, 1) && needs(&bench, 2));
    bench.passes(2 * HOUR);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");
    assert!(!needs(&bench, 1) && needs(&bench, 2));
}

#[test]
fn s14_the_value_that_a_consumer_last_worked_with_is_needed_until_it_works_with_another() {
    let mut bench = Bench::seeded();
    let needs =
        |bench: &Bench, number| bench.fleet.needs_key(&"main".parse().unwrap(), key(number), bench.now);
    bench.world.fake("web").reads_store = false;
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.passes(HOUR);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(DAY);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");
    assert!(needs(&bench, 1) && needs(&bench, 2), "it can be told with which key the consumer works");
    bench.world.fake("web").runs = Some(key(2));
    bench.passes(2 * HOUR);
    assert!(!needs(&bench, 1) && needs(&bench, 2));
}

/// Timers stop in suspend; the wall clock does not.
#[test]
fn c01_r58_whatever_was_due_in_a_suspend_of_thirty_hours_is_done_when_it_ends() {
    let mut bench = Bench::rotated();
    bench.world.says(key(1), Verdict::Dead);
    bench.sleeps(30 * HOUR);
    bench.passes(20 * MIN);
    assert_eq!(bench.take_only("retire").len(), 1);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");

    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.fake("web").silent = true;
    bench.confirmed(key(2));
    bench.run();
    bench.take();
    bench.sleeps(21 * HOUR);
    let told = bench.take_only("mail");
    assert_eq!(told.len(), 1, "the step that is reached, and none that was missed: {told:?}");
    assert!(told[0].starts_with("mail consumer-unproven"), "{told:?}");
}

/// A board without a battery starts in 1970, until it hears of the time.
#[test]
fn c07_r58_with_a_clock_of_1970_keys_are_taken_and_told_and_none_is_removed_until_the_clocks_agree() {
    let mut bench = Bench::seeded();
    let truth = bench.now;
    bench.world.vendor_time = Some(truth);
    bench.now = Timestamp::from_secs(60);
    bench.restart();
    bench.run();
    bench.world.alive(key(2));
    let confirmation = bench.confirmation(key(2), truth);
    bench.looks(&[crate::domain::Finding::NewKey(confirmation)]);
    bench.passes(HOUR);
    assert!(bench.take().iter().any(|line| line.starts_with("mail clock-skewed")));
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(2 * DAY);
    assert_eq!(bench.take_only("retire"), [""; 0]);
    // It hears of the time: two days after the rotation.
    bench.now = truth + 2 * DAY;
    bench.world.vendor_time = Some(bench.now);
    bench.passes(4 * MIN);
    bench.world.vendor_time = None;
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");
}

#[test]
fn an_old_key_that_outlives_its_grace_is_told_of_and_kept() {
    let mut bench = Bench::rotated();
    bench.passes(DAY + HOUR);
    bench.expect_mails(&["mail old-key-alive 0 info"]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(20 * MIN);
    bench.expect_mails(&["mail old-key-alive 1 info resolved"]);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");
}

#[test]
fn a_dead_old_key_proves_nothing_while_the_current_one_is_not_alive() {
    let mut bench = Bench::rotated();
    bench.world.says(key(1), Verdict::Dead);
    bench.world.says(key(2), Verdict::Unclear);
    bench.passes(2 * DAY);
    assert_eq!(bench.take_only("retire"), [""; 0]);
    bench.world.alive(key(2));
    bench.passes(20 * MIN);
    assert_eq!(bench.take_only("retire").len(), 1);
}

#[test]
fn c02_no_old_key_is_removed_while_the_clocks_disagree() {
    let mut bench = Bench::rotated();
    bench.world.says(key(1), Verdict::Dead);
    bench.world.vendor_time = Some(bench.now + 30 * DAY);
    bench.passes(2 * DAY);
    let lines = bench.take();
    assert_eq!(lines.iter().filter(|line| line.starts_with("retire")).count(), 0);
    assert_eq!(lines.iter().filter(|line| line.starts_with("mail clock-skewed")).count(), 1);
    bench.world.vendor_time = None;
    // The store's clock agrees, and that says nothing of the vendor's.
    let facts = StoreFacts { time: Some(bench.now), ..StoreFacts::default() };
    bench.happens(Event::StoreChecked { outcome: Ok(facts) });
    bench.run();
    bench.expect_mails(&[]);
    bench.world.vendor_time = Some(bench.now + MIN);
    bench.passes(20 * MIN);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");
}

#[test]
fn r56_an_old_key_that_dies_early_is_told_of_while_consumers_are_not_tested() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.fake("web").silent = true;
    bench.confirmed(key(2));
    bench.wait(2 * MIN);
    bench.take();
    bench.world.says(key(1), Verdict::Dead);
    bench.wait(MIN);
    bench.expect_mails(&["mail old-key-died 0 urgent"]);
    bench.world.fake("web").silent = false;
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail rotated 0 info", "mail old-key-died 1 urgent resolved"]);
}

impl Bench {
    /// The machine sleeps so long, and its timers with it.
    fn sleeps(&mut self, length: Duration) {
        self.now = self.now + length;
        let effects = self.fleet.handle_deadline(self.now);
        self.emit(effects);
        self.run();
    }
}
