//! An operator goes back to the key before the current one.

use super::{bench::*, *};
use crate::{
    domain::{Account, Finding, StoreTrouble, Verdict},
    rotation::{Parked, Phase, Schedule},
};

/// Rotated to K2 an hour ago, and gone back to K1 now.
fn rolled_back() -> Bench {
    let mut bench = Bench::rotated();
    bench.rollback(false, 7);
    bench.run();
    assert_eq!(bench.world.holds("main"), "K1 after K2, generation 2");
    bench.take();
    bench
}

#[test]
fn both_keys_are_asked_now_and_the_earlier_one_is_promoted_delivered_and_told_of() {
    let mut bench = Bench::rotated();
    bench.rollback(false, 7);
    bench.run();
    bench.expect(&[
        "probe K2",
        "probe K1",
        "read key",
        "store K1 after K2 as 2 over 2",
        "read key",
        "compare bot K1",
        "prove web K1",
        "spool K2",
        "record rollback",
        "mail rolled-back 0 warning",
        "deliver bot K1",
        "act bot",
        "save",
        "prove bot K1",
        "answer 7: promoted as 2, proven: true",
        "record rollback",
        "mail rotated 0 info",
        "save",
    ]);
    assert_eq!(bench.phase(), Phase::Steady);
    let document = bench.world.stored("main").key.clone().unwrap();
    assert_eq!(document.rotated_at, Some(bench.now));
    assert_eq!(document.previous.unwrap().expires_at, None, "the newer key is the vendor's own current one");
}

#[test]
fn the_notice_says_when_the_earlier_key_dies_and_what_lets_the_newer_one_in_again() {
    let bench = rolled_back();
    let notice = bench.notices.iter().rfind(|notice| notice.code.as_str() == "rolled-back").unwrap();
    let dies = START + 2 * MIN + DAY;
    assert_eq!(
        notice.message,
        "an operator went back to the earlier key 0000000000000001; the newer key 0000000000000002 is held"
    );
    let breaks = format!("Leaf7 ends the earlier key at {}; whoever uses it then is refused", dies.minutes());
    assert_eq!(notice.breaks.as_deref(), Some(breaks.as_str()));
    assert_eq!(notice.hint, "when the newer key can be used:\nkeyrelay accept main 0000000000000002");
    assert!(notice.until.is_some_and(|until| until < dies && until > bench.now));
    assert_eq!(bench.view().next_rotation_expected_at, Some(START + 2 * MIN + 7 * DAY));
}

#[test]
fn the_key_gone_back_from_is_held_until_it_is_accepted_and_the_earlier_one_keeps_its_end() {
    let mut bench = rolled_back();
    bench.passes(2 * HOUR);
    bench.expect_mails(&[]);
    let held = bench.view().held;
    assert_eq!((held.len(), held[0].fingerprint.as_str()), (1, "0000000000000002"));
    assert_eq!(held[0].why, "an operator went back to the key before it");
    assert!(!bench.view().retiring, "what is held does not retire");
    bench.accept(key(2), 8);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 8: promoted as 3, proven: true"]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 3");
    let document = bench.world.stored("main").key.clone().unwrap();
    assert_eq!(document.previous.unwrap().expires_at, Some(START + 2 * MIN + DAY));
    assert_eq!((bench.view().held.len(), bench.world.spool.len()), (0, 0));
    assert_eq!(bench.view().incidents, []);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(DAY);
    assert_eq!(bench.world.holds("main"), "K2, generation 3");
}

#[test]
fn a_rollback_of_a_rollback_brings_the_newer_key_back() {
    let mut bench = rolled_back();
    bench.rollback(false, 9);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 9: promoted as 3, proven: true"]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 3");
    assert_eq!((bench.view().held.len(), bench.world.spool.len()), (0, 0));
    assert_eq!(bench.view().incidents, []);
}

