//! The rows of the first start, all at once: one daemon, a credential for each row, and the mails that were there
//! before it.

use super::stage::{Slot, Stage, codes};
use keyrelay::domain::Key;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn every_row_of_the_first_start_is_as_the_table_says() {
    let mut stage = Stage::build().await;
    // Written into the store before the mails' Dates, by an hour.
    let names =
        ["absent-pinned", "absent", "seeded", "newer", "older", "deleted", "nothing", "dead-pinned", "dead"];
    let [absent_pinned, absent, seeded, newer, older, deleted, nothing, dead_pinned, dead] =
        names.map(|name| stage.slot(name));
    stage.pin(&absent_pinned);
    stage.pin(&dead_pinned);
    for slot in [&seeded, &newer, &older, &deleted, &dead_pinned, &dead] {
        stage.seed(slot).await;
    }
    stage.bao.delete(&deleted.path).await;
    let mut mailed = Vec::new();
    for slot in [&absent_pinned, &absent, &older] {
        mailed.push(confirmed(&mut stage, slot).await);
    }
    stage.next_date = super::stage::now().whole_secs() + Duration::from_secs(1);
    for slot in [&newer, &dead_pinned, &dead] {
        mailed.push(confirmed(&mut stage, slot).await);
    }
    let [by_pin, by_hand, history, next, after_death, held_after_death] =
        <[Key; 6]>::try_from(mailed).expect("six keys");
    for slot in [&dead_pinned, &dead] {
        stage.vendor.end_grace(slot.account);
    }
    stage.start().await;

    promoted(&mut stage, &absent_pinned, &by_pin).await;
    promoted(&mut stage, &newer, &next).await;
    promoted(&mut stage, &dead_pinned, &after_death).await;
    let no_pin = "there is no key to compare it with, and no account is pinned";
    held(&mut stage, &absent, &by_hand, no_pin).await;
    let unproven = "the current key is dead, no account was recorded, and none is pinned";
    held(&mut stage, &dead, &held_after_death, unproven).await;
    let dated_before = stage.wait(&older, "the mail is history", held_why(&history)).await;
    assert!(dated_before.contains("before the current key"), "{dated_before}");

    seeded_is_recorded(&mut stage, &seeded).await;
    for (slot, code) in [(&nothing, "unseeded"), (&deleted, "document-deleted")] {
        told_to_ingest(&mut stage, slot, code).await;
    }
    for (slot, versions) in
        [(&seeded, 1), (&older, 1), (&deleted, 1), (&absent, 0), (&nothing, 0), (&dead, 1)]
    {
        assert_eq!(stage.versions(slot).await.0, versions, "{}: nothing was written", slot.name);
    }

    let fingerprint = by_hand.fingerprint().hex();
    let unasked = stage.keyrelay(&["accept", "absent", &fingerprint], "").await;
    assert_eq!(unasked.code, Some(1), "{unasked:?}");
    let accepted = stage.keyrelay(&["accept", "absent", &fingerprint, "--yes"], "").await;
    assert_eq!(accepted.code, Some(0), "{accepted:?}");
    promoted(&mut stage, &absent, &by_hand).await;
    let again = stage.keyrelay(&["accept", "absent", &fingerprint, "--yes"], "").await;
    assert_eq!(again.code, Some(1), "{again:?}");
    stage.end().await;
}

async fn seeded_is_recorded(stage: &mut Stage, seeded: &Slot) {
    let found = stage.wait(seeded, "its account is recorded", recorded).await;
    assert_eq!((&found["phase"], &found["generation"]), (&json!("steady"), &json!(0)));
    assert_eq!(found["account"], json!([seeded.project]));
    let project = &seeded.project;
    stage
        .wait_mail("the account", |mail| {
            mail.code == "account-recorded" && mail.text.contains(project.as_str())
        })
        .await;
}

async fn told_to_ingest(stage: &mut Stage, slot: &Slot, code: &str) {
    stage.wait(slot, code, |found| codes(found).contains(&code.to_owned()).then_some(())).await;
    let told =
        stage.wait_mail(code, |mail| mail.code == code && mail.subject.contains(slot.name.as_str())).await;
    assert!(told.text.contains(&format!("keyrelay ingest {}", slot.name)), "{}", told.text);
}

/// The vendor rotates, and its confirmation lies in the mailbox.
async fn confirmed(stage: &mut Stage, slot: &Slot) -> Key {
    let (old, new) = stage.rotate(slot);
    stage.confirm(slot, 0, &old, &new).await;
    new
}

async fn promoted(stage: &mut Stage, slot: &Slot, key: &Key) {
    stage.wait_promoted(slot, key).await;
    let document = stage.document(slot).await.expect("a key document");
    assert_eq!((&document["api_key"], &document["api_key_generation"]), (&json!(key.expose()), &json!(1)));
}

/// Held, told of with the command that lets it in, and the document is as it was.
async fn held(stage: &mut Stage, slot: &Slot, key: &Key, why: &str) {
    let found = stage.wait(slot, "the key is held", held_why(key)).await;
    assert_eq!(found, why, "{}", slot.name);
    let command = format!("keyrelay accept {} {}", slot.name, key.fingerprint().hex());
    stage.wait_mail(&command, |mail| mail.code == "candidate-held" && mail.text.contains(&command)).await;
}

fn held_why(key: &Key) -> impl Fn(&Value) -> Option<String> {
    let hex = key.fingerprint().hex();
    move |found| {
        let held = found["held"].as_array()?;
        let ours = held.iter().find(|held| held["fingerprint"] == hex && held["from"] == "mail")?;
        Some(ours["why"].as_str()?.to_owned())
    }
}

fn recorded(found: &Value) -> Option<Value> {
    (found["account"] != json!([])).then(|| found.clone())
}
