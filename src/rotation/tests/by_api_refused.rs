//! Nobody is asked while the new key could be lost or could not be used; and whoever wished for it reads why.

use super::{
    bench::*,
    by_api::{api, api_but},
    *,
};
use crate::{
    domain::{Account, RotatedBy, StoreTrouble, Verdict},
    rotation::{Phase, Window},
};

#[track_caller]
fn refuses(mut bench: Bench, why: &str) {
    bench.rotate(7);
    bench.wait(2 * MIN);
    assert_eq!(bench.take_only("answer"), [format!("answer 7: {why}")]);
    assert_eq!((bench.calls(), bench.world.stored("main").state.clone().unwrap().wish), (0, None));
}

#[test]
fn nobody_is_asked_while_a_consumer_is_not_proven() {
    let mut bench = api();
    bench.world.fake("web").silent = true;
    refuses(
        bench,
        "refused: consumer web is not proven (nobody answers); mend that, then: keyrelay prove main --consumer web",
    );
    let mut bench = api();
    bench.world.fake("bot").rehearsal_fails = true;
    refuses(
        bench,
        "refused: the key could not be handed to consumer bot: the folder belongs to root; mend that, then: \
         keyrelay deliver main --consumer bot",
    );
}

#[test]
fn a_proof_from_before_proves_nothing_and_a_slow_consumer_is_waited_for_a_while() {
    let mut bench = api();
    bench.held_back = vec!["prove web".into()];
    bench.rotate(7);
    bench.wait(2 * MIN);
    assert_eq!(
        bench.take_only("answer"),
        ["answer 7: refused: consumer web was not tested in time; nothing was called"]
    );
    assert_eq!(bench.calls(), 0);
}

#[test]
fn nobody_is_asked_with_a_key_that_is_dead_or_of_another_account() {
    let mut bench = api();
    bench.world.says(key(1), Verdict::Dead);
    refuses(
        bench,
        "refused: Legba refuses the current key (the vendor says dead); the right one goes in with: \
         keyrelay ingest main",
    );
    let mut bench = api();
    bench.world.vendor.insert(key(1), (Verdict::Alive, Account::default()));
    refuses(bench, "refused: Legba shows no account for the current key");
    let bench = api_but(|one| one.account = Some(Account::from_iter(["project-9"])));
    refuses(bench, "refused: the current key is of another account than the one that is pinned");
    let mut bench = api();
    bench.world.says(key(1), Verdict::Unclear);
    bench.rotate(7);
    bench.wait(2 * MIN);
    let why = "refused: Legba's answer for the current key is unclear (the vendor says unclear); nothing was called";
    assert_eq!(bench.take_only("answer"), [format!("answer 7: {why}")]);
}

#[test]
fn nobody_is_asked_while_the_vendor_calls_everything_alive() {
    let mut bench = api();
    bench.world.control = Some(Verdict::Alive);
    refuses(bench, "refused: Legba calls a random key alive, so a new key could not be proven");
}

#[test]
fn nobody_is_asked_while_the_store_or_the_spool_cannot_be_written() {
    let mut bench = api();
    bench.world.spool_trouble = Some("no space left on device".into());
    refuses(
        bench,
        "refused: the spool cannot be written, so that the new key could be lost: no space left on device",
    );
    let mut bench = api();
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.rotate(7);
    bench.wait(2 * MIN);
    assert_eq!(bench.take_only("answer"), ["answer 7: unreachable: the store is sealed"]);
    assert_eq!(bench.calls(), 0);
}

#[test]
fn somebody_else_who_wrote_meanwhile_may_have_asked_himself() {
    let mut bench = api();
    bench.world.stored("main").state_version += 1;
    bench.rotate(7);
    bench.run();
    let why = "refused: somebody else has changed keyrelay's notes meanwhile; ask again";
    assert_eq!(bench.take_only("answer"), [format!("answer 7: {why}")]);
    bench.wait(2 * MIN);
    assert_eq!((bench.calls(), bench.world.stored("main").state.clone().unwrap().wish), (0, None));
    bench.rotate(8);
    bench.run();
    assert_eq!(bench.calls(), 1);
}

#[test]
fn a_wish_that_was_noted_by_another_host_is_not_called_here_and_ends_when_the_old_key_is_seen_to_work() {
    let mut bench = api();
    bench.held_back = vec!["call".into()];
    bench.rotate(7);
    bench.run();
    let mut elsewhere = bench.world.stored("main").clone();
    bench.queue.clear();
    elsewhere.state.as_mut().unwrap().wish.as_mut().unwrap().host = "web2".into();
    *bench.world.stored("main") = elsewhere;
    bench.held_back.clear();
    bench.restart();
    bench.run();
    bench.take();
    bench.rotate(8);
    let why = format!(
        "refused: Legba was asked {} from web2, and what came of it is not known yet; see: keyrelay status main",
        bench.now.minutes()
    );
    assert_eq!(bench.take_only("answer"), [format!("answer 8: {why}")]);
    bench.wait(2 * MIN);
    assert_eq!((bench.calls(), bench.phase()), (0, Phase::Steady));
    bench.rotate(9);
    bench.run();
    assert_eq!(bench.calls(), 1);
}

#[test]
fn a_second_wish_while_one_is_under_way_is_refused() {
    let mut bench = api();
    bench.rotate(7);
    bench.rotate(8);
    bench.run();
    assert_eq!(
        bench.take_only("answer"),
        [
            "answer 8: refused: Legba is being asked for a new key already",
            "answer 7: promoted as 1, proven: true"
        ]
    );
    assert_eq!(bench.calls(), 1);
}

#[test]
fn a_key_that_is_on_its_way_already_is_waited_for() {
    let mut bench = api();
    bench.world.says(key(9), Verdict::Unclear);
    bench.ingest(key(9), false, 6);
    bench.run();
    bench.take();
    bench.rotate(7);
    let why = "refused: a new key is on its way already; see: keyrelay status main";
    assert_eq!(bench.take_only("answer"), [format!("answer 7: {why}")]);
}

#[test]
fn who_rotates_otherwise_is_told_how() {
    let mut bench = Bench::seeded();
    bench.rotate(7);
    let why = "refused: Leaf7 has no call that rotates: it rotates by itself and mails the new key; one that you have \
               goes in with: keyrelay ingest main";
    assert_eq!(bench.take_only("answer"), [format!("answer 7: {why}")]);
    refuses(
        api_but(|one| one.rotated_by = RotatedBy::Operator),
        "refused: Legba has no call that rotates: you make the new key in its dashboard (Legba dashboard, API keys, \
         create a key), and then type: keyrelay ingest main",
    );
    refuses(
        api_but(|one| one.observe = true),
        "refused: this credential is only observed (observe: true in the configuration)",
    );
}

#[test]
fn a_closed_window_is_waited_for_unless_the_key_ends_before() {
    let window = |bench: &Bench| Some(Window { opens: bench.now + 5 * HOUR, closes: bench.now + 6 * HOUR });
    let mut bench = api();
    bench.rotate_in(window(&bench), 7);
    let opens = (bench.now + 5 * HOUR).minutes();
    assert_eq!(
        bench.take_only("answer"),
        [format!("answer 7: refused: the window is closed, and opens {opens}")]
    );
    let mut bench = api_but(|one| one.expires_at = Some(START + 6 * HOUR));
    bench.rotate_in(window(&bench), 7);
    bench.run();
    assert_eq!(bench.calls(), 1);
}