#[test]
fn one_of_a_rollback_that_comes_to_nothing_leaves_the_newer_key_held() {
    let mut bench = rolled_back();
    bench.wait(SEC);
    bench.world.says(key(2), Verdict::Unclear);
    bench.rollback(false, 9);
    bench.wait(MIN);
    assert_eq!(
        bench.take_only("answer"),
        [
            "answer 9: unreachable: the vendor does not say whether the earlier key works (the vendor says unclear)"
        ]
    );
    assert_eq!((bench.view().held.len(), bench.world.spool.len()), (1, 1));
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn the_confirmation_of_the_key_gone_back_from_changes_nothing_however_often_it_is_seen() {
    let mut bench = rolled_back();
    let again = bench.confirmation(key(2), START + 2 * MIN);
    for _ in 0..2 {
        bench.looks(&[Finding::NewKey(again.clone())]);
        bench.passes(HOUR);
        assert_eq!(bench.world.holds("main"), "K1 after K2, generation 2");
        bench.restart();
    }
    assert_eq!(bench.take_only("store"), [""; 0]);
    assert_eq!(bench.view().held.len(), 1);
}

#[test]
fn a_later_rotation_ends_it_and_the_earlier_key_keeps_its_end() {
    let mut bench = rolled_back();
    bench.wait(HOUR);
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.run();
    assert_eq!(bench.world.holds("main"), "K3 after K1, generation 3");
    let document = bench.world.stored("main").key.clone().unwrap();
    assert_eq!(document.previous.unwrap().expires_at, Some(START + 2 * MIN + DAY));
    assert_eq!((bench.view().held.len(), bench.world.spool.len()), (0, 0));
    assert_eq!(bench.view().incidents, []);
}

#[test]
fn it_is_told_more_urgently_as_the_earlier_keys_end_comes_near() {
    let mut bench = rolled_back();
    bench.wait(22 * HOUR + 45 * MIN);
    let mails = bench.take_only("mail rolled-back");
    assert_eq!(
        mails,
        [
            "mail rolled-back 1 warning",
            "mail rolled-back 2 warning",
            "mail rolled-back 3 urgent",
            "mail rolled-back 4 urgent"
        ]
    );
}

#[test]
fn a_check_says_until_when_it_would_be_possible_and_changes_nothing() {
    let mut bench = Bench::rotated();
    let before = (bench.world.writes, bench.view());
    bench.rollback(true, 7);
    bench.run();
    bench.expect(&[
        "probe K2",
        "probe K1",
        "answer 7: possible: 0000000000000001 until 2026-11-22 09:02 UTC",
    ]);
    let mut after = bench.view();
    after.last_probe = before.1.last_probe;
    assert_eq!((bench.world.writes, after), before);
}

#[test]
fn a_check_during_a_hand_over_leaves_its_story_whole() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.fake("web").silent = true;
    bench.confirmed(key(2));
    bench.run();
    bench.take();
    bench.rollback(true, 7);
    bench.run();
    assert_eq!(bench.take_only("answer").len(), 1);
    bench.world.fake("web").silent = false;
    bench.wait(MIN);
    assert_eq!(bench.take_only("record"), ["record rotation"]);
}

#[test]
fn in_the_middle_of_a_hand_over_every_consumer_is_brought_back() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.fake("bot").act_fails = true;
    bench.confirmed(key(2));
    bench.wait(MIN);
    assert_eq!(bench.phase(), Phase::HandingOver);
    bench.world.fake("bot").act_fails = false;
    bench.rollback(false, 7);
    bench.wait(MIN);
    assert_eq!((bench.phase(), bench.world.fake("bot").runs), (Phase::Steady, Some(key(1))));
    assert_eq!(bench.take_only("answer"), ["answer 7: promoted as 2, proven: true"]);
}

#[test]
fn an_earlier_key_that_is_dead_or_of_another_account_is_refused_and_that_is_written_down() {
    for (says, why) in [
        ((Verdict::Dead, Account::default()), "the vendor refuses the earlier key (the vendor says dead)"),
        (
            (Verdict::Alive, Account::from_iter(["somebody-else"])),
            "it is of another account than the current key",
        ),
    ] {
        for check in [true, false] {
            let mut bench = Bench::rotated();
            bench.world.vendor.insert(key(1), says.clone());
            bench.rollback(check, 7);
            bench.run();
            let mut lines = bench.take();
            lines.retain(|line| !line.starts_with("probe"));
            let answer = format!("answer 7: refused: {why}");
            match check {
                true => assert_eq!(lines, [answer]),
                false => assert_eq!(lines, [answer, "record refusal".into()]),
            }
            assert_eq!(
                (bench.phase(), bench.world.holds("main")),
                (Phase::Steady, "K2 after K1, generation 1".into())
            );
        }
    }
}

