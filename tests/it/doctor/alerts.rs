//! The mail server that alerts go through, broken in one way at a time.

use super::{Ward, lines};
use crate::{alerts::receiver::Receiver, rotation::stage::OPERATOR, world::Smtp};
use serde_json::json;

#[tokio::test]
async fn a_recipient_that_the_server_refuses_is_named_and_nothing_is_sent() {
    for key in ["alerts.email.to", "alerts.email.urgent_to"] {
        let mut ward = Ward::new().await;
        ward.configure(|config| {
            config.set(key, json!([OPERATOR, Smtp::GONE]));
        })
        .await;
        let told = "alerts: recipient gone@example.com: the server answered 550 (5.1.1 no such user here) > correct \
                    the address (alerts.email), or let the server take it";
        assert_eq!(ward.failures().await, (Some(1), vec![told.to_owned()]), "{key}");
        assert!(ward.stage.smtp.mails().is_empty());
    }
}

#[tokio::test]
async fn a_real_mail_is_sent_where_it_is_asked_for() {
    let mut ward = Ward::new().await;
    let ran = ward.doctor(&["--send-mail"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    let sent = "ok test mail: sent to ops@example.com; see that it arrives, and not as spam";
    assert!(lines(&ran).contains(&sent.to_owned()), "{}", ran.stdout);
    let mails = ward.stage.smtp.mails();
    assert_eq!(mails.len(), 1);
    assert!(mails[0].contains("Subject: [keyrelay] test mail from "), "{}", mails[0]);
    assert!(mails[0].contains("somebody typed keyrelay doctor"), "{}", mails[0]);
}

#[tokio::test]
async fn a_refused_login_is_a_finding_and_a_server_that_is_away_an_outside_system() {
    let mut ward = Ward::new().await;
    let wrong = ward.stage.scratch.secret("wrong", "wrong");
    let right = ward.stage.smtp.alerts(&[OPERATOR]);
    ward.configure(|config| {
        config.set("alerts.email.smtp.password", json!({"file": wrong}));
    })
    .await;
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(1), 1), "{failures:?}");
    assert!(failures[0].contains("refused the login of \"keyrelay@example.com\" with 535"), "{failures:?}");

    ward.configure(|config| {
        config.set("alerts", right);
    })
    .await;
    ward.stage.smtp.stop();
    let (code, failures) = ward.failures().await;
    assert_eq!((code, failures.len()), (Some(3), 1), "{failures:?}");
    assert!(failures[0].contains("cannot be reached: "), "{failures:?}");
}

#[tokio::test]
async fn a_webhook_is_posted_to_where_a_mail_is_asked_for_and_the_heartbeat_is_never_fetched() {
    let (receiver, mut ward) = (Receiver::start().await, Ward::new().await);
    ward.configure(|config| {
        config
            .set("alerts.webhook.url", receiver.url("/"))
            .set("alerts.heartbeat.url", receiver.url("/beat"));
    })
    .await;
    assert_eq!(ward.failures().await, (Some(0), vec![]));
    assert_eq!(receiver.posts().len(), 0);

    let ran = ward.doctor(&["--send-mail"]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.stdout);
    assert_eq!((receiver.posts().len(), receiver.beats()), (1, 0));
    assert_eq!(receiver.posts()[0]["code"], "test");

    receiver.answers(503);
    let ran = ward.doctor(&["--send-mail"]).await;
    assert_eq!(ran.code, Some(3), "{}", ran.stdout);
    assert!(ran.stdout.contains("the address in alerts.webhook answered 503"), "{}", ran.stdout);
}
