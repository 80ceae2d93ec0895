//! A probe that writes unless it is refused, and is let through.

use super::{
    bench::*,
    by_operator::{leadey, only, seeded},
    *,
};
use crate::{
    domain::{Code, Verdict},
    rotation::{Credential, Effect, Phase, Settings},
};
use std::sync::Arc;

const REQUEST: &str = "POST https://leafpad.io/api/public/v1/knowledge-base with {}";

fn leafpad() -> Credential {
    Credential {
        vendor: "leafpad".parse().unwrap(),
        vendor_title: "LeafPad".into(),
        has_identity: false,
        origin: "https://leafpad.io".into(),
        probe: REQUEST.into(),
        ..leadey()
    }
}
/// The current key's probe was let through.
pub fn written() -> Bench {
    let mut bench = seeded(only(leafpad()));
    bench.world.lets_through = true;
    bench.passes(20 * MIN);
    bench
}
fn asks(bench: &mut Bench) -> Vec<String> {
    bench.take().into_iter().filter(|line| line.contains("probe ") || line == "control").collect()
}

#[test]
fn a_probe_that_was_let_through_is_told_and_never_sent_again() {
    let mut bench = seeded(only(leafpad()));
    bench.world.lets_through = true;
    bench.passes(DAY + HOUR);
    assert_eq!(asks(&mut bench).len(), 1, "one request, and no random key");
    let told = bench.told(Code::ProbeWrote);
    assert_eq!(
        told.message,
        "LeafPad let a probe through that it must refuse (201 with a JSON object): it may have written something there"
    );
    assert!(
        told.hint.contains(&format!("delete it there:\n{REQUEST}\ncorrect vendors.leafpad.probe")),
        "{}",
        told.hint
    );
    assert!(bench.notices.iter().all(|notice| notice.code != Code::KeyUnclear));
    let (verdict, at) = bench.view().last_probe.unwrap();
    assert!(verdict == Verdict::Alive && at < bench.now - DAY, "shown as old as it is");
    assert!(bench.view().probe_off_since.is_some());
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn a_restart_asks_nobody_again_and_a_changed_request_does() {
    let mut bench = written();
    bench.take();
    bench.restart();
    bench.passes(DAY);
    assert_eq!(asks(&mut bench), [""; 0]);
    assert_eq!(bench.view().last_probe.map(|(verdict, _)| verdict), Some(Verdict::Alive));
    bench.world.lets_through = false;
    bench.reload(only(Credential { probe: "GET https://leafpad.io/api/me".into(), ..leafpad() }));
    bench.passes(HOUR);
    assert!(asks(&mut bench).contains(&"probe K1".to_owned()));
    assert!(bench.told(Code::ProbeWrote).resolved);
    assert_eq!(bench.view().probe_off_since, None);
}

#[test]
fn every_credential_that_would_be_asked_so_stops_and_others_go_on() {
    let named = |name: &str, probe: &str| Credential {
        name: name.parse().unwrap(),
        probe: probe.into(),
        consumers: Default::default(),
        ..leafpad()
    };
    let all =
        [named("main", REQUEST), named("second", REQUEST), named("other", "GET https://other.example/me")];
    let settings: Settings = settings(all.into_iter().collect());
    let mut world = super::world::World::default();
    for (name, n) in [("main", 1), ("second", 11), ("other", 21)] {
        world.put(name, key(n), START - DAY);
        world.alive(key(n));
    }
    let mut bench = Bench::start(settings, world);
    bench.passes(HOUR);
    bench.take();
    bench.world.lets_through = true;
    // One request is in flight when the first answer comes, at most.
    bench.passes(10 * MIN);
    bench.world.lets_through = false;
    bench.take();
    bench.passes(DAY);
    let asked: std::collections::BTreeSet<_> = asks(&mut bench).into_iter().collect();
    assert_eq!(asked.len(), 0, "{asked:?}");
}

#[test]
fn a_random_key_that_is_let_through_stops_all_probes_too() {
    let mut bench = seeded(only(leafpad()));
    bench.held_back = vec!["probe".into()];
    bench.world.lets_through = true;
    bench.passes(DAY + HOUR);
    assert!(bench.view().probe_off_since.is_some());
    bench.held_back.clear();
    bench.queue.retain(|effect| !matches!(effect, Effect::Credential { .. }));
    bench.take();
    bench.passes(DAY);
    assert_eq!(asks(&mut bench), [""; 0]);
}

#[test]
fn meanwhile_a_new_key_is_held_for_the_operators_word_and_served_on_it() {
    let mut bench = written();
    bench.take();
    bench.ingest(key(2), false, 7);
    bench.run();
    let why = "the vendor's probe is switched off, so nobody can say whether it works";
    assert_eq!(bench.take_only("answer"), [format!("answer 7: held: {why}")]);
    bench.ingest(key(2), true, 8);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 8: promoted as 1, proven: true"]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    let told = bench.told(Code::RevokeOldKey).clone();
    assert!(told.doing.unwrap().starts_with("keyrelay cannot see when it is dead"));
    bench.restart();
    bench.passes(HOUR);
    assert_eq!(bench.phase(), Phase::Steady);
    bench.world.fake("bot").copy = None;
    bench.passes(2 * HOUR);
    assert_eq!(bench.world.fake("bot").copy, Some(key(2)), "consumers are kept right");
    // Mended, the vendor is asked again: the old key is seen to be dead.
    bench.world.lets_through = false;
    bench.world.says(key(1), Verdict::Dead);
    bench.reload(only(Credential { probe: Arc::from("GET https://leafpad.io/api/me"), ..leafpad() }));
    bench.passes(2 * HOUR);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");
    assert_eq!(bench.view().incidents, []);
}

#[test]
fn nobody_goes_back_to_a_key_that_cannot_be_asked_about() {
    let mut bench = seeded(only(leafpad()));
    bench.ingest(key(2), true, 7);
    bench.passes(HOUR);
    bench.world.lets_through = true;
    bench.passes(HOUR);
    bench.take();
    bench.rollback(false, 8);
    bench.run();
    let why = "the vendor's probe is switched off, so nobody can say whether the earlier key works";
    assert_eq!(bench.take_only("answer"), [format!("answer 8: refused: {why}")]);
}
