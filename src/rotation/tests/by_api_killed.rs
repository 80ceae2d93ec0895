//! The process ends at each point of a rotation by API, and another takes over: the vendor is asked once, and a key
//! whose answer is in the spool becomes the current one.

use super::{
    bench::*,
    by_api::{Mood, api, api_settings, now},
    *,
};
use crate::{
    domain::{CallOutcome, Code, Fingerprint, StoreTrouble, Verdict},
    rotation::{CallInput, Input, Phase, Schedule},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn open(bench: &Bench) -> Vec<Code> {
    bench.view().incidents.iter().map(|incident| incident.code).collect()
}

#[test]
fn killed_after_any_effect_it_ends_well_or_with_the_truth() {
    for count in 0..40 {
        let mut bench = api();
        bench.rotate(7);
        bench.run_only(count);
        bench.restart();
        bench.passes(HOUR);
        let asked = bench.calls();
        match asked {
            0 => {
                assert_eq!((now(&bench).as_str(), bench.phase()), ("K1", Phase::Steady));
                let failed = open(&bench).iter().all(|code| *code == Code::RotationFailed);
                assert!(failed, "{count}: {:?}", open(&bench));
            }
            1 => assert_eq!(now(&bench), "K2", "killed after {count}"),
            more => panic!("asked {more} times"),
        }
    }
}

#[test]
fn killed_while_it_is_called_the_key_is_issued_and_lost_and_nobody_is_asked_again() {
    let mut bench = api();
    bench.world.api.mood = Mood::Hangs;
    bench.rotate(7);
    bench.run();
    bench.world.api.killed.insert(key(1));
    bench.restart();
    bench.passes(HOUR);
    assert_eq!((bench.calls(), open(&bench)), (1, vec![Code::KeyLost]));
    let told = bench.notices.iter().filter(|notice| notice.code == Code::KeyLost).count();
    assert_eq!(told, 1);
}

#[test]
fn killed_between_the_wish_and_the_call_nothing_was_rotated() {
    let mut bench = api();
    bench.held_back = vec!["call".into()];
    bench.rotate(7);
    bench.run();
    bench.held_back.clear();
    bench.restart();
    bench.passes(10 * MIN);
    assert_eq!((bench.calls(), open(&bench)), (0, vec![Code::RotationFailed]));
    bench.rotate(8);
    bench.run();
    assert_eq!((bench.calls(), now(&bench).as_str()), (1, "K2"));
}

#[test]
fn told_to_stop_before_the_call_it_is_not_made_and_told_to_stop_during_it_the_answer_is_spooled() {
    let mut bench = api();
    bench.held_back = vec!["save".into()];
    bench.rotate(7);
    bench.run();
    bench.happens(crate::rotation::Event::Stopping);
    bench.held_back.clear();
    bench.run();
    assert_eq!(bench.calls(), 0);

    let mut bench = api();
    bench.held_back = vec!["call".into()];
    bench.rotate(7);
    bench.run();
    bench.happens(crate::rotation::Event::Stopping);
    bench.held_back = vec!["probe".into()];
    bench.run();
    assert_eq!((bench.calls(), bench.world.spool.len()), (1, 1));
}

#[derive(Debug, Clone)]
enum Happening {
    Wait(u64),
    Rotate,
    Due,
    Mood(Mood),
    Store(bool),
    Spool(bool),
    LoseAnswer,
    Silent(bool),
    Restart,
    Reload,
    Perform(usize),
    Tick,
    Ingest,
}
fn happening() -> impl Strategy<Value = Happening> {
    use Happening::{
        Due, Ingest, LoseAnswer, Perform, Reload, Restart, Rotate, Silent, Spool, Store, Tick, Wait,
    };
    let mood = prop_oneof![
        Just(Mood::Issues),
        Just(Mood::Refuses),
        Just(Mood::LosesAnswer),
        Just(Mood::LosesRequest),
        Just(Mood::Mumbles),
        Just(Mood::Fails),
        Just(Mood::IsAway),
        Just(Mood::Hangs),
    ];
    prop_oneof![
        4 => prop_oneof![1..20u64, 60..600u64, 3_600..90_000u64].prop_map(Wait),
        4 => Just(Rotate),
        3 => Just(Due),
        4 => mood.prop_map(Happening::Mood),
        2 => any::<bool>().prop_map(Store),
        1 => any::<bool>().prop_map(Spool),
        1 => Just(LoseAnswer),
        1 => any::<bool>().prop_map(Silent),
        3 => Just(Restart),
        1 => Just(Reload),
        6 => (0..20usize).prop_map(Perform),
        1 => Just(Tick),
        1 => Just(Ingest),
    ]
}
fn happen(bench: &mut Bench, happening: Happening, ticket: u64) {
    match happening {
        Happening::Wait(secs) => bench.wait(Duration::from_secs(secs)),
        Happening::Rotate => bench.rotate(ticket),
        Happening::Due => {
            let (at, next) = (bench.now, Some(bench.now + DAY));
            bench.input(Input::Call(CallInput::RotationDue { at, next, host: "web1".into(), window: None }));
        }
        Happening::Mood(mood) => bench.world.api.mood = mood,
        Happening::Store(works) => bench.world.store_trouble = (!works).then_some(StoreTrouble::Sealed),
        Happening::Spool(works) => {
            bench.world.spool_trouble = (!works).then(|| "no space left on device".to_owned());
            bench.world.api.spool_fails = !works;
        }
        Happening::LoseAnswer => bench.world.lose_answer = true,
        Happening::Silent(silent) => bench.world.fake("web").silent = silent,
        Happening::Restart => bench.restart(),
        Happening::Reload => {
            bench.reload(api_settings());
            bench.reads_answers();
        }
        Happening::Perform(count) => _ = bench.run_only(count),
        Happening::Tick => bench.tick(Schedule::CurrentKeyProbe),
        Happening::Ingest => {
            bench.world.says(key(100 + ticket), Verdict::Alive);
            bench.world.alive(key(100 + ticket));
            bench.ingest(key(100 + ticket), true, ticket);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_wish_is_called_once_and_no_spooled_answer_is_forgotten(
        happenings in prop::collection::vec(happening(), 1..50),
        whole in any::<bool>(),
    ) {
        let mut bench = api();
        bench.input(Input::Call(CallInput::RotationDue {
            at: START - DAY, next: None, host: "web1".into(), window: None,
        }));
        for (ticket, happening) in (1..).zip(happenings) {
            happen(&mut bench, happening, ticket);
            if whole {
                bench.run();
            }
            check(&bench)?;
        }
        // All is well again, and every key that was spooled comes to its own.
        (bench.world.store_trouble, bench.world.spool_trouble) = (None, None);
        bench.world.api.spool_fails = false;
        bench.world.fake("web").silent = false;
        bench.restart();
        bench.passes(3 * HOUR);
        check(&bench)?;
        // But one beside which an operator put in another: that one is shown, and waits for a word.
        let held: Vec<_> = bench.view().held.iter().map(|held| held.fingerprint.clone()).collect();
        let waiting: Vec<_> = bench.world.spool.keys().filter(|key| !held.contains(&key.hex())).collect();
        prop_assert!(waiting.is_empty(), "{waiting:?} waits; {}", bench.world.holds("main"));
        prop_assert_eq!(bench.unanswered(), Vec::<u64>::new());
        bench.deadlines = 0;
        bench.wait(HOUR);
        prop_assert!(bench.deadlines < 3_600, "{} deadlines in an hour", bench.deadlines);
    }
}
fn holds(outcome: &CallOutcome, key: Fingerprint) -> bool {
    matches!(outcome, CallOutcome::Issued(issued) if issued.fingerprint == key)
}
/// One call for each wish, and whatever was issued in a readable answer is the current key, was one, or is spooled.
fn check(bench: &Bench) -> Result<(), TestCaseError> {
    let mut by_wish = BTreeMap::new();
    for (wish, _) in &bench.world.api.calls {
        *by_wish.entry(*wish).or_insert(0) += 1;
    }
    prop_assert!(by_wish.values().all(|calls| *calls == 1), "{:?}", by_wish);
    let world = &bench.world;
    let ingested = world.promoted.iter().any(|promoted| *promoted > key(100));
    for kept in &world.api.kept {
        let waits = world.api.answers.values().any(|(_, _, outcome)| holds(outcome, *kept));
        let safe = world.promoted.contains(kept) || world.spool.contains_key(kept) || waits;
        // One that an operator's later key has taken the place of is history.
        prop_assert!(safe || ingested, "{} is lost: {}", name_of(*kept), world.holds("main"));
    }
    Ok(())
}
