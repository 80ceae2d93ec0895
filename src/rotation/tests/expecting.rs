//! What is to come: warnings, the calendar, and the rehearsal before.

use super::{bench::*, *};
use crate::{
    domain::{Code, Finding, RotationId, Verdict, Warning},
    rotation::{Delivery, HintFrom, Phase, Proof},
};

#[test]
fn warned_and_never_confirmed_is_told_an_hour_after_and_on_the_ladder() {
    let mut bench = Bench::seeded();
    bench.warned();
    let expected = bench.now + DAY;
    bench.wait(DAY + HOUR - SEC);
    bench.expect_mails(&["mail rotation-announced 0 info"]);
    bench.wait(SEC);
    bench.expect_mails(&["mail rotation-overdue 0 warning"]);
    assert_eq!(bench.last_notice().until, Some(expected + DAY - 5 * MIN));
    assert_eq!(bench.phase(), Phase::Announced);
    bench.wait(DAY);
    bench.expect_mails(&[
        "mail rotation-overdue 1 warning",
        "mail rotation-overdue 2 warning",
        "mail rotation-overdue 3 urgent",
        "mail rotation-overdue 4 urgent",
    ]);
    bench.world.alive(key(2));
    let late = bench.confirmation(key(2), expected);
    bench.looks(&[Finding::NewKey(late)]);
    bench.run();
    // The mail is a day late: the grace of the old key is over, and it works still.
    bench.expect_mails(&[
        "mail rotation-overdue 5 urgent resolved",
        "mail old-key-alive 0 info",
        "mail rotated 0 info",
    ]);
}

#[test]
fn neither_warned_nor_confirmed_by_the_expected_time_is_told() {
    let mut bench = Bench::rotated();
    let expected = bench.view().next_rotation_expected_at.unwrap();
    assert_eq!(expected, bench.view().rotated_at.unwrap() + 7 * DAY);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(expected.since(bench.now) + HOUR - 10 * MIN);
    bench.expect_mails(&[]);
    bench.passes(20 * MIN);
    bench.expect_mails(&["mail rotation-overdue 0 warning"]);
}

#[test]
fn without_a_warning_the_rehearsal_is_held_at_the_same_hour() {
    let mut bench = Bench::rotated();
    let expected = bench.view().next_rotation_expected_at.unwrap();
    bench.wait(expected.since(bench.now) - DAY - SEC);
    bench.take();
    bench.wait(SEC);
    let mut lines = bench.take();
    lines.retain(|line| line != "probe K1");
    assert_eq!(
        lines,
        ["rehearse bot", "compare bot K2", "prove web K2", "save", "look", "probe K2", "prove bot K2"]
    );
}

#[test]
fn a_consumer_that_cannot_be_tested_even_now_is_told_before_the_rotation() {
    let mut bench = Bench::seeded();
    bench.world.fake("web").silent = true;
    bench.warned();
    bench.wait(MIN - SEC);
    bench.expect_mails(&["mail rotation-announced 0 info"]);
    bench.wait(SEC);
    bench.expect_mails(&["mail rehearsal-failed 0 warning"]);
    let notice = bench.last_notice();
    assert_eq!(notice.message, "the coming rotation would fail at web (nobody answers)");
    assert_eq!(notice.hint, "keyrelay prove main --consumer web");
    bench.world.fake("web").silent = false;
    bench.wait(HOUR);
    bench.expect_mails(&["mail rehearsal-failed 1 warning resolved"]);
}

#[test]
fn everything_that_fails_in_the_rehearsal_is_one_mail() {
    let mut bench = Bench::seeded();
    bench.world.fake("web").silent = true;
    bench.world.fake("bot").rehearsal_fails = true;
    bench.warned();
    bench.wait(HOUR);
    bench.expect_mails(&["mail rotation-announced 0 info", "mail rehearsal-failed 0 warning"]);
    let message = "the coming rotation would fail at bot (the folder belongs to root), web (nobody answers)";
    assert_eq!(bench.last_notice().message, message);
}

#[test]
fn a_consumer_that_falls_silent_after_the_rotation_is_not_a_failed_rehearsal() {
    let mut bench = Bench::seeded();
    bench.warned();
    bench.wait(DAY);
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(HOUR);
    bench.take();
    bench.world.fake("web").silent = true;
    bench.passes(3 * HOUR);
    bench.expect_mails(&["mail consumer-unproven 0 warning"]);
}

