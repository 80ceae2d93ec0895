//! Wherever an operator is needed: what he is told, what he may type, and every way out.

use super::{bench::*, world::World, *};
use crate::{
    domain::{Account, Code, Finding, StoreTrouble, Verdict},
    rotation::{Parked, Phase, Schedule},
};

/// One of each.
const ALL: [Parked; 9] = [
    Parked::StoreUnread,
    Parked::StateRefused,
    Parked::StoreForeign,
    Parked::StoreReverted,
    Parked::DocumentDeleted,
    Parked::ProbeBlind,
    Parked::KeyDead,
    Parked::Held,
    Parked::KeyLost,
];

/// A fleet that is parked for this reason, with its notices told.
fn parked(reason: Parked) -> Bench {
    let mut bench = match reason {
        Parked::StoreUnread | Parked::Held => Bench::start(main_settings(), World::default()),
        Parked::StateRefused
        | Parked::StoreForeign
        | Parked::StoreReverted
        | Parked::DocumentDeleted
        | Parked::ProbeBlind
        | Parked::KeyDead => Bench::rotated(),
        Parked::KeyLost => by_api::api(),
    };
    match reason {
        Parked::StoreUnread => {
            bench.world.put("main", key(1), START - DAY);
            bench.world.alive(key(1));
            bench.world.store_trouble = Some(StoreTrouble::Forbidden("permission denied".into()));
        }
        Parked::StateRefused => {
            bench.world.stored("main").state_refused = true;
            bench.restart();
        }
        Parked::StoreForeign => bench.world.put("main", key(9), bench.now),
        Parked::StoreReverted => bench.world.put("main", key(1), bench.now),
        Parked::DocumentDeleted => bench.world.stored("main").deleted = true,
        Parked::ProbeBlind => {
            bench.world.says(key(1), Verdict::Dead);
            bench.world.control = Some(Verdict::Alive);
            bench.passes(DAY);
            bench.world.alive(key(3));
            bench.confirmed(key(3));
        }
        Parked::KeyDead => bench.world.says(key(2), Verdict::Dead),
        Parked::KeyLost => {
            bench.world.api.mood = by_api::Mood::LosesAnswer;
            bench.rotate(9);
        }
        Parked::Held => {
            bench.world.alive(key(3));
            let confirmation = bench.confirmation(key(3), bench.now);
            bench.looks(&[Finding::NewKey(confirmation)]);
        }
    }
    bench.passes(10 * MIN);
    assert_eq!(bench.phase(), Phase::Parked(reason));
    bench.take();
    bench
}

/// The notice that names the reason.
fn code(reason: Parked) -> Code {
    match reason {
        Parked::StoreUnread => Code::StoreForbidden,
        Parked::StateRefused => Code::StateRefused,
        Parked::StoreForeign => Code::StoreForeign,
        Parked::StoreReverted => Code::StoreReverted,
        Parked::DocumentDeleted => Code::DocumentDeleted,
        Parked::ProbeBlind => Code::ProbeBlind,
        Parked::KeyDead => Code::KeyDead,
        Parked::Held => Code::CandidateHeld,
        Parked::KeyLost => Code::KeyLost,
    }
}

#[test]
fn each_reason_is_told_with_its_code_and_a_command_to_type() {
    for reason in ALL {
        let bench = parked(reason);
        let notice = bench.notices.iter().rfind(|notice| notice.code == code(reason) && !notice.resolved);
        let notice = notice.unwrap_or_else(|| panic!("{reason:?} is not told"));
        let commands = notice.hint.lines().filter(|line| line.starts_with("keyrelay ")).count();
        assert!(commands > 0, "{reason:?}: {}", notice.hint);
        assert!(!notice.message.ends_with('.') && !notice.message.contains('\n'), "{}", notice.message);
        assert!(notice.doing.is_some(), "{reason:?} says what keyrelay does");
        assert_eq!(bench.view().parked, Some(reason));
    }
}

