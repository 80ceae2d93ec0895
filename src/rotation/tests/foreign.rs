//! A value in the store that keyrelay did not put there.

use super::{bench::*, *};
use crate::{
    domain::{Account, Verdict},
    rotation::{Credential, Parked, Phase, Schedule},
};

/// Somebody writes K9 over the current key, and the schedule finds it.
fn overwritten(mut bench: Bench) -> Bench {
    bench.world.put("main", key(9), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    bench
}

#[test]
fn one_that_is_alive_and_ours_and_new_is_adopted_and_told() {
    let mut bench = Bench::rotated();
    bench.world.alive(key(9));
    let mut bench = overwritten(bench);
    bench.expect_mails(&["mail store-adopted 0 warning", "mail rotated 0 info"]);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K9 after K2, generation 2".into())
    );
    assert_eq!(bench.world.fake("bot").runs, Some(key(9)));
}

#[test]
fn while_it_is_judged_nobody_is_given_anything() {
    let mut bench = Bench::rotated();
    bench.world.says(key(9), Verdict::Unclear);
    let mut bench = overwritten(bench);
    bench.take();
    bench.tick(Schedule::ConsumerProve);
    bench.wait(HOUR);
    let mut lines = bench.take();
    lines.retain(|line| !line.starts_with("probe"));
    assert_eq!(
        lines,
        ["mail store-foreign 0 warning", "save"],
        "told when the vendor says nothing for so long"
    );
}

#[test]
fn one_that_the_vendor_refuses_is_told_and_not_overwritten() {
    let mut bench = overwritten(Bench::rotated());
    bench.expect_mails(&["mail store-foreign 0 warning"]);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Parked(Parked::StoreForeign), "K9 after K1, generation 1".into())
    );
    assert_eq!(bench.last_notice().hint, "put the right key in:\nkeyrelay ingest main");
    // Put right by hand, it is over.
    bench.world.put("main", key(2), bench.now);
    bench.passes(20 * MIN);
    bench.expect_mails(&["mail store-foreign 1 warning resolved"]);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn one_of_another_account_is_told_and_not_overwritten() {
    let mut bench = Bench::rotated();
    bench.world.vendor.insert(key(9), (Verdict::Alive, Account::from_iter(["somebody-else"])));
    let mut bench = overwritten(bench);
    bench.expect_mails(&["mail store-foreign 0 warning"]);
    bench.passes(HOUR);
    bench.expect_mails(&[]);
    assert_eq!(bench.world.holds("main"), "K9 after K1, generation 1");
}

#[test]
fn one_whose_account_shows_nothing_is_held_and_accepted_by_hand() {
    let mut bench = Bench::rotated();
    bench.world.vendor.insert(key(9), (Verdict::Alive, Account::default()));
    let mut bench = overwritten(bench);
    bench.expect_mails(&["mail store-foreign 0 warning"]);
    let hint = "if that key is right:\nkeyrelay accept main 0000000000000009\nelse:\nkeyrelay ingest main";
    assert_eq!(bench.last_notice().hint, hint);
    bench.accept(key(9), 3);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 3: promoted as 2, proven: true"]);
    assert_eq!(bench.world.holds("main"), "K9 after K2, generation 2");
}

#[test]
fn one_that_cannot_be_a_key_is_told_and_not_overwritten() {
    let mut bench = Bench::rotated();
    let document = bench.world.stored("main").key.as_mut().unwrap();
    (document.current, document.unusable) = (None, Some("field api_key: it is empty".into()));
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail store-foreign 0 warning"]);
    assert_eq!(
        bench.last_notice().message,
        "somebody else wrote to vendors/main: field api_key: it is empty"
    );
    assert_eq!(bench.phase(), Phase::Parked(Parked::StoreForeign));
}

#[test]
fn another_field_alone_is_nobodys_business() {
    let mut bench = Bench::rotated();
    bench.world.put("main", key(2), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    bench.expect(&["read key", "probe K2"]);
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.run();
    assert_eq!(bench.take_only("store"), ["store K3 after K2 as 2 over 3"]);
}

#[test]
fn an_earlier_key_is_never_adopted_and_the_newer_one_goes_to_the_spool() {
    let mut bench = Bench::rotated();
    bench.world.put("main", key(1), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    bench.expect(&["read key", "probe K2", "spool K2", "mail store-reverted 0 warning", "save", "save"]);
    assert_eq!(bench.phase(), Phase::Parked(Parked::StoreReverted));
    assert_eq!(bench.last_notice().hint, "keyrelay accept main 0000000000000002");
    bench.tick(Schedule::ConsumerProve);
    bench.wait(10 * MIN);
    assert_eq!(bench.take(), [""; 0], "nobody is given the earlier key");
    bench.accept(key(2), 2);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 2: promoted as 2, proven: true"]);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 2".into())
    );
    assert_eq!(bench.world.spool.len(), 0);
}

