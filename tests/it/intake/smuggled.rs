//! What an attacker sends through a real Postfix: header games, and mails inside mails (SMTP smuggling). Whatever the
//! mail server lets through, keyrelay does not accept.

use crate::{
    rotation::stage::{SENDER, Slot, Stage},
    world::{Postfix, until},
};
use keyrelay::{demo::mails::confirmation, domain::Key};
use serde_json::json;
use std::time::SystemTime;

const ATTACKER: &str = "attacker@evil.example";
/// What some server somewhere takes for the end of a mail, and Postfix perhaps does not, or the other way round.
const ENDS: [(&str, &str); 12] = [
    ("LF . LF", "\n.\n"),
    ("LF . CRLF", "\n.\r\n"),
    ("CRLF . LF", "\r\n.\n"),
    ("CR . CR", "\r.\r"),
    ("CR . CRLF", "\r.\r\n"),
    ("CRLF . CR", "\r\n.\r"),
    ("CR . LF", "\r.\n"),
    ("LF . CR", "\n.\r"),
    ("CRLF NUL . CRLF", "\r\n\0.\r\n"),
    ("CRLF . NUL CRLF", "\r\n.\0\r\n"),
    ("CRCRLF . CRCRLF", "\r\r\n.\r\r\n"),
    ("LF . CRCRLF", "\n.\r\r\n"),
];
const GENUINE: &str = "From: Leaf7 <security@leaf7.fun>\r\n";
/// What stands in place of the genuine From, which is signed: more than one, none that can be read, or another.
const FROMS: [(&str, &str); 22] = [
    ("attacker's above", "From: A <a@evil.example>\r\nFrom: Leaf7 <security@leaf7.fun>\r\n"),
    ("attacker's below", "From: Leaf7 <security@leaf7.fun>\r\nFrom: A <a@evil.example>\r\n"),
    ("the same twice", "From: Leaf7 <security@leaf7.fun>\r\nFrom: Leaf7 <security@leaf7.fun>\r\n"),
    ("upper case above", "FROM: A <a@evil.example>\r\nFrom: Leaf7 <security@leaf7.fun>\r\n"),
    ("blank before the name", " From: A <a@evil.example>\r\nFrom: Leaf7 <security@leaf7.fun>\r\n"),
    ("blank before the colon, above", "From : A <a@evil.example>\r\nFrom: Leaf7 <security@leaf7.fun>\r\n"),
    ("blank before the colon, below", "From: Leaf7 <security@leaf7.fun>\r\nFrom : A <a@evil.example>\r\n"),
    ("tab before the colon", "From\t: A <a@evil.example>\r\nFrom: Leaf7 <security@leaf7.fun>\r\n"),
    (
        "folded before the colon, above",
        "From\r\n : A <a@evil.example>\r\nFrom: Leaf7 <security@leaf7.fun>\r\n",
    ),
    (
        "folded before the colon, below",
        "From: Leaf7 <security@leaf7.fun>\r\nFrom\r\n : A <a@evil.example>\r\n",
    ),
    ("folded before the address", "From:\r\n A <a@evil.example>\r\nFrom: Leaf7 <security@leaf7.fun>\r\n"),
    ("two addresses, attacker's first", "From: <a@evil.example>, <security@leaf7.fun>\r\n"),
    ("two addresses, attacker's last", "From: <security@leaf7.fun>, <a@evil.example>\r\n"),
    ("a group", "From: Leaf7: a@evil.example, security@leaf7.fun;\r\n"),
    ("an encoded word", "From: =?utf-8?b?PHNlY3VyaXR5QGxlYWY3LmZ1bj4=?=, <a@evil.example>\r\n"),
    ("a route", "From: <@evil.example,@any.example:security@leaf7.fun>\r\n"),
    ("a quoted pair", "From: <security@leaf7.fun>\\,<a@evil.example>\r\n"),
    ("a bare address first", "From: security@leaf7.fun,<a@evil.example>\r\n"),
    ("text after the address", "From: <a@evil.example>security@leaf7.fun\r\n"),
    ("a display name", "From: \"security@leaf7.fun\" <a@evil.example>\r\n"),
    ("a domain that only begins so", "From: Leaf7 <security@leaf7.fun.evil.example>\r\n"),
    ("a Sender beside it", "From: A <a@evil.example>\r\nSender: Leaf7 <security@leaf7.fun>\r\n"),
];

