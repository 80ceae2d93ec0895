//! A key that somebody put in by hand is dated by the hand, or by the store: what the vendor sent is not lost beside it.

use super::{bench::*, *};
use crate::{
    domain::{Account, Finding, StoreTrouble, Verdict},
    rotation::{Parked, Phase, Schedule},
};

/// Found in the simulation: an old key was pasted while a foreign value lay in the store, and the newer key that came by
/// mail meanwhile was dropped as the older one, without a word.
#[test]
fn a_mailed_key_that_waits_beside_a_paste_is_held_and_told() {
    let mut bench = Bench::seeded();
    for n in [2, 3] {
        bench.world.alive(key(n));
    }
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    let mailed = bench.confirmation(key(3), bench.now);
    bench.wait(MIN);
    bench.ingest(key(2), true, 1);
    bench.wait(MIN);
    bench.looks(&[Finding::NewKey(mailed)]);
    bench.wait(MIN);
    bench.world.store_trouble = None;
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    let held: Vec<_> =
        bench.view().held.iter().map(|held| (held.fingerprint.clone(), held.why.clone())).collect();
    let why = "another key was put in by hand before it could be promoted";
    assert_eq!(held, [(key(3).to_string(), why.to_owned())]);
    assert!(bench.world.spool.contains_key(&key(3)));
    assert!(!bench.take_only("mail candidate-held 0").is_empty());
    bench.accept(key(3), 2);
    bench.run();
    assert_eq!(bench.world.holds("main"), "K3 after K2, generation 2");
}

/// The same where somebody else wrote a key that nobody has seen before, which was adopted.
#[test]
fn a_mailed_key_that_waits_beside_an_adopted_one_is_held() {
    let mut bench = Bench::seeded();
    for n in [2, 3] {
        bench.world.alive(key(n));
    }
    bench.world.write_trouble = Some(StoreTrouble::Refused("quota".into()));
    bench.confirmed(key(3));
    bench.wait(MIN);
    bench.world.put("main", key(2), bench.now);
    bench.world.write_trouble = None;
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(HOUR);
    bench.passes(HOUR);
    let known = bench.world.holds("main").starts_with("K3")
        || bench.view().held.iter().any(|held| held.fingerprint == key(3).to_string());
    assert!(known, "{} and {:?}", bench.world.holds("main"), bench.view().held);
}

/// An account that is not ours writes a later confirmation; it is held, and so must not make ours history.
#[test]
fn a_key_that_was_passed_over_for_one_that_is_held_is_looked_at_again() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.vendor.insert(key(9), (Verdict::Alive, Account::default()));
    let ours = bench.confirmation(key(2), bench.now);
    let theirs = bench.confirmation(key(9), bench.now + MIN);
    bench.wait(2 * MIN);
    bench.looks(&[Finding::NewKey(ours.clone()), Finding::NewKey(theirs)]);
    bench.run();
    assert_eq!(bench.take_only("look"), ["look afresh"]);
    bench.looks(&[Finding::NewKey(ours)]);
    bench.run();
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}

/// The paste of an old key is younger than every mail, and a copy of that key's own mail arrives last.
#[test]
fn beside_a_pasted_key_a_mail_is_history_only_by_the_vendors_own_dates() {
    let mut bench = Bench::seeded();
    for n in [2, 3] {
        bench.world.alive(key(n));
    }
    let (own, newer) = (bench.now, bench.confirmation(key(3), bench.now + MIN));
    bench.wait(HOUR);
    bench.ingest(key(2), true, 1);
    bench.run();
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    let mail = bench.mail(bench.now);
    let known = Finding::Known { mail, fingerprint: key(2), dated: own, genuine: true };
    bench.looks(&[known, Finding::NewKey(newer)]);
    bench.run();
    assert!(bench.view().held.iter().any(|held| held.fingerprint == key(3).to_string()));
}

/// The simulation's seed 1241: after the document of K3 was deleted, a late copy of K2's mail let K2 in.
#[test]
fn a_deleted_document_does_not_let_an_earlier_key_in() {
    let mut bench = Bench::seeded();
    for n in [2, 3] {
        bench.world.alive(key(n));
    }
    let earlier = bench.confirmation(key(2), bench.now);
    bench.wait(MIN);
    bench.confirmed(key(3));
    bench.wait(HOUR);
    bench.world.stored("main").deleted = true;
    bench.passes(20 * MIN);
    bench.looks(&[Finding::NewKey(earlier)]);
    bench.passes(HOUR);
    assert_eq!(bench.phase(), Phase::Parked(Parked::DocumentDeleted));
    assert_eq!(bench.view().held.len(), 2);
}

/// The simulation's seed 1157: the operator was told that his key is in the spool. It lay in the store, from where it
/// could have been gone a moment later.
#[test]
fn a_pasted_key_that_somebody_put_into_the_store_too_is_spooled_like_any_paste() {
    let mut bench = Bench::rotated();
    bench.world.says(key(9), Verdict::Unclear);
    bench.world.put("main", key(9), bench.now);
    bench.tick(Schedule::CurrentKeyProbe);
    bench.wait(MIN);
    bench.take();
    bench.ingest(key(9), true, 1);
    bench.run();
    assert_eq!(bench.take_only("spool"), ["spool K9"]);
    bench.world.put("main", key(2), bench.now);
    bench.world.alive(key(9));
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K9 after K2, generation 2");
}

/// The simulation's seed 78: only an older version in the store has the newer key's value, and the notice said that it
/// is in the spool.
#[test]
fn an_earlier_key_that_was_put_back_while_nobody_ran_is_told_as_it_is() {
    let mut bench = Bench::rotated();
    let previous = bench.world.stored("main").key.as_mut().unwrap();
    previous.previous = None;
    bench.world.put("main", key(1), bench.now);
    bench.restart();
    bench.wait(5 * MIN);
    let lines = bench.take();
    assert!(lines.iter().all(|line| !line.starts_with("spool") && line != "probe K2"), "{lines:?}");
    let told = bench.last_notice();
    let message = "somebody put an earlier key back at vendors/main; the newer key 0000000000000002 is in an older \
                   version of that document, and nowhere else";
    assert_eq!(told.message, message);
    assert!(told.hint.ends_with("keyrelay ingest main"), "{}", told.hint);
    // Put in by hand it is one key of ours like any other, and what cannot be kept beside it is not asked for.
    bench.ingest(key(2), false, 1);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 1: promoted as 2, proven: true"]);
    assert_eq!(
        (bench.phase(), bench.world.holds("main")),
        (Phase::Steady, "K2 after K1, generation 2".into())
    );
}
#[test]
fn beside_a_key_whose_value_nobody_has_a_new_one_is_proven_by_the_recorded_account() {
    let mut bench = Bench::rotated();
    bench.world.stored("main").key.as_mut().unwrap().previous = None;
    bench.world.put("main", key(1), bench.now);
    bench.restart();
    bench.wait(5 * MIN);
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.run();
    assert_eq!(bench.world.holds("main"), "K3 after K1, generation 2");
}
