//! One dies, stops, is stopped, or is cut off; the other takes over, and nothing is done twice.

use super::pair::Pair;
use crate::world::{moment, until};
use std::time::Duration;

#[tokio::test]
async fn killed_it_is_replaced_and_the_next_rotation_is_the_other_ones() {
    let mut pair = Pair::running().await;
    let first = pair.rotate().await;
    pair.everybody_has(&first).await;
    pair.stage.daemon.kill9();
    pair.b_takes_over("killed").await;
    let (old, new) = pair.stage.rotate(&pair.slot);
    pair.stage.confirm(&pair.slot, 1, &old, &new).await;
    until("the consumers that host-b reaches have the key", async || pair.on_b.holds(&new).then_some(()))
        .await;
    assert!(pair.on_a.holds(&first), "nobody is there to hand it over");
    // Back again it stands by, and looks after its own.
    pair.start_a().await;
    pair.a_stands_by().await;
    pair.everybody_has(&new).await;
    assert_eq!(pair.generation().await, 2);
    assert_eq!(pair.on_b.times_acted(), 3, "once for each key, the first included");
    pair.nobody_is_told_twice();
    assert_eq!(pair.b.term().await.code(), Some(0));
    pair.a_acts().await;
}

#[tokio::test]
async fn told_to_stop_it_hands_over_at_once() {
    let mut pair = Pair::running().await;
    assert_eq!(pair.stage.daemon.term().await.code(), Some(0));
    let lease = pair.stage.bao.read("keyrelay/_lease").await.expect("a lease document");
    assert!(lease["given_up"] == true || lease["host"] == "host-b", "{lease}");
    pair.b_takes_over("stopped").await;
    let lease = pair.stage.bao.read("keyrelay/_lease").await.expect("a lease document");
    assert_eq!((&lease["host"], &lease["term"]), (&"host-b".into(), &2.into()));
    pair.start_a().await;
    pair.a_stands_by().await;
    pair.nobody_is_told_twice();
}

/// Longer than the lease, and long enough for the other one to take over.
#[tokio::test]
async fn c08_stopped_for_longer_than_the_lease_it_wakes_up_and_does_no_harm() {
    let mut pair = Pair::running().await;
    // It is stopped in the middle of things: the mail with a new key is there.
    let first = pair.rotate().await;
    pair.stage.daemon.freeze();
    pair.b_takes_over("stopped by SIGSTOP").await;
    until("the new key is in the store", async || {
        let document = pair.stage.document(&pair.slot).await?;
        (document["api_key"] == first.expose()).then_some(())
    })
    .await;
    let (old, second) = pair.stage.rotate(&pair.slot);
    pair.stage.confirm(&pair.slot, 1, &old, &second).await;
    until("the second one, too", async || pair.on_b.holds(&second).then_some(())).await;
    let versions = pair.stage.versions(&pair.slot).await.0;
    pair.stage.daemon.thaw();
    pair.a_stands_by().await;
    pair.everybody_has(&second).await;
    assert_eq!(pair.generation().await, 2, "two rotations, two promotions");
    assert_eq!(pair.stage.versions(&pair.slot).await.0, versions, "nothing more was written");
    let copy = pair.stage.bao.read("teams/copy").await.expect("a copy");
    assert_eq!(copy["api_key"], second.expose());
    pair.nobody_is_told_twice();
}

#[tokio::test]
async fn cut_off_from_the_store_it_stops_acting_and_stands_by_when_it_is_back() {
    let mut pair = Pair::running().await;
    pair.way.cut();
    pair.stage
        .daemon
        .wait_status("host-a acts no more", |status| (status["daemon"]["role"] == "standby").then_some(()))
        .await;
    pair.b_takes_over("cut off").await;
    let first = pair.rotate().await;
    until("host-b has handed it over", async || pair.on_b.holds(&first).then_some(())).await;
    moment(Duration::from_secs(1)).await;
    assert!(!pair.on_a.holds(&first), "host-a cannot know of it");
    pair.way.mend();
    pair.a_stands_by().await;
    pair.everybody_has(&first).await;
    assert_eq!(pair.generation().await, 1);
}