#[tokio::test]
async fn r01_r05_m28_m29_m30_m31_r18_m50_m51_whatever_postfix_lets_through_is_not_accepted() {
    let mut stage = Stage::build().await;
    let Some(postfix) = Postfix::before(&stage.dovecot).await else { return };
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    stage.date_from_now();
    // A key of the vendor's, alive and ours: only the mails are wrong.
    let (_, new) = stage.rotate(&slot);
    let mut sent = smuggle(&mut stage, &postfix, &slot, &old, &new).await;
    sent += play_with_from(&mut stage, &postfix, &slot, &old, &new).await;
    // Perfect text, by the usual way, signed by nobody.
    let look_alike = confirmation(0, &stage.fields(&slot, &old, &new));
    postfix.send(SENDER, &slot.recipient, &look_alike).await;
    sent += 1;
    until("every mail is in the mailbox", async || {
        (stage.dovecot.mail_count("INBOX").await == sent).then_some(())
    })
    .await;

    stage.start().await;
    let hex = new.fingerprint().hex();
    let held = stage
        .wait(&slot, "what nobody signed is held", |found| {
            let held = found["held"].as_array()?;
            (!held.is_empty()).then(|| held.clone())
        })
        .await;
    assert_eq!(held.len(), 1, "{held:?}");
    assert_eq!((&held[0]["fingerprint"], &held[0]["why"]), (&json!(hex), &json!("nobody signed it")));
    let found = stage.credential(&slot).await;
    assert_eq!((&found["generation"], &found["fingerprint"]), (&json!(0), &json!(old.fingerprint().hex())));
    println!("{sent} mails lay in the mailbox; incidents: {:#}", found["incidents"]);

    // Through the same Postfix, as it should be.
    let genuine = stage.confirmation(&slot, 0, &old, &new);
    postfix.send(SENDER, &slot.recipient, &genuine).await;
    stage.wait_promoted(&slot, &new).await;
    assert_eq!(stage.document(&slot).await.expect("a document")["api_key"], new.expose());
    stage.end().await;
}

/// A mail whose text holds an end that is none, and after it a second mail from the vendor's own address, praised by
/// whoever checked the sending server only. Returns how many mails that made.
async fn smuggle(stage: &mut Stage, postfix: &Postfix, slot: &Slot, old: &Key, new: &Key) -> usize {
    let mut taken = 0;
    for (name, end) in ENDS {
        let inner = confirmation(0, &stage.fields(slot, old, new));
        let to = &slot.recipient;
        let data = [
            format!("From: <{ATTACKER}>\r\nTo: <{to}>\r\nSubject: hello\r\n\r\nhello{end}").as_bytes(),
            format!("MAIL FROM:<{SENDER}>\r\nRCPT TO:<{to}>\r\nDATA\r\n").as_bytes(),
            b"Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=leaf7.fun; dmarc=pass \
            header.from=leaf7.fun\r\n",
            &inner,
            b".\r\nQUIT\r\n",
        ]
        .concat();
        let mails = postfix.converse(ATTACKER, to, &data).await;
        println!("{name}: {}", if mails > 1 { "the second mail is let through" } else { "one mail" });
        taken += mails;
    }
    taken
}

/// Each form by way of Postfix, and laid into the mailbox's files. Returns how many mails that made.
async fn play_with_from(stage: &mut Stage, postfix: &Postfix, slot: &Slot, old: &Key, new: &Key) -> usize {
    for (name, form) in FROMS {
        let genuine = stage.confirmation(slot, 0, old, new);
        let genuine = String::from_utf8(genuine).expect("a text");
        assert!(genuine.contains(GENUINE), "{name}");
        let mail = genuine.replacen(GENUINE, form, 1);
        // One line begins with a blank, and must not continue the line before it.
        let mail = if form.starts_with(' ') { format!("{}{}", form, genuine) } else { mail };
        postfix.send(ATTACKER, &slot.recipient, mail.as_bytes()).await;
        stage.dovecot.deliver_at(mail.as_bytes(), "INBOX", SystemTime::now());
    }
    2 * FROMS.len()
}
