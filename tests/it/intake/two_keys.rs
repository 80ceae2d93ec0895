//! Mails out of order, mails that come twice, and two keys within minutes.

use crate::rotation::stage::{Stage, codes};
use keyrelay::demo::{
    mails::warning,
    simulator::{Faults, Outcome},
};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn r20_one_rotation_is_one_promotion_whatever_comes_twice_or_late_and_a_second_key_waits_for_its_proof()
{
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    stage.date_from_now();
    // The warning, a first key, a second one: all of them there before anybody looks, in the wrong order and twice.
    let fields = stage.fields(&slot, &old, &old);
    let warned = stage.signer.sign(&warning(0, &fields));
    let (_, first) = stage.rotate(&slot);
    let earlier = stage.confirmation(&slot, 0, &old, &first);
    let (_, second) = stage.rotate(&slot);
    let newest = stage.confirmation(&slot, 0, &first, &second);
    for mail in [&newest, &earlier, &newest, &earlier] {
        stage.dovecot.deliver(mail, "INBOX").await;
    }
    stage.start().await;
    stage.wait_promoted(&slot, &second).await;
    // The warning is late, and the newest comes once more, also into Junk.
    stage.dovecot.deliver(&newest, "INBOX").await;
    stage.dovecot.deliver(&newest, "Junk").await;
    stage.dovecot.deliver(&warned, "INBOX").await;
    stage.restart().await;
    stage.wait(&slot, "all is calm", |found| (found["phase"] == "steady").then_some(())).await;
    let found = stage.credential(&slot).await;
    assert_eq!((&found["generation"], &found["held"]), (&json!(1), &json!([])), "{:?}", codes(&found));
    assert_eq!(stage.versions(&slot).await.0, 2, "the seed, and one promotion");

    // Two keys within minutes, the second of which does not work yet: the first is promoted meanwhile.
    let (_, third) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &second, &third).await;
    stage.vendor.set_faults(Faults::late_by(Duration::from_secs(3)));
    let (_, fourth) = stage.rotate(&slot);
    stage.wait_promoted(&slot, &third).await;
    stage.confirm(&slot, 0, &third, &fourth).await;
    stage.wait_promoted(&slot, &fourth).await;
    let document = stage.document(&slot).await.expect("a document");
    let expected = (&json!(3), &json!(third.expose()));
    assert_eq!((&document["api_key_generation"], &document["api_key_previous"]), expected);
    let refused = (Some(fourth.fingerprint()), Outcome::Refused);
    assert!(stage.vendor.requests().contains_key(&refused), "it was tried before it worked");
    stage.end().await;
}

#[tokio::test]
async fn r21_a_confirmation_in_junk_is_found_judged_like_any_other_and_told() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    stage.date_from_now();
    // Junk is looked at with each poll.
    stage.config.set("schedules.mailbox_poll", "* * * * * *");
    stage.start().await;
    stage.wait(&slot, "the key is known", |found| (found["phase"] == "steady").then_some(())).await;

    let (_, new) = stage.rotate(&slot);
    let mut changed = stage.confirmation(&slot, 0, &old, &new);
    let end = changed.len() - 3;
    changed.splice(end..end, *b"!");
    stage.dovecot.deliver(&changed, "Junk").await;
    let suspicious =
        |found: &serde_json::Value| codes(found).contains(&"mail-suspicious".to_owned()).then_some(());
    stage.wait(&slot, "the changed one is suspicious", suspicious).await;
    assert_eq!(stage.credential(&slot).await["fingerprint"], old.fingerprint().hex());

    let genuine = stage.confirmation(&slot, 0, &old, &new);
    stage.dovecot.deliver(&genuine, "Junk").await;
    stage.wait_promoted(&slot, &new).await;
    let told = stage.wait_mail("it was filed as junk", |mail| mail.code == "mail-in-junk").await;
    assert!(
        told.text.contains("tell the mail server that mails from security@leaf7.fun are wanted"),
        "{}",
        told.text
    );

    let (old, next) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &next).await;
    stage.wait_promoted(&slot, &next).await;
    let calm = |found: &serde_json::Value| (!codes(found).contains(&"mail-in-junk".to_owned())).then_some(());
    stage.wait(&slot, "it is resolved", calm).await;
    stage.end().await;
}
