//! The process ends, at any moment, and another takes up what the documents and the spool say.

use super::{bench::*, *};
use crate::{
    domain::{Finding, StoreTrouble, Verdict},
    rotation::{Phase, Schedule},
};
use std::collections::BTreeSet;

/// Everything that runs something or tells somebody.
fn loud(bench: &mut Bench) -> Vec<String> {
    let quiet = ["read", "probe", "compare", "prove", "open", "look", "check", "save", "control"];
    let mut lines = bench.take();
    lines.retain(|line| !quiet.iter().any(|word| line.starts_with(word)));
    lines
}

#[test]
fn a_calm_restart_runs_no_action_and_tells_nobody() {
    let mut bench = Bench::rotated();
    bench.restart();
    bench.looks(&[]);
    bench.wait(5 * MIN);
    assert_eq!(loud(&mut bench), [""; 0]);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn a_command_that_took_the_key_is_not_run_again() {
    let commands =
        [("cmd", consumer(crate::rotation::Delivery::Command, true, crate::rotation::Proof::ByDelivery))];
    let mut bench = Bench::seeded_with(settings(vec![credential("main", &commands)]));
    bench.restart();
    bench.wait(5 * MIN);
    assert_eq!(loud(&mut bench), [""; 0]);
}

#[test]
fn in_every_state_of_a_rotation_one_restart_loses_nothing_and_promotes_once() {
    let mut cuts = 0;
    for cut in 0..40 {
        let mut bench = Bench::seeded();
        bench.world.alive(key(2));
        let confirmation = bench.confirmation(key(2), bench.now);
        bench.looks(&[Finding::NewKey(confirmation.clone())]);
        cuts += usize::from(bench.run_only(cut));
        bench.restart();
        bench.run();
        // The mailbox hands out again what is not done with.
        let (known, done) = bench.main().recognition();
        let mail = confirmation.mail.clone();
        let finding = match (done.contains(&mail.id), known.contains(&key(2))) {
            (true, _) => None,
            (false, true) => Some(Finding::Known { mail, fingerprint: key(2), dated: START, genuine: true }),
            (false, false) => Some(Finding::NewKey(confirmation)),
        };
        bench.looks(finding.as_slice());
        bench.wait(10 * MIN);
        assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1", "cut after {cut}");
        assert_eq!(
            (bench.phase(), bench.world.fake("bot").runs),
            (Phase::Steady, Some(key(2))),
            "cut after {cut}"
        );
        assert_eq!(bench.world.spool.len(), 0, "cut after {cut}");
        // A mail that is sent again is the same mail.
        let rotated = bench.notices.iter().filter(|notice| notice.code == crate::domain::Code::Rotated);
        let mails: BTreeSet<_> = rotated.map(|notice| (&notice.incident, notice.step)).collect();
        assert_eq!(mails.len(), 1, "cut after {cut}");
    }
    assert!(cuts > 10, "{cuts} cuts were in the middle");
}

#[test]
fn between_the_write_and_its_reading_back() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.held_back = vec!["compare".into(), "prove".into()];
    bench.run();
    bench.held_back.clear();
    bench.restart();
    bench.take();
    bench.run();
    bench.expect(&[
        "probe K2",
        "probe K1",
        "compare bot K2",
        "prove web K2",
        "deliver bot K2",
        "act bot",
        "prove bot K2",
        "record rotation",
        "mail rotated 0 info",
        "save",
    ]);
}

