//! The daemon's HTTP face and its status document, as the contract has them.

use super::{
    consumers::{FileConsumer, all_in_use},
    stage::Stage,
};
use keyrelay::demo::simulator::Outcome;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const TOP: [&str; 8] =
    ["alerts", "credentials", "daemon", "generated_at", "incidents", "mailboxes", "schema", "store"];
const DAEMON: [&str; 4] = ["host", "role", "since", "version"];
const CREDENTIAL: [&str; 16] = [
    "account",
    "consumers",
    "fingerprint",
    "generation",
    "grace_until",
    "held",
    "incidents",
    "last_probe",
    "name",
    "next_rotation_expected_at",
    "phase",
    "retiring",
    "rotated_at",
    "rotation_id",
    "vendor",
    "consumers",
];
const CONSUMER: [&str; 9] =
    ["at", "error", "fingerprint", "instances", "name", "next_try_at", "proof", "stale", "wanted"];
const INCIDENT: [&str; 6] = ["code", "credential", "hint", "message", "severity", "since"];

#[tokio::test]
async fn status_health_and_hints_are_as_the_contract_has_them() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let key = stage.seed(&slot).await;
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    shop.put(&key);
    stage.slot("empty");
    stage.start().await;
    stage.wait(&slot, "the shop is tested", |found| all_in_use(found, &["shop"], &key).then_some(())).await;
    stage.wait_mail("the empty one", |mail| mail.code == "unseeded").await;

    for path in ["healthz", "readyz"] {
        let (status, body) = stage.daemon.get(path).await.expect("an answer");
        assert_eq!((status, body.as_str()), (200, r#"{"failing":[],"ready":true}"#), "{path}");
    }
    every_key_is_there(&stage.daemon.status().await);
    let ran = stage.keyrelay(&["status", "--json"], "").await;
    assert_eq!(ran.code, Some(1), "the empty one is an open warning: {ran:?}");
    let printed: Value = serde_json::from_str(&ran.stdout).expect("a JSON document");
    assert_eq!(shape(&printed), shape(&stage.daemon.status().await));
    let ran = stage.keyrelay(&["status", "main", "--json"], "").await;
    let one: Value = serde_json::from_str(&ran.stdout).expect("a JSON document");
    assert_eq!((ran.code, one["credentials"].as_array().map(Vec::len)), (Some(0), Some(1)));

    hints(&stage, &key.fingerprint().hex()).await;
    stage.end().await;
}

fn every_key_is_there(status: &Value) {
    has(status, &TOP);
    has(&status["daemon"], &DAEMON);
    has(&status["store"], &["reachable", "since"]);
    has(&status["mailboxes"][0], &["last_notice_at", "last_ok_at", "name"]);
    has(&status["alerts"], &["last_sent_at", "queued"]);
    let empty = super::stage::credential(status, "empty");
    has(&empty["incidents"][0], &INCIDENT);
    let main = super::stage::credential(status, "main");
    has(&main, &CREDENTIAL);
    has(&main["last_probe"], &["at", "verdict"]);
    has(&main["consumers"][0], &CONSUMER);
    has(&main["consumers"][0]["instances"], &["proven", "wanted"]);
    assert_eq!((&status["schema"], &status["daemon"]["role"]), (&json!(1), &json!("active")));
}

/// Fields may be added, none may be missing.
fn has(object: &Value, names: &[&str]) {
    let found: BTreeSet<_> =
        object.as_object().unwrap_or_else(|| panic!("no object: {object}")).keys().collect();
    for name in names {
        assert!(found.contains(&(*name).to_owned()), "{name} is missing in {found:?}");
    }
}

/// The document's members, without their values.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(elements) => elements.iter().map(shape).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Value::Null,
    }
}

/// A hint is answered, leads to one probe, and changes nothing.
async fn hints(stage: &Stage, current: &str) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let post = async |name: &str, kind: &str, host: Option<&str>, body: &str| {
        let url = format!("{}/api/v1/credentials/{name}/unauthorized", stage.daemon.url());
        let request = client.post(url).header("Content-Type", kind).body(body.to_owned());
        let request = host.iter().fold(request, |request, host| request.header("Host", *host));
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("a text"))
    };
    const JSON: &str = "application/json";
    let probes = stage.vendor.total(Outcome::Welcomed);
    let known = format!(r#"{{"fingerprint":"{current}"}}"#);
    for (body, is_current) in
        [("{}", true), (known.as_str(), true), (r#"{"fingerprint":"0123456789abcdef"}"#, false)]
    {
        let expected = (202, format!(r#"{{"current":{is_current}}}"#));
        assert_eq!(post("main", JSON, None, body).await, expected, "{body}");
    }
    assert_eq!(post("main", "application/json; charset=utf-8", None, "{}").await.0, 202);
    assert_eq!(post("nobody", JSON, None, "{}").await.0, 404);
    assert_eq!(post("no name", JSON, None, "{}").await.0, 404);
    assert_eq!(post("main", "text/plain", None, "{}").await.0, 415);
    for body in ["", "[]", "{\"fingerprint\":\"short\"}", "{\"other\":1}", "not JSON"] {
        assert_eq!(post("main", JSON, None, body).await.0, 400, "{body}");
    }
    assert_eq!(post("main", JSON, Some("keyrelay.example.com"), "{}").await.0, 421);
    assert_eq!(post("main", JSON, Some("localhost"), "{}").await.0, 202);
    crate::world::until("the hint led to a probe", async || {
        (stage.vendor.total(Outcome::Welcomed) > probes).then_some(())
    })
    .await;
    assert_eq!(stage.vendor.total(Outcome::Welcomed), probes + 1, "one a minute");
    let found = stage.daemon.status().await;
    assert_eq!(super::stage::credential(&found, "main")["phase"], "steady");
}
