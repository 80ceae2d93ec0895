//! What the store is sent, and what it writes down of that.

use super::wire::{SECRET, Sender, Wire};
use crate::rotation::stage::Stage;
use serde_json::{Value, json};

/// A body that does not parse is what servers put into their logs.
#[tokio::test]
async fn s03_what_is_written_is_one_json_document_whose_texts_alone_hold_the_key() {
    let store = Wire::content("127.0.0.1").await;
    Sender::Writing.ask(&store.url()).await;
    Sender::Login.ask(&store.url()).await;
    let heard = store.heard();
    let bodies: Vec<Value> = heard
        .iter()
        .filter_map(|request| {
            request.split_once("\r\n\r\n").map(|(_, body)| body).filter(|body| !body.is_empty())
        })
        .map(|body| serde_json::from_str(body).expect("a document, whole"))
        .collect();
    assert!(bodies.contains(&json!({"data": {"api_key": SECRET}, "options": {"cas": 0}})), "{bodies:?}");
    assert!(bodies.iter().any(|body| body["secret_id"] == SECRET), "{bodies:?}");
    for request in &heard {
        let (head, _) = request.split_once("\r\n\r\n").expect("a request");
        let lines = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("x-vault-token: "));
        assert!(lines.clone().all(|line| !line.contains(SECRET)), "{head}");
    }
}

#[tokio::test]
async fn s02_s04_s17_a_rotation_leaves_fingerprints_in_log_and_mails_and_hashes_in_the_stores_audit_log() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    stage.start().await;
    stage.date_from_now();
    let (_, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    stage.wait_promoted(&slot, &new).await;
    let audit = String::from_utf8(stage.bao.audit_log()).expect("text");
    let written = audit.lines().filter(|line| line.contains("\"secret/data/vendors/leaf7/main\""));
    let (reads, writes): (Vec<_>, Vec<_>) = written.partition(|line| !line.contains("\"cas\":"));
    assert!(!reads.is_empty() && !writes.is_empty(), "each request and answer is written down");
    for name in ["api_key", "api_key_previous"] {
        let hashed = format!("\"{name}\":\"hmac-sha256:");
        assert!(writes.iter().any(|line| line.contains(&hashed)), "{name}: {writes:?}");
    }
    assert!(audit.contains("\"secret_id\":\"hmac-sha256:"), "the login is written down");
    // Everybody speaks who has something to say of the wire.
    let log = stage.daemon.log();
    for words in
        ["starting new connection", "Using ciphersuite", "pooling idle connection", &new.fingerprint().hex()]
    {
        assert!(log.contains(words), "{words:?} is in the log at TRACE");
    }
    let told = stage.wait_mail("the rotation is complete", |mail| mail.code == "rotated").await;
    assert!(told.text.contains(&new.fingerprint().hex()), "{told:?}");
    for mail in stage.smtp.mails() {
        assert!(!mail.contains("keeps working for another"), "a vendor's mail is quoted: {mail}");
    }
    // No secret is in any of them: each looks itself when it ends.
    stage.end().await;
}
