//! A program that is posted to: every step and every end, whatever becomes of the mails.

use super::{receiver::Receiver, scene::Scene};
use serde_json::json;

/// Long enough to be recognised, and nowhere to be seen.
const TOKEN: &str = "wh00k-canary-7f3a9c51e2b8d604";

#[tokio::test]
async fn each_notice_and_its_end_are_posted_though_no_mail_can_be_sent() {
    let (receiver, mut scene) = (Receiver::start().await, Scene::build().await);
    scene.smtp.stop();
    let url = scene.dir.secret("webhook", &receiver.url(&format!("/hooks/{TOKEN}")));
    scene.config.set("alerts.webhook.url", json!({"file": url}));
    scene.start().await;
    let begun = receiver.wait_for("unseeded", |post| post["code"] == "unseeded").await;
    let shown = scene
        .daemon
        .wait_status("the incident is open", |status| {
            status["credentials"][0]["incidents"]
                .as_array()?
                .iter()
                .find(|incident| incident["code"] == "unseeded")
                .cloned()
        })
        .await;
    for (member, value) in shown.as_object().expect("an incident") {
        assert_eq!(&begun[member], value, "{member} is the status document's");
    }
    assert_eq!(begun["resolved"], false);
    let text = begun["text"].as_str().expect("a text");
    assert!(text.starts_with("warning main: the store holds no key at vendors/leaf7/main"), "{text}");
    assert!(text.ends_with("\n  to do: keyrelay ingest main"), "{text}");
    scene.ingest().await;
    let ended =
        receiver.wait_for("its end", |post| post["code"] == "unseeded" && post["resolved"] == true).await;
    assert_eq!((&ended["incident"], &ended["step"]), (&begun["incident"], &json!(1)));
    let status = scene.daemon.status().await;
    assert_eq!(
        (&status["alerts"]["webhook"]["ok"], &status["alerts"]["email"]["ok"]),
        (&json!(true), &json!(false))
    );
}

#[tokio::test]
async fn a_webhook_that_fails_is_told_by_mail_and_gets_everything_later() {
    let (receiver, mut scene) = (Receiver::start().await, Scene::build().await);
    receiver.answers(503);
    scene.config.set("alerts.webhook.url", receiver.url("/"));
    scene.start().await;
    let mail =
        scene.smtp.wait_for("it fails", |mail| mail.contains("X-Keyrelay-Code: webhook-failing")).await;
    assert!(mail.contains("Subject: [keyrelay] warning: the webhook does not take the notices:"), "{mail}");
    assert!(mail.contains("in alerts.webhook answered 503"), "{mail}");
    assert_eq!(scene.mails()[0].0, "unseeded", "mails are held up by nothing");
    scene.kill_and_start().await;
    receiver.answers(200);
    receiver.wait_for("what waited", |post| post["code"] == "unseeded").await;
    scene.smtp.wait_for("its end", |mail| mail.contains("resolved: the webhook does not take")).await;
}
