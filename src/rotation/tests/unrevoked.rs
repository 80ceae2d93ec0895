//! Where an operator makes and revokes the keys: in whatever order things happen, nobody is told to revoke a key that
//! is needed, none is taken away that works, and a probe that was let through is not sent again.

use super::{
    bench::*,
    by_operator::{leadey, only, seeded},
    *,
};
use crate::{
    domain::{Code, Fingerprint, Notice, RotationId, StoreTrouble, Verdict},
    rotation::{Action, Effect, Event, Input, Schedule},
};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
enum Happening {
    Wait(u64),
    Ingest(u64, bool, Option<u64>),
    Says(u64, Verdict),
    Silent(bool),
    FallsBack(u64),
    Tick(Schedule),
    Store(bool),
    Rollback,
    Reload(Option<u64>),
    Restart,
    Perform(usize),
    LetsThrough(bool),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let keys = 1..6u64;
    let verdict =
        prop_oneof![3 => Just(Verdict::Alive), 1 => Just(Verdict::Dead), 1 => Just(Verdict::Unclear)];
    let schedule = prop_oneof![Just(Schedule::CurrentKeyProbe), Just(Schedule::ConsumerProve)];
    let days = prop::option::of(1..40u64);
    prop_oneof![
        5 => prop_oneof![1..20u64, 60..600u64, 3_600..200_000u64].prop_map(Wait),
        4 => (keys.clone(), any::<bool>(), days.clone()).prop_map(|(n, sure, days)| Ingest(n, sure, days)),
        5 => (keys.clone(), verdict).prop_map(|(n, verdict)| Says(n, verdict)),
        1 => any::<bool>().prop_map(Silent),
        1 => keys.prop_map(FallsBack),
        3 => schedule.prop_map(Tick),
        1 => any::<bool>().prop_map(Store),
        1 => Just(Rollback),
        1 => days.prop_map(Reload),
        1 => Just(Restart),
        2 => (0..12usize).prop_map(Perform),
        1 => prop::bool::weighted(0.3).prop_map(LetsThrough),
    ]
}

fn happen(bench: &mut Bench, happening: Happening, ticket: u64) {
    match happening {
        Happening::Wait(secs) => bench.wait(Duration::from_secs(secs)),
        Happening::Ingest(n, sure, days) => {
            let rotation_id = RotationId::from_parts(5, u128::from(ticket));
            let expires_at = days.map(|days| bench.now + Duration::from_secs(days * 86_400));
            bench.input(Input::Ingested {
                fingerprint: key(n),
                uid: 1000,
                sure,
                expires_at,
                ticket,
                rotation_id,
            });
        }
        Happening::Says(n, Verdict::Alive) => bench.world.alive(key(n)),
        Happening::Says(n, verdict) => bench.world.says(key(n), verdict),
        Happening::Silent(silent) => bench.world.fake("web").silent = silent,
        Happening::FallsBack(n) => bench.world.fake("bot").runs = Some(key(n)),
        Happening::Tick(schedule) => bench.tick(schedule),
        Happening::Store(works) => bench.world.store_trouble = (!works).then_some(StoreTrouble::Sealed),
        Happening::Rollback => bench.rollback(false, ticket),
        Happening::Reload(days) => {
            let expires_at = days.map(|days| START + Duration::from_secs(days * 86_400));
            bench.reload(only(crate::rotation::Credential { expires_at, ..leadey() }));
        }
        Happening::Restart => bench.restart(),
        Happening::Perform(count) => _ = bench.run_only(count),
        Happening::LetsThrough(lets) => bench.world.lets_through = lets,
    }
}

/// What this process was told.
#[derive(Default)]
struct Heard {
    verdicts: BTreeMap<Fingerprint, Verdict>,
    previous: Option<Fingerprint>,
    let_through: bool,
}

