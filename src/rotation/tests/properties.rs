//! Whatever happens in whatever order: no panic, no idle spinning, and nobody is given what was not proven.

use super::{bench::*, tidying::with, *};
use crate::{
    domain::{Account, Finding, Fingerprint, Hygiene, KeyRead, MailPlace, Settled, StoreTrouble, Verdict},
    rotation::{Action, Effect, Event, Input, Schedule},
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
enum Happening {
    Wait(u64),
    Confirmed(u64, i64),
    Held(u64),
    Warned,
    Says(u64, Verdict),
    Tick(Schedule),
    Store(bool),
    Put(u64),
    Delete,
    Silent(bool),
    DeliveryFails(bool),
    Drift(u64),
    Blind(bool),
    Ingest(u64, bool),
    Accept(u64),
    Rollback(bool),
    Deliver,
    Reload,
    Restart,
    /// So many effects are performed, the rest waits.
    Perform(usize),
    LoseAnswer,
    Skew(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    // The last two are of another account, for ever.
    let (ours, keys) = (1..6u64, 1..8u64);
    let verdict = prop_oneof![Just(Verdict::Alive), Just(Verdict::Dead), Just(Verdict::Unclear)];
    let schedule = prop_oneof![
        Just(Schedule::MailboxPoll),
        Just(Schedule::CurrentKeyProbe),
        Just(Schedule::ConsumerProve)
    ];
    prop_oneof![
        4 => prop_oneof![1..20u64, 60..600u64, 3_600..90_000u64].prop_map(Wait),
        4 => (keys.clone(), -200_000..10i64).prop_map(|(n, ago)| Confirmed(n, ago)),
        1 => keys.clone().prop_map(Held),
        1 => Just(Warned),
        6 => (ours, verdict).prop_map(|(n, verdict)| Says(n, verdict)),
        3 => schedule.prop_map(Tick),
        2 => any::<bool>().prop_map(Store),
        2 => keys.clone().prop_map(Put),
        1 => Just(Delete),
        1 => any::<bool>().prop_map(Silent),
        1 => any::<bool>().prop_map(DeliveryFails),
        1 => keys.clone().prop_map(Drift),
        1 => any::<bool>().prop_map(Blind),
        2 => (keys.clone(), any::<bool>()).prop_map(|(n, sure)| Ingest(n, sure)),
        2 => keys.prop_map(Accept),
        2 => any::<bool>().prop_map(Rollback),
        1 => Just(Deliver),
        1 => Just(Reload),
        2 => Just(Restart),
        3 => (0..12usize).prop_map(Perform),
        1 => Just(LoseAnswer),
        1 => any::<bool>().prop_map(Skew),
    ]
}

fn happen(bench: &mut Bench, happening: Happening, ticket: u64) {
    match happening {
        Happening::Wait(secs) => bench.wait(Duration::from_secs(secs)),
        Happening::Confirmed(n, ago) => {
            let dated = Timestamp::from_secs(bench.now.as_secs() + ago);
            let confirmation = bench.confirmation(key(n), dated);
            bench.looks(&[Finding::NewKey(confirmation)]);
        }
        Happening::Held(n) => {
            let confirmation = bench.confirmation(key(n), bench.now);
            bench.looks(&[Finding::Held { confirmation, why: "it has no signature".into() }]);
        }
        Happening::Warned => bench.warned(),
        Happening::Says(n, Verdict::Alive) => bench.world.alive(key(n)),
        Happening::Says(n, verdict) => bench.world.says(key(n), verdict),
        Happening::Tick(schedule) => bench.tick(schedule),
        Happening::Store(works) => bench.world.store_trouble = (!works).then_some(StoreTrouble::Sealed),
        Happening::Put(n) => bench.world.put("main", key(n), bench.now),
        Happening::Delete => bench.world.stored("main").deleted = true,
        Happening::Silent(silent) => bench.world.fake("web").silent = silent,
        Happening::DeliveryFails(fails) => bench.world.fake("bot").deliver_fails = fails,
        Happening::Drift(n) => bench.world.fake("bot").copy = Some(key(n)),
        Happening::Blind(blind) => bench.world.control = blind.then_some(Verdict::Alive),
        Happening::Ingest(n, sure) => bench.ingest(key(n), sure, ticket),
        Happening::Accept(n) => bench.accept(key(n), ticket),
        Happening::Rollback(check) => bench.rollback(check, ticket),
        Happening::Deliver => bench.input(Input::DeliverAsked { consumer: None, ticket }),
        Happening::Reload => bench.reload(main_settings()),
        Happening::Restart => bench.restart(),
        Happening::Perform(count) => _ = bench.run_only(count),
        Happening::LoseAnswer => bench.world.lose_answer = true,
        Happening::Skew(apart) => bench.world.vendor_time = apart.then_some(bench.now + 9 * DAY),
    }
}

/// What the vendor last told this process of a key, and which keys the store was read with.
#[derive(Default)]
struct Heard {
    alive: BTreeSet<Fingerprint>,
    foreign: BTreeSet<Fingerprint>,
    read: Option<Fingerprint>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_given_what_was_not_proven(happenings in prop::collection::vec(happening(), 1..60)) {
        let mut bench = Bench::seeded();
        for foreign in [6, 7] {
            let other = (Verdict::Alive, Account::from_iter(["somebody-else"]));
            bench.world.vendor.insert(key(foreign), other);
        }
        let mut heard = Heard { alive: BTreeSet::from([key(1)]), read: Some(key(1)), ..Heard::default() };
        for (ticket, happening) in (1..).zip(happenings) {
            if matches!(happening, Happening::Restart) {
                heard = Heard::default();
            }
            happen(&mut bench, happening, ticket);
            listen(&mut bench, &mut heard);
            bench.run();
            listen(&mut bench, &mut heard);
            let effects = bench.fleet.handle_deadline(bench.now);
            prop_assert!(effects.is_empty(), "{effects:?} came late");
            let due = bench.fleet.next_deadline();
            prop_assert!(due.is_none_or(|(at, _)| at > bench.now), "{due:?} at {}", bench.now);
        }
        // Nothing is left unanswered, and nothing spins.
        bench.deadlines = 0;
        bench.wait(HOUR);
        prop_assert!(bench.deadlines < 3_600, "{} deadlines in an hour", bench.deadlines);
        prop_assert_eq!(bench.unanswered(), Vec::<u64>::new());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_only_observed_is_never_changed(happenings in prop::collection::vec(happening(), 1..60)) {
        let mut bench = Bench::seeded_with(observed_settings());
        for (ticket, happening) in (1..).zip(happenings) {
            match happening {
                Happening::Reload => bench.reload(observed_settings()),
                happening => happen(&mut bench, happening, ticket),
            }
            bench.run();
        }
        bench.deadlines = 0;
        bench.wait(HOUR);
        prop_assert!(bench.deadlines < 3_600, "{} deadlines in an hour", bench.deadlines);
        prop_assert_eq!(bench.unanswered(), Vec::<u64>::new());
        for (_, effects) in bench.take_story() {
            for effect in effects {
                let Effect::Credential { action, .. } = &effect else { continue };
                let changes = matches!(
                    action,
                    Action::StoreKey { .. }
                        | Action::RetireKey { .. }
                        | Action::Deliver { .. }
                        | Action::Act { .. }
                        | Action::Rehearse { .. }
                );
                prop_assert!(!changes, "{effect:?}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s23_no_mail_is_taken_away_before_its_key_is_safe(happenings in prop::collection::vec(happening(), 1..60)) {
        let hygiene = Hygiene { settled: Settled::Delete, report_copies: true };
        let wish = || with(main_settings(), &hygiene);
        let mut bench = Bench::seeded_with(wish());
        let (mut keys, mut were_stored) = (BTreeMap::new(), BTreeSet::from([key(1)]));
        for (ticket, happening) in (1..).zip(happenings) {
            match happening {
                Happening::Reload => bench.reload(wish()),
                happening => happen(&mut bench, happening, ticket),
            }
            bench.run();
            were_stored.extend(bench.world.stored("main").key.as_ref().and_then(|document| document.current));
            for (event, effects) in bench.take_story() {
                keys.extend(event.into_iter().flat_map(mails_in));
                were_stored.extend(effects.iter().filter_map(promoted));
            }
            for (mails, stored) in std::mem::take(&mut bench.tidied) {
                let document = stored.key.unwrap();
                prop_assert!(!stored.deleted && stored.written == document.current && document.generation > 0);
                prop_assert!(stored.state.is_some_and(|state| state.settled >= document.generation));
                for mail in mails {
                    prop_assert!(were_stored.contains(&keys[&mail]), "{mail:?} is the only copy");
                }
            }
        }
    }
}
fn mails_in(event: Event) -> Vec<(MailPlace, Fingerprint)> {
    let Event::Credential { input: Input::MailsSeen { findings, .. }, .. } = event else { return Vec::new() };
    let confirmation = |finding| match finding {
        Finding::NewKey(confirmation) | Finding::Held { confirmation, .. } => Some(confirmation),
        _ => None,
    };
    let confirmations = findings.into_iter().filter_map(confirmation);
    confirmations.map(|found| (found.mail.lies_at().unwrap(), found.fingerprint)).collect()
}
fn promoted(effect: &Effect) -> Option<Fingerprint> {
    match effect {
        Effect::Credential { action: Action::StoreKey { promotion, .. }, .. } => Some(promotion.fingerprint),
        _ => None,
    }
}

/// Every step of the story so far, in order.
fn listen(bench: &mut Bench, heard: &mut Heard) {
    for (event, effects) in bench.take_story() {
        match &event {
            Some(Event::Credential { input: Input::ProbeFinished { fingerprint, answer, .. }, .. }) => {
                let mine = Account::from_iter(["project-1"]);
                match answer.verdict {
                    Verdict::Alive => _ = heard.alive.insert(*fingerprint),
                    Verdict::Dead | Verdict::Unclear => _ = heard.alive.remove(fingerprint),
                }
                match answer.account.as_ref().is_some_and(|account| !account.shares_with(&mine)) {
                    true => _ = heard.foreign.insert(*fingerprint),
                    false => _ = heard.foreign.remove(fingerprint),
                }
            }
            Some(Event::Credential {
                input: Input::DocumentsRead { key: KeyRead::Present(document), .. },
                ..
            }) => heard.read = document.current,
            _ => {}
        }
        for effect in &effects {
            let Effect::Credential { action, .. } = effect else { continue };
            match action {
                Action::StoreKey { promotion, .. } => {
                    assert!(heard.alive.contains(&promotion.fingerprint), "not alive: {action:?}");
                    assert!(!heard.foreign.contains(&promotion.fingerprint), "foreign: {action:?}");
                }
                Action::Deliver { fingerprint, .. } | Action::Prove { fingerprint, .. } => {
                    assert_eq!(heard.read, Some(*fingerprint), "not read back: {action:?}");
                }
                _ => {}
            }
        }
    }
}
