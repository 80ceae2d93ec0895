//! One calm rotation from the warning to the old key's end: what it writes, and what it tells.

use super::{
    consumers::{Consumers, NAMES, all_in_use},
    stage::{Stage, codes},
};
use crate::world::{moment, until};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_rotation_from_warning_to_retirement_writes_at_most_five_versions() {
    let mut stage = Stage::build().await;
    stage.config.set("vendors.leaf7.grace", "6s");
    let slot = stage.slot("main");
    let consumers = Consumers::add(&mut stage, &slot).await;
    let old = stage.seed(&slot).await;
    stage.date_from_now();
    stage.start().await;
    until("every consumer has the first key", async || {
        consumers.read_the_store(&stage).await;
        let credential = stage.credential(&slot).await;
        (credential["phase"] == "steady" && all_in_use(&credential, &NAMES, &old)).then_some(())
    })
    .await;
    // Ended in peace, everything is written that was to be written.
    stage.restart().await;
    let before = stage.versions(&slot).await;
    assert_eq!(before.0, 1, "seeding writes nothing to the key's document");

    stage.warn(&slot, 0).await;
    stage.wait(&slot, "the warning is heard", |found| (found["phase"] == "announced").then_some(())).await;
    stage.date_from_now();
    let (_, new) = stage.rotate(&slot);
    let dated = stage.confirm(&slot, 0, &old, &new).await;
    until("every consumer is tested", async || {
        consumers.read_the_store(&stage).await;
        all_in_use(&stage.credential(&slot).await, &NAMES, &new).then_some(())
    })
    .await;
    let promoted = stage.document(&slot).await.expect("a key document");
    assert_eq!(promoted["api_key_previous"], old.expose());
    assert_eq!(promoted["api_key_previous_expires_at"], json!(dated + Duration::from_secs(6)));

    stage.vendor.end_grace(slot.account);
    until("the old key leaves the document", async || {
        stage.document(&slot).await.filter(|document| document.get("api_key_previous").is_none())
    })
    .await;
    let retired = stage.document(&slot).await.expect("a key document");
    let mut expected = promoted;
    let fields = expected.as_object_mut().expect("fields");
    fields.remove("api_key_previous");
    fields.remove("api_key_previous_expires_at");
    assert_eq!(retired, expected);
    stage.wait(&slot, "all is calm", |found| (found["retiring"] == false).then_some(())).await;
    assert_eq!(codes(&stage.credential(&slot).await), Vec::<String>::new());
    stage.restart().await;
    let after = stage.versions(&slot).await;
    let (keys, states) = (after.0 - before.0, after.1 - before.1);
    println!("one calm mailed rotation: {keys} versions of the key's document, {states} of the state");
    assert_eq!(keys, 2, "one at promotion, one at retirement");
    assert!(keys + states <= 5, "{keys} + {states}");

    stage.restart().await;
    assert_eq!(stage.versions(&slot).await, after, "a restart writes nothing");
    assert_eq!(consumers.storefront.times_acted(), 2, "the first key, and the second");
    stage.end().await;
}

/// As after a suspend, or on a machine that has swapped for a minute: what it knew may be true no more.
#[tokio::test]
async fn c01_c08_stopped_beyond_the_end_of_the_grace_and_continued_it_retires_the_key_and_overwrites_nobody()
{
    let mut stage = Stage::build().await;
    stage.config.set("vendors.leaf7.grace", "6s");
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    stage.date_from_now();
    stage.start().await;
    let (_, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    stage.wait_promoted(&slot, &new).await;
    stage.daemon.freeze();
    stage.vendor.end_grace(slot.account);
    let mut document = stage.document(&slot).await.expect("a key document");
    assert_eq!(document["api_key_previous"], old.expose(), "the grace is not over");
    document["note"] = "somebody else's".into();
    stage.bao.write(&slot.path, document).await;
    moment(Duration::from_secs(7)).await;
    stage.daemon.thaw();
    let retired = until("the old key leaves the document", async || {
        stage.document(&slot).await.filter(|document| document.get("api_key_previous").is_none())
    })
    .await;
    assert_eq!((&retired["api_key"], &retired["note"]), (&json!(new.expose()), &json!("somebody else's")));
    stage.end().await;
}