impl Heard {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Credential { input: Input::ProbeFinished { fingerprint, answer, .. }, .. } => {
                self.let_through |= answer.wrote;
                if !answer.wrote {
                    self.verdicts.insert(*fingerprint, answer.verdict);
                }
            }
            Event::ControlFinished { answer, .. } => self.let_through |= answer.wrote,
            Event::Credential {
                input: Input::DocumentsRead { key: crate::domain::KeyRead::Present(document), .. },
                ..
            } => self.previous = document.previous.map(|previous| previous.fingerprint),
            _ => {}
        }
    }
    fn effect(&self, effect: &Effect) {
        match effect {
            Effect::Credential { action: Action::ProbeKey { .. }, .. } | Effect::ProbeControl { .. } => {
                assert!(!self.let_through, "{effect:?}");
            }
            Effect::Credential { action: Action::RetireKey { .. }, .. } => {
                let verdict = self.previous.and_then(|old| self.verdicts.get(&old));
                assert_eq!(verdict, Some(&Verdict::Dead), "{effect:?}");
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_told_to_revoke_a_key_that_is_needed(happenings in prop::collection::vec(happening(), 1..60)) {
        let mut bench = seeded(only(leadey()));
        bench.take_story();
        let mut heard = Heard { verdicts: [(key(1), Verdict::Alive)].into(), ..Heard::default() };
        for (ticket, happening) in (1..).zip(happenings) {
            if matches!(happening, Happening::Restart) {
                let noted = bench.world.stored("main").state.as_ref().is_some_and(|state| state.probe_off.is_some());
                heard = Heard { let_through: noted, ..Heard::default() };
            }
            let told = bench.notices.len();
            happen(&mut bench, happening, ticket);
            bench.run();
            for (event, effects) in bench.take_story() {
                event.iter().for_each(|event| heard.event(event));
                effects.iter().for_each(|effect| heard.effect(effect));
            }
            let due = bench.fleet.next_deadline();
            prop_assert!(due.is_none_or(|(at, _)| at > bench.now), "{due:?} at {}", bench.now);
            bench.notices[told..].iter().for_each(names_the_old_key_alone);
        }
        bench.deadlines = 0;
        bench.wait(HOUR);
        prop_assert!(bench.deadlines < 3_600, "{} deadlines in an hour", bench.deadlines);
        prop_assert_eq!(bench.unanswered(), Vec::<u64>::new());
    }
}

/// The order of before goes on as a reminder, while nobody knows yet what the store says.
#[test]
fn after_a_restart_nobody_is_reminded_to_revoke_a_key_before_the_store_was_read() {
    let mut bench = seeded(only(leadey()));
    bench.ingest(key(2), false, 7);
    bench.run();
    bench.wait(HOUR);
    assert_eq!(bench.take_only("mail revoke-old-key").len(), 1);
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.wait(DAY);
    bench.take();
    bench.restart();
    bench.wait(2 * DAY);
    assert_eq!(bench.take_only("mail revoke-old-key"), [""; 0]);
    bench.world.store_trouble = None;
    bench.passes(DAY);
    assert_ne!(bench.take_only("mail revoke-old-key"), [""; 0], "it is still to be done");
}

/// Every consumer in its table works with the new key, and its two labels are two keys'.
fn names_the_old_key_alone(notice: &Notice) {
    let tells =
        notice.code == Code::RevokeOldKey && !notice.resolved && !notice.message.starts_with("do not");
    if !tells {
        return;
    }
    assert!(notice.consumers.iter().all(|line| line.level >= line.wanted), "{notice:?}");
    // Of a key that nobody could be asked about the dashboard's label is not known: when it was made is said.
    let orders = notice.hint.lines().filter(|line| line.starts_with("revoke "));
    for order in orders {
        match order.trim_start_matches("revoke ").split_once("; do not revoke ") {
            Some((old, rest)) if old.starts_with('…') => {
                assert!(notice.message.contains(old) && !rest.starts_with(old), "{notice:?}");
            }
            Some(_) | None => {
                assert!(order.contains(" made about ") || order.contains("do not revoke …"), "{order}");
            }
        }
    }
}
