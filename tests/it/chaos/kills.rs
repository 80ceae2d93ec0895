//! SIGKILL at random moments of rotations, in every state; then the daemon is started again, and the rotation must
//! come to its end as if nothing had happened.

use super::{
    dice::Dice,
    scene::{NAME, PATH, Scene, now},
};
use crate::world::{Hold, moment, until};
use keyrelay::domain::Key;
use std::{collections::BTreeMap, time::Duration};

const KILLS: usize = 60;
/// Kills in each state, at least.
const EACH: usize = 3;

/// Where a kill is meant to hit; where it did hit is read off the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Announced,
    Probing,
    Storing,
    HandingOver,
    /// Settled, while the state is written down.
    Steady,
    /// The store is sealed, and the key is in the spool.
    Spooled,
}

/// The old key's removal wants another configuration, and comes last.
const PLAN: [(State, usize); 6] = [
    (State::Announced, 11),
    (State::Probing, 13),
    (State::Storing, 13),
    (State::HandingOver, 11),
    (State::Steady, 4),
    (State::Spooled, 3),
];
const RETIRING: usize = 5;

#[tokio::test]
async fn no_moment_at_which_it_is_killed_loses_a_key_or_makes_a_second_promotion() {
    let mut dice = Dice::seeded();
    let mut scene = Scene::running().await;
    let mut plan: Vec<_> =
        PLAN.iter().flat_map(|(state, count)| std::iter::repeat_n(*state, *count)).collect();
    dice.shuffle(&mut plan);
    let mut hits = BTreeMap::<String, usize>::new();
    for state in plan {
        let (hit, key) = match state {
            State::Announced => announced(&mut scene, &mut dice).await,
            State::Spooled => spooled(&mut scene, &mut dice).await,
            State::Probing | State::Storing | State::HandingOver | State::Steady => {
                under_way(&mut scene, &mut dice, state).await
            }
        };
        scene.completed(&key).await;
        *hits.entry(hit).or_default() += 1;
    }
    scene.config.set("vendors.leaf7.grace", "1h");
    scene.daemon.kill9();
    scene.start().await;
    for round in 0..RETIRING {
        let hit = retiring(&mut scene, &mut dice, round % 2 == 1).await;
        *hits.entry(hit).or_default() += 1;
    }
    println!("{} rotations; killed in: {hits:?}", scene.generation);
    assert_eq!(hits.values().sum::<usize>(), KILLS);
    for state in ["Announced", "Probing", "Storing", "HandingOver", "Steady", "Spooled", "Retiring"] {
        assert!(hits.get(state).is_some_and(|count| *count >= EACH), "too few kills in {state}: {hits:?}");
    }
}

/// Killed after the warning; the confirmation comes while nobody runs, or later.
async fn announced(scene: &mut Scene, dice: &mut Dice) -> (String, Key) {
    let log = scene.daemon.log_len();
    scene.store.slow(dice.millis(100), dice.millis(100));
    scene.warn().await;
    scene.logged(log, "--> Announced").await;
    let hit = kill(scene, dice.millis(400), log).await;
    let key = scene.rotate();
    if dice.coin() {
        scene.confirm(&key).await;
        scene.start().await;
    } else {
        scene.start().await;
        scene.confirm(&key).await;
    }
    (hit, key)
}

/// Killed in a state through which every rotation passes; what the state waits for is slow.
async fn under_way(scene: &mut Scene, dice: &mut Dice, state: State) -> (String, Key) {
    let log = scene.daemon.log_len();
    let slow = Duration::from_millis(100);
    let (begins, longest) = match state {
        State::Probing => {
            scene.api.slow(2 * slow, 2 * slow);
            ("--> Probing", 400)
        }
        State::Storing => {
            scene.store.slow(slow, slow);
            ("--> Storing", 400)
        }
        State::HandingOver => {
            scene.shop.slow(2 * slow, 2 * slow);
            scene.worker.set_lag(5 * slow);
            ("--> HandingOver", 500)
        }
        State::Steady | State::Announced | State::Spooled => {
            scene.store.slow(Duration::ZERO, slow);
            ("--> Steady", 300)
        }
    };
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.logged(log, begins).await;
    let hit = kill(scene, dice.millis(longest), log).await;
    scene.start().await;
    (hit, key)
}

/// Killed while the store is sealed; then the mail is gone, too, for every other one.
async fn spooled(scene: &mut Scene, dice: &mut Dice) -> (String, Key) {
    let log = scene.daemon.log_len();
    scene.bao.seal().await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.in_spool().await;
    kill(scene, dice.millis(300), log).await;
    if dice.coin() {
        scene.dovecot.expunge("INBOX").await;
    }
    assert_eq!(scene.spooled().len(), 1);
    scene.start().await;
    moment(dice.millis(500)).await;
    scene.bao.unseal().await;
    ("Spooled".into(), key)
}

/// Killed while the old key, whose grace has ended, is removed from the document; `unheard`: when it is, and the
/// store's answer is on its way.
async fn retiring(scene: &mut Scene, dice: &mut Dice, unheard: bool) -> String {
    let ends = now().whole_secs() + Duration::from_secs(3);
    scene.next_date = ends - Duration::from_secs(3_600);
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.completed(&key).await;
    let slow = Duration::from_millis(200);
    scene.store.slow(slow, slow);
    if unheard {
        scene.store.hold(PATH, Hold::Answer);
    }
    scene.vendor.end_grace(scene.account);
    until("the old key's grace is over", async || (now() >= ends).then_some(())).await;
    let log = scene.daemon.log_len();
    // State and document are written one after the other: 600 ms pass before the old key is gone.
    let mut hit = if unheard {
        scene.store.holds().await;
        kill(scene, dice.millis(100), log).await
    } else {
        kill(scene, dice.millis(500), log).await
    };
    scene.store.let_go();
    if unheard || scene.names_previous().await {
        hit = "Retiring".into();
    }
    scene.start().await;
    until("the old key is removed", async || (!scene.names_previous().await).then_some(())).await;
    scene.completed(&key).await;
    hit
}

/// Kills the daemon after this time; everything is fast again. Returns the state that it was in.
async fn kill(scene: &mut Scene, after: Duration, log: u64) -> String {
    moment(after).await;
    scene.daemon.kill9();
    let story = scene.daemon.log_since(log);
    let begins = format!("INFO {NAME}: ");
    let states = story.lines().filter_map(|line| line.split_once(&begins)?.1.split_once("--> "));
    let hit = states.rev().filter_map(|(_, state)| Some(state.split_once(':')?.0.to_owned())).next();
    scene.store.fast();
    scene.api.fast();
    scene.shop.fast();
    scene.worker.set_lag(Duration::ZERO);
    hit.unwrap_or_else(|| "Steady".into())
}
