//! `keyrelay rollback`, by the daemon and without one.

use super::Shop;
use keyrelay::{demo::simulator::Mode, domain::Key};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// Two keys were put in, and the first still works.
async fn rotated(shop: &Shop) -> (Key, Key) {
    let first = shop.key();
    assert_eq!(shop.ingest(&first, &[]).await.code, Some(0));
    let second = shop.vendor.rotate(shop.account, HOUR);
    assert_eq!(shop.ingest(&second, &[]).await.code, Some(0));
    (first, second)
}

#[tokio::test]
async fn without_a_daemon_it_is_checked_done_and_taken_back_by_accept() {
    let shop = Shop::new().await;
    let (first, second) = rotated(&shop).await;
    let ran = shop.run(&["rollback", "leaf7-main", "--check"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let possible =
        format!("it is possible: the earlier key {} is alive, and works until ", first.fingerprint());
    assert!(ran.stdout.starts_with(&possible), "{ran:?}");
    assert_eq!(shop.credential().await["generation"], 2, "a check changes nothing");

    let ran = shop.run(&["rollback", "leaf7-main"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("storefront in use (one instance)"), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(first.expose()));
    assert_eq!(shop.consumer.key(), Some(first.clone()));
    let credential = shop.credential().await;
    assert_eq!((&credential["generation"], &credential["phase"]), (&3.into(), &"steady".into()));
    assert_eq!(credential["held"][0]["fingerprint"], second.fingerprint().to_string());
    let codes: Vec<_> =
        credential["incidents"].as_array().unwrap().iter().map(|open| &open["code"]).collect();
    assert_eq!(codes, ["rolled-back"]);

    let ran = shop.run(&["accept", "leaf7-main", &second.fingerprint().to_string(), "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(second.expose()));
    assert_eq!(shop.credential().await["incidents"], serde_json::json!([]));
}

#[tokio::test]
async fn the_daemon_does_it_and_a_restart_knows_of_it() {
    let mut shop = Shop::new().await;
    shop.daemon.start_up().await;
    let (first, second) = rotated(&shop).await;
    let ran = shop.run(&["rollback", "leaf7-main"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(first.expose()));
    shop.daemon.kill9();
    shop.daemon.start_up().await;
    let held = shop
        .daemon
        .wait_status("the newer key is held", |status| {
            let credential = &status["credentials"][0];
            let known = credential["fingerprint"] == first.fingerprint().to_string();
            known.then(|| credential["held"][0]["fingerprint"].clone()).filter(|held| !held.is_null())
        })
        .await;
    assert_eq!(held, second.fingerprint().to_string());
    let ran = shop.run(&["status"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stdout.contains(&format!("$ keyrelay accept leaf7-main {}", second.fingerprint())),
        "{ran:?}"
    );

    // A rollback of a rollback.
    let ran = shop.run(&["rollback", "leaf7-main"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(second.expose()));
    assert_eq!(shop.daemon.status().await["credentials"][0]["held"], serde_json::json!([]));
}

#[tokio::test]
async fn without_an_earlier_key_and_with_a_dead_one_it_is_refused() {
    let shop = Shop::new().await;
    assert_eq!(shop.ingest(&shop.key(), &[]).await.code, Some(0));
    for args in [&["rollback", "leaf7-main"][..], &["rollback", "leaf7-main", "--check"]] {
        let ran = shop.run(args).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
        assert!(ran.stderr.ends_with("refused: there is no key before the current one\n"), "{ran:?}");
    }
    let first = shop.key();
    let second = shop.vendor.rotate(shop.account, HOUR);
    assert_eq!(shop.ingest(&second, &[]).await.code, Some(0));
    shop.vendor.revoke(&first);
    let ran = shop.run(&["rollback", "leaf7-main"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{ran:?}");
    assert!(ran.stderr.contains("refused: the vendor refuses the earlier key ("), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(second.expose()));
    assert_eq!(shop.credential().await["generation"], 2);
}

#[tokio::test]
async fn a_vendor_that_does_not_answer_is_exit_code_three_and_nothing_is_changed() {
    let shop = Shop::new().await;
    let (_, second) = rotated(&shop).await;
    shop.vendor.set_faults(Mode::WebPage);
    let ran = shop.run(&["rollback", "leaf7-main"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""), "{ran:?}");
    assert!(ran.stderr.contains("nothing was changed: "), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(second.expose()));
}
