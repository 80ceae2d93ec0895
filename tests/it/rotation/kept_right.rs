//! Consumers are kept right between rotations: one that is new, one that somebody put back, and all of them after a
//! restart.

use super::{
    consumers::{FileConsumer, all_in_use},
    stage::{Slot, Stage, codes, now},
};
use crate::world::until;
use keyrelay::domain::Key;
use serde_json::json;
use std::time::Instant;

#[tokio::test]
async fn a_consumer_added_by_sighup_gets_the_key_and_nobody_else_is_touched() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let key = stage.seed(&slot).await;
    let first = FileConsumer::add(&mut stage, &slot, "first").await;
    first.put(&key);
    stage.start().await;
    stage.wait(&slot, "the first is tested", |found| all_in_use(found, &["first"], &key).then_some(())).await;

    let added = FileConsumer::add(&mut stage, &slot, "added").await;
    stage.daemon.configure(&mut stage.config);
    let asked = Instant::now();
    stage.daemon.sighup();
    until("the added consumer has the key", async || added.holds(&key).then_some(())).await;
    println!("a consumer added by SIGHUP has the key after {} ms", asked.elapsed().as_millis());
    let both = ["added", "first"];
    stage.wait(&slot, "both are tested", |found| all_in_use(found, &both, &key).then_some(())).await;
    assert_eq!((added.times_acted(), first.times_acted()), (1, 0));

    let mistaken = stage.daemon.dir().write("config.yaml", "credentials: {main: {vendor: leef7}}\n");
    stage.daemon.sighup();
    let refused = stage.wait_mail("the mistake is told", |mail| mail.code == "config-refused").await;
    assert!(refused.text.contains("leef7"), "{}", refused.text);
    assert!(mistaken.exists());
    assert!(all_in_use(&stage.credential(&slot).await, &both, &key), "the old one stays in force");
    stage.end().await;
}

#[tokio::test]
async fn a_file_put_back_to_the_old_key_is_healed_and_told_of_and_a_restart_touches_nobody() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    stage.date_from_now();
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    shop.put(&old);
    stage.start().await;
    let (_, new) = stage.rotate(&slot);
    stage.confirm(&slot, 1, &old, &new).await;
    stage.wait(&slot, "the shop is tested", |found| all_in_use(found, &["shop"], &new).then_some(())).await;
    assert_eq!(shop.times_acted(), 1);

    shop.put(&old);
    let ran = stage.keyrelay(&["prove", "main"], "").await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(shop.holds(&new));
    let told = stage.wait_mail("the drift", |mail| mail.code == "consumer-drifted").await;
    assert_eq!(
        told.subject,
        "[keyrelay] warning main: shop's copy of the key was changed by somebody else; it is written again"
    );
    assert_eq!(shop.times_acted(), 2, "the shop is told again");

    let acted = shop.times_acted();
    // The first restart may still write down what was told last; after it everything is on record.
    restarted_and_tested(&mut stage, &slot, &new).await;
    let versions = stage.versions(&slot).await;
    restarted_and_tested(&mut stage, &slot, &new).await;
    assert_eq!(shop.times_acted(), acted, "a restart runs no action");
    assert_eq!(stage.versions(&slot).await, versions, "a restart writes nothing");
    assert_eq!(codes(&stage.credential(&slot).await), Vec::<String>::new());
    assert_eq!(stage.credential(&slot).await["generation"], json!(1));
    stage.end().await;
}

/// Ends the daemon in peace, starts it, and waits until it has tested the shop anew.
async fn restarted_and_tested(stage: &mut Stage, slot: &Slot, key: &Key) {
    let started = now();
    stage.restart().await;
    stage
        .wait(slot, "the shop is tested again", |found| {
            let at = found["consumers"][0]["at"].as_str()?.parse().ok()?;
            (started < at && all_in_use(found, &["shop"], key)).then_some(())
        })
        .await;
    stage.restart().await;
}
