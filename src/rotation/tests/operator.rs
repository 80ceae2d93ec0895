//! What operators ask for by hand. Each command is answered exactly once.

use super::{bench::*, *};
use crate::{
    domain::{Account, Finding, OriginKind, StoreTrouble, Verdict},
    rotation::{Input, Phase, Schedule, Settings},
};

fn prove(bench: &mut Bench, ticket: u64) {
    bench.input(Input::ProveAsked { consumer: None, ticket });
    bench.run();
}

#[test]
fn a_pasted_key_is_spooled_before_anything_else_happens_to_it_and_promoted() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.ingest(key(2), false, 7);
    bench.expect(&["spool K2"]);
    bench.run();
    bench.expect(&[
        "read key",
        "probe K2",
        "probe K1",
        "control",
        "store K2 after K1 as 1 over 1",
        "read key",
        "unspool K2",
        "compare bot K2",
        "prove web K2",
        "record ingest",
        "deliver bot K2",
        "act bot",
        "prove bot K2",
        "answer 7: promoted as 1, proven: true",
        "record ingest",
        "mail rotated 0 info",
        "save",
    ]);
}

#[test]
fn a_pasted_key_that_the_vendor_refuses_is_refused_at_once() {
    let mut bench = Bench::seeded();
    bench.ingest(key(2), true, 7);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 7: refused: the vendor refuses it"]);
    assert_eq!((bench.phase(), bench.world.spool.len()), (Phase::Steady, 0));
}

#[test]
fn the_current_key_and_an_earlier_one_are_refused() {
    let mut bench = Bench::rotated();
    bench.ingest(key(2), true, 1);
    bench.ingest(key(1), true, 2);
    bench.expect(&[
        "answer 1: refused: it is the current key already",
        "answer 2: refused: it is an earlier key of this credential, not a new one",
    ]);
}

#[test]
fn a_pasted_key_of_another_account_is_refused_however_sure_the_operator_is() {
    let mut bench = Bench::seeded();
    bench.world.vendor.insert(key(2), (Verdict::Alive, Account::from_iter(["somebody-else"])));
    bench.ingest(key(2), true, 7);
    bench.run();
    assert_eq!(
        bench.take_only("answer"),
        ["answer 7: refused: it is of another account than the current key"]
    );
    bench.expect_mails(&[]);
    assert_eq!(bench.world.holds("main"), "K1, generation 0");
}

#[test]
fn a_pasted_key_whose_account_cannot_be_proven_is_held_until_the_operator_is_sure() {
    let mut bench = Bench::seeded();
    bench.world.vendor.insert(key(2), (Verdict::Alive, Account::default()));
    bench.ingest(key(2), false, 7);
    bench.run();
    let why = "its account shows nothing to compare, so it cannot be proven to be ours";
    assert_eq!(bench.take_only("answer"), [format!("answer 7: held: {why}")]);
    bench.ingest(key(2), true, 8);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 8: promoted as 1, proven: true"]);
}

#[test]
fn a_pasted_key_waits_in_the_spool_while_the_store_is_sealed() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.ingest(key(2), false, 7);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 7: spooled: the store is sealed"]);
    bench.world.store_trouble = None;
    bench.wait(10 * SEC);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

#[test]
fn two_operators_who_paste_the_same_key_are_both_answered() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.ingest(key(2), false, 7);
    bench.ingest(key(2), false, 8);
    bench.run();
    assert_eq!(
        bench.take_only("answer"),
        ["answer 7: promoted as 1, proven: true", "answer 8: promoted as 1, proven: true"]
    );
}

#[test]
fn an_operator_waits_for_the_consumers_a_minute_at_most() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.fake("web").silent = true;
    bench.ingest(key(2), false, 7);
    bench.wait(MIN - SEC);
    assert_eq!(bench.take_only("answer"), [""; 0]);
    bench.wait(SEC);
    assert_eq!(bench.take_only("answer"), ["answer 7: promoted as 1, proven: false"]);
}

#[test]
fn a_pasted_key_that_the_vendor_says_nothing_of_is_answered_after_a_minute_and_kept() {
    let mut bench = Bench::seeded();
    bench.world.says(key(2), Verdict::Unclear);
    bench.ingest(key(2), false, 7);
    bench.wait(MIN);
    assert_eq!(
        bench.take_only("answer"),
        ["answer 7: spooled: it could not be judged yet (the vendor says unclear)"]
    );
    assert_eq!((bench.phase(), bench.world.spool.len()), (Phase::Probing, 1));
}

