//! Genuine mails that come again, or to the wrong place: nothing goes back to an earlier key, whatever of our memory
//! is left.

use crate::{
    rotation::stage::{GRACE, Slot, Stage, now},
    world::until,
};
use keyrelay::{
    demo::{dns::TxtBehaviour, sign::Signer},
    domain::Key,
};
use serde_json::json;
use std::{fs, time::Duration};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

#[tokio::test]
async fn r08_m11_last_years_confirmation_changes_nothing_with_our_memory_and_without_it() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    stage.pin(&slot);
    stage.next_date = (now() - YEAR).whole_secs();
    stage.start().await;
    let (old, last_year) = stage.rotate(&slot);
    let replayed = stage.confirmation(&slot, 0, &old, &last_year);
    stage.dovecot.deliver(&replayed, "INBOX").await;
    stage.wait_promoted(&slot, &last_year).await;
    stage.date_from_now();
    let (old, current) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &current).await;
    stage.wait_promoted(&slot, &current).await;
    // Last year's key still works: nothing but its age is against it.
    assert!(stage.vendor.is_alive(&last_year));

    stage.dovecot.deliver(&replayed, "INBOX").await;
    unmoved(&mut stage, &slot, &current, 1).await;

    assert_eq!(stage.daemon.term().await.code(), Some(0), "the daemon ends in peace");
    stage.bao.delete(&format!("keyrelay/{}", slot.name)).await;
    fs::remove_dir_all(stage.daemon.state_dir()).expect("the state folder");
    fs::create_dir(stage.daemon.state_dir()).expect("an empty one");
    stage.dovecot.deliver(&replayed, "INBOX").await;
    stage.daemon.start_up().await;
    stage.daemon.wait_ready().await;
    unmoved(&mut stage, &slot, &current, 2).await;
    stage.dovecot.deliver(&replayed, "Junk").await;
    unmoved(&mut stage, &slot, &current, 3).await;

    stage.date_from_now();
    let (old, next) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &next).await;
    stage.wait_promoted(&slot, &next).await;
    assert_eq!(stage.document(&slot).await.expect("a document")["api_key_generation"], 3);
    stage.end().await;
}

/// A warning that comes after the old mail is heard, so the old mail was seen: the key is as it was.
async fn unmoved(stage: &mut Stage, slot: &Slot, current: &Key, warnings: u64) {
    stage.next_date = now().whole_secs() + Duration::from_secs(warnings);
    let dated = stage.warn(slot, 0).await;
    let expected = json!(dated + GRACE);
    stage
        .wait(slot, "the warning is heard", |found| {
            (found["next_rotation_expected_at"] == expected).then_some(())
        })
        .await;
    let found = stage.credential(slot).await;
    let hex = json!(current.fingerprint().hex());
    assert_eq!((&found["fingerprint"], &found["generation"], &found["held"]), (&hex, &json!(2), &json!([])));
    let document = stage.document(slot).await.expect("a document");
    assert_eq!(
        (&document["api_key"], &document["api_key_generation"]),
        (&json!(current.expose()), &json!(2))
    );
}

#[tokio::test]
async fn r14_m14_a_mail_whose_signing_key_has_left_the_dns_is_told_and_one_whose_key_cannot_be_asked_for_waits()
 {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    stage.date_from_now();
    let (_, new) = stage.rotate(&slot);
    // Between delivery and look the vendor has put another key under the selector.
    stage.confirm(&slot, 0, &old, &new).await;
    let (name, _) = stage.signer.txt_record();
    let later = Signer::generate("leaf7.fun", "s1").expect("a signing key");
    stage.dns.set(&name, TxtBehaviour::Records(vec![later.txt_record().1]));
    stage.start().await;
    let told = stage.wait_mail("the signature does not hold", |mail| mail.code == "mail-suspicious").await;
    assert!(told.subject.contains("the signature of leaf7.fun does not hold"), "{}", told.subject);
    let found = stage.credential(&slot).await;
    assert_eq!((&found["generation"], &found["held"]), (&json!(0), &json!([])));

    // The same key, signed anew; the DNS does not answer for that selector yet.
    stage.signer = Signer::generate("leaf7.fun", "s2").expect("a signing key");
    let (name, record) = stage.signer.txt_record();
    stage.dns.set(&name, TxtBehaviour::ServerFailure);
    stage.confirm(&slot, 0, &old, &new).await;
    until("the DNS was asked, and asked again", async || (stage.dns.questions(&name) > 2).then_some(()))
        .await;
    assert_eq!(stage.document(&slot).await, Some(json!({"api_key": old.expose()})));
    stage.dns.set(&name, TxtBehaviour::Records(vec![record]));
    stage.wait_promoted(&slot, &new).await;
    stage.end().await;
}
