//! `observe`: everything is watched, proven and told; nothing is changed but keyrelay's own notes.

use super::{bench::*, *};
use crate::{
    domain::{Account, ProofLevel, Verdict},
    rotation::{Effect, Input, Observed, Phase, Record, Schedule},
};

/// Seeded with K1, whose rotation is a script's business.
fn observed() -> Bench {
    Bench::seeded_with(observed_settings())
}
/// The same, a minute after K2 was confirmed and proven.
fn would() -> Bench {
    let mut bench = observed();
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(MIN);
    bench
}
/// The script puts K2 in and restarts what has to be, and the schedule comes round.
fn done_by_script(bench: &mut Bench) {
    bench.world.put("main", key(2), bench.now);
    for fake in bench.world.consumers.values_mut() {
        (fake.copy, fake.runs) = (Some(key(2)), Some(key(2)));
    }
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
}
fn records(bench: &mut Bench) -> Vec<Record> {
    let story = bench.take_story().into_iter().flat_map(|(_, effects)| effects);
    let record = |effect| match effect {
        Effect::Record { record, .. } => Some(*record),
        Effect::Credential { .. }
        | Effect::ProbeControl { .. }
        | Effect::OpenMailbox { .. }
        | Effect::LookAtMailbox { .. }
        | Effect::SaveToken { .. }
        | Effect::TidyMail { .. }
        | Effect::CheckStore
        | Effect::Journal(_)
        | Effect::Notify { .. }
        | Effect::SaveAlerts(_)
        | Effect::Beat
        | Effect::Answer { .. }
        | Effect::Call { .. } => None,
    };
    story.filter_map(record).collect()
}

#[test]
fn nobody_forgets_that_it_is_only_observed() {
    let bench = observed();
    let notice = bench.notices.iter().find(|notice| notice.code.as_str() == "observing").unwrap();
    assert_eq!((notice.message.as_str(), notice.credential.as_ref()), ("main is only observed", None));
    assert!(bench.view().observing);
    let open = bench.fleet.open_incidents();
    assert_eq!(open.iter().map(|open| open.code.as_str()).collect::<Vec<_>>(), ["observing"]);
}

#[test]
fn a_new_key_is_proven_spooled_and_told_of_and_nothing_is_changed() {
    let mut bench = observed();
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(MIN);
    bench.expect(&[
        "read key",
        "probe K2",
        "probe K1",
        "control",
        "record rotation",
        "mail rotation-observed 0 info",
        "save",
        "spool K2",
        "save",
    ]);
    assert_eq!((bench.phase(), bench.world.holds("main")), (Phase::Steady, "K1, generation 0".into()));
    let notice = bench.last_notice();
    assert_eq!(
        notice.message,
        "keyrelay would have made the new key 0000000000000002 the current one at 2026-11-21 09:02 UTC, \
         and brought bot, web to it; it only observes"
    );
}

#[test]
fn what_the_script_does_is_taken_over_and_how_much_later_it_was_is_written_down() {
    let mut bench = would();
    let would_at = bench.now - MIN;
    bench.wait(41 * MIN);
    bench.take();
    bench.take_story();
    let stored_at = bench.now;
    done_by_script(&mut bench);
    bench.expect_mails(&[
        "mail store-adopted 0 info",
        "mail rotation-observed 1 info resolved",
        "mail rotated 0 info",
    ]);
    let adopted = bench.notices.iter().rfind(|notice| notice.code.as_str() == "store-adopted").unwrap();
    assert_eq!(
        adopted.message,
        "somebody else put the new key 0000000000000002 into the store at vendors/main, 42 min after keyrelay \
         would have"
    );
    let records = records(&mut bench);
    let last = records.last().unwrap();
    assert_eq!(
        last.observed,
        Some(Observed { would_promote_at: Some(would_at), stored_at: Some(stored_at) })
    );
    assert!(last.consumers.iter().all(|consumer| consumer.proof == ProofLevel::InUse), "{last:?}");
    assert!(last.margin_secs.is_some());
    assert_eq!((bench.phase(), bench.view().fingerprint), (Phase::Steady, Some("0000000000000002".into())));
    assert_eq!(bench.world.spool.len(), 0, "it rests in the store now");
    assert_eq!(bench.world.holds("main"), "K2, generation 0");
    assert_eq!(bench.view().incidents, []);
}