#[test]
fn an_earlier_key_is_replaced_by_itself_at_the_ladders_last_step() {
    let mut bench = Bench::rotated();
    bench.world.put("main", key(1), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    let rotated_at = bench.view().rotated_at.unwrap();
    let deadline = rotated_at + DAY - 5 * MIN;
    let last_step = deadline - deadline.since(rotated_at) / 24;
    bench.wait(last_step.since(bench.now) - SEC);
    bench.expect_mails(&[
        "mail store-reverted 0 warning",
        "mail store-reverted 1 warning",
        "mail store-reverted 2 warning",
        "mail store-reverted 3 urgent",
    ]);
    bench.wait(2 * SEC);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 2".into())
    );
}

/// The simulation's seed 772: it was taken up again, and refused again, with each look at the document.
#[test]
fn a_newer_key_that_is_dead_is_refused_once_however_often_the_document_is_read() {
    let mut bench = Bench::rotated();
    bench.world.put("main", key(1), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    bench.world.says(key(2), crate::domain::Verdict::Dead);
    bench.accept(key(2), 2);
    bench.wait(DAY);
    for _ in 0..10 {
        bench.tick(Schedule::CurrentKeyProbe);
        bench.wait(10 * MIN);
    }
    let refusals = bench.take_only("mail candidate-refused");
    assert!(refusals.len() <= 1, "{refusals:?}");
}

#[test]
fn a_newer_key_by_mail_ends_a_reverted_store_too() {
    let mut bench = Bench::rotated();
    bench.world.put("main", key(1), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.run();
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K3 after K2, generation 2".into())
    );
    assert_eq!((bench.world.spool.len(), bench.view().held.len()), (0, 0));
}

#[test]
fn a_deleted_document_is_told_and_its_key_is_offered() {
    let mut bench = Bench::rotated();
    bench.world.stored("main").deleted = true;
    bench.passes(20 * MIN);
    bench.expect_mails(&["mail document-deleted 0 urgent"]);
    assert_eq!(bench.phase(), Phase::Parked(Parked::DocumentDeleted));
    bench.passes(HOUR);
    bench.expect_mails(&[]);
    bench.accept(key(2), 8);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 8: promoted as 2, proven: true"]);
    assert_eq!((bench.phase(), bench.world.holds("main")), (Phase::Steady, "K2, generation 2".into()));
}

#[test]
fn a_deleted_document_that_is_undeleted_is_as_it_was() {
    let mut bench = Bench::rotated();
    bench.world.stored("main").deleted = true;
    bench.passes(20 * MIN);
    bench.world.stored("main").deleted = false;
    bench.take();
    bench.passes(20 * MIN);
    bench.expect_mails(&["mail document-deleted 1 urgent resolved"]);
    assert_eq!((bench.phase(), bench.world.spool.len()), (Phase::Steady, 0));
}

#[test]
fn a_foreign_value_written_while_keyrelay_was_down_is_not_simply_believed() {
    let mut bench = Bench::rotated();
    bench.world.put("main", key(9), bench.now);
    bench.restart();
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail store-foreign 0 warning"]);
    assert_eq!(bench.phase(), Phase::Parked(Parked::StoreForeign));
    assert_eq!(bench.world.fake("bot").runs, Some(key(2)));
}

#[test]
fn one_of_the_recorded_account_written_while_keyrelay_was_down_is_adopted() {
    let mut bench = Bench::rotated();
    bench.world.alive(key(9));
    bench.world.put("main", key(9), bench.now);
    bench.restart();
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail store-adopted 0 warning", "mail rotated 0 info"]);
    assert_eq!(bench.world.holds("main"), "K9, generation 2");
}

#[test]
fn a_reverted_store_is_known_again_after_a_restart() {
    let mut bench = Bench::rotated();
    bench.world.put("main", key(1), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    bench.restart();
    bench.take();
    bench.wait(5 * MIN);
    bench.expect_mails(&[]);
    assert_eq!(bench.phase(), Phase::Parked(Parked::StoreReverted));
    bench.accept(key(2), 2);
    bench.run();
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 2");
}

/// It was kept in the spool with the date of the deletion: newer than the key that took its place, it stayed held,
/// and the document no longer had it.
#[test]
fn r49_a_key_whose_document_was_removed_is_the_previous_one_of_the_key_that_is_written_in_its_place() {
    let pin = |one: &std::sync::Arc<Credential>| {
        let account = Some(["project-1"].into_iter().collect());
        std::sync::Arc::new(Credential { account, ..(**one).clone() })
    };
    let mut settings = main_settings();
    settings.credentials = settings.credentials.iter().map(|(name, one)| (name.clone(), pin(one))).collect();
    let mut bench = Bench::seeded_with(settings);
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(HOUR);
    bench.world.stored("main").deleted = true;
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.wait(10 * MIN);
    assert_eq!(bench.world.holds("main"), "K3 after K2, generation 2");
    assert_eq!((bench.phase(), bench.world.spool.len(), bench.view().held.len()), (Phase::Steady, 0, 0));
    assert_eq!(bench.view().incidents.len(), 0);
}