#[test]
fn an_action_whose_end_is_not_on_record_is_proven_first() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.held_back = vec!["prove bot".into()];
    bench.run();
    bench.held_back.clear();
    bench.restart();
    bench.run();
    assert_eq!(bench.take_only("act").len(), 1, "the one before the restart");
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn an_action_that_was_not_run_is_run_when_the_proof_does_not_hold() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.held_back = vec!["act bot".into()];
    bench.run();
    bench.held_back.clear();
    bench.restart();
    bench.take();
    bench.run();
    assert_eq!(bench.take_only("act"), ["act bot"]);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn a_held_key_comes_back_from_the_spool_and_its_mail_is_not_told_twice() {
    let mut bench = Bench::seeded();
    let confirmation = bench.confirmation(key(2), bench.now);
    bench.looks(&[Finding::Held { confirmation, why: "it has no signature".into() }]);
    bench.wait(MIN);
    bench.take();
    bench.restart();
    bench.looks(&[]);
    bench.wait(MIN);
    bench.expect_mails(&[]);
    assert_eq!(bench.view().held.len(), 1);
    bench.world.alive(key(2));
    bench.accept(key(2), 1);
    bench.run();
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn open_incidents_are_neither_told_again_nor_resolved_by_a_restart() {
    let mut bench = Bench::seeded();
    bench.world.fake("web").silent = true;
    bench.world.fake("bot").deliver_fails = true;
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(2 * HOUR);
    bench.world.says(key(2), Verdict::Dead);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(10 * MIN);
    bench.expect_mails(&[
        "mail consumer-failed 0 warning",
        "mail consumer-unproven 0 warning",
        "mail key-dead 0 urgent",
    ]);
    bench.world.alive(key(2));
    bench.world.says(key(2), Verdict::Dead);
    for _ in 0..3 {
        bench.restart();
        bench.looks(&[]);
        bench.wait(10 * MIN);
        bench.expect_mails(&[]);
    }
    bench.world.fake("web").silent = false;
    bench.world.fake("bot").deliver_fails = false;
    bench.world.alive(key(2));
    bench.passes(20 * MIN);
    let mut mails = bench.take_only("mail");
    mails.sort();
    assert_eq!(
        mails,
        [
            "mail consumer-failed 1 warning resolved",
            "mail consumer-unproven 1 warning resolved",
            "mail key-dead 1 urgent resolved",
            "mail rotated 0 info",
        ]
    );
}

#[test]
fn while_announced_the_rehearsal_is_held_again() {
    let mut bench = Bench::seeded();
    bench.warned();
    bench.wait(HOUR);
    bench.restart();
    bench.take();
    bench.wait(MIN);
    assert_eq!(bench.take_only("rehearse"), ["rehearse bot"]);
    assert_eq!(bench.phase(), Phase::Announced);
}

#[test]
fn while_the_key_waits_in_the_spool() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.confirmed(key(2));
    bench.wait(MIN);
    bench.restart();
    bench.wait(MIN);
    bench.world.store_trouble = None;
    bench.wait(10 * SEC);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 1".into())
    );
    assert_eq!(bench.world.spool.len(), 0);
}

#[test]
fn with_a_promoted_key_left_in_the_spool() {
    let mut bench = Bench::rotated();
    for n in [1, 2] {
        let confirmation = bench.confirmation(key(n), START);
        let origin = crate::domain::Origin::Mail(confirmation.mail);
        bench.world.spool.insert(key(n), ("main".parse().unwrap(), origin, START, START, None));
    }
    bench.restart();
    bench.wait(MIN);
    let mut lines = loud(&mut bench);
    lines.sort();
    assert_eq!(lines, ["unspool K1", "unspool K2"]);
    assert_eq!((bench.world.spool.len(), bench.world.holds("main")), (0, "K2 after K1, generation 1".into()));
}

#[test]
fn between_the_note_of_a_retirement_and_the_retirement() {
    let mut bench = Bench::rotated();
    bench.world.says(key(1), Verdict::Dead);
    bench.held_back = vec!["retire".into()];
    bench.passes(DAY);
    bench.held_back.clear();
    bench.restart();
    bench.passes(20 * MIN);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");
}

#[test]
fn r62_notes_of_another_version_are_left_alone_and_told_of() {
    let mut bench = Bench::rotated();
    bench.world.stored("main").state_refused = true;
    bench.restart();
    bench.wait(5 * MIN);
    assert_eq!(loud(&mut bench), ["mail state-refused 0 urgent"]);
    assert_eq!(bench.phase(), Phase::Parked(crate::rotation::Parked::StateRefused));
    bench.world.stored("main").state_refused = false;
    bench.passes(20 * MIN);
    assert_eq!(loud(&mut bench), ["mail state-refused 1 urgent resolved"]);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn a_foreign_value_over_a_promotion_that_was_not_noted_yet_is_not_taken_for_ours() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.held_back = vec!["compare".into(), "prove".into()];
    bench.confirmed(key(2));
    bench.run();
    bench.held_back.clear();
    bench.world.put("main", key(9), bench.now);
    bench.restart();
    bench.wait(5 * MIN);
    assert_eq!(bench.phase(), Phase::Parked(crate::rotation::Parked::StoreForeign));
    assert_eq!(bench.world.fake("bot").runs, Some(key(1)));
}
