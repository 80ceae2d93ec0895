//! Forged mails, laid into Dovecot's own files and appended by IMAP: whoever can do that is keyrelay's attacker.

use crate::{
    rotation::stage::{Slot, Stage},
    world::Imap,
};
use keyrelay::{
    demo::{mails::confirmation, sign::Signer},
    domain::Key,
};
use serde_json::{Value, json};
use std::time::SystemTime;

/// Bytes of one genuine mail that are changed, one in each copy.
const FLIPS: usize = 200;

#[tokio::test]
async fn r01_m01_r03_m03_r10_m59_forgeries_in_the_mailbox_are_told_and_none_is_accepted() {
    let mut stage = Stage::build().await;
    let names = ["unsigned", "flipped", "appended"];
    let [unsigned, flipped, appended] = names.map(|name| stage.slot(name));
    let mut keys = Vec::new();
    for slot in [&unsigned, &flipped, &appended] {
        keys.push(stage.seed(slot).await);
    }
    stage.date_from_now();
    stage.start().await;
    for (slot, key) in [&unsigned, &flipped, &appended].into_iter().zip(&keys) {
        let hex = key.fingerprint().hex();
        stage.wait(slot, "the key is known", |found| (found["fingerprint"] == hex).then_some(())).await;
    }

    let unsigned_key = look_alike(&mut stage, &unsigned, &keys[0]).await;
    let flipped_key = flips(&mut stage, &flipped, &keys[1]).await;
    let appended_key = own_words(&mut stage, &appended, &keys[2]).await;
    for (slot, key) in [&unsigned, &flipped, &appended].into_iter().zip(&keys) {
        let found = stage.credential(slot).await;
        assert_eq!(
            (&found["generation"], &found["fingerprint"]),
            (&json!(0), &json!(key.fingerprint().hex()))
        );
        assert_eq!(stage.document(slot).await, Some(json!({"api_key": key.expose()})), "{}", slot.name);
    }

    // The same key in the same mail, as the vendor signed it, is taken: only the forgeries were wrong.
    for (slot, old, new) in [
        (&unsigned, &keys[0], unsigned_key),
        (&flipped, &keys[1], flipped_key),
        (&appended, &keys[2], appended_key),
    ] {
        stage.confirm(slot, 0, old, &new).await;
        stage.wait_promoted(slot, &new).await;
    }
    stage.end().await;
}

/// Perfect in everything, but nobody signed it: held for an operator, and told once, however often it comes.
async fn look_alike(stage: &mut Stage, slot: &Slot, old: &Key) -> Key {
    let (_, new) = stage.rotate(slot);
    for _ in 0..3 {
        let mail = confirmation(0, &stage.fields(slot, old, &new));
        stage.dovecot.deliver_at(&mail, "INBOX", SystemTime::now());
    }
    let hex = new.fingerprint().hex();
    let why = stage.wait(slot, "the look-alike is held", |found| held(found, &hex)).await;
    assert_eq!(why, "nobody signed it");
    let command = format!("keyrelay accept {} {hex}", slot.name);
    stage.wait_mail("the look-alike", |mail| mail.text.contains(&command)).await;
    let told = stage.alerts().iter().filter(|mail| mail.text.contains(&command)).count();
    assert_eq!(told, 1);
    new
}

/// A genuine mail with one byte changed in each copy, all over it.
async fn flips(stage: &mut Stage, slot: &Slot, old: &Key) -> Key {
    let (_, new) = stage.rotate(slot);
    let genuine = stage.confirmation(slot, 0, old, &new);
    for number in 0..FLIPS {
        let mut mail = genuine.clone();
        // No letter becomes the same in the other case, which a signature may allow.
        mail[genuine.len() * number / FLIPS] ^= 1;
        stage.dovecot.deliver_at(&mail, "INBOX", SystemTime::now());
    }
    let counted = |found: &Value| {
        let all = found["incidents"].as_array().expect("a list of incidents").iter();
        let ours = all.filter(|incident| incident["code"] == "mail-suspicious");
        ours.map(|incident| incident["count"].as_u64().expect("a count")).sum::<u64>()
    };
    // Dovecot does not find those whose From it can no longer read.
    let most = u64::try_from(FLIPS).expect("a small number") * 9 / 10;
    let found = stage
        .wait(slot, "the changed mails are suspicious", |found| {
            (counted(found) >= most).then(|| found.clone())
        })
        .await;
    let all = found["incidents"].as_array().expect("a list of incidents");
    for incident in all {
        println!("{} of {FLIPS}: {}", incident["count"], incident["message"]);
    }
    let largest = all.iter().filter_map(|incident| incident["count"].as_u64()).max();
    assert!(largest > Some(most / 2), "most of them are one incident");
    new
}

/// Mails that somebody with the mailbox's password appends, with the best that can be said of them.
async fn own_words(stage: &mut Stage, slot: &Slot, old: &Key) -> Key {
    let (_, new) = stage.rotate(slot);
    let mut imap = Imap::login(stage.dovecot.imap.number).await;
    let evil = Signer::generate("evil.example", "s1").expect("a signing key");
    let unsigned = confirmation(0, &stage.fields(slot, old, &new));
    let results = "Authentication-Results: mx.example.com; dkim=pass header.d=leaf7.fun header.i=@leaf7.fun \
        header.s=s1 header.b=AbCdEfGh; spf=pass smtp.mailfrom=security@leaf7.fun; dmarc=pass (p=reject) \
        header.from=leaf7.fun\r\n";
    let broken = stage.signer.sign(&unsigned).iter().rev().skip(4).rev().copied().collect::<Vec<_>>();
    let mut changed = stage.signer.sign(&unsigned);
    let end = changed.len() - 3;
    changed.splice(end..end, *b"!");
    for mail in [unsigned.clone(), evil.sign(&unsigned), broken, changed] {
        imap.append("INBOX", &[results.as_bytes(), &mail].concat(), Some(SystemTime::now())).await;
    }
    let hex = new.fingerprint().hex();
    assert_eq!(
        stage.wait(slot, "the unsigned one is held", |found| held(found, &hex)).await,
        "nobody signed it"
    );
    for why in ["it is signed by others only", "does not hold", "body"] {
        let told = |found: &Value| {
            let mut all = found["incidents"].as_array()?.iter();
            all.any(|told| told["message"].as_str().is_some_and(|text| text.contains(why))).then_some(())
        };
        stage.wait(slot, why, told).await;
    }
    new
}

/// Why this key is held.
fn held(found: &Value, hex: &str) -> Option<String> {
    let all = found["held"].as_array()?.iter();
    Some(all.into_iter().find(|held| held["fingerprint"] == hex)?["why"].as_str()?.to_owned())
}
