//! Where the new key could be lost or could not be used, the vendor is not asked; and the operator reads why.

use super::stage::{Slot, Stage};
use keyrelay::demo::{
    consumer::Manner,
    simulator::{Mode, Outcome},
};
use std::{fs, os::unix::fs::PermissionsExt};

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
async fn a_sealed_store_and_a_spool_that_cannot_be_written_are_said() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.start().await;
    stage.wait_settled(&slot, &stage.vendor.current_key(slot.account)).await;
    stage.bao.seal().await;
    refused(&stage, &slot, 3, "nothing was changed: ").await;
    stage.bao.unseal().await;
    stage.daemon.wait_ready().await;
    let spool = stage.daemon.state_dir().join("spool");
    let rights = |mode| fs::set_permissions(&spool, fs::Permissions::from_mode(mode)).expect("rights");
    if !rustix::process::geteuid().is_root() {
        rights(0o500);
        refused(&stage, &slot, 1, "refused: the spool cannot be written").await;
        rights(0o700);
    }
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
