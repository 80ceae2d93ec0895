//! The whole state folder lies on a disk that is full, or that may not be written to any more.

use super::scene::Scene;
use crate::world::SmallDisk;
use std::{fs, os::unix::fs::symlink};

#[tokio::test]
async fn r40_with_a_state_folder_that_takes_nothing_the_key_reaches_the_store_and_somebody_is_told() {
    let Some(disk) = SmallDisk::mount_with(384 << 10) else { return };
    let mut scene = Scene::build().await;
    let state = scene.daemon.state_dir();
    fs::remove_dir(&state).expect("an empty folder");
    symlink(disk.path(), &state).expect("a link");
    scene.start().await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.completed(&key).await;

    disk.fill();
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.completed(&key).await;
    scene.told("alerts-unsaved").await;
    scene.mailed("alerts-unsaved").await;
    disk.free();
    scene.resolved("alerts-unsaved").await;

    disk.read_only(true);
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.completed(&key).await;
    scene.told("alerts-unsaved").await;
    // And where it was so before the start.
    scene.daemon.kill9();
    scene.start().await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.completed(&key).await;
    scene.bao.seal().await;
    let key = scene.rotate();
    scene.confirm(&key).await;
    scene.told("spool-failed").await;
    disk.read_only(false);
    scene.in_spool().await;
    scene.resolved("spool-failed").await;
    scene.bao.unseal().await;
    scene.completed(&key).await;
    scene.resolved("alerts-unsaved").await;
}
