//! Where the new key could be lost or could not be used, the vendor is not asked; and the operator reads why.

use super::stage::{Slot, Stage};
use crate::world::{Daemon, SmallDisk};
use keyrelay::demo::{
    consumer::Manner,
    simulator::{Mode, Outcome, RotationFault},
};
use std::time::Duration;

/// Nothing was called, and the key is the one before.
async fn refused(stage: &Stage, slot: &Slot, code: i32, why: &str) {
    let ran = stage.keyrelay(&["rotate", &slot.name]).await;
    assert_eq!(ran.code, Some(code), "{ran:?}");
    assert!(ran.stderr.contains(why), "{ran:?}");
    assert_eq!(stage.vendor.rotations().len(), 0, "{why}");
}

#[tokio::test]
async fn a_consumer_that_is_not_proven_is_named_with_the_command() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.start().await;
    stage.wait_settled(&slot, &stage.vendor.current_key(slot.account)).await;
    slot.shop.set_manner(Manner::Silent);
    refused(&stage, &slot, 1, "refused: consumer shop is not proven (").await;
    let ran = stage.keyrelay(&["rotate", "main"]).await;
    assert!(ran.stderr.contains("keyrelay prove main --consumer shop"), "{ran:?}");
    slot.shop.set_manner(Manner::Honest);
    assert_eq!(stage.keyrelay(&["rotate", "main"]).await.code, Some(0));
    stage.end().await;
}

#[tokio::test]
async fn a_sealed_store_is_said() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.start().await;
    stage.wait_settled(&slot, &stage.vendor.current_key(slot.account)).await;
    stage.bao.seal().await;
    refused(&stage, &slot, 3, "nothing was changed: ").await;
    stage.bao.unseal().await;
    stage.daemon.wait_ready().await;
    stage.end().await;
}

#[tokio::test]
async fn a_spool_that_cannot_be_written_is_said_before_the_call() {
    let Some(disk) = SmallDisk::mount_with(512 << 10) else { return };
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.config.set("spool.dir", disk.path().display().to_string());
    stage.start().await;
    stage.wait_settled(&slot, &stage.vendor.current_key(slot.account)).await;
    disk.fill();
    refused(&stage, &slot, 1, "refused: the spool cannot be written").await;
    disk.free();
    disk.set_read_only(true);
    refused(&stage, &slot, 1, "refused: the spool cannot be written").await;
    disk.set_read_only(false);
    assert_eq!(stage.keyrelay(&["rotate", "main"]).await.code, Some(0));
    stage.wait_settled(&slot, &stage.vendor.current_key(slot.account)).await;
    stage.end().await;
}

#[tokio::test]
async fn of_two_daemons_only_one_asks() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.start().await;
    let mut other = Daemon::new(&mut stage.config);
    other.start_up().await;
    other.wait_ready().await;
    stage.wait_settled(&slot, &stage.vendor.current_key(slot.account)).await;
    stage.vendor.set_faults(RotationFault::Late(Duration::from_secs(3)));
    let rotate = ["rotate", "main"];
    let (one, two) = tokio::join!(stage.daemon.run(&rotate), other.run(&rotate));
    assert!(one.code == Some(0) || two.code == Some(0), "{one:?} {two:?}");
    let calls = [stage.daemon.log(), other.log()].concat().matches("is asked for a new key").count();
    assert_eq!((calls, stage.vendor.rotations().len()), (1, 1), "{one:?} {two:?}");
    let new = stage.vendor.current_key(slot.account);
    stage.wait_settled(&slot, &new).await;
    let hex = new.fingerprint().hex();
    // It would look by itself within a minute.
    other.sighup();
    other
        .wait_status("the other knows it", |status| {
            let found = &status["credentials"][0];
            (found["fingerprint"] == hex && found["phase"] == "steady").then_some(())
        })
        .await;
    assert_eq!(other.term().await.code(), Some(0));
    stage.end().await;
}

#[tokio::test]
async fn a_key_that_is_revoked_or_of_another_organization_asks_for_nothing() {
    let mut stage = Stage::build().await;
    let (slot, other) = (stage.slot("main").await, stage.slot("other").await);
    // The wrong organization: the vendor says neither yes nor no.
    let theirs = stage.vendor.organization(other.account);
    stage.config.set("credentials.main.params.org_uuid", theirs.as_str());
    stage.daemon.configure(&mut stage.config);
    stage.daemon.start_up().await;
    stage.wait(&other, "the other is well", |found| (found["phase"] == "steady").then_some(())).await;
    refused(&stage, &slot, 1, "refused: ").await;
    // Revoked: dead.
    stage.vendor.set_faults(Mode::EverybodyDead);
    refused(&stage, &other, 1, "refused: Legba refuses the current key (").await;
    stage.vendor.set_faults(Mode::Truthful);
    stage.end().await;
}

#[tokio::test]
async fn r52_a_vendor_that_is_at_its_limit_is_not_asked() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.start().await;
    stage.wait_settled(&slot, &stage.vendor.current_key(slot.account)).await;
    stage.vendor.set_faults(keyrelay::demo::simulator::Faults {
        limited_percent: 100,
        ..keyrelay::demo::simulator::Faults::none()
    });
    refused(&stage, &slot, 1, "Legba's answer for the current key is unclear (429").await;
    assert!(stage.vendor.total(Outcome::Limited) > 0);
    stage.end().await;
}
