//! SIGTERM in the middle of a rotation: a clean end within seconds, with the key in the store or in the spool.

use super::{
    dice::Dice,
    scene::{PATH, Scene},
};
use crate::world::{Hold, moment};
use std::time::{Duration, Instant};

#[tokio::test]
async fn stopped_at_a_random_moment_it_ends_in_peace_and_the_next_start_completes_the_rotation() {
    let mut dice = Dice::seeded();
    let mut scene = Scene::running().await;
    let slow = Duration::from_millis(100);
    for _ in 0..8 {
        scene.store.slow(slow, slow);
        scene.api.slow(slow, slow);
        scene.shop.slow(slow, slow);
        let log = scene.daemon.log_len();
        let key = scene.rotate();
        scene.confirm(&key).await;
        scene.logged(log, "--> Probing").await;
        moment(dice.millis(900)).await;
        assert_eq!(scene.daemon.term().await.code(), Some(0));
        let in_store = scene.bao.read(PATH).await.expect("a key document")["api_key"] == key.expose();
        assert!(in_store || scene.spooled().len() == 1, "the key is in the store, or in the spool");
        scene.store.fast();
        scene.api.fast();
        scene.shop.fast();
        scene.start().await;
        scene.completed(&key).await;
    }
}

#[tokio::test]
async fn stopped_while_the_store_owes_an_answer_it_does_not_wait_for_it_for_ever() {
    let mut scene = Scene::running().await;
    for hold in [Hold::Request, Hold::Answer] {
        scene.store.hold(PATH, hold);
        let key = scene.rotate();
        scene.confirm(&key).await;
        scene.store.holds().await;
        assert_eq!(scene.daemon.term().await.code(), Some(0));
        assert_eq!(scene.spooled().len(), 1);
        scene.dovecot.expunge("INBOX").await;
        scene.store.let_go();
        scene.start().await;
        scene.completed(&key).await;
    }
}

#[tokio::test]
async fn stopped_while_everything_hangs_it_ends_in_peace_with_the_key_in_the_spool() {
    let mut scene = Scene::running().await;
    let key = scene.rotate();
    scene.bao.freeze();
    scene.api.slow(Duration::from_secs(60), Duration::ZERO);
    let log = scene.daemon.log_len();
    scene.confirm(&key).await;
    scene.logged(log, "--> Probing").await;
    scene.dovecot.freeze();
    let asked = Instant::now();
    assert_eq!(scene.daemon.term().await.code(), Some(0));
    println!("ended after {:?}", asked.elapsed());
    assert_eq!(scene.spooled().len(), 1);
    scene.bao.thaw();
    scene.dovecot.thaw();
    scene.dovecot.expunge("INBOX").await;
    scene.api.fast();
    scene.start().await;
    scene.completed(&key).await;
}