#[test]
fn each_has_a_way_out_by_the_operators_hand() {
    for reason in ALL {
        let mut bench = parked(reason);
        match reason {
            Parked::StoreUnread => bench.world.store_trouble = None,
            Parked::StateRefused => bench.world.stored("main").state_refused = false,
            Parked::StoreReverted => bench.accept(key(2), 1),
            Parked::ProbeBlind => bench.world.control = Some(Verdict::Dead),
            Parked::Held => bench.accept(key(3), 1),
            Parked::StoreForeign | Parked::DocumentDeleted | Parked::KeyDead | Parked::KeyLost => {
                bench.world.alive(key(3));
                bench.ingest(key(3), true, 1);
            }
        }
        bench.passes(30 * MIN);
        assert_eq!(bench.phase(), Phase::Steady, "{reason:?}");
        let open: Vec<_> = bench.view().incidents.into_iter().map(|incident| incident.code).collect();
        assert_eq!(open, [], "{reason:?}");
    }
}

/// A confirmation dated now, of a key that is alive.
#[test]
fn each_that_a_later_confirmation_can_end_is_ended_by_it() {
    for reason in [Parked::StoreReverted, Parked::DocumentDeleted, Parked::KeyDead] {
        let mut bench = parked(reason);
        bench.world.alive(key(4));
        bench.confirmed(key(4));
        bench.passes(30 * MIN);
        assert_eq!(bench.phase(), Phase::Steady, "{reason:?}");
        assert!(bench.world.holds("main").starts_with("K4"), "{reason:?}");
    }
    // Over a foreign value only an operator may write.
    let mut bench = parked(Parked::StoreForeign);
    bench.world.alive(key(4));
    bench.confirmed(key(4));
    bench.passes(30 * MIN);
    assert_eq!(bench.view().held.len(), 1);
    assert!(bench.world.holds("main").starts_with("K9"));
}

#[test]
fn what_is_put_right_in_the_store_is_over_by_itself() {
    for reason in [Parked::StoreForeign, Parked::StoreReverted, Parked::DocumentDeleted] {
        let mut bench = parked(reason);
        bench.world.put("main", key(2), bench.now);
        bench.passes(30 * MIN);
        assert_eq!(bench.phase(), Phase::Steady, "{reason:?}");
        assert_eq!(bench.world.spool.len(), 0, "{reason:?}");
    }
}

#[test]
fn a_key_that_comes_alive_again_is_over_by_itself() {
    let mut bench = parked(Parked::KeyDead);
    bench.world.alive(key(2));
    bench.passes(20 * MIN);
    bench.expect_mails(&["mail key-dead 1 urgent resolved"]);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn a_held_key_is_judged_again_when_the_configuration_pins_the_account() {
    let mut bench = parked(Parked::Held);
    let mut pinned = main_settings();
    let name = "main".parse().unwrap();
    let mut credential = (*pinned.credentials[&name]).clone();
    credential.account = Some(Account::from_iter(["project-1"]));
    pinned.credentials.insert(name, std::sync::Arc::new(credential));
    bench.reload(pinned);
    bench.run();
    assert_eq!((bench.phase(), bench.world.holds("main")), (Phase::Steady, "K3, generation 1".into()));
}

#[test]
fn unseeded_is_left_by_a_pasted_key_or_by_one_that_somebody_puts_into_the_store() {
    for by_hand in [true, false] {
        let mut bench = Bench::start(main_settings(), World::default());
        bench.run();
        bench.looks(&[]);
        bench.run();
        bench.expect_mails(&["mail unseeded 0 warning"]);
        bench.world.alive(key(1));
        if by_hand {
            bench.ingest(key(1), true, 1);
        } else {
            bench.world.put("main", key(1), bench.now);
            bench.tick(Schedule::CurrentKeyProbe);
        }
        bench.wait(5 * MIN);
        assert!(bench.world.holds("main").starts_with("K1"));
        assert_eq!(bench.phase(), Phase::Steady);
        assert!(bench.view().incidents.is_empty());
    }
}
