//! What becomes of a confirmation once its rotation is over, where the operator wants something done with it.

use super::{
    consumers::{FileConsumer, all_in_use},
    stage::{Alert, Slot, Stage, codes},
};
use crate::world::{Dovecot, until};
use keyrelay::{
    demo::{consumer::Manner, mails},
    domain::Key,
};
use serde_json::{Value, json};

/// One credential with one consumer, its old key in the store and in use; the mailbox is looked at when it has news,
/// and never because a minute is over.
async fn wishing(settled: Value) -> (Stage, Slot, FileConsumer, Key) {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    stage
        .config
        .set("mailboxes.vendor-mail.settled", settled)
        .set("mailboxes.vendor-mail.report_copies", true)
        .set("schedules.mailbox_poll", "0 0 1 1 *");
    let old = stage.seed(&slot).await;
    shop.put(&old);
    stage.date_from_now();
    (stage, slot, shop, old)
}

fn confirmation(stage: &mut Stage, slot: &Slot, old: &Key, new: &Key) -> Vec<u8> {
    let fields = stage.fields(slot, old, new);
    stage.signer.sign(&mails::confirmation(0, &fields))
}

async fn make_folder(stage: &Stage, name: &str) {
    stage.dovecot.doveadm(&["mailbox", "create", "-u", Dovecot::USER, name]).await;
}
async fn holds(stage: &Stage, folder: &str, count: usize) {
    until(&format!("{folder} holds {count} mails"), async || {
        (stage.dovecot.mail_count(folder).await == count).then_some(())
    })
    .await;
}
/// Its text, without its lines.
fn words(mail: &Alert) -> String {
    mail.text.split_whitespace().collect::<Vec<_>>().join(" ")
}
async fn begin_again(stage: &mut Stage) {
    stage.daemon.start_up().await;
    stage.daemon.wait_ready().await;
}

#[tokio::test]
async fn s23_a_confirmation_is_moved_with_its_copy_in_junk_and_nothing_else_is_touched() {
    let (mut stage, slot, _shop, old) = wishing(json!({"move": "Rotated & done"})).await;
    make_folder(&stage, "Rotated & done").await;
    // Its owner has marked it, and has not expunged it yet.
    stage.dovecot.deliver(b"From: friend@example.org\r\nSubject: lunch\r\n\r\nnoon?\r\n", "INBOX").await;
    stage
        .dovecot
        .doveadm(&["flags", "add", "-u", Dovecot::USER, "\\Deleted", "mailbox", "INBOX", "all"])
        .await;
    let (_, new) = stage.rotate(&slot);
    let mail = confirmation(&mut stage, &slot, &old, &new);
    for folder in ["INBOX", "Junk"] {
        stage.dovecot.deliver(&mail, folder).await;
    }
    stage.start().await;
    stage.wait_promoted(&slot, &new).await;
    holds(&stage, "Rotated & done", 2).await;
    holds(&stage, "Junk", 0).await;
    holds(&stage, "INBOX", 1).await;
    assert!(
        stage.dovecot.flags("INBOX").await[0].contains("\\Deleted"),
        "its owner's mail and mark are there"
    );
    let fetch = ["fetch", "-u", Dovecot::USER, "text", "mailbox", "Rotated & done", "all"];
    let moved = stage.dovecot.doveadm(&fetch).await;
    assert_eq!(moved.matches(new.expose()).count(), 2, "whole, and in both");
    let told = stage.wait_mail("the copies are told of", |mail| mail.code == "mail-copies").await;
    assert!(
        words(&told).contains("lay in the mailbox vendor-mail 2 times: 1 in INBOX, 1 in Junk"),
        "{told:?}"
    );

    // Who was idling idles again: nothing else makes the next mail heard.
    let (old, newer) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &newer).await;
    stage.wait_promoted(&slot, &newer).await;
    holds(&stage, "Rotated & done", 3).await;
    holds(&stage, "INBOX", 1).await;
    assert_eq!(codes(&stage.credential(&slot).await), Vec::<String>::new());
    stage.end().await;
}

#[tokio::test]
async fn s23_killed_before_a_consumer_works_with_the_key_its_mail_is_there_and_goes_when_it_does() {
    let (mut stage, slot, shop, old) = wishing(json!("delete")).await;
    stage.start().await;
    stage
        .wait(&slot, "the consumer is tested", |found| all_in_use(found, &["shop"], &old).then_some(()))
        .await;
    shop.consumer.set_manner(Manner::Failing);
    let (_, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    stage.wait_promoted(&slot, &new).await;
    until("the consumer was asked in vain", async || {
        stage.credential(&slot).await["consumers"][0]["error"].is_string().then_some(())
    })
    .await;
    stage.daemon.kill9();
    assert_eq!(stage.dovecot.mail_count("INBOX").await, 1, "a consumer is not proven yet");
    begin_again(&mut stage).await;
    stage
        .wait(&slot, "it is handed over still", |found| (found["phase"] == "handing_over").then_some(()))
        .await;
    assert_eq!(stage.dovecot.mail_count("INBOX").await, 1);

    shop.consumer.set_manner(Manner::Honest);
    holds(&stage, "INBOX", 0).await;
    let found = stage.credential(&slot).await;
    assert!(all_in_use(&found, &["shop"], &new), "{found}");
    assert_eq!(stage.document(&slot).await.expect("a key document")["api_key"], new.expose());
    stage.restart().await;
    stage.wait(&slot, "all is calm", |found| (found["phase"] == "steady").then_some(())).await;
    assert_eq!(codes(&stage.credential(&slot).await), Vec::<String>::new());
    assert!(stage.alerts().iter().all(|mail| mail.code != "mail-copies"), "there was one alone");
    stage.end().await;
}

#[tokio::test]
async fn imap01_s23_a_folder_that_is_missing_is_told_of_and_the_mail_stays_until_it_is_there() {
    let (mut stage, slot, _shop, old) = wishing(json!({"move": "Rotated"})).await;
    stage.start().await;
    let (_, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    stage.wait_promoted(&slot, &new).await;
    let told = stage.wait_mail("it is told of", |mail| mail.code == "mail-not-tidied").await;
    assert!(words(&told).contains("UID MOVE to \"Rotated\" is refused: "), "{told:?}");
    assert_eq!(stage.dovecot.mail_count("INBOX").await, 1);
    let flags = stage.dovecot.flags("INBOX").await;
    assert!(!flags.concat().contains("\\Deleted") && !flags.concat().contains("\\Seen"), "{flags:?}");

    // Killed between the end of the rotation and the move; and what was noted of the mail's place holds no more.
    stage.daemon.kill9();
    stage.dovecot.set_uidvalidity("INBOX", 4_711).await;
    make_folder(&stage, "Rotated").await;
    begin_again(&mut stage).await;
    holds(&stage, "Rotated", 1).await;
    holds(&stage, "INBOX", 0).await;
    let ends = |mail: &Alert| mail.code == "mail-not-tidied" && mail.subject.contains("resolved");
    stage.wait_mail("its end is told", ends).await;
    stage.wait(&slot, "nothing is open", |found| codes(found).is_empty().then_some(())).await;
    stage.end().await;
}
