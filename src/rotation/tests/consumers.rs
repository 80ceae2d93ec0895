//! Consumers are brought to the current key, kept there, and told of when they are not.

use super::{bench::*, *};
use crate::{
    domain::{ProofLevel, Verdict},
    rotation::{Consumer, Delivery, Input, Phase, Proof, Schedule, Settings},
};
use std::sync::Arc;

/// `main` with just these consumers.
fn with(consumers: &[(&str, Consumer)]) -> Settings {
    settings(vec![credential("main", consumers)])
}
fn rotate(bench: &mut Bench, n: u64) {
    bench.world.alive(key(n));
    bench.confirmed(key(n));
    bench.run();
}

#[test]
fn each_kind_walks_only_the_steps_that_it_has() {
    let mut bench = Bench::seeded_with(with(&[
        ("command", consumer(Delivery::Command, false, Proof::ByDelivery)),
        ("file", consumer(Delivery::Copy, false, Proof::ByDelivery)),
        ("reload", consumer(Delivery::Copy, true, Proof::ByDelivery)),
        ("report", consumer(Delivery::None, false, Proof::Report { within: 20 * HOUR })),
    ]));
    rotate(&mut bench, 2);
    let lines = bench.take();
    let from = lines.iter().position(|line| line == "deliver command K2").unwrap();
    let mut walked = lines[from..].to_vec();
    walked.retain(|line| !line.starts_with("record"));
    assert_eq!(
        walked,
        [
            "deliver command K2",
            "compare file K2",
            "compare reload K2",
            "prove report K2",
            "deliver file K2",
            "deliver reload K2",
            "act reload",
            "mail rotated 0 info",
            "save",
        ]
    );
    assert_eq!(bench.phase(), Phase::Steady);
    let levels: Vec<_> = bench.view().consumers.iter().map(|consumer| consumer.proof).collect();
    use ProofLevel::{Delivered, InUse, WorkingCopy};
    assert_eq!(levels, [Delivered, WorkingCopy, WorkingCopy, InUse]);
}

#[test]
fn all_consumers_first_actions_come_at_once_and_one_that_hangs_holds_nobody() {
    let mut bench = Bench::seeded();
    bench.held_back = vec!["compare bot K2".into()];
    rotate(&mut bench, 2);
    let lines = bench.take();
    let read_back = lines.iter().rposition(|line| line == "read key").unwrap();
    assert_eq!(lines[read_back + 1..read_back + 3], ["compare bot K2", "prove web K2"]);
    assert_eq!(bench.view().consumers[1].proof, ProofLevel::InUse);
    assert_eq!(bench.phase(), Phase::HandingOver);
}

#[test]
fn a_consumer_added_by_a_reload_has_the_current_key_at_once_and_nobody_is_restarted() {
    let mut bench = Bench::seeded();
    let mut more = main_settings();
    let name = "main".parse().unwrap();
    let mut credential = (*more.credentials[&name]).clone();
    let added = consumer(Delivery::Copy, true, Proof::Asked);
    credential.consumers.insert("added".parse().unwrap(), added);
    more.credentials.insert(name, Arc::new(credential));
    bench.world.fake("added").acts = true;
    bench.reload(more);
    bench.run();
    bench.expect(&[
        "read key",
        "compare added K1",
        "compare bot K1",
        "prove web K1",
        "deliver added K1",
        "prove bot K1",
        "act added",
        "prove added K1",
        "save",
    ]);
}

