//! A whole rotation with Cyrus as the mailbox.

use crate::{
    rotation::{
        consumers::{Consumers, NAMES, all_in_use},
        stage::Stage,
    },
    world::{Ca, Cyrus, MailServer, until},
};

#[tokio::test]
async fn on_cyrus_a_confirmation_becomes_a_key_in_the_store_that_every_consumer_uses() {
    let mut stage = Stage::build().await;
    let ca = Ca::new();
    let cyrus = Cyrus::start(&ca).await;
    stage.config.set("mailboxes.vendor-mail", cyrus.mailbox());
    let slot = stage.slot("main");
    stage.pin(&slot);
    let consumers = Consumers::add(&mut stage, &slot).await;
    stage.start().await;

    let all_use = async |stage: &Stage, key| {
        until("every consumer is tested", async || {
            consumers.read_the_store(stage).await;
            all_in_use(&stage.credential(&slot).await, &NAMES, key).then_some(())
        })
        .await;
    };
    // Taken in as it comes from the vendor, and as a mail server's own delivery lays it there.
    let (old, new) = stage.rotate(&slot);
    let mail = stage.confirmation(&slot, 0, &old, &new);
    cyrus.deliver(&mail, "INBOX").await;
    stage.wait_promoted(&slot, &new).await;
    all_use(&stage, &new).await;

    let (old, new) = stage.rotate(&slot);
    let mail = stage.confirmation(&slot, 9, &old, &new);
    cyrus.take(&mail).await;
    stage.wait_promoted(&slot, &new).await;
    all_use(&stage, &new).await;
    assert_eq!(stage.document(&slot).await.expect("a document")["api_key_generation"], 2);
    assert!(!cyrus.flags("INBOX").await.concat().contains("Seen"));
    stage.end().await;
}
