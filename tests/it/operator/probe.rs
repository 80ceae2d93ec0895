//! LeafPad's only endpoint writes: a probe that it lets through is never sent again.

use super::desk::Desk;
use crate::rotation::stage::codes;
use keyrelay::demo::simulator::{Faults, Kind, UnfitBody};
use serde_json::json;

#[tokio::test]
async fn a_probe_that_writes_is_sent_once_told_and_never_again_until_it_is_another_one() {
    let mut desk = Desk::build(Kind::LeafPad).await;
    desk.start().await;
    let first = desk.first_key().await;
    desk.set_faults(UnfitBody::Written);
    desk.somebody_was_refused().await;
    let told = desk.wait_mail("probe-wrote", false).await;
    assert_eq!(desk.vendor.documents(), 1);
    let request = format!("POST {}/api/public/v1/knowledge-base with {{}}", desk.vendor.base_url());
    assert!(told.text.contains(&request), "{}", told.text);
    assert!(told.text.contains("correct vendors.leafpad.probe"), "{}", told.text);

    let asked = desk.vendor.requests();
    assert_eq!(desk.daemon.term().await.code(), Some(0), "the daemon ends in peace");
    let ran = desk.daemon.run_with(&["doctor"], "").await;
    assert!(ran.stdout.contains("not asked: its probe is switched off since"), "{ran:?}");
    desk.daemon.start_up().await;
    desk.daemon.wait_ready().await;
    let second = desk.new_key();
    let ran = desk.ingest(second.expose(), &[]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("the key is held: the vendor's probe is switched off"), "{ran:?}");
    desk.take_in(&second, &["--yes"]).await;
    let found = desk.credential().await;
    assert_eq!(found["fingerprint"], second.fingerprint().hex());
    assert_ne!(found["probe_off_since"], json!(null));
    let told = desk.wait_mail("revoke-old-key", false).await;
    assert!(told.text.contains("keyrelay cannot see when it is dead"), "{}", told.text);
    assert_eq!((desk.vendor.requests(), desk.vendor.documents()), (asked, 1), "nobody was asked anything");

    // Somebody finds a request that is refused.
    desk.set_faults(Faults::none());
    desk.config.set("vendors.leafpad.probe.json", json!({"text": ""}));
    desk.reload();
    desk.wait_mail("probe-wrote", true).await;
    desk.vendor.revoke(&first);
    desk.wait_retired().await;
    desk.wait("all is calm", |found| codes(found).is_empty().then_some(())).await;
    let found = desk.credential().await;
    assert_eq!((&found["probe_off_since"], &found["last_probe"]["verdict"]), (&json!(null), &json!("alive")));
    assert_eq!(desk.vendor.documents(), 1);
    desk.end().await;
}
