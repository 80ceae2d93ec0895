//! Two daemons: what the one that stands by does, and what the one that acts leaves for whoever takes over.

use super::{bench::*, *};
use crate::{
    domain::{Finding, RotationId},
    rotation::{Beside, Credential, Event, Promotion, Settings},
};
use std::sync::Arc;

/// `main_settings`, of one of two daemons; `elsewhere`: this consumer lives on the other one's host.
fn beside(beside: Beside, elsewhere: Option<&str>) -> Settings {
    let mut settings = main_settings();
    settings.alerts.channels.retain(|_| beside == Beside::AStandby);
    let change = |one: &Arc<Credential>| {
        let mut one = Credential { beside, ..(**one).clone() };
        for (name, consumer) in &mut one.consumers {
            consumer.elsewhere = Some(name.as_str()) == elsewhere;
        }
        Arc::new(one)
    };
    settings.credentials =
        settings.credentials.iter().map(|(name, one)| (name.clone(), change(one))).collect();
    settings
}
/// The other daemon promotes this key.
fn another_promotes(bench: &mut Bench, n: u64, generation: u64) {
    let promotion = Promotion {
        fingerprint: key(n),
        previous: Some(key(n - 1)),
        generation,
        rotated_at: bench.now,
        rotation_id: RotationId::from_parts(n, 0),
        previous_expires_at: Some(bench.now + DAY),
    };
    bench.world.alive(key(n));
    let (name, now) = ("main".parse().unwrap(), bench.now);
    let version = bench.world.stored("main").version;
    bench.world.promote(&name, version, &promotion, now);
    bench.world.writes = 0;
}

#[test]
fn the_one_that_stands_by_hands_its_own_consumers_the_key_and_does_nothing_else() {
    let mut bench = Bench::seeded_with(beside(Beside::TheActive, Some("web")));
    assert_eq!(bench.world.writes, 0);
    another_promotes(&mut bench, 2, 1);
    bench.happens(Event::KeysChanged);
    bench.run();
    bench.expect(&["read both", "probe K2", "compare bot K2", "deliver bot K2", "act bot", "prove bot K2"]);
    // Whatever it missed in between, the document's key counts.
    another_promotes(&mut bench, 3, 2);
    another_promotes(&mut bench, 4, 3);
    bench.happens(Event::KeysChanged);
    bench.run();
    bench.expect(&["read both", "probe K4", "compare bot K4", "deliver bot K4", "act bot", "prove bot K4"]);
    bench.wait(2 * DAY);
    assert_eq!(bench.world.writes, 0, "nothing is noted, retired or promoted");
    let lines = bench.take();
    let others = ["save", "retire", "store", "spool", "mail", "call", "open", "control"];
    assert!(lines.iter().all(|line| others.iter().all(|other| !line.starts_with(other))), "{lines:?}");
}

#[test]
fn where_all_consumers_are_elsewhere_the_vendor_is_not_asked() {
    let mut settings = beside(Beside::TheActive, Some("web"));
    let only = Arc::make_mut(settings.credentials.values_mut().next().unwrap());
    only.consumers.retain(|name, _| name.as_str() == "web");
    let mut bench = Bench::seeded_with(settings);
    another_promotes(&mut bench, 2, 1);
    bench.happens(Event::KeysChanged);
    bench.run();
    bench.expect(&["read both"]);
    assert_eq!(bench.view().generation, 1);
}

#[test]
fn the_one_that_acts_tells_nobody_before_it_is_noted_for_whoever_takes_over() {
    let mut bench = Bench::seeded_with(beside(Beside::AStandby, None));
    let mail = bench.mail(bench.now);
    let (dated, why) = (bench.now, "two keys could be meant".to_owned());
    bench.held_back = vec!["save".into()];
    bench.looks(&[Finding::Unparsed { mail, dated, why }]);
    bench.run();
    bench.expect_mails(&[]);
    bench.held_back.clear();
    bench.run();
    bench.expect_mails(&["mail mail-unparsed 0 urgent"]);
    let told = bench.last_notice().clone();
    // Another daemon, with no notes of its own, is killed's successor: the same incident has the same name.
    bench.world.alerts = None;
    bench.restart();
    bench.run();
    bench.wait(DAY);
    let again: Vec<_> = bench.notices.iter().filter(|notice| notice.code == told.code).collect();
    assert!(again.iter().all(|notice| notice.incident == told.incident), "{again:?}");
}

#[test]
fn without_the_store_nobody_waits_to_be_told() {
    let mut bench = Bench::seeded_with(beside(Beside::AStandby, None));
    bench.world.store_trouble = Some(crate::domain::StoreTrouble::Sealed);
    let mail = bench.mail(bench.now);
    let (dated, why) = (bench.now, "two keys could be meant".to_owned());
    bench.looks(&[Finding::Unparsed { mail, dated, why }]);
    bench.run();
    let mails = bench.take_only("mail ");
    assert!(mails.contains(&"mail mail-unparsed 0 urgent".to_owned()), "{mails:?}");
}

#[test]
fn what_only_the_other_host_can_see_is_not_told_to_be_over() {
    let mut bench = Bench::seeded_with(beside(Beside::AStandby, None));
    let bot = "bot".parse().unwrap();
    bench.world.consumers.get_mut(&bot).unwrap().deliver_fails = true;
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    bench.expect_mails(&["mail consumer-failed 0 warning"]);
    bench.wait(SEC);
    // The host with the bot dies, and the other daemon takes over.
    bench.world.alerts = None;
    bench.settings = beside(Beside::AStandby, Some("bot"));
    bench.restart();
    bench.run();
    bench.wait(HOUR);
    let mails = bench.take_only("mail consumer-failed");
    assert_eq!(mails, [""; 0]);
}
