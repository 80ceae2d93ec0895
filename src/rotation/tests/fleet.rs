//! Many credentials: whose key is whose, one vendor's limit, one clock, quiet nights.

use super::{bench::*, *};
use crate::{
    domain::{CredentialName, Finding, Fingerprint, RotationId},
    rotation::{Delivery, Event, Input, Phase, Proof, Schedule},
};

/// `main` and `side`, each with a key of its own.
fn two() -> Bench {
    let credentials = ["main", "side"].map(|name| credential(name, &[]));
    let mut world = world::World::default();
    for (name, n) in [("main", 1), ("side", 11)] {
        world.put(name, key(n), START - DAY);
        world.alive(key(n));
    }
    let mut bench = Bench::start(settings(credentials.to_vec()), world);
    bench.run();
    bench.wait(MIN);
    bench.take();
    bench
}
fn confirmed(bench: &mut Bench, name: &str, fingerprint: Fingerprint) {
    let confirmation = bench.confirmation(fingerprint, bench.now);
    let name: CredentialName = name.parse().unwrap();
    let input = Input::MailsSeen {
        findings: vec![Finding::NewKey(confirmation)],
        first: true,
        rotation_id: RotationId::nil(),
    };
    bench.happens(Event::Credential { name, input });
}

#[test]
fn a_key_that_another_slot_holds_is_refused_naming_the_slot() {
    let mut bench = two();
    confirmed(&mut bench, "main", key(11));
    bench.run();
    bench.expect_mails(&["mail candidate-refused 0 warning"]);
    assert!(bench.last_notice().message.ends_with("was refused: the credential side holds this key"));
    assert_eq!(
        (bench.world.holds("main"), bench.world.holds("side")),
        ("K1, generation 0".into(), "K11, generation 0".into())
    );
}

#[test]
fn a_key_that_comes_to_two_slots_is_the_first_ones() {
    let mut bench = two();
    bench.world.alive(key(2));
    confirmed(&mut bench, "main", key(2));
    confirmed(&mut bench, "side", key(2));
    bench.run();
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    assert_eq!(bench.world.holds("side"), "K11, generation 0");
    bench.expect_mails(&["mail candidate-refused 0 warning", "mail rotated 0 info"]);
}

#[test]
fn a_slot_that_let_go_of_a_key_does_not_hold_it() {
    let mut bench = two();
    bench.world.alive(key(2));
    bench.world.vendor.insert(key(2), (crate::domain::Verdict::Alive, ["project-2"].into_iter().collect()));
    confirmed(&mut bench, "main", key(2));
    bench.run();
    bench.expect_mails(&["mail candidate-refused 0 warning"]);
    bench.world.alive(key(2));
    confirmed(&mut bench, "side", key(2));
    bench.run();
    assert_eq!(bench.world.holds("side"), "K2 after K11, generation 1");
}

#[test]
fn one_credentials_outage_of_an_answer_holds_up_nobody_else() {
    let mut bench = two();
    bench.world.alive(key(2));
    bench.world.alive(key(12));
    bench.held_back = vec!["probe K1".into()];
    confirmed(&mut bench, "main", key(2));
    confirmed(&mut bench, "side", key(12));
    bench.held_back = vec!["probe K2".into()];
    bench.run();
    assert_eq!(bench.world.holds("side"), "K12 after K11, generation 1");
    assert_eq!(bench.phase(), Phase::Probing);
}

#[test]
fn h04_a_tenth_of_the_vendors_limit_is_used_and_candidates_go_first() {
    let mut tight = main_settings();
    let name: CredentialName = "main".parse().unwrap();
    let mut credential = (*tight.credentials[&name]).clone();
    credential.limit = (40, MIN);
    tight.credentials.insert(name, std::sync::Arc::new(credential));
    let mut bench = Bench::seeded_with(tight);
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    bench.take();
    for n in 3..8 {
        bench.now = bench.now + SEC;
        bench.world.alive(key(n));
        bench.confirmed(key(n));
        bench.run();
    }
    assert_eq!(bench.take_only("probe").len(), 1, "four a minute, and three were used before");
    bench.wait(3 * MIN);
    assert!(bench.world.holds("main").starts_with("K7"));
}

#[test]
fn h04_many_credentials_of_one_vendor_are_asked_less_often_each() {
    let mut all: Vec<_> = (0..60).map(|n| credential(&format!("slot-{n:02}"), &[])).collect();
    all.iter_mut().for_each(|one| one.limit = (40, MIN));
    let mut world = world::World::default();
    for n in 0..60 {
        world.put(&format!("slot-{n:02}"), key(n + 1), START - DAY);
        world.alive(key(n + 1));
    }
    let mut bench = Bench::start(settings(all), world);
    bench.passes(HOUR);
    bench.take();
    bench.passes(HOUR);
    let asked = bench.take().iter().filter(|line| line.contains(": probe")).count();
    assert!((60..=120).contains(&asked), "{asked} of at most two a minute");
}

#[test]
fn a_calm_night_wakes_nobody() {
    let consumers = [("bot", consumer(Delivery::Copy, true, Proof::Asked))];
    let mut bench = Bench::seeded_with(settings(vec![credential("main", &consumers)]));
    bench.deadlines = 0;
    bench.wait(5 * DAY);
    assert!(bench.deadlines < 5, "{}", bench.deadlines);
    bench.expect(&[]);
}

#[test]
fn a_credential_without_a_key_wakes_nobody_either() {
    let mut bench = Bench::start(main_settings(), world::World::default());
    bench.passes(HOUR);
    bench.looks(&[]);
    bench.passes(HOUR);
    bench.deadlines = 0;
    bench.wait(DAY);
    assert!(bench.deadlines < 5, "{}", bench.deadlines);
}

#[test]
fn the_schedules_ask_once_each() {
    let mut bench = Bench::seeded();
    bench.tick(Schedule::CurrentKeyProbe);
    bench.expect(&["control"]);
    bench.wait(2 * MIN);
    bench.expect(&["read key", "probe K1"]);
    bench.tick(Schedule::ConsumerProve);
    bench.wait(10 * MIN);
    bench.expect(&["compare bot K1", "prove web K1", "prove bot K1"]);
    bench.tick(Schedule::MailboxPoll);
    bench.run();
    bench.expect(&["look", "check store"]);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(2 * MIN);
    bench.expect(&["read key", "probe K1"]);
}

#[test]
fn a_mailbox_that_leaves_the_configuration_takes_its_incident_along() {
    use crate::rotation::MailboxInput;
    let mut bench = Bench::seeded();
    let refused = MailboxInput::Refused { why: "authentication failed".into() };
    bench.happens(Event::Mailbox { name: "mail".parse().unwrap(), input: refused });
    bench.run();
    bench.take();
    let mut without = main_settings();
    without.mailboxes.clear();
    bench.reload(without);
    bench.run();
    bench.expect_mails(&["mail mailbox-refused 1 urgent resolved"]);
}
