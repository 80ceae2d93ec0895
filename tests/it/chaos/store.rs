//! The store goes away in the middle of a rotation: sealed, killed, frozen, or with its answer lost. The key is kept,
//! an operator is told, and it goes on by itself.

use super::scene::{PATH, Scene};
use crate::world::Hold;
use keyrelay::domain::Key;

/// A rotation that has reached its write: the store has done it, and its answer is kept back.
async fn written_unheard(scene: &mut Scene) -> Key {
    scene.store.hold(PATH, Hold::Answer);
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.store.holds().await;
    key
}

#[tokio::test]
async fn r42_sealed_before_the_read_it_spools_the_key_tells_and_goes_on_when_it_is_unsealed() {
    let mut scene = Scene::running().await;
    scene.bao.seal().await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.told("store-sealed").await;
    let mail = scene.mailed("store-sealed").await;
    assert!(mail.contains("bao operator unseal"), "{mail}");
    scene.in_spool().await;
    scene.bao.unseal().await;
    scene.completed(&key).await;
    scene.resolved("store-sealed").await;
}

#[tokio::test]
async fn killed_before_the_read_it_spools_the_key_tells_and_goes_on_when_it_is_back() {
    let mut scene = Scene::running().await;
    scene.bao.kill();
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.in_spool().await;
    scene.told("store-unreachable").await;
    scene.mailed("store-unreachable").await;
    scene.bao.start_sealed().await;
    scene.told("store-sealed").await;
    scene.bao.unseal().await;
    scene.completed(&key).await;
    scene.resolved("store-unreachable").await;
    scene.resolved("store-sealed").await;
}

#[tokio::test]
async fn frozen_in_mid_rotation_it_spools_the_key_and_goes_on_when_it_thaws() {
    let mut scene = Scene::running().await;
    scene.bao.freeze();
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.in_spool().await;
    scene.bao.thaw();
    scene.completed(&key).await;
}

#[tokio::test]
async fn h09_r44_an_answer_lost_after_the_commit_is_read_back_and_nothing_is_written_twice() {
    let mut scene = Scene::running().await;
    let key = written_unheard(&mut scene).await;
    scene.store.let_go();
    scene.completed(&key).await;
}

#[tokio::test]
async fn r42_sealed_between_write_and_read_back_it_promotes_once() {
    let mut scene = Scene::running().await;
    let key = written_unheard(&mut scene).await;
    scene.bao.seal().await;
    scene.store.let_go();
    scene.told("store-sealed").await;
    scene.in_spool().await;
    scene.bao.unseal().await;
    scene.completed(&key).await;
}

#[tokio::test]
async fn killed_between_write_and_read_back_with_keyrelay_killed_too_it_promotes_once() {
    let mut scene = Scene::running().await;
    let key = written_unheard(&mut scene).await;
    scene.bao.kill();
    scene.store.let_go();
    scene.in_spool().await;
    scene.daemon.kill9();
    scene.dovecot.expunge("INBOX").await;
    scene.start().await;
    scene.bao.start_sealed().await;
    scene.bao.unseal().await;
    scene.completed(&key).await;
}

#[tokio::test]
async fn frozen_between_write_and_read_back_it_promotes_once() {
    let mut scene = Scene::running().await;
    let key = written_unheard(&mut scene).await;
    scene.bao.freeze();
    scene.store.let_go();
    scene.in_spool().await;
    scene.bao.thaw();
    scene.completed(&key).await;
}

#[tokio::test]
async fn r45_a_document_that_somebody_writes_between_read_and_write_keeps_his_field_and_gets_the_key() {
    let mut scene = Scene::running().await;
    scene.store.hold(PATH, Hold::Request);
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.store.holds().await;
    let mut document = scene.bao.read(PATH).await.expect("a key document");
    document["team"] = "payments".into();
    scene.others.push(scene.bao.write(PATH, document).await);
    scene.store.let_go();
    scene.completed(&key).await;
    assert_eq!(scene.bao.read(PATH).await.expect("a key document")["team"], "payments");
}