#[test]
fn what_is_held_is_let_in_by_accept_when_it_is_alive() {
    let mut bench = Bench::seeded();
    let confirmation = bench.confirmation(key(2), bench.now);
    bench.looks(&[Finding::Held { confirmation, why: "it has no signature".into() }]);
    bench.run();
    let held = bench.view().held;
    assert_eq!((held[0].fingerprint.as_str(), held[0].from), ("0000000000000002", OriginKind::Mail));
    bench.accept(key(2), 4);
    bench.run();
    assert_eq!(
        bench.take_only("answer"),
        ["answer 4: refused: the vendor refuses it (the vendor says dead)"]
    );
    bench.world.alive(key(2));
    bench.accept(key(2), 5);
    bench.wait(5 * MIN);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    bench.accept(key(8), 6);
    assert_eq!(
        bench.take_only("answer").last().unwrap(),
        "answer 6: refused: nothing with this fingerprint is held; keyrelay status shows what is"
    );
}

#[test]
fn prove_tests_the_consumers_now_and_says_what_holds_now() {
    let mut bench = Bench::rotated();
    prove(&mut bench, 3);
    bench.expect(&["compare bot K2", "prove web K2", "prove bot K2", "answer 3: proven: true"]);
    bench.world.fake("web").silent = true;
    prove(&mut bench, 4);
    assert_eq!(bench.take_only("answer"), ["answer 4: proven: false"]);
}

#[test]
fn deliver_writes_acts_and_proves_again_for_the_named_consumer_only() {
    let mut bench = Bench::rotated();
    bench.input(Input::DeliverAsked { consumer: Some("bot".parse().unwrap()), ticket: 3 });
    bench.run();
    bench.expect(&[
        "compare bot K2",
        "deliver bot K2",
        "act bot",
        "prove bot K2",
        "save",
        "answer 3: proven: true",
    ]);
}

#[test]
fn a_consumer_that_does_not_exist_is_no_proof() {
    let mut bench = Bench::rotated();
    bench.input(Input::ProveAsked { consumer: Some("nobody".parse().unwrap()), ticket: 3 });
    bench.expect(&["answer 3: refused: nobody is no consumer of this credential, or lives on another host"]);
}

#[test]
fn without_a_key_there_is_nothing_to_prove() {
    let mut bench = Bench::start(main_settings(), world::World::default());
    bench.run();
    bench.take();
    prove(&mut bench, 3);
    bench.expect(&["answer 3: refused: there is no key in the store yet"]);
}

#[test]
fn while_a_foreign_value_is_in_the_store_consumers_are_left_alone_and_the_operator_hears_it() {
    let mut bench = Bench::rotated();
    bench.world.put("main", key(9), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(5 * MIN);
    bench.take();
    prove(&mut bench, 3);
    let why = "nothing is handed to consumers while what the status says of this key is open";
    bench.expect(&[&format!("answer 3: refused: {why}")]);
}

#[test]
fn an_operator_of_a_credential_that_leaves_the_configuration_is_answered() {
    let mut bench = Bench::seeded();
    bench.world.says(key(2), Verdict::Unclear);
    bench.ingest(key(2), false, 7);
    bench.run();
    bench.reload(Settings { credentials: Default::default(), ..main_settings() });
    assert_eq!(bench.take_only("answer"), ["answer 7: refused: main is no longer configured"]);
}

#[test]
fn a_weak_key_is_named_by_a_number_that_stays_its_own() {
    let mut bench = Bench::seeded();
    for n in [2, 3] {
        let confirmation = bench.confirmation(weak(n), bench.now);
        bench.looks(&[Finding::Held { confirmation, why: "it has no signature".into() }]);
    }
    bench.run();
    let labels =
        |bench: &Bench| bench.view().held.iter().map(|held| held.fingerprint.clone()).collect::<Vec<_>>();
    let before = labels(&bench);
    assert_eq!(before, ["c1", "c2"]);
    bench.world.alive(weak(2));
    bench.accept(weak(2), 1);
    bench.run();
    assert_eq!(bench.view().fingerprint.as_deref(), Some("g1"));
    assert_eq!(labels(&bench), ["c2"]);
    for notice in &bench.notices {
        let text = format!("{notice:?}");
        assert!(!text.contains("0000000000000002") && !text.contains("0000000000000003"), "{text}");
    }
}