#[test]
fn a_vendor_that_calls_a_random_key_alive_proves_nothing() {
    let mut bench = Bench::rotated();
    bench.world.control = Some(Verdict::Alive);
    bench.passes(DAY);
    bench.take();
    bench.world.alive(key(1));
    bench.rollback(false, 7);
    bench.wait(MIN);
    assert_eq!(bench.take_only("answer"), ["answer 7: unreachable: the vendor calls a random key alive"]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn what_has_no_key_to_go_back_to_is_refused_at_once() {
    let mut bench = Bench::seeded();
    bench.rollback(false, 1);
    bench.expect(&["answer 1: refused: there is no key before the current one"]);

    let mut bench = Bench::rotated();
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(DAY);
    bench.take();
    bench.rollback(false, 2);
    bench.expect(&[
        "answer 2: refused: the key before the current one is dead, and was removed from the store",
    ]);

    let mut bench = Bench::rotated();
    bench.world.put("main", key(9), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    bench.take();
    bench.rollback(false, 3);
    let why = "nothing is written while what the status says of this credential's document is open";
    bench.expect(&[&format!("answer 3: refused: {why}")]);
}

#[test]
fn a_store_that_is_away_is_said_at_once_and_nothing_is_done_later() {
    let mut bench = Bench::rotated();
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    bench.rollback(false, 7);
    assert_eq!(bench.take_only("answer"), ["answer 7: unreachable: the store is sealed"]);
    bench.world.store_trouble = None;
    bench.wait(HOUR);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn a_store_that_forbids_the_write_is_said_and_nothing_is_done_later() {
    let mut bench = Bench::rotated();
    bench.world.write_trouble = Some(StoreTrouble::Forbidden("permission denied".into()));
    bench.rollback(false, 7);
    bench.wait(MIN);
    assert_eq!(bench.take_only("answer"), ["answer 7: unreachable: the store forbids it: permission denied"]);
    bench.world.write_trouble = None;
    bench.wait(HOUR);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 1".into())
    );
}

#[test]
fn a_lost_answer_is_read_back_and_it_is_one_rollback() {
    let mut bench = Bench::rotated();
    bench.world.lose_answer = true;
    bench.rollback(false, 7);
    bench.wait(10 * SEC);
    let lines = bench.take();
    assert_eq!(lines.iter().filter(|line| line.starts_with("store")).count(), 1, "{lines:?}");
    assert!(lines.contains(&"answer 7: promoted as 2, proven: true".to_owned()), "{lines:?}");
    assert_eq!(bench.world.holds("main"), "K1 after K2, generation 2");
}

#[test]
fn a_newer_key_on_its_way_is_held_and_not_lost() {
    let mut bench = Bench::rotated();
    bench.world.says(key(3), Verdict::Unclear);
    bench.confirmed(key(3));
    bench.wait(SEC);
    bench.rollback(false, 7);
    bench.wait(10 * SEC);
    assert_eq!(bench.take_only("answer"), ["answer 7: promoted as 2, proven: true"]);
    let held: Vec<_> = bench.view().held.into_iter().map(|held| held.fingerprint).collect();
    assert_eq!(held, ["0000000000000003", "0000000000000002"]);
    bench.world.alive(key(3));
    bench.accept(key(3), 8);
    bench.run();
    assert_eq!(bench.world.holds("main"), "K3 after K1, generation 3");
}

#[test]
fn killed_after_any_step_it_is_done_or_not_and_the_newer_key_is_never_lost() {
    for steps in 0..40 {
        let mut bench = Bench::rotated();
        bench.rollback(false, 7);
        if !bench.run_only(steps) {
            assert!(steps > 12, "{steps}");
            return;
        }
        bench.restart();
        bench.wait(5 * MIN);
        match bench.world.holds("main").as_str() {
            "K2 after K1, generation 1" => assert_eq!(bench.view().held, [], "{steps}"),
            "K1 after K2, generation 2" => {
                let held: Vec<_> = bench.view().held.into_iter().map(|held| held.fingerprint).collect();
                assert_eq!(held, ["0000000000000002"], "{steps}");
                assert_eq!(bench.world.spool.len(), 1, "{steps}");
                let codes: Vec<_> =
                    bench.view().incidents.into_iter().map(|open| open.code.as_str()).collect();
                assert_eq!(codes, ["rolled-back"], "{steps}");
                assert_eq!(bench.world.fake("bot").runs, Some(key(1)), "{steps}");
            }
            other => panic!("after {steps} steps the store holds {other}"),
        }
        assert_eq!(bench.phase(), Phase::Steady, "{steps}");
    }
    panic!("it never ends");
}

#[test]
fn one_that_another_daemon_did_is_taken_over_and_not_called_foreign() {
    let mut bench = Bench::rotated();
    let elsewhere = rolled_back();
    bench.world.documents = elsewhere.world.documents;
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail rolled-back 0 warning", "mail rotated 0 info"]);
    assert_eq!((bench.phase(), bench.world.fake("bot").runs), (Phase::Steady, Some(key(1))));
}

#[test]
fn an_earlier_key_that_somebody_put_back_by_hand_can_be_kept_by_it() {
    let mut bench = Bench::rotated();
    bench.world.put("main", key(1), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    assert_eq!(bench.phase(), Phase::Parked(Parked::StoreReverted));
    bench.take();
    bench.rollback(false, 7);
    bench.wait(MIN);
    assert_eq!(bench.take_only("answer"), ["answer 7: promoted as 2, proven: true"]);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K1 after K2, generation 2".into())
    );
    assert_eq!(bench.view().held.len(), 1);
}

#[test]
fn pasting_the_key_gone_back_from_is_refused_and_accept_is_named() {
    let mut bench = rolled_back();
    bench.ingest(key(2), true, 4);
    bench.expect(&[
        "answer 4: refused: an operator went back from it, and it is held: keyrelay accept lets it in again",
    ]);
}
