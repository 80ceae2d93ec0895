//! What `keyrelay policy vault` prints, installed in a real OpenBao: enough for a whole rotation, and for nothing else.

use crate::{
    rotation::{
        consumers::{Consumers, NAMES, all_in_use},
        stage::{Stage, codes},
    },
    world::until,
};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn s24_a_token_with_the_printed_policy_runs_a_whole_rotation_and_may_do_nothing_else() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let consumers = Consumers::add(&mut stage, &slot).await;
    let old = stage.seed(&slot).await;
    install(&mut stage, "keyrelay", &[]).await;
    stage.start().await;
    until("every consumer has the first key", async || {
        consumers.read_the_store(&stage).await;
        all_in_use(&stage.credential(&slot).await, &NAMES, &old).then_some(())
    })
    .await;
    stage.date_from_now();
    let (_, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    until("every consumer is tested", async || {
        consumers.read_the_store(&stage).await;
        all_in_use(&stage.credential(&slot).await, &NAMES, &new).then_some(())
    })
    .await;
    stage.vendor.end_grace(slot.account);
    assert_eq!(codes(&stage.credential(&slot).await), Vec::<String>::new());

    let token = token(&stage, "keyrelay").await;
    let mut seen = Vec::new();
    for (method, path) in [
        (Method::GET, "secret/data/vendors/leaf7/main"),
        (Method::GET, "secret/data/keyrelay/main"),
        (Method::GET, "secret/metadata/vendors/leaf7/main"),
        (Method::GET, "secret/config"),
        (Method::GET, "auth/token/lookup-self"),
        (Method::GET, "secret/data/vendors/leaf7/other"),
        (Method::GET, "secret/data/vendors"),
        (Method::GET, "secret/metadata/vendors/leaf7?list=true"),
        (Method::POST, "secret/data/keyrelay/_reports/main/nightly-ci"),
        (Method::POST, "secret/data/keyrelay/other"),
        (Method::DELETE, "secret/data/vendors/leaf7/main"),
        (Method::DELETE, "secret/metadata/vendors/leaf7/main"),
        (Method::POST, "auth/token/create"),
        (Method::GET, "sys/policies/acl/keyrelay"),
    ] {
        seen.push(stage.bao.status_as(&token, method, path).await);
    }
    assert_eq!(seen, [200, 200, 200, 200, 200, 403, 403, 403, 403, 403, 403, 403, 403, 403]);
    stage.end().await;
}

#[tokio::test]
async fn s24_a_consumer_with_its_printed_policy_reads_its_key_writes_its_report_and_nothing_else() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    stage.consumer(&slot, "nightly-ci", json!({"prove": {"report": {"within": "20h"}}}));
    stage.seed(&slot).await;
    stage.daemon.configure(&mut stage.config);
    install(&mut stage, "keyrelay-nightly-ci", &["--consumer", "nightly-ci"]).await;
    let token = token(&stage, "keyrelay-nightly-ci").await;
    let report = "secret/data/keyrelay/_reports/main/nightly-ci";
    let mut seen = Vec::new();
    for (method, path) in [
        (Method::GET, "secret/data/vendors/leaf7/main"),
        (Method::POST, report),
        (Method::POST, report),
        (Method::POST, "secret/data/vendors/leaf7/main"),
        (Method::GET, "secret/data/keyrelay/main"),
        (Method::POST, "secret/data/keyrelay/_reports/main/web-shop"),
    ] {
        seen.push(stage.bao.status_as(&token, method, path).await);
    }
    assert_eq!(seen, [200, 200, 200, 403, 403, 403]);
}

/// Puts the printed policy in the place of the one of this name.
async fn install(stage: &mut Stage, name: &str, args: &[&str]) {
    stage.daemon.configure(&mut stage.config);
    let args: Vec<&str> = ["policy", "vault"].into_iter().chain(args.iter().copied()).collect();
    let printed = stage.keyrelay(&args, "").await;
    assert_eq!(printed.code, Some(0), "{}", printed.stderr);
    let path = format!("sys/policies/acl/{name}");
    let (status, answer) = stage.bao.must_call(Method::POST, &path, json!({"policy": printed.stdout})).await;
    assert_eq!(status, 204, "{answer}");
    // Not even what every token may do otherwise.
    let bare = json!({"token_no_default_policy": true, "token_policies": name});
    stage.bao.must_call(Method::POST, "auth/approle/role/keyrelay", bare).await;
}

/// A token with this policy alone.
async fn token(stage: &Stage, policy: &str) -> String {
    let wish = json!({"policies": [policy], "no_default_policy": true, "ttl": "10m"});
    let (_, answer) = stage.bao.must_call(Method::POST, "auth/token/create", wish).await;
    answer["auth"]["client_token"].as_str().expect("a token").to_owned()
}
