//! `keyrelay history`, by the daemon and from the files alone.

use super::Shop;
use crate::world::Ran;
use serde_json::Value;
use std::{fs, time::Duration};

fn records(ran: &Ran) -> Vec<Value> {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

#[tokio::test]
async fn each_thing_that_happened_is_one_record_newest_first() {
    let mut shop = Shop::new().await;
    let first = shop.key();
    assert_eq!(shop.ingest(&first, &[]).await.code, Some(0));
    let alone = shop.run(&["history", "leaf7-main", "--json"]).await;
    assert_eq!(alone.code, Some(0), "{alone:?}");
    assert!(alone.stderr.starts_with("no daemon answers at "), "{alone:?}");

    shop.daemon.start_up().await;
    let second = shop.vendor.rotate(shop.account, Duration::from_secs(3_600));
    assert_eq!(shop.ingest(&second, &[]).await.code, Some(0));
    let stranger = shop.vendor.new_account("stranger", &["p-9"]);
    assert_eq!(shop.ingest(&shop.vendor.current_key(stranger), &[]).await.code, Some(1));
    assert_eq!(shop.run(&["rollback", "leaf7-main"]).await.code, Some(0));

    let ran = shop.run(&["history", "leaf7-main", "--json"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let records = records(&ran);
    let kinds: Vec<_> = records.iter().map(|record| record["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["rollback", "refusal", "ingest", "ingest"]);
    let back = &records[0];
    assert_eq!(back["new_fingerprint"], first.fingerprint().to_string());
    assert_eq!(back["old_fingerprint"], second.fingerprint().to_string());
    assert_eq!((&back["generation"], &back["trigger"]["kind"]), (&3.into(), &"rollback".into()));
    assert_eq!(
        (&back["consumers"][0]["name"], &back["consumers"][0]["proof"]),
        (&"storefront".into(), &"in_use".into())
    );
    assert!(back["margin_secs"].as_i64().unwrap() > 0, "{back}");
    let phases: Vec<_> =
        back["phases"].as_array().unwrap().iter().map(|entered| entered["phase"].as_str().unwrap()).collect();
    assert_eq!(phases, ["probing", "storing", "handing_over", "steady"]);

    let ran = shop.run(&["history", "leaf7-main"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches("leaf7-main: ").count(), 4, "{}", ran.stdout);
}

#[tokio::test]
async fn lines_that_make_no_sense_are_told_of_beside_the_others() {
    let shop = Shop::new().await;
    assert_eq!(shop.ingest(&shop.key(), &[]).await.code, Some(0));
    let path = shop.daemon.state_dir().join("history/leaf7-main.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("no json\n{whole}{{\"rotation_id\": \"cut o")).unwrap();
    let ran = shop.run(&["history", "leaf7-main", "--json"]).await;
    assert_eq!((ran.code, records(&ran).len()), (Some(0), 1), "{ran:?}");
    assert!(ran.stderr.ends_with("2 lines of the history cannot be read, and were skipped\n"), "{ran:?}");
}

#[tokio::test]
async fn nothing_is_an_empty_list_and_an_unknown_name_is_a_mistake() {
    let shop = Shop::new().await;
    let ran = shop.run(&["history", "leaf7-main", "--json"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), "[]\n"), "{ran:?}");
    let ran = shop.run(&["history", "leaf7-mian"]).await;
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    assert!(ran.stderr.ends_with("; did you mean \"leaf7-main\"?\n"), "{ran:?}");
}
