//! Every wording of the confirmation, one rotation each, in one life of the daemon.

use super::{
    consumers::{Consumers, NAMES, all_in_use},
    stage::{GRACE, Slot, Stage, credential},
};
use crate::world::until;
use keyrelay::{
    demo::mails::{CONFIRMATIONS, WARNINGS},
    domain::{Key, Timestamp},
};
use serde_json::{Value, json};

/// Four credentials share mailbox, store and vendor, and rotate side by side: a round takes no longer than one
/// rotation.
const SLOTS: [&str; 4] = ["alpha", "beta", "gamma", "delta"];
const ROUNDS: usize = CONFIRMATIONS.len() / SLOTS.len();
/// So many rounds are told one by one; after that sixteen notices went out in the hour, and the rest is summed up.
const ROUNDS_TOLD: usize = 1;

struct Runner {
    slot: Slot,
    consumers: Consumers,
    previous: Option<Key>,
}

/// One rotation under way.
struct Lap {
    wording: &'static str,
    new: Key,
    dated: Timestamp,
}

#[tokio::test]
async fn every_wording_becomes_a_rotation_with_every_consumer_tested() {
    let mut stage = Stage::build().await;
    let mut runners = Vec::new();
    for name in SLOTS {
        let slot = stage.slot(name);
        stage.pin(&slot);
        let consumers = Consumers::add(&mut stage, &slot).await;
        runners.push(Runner { slot, consumers, previous: None });
    }
    stage.start().await;
    for runner in &runners {
        let credential = stage.credential(&runner.slot).await;
        assert_eq!((&credential["phase"], &credential["generation"]), (&json!("unseeded"), &json!(0)));
    }

    for round in 0..ROUNDS {
        if round == ROUNDS_TOLD {
            every_warning_is_heard(&mut stage, &runners).await;
        }
        let mut laps = Vec::new();
        for (number, runner) in runners.iter().enumerate() {
            let wording = round * SLOTS.len() + number;
            let (old, new) = stage.rotate(&runner.slot);
            let dated = stage.confirm(&runner.slot, wording, &old, &new).await;
            laps.push(Lap { wording: CONFIRMATIONS[wording].0, new, dated });
        }
        every_consumer_is_tested(&stage, &runners, &laps).await;
        for (runner, lap) in runners.iter_mut().zip(laps) {
            let document = stage.document(&runner.slot).await.expect("a key document");
            let previous = runner.previous.replace(lap.new.clone());
            assert_eq!(document, expected(&document, round + 1, &lap, previous), "{}", lap.wording);
            if round < ROUNDS_TOLD {
                let told = format!(
                    "[keyrelay] {}: the new key {} is in the store, and all 5 consumers were tested with it",
                    runner.slot.name,
                    lap.new.fingerprint().hex()
                );
                stage.wait_mail(&told, |mail| mail.subject == told && mail.code == "rotated").await;
            }
        }
    }
    for runner in &runners {
        assert_eq!(stage.versions(&runner.slot).await.0, u64::try_from(ROUNDS).expect("a small number"));
        assert_eq!(
            runner.consumers.storefront.times_acted(),
            ROUNDS,
            "an action runs once for each generation"
        );
    }
    let mails = stage.alerts().len();
    assert!((SLOTS.len() * 4..=20).contains(&mails), "{mails} mails: at most twenty go out in an hour");
    let waiting = stage.daemon.status().await["alerts"]["queued"].as_u64().expect("a number");
    assert!(waiting > 0, "the rest waits, or is summed up");
    println!("{} confirmations and {} warnings became rotations", CONFIRMATIONS.len(), WARNINGS.len());
    stage.end().await;
}

/// Each runner hears another wording.
async fn every_warning_is_heard(stage: &mut Stage, runners: &[Runner]) {
    for (number, runner) in runners.iter().enumerate() {
        let dated = stage.warn(&runner.slot, number).await;
        stage
            .wait(&runner.slot, WARNINGS[number].0, |found| {
                (found["phase"] == "announced" && found["next_rotation_expected_at"] == json!(dated + GRACE))
                    .then_some(())
            })
            .await;
        let name = &runner.slot.name;
        let told = format!("[keyrelay] {name}: Leaf7 will rotate the key at {}", (dated + GRACE).minutes());
        stage.wait_mail(&told, |mail| mail.subject == told && mail.code == "rotation-announced").await;
    }
}

async fn every_consumer_is_tested(stage: &Stage, runners: &[Runner], laps: &[Lap]) {
    let wordings: Vec<_> = laps.iter().map(|lap| lap.wording).collect();
    until(&format!("{wordings:?}: every consumer is tested"), async || {
        for runner in runners {
            runner.consumers.read_the_store(stage).await;
        }
        let status = stage.daemon.status().await;
        let done = runners.iter().zip(laps).all(|(runner, lap)| {
            let credential = credential(&status, &runner.slot.name);
            credential["phase"] == "steady" && all_in_use(&credential, &NAMES, &lap.new)
        });
        done.then_some(())
    })
    .await;
}

/// The document as the contract has it.
fn expected(found: &Value, generation: usize, lap: &Lap, previous: Option<Key>) -> Value {
    let mut expected = json!({
        "api_key": lap.new.expose(),
        "api_key_fingerprint": lap.new.fingerprint().hex(),
        "api_key_generation": generation,
        "api_key_rotated_at": lap.dated,
        "api_key_rotation_id": found["api_key_rotation_id"],
        "keyrelay": 1,
    });
    if let Some(old) = previous {
        expected["api_key_previous"] = old.expose().into();
        expected["api_key_previous_expires_at"] = json!(lap.dated + GRACE);
    }
    let id = found["api_key_rotation_id"].as_str().expect("a rotation id");
    assert_eq!(id.len(), 26, "a ULID: {id}");
    expected
}
