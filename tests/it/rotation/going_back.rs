//! `keyrelay rollback`, on real servers: the previous key is read from the key document alone, and what the newer one
//! came in stays in the mailbox.

use super::{
    consumers::{FileConsumer, all_in_use},
    stage::{Slot, Stage, codes},
};
use keyrelay::{demo::consumer::Manner, domain::Key};
use serde_json::{Value, json};

/// A mailed rotation that is complete. Returns the earlier and the newer key.
async fn rotated(stage: &mut Stage, slot: &Slot, shop: &FileConsumer) -> (Key, Key) {
    let old = stage.seed(slot).await;
    shop.put(&old);
    stage.date_from_now();
    stage.start().await;
    let (old, new) = stage.rotate(slot);
    stage.confirm(slot, 0, &old, &new).await;
    stage.wait_promoted(slot, &new).await;
    stage.wait(slot, "all are tested", |found| settled(found, &new)).await;
    (old, new)
}
fn settled(found: &Value, key: &Key) -> Option<()> {
    (found["phase"] == "steady" && all_in_use(found, &["shop"], key)).then_some(())
}
fn held(found: &Value) -> Vec<&str> {
    found["held"].as_array().expect("a list").iter().filter_map(|held| held["fingerprint"].as_str()).collect()
}

#[tokio::test]
async fn the_earlier_key_comes_back_and_the_newer_one_waits_through_restarts_until_it_is_accepted() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    let (old, new) = rotated(&mut stage, &slot, &shop).await;
    // What this process remembers of the earlier key is forgotten: the document alone has it.
    stage.restart().await;
    let before = stage.document(&slot).await.expect("a key document");

    let ran = stage.keyrelay(&["rollback", "main", "--check"], "").await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains(&old.fingerprint().hex()), "{ran:?}");
    assert_eq!(stage.document(&slot).await, Some(before.clone()), "a check changes nothing");

    let ran = stage.keyrelay(&["rollback", "main"], "").await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert!(shop.holds(&old));
    let document = stage.document(&slot).await.expect("a key document");
    assert_eq!(document["api_key"], json!(old.expose()));
    assert_eq!(document["api_key_previous"], json!(new.expose()));
    assert_eq!(
        document["api_key_previous_expires_at"],
        Value::Null,
        "the newer key is the vendor's own current one"
    );
    assert_eq!(document["api_key_generation"], json!(2));
    assert!(document["api_key_rotated_at"].as_str() > before["api_key_rotated_at"].as_str());

    is_held_through_restarts(&mut stage, &slot, &old, &new).await;
    // The confirmation is there still, and is delivered once more.
    stage.confirm(&slot, 0, &old, &new).await;
    assert_eq!(stage.keyrelay(&["prove", "main"], "").await.code, Some(0));
    assert_eq!(stage.document(&slot).await, Some(document));

    let ran = stage.keyrelay(&["accept", "main", &new.fingerprint().hex(), "--yes"], "").await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(shop.holds(&new));
    let last = stage.document(&slot).await.expect("a key document");
    assert_eq!((&last["api_key"], &last["api_key_generation"]), (&json!(new.expose()), &json!(3)));
    assert_eq!(last["api_key_previous_expires_at"], before["api_key_previous_expires_at"]);
    let found = stage.credential(&slot).await;
    assert_eq!((held(&found), codes(&found)), (Vec::new(), Vec::new()));
    stage
        .wait_mail("its end is told", |mail| mail.code == "rolled-back" && mail.subject.contains("resolved"))
        .await;

    let ran = stage.keyrelay(&["history", "main", "--json"], "").await;
    let records: Vec<Value> = serde_json::from_str(&ran.stdout).expect("a list");
    let kinds: Vec<_> = records.iter().map(|record| record["kind"].as_str().expect("a kind")).collect();
    assert_eq!(kinds, ["ingest", "rollback", "rotation"]);
    stage.end().await;
}

async fn is_held_through_restarts(stage: &mut Stage, slot: &Slot, old: &Key, new: &Key) {
    let label = new.fingerprint().hex();
    let mail = stage.wait_mail("the rollback is told", |mail| mail.code == "rolled-back").await;
    assert!(mail.text.contains(&format!("keyrelay accept main {label}")), "{}", mail.text);
    for peaceful in [true, false] {
        if peaceful {
            stage.restart().await;
        } else {
            stage.daemon.kill9();
            stage.daemon.start_up().await;
            stage.daemon.wait_ready().await;
        }
        stage.wait(slot, "it stays as it is", |found| settled(found, old)).await;
        let found = stage.credential(slot).await;
        assert_eq!((held(&found), codes(&found)), (vec![label.as_str()], vec!["rolled-back".to_owned()]));
    }
}

#[tokio::test]
async fn killed_before_any_consumer_is_back_it_is_seen_through_by_the_next_process() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    let (old, new) = rotated(&mut stage, &slot, &shop).await;
    shop.consumer.set_manner(Manner::Failing);
    let asked = stage.daemon.run(&["rollback", "main"]);
    let killed = async {
        stage.bao_has(&slot, &old).await;
    };
    // The command waits for its consumer; the daemon is killed meanwhile.
    tokio::select! {
        ran = asked => panic!("it came to an end: {ran:?}"),
        () = killed => {}
    }
    stage.daemon.kill9();
    shop.consumer.set_manner(Manner::Honest);
    stage.daemon.start_up().await;
    stage.wait(&slot, "the shop is back", |found| settled(found, &old)).await;
    let found = stage.credential(&slot).await;
    assert_eq!((held(&found), &found["generation"]), (vec![new.fingerprint().hex().as_str()], &json!(2)));
    assert_eq!(codes(&found), ["rolled-back"]);
    stage.end().await;
}

#[tokio::test]
async fn a_sealed_store_and_a_dead_key_are_refused_with_their_exit_codes() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    let (old, new) = rotated(&mut stage, &slot, &shop).await;
    stage.bao.seal().await;
    stage
        .daemon
        .wait_status("the store is away", |status| (status["store"]["reachable"] == false).then_some(()))
        .await;
    let ran = stage.keyrelay(&["rollback", "main"], "").await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{ran:?}");
    assert!(ran.stderr.contains("nothing was changed: the store is sealed"), "{ran:?}");
    stage.bao.unseal().await;
    stage.daemon.wait_ready().await;
    stage.wait(&slot, "it is as it was", |found| settled(found, &new)).await;

    stage.vendor.revoke(&old);
    let ran = stage.keyrelay(&["rollback", "main"], "").await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.stderr.contains("the vendor refuses the earlier key"), "{ran:?}");
    assert_eq!(stage.versions(&slot).await.0, 2);
    stage.end().await;
}

impl Stage {
    /// Waits until the store's current key is this one.
    async fn bao_has(&self, slot: &Slot, key: &Key) {
        crate::world::until("the store has it", async || {
            let document = self.document(slot).await?;
            (document["api_key"] == key.expose()).then_some(())
        })
        .await;
    }
}
