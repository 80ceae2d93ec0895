//! Every row of the first start's table: what the key document says, by what the mailbox holds.

use super::{bench::*, world::World, *};
use crate::{
    domain::{Account, Finding, StoreTrouble, Timestamp, Verdict},
    rotation::{Parked, Phase, Settings},
};
use std::sync::Arc;

fn store_with(verdict: Verdict) -> World {
    let mut world = World::default();
    world.put("main", key(1), START - DAY);
    world.alive(key(1));
    world.vendor.get_mut(&key(1)).unwrap().0 = verdict;
    world
}
fn pinned() -> Settings {
    let mut settings = main_settings();
    let name = "main".parse().unwrap();
    let mut credential = (*settings.credentials[&name]).clone();
    credential.account = Some(Account::from_iter(["project-1"]));
    settings.credentials.insert(name, Arc::new(credential));
    settings
}
/// The store is read, and the mailbox holds one confirmation, of K2.
fn found(settings: Settings, world: World, dated: Timestamp) -> Bench {
    let mut bench = Bench::start(settings, world);
    bench.world.alive(key(2));
    bench.run();
    let confirmation = bench.confirmation(key(2), dated);
    bench.looks(&[Finding::NewKey(confirmation)]);
    bench.run();
    bench
}

#[test]
fn nothing_is_done_but_reading_and_opening_at_first() {
    let mut bench = Bench::start(main_settings(), World::default());
    bench.expect(&["read both", "open mail"]);
    assert_eq!(bench.phase(), Phase::Unseeded);
}

#[test]
fn alive_and_no_confirmation_is_seeded_and_the_consumers_are_compared() {
    let mut bench = Bench::start(main_settings(), store_with(Verdict::Alive));
    bench.world.fake("bot").copy = Some(key(1));
    bench.world.fake("bot").runs = Some(key(1));
    bench.run();
    bench.looks(&[]);
    bench.run();
    bench.expect(&[
        "read both",
        "open mail",
        "save",
        "probe K1",
        "compare bot K1",
        "prove web K1",
        "mail account-recorded 0 info",
        "prove bot K1",
        "save",
        "save",
    ]);
    assert_eq!((bench.phase(), bench.world.holds("main")), (Phase::Steady, "K1, generation 0".into()));
    let view = bench.view();
    assert_eq!((view.generation, view.account, view.rotation_id), (0, vec!["project-1".to_owned()], None));
}

#[test]
fn alive_and_a_confirmation_of_this_key_is_seeded_too() {
    let mut bench = Bench::start(main_settings(), store_with(Verdict::Alive));
    let confirmation = bench.confirmation(key(1), START - 2 * DAY);
    bench.looks(&[Finding::NewKey(confirmation)]);
    bench.run();
    bench.expect_mails(&["mail account-recorded 0 info"]);
    assert_eq!((bench.phase(), bench.world.holds("main")), (Phase::Steady, "K1, generation 0".into()));
    bench.wait(HOUR);
    assert_eq!(bench.world.spool.len(), 0);
}

#[test]
fn alive_and_a_confirmation_dated_after_it_is_a_rotation() {
    let mut bench = found(main_settings(), store_with(Verdict::Alive), START - HOUR);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    bench.expect_mails(&["mail account-recorded 0 info", "mail rotated 0 info"]);
}

#[test]
fn equal_counts_as_after() {
    let bench = found(main_settings(), store_with(Verdict::Alive), START - DAY);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn m11_r08_alive_and_a_confirmation_dated_before_it_is_held() {
    let mut bench = found(main_settings(), store_with(Verdict::Alive), START - 2 * DAY);
    bench.expect_mails(&["mail account-recorded 0 info", "mail candidate-held 0 warning"]);
    assert_eq!((bench.phase(), bench.world.holds("main")), (Phase::Steady, "K1, generation 0".into()));
    assert_eq!(bench.view().held.len(), 1);
}

#[test]
fn dead_and_a_candidate_that_is_alive_is_promoted_where_the_account_is_pinned() {
    let bench = found(pinned(), store_with(Verdict::Dead), START - HOUR);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 1".into())
    );
}

#[test]
fn dead_and_a_candidate_that_is_alive_is_held_elsewhere_and_told_as_urgent() {
    let mut bench = found(main_settings(), store_with(Verdict::Dead), START - HOUR);
    bench.expect_mails(&["mail candidate-held 0 warning"]);
    bench.wait(MIN);
    bench.expect_mails(&["mail key-dead 0 urgent", "mail candidate-held 1 urgent"]);
    assert_eq!(bench.phase(), Phase::Parked(Parked::KeyDead));
    assert_eq!(bench.world.holds("main"), "K1, generation 0");
}