#[test]
fn a_consumer_that_never_answers_can_be_taken_away_while_a_rotation_waits_for_it() {
    let mut bench = Bench::seeded();
    bench.world.fake("web").silent = true;
    rotate(&mut bench, 2);
    assert_eq!(bench.phase(), Phase::HandingOver);
    bench.reload(with(&[("bot", consumer(Delivery::Copy, true, Proof::Asked))]));
    bench.run();
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn a_copy_that_was_put_back_is_written_again_and_told_of() {
    let mut bench = Bench::rotated();
    (bench.world.fake("bot").copy, bench.world.fake("bot").runs) = (Some(key(1)), Some(key(1)));
    bench.tick(Schedule::ConsumerProve);
    bench.wait(10 * MIN);
    bench.expect(&[
        "compare bot K2",
        "prove web K2",
        "deliver bot K2",
        "mail consumer-drifted 0 warning",
        "act bot",
        "prove bot K2",
        "save",
    ]);
    assert_eq!(bench.world.fake("bot").runs, Some(key(2)));
}

#[test]
fn a_copy_is_healed_three_times_a_day_and_then_left_alone_and_told_of() {
    let mut bench = Bench::rotated();
    for _ in 0..3 {
        bench.world.fake("bot").copy = Some(key(1));
        bench.passes(HOUR);
    }
    bench.expect_mails(&["mail consumer-drifted 0 warning"; 3]);
    bench.world.fake("bot").copy = Some(key(1));
    bench.passes(6 * HOUR);
    bench.expect_mails(&["mail consumer-failed 0 warning"]);
    assert_eq!(bench.world.fake("bot").copy, Some(key(1)));
    bench.passes(DAY);
    assert_eq!(bench.world.fake("bot").copy, Some(key(2)));
}

#[test]
fn a_delivery_that_fails_is_told_at_once_and_once() {
    let mut bench = Bench::seeded();
    bench.world.fake("bot").deliver_fails = true;
    rotate(&mut bench, 2);
    bench.expect_mails(&["mail consumer-failed 0 warning"]);
    assert_eq!(bench.last_notice().message, "the key could not be handed to bot: no space left on device");
    assert_eq!(bench.last_notice().hint, "keyrelay deliver main --consumer bot");
    bench.wait(HOUR);
    bench.expect_mails(&[]);
    bench.world.fake("bot").deliver_fails = false;
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail consumer-failed 1 warning resolved", "mail rotated 0 info"]);
}

#[test]
fn an_action_that_fails_is_one_incident_until_it_has_worked() {
    let mut bench = Bench::seeded();
    bench.world.fake("bot").act_fails = true;
    rotate(&mut bench, 2);
    bench.wait(HOUR);
    bench.expect_mails(&["mail consumer-failed 0 warning"]);
    bench.world.fake("bot").act_fails = false;
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail consumer-failed 1 warning resolved", "mail rotated 0 info"]);
}

#[test]
fn an_action_runs_once_for_each_generation_however_long_the_proof_takes() {
    let mut bench = Bench::seeded();
    bench.world.fake("bot").silent = true;
    rotate(&mut bench, 2);
    bench.wait(3 * HOUR);
    assert_eq!(bench.take_only("act"), ["act bot"]);
}

#[test]
fn a_silent_consumer_is_told_of_on_the_ladder_and_once_more_when_it_is_proven() {
    let mut bench = Bench::seeded();
    bench.world.fake("web").silent = true;
    let from = bench.now;
    rotate(&mut bench, 2);
    bench.take();
    let deadline = from + DAY - 5 * MIN;
    let whole = deadline.since(from);
    let steps = [
        (from + HOUR, "mail consumer-unproven 0 warning"),
        (deadline - whole / 2, "mail consumer-unproven 1 warning"),
        (deadline - whole / 4, "mail consumer-unproven 2 warning"),
        (deadline - whole / 12, "mail consumer-unproven 3 urgent"),
        (deadline - whole / 24, "mail consumer-unproven 4 urgent"),
    ];
    for (at, mail) in steps {
        bench.wait(at.since(bench.now) - Duration::from_millis(1));
        bench.expect_mails(&[]);
        bench.wait(Duration::from_millis(1));
        bench.expect_mails(&[mail]);
    }
    assert_eq!(bench.last_notice().until, Some(deadline));
    bench.world.fake("web").silent = false;
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail rotated 0 info", "mail consumer-unproven 5 urgent resolved"]);
}

#[test]
fn r54_of_twenty_consumers_one_is_away_until_ten_minutes_before_the_deadline_and_holds_nobody_up() {
    let names: Vec<_> = (1..=20).map(|n| format!("c{n}")).collect();
    let all: Vec<_> =
        names.iter().map(|name| (name.as_str(), consumer(Delivery::Copy, true, Proof::Asked))).collect();
    let mut bench = Bench::seeded_with(with(&all));
    bench.world.fake("c7").silent = true;
    bench.world.fake("c7").deliver_fails = true;
    let deadline = bench.now + DAY - 5 * MIN;
    rotate(&mut bench, 2);
    bench.wait(MIN);
    let served =
        |bench: &mut Bench| bench.world.consumers.values().filter(|fake| fake.runs == Some(key(2))).count();
    assert_eq!(served(&mut bench), 19);
    bench.wait(deadline.since(bench.now) - 10 * MIN);
    let told = bench.take_only("mail");
    assert_eq!(told.last().map(String::as_str), Some("mail consumer-failed 4 urgent"), "{told:?}");
    bench.world.fake("c7").silent = false;
    bench.world.fake("c7").deliver_fails = false;
    bench.wait(10 * MIN);
    assert_eq!(served(&mut bench), 20);
    bench.expect_mails(&["mail consumer-failed 5 urgent resolved", "mail rotated 0 info"]);
}

#[test]
fn a_late_mail_is_told_at_the_step_it_has_reached() {
    let mut bench = Bench::seeded();
    bench.world.fake("web").silent = true;
    bench.world.alive(key(2));
    let late = bench.confirmation(key(2), bench.now - 20 * HOUR);
    bench.looks(&[crate::domain::Finding::NewKey(late)]);
    bench.wait(MIN);
    bench.expect_mails(&["mail consumer-unproven 0 warning"]);
    bench.wait(2 * HOUR);
    bench.expect_mails(&["mail consumer-unproven 1 urgent"]);
}

#[test]
fn one_that_reports_has_the_time_that_it_was_given() {
    let mut bench = Bench::seeded_with(with(&[(
        "ci",
        consumer(Delivery::None, false, Proof::Report { within: 20 * HOUR }),
    )]));
    bench.world.fake("ci").silent = true;
    rotate(&mut bench, 2);
    bench.wait(20 * HOUR - SEC);
    bench.expect_mails(&[]);
    bench.wait(SEC);
    bench.expect_mails(&["mail consumer-unproven 0 warning"]);
}

#[test]
fn r55_one_that_works_with_another_key_is_told_five_minutes_after_its_delivery() {
    let mut bench = Bench::seeded_with(with(&[("bot", consumer(Delivery::Copy, false, Proof::Asked))]));
    bench.world.fake("bot").acts = true; // it takes no notice of its file
    rotate(&mut bench, 2);
    bench.wait(5 * MIN - SEC);
    bench.expect_mails(&[]);
    bench.wait(SEC);
    bench.expect_mails(&["mail consumer-wrong-key 0 warning"]);
    let message = "bot was given the current key, and works with another one";
    assert_eq!(bench.last_notice().message, message);
    assert_eq!(bench.view().consumers[0].proof, ProofLevel::Unproven);
    bench.world.fake("bot").runs = Some(key(2));
    bench.wait(10 * MIN);
    bench.expect_mails(&["mail rotated 0 info", "mail consumer-wrong-key 1 warning resolved"]);
}

#[test]
fn one_that_reads_the_store_itself_and_keeps_the_old_key_is_told_too() {
    let mut bench = Bench::seeded();
    (bench.world.fake("web").reads_store, bench.world.fake("web").runs) = (false, Some(key(1)));
    rotate(&mut bench, 2);
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail consumer-wrong-key 0 warning"]);
}

#[test]
fn one_that_answered_once_and_falls_silent_is_told_of_after_an_hour() {
    let mut bench = Bench::rotated();
    bench.world.says(key(1), Verdict::Dead);
    bench.world.fake("web").silent = true;
    bench.tick(Schedule::ConsumerProve);
    bench.wait(50 * MIN);
    bench.expect_mails(&[]);
    bench.wait(20 * MIN);
    bench.expect_mails(&["mail consumer-unproven 0 warning"]);
    bench.world.fake("web").silent = false;
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail consumer-unproven 1 warning resolved"]);
}

#[test]
fn one_of_another_host_is_shown_and_never_touched() {
    let elsewhere = Consumer { elsewhere: true, ..consumer(Delivery::Copy, true, Proof::Asked) };
    let mut bench = Bench::seeded_with(with(&[("far", elsewhere)]));
    rotate(&mut bench, 2);
    let lines = bench.take();
    assert!(lines.iter().all(|line| !line.contains("far")), "{lines:?}");
    assert_eq!(bench.phase(), Phase::Steady);
    bench.input(Input::DeliverAsked { consumer: Some("far".parse().unwrap()), ticket: 1 });
    bench.expect(&["answer 1: refused: far is no consumer of this credential, or lives on another host"]);
}

#[test]
fn no_consumer_is_given_a_key_that_was_not_seen_alive() {
    let mut world = world::World::default();
    world.put("main", key(1), START - DAY);
    world.says(key(1), Verdict::Unclear);
    let mut bench = Bench::start(main_settings(), world);
    bench.run();
    bench.tick(Schedule::ConsumerProve);
    bench.wait(HOUR);
    let lines = bench.take();
    let touching = ["compare", "deliver", "act", "prove"];
    assert!(lines.iter().all(|line| touching.iter().all(|verb| !line.starts_with(verb))), "{lines:?}");
}
