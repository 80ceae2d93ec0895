//! The login to the store ends, is revoked, is replaced.

use super::stage::Stage;
use reqwest::Method;
use serde_json::{Value, json};

#[tokio::test]
async fn a_given_token_that_will_not_last_is_told_of_and_a_new_one_in_its_file_is_enough() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("leaf7-main");
    stage.seed(&slot).await;
    let first = token(&stage, json!({"ttl": "1h", "num_uses": 500})).await;
    let file = stage.scratch.secret("vault-token", &first);
    stage
        .config
        .set("store.vault.auth", json!({"token": {"file": file}}))
        .set("schedules.mailbox_poll", "* * * * * *");
    stage.start().await;
    stage.date_from_now();

    let told = stage.wait_mail("the token will not do", |mail| mail.code == "store-login-expiring").await;
    assert!(told.text.contains("the token to the store will not do"), "{}", told.text);
    for line in ["bao token create -policy=keyrelay -period=768h", "systemctl reload keyrelay"] {
        assert!(told.text.contains(line), "{}", told.text);
    }
    let second = token(&stage, json!({"period": "1h"})).await;
    stage.scratch.secret("vault-token", &second);
    stage.wait_mail("a new token is there", |mail| mail.references.contains(&told.message_id)).await;

    stage.bao.revoke(&second).await;
    let refused = stage.wait_mail("the token is dead", |mail| mail.code == "store-login-refused").await;
    assert!(refused.text.contains("it does not know the token"), "{}", refused.text);
    assert_eq!(stage.daemon.status().await["store"]["reachable"], false);
    let (old, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    stage.wait_mail("the key is kept", |mail| mail.code == "key-spooled").await;
    let third = token(&stage, json!({"period": "1h"})).await;
    stage.scratch.secret("vault-token", &third);
    stage.wait_promoted(&slot, &new).await;
    stage.wait_mail("it is over", |mail| mail.references.contains(&refused.message_id)).await;
    stage.end().await;
}

/// With the policy that the stage's AppRole has.
async fn token(stage: &Stage, mut wish: Value) -> String {
    wish["policies"] = json!(["keyrelay"]);
    let (status, made) = stage.bao.must_call(Method::POST, "auth/token/create", wish).await;
    assert_eq!(status, 200, "{made}");
    made["auth"]["client_token"].as_str().expect("a token").to_owned()
}
