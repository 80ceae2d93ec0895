//! A rotation that a mail tells of.

use super::{bench::*, *};
use crate::{
    domain::{Finding, Verdict},
    rotation::{Input, Phase},
};

/// What a calm rotation does from the first probe to the last proof.
const ROTATION: &[&str] = &[
    "read key",
    "probe K2",
    "probe K1",
    "control",
    "store K2 after K1 as 1 over 1",
    "read key",
    "compare bot K2",
    "prove web K2",
    "record rotation",
    "deliver bot K2",
    "act bot",
    "prove bot K2",
    "record rotation",
    "mail rotated 0 info",
    "save",
];

#[test]
fn on_a_confirmation_everything_that_is_needed_is_asked_for_at_once() {
    let mut bench = Bench::seeded();
    bench.confirmed(key(2));
    bench.expect(&["read key", "probe K2", "probe K1", "control"]);
    assert_eq!(bench.phase(), Phase::Probing);
}

#[test]
fn confirmed_without_a_warning() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    bench.expect(ROTATION);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 1".into())
    );
}

#[test]
fn warned_and_confirmed() {
    let mut bench = Bench::seeded();
    bench.warned();
    bench.run();
    bench.expect(&[
        "rehearse bot",
        "compare bot K1",
        "prove web K1",
        "look",
        "probe K1",
        "mail rotation-announced 0 info",
        "prove bot K1",
        "save",
    ]);
    assert_eq!(bench.phase(), Phase::Announced);
    bench.wait(DAY);
    bench.expect(&[]);
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    bench.expect(ROTATION);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn one_calm_mailed_rotation_writes_to_the_store_at_most_five_times() {
    let mut bench = Bench::seeded();
    bench.warned();
    bench.run();
    bench.wait(DAY);
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    bench.passes(DAY - HOUR);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(2 * HOUR);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");
    assert_eq!(bench.world.writes, 5);
}

#[test]
fn confirmed_twice_is_one_rotation() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    let once = bench.confirmation(key(2), bench.now);
    let again = bench.confirmation(key(2), bench.now + SEC);
    bench.looks(&[Finding::NewKey(once), Finding::NewKey(again.clone())]);
    bench.run();
    bench.expect(ROTATION);
    bench.looks(&[Finding::NewKey(again)]);
    bench.run();
    bench.expect(&[]);
}

#[test]
fn superseded_while_handing_over() {
    let mut bench = Bench::seeded();
    bench.world.fake("web").silent = true;
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(10 * MIN);
    assert_eq!(bench.phase(), Phase::HandingOver);
    bench.take();
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.run();
    bench.expect(&[
        "read key",
        "probe K3",
        "probe K2",
        "store K3 after K2 as 2 over 2",
        "read key",
        "compare bot K3",
        "prove web K3",
        "record rotation",
        "deliver bot K3",
        "act bot",
        "prove bot K3",
    ]);
    assert_eq!(bench.phase(), Phase::HandingOver);
    // The consumer that was last seen with K1 is told of by K1's own, earlier deadline.
    let k1_dies = START + 2 * MIN + DAY;
    let (_, notice) = (bench.wait(HOUR), bench.last_notice());
    assert_eq!(notice.code, crate::domain::Code::ConsumerUnproven);
    assert!(notice.until.unwrap() < k1_dies && notice.until.unwrap() > k1_dies - HOUR);
}

#[test]
fn a_delivery_of_the_old_key_that_is_under_way_ends_before_the_new_one_is_delivered() {
    let mut bench = Bench::seeded();
    bench.held_back = vec!["deliver bot K2".into()];
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    bench.wait(MIN);
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.run();
    assert_eq!(bench.world.holds("main"), "K3 after K2, generation 2");
    bench.take();
    bench.held_back.clear();
    bench.run();
    bench.expect(&[
        "compare bot K3",
        "deliver bot K3",
        "act bot",
        "prove bot K3",
        "record rotation",
        "mail rotated 0 info",
        "save",
    ]);
    assert_eq!(bench.world.fake("bot").runs, Some(key(3)));
}

#[test]
fn of_several_confirmations_in_one_look_only_the_newest_is_asked_about() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(3));
    let older = bench.confirmation(key(2), bench.now - HOUR);
    let newer = bench.confirmation(key(3), bench.now);
    bench.looks(&[Finding::NewKey(newer), Finding::NewKey(older)]);
    bench.run();
    assert_eq!(bench.take_only("probe"), ["probe K3", "probe K1"]);
    assert_eq!(bench.world.holds("main"), "K3 after K1, generation 1");
}

