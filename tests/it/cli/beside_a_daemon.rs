//! A daemon runs: the commands ask it, and say nothing of doing it themselves.

use super::Shop;
use crate::world::until;
use keyrelay::demo::consumer::Manner;
use std::time::Duration;

#[tokio::test]
async fn the_daemon_does_what_the_commands_ask_for() {
    let mut shop = Shop::new().await;
    shop.daemon.start_up().await;
    let key = shop.key();
    let ran = shop.ingest(&key, &[]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(key.expose()));

    let second = shop.vendor.rotate(shop.account, Duration::from_secs(3_600));
    assert_eq!(shop.ingest(&second, &[]).await.code, Some(0));
    let ran = shop.run(&["status", "--json"]).await;
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["daemon"]["role"], "active");
    assert_eq!(document["credentials"][0]["generation"], 2);

    for command in
        [&["prove"][..], &["deliver", "leaf7-main"], &["prove", "--consumer", "storefront", "--json"]]
    {
        let ran = shop.run(command).await;
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{command:?}: {ran:?}");
    }
    assert!(shop.daemon.term().await.success());
}

#[tokio::test]
async fn status_fails_while_a_warning_is_open_and_recovers_with_it() {
    let mut shop = Shop::new().await;
    shop.daemon.start_up().await;
    until("the empty store is told of", async || {
        let ran = shop.run(&["status"]).await;
        (ran.code == Some(1) && ran.stdout.contains("warning unseeded")).then_some(())
    })
    .await;
    assert_eq!(shop.ingest(&shop.key(), &[]).await.code, Some(0));
    until("nothing is wrong any more", async || (shop.run(&["status"]).await.code == Some(0)).then_some(()))
        .await;

    shop.consumer.set_manner(Manner::Failing);
    assert_eq!(shop.run(&["prove", "leaf7-main"]).await.code, Some(1));
    shop.consumer.set_manner(Manner::Honest);
    assert_eq!(shop.run(&["prove", "leaf7-main"]).await.code, Some(0));
}
