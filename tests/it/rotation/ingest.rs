//! A key by hand, on standard input: let in, refused, or spooled while the store is sealed.

use super::{
    consumers::{FileConsumer, all_in_use},
    stage::{GRACE, Stage},
};
use crate::world::until;
use keyrelay::domain::Key;
use serde_json::json;

#[tokio::test]
async fn a_key_by_hand_has_the_same_proofs_as_a_mailed_one() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let other = stage.slot("other");
    let old = stage.seed(&slot).await;
    stage.seed(&other).await;
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    shop.put(&old);
    stage.start().await;
    stage.wait(&slot, "the shop is tested", |found| all_in_use(found, &["shop"], &old).then_some(())).await;

    let (_, new) = stage.rotate(&slot);
    let ran = stage.keyrelay(&["ingest", "main"], &format!("{}\n", new.expose())).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(shop.holds(&new));
    let document = stage.document(&slot).await.expect("a key document");
    assert_eq!(
        (&document["api_key"], &document["api_key_previous"]),
        (&json!(new.expose()), &json!(old.expose()))
    );

    let dead = Key::parse(&new.expose().chars().rev().collect::<String>()).expect("a key");
    let stranger = stage.slot("stranger");
    let foreign = stage.vendor.current_key(stranger.account);
    let siblings = stage.vendor.current_key(other.account);
    for (key, why) in [
        (dead.expose(), "the vendor refuses it"),
        (foreign.expose(), "another account"),
        (siblings.expose(), "other"),
        (old.expose(), "earlier key"),
        (new.expose(), "current key already"),
        ("garbage", "key"),
        ("", "key"),
        (&"x".repeat(10_000), "longer than any key"),
    ] {
        let ran = stage.keyrelay(&["ingest", "main"], key).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{why}: {ran:?}");
        assert!(ran.stderr.contains(why), "{why}: {ran:?}");
    }
    assert_eq!(stage.versions(&slot).await.0, 2);
    assert_eq!(stage.document(&slot).await, Some(document));
    stage.end().await;
}

#[tokio::test]
async fn a_key_that_comes_while_the_store_is_sealed_waits_and_is_promoted_by_itself() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    shop.put(&old);
    stage.start().await;
    stage.wait(&slot, "the shop is tested", |found| all_in_use(found, &["shop"], &old).then_some(())).await;

    stage.bao.seal().await;
    let new = stage.vendor.rotate(slot.account, GRACE);
    let ran = stage.keyrelay(&["ingest", "main"], new.expose()).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let told = stage.wait_mail("the store is sealed", |mail| mail.code == "store-sealed").await;
    assert!(told.references.is_empty());
    until("the daemon is not ready", async || {
        stage.daemon.get("readyz").await.filter(|(status, body)| *status == 503 && body.contains("store"))
    })
    .await;
    assert_eq!(stage.daemon.get("healthz").await.map(|(status, _)| status), Some(200));
    // The only copy survives the process, however it ends.
    stage.daemon.kill9();
    stage.daemon.start_up().await;
    stage.bao.unseal().await;
    stage.wait_promoted(&slot, &new).await;
    stage.wait(&slot, "the shop is tested", |found| all_in_use(found, &["shop"], &new).then_some(())).await;
    assert_eq!(stage.document(&slot).await.expect("a document")["api_key"], new.expose());
    stage
        .wait_mail("the store is back", |mail| {
            mail.code == "store-sealed" && mail.subject.starts_with("[keyrelay] resolved")
        })
        .await;
    until("the spool is empty", async || {
        let left = std::fs::read_dir(stage.daemon.state_dir().join("spool")).ok()?.flatten();
        let left = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("main."));
        (left.count() == 0).then_some(())
    })
    .await;
    stage.end().await;
}