#[test]
fn a_foreign_confirmation_that_is_dated_later_does_not_hide_the_genuine_one() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.vendor.insert(key(3), (Verdict::Alive, ["somebody-else"].into_iter().collect()));
    let genuine = bench.confirmation(key(2), bench.now - MIN);
    let foreign = bench.confirmation(key(3), bench.now);
    let findings = [Finding::NewKey(genuine), Finding::NewKey(foreign)];
    bench.looks(&findings);
    bench.run();
    bench.expect(&[
        "read key",
        "probe K3",
        "probe K1",
        "control",
        "look afresh",
        "record refusal",
        "mail candidate-refused 0 warning",
        "save",
    ]);
    bench.looks(&findings);
    bench.run();
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn a_mail_that_was_moved_and_so_arrived_anew_does_not_make_a_newer_key_history() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    let known = bench.mail(bench.now + MIN);
    let newer = bench.confirmation(key(2), bench.now);
    bench.looks(&[
        Finding::Known { mail: known, fingerprint: key(1), dated: START, genuine: true },
        Finding::NewKey(newer),
    ]);
    bench.run();
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn m11_r08_a_mail_dated_before_the_current_key_never_supersedes_by_itself() {
    let mut bench = Bench::rotated();
    bench.world.alive(key(3));
    let older = bench.confirmation(key(3), START - HOUR);
    bench.looks(&[Finding::NewKey(older)]);
    bench.run();
    bench.expect(&["read key", "mail candidate-held 0 warning", "save", "save"]);
    bench.wait(MIN);
    bench.expect(&["spool K3", "save"]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn a_mail_that_cannot_be_judged_is_looked_at_again_and_told_of_when_that_goes_on() {
    let mut bench = Bench::seeded();
    let mail = bench.mail(bench.now);
    let waits = Finding::Wait { mail, why: "the DKIM key cannot be looked up".into() };
    bench.looks(std::slice::from_ref(&waits));
    bench.expect(&[]);
    for _ in 0..3 {
        bench.wait(10 * SEC);
        bench.expect(&["look afresh"]);
        bench.looks(std::slice::from_ref(&waits));
    }
    bench.run();
    bench.expect(&["mail mail-waiting 0 warning", "save"]);
    bench.wait(MIN);
    bench.take();
    bench.looks(&[]);
    bench.run();
    bench.expect(&["mail mail-waiting 1 warning resolved", "save"]);
}

#[test]
fn r21_a_confirmation_that_was_filed_as_junk_is_used_and_told_until_the_next_one_arrives_elsewhere() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    let mut confirmation = bench.confirmation(key(2), bench.now);
    (confirmation.mail.junk, confirmation.mail.folder) = (true, "Spam".into());
    let mail = confirmation.mail.clone();
    bench.looks(&[Finding::NewKey(confirmation)]);
    bench.run();
    bench.expect_mails(&["mail mail-in-junk 0 warning", "mail rotated 0 info"]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    bench.looks(&[Finding::Known { mail, fingerprint: key(2), dated: START, genuine: true }]);
    bench.expect_mails(&[]);

    bench.passes(DAY);
    bench.take();
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.run();
    bench.expect_mails(&["mail mail-in-junk 1 warning resolved", "mail rotated 0 info"]);
}

#[test]
fn a_genuine_mail_without_a_readable_key_is_an_incident_with_time_left_until_the_key_is_there() {
    let mut bench = Bench::seeded();
    let (mail, dated) = (bench.mail(bench.now), bench.now);
    let finding = Finding::Unparsed { mail, dated, why: "two keys could be meant".into() };
    bench.looks(std::slice::from_ref(&finding));
    bench.run();
    bench.expect(&["mail mail-unparsed 0 urgent", "save", "save"]);
    assert_eq!(bench.last_notice().until, Some(dated + DAY - 5 * MIN));
    bench.looks(&[finding]);
    bench.expect(&[]);
    bench.world.alive(key(2));
    bench.ingest(key(2), false, 9);
    bench.run();
    bench.expect_mails(&["mail mail-unparsed 1 urgent resolved", "mail rotated 0 info"]);
}

#[test]
fn refused_mails_of_one_cause_are_one_incident_with_a_count() {
    let mut bench = Bench::seeded();
    for _ in 0..5 {
        let mail = bench.mail(bench.now);
        bench.looks(&[Finding::Suspicious { mail, why: "its signature fails".into() }]);
    }
    bench.run();
    bench.expect_mails(&["mail mail-suspicious 0 warning"]);
    assert_eq!(bench.view().incidents[0].count, 5);
}

#[test]
fn a_late_completion_changes_nothing_unless_it_carries_a_key() {
    let mut bench = Bench::seeded();
    bench.input(Input::ProbeFinished {
        attempt: 999,
        fingerprint: key(1),
        answer: bench.world.probe(key(7)),
    });
    bench.input(Input::KeyStored { attempt: 999, outcome: crate::domain::WriteOutcome::Mismatch });
    bench.input(Input::Spooled { fingerprint: key(7), outcome: Ok(()) });
    bench.run();
    bench.expect(&["unspool K7"]);
    bench.world.alive(key(2));
    let confirmation = bench.confirmation(key(2), bench.now - 20 * HOUR);
    bench.looks(&[Finding::NewKey(confirmation)]);
    bench.run();
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn more_keys_than_are_kept_are_told_of_and_a_genuine_one_still_finds_room() {
    let mut bench = Bench::seeded();
    for n in 10..30 {
        let confirmation = bench.confirmation(key(n), bench.now);
        bench.looks(&[Finding::Held { confirmation, why: "it has no signature".into() }]);
    }
    bench.run();
    assert_eq!(bench.view().held.len(), 16);
    assert!(bench.view().incidents.iter().any(|incident| incident.subject == "more"));
    bench.wait(SEC);
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    assert_eq!(bench.view().held.len(), 0, "what was dated before the new key is history");
}
