//! `observe: true`, on real servers: a script rotates, keyrelay watches it; then keyrelay takes over.

use super::{
    consumers::{FileConsumer, all_in_use},
    stage::{Slot, Stage, codes},
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_script_is_watched_for_a_rotation_and_then_replaced_in_the_middle_of_one() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    stage.config.set("observe", json!(true)).set("schedules.current_key_probe", "*/2 * * * * *");
    let first = stage.seed(&slot).await;
    shop.put(&first);
    stage.date_from_now();
    stage.start().await;
    stage.wait(&slot, "the shop is tested", |found| all_in_use(found, &["shop"], &first).then_some(())).await;
    assert_eq!(stage.credential(&slot).await["observing"], true);

    // The confirmation is proven and told of; nothing is written, whatever an operator types.
    let (first, second) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &first, &second).await;
    let told = stage.wait_mail("what would be is told", |mail| mail.code == "rotation-observed").await;
    assert!(told.text.contains("keyrelay would have made the new key"), "{}", told.text);
    for args in [
        &["deliver", "main"][..],
        &["rollback", "main"],
        &["accept", "main", &second.fingerprint().hex(), "--yes"],
    ] {
        let ran = stage.keyrelay(args, "").await;
        assert_ne!(ran.code, Some(0), "{args:?}: {ran:?}");
    }
    assert_eq!(stage.versions(&slot).await.0, 1, "the key document is as the script left it");
    assert!(shop.holds(&first) && shop.times_acted() == 0);
    let shown = stage.keyrelay(&["status", "main"], "").await.stdout;
    assert!(shown.contains("only observed") && shown.contains("rotation-observed"), "{shown}");

    // The script does its work, by its own means.
    shop.put(&second);
    stage.bao.write(&slot.path, json!({"api_key": second.expose()})).await;
    stage.wait_promoted(&slot, &second).await;
    stage
        .wait(&slot, "all is calm", |found| {
            let calm = codes(found).is_empty() && found["phase"] == "steady";
            (calm && all_in_use(found, &["shop"], &second)).then_some(())
        })
        .await;
    assert_eq!(stage.versions(&slot).await.0, 2, "only the script wrote");
    let ran = stage.keyrelay(&["history", "main", "--json"], "").await;
    let records: Vec<Value> = serde_json::from_str(&ran.stdout).expect("a list");
    assert_eq!((records.len(), &records[0]["kind"]), (1, &json!("rotation")), "{records:?}");
    let observed = &records[0]["observed"];
    assert!(observed["would_promote_at"].as_str() <= observed["stored_at"].as_str(), "{observed}");

    takes_over(&mut stage, &slot, &shop).await;
    stage.end().await;
}

/// The script is switched off in the middle of the next rotation, and observe with it.
async fn takes_over(stage: &mut Stage, slot: &Slot, shop: &FileConsumer) {
    let (second, third) = stage.rotate(slot);
    // The second is as old as its place in the store; what comes now is newer.
    stage.date_from_now();
    stage.confirm(slot, 1, &second, &third).await;
    stage
        .wait(slot, "the third is known", |found| {
            codes(found).contains(&"rotation-observed".to_owned()).then_some(())
        })
        .await;
    stage.config.set("observe", json!(false));
    stage.daemon.configure(&mut stage.config);
    stage.daemon.sighup();
    stage.wait_promoted(slot, &third).await;
    stage
        .wait(slot, "the shop has the third", |found| {
            (found["phase"] == "steady" && all_in_use(found, &["shop"], &third)).then_some(())
        })
        .await;
    assert!(shop.holds(&third));
    assert_eq!(stage.credential(slot).await["observing"], false);
    let document = stage.document(slot).await.expect("a key document");
    assert_eq!((&document["api_key"], &document["api_key_generation"]), (&json!(third.expose()), &json!(1)));
}