#[test]
fn an_old_warning_announces_nothing() {
    let mut bench = Bench::rotated();
    let (mail, dated) = (bench.mail(bench.now), bench.view().rotated_at.unwrap() - DAY);
    bench.looks(&[Finding::Warning(Warning { mail, dated })]);
    bench.run();
    bench.expect(&["save"]);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn a_warning_that_is_read_before_the_documents_is_judged_when_they_are_known() {
    let mut bench = Bench::rotated();
    let rotated_at = bench.view().rotated_at.unwrap();
    bench.restart();
    let (mail, dated) = (bench.mail(bench.now), rotated_at - DAY);
    bench.looks(&[Finding::Warning(Warning { mail, dated })]);
    bench.run();
    bench.expect_mails(&[]);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn the_same_warning_twice_announces_once() {
    let mut bench = Bench::seeded();
    let (mail, dated) = (bench.mail(bench.now), bench.now);
    let finding = Finding::Warning(Warning { mail, dated });
    bench.looks(&[finding.clone(), finding.clone()]);
    bench.looks(&[finding]);
    bench.run();
    bench.expect_mails(&["mail rotation-announced 0 info"]);
}

#[test]
fn the_current_key_found_dead_is_told_within_a_minute_and_the_mailbox_is_searched() {
    let mut bench = Bench::seeded();
    bench.world.says(key(1), Verdict::Dead);
    bench.input(crate::rotation::Input::Unauthorized { fingerprint: None, from: None });
    bench.wait(MIN - SEC);
    bench.expect(&["look", "probe K1", "look", "probe K1"]);
    bench.wait(SEC);
    bench.expect(&["probe K1", "look afresh", "mail key-dead 0 urgent", "save"]);
    assert_eq!(bench.phase(), Phase::Parked(crate::rotation::Parked::KeyDead));
}

#[test]
fn the_current_key_found_dead_with_a_confirmation_to_be_found_is_a_rotation() {
    let mut bench = Bench::seeded();
    bench.world.says(key(1), Verdict::Dead);
    bench.world.alive(key(2));
    bench.input(crate::rotation::Input::Unauthorized { fingerprint: None, from: None });
    bench.run();
    let confirmation = bench.confirmation(key(2), bench.now - HOUR);
    bench.looks(&[Finding::NewKey(confirmation)]);
    bench.run();
    bench.expect_mails(&["mail rotated 0 info"]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn a_hint_of_a_401_leads_to_one_probe_a_minute_at_most_and_to_nothing_else() {
    let mut bench = Bench::seeded();
    for _ in 0..10 {
        bench.input(crate::rotation::Input::Unauthorized { fingerprint: Some(key(1)), from: None });
        bench.run();
    }
    bench.input(crate::rotation::Input::Unauthorized { fingerprint: Some(key(8)), from: None });
    bench.run();
    bench.expect(&["look", "probe K1"]);
    bench.wait(MIN);
    bench.input(crate::rotation::Input::Unauthorized { fingerprint: None, from: None });
    bench.run();
    bench.expect(&["look", "probe K1"]);
}

#[test]
fn a_hint_of_a_known_user_is_written_down_with_what_the_vendor_said() {
    let mut bench = Bench::seeded();
    let from = |id| Some(HintFrom { uid: 1001, rotation_id: RotationId::from_parts(id, 1) });
    for id in 1..=3 {
        bench.input(crate::rotation::Input::Unauthorized { fingerprint: None, from: from(id) });
        bench.run();
        bench.wait(MIN);
    }
    bench.expect(&["look", "probe K1", "record hint", "look", "probe K1", "look", "probe K1"]);
}

#[test]
fn a_current_key_that_is_dead_alone_may_be_a_vendor_that_refuses_everybody() {
    let mut bench = Bench::seeded();
    bench.world.says(key(1), Verdict::Dead);
    bench.tick(crate::rotation::Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    assert_eq!(bench.last_notice().code, Code::KeyDead);
    let message = "Leaf7 refuses the current key, or refuses everybody (the vendor says dead)";
    assert_eq!(bench.last_notice().message, message);
    bench.world.alive(key(1));
    bench.passes(20 * MIN);
    assert!(bench.last_notice().resolved);
}

#[test]
fn a_vendor_without_grace_has_its_old_key_retired_when_the_last_consumer_is_proven() {
    let consumers = [("web", consumer(Delivery::None, false, Proof::Asked))];
    let mut without = credential("main", &consumers);
    (without.grace, without.hand_over_within) = (None, HOUR);
    let mut bench = Bench::seeded_with(settings(vec![without]));
    bench.world.alive(key(2));
    bench.world.fake("web").silent = true;
    bench.confirmed(key(2));
    bench.wait(2 * MIN);
    bench.world.says(key(1), Verdict::Dead);
    bench.wait(2 * MIN);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    bench.world.fake("web").silent = false;
    bench.wait(5 * MIN);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");
}
