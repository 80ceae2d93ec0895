//! Mails that the server has put into Junk.

use super::stage::{Stage, codes};
use crate::world::until;
use keyrelay::demo::mails;

#[tokio::test]
async fn r21_imap14_a_confirmation_in_junk_is_found_told_of_and_judged_as_strictly_as_any_other() {
    let mut stage = Stage::build().await;
    stage.config.set("schedules.mailbox_poll", "* * * * * *");
    let slot = stage.slot("leaf7-main");
    stage.seed(&slot).await;
    stage.start().await;
    stage.date_from_now();

    // What is not signed is no better for lying there.
    let (old, new) = stage.rotate(&slot);
    let fields = stage.fields(&slot, &old, &new);
    let forged = mails::confirmation(0, &fields);
    stage.dovecot.deliver(&forged, "Junk").await;
    stage
        .wait(&slot, "the forgery is told", |credential| {
            let codes = codes(credential);
            codes.iter().any(|code| code == "mail-suspicious" || code == "candidate-held").then_some(())
        })
        .await;
    assert_ne!(stage.credential(&slot).await["fingerprint"], new.fingerprint().hex());
    assert!(stage.alerts().iter().all(|alert| alert.code != "mail-in-junk"), "it is not genuine");

    let fields = stage.fields(&slot, &old, &new);
    let genuine = stage.signer.sign(&mails::confirmation(0, &fields));
    stage.dovecot.deliver(&genuine, "Junk").await;
    stage.wait_promoted(&slot, &new).await;
    let told = stage.wait_mail("it lay in Junk", |alert| alert.code == "mail-in-junk").await;
    assert!(told.text.contains("Junk"), "{}", told.text);

    // INBOX is no Junk.
    let (old, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    stage.wait_promoted(&slot, &new).await;
    until("everything is told", async || {
        let told: Vec<_> = stage.alerts().into_iter().map(|alert| alert.code).collect();
        (told.iter().filter(|code| *code == "rotated").count() == 2).then_some(())
    })
    .await;
    let told = stage.alerts().into_iter().filter(|alert| alert.code == "mail-in-junk");
    assert!(
        told.filter(|alert| alert.references.is_empty()).count() == 1,
        "of one mail once, and of its end"
    );
    stage.end().await;
}