#[test]
fn unclear_waits_and_is_told_after_a_quarter_of_an_hour() {
    let mut bench = found(main_settings(), store_with(Verdict::Unclear), START - HOUR);
    bench.wait(15 * MIN - SEC);
    bench.expect_mails(&[]);
    bench.wait(SEC);
    bench.expect_mails(&["mail key-unclear 0 warning"]);
    assert_eq!(bench.world.holds("main"), "K1, generation 0");
    bench.world.alive(key(1));
    bench.wait(5 * MIN);
    bench.expect_mails(&[
        "mail account-recorded 0 info",
        "mail key-unclear 1 warning resolved",
        "mail rotated 0 info",
    ]);
}

#[test]
fn absent_and_a_candidate_that_is_alive_is_promoted_where_the_account_is_pinned() {
    let bench = found(pinned(), World::default(), START - HOUR);
    assert_eq!((bench.phase(), bench.world.holds("main")), (Phase::Steady, "K2, generation 1".into()));
}

#[test]
fn absent_and_a_candidate_that_is_alive_is_held_elsewhere() {
    let mut bench = found(main_settings(), World::default(), START - HOUR);
    bench.expect_mails(&["mail candidate-held 0 warning"]);
    assert_eq!((bench.phase(), bench.world.holds("main")), (Phase::Parked(Parked::Held), "nothing".into()));
}

#[test]
fn absent_and_no_confirmation_is_unseeded_and_told_after_the_first_look() {
    let mut bench = Bench::start(main_settings(), World::default());
    bench.run();
    bench.wait(MIN);
    bench.expect(&["read both", "open mail"]);
    bench.looks(&[]);
    bench.run();
    bench.expect(&["mail unseeded 0 warning", "save"]);
    assert_eq!((bench.phase(), bench.last_notice().hint.as_str()), (Phase::Unseeded, "keyrelay ingest main"));
}

#[test]
fn a_deleted_version_is_not_a_first_start() {
    let mut world = store_with(Verdict::Alive);
    world.stored("main").deleted = true;
    let mut bench = Bench::start(main_settings(), world);
    bench.run();
    bench.looks(&[]);
    bench.run();
    bench.expect(&["read both", "open mail", "mail document-deleted 0 urgent", "save"]);
    assert_eq!(bench.phase(), Phase::Parked(Parked::DocumentDeleted));
}

#[test]
fn a_forbidden_document_is_not_a_first_start() {
    let mut world = store_with(Verdict::Alive);
    world.store_trouble = Some(StoreTrouble::Forbidden("permission denied".into()));
    let mut bench = Bench::start(main_settings(), world);
    bench.run();
    bench.looks(&[]);
    bench.run();
    bench.expect(&["read both", "open mail", "mail store-forbidden 0 urgent"]);
    assert_eq!(bench.phase(), Phase::Parked(Parked::StoreUnread));
    bench.wait(HOUR);
    bench.expect_mails(&[]);
    bench.world.store_trouble = None;
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail store-forbidden 1 urgent resolved", "mail account-recorded 0 info"]);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn our_own_fields_without_a_state_are_not_a_first_start() {
    let mut bench = Bench::rotated();
    bench.world.stored("main").state = None;
    bench.world.stored("main").state_version = 0;
    bench.restart();
    bench.run();
    bench.expect(&[
        "read both",
        "open mail",
        "probe K2",
        "probe K1",
        "mail state-rebuilt 0 warning",
        "compare bot K2",
        "prove web K2",
        "prove bot K2",
        "record rotation",
        "save",
    ]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn unreachable_or_sealed_it_watches_and_spools_and_tells() {
    let mut world = store_with(Verdict::Alive);
    world.store_trouble = Some(StoreTrouble::Sealed);
    let mut bench = found(main_settings(), world, START - HOUR);
    bench.wait(10 * SEC);
    let mut lines = bench.take();
    lines.retain(|line| !["read both", "check store"].contains(&line.as_str()));
    assert_eq!(
        lines,
        [
            "open mail",
            "mail store-sealed 0 warning",
            "mail store-sealed 1 urgent",
            "spool K2",
            "mail key-spooled 0 warning"
        ]
    );
    bench.world.store_trouble = None;
    bench.wait(10 * SEC);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 1".into())
    );
    assert_eq!(bench.world.spool.len(), 0);
}
