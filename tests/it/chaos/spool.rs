//! A full disk under the spool.

use super::scene::Scene;
use crate::world::SmallDisk;

#[tokio::test]
async fn r40_a_full_spool_is_told_and_a_store_that_works_gets_the_key_all_the_same() {
    let Some(disk) = SmallDisk::mount() else { return };
    let mut scene = Scene::build().await;
    scene.use_spool(&disk.path());
    scene.start().await;
    disk.fill();
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.completed(&key).await;

    scene.bao.seal().await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    let incident = scene.told("spool-failed").await;
    assert_eq!(incident["severity"], "urgent");
    let hint = "make room in the spool's folder; until this is resolved do not stop keyrelay and do not delete mails";
    assert_eq!(incident["hint"], hint);
    scene.mailed("spool-failed").await;
    assert_eq!(scene.spooled(), [""; 0]);
    scene.bao.unseal().await;
    scene.completed(&key).await;
    scene.resolved("spool-failed").await;
}

#[tokio::test]
async fn r40_a_spool_that_has_room_again_takes_the_key_by_itself() {
    let Some(disk) = SmallDisk::mount() else { return };
    let mut scene = Scene::build().await;
    scene.use_spool(&disk.path());
    scene.start().await;
    disk.fill();
    scene.bao.seal().await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.told("spool-failed").await;
    disk.free();
    scene.in_spool().await;
    scene.resolved("spool-failed").await;
    scene.dovecot.expunge("INBOX").await;
    scene.daemon.kill9();
    scene.start().await;
    scene.bao.unseal().await;
    scene.completed(&key).await;
}
