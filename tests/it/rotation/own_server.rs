//! What the mailbox's own server says of a mail, on real servers: it may hold one back, and lets none in.

use super::stage::Stage;
use keyrelay::demo::mails::confirmation;
use serde_json::json;

const PASSES: &str = "Authentication-Results: mx.example.com; dkim=pass header.d=leaf7.fun; dmarc=pass header.from=leaf7.fun\r\n";
const FAILS: &str = "Authentication-Results: mx.example.com; dkim=fail header.d=leaf7.fun\r\n";

#[tokio::test]
async fn m26_m59_r10_the_own_servers_results_hold_a_genuine_mail_and_let_no_forged_one_in() {
    let mut stage = Stage::build().await;
    stage.config.set("mailboxes.vendor-mail.authserv_id", json!("mx.example.com"));
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    stage.start().await;
    stage.wait(&slot, "the key is known", |found| (found["phase"] == "steady").then_some(())).await;
    stage.date_from_now();

    // Nobody signed it, and somebody put it into the mailbox with the server's own words on top.
    let (_, first) = stage.rotate(&slot);
    let mail = confirmation(0, &stage.fields(&slot, &old, &first));
    stage.dovecot.deliver(&[PASSES.as_bytes(), &mail].concat(), "INBOX").await;
    // The vendor signed it, and the server found that it had not.
    let (_, second) = stage.rotate(&slot);
    let mail = confirmation(1, &stage.fields(&slot, &old, &second));
    let mail = stage.signer.sign(&mail);
    stage.dovecot.deliver(&[FAILS.as_bytes(), &mail].concat(), "INBOX").await;
    let held = stage
        .wait(&slot, "both are held", |found| {
            let held = found["held"].as_array()?;
            (held.len() == 2)
                .then(|| held.iter().map(|key| key["why"].as_str().unwrap().to_owned()).collect())
        })
        .await;
    let mut held: Vec<String> = held;
    held.sort();
    let why = "mx.example.com says that the signature of leaf7.fun does not hold (dkim=fail)";
    assert_eq!(held, [why, "nobody signed it"]);
    let says = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").contains(why);
    let told =
        stage.wait_mail("what is held", |mail| mail.code == "candidate-held" && says(&mail.text)).await;
    assert!(told.text.contains("keyrelay accept main"), "{}", told.text);
    assert_eq!(stage.document(&slot).await, Some(json!({"api_key": old.expose()})));

    // The same words on top of a genuine mail are of no account.
    let (_, third) = stage.rotate(&slot);
    let mail = confirmation(2, &stage.fields(&slot, &old, &third));
    let mail = stage.signer.sign(&mail);
    stage.dovecot.deliver(&[PASSES.as_bytes(), &mail].concat(), "INBOX").await;
    stage.wait_promoted(&slot, &third).await;
    stage.end().await;
}