#[test]
fn a_script_that_was_first_is_taken_over_too() {
    let mut bench = observed();
    bench.world.alive(key(2));
    done_by_script(&mut bench);
    let records = records(&mut bench);
    assert_eq!(records.last().unwrap().observed.unwrap().would_promote_at, None);
    let adopted = bench.notices.iter().rfind(|notice| notice.code.as_str() == "store-adopted").unwrap();
    assert!(adopted.message.ends_with(", before keyrelay would have"), "{}", adopted.message);
    bench.take();
    let late = bench.confirmation(key(2), bench.now - 5 * MIN);
    bench.looks(&[crate::domain::Finding::NewKey(late)]);
    bench.wait(MIN);
    bench.expect_mails(&[]);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn a_value_of_the_script_that_is_not_proven_is_told_as_always() {
    let mut bench = observed();
    bench.world.vendor.insert(key(2), (Verdict::Alive, Account::from_iter(["somebody-else"])));
    done_by_script(&mut bench);
    assert_eq!(bench.take_only("mail"), ["mail store-foreign 0 warning"]);
}

#[test]
fn a_script_that_does_nothing_is_told_of_on_the_ladder() {
    let mut bench = would();
    bench.take();
    bench.wait(DAY);
    let mails = bench.take_only("mail rotation-observed");
    assert_eq!(
        mails,
        [
            "mail rotation-observed 1 warning",
            "mail rotation-observed 2 warning",
            "mail rotation-observed 3 warning",
            "mail rotation-observed 4 urgent",
            "mail rotation-observed 5 urgent"
        ]
    );
}

#[test]
fn a_consumer_that_the_script_forgot_is_told_of() {
    let mut bench = would();
    bench.world.put("main", key(2), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(2 * HOUR);
    let mails = bench.take_only("mail consumer");
    assert_eq!(mails, ["mail consumer-wrong-key 0 warning"]);
    assert_eq!(bench.world.fake("bot").runs, Some(key(1)), "it was left alone");
    assert_eq!(bench.phase(), Phase::HandingOver);
}

#[test]
fn a_copy_that_somebody_changed_is_left_and_said() {
    let mut bench = observed();
    (bench.world.fake("bot").copy, bench.world.fake("bot").runs) = (Some(key(9)), None);
    bench.tick(Schedule::ConsumerProve);
    bench.wait(20 * MIN);
    assert_eq!(bench.world.fake("bot").copy, Some(key(9)));
    let bot = &bench.view().consumers[0];
    assert!(bot.error.is_some(), "{bot:?}");
}

#[test]
fn a_warning_rehearses_what_can_be_tried_without_writing() {
    let mut bench = observed();
    bench.warned();
    bench.run();
    let lines = bench.take();
    assert!(!lines.iter().any(|line| line.starts_with("rehearse")), "{lines:?}");
    assert!(lines.contains(&"prove bot K1".to_owned()), "{lines:?}");
    bench.wait(2 * DAY);
    assert_eq!(bench.take_only("mail rehearsal"), [""; 0]);
}

#[test]
fn what_would_change_something_is_refused_and_a_test_is_not() {
    let mut bench = would();
    bench.take();
    bench.ingest(key(3), true, 1);
    bench.accept(key(2), 2);
    bench.rollback(true, 3);
    bench.input(Input::DeliverAsked { consumer: None, ticket: 4 });
    let why = "refused: this credential is only observed (observe: true in the configuration)";
    bench
        .expect(&[1, 2, 3, 4].map(|ticket| format!("answer {ticket}: {why}")).each_ref().map(String::as_str));
    bench.input(Input::ProveAsked { consumer: None, ticket: 5 });
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 5: proven: true"]);
}

#[test]
fn switched_off_with_a_rotation_under_way_it_is_promoted_and_handed_over() {
    let mut bench = would();
    bench.wait(HOUR / 2);
    bench.take();
    bench.reload(main_settings());
    bench.wait(MIN);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 1".into())
    );
    assert_eq!(bench.world.fake("bot").runs, Some(key(2)));
    bench.expect_mails(&[
        "mail rotation-observed 1 info resolved",
        "mail observing 1 info resolved",
        "mail rotated 0 info",
    ]);
    assert!(!bench.view().observing);
}

#[test]
fn switched_on_in_the_middle_of_a_hand_over_nobody_is_given_anything_any_more() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.fake("bot").deliver_fails = true;
    bench.confirmed(key(2));
    bench.wait(MIN);
    assert_eq!(bench.phase(), Phase::HandingOver);
    bench.reload(observed_settings());
    bench.take();
    bench.world.fake("bot").deliver_fails = false;
    bench.wait(HOUR);
    assert_eq!(bench.take_only("deliver"), [""; 0]);
    assert_eq!(bench.phase(), Phase::HandingOver);
    bench.reload(main_settings());
    bench.wait(MIN);
    assert_eq!((bench.phase(), bench.world.fake("bot").runs), (Phase::Steady, Some(key(2))));
}

#[test]
fn a_restart_tells_of_the_same_rotation_only_once() {
    let mut bench = would();
    bench.restart();
    bench.take();
    bench.take_story();
    bench.wait(HOUR / 2);
    assert_eq!(bench.take_only("mail rotation-observed"), [""; 0]);
    assert_eq!(records(&mut bench), []);
    done_by_script(&mut bench);
    let records = records(&mut bench);
    assert!(records.iter().all(|record| record.rotation_id == records[0].rotation_id), "{records:?}");
    assert!(records[0].observed.unwrap().would_promote_at.unwrap() < bench.now - HOUR / 2);
}

#[test]
fn an_old_key_is_not_removed() {
    let mut bench = Bench::rotated();
    bench.reload(observed_settings());
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(2 * DAY);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn a_script_that_writes_beside_keyrelays_own_fields_rotates_too() {
    let mut bench = Bench::rotated();
    bench.reload(observed_settings());
    bench.wait(DAY);
    bench.world.alive(key(3));
    bench.world.put("main", key(3), bench.now);
    let stored_at = bench.now;
    for fake in bench.world.consumers.values_mut() {
        (fake.copy, fake.runs) = (Some(key(3)), Some(key(3)));
    }
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    let view = bench.view();
    assert_eq!((bench.phase(), view.fingerprint.as_deref()), (Phase::Steady, Some("0000000000000003")));
    assert_eq!(view.next_rotation_expected_at, Some(stored_at + 7 * DAY));
}
