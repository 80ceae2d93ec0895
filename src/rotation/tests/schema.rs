//! Notes that another version of keyrelay has written. Those in `schema_1/` are as the first version wrote them, in
//! each phase, and are never written anew: every later version must read them, and lose nothing of them.

use super::{bench::*, world::World, *};
use crate::rotation::{Phase, StateDocument};
use serde_json::{Value, json};

macro_rules! documents {
    ($($name:literal)*) => { [$(($name, include_str!(concat!("schema_1/", $name, ".json")))),*] };
}

const DOCUMENTS: [(&str, &str); 15] = documents![
    "announced" "asking" "deleted" "foreign" "handing-over" "observed" "probe-off" "probing" "retiring" "reverted"
    "rolled-back" "settled-and-tidied" "steady" "storing" "to-revoke"
];

fn read(json: &Value) -> StateDocument {
    serde_json::from_value(json.clone()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

/// A daemon that starts with these notes, and the key that they call the current one in the store.
fn started_with(json: &Value) -> Bench {
    let document = read(json);
    let current = document.current.expect("a current key").fingerprint;
    let mut world = World::default();
    world.put("main", current, START - DAY);
    let stored = world.stored("main");
    (stored.state, stored.state_version) = (Some(document), 3);
    world.alive(current);
    let mut bench = Bench::start(main_settings(), world);
    for fake in bench.world.consumers.values_mut() {
        (fake.copy, fake.runs) = (Some(current), Some(current));
    }
    bench.run();
    bench.looks(&[]);
    bench.passes(20 * MIN);
    bench
}

#[test]
fn r62_notes_of_every_phase_are_read_and_written_again_as_they_were() {
    for (name, text) in DOCUMENTS {
        let json: Value = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_value(read(&json)).unwrap(), json, "{name}");
    }
}

#[test]
fn r62_a_daemon_that_finds_them_goes_on_and_makes_the_next_rotation() {
    for (name, text) in DOCUMENTS {
        let mut bench = started_with(&serde_json::from_str(text).unwrap());
        bench.world.alive(key(9));
        bench.confirmed(key(9));
        bench.passes(2 * HOUR);
        assert!(bench.world.holds("main").starts_with("K9"), "{name}: {}", bench.world.holds("main"));
        assert_eq!(bench.phase(), Phase::Steady, "{name}");
    }
}

/// A daemon of a later version ran for a while: what only that one knows is carried along.
#[test]
fn r62_what_only_a_later_version_knows_is_kept_through_a_rotation() {
    let mut json: Value = serde_json::from_str(DOCUMENTS[0].1).unwrap();
    let incident = json!({"code": "of-tomorrow", "subject": "", "severity": "warning", "words": ["new"]});
    json["added_later"] = json!({"some": ["text"]});
    json["incidents"].as_array_mut().unwrap().push(incident.clone());
    let mut bench = started_with(&json);
    bench.world.alive(key(9));
    bench.confirmed(key(9));
    bench.passes(HOUR);
    assert!(bench.world.holds("main").starts_with("K9"));
    let state = bench.world.stored("main").state.clone().unwrap();
    let rewritten = serde_json::to_value(state).unwrap();
    assert_eq!(rewritten["added_later"], json["added_later"]);
    assert!(rewritten["incidents"].as_array().unwrap().contains(&incident), "{rewritten}");
    assert_eq!(rewritten["current"]["fingerprint"], key(9).hex());
}

/// It was written while this process ran, by another one that shares the credential.
#[test]
fn r62_a_later_versions_field_that_is_written_meanwhile_is_kept_too() {
    let mut bench = Bench::rotated();
    let stored = bench.world.stored("main");
    stored.state.as_mut().unwrap().other.insert("added_later".into(), json!(7));
    stored.state_version += 1;
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.passes(HOUR);
    let state = bench.world.stored("main").state.clone().unwrap();
    assert_eq!(state.current.unwrap().fingerprint, key(3), "this process has written its notes");
    assert_eq!(state.other.get("added_later"), Some(&json!(7)));
}
