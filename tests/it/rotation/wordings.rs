//! Every wording of the confirmation, one rotation each, in one life of the daemon.

use super::{
    consumers::{Consumers, NAMES, all_in_use},
    stage::{GRACE, Stage},
};
use crate::world::until;
use keyrelay::{
    demo::mails::{CONFIRMATIONS, WARNINGS},
    domain::{Key, Timestamp},
};
use serde_json::{Value, json};

#[tokio::test]
async fn every_wording_becomes_a_rotation_with_every_consumer_tested() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    stage.pin(&slot);
    let consumers = Consumers::add(&mut stage, &slot).await;
    stage.start().await;

    let mut previous = None;
    for (number, (wording, _)) in CONFIRMATIONS.into_iter().enumerate() {
        if number % 6 == 5 {
            stage.warn(&slot, number / 6).await;
            stage.wait(&slot, "the warning is heard", |found| (found["phase"] == "announced").then_some(())).await;
        }
        let (old, new) = stage.rotate(&slot);
        let dated = stage.confirm(&slot, number, &old, &new).await;
        until(&format!("{wording}: every consumer is tested"), async || {
            consumers.read_the_store(&stage).await;
            let credential = stage.credential(&slot).await;
            let done = credential["phase"] == "steady" && all_in_use(&credential, &NAMES, &new);
            done.then_some(())
        })
        .await;
        let document = stage.document(&slot).await.expect("a key document");
        let expected = expected(&document, number + 1, &new, dated, previous.replace((new.clone(), dated)));
        assert_eq!(document, expected, "{wording}");
    }
    assert_eq!(stage.versions(&slot).await.0, 24);
    println!("{} wordings, {} warnings", CONFIRMATIONS.len(), WARNINGS.len());
    stage.end().await;
}

/// The document as the contract has it.
fn expected(
    found: &Value,
    generation: usize,
    key: &Key,
    dated: Timestamp,
    previous: Option<(Key, Timestamp)>,
) -> Value {
    let mut expected = json!({
        "api_key": key.expose(),
        "api_key_fingerprint": key.fingerprint().hex(),
        "api_key_generation": generation,
        "api_key_rotated_at": dated,
        "api_key_rotation_id": found["api_key_rotation_id"],
        "keyrelay": 1,
    });
    if let Some((old, _)) = previous {
        expected["api_key_previous"] = old.expose().into();
        expected["api_key_previous_expires_at"] = json!(dated + GRACE);
    }
    let id = found["api_key_rotation_id"].as_str().expect("a rotation id");
    assert_eq!(id.len(), 26, "a ULID: {id}");
    expected
}
