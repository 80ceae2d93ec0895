//! A key's whole life at each vendor: put in, refused where it is the wrong one, handed over, and the one before it
//! revoked.

use super::desk::{Desk, all_in_use, vendor_name};
use crate::{rotation::stage::codes, world::until};
use keyrelay::{demo::simulator::Kind, domain::Key};
use serde_json::{Value, json};

#[tokio::test]
async fn a_leadey_keys_whole_life() {
    life(Kind::Leadey).await;
}

#[tokio::test]
async fn a_leafpad_keys_whole_life() {
    life(Kind::LeafPad).await;
}

async fn life(kind: Kind) {
    let mut desk = Desk::build(kind).await;
    desk.start().await;
    let told = desk.wait_mail("unseeded", false).await;
    assert!(told.text.contains("keyrelay ingest main") && told.text.contains("1. "), "{}", told.text);

    // Nobody knows yet whose account that is.
    let first = desk.vendor.current_key(desk.account);
    let ran = desk.ingest(first.expose(), &[]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("the key is held: "), "{ran:?}");
    assert_eq!(desk.document().await, None);
    desk.take_in(&first, &["--yes"]).await;
    desk.wait_mail("unseeded", true).await;

    refusals(&mut desk, &first).await;
    rotation(&mut desk, &first).await;
    desk.end().await;
}

/// What is not the next key of this account is refused by name, and nothing is changed.
async fn refusals(desk: &mut Desk, first: &Key) {
    let before = (desk.document().await, desk.bao.versions("vendors/main").await);
    let others = match desk.kind {
        Kind::Leadey => "legba_0123456789abcdefghijklmnopqrstuvwxyz0123".to_owned(),
        _ => format!("leadey_sk_live_{}", "0123456789abcdefghijklmnopqrstuv"),
    };
    let dead = desk.new_key();
    desk.vendor.revoke(&dead);
    let mut cases = vec![
        (String::new(), "it is empty"),
        ("\n".into(), "it is empty"),
        (format!("{} ", first.expose()), "may not be in a key"),
        (format!("\u{1b}[200~{}", first.expose()), "may not be in a key"),
        (format!("{}\t{}", first.expose(), dead.expose()), "may not be in a key"),
        (format!("{}\n{}\n", first.expose(), dead.expose()), "more than one line"),
        (others, if desk.kind == Kind::Leadey { "begin with leadey_sk_live_" } else { "the keys of Leadey" }),
        (dead.expose().into(), "the vendor refuses it"),
        (first.expose().into(), "current key already"),
    ];
    if desk.kind == Kind::Leadey {
        let stranger = desk.vendor.new_account("somebody else", &[]);
        cases.push((desk.vendor.current_key(stranger).expose().into(), "another account"));
    }
    for (text, why) in cases {
        let ran = desk.ingest(&text, &["--yes"]).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{why}: {ran:?}");
        assert!(ran.stderr.contains(why), "{why}: {ran:?}");
    }
    assert_eq!((desk.document().await, desk.bao.versions("vendors/main").await), before);
}

/// `web` does not know of the new key for a while.
async fn half_way(desk: &Desk, first: &Key, second: &Key) {
    until("the other consumer works with it", async || {
        let found = desk.credential().await;
        let bot = &found["consumers"][0];
        (bot["fingerprint"] == second.fingerprint().hex() && bot["proof"] == "in_use").then_some(())
    })
    .await;
    let document = desk.document().await.expect("a key document");
    assert_eq!(
        (&document["api_key"], &document["api_key_previous"]),
        (&json!(second.expose()), &json!(first.expose()))
    );
    assert_eq!(document.get("api_key_previous_expires_at").unwrap_or(&Value::Null), &Value::Null);
    let found = desk.credential().await;
    assert_eq!((&found["phase"], &found["grace_until"]), (&json!("handing_over"), &Value::Null));
    assert!(desk.alerts().iter().all(|mail| mail.code != "revoke-old-key"), "web needs the old key");
    desk.web.tell(second.clone());
}

async fn rotation(desk: &mut Desk, first: &Key) {
    let second = desk.new_key();
    let args: &[&str] = if desk.kind == Kind::LeafPad { &["--yes"] } else { &[] };
    let (ran, ()) = tokio::join!(desk.ingest(second.expose(), args), half_way(desk, first, &second));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    desk.wait("both work with it", |found| all_in_use(found, &second).then_some(())).await;
    let told = desk.wait_mail("revoke-old-key", false).await;
    match (desk.label(first), desk.label(&second)) {
        (Some(old), Some(new)) => {
            assert!(told.subject.contains(&format!("now revoke the old key {old}")), "{}", told.subject);
            assert!(told.text.contains(&format!("revoke {old}; do not revoke {new}")), "{}", told.text);
        }
        _ => assert!(
            told.text.contains("revoke the older key; do not revoke the one made about"),
            "{}",
            told.text
        ),
    }
    assert!(told.text.contains("1. ") && told.text.contains("keyrelay status main"), "{}", told.text);
    assert_eq!(desk.credential().await["retiring"], true);

    desk.restart().await;
    desk.wait("it is still to be revoked", |found| {
        codes(found).contains(&"revoke-old-key".to_owned()).then_some(())
    })
    .await;
    desk.vendor.revoke(first);
    desk.wait_retired().await;
    desk.wait_mail("revoke-old-key", true).await;
    desk.wait("all is calm", |found| (found["retiring"] == false && codes(found).is_empty()).then_some(()))
        .await;
    let told: Vec<_> = desk.alerts().into_iter().filter(|mail| mail.code == "revoke-old-key").collect();
    assert_eq!(told.len(), 2, "once, and its end: {told:?}");
    let ran = desk.ingest(first.expose(), &["--yes"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("earlier key"), "{ran:?}");
    println!("{}: {:?}", vendor_name(desk.kind), desk.vendor.documents());
    assert_eq!(desk.vendor.documents(), 0, "nothing was ever written at the vendor");
}
