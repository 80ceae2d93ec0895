//! No daemon runs: the commands say so, and do the work themselves.

use super::Shop;
use crate::world::Ran;
use keyrelay::demo::consumer::Manner;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

fn says_that_it_is_alone(ran: &Ran) -> bool {
    ran.stderr.starts_with("no daemon answers at ") && ran.stderr.contains("; doing it here\n")
}

#[tokio::test]
async fn a_first_key_by_hand_is_promoted_delivered_and_tested() {
    let shop = Shop::new().await;
    let key = shop.key();
    let ran = shop.ingest(&key, &[]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(says_that_it_is_alone(&ran), "{ran:?}");
    assert!(ran.stdout.contains("storefront in use (one instance)"), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(key.expose()));
    assert_eq!(shop.consumer.key(), Some(key.clone()));

    let credential = shop.credential().await;
    assert_eq!(credential["fingerprint"], key.fingerprint().to_string());
    assert_eq!(credential["generation"], 1);

    let second = shop.vendor.rotate(shop.account, HOUR);
    let ran = shop.ingest(&second, &[]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(second.expose()));
    assert_eq!(shop.credential().await["generation"], 2);
}

#[tokio::test]
async fn status_without_a_daemon_is_no_failure_whatever_it_finds() {
    let shop = Shop::new().await;
    let ran = shop.run(&["status"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(says_that_it_is_alone(&ran), "{ran:?}");
    assert!(ran.stdout.contains("  warning unseeded, "), "{ran:?}");
    let ran = shop.run(&["status", "leaf7-main", "--json"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&document["schema"], &document["daemon"]["role"]), (&1.into(), &"none".into()));
}

#[tokio::test]
async fn a_key_of_another_account_is_refused_and_nothing_changes() {
    let shop = Shop::new().await;
    let key = shop.key();
    assert_eq!(shop.ingest(&key, &[]).await.code, Some(0));
    let stranger = shop.vendor.new_account("stranger", &["p-9"]);
    for yes in [&[][..], &["--yes"]] {
        let ran = shop.ingest(&shop.vendor.current_key(stranger), yes).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("refused: "), "{ran:?}");
    }
    assert_eq!(shop.delivered().as_deref(), Some(key.expose()));
    assert_eq!(shop.credential().await["fingerprint"], key.fingerprint().to_string());
}

#[tokio::test]
async fn what_cannot_be_proven_is_held_and_goes_in_by_accept_or_by_yes() {
    let shop = Shop::with(|config| _ = config.remove("credentials.leaf7-main.account")).await;
    let key = shop.key();
    let ran = shop.ingest(&key, &[]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("the key is held: "), "{ran:?}");
    assert_eq!(shop.delivered(), None);

    let label = key.fingerprint().to_string();
    let ran = shop.run(&["accept", "leaf7-main", "0000000000000000"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("0000000000000000 is not held for leaf7-main; this is\n"), "{ran:?}");
    assert!(ran.stderr.contains(&format!("held {label} from an operator (uid ")), "{ran:?}");

    let ran = shop.run(&["accept", "leaf7-main", &label]).await;
    assert_eq!(ran.code, Some(1), "nobody was there to be asked: {ran:?}");
    assert!(ran.stderr.ends_with(&format!("keyrelay accept leaf7-main {label} --yes\n")), "{ran:?}");
    assert_eq!(shop.delivered(), None);

    let ran = shop.run(&["accept", "leaf7-main", &label, "--yes"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(key.expose()));

    let other = Shop::with(|config| _ = config.remove("credentials.leaf7-main.account")).await;
    assert_eq!(other.ingest(&other.key(), &["--yes"]).await.code, Some(0));
    assert_eq!(other.delivered().as_deref(), Some(other.key().expose()));
}

#[tokio::test]
async fn r55_a_consumer_that_lies_is_not_tested_and_one_that_was_overwritten_is_delivered_to_again() {
    let shop = Shop::new().await;
    let key = shop.key();
    assert_eq!(shop.ingest(&key, &[]).await.code, Some(0));

    shop.consumer.set_manner(Manner::WrongProof);
    let ran = shop.run(&["test", "leaf7-main", "--json"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["schema"], 1);
    assert_eq!(document["credentials"][0]["consumers"][0]["proof"], "unproven", "{ran:?}");

    shop.consumer.set_manner(Manner::Honest);
    std::fs::remove_file(shop.dir.join("shop.key")).unwrap();
    let ran = shop.run(&["deliver", "leaf7-main", "--consumer", "storefront"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(shop.delivered().as_deref(), Some(key.expose()));
    assert_eq!(shop.run(&["prove"]).await.code, Some(0));
}
