//! What an operator does with such a vendor: the first key by hand, a new one by command and by schedule.

use super::stage::Stage;
use crate::rotation::stage::codes;
use keyrelay::{demo::simulator::Kind, domain::Key};
use serde_json::{Value, json};

#[tokio::test]
async fn the_first_key_comes_by_hand_and_the_next_by_one_command() {
    let mut stage = Stage::build().await;
    let slot = stage.empty_slot("main").await;
    stage.start().await;
    let first = stage.vendor.current_key(slot.account);
    let ran = stage.daemon.run_with(&["ingest", "main", "--yes"], first.expose()).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    stage.wait_settled(&slot, &first).await;

    let ran = stage.keyrelay(&["rotate", "main"]).await;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    let second = stage.vendor.current_key(slot.account);
    assert_ne!(first, second);
    assert!(!stage.vendor.is_alive(&first), "it died in the same instant");
    stage.wait_settled(&slot, &second).await;
    assert_eq!(stage.spooled(), [""; 0]);

    let history: Value =
        serde_json::from_str(&stage.keyrelay(&["history", "main", "--json"]).await.stdout).expect("JSON");
    let trigger = &history[0]["trigger"];
    assert_eq!((&trigger["kind"], &trigger["key_id"]), (&json!("api"), &json!(stage.vendor.key_id(&second))));
    let phases: Vec<_> =
        history[0]["phases"].as_array().expect("a list").iter().map(|p| &p["phase"]).collect();
    assert_eq!(phases, ["asked", "probing", "storing", "handing_over", "steady"]);
    let shown = stage.keyrelay(&["history", "main"]).await.stdout;
    assert!(shown.contains("the vendor's API, asked by an operator (uid "), "{shown}");

    // The key before it is dead: nobody goes back to it.
    let ran = stage.keyrelay(&["rollback", "main"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    stage.end().await;
}

#[tokio::test]
async fn without_a_daemon_the_command_does_it_alone() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.daemon.configure(&mut stage.config);
    let ran = stage.keyrelay(&["rotate", "main"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stderr.contains("no daemon answers at "), "{ran:?}");
    let new = stage.vendor.current_key(slot.account);
    assert_eq!(stage.vendor.rotations().values().sum::<u64>(), 1);
    assert!(slot.holds(&new));
    stage.start().await;
    stage.wait_settled(&slot, &new).await;
    stage.end().await;
}

#[tokio::test]
async fn the_schedule_asks_each_time_that_it_is_due() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    // Every twenty seconds: a rotation takes one.
    stage.config.set("credentials.main.rotate_at", "*/20 * * * * *");
    stage.start().await;
    super::stage::rotated(&stage.vendor, 2).await;
    stage.config.remove("credentials.main.rotate_at");
    stage.daemon.configure(&mut stage.config);
    stage.daemon.sighup();
    stage
        .wait(&slot, "the schedule is gone", |found| {
            (found["next_rotation_expected_at"].is_null() && found["phase"] == "steady").then_some(())
        })
        .await;
    let now: Key = stage.vendor.current_key(slot.account);
    stage.wait_settled(&slot, &now).await;
    let history: Value =
        serde_json::from_str(&stage.keyrelay(&["history", "main", "--json"]).await.stdout).expect("JSON");
    assert_eq!(history[0]["trigger"]["by"], json!("schedule"));
    stage.end().await;
}

#[tokio::test]
async fn r51_a_new_key_that_works_only_later_is_waited_for() {
    use keyrelay::demo::simulator::Faults;
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.start().await;
    stage.vendor.set_faults(Faults::late_by(std::time::Duration::from_secs(3)));
    let ran = stage.keyrelay(&["rotate", "main"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let new = stage.vendor.current_key(slot.account);
    stage.wait_settled(&slot, &new).await;
    stage.end().await;
}

#[tokio::test]
async fn what_is_missing_is_told_to_whoever_planned_it() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    slot.shop.set_manner(keyrelay::demo::consumer::Manner::Silent);
    stage.config.set("credentials.main.rotate_at", "*/10 * * * * *");
    stage.daemon.configure(&mut stage.config);
    stage.daemon.start_up().await;
    stage
        .wait(&slot, "it is told", |found| codes(found).contains(&"rotation-blocked".into()).then_some(()))
        .await;
    assert_eq!(stage.vendor.rotations().len(), 0);
    slot.shop.set_manner(keyrelay::demo::consumer::Manner::Honest);
    super::stage::rotated(&stage.vendor, 1).await;
    stage.end().await;
}

#[tokio::test]
async fn with_a_grace_the_old_key_works_on_and_a_second_call_is_refused_by_the_vendor() {
    let mut stage = Stage::with(Kind::Example).await;
    let docs = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/vendors.md"));
    let (_, example) =
        docs.split_once("<!-- example -->\n```yaml\n").expect("the example of the documentation");
    let example: Value = yaml_serde::from_str(example.split("```").next().expect("its end")).expect("YAML");
    stage.config.set("vendors.acme", example["vendors"]["acme"].clone());
    stage.config.set("vendors.acme.base_url", stage.vendor.base_url());
    stage.config.remove("vendors.legba");
    let slot = stage.slot("main").await;
    stage.config.set("credentials.main.vendor", "acme").remove("credentials.main.params");
    stage.start().await;
    let first = stage.vendor.current_key(slot.account);
    let ran = stage.keyrelay(&["rotate", "main"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let second = stage.vendor.current_key(slot.account);
    assert!(first != second && stage.vendor.is_alive(&first), "the old one works on");
    stage.wait_settled(&slot, &second).await;
    let document = stage.document(&slot).await;
    assert_eq!(document["api_key_previous"], json!(first.expose()));
    assert!(document["api_key_previous_expires_at"].is_string(), "{document}");
    let ran = stage.keyrelay(&["rotate", "main"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("refused: Acme made no new key: 409"), "{ran:?}");
    stage.wait(&slot, "it is told", |found| (codes(found) == ["rotation-failed"]).then_some(())).await;
    // The earlier key is alive: going back is possible.
    let ran = stage.keyrelay(&["rollback", "main", "--check"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    stage.end().await;
}
