use super::*;
use serde_json::json;

// printf 'keyrelay-fingerprint-v1\0l7_new0123456789abcdefghij' | sha256sum
const FINGERPRINT: &str = "227577ecf21f7bfc";

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn old() -> Key {
    key("l7_old0123456789abcdefghij")
}

fn new() -> Key {
    key("l7_new0123456789abcdefghij")
}

fn fields(json: Value) -> Fields {
    Fields::from_json(json).unwrap()
}

fn document(json: Value) -> Document {
    Document { version: 3, created_at: Timestamp::from_secs(1_795_251_600), fields: fields(json) }
}

fn promotion(generation: u64) -> Promotion {
    Promotion {
        generation,
        rotated_at: "2026-11-20T09:00:00Z".parse().unwrap(),
        rotation_id: "01JDABCDEFGHJKMNPQRSTVWXYZ".parse().unwrap(),
        previous_expires_at: Some("2026-11-21T09:00:00Z".parse().unwrap()),
    }
}

/// As design and contract have it, field by field.
fn after_promotion() -> Value {
    json!({
        "api_key": "l7_new0123456789abcdefghij",
        "api_key_previous": "l7_old0123456789abcdefghij",
        "api_key_previous_expires_at": "2026-11-21T09:00:00Z",
        "api_key_fingerprint": FINGERPRINT,
        "api_key_generation": 7,
        "api_key_rotated_at": "2026-11-20T09:00:00Z",
        "api_key_rotation_id": "01JDABCDEFGHJKMNPQRSTVWXYZ",
        "keyrelay": 1,
        "owner": {"somebody": "else"}
    })
}

#[test]
fn a_promotion_writes_the_contracts_fields_and_keeps_the_others() {
    assert_eq!(new().fingerprint().to_string(), FINGERPRINT);
    let base = fields(json!({"api_key": "l7_old0123456789abcdefghij", "owner": {"somebody": "else"}}));
    let written = promoted(&base, "api_key", "l7_", &promotion(7), &new(), Some(&old()));
    assert_eq!(written.to_json(), after_promotion());
}

#[test]
fn what_a_promotion_wrote_reads_back() {
    let read = read_key(&document(after_promotion()), "api_key", "l7_");
    assert_eq!((read.current, read.previous), (Some(new()), Some(old())));
    assert_eq!(
        read.document,
        KeyDocument {
            version: 3,
            created_at: "2026-11-21T09:00:00Z".parse().unwrap(),
            current: Some(new().fingerprint()),
            previous: Some(PreviousKey {
                fingerprint: old().fingerprint(),
                expires_at: Some("2026-11-21T09:00:00Z".parse().unwrap()),
            }),
            generation: 7,
            rotated_at: Some("2026-11-20T09:00:00Z".parse().unwrap()),
            rotation_id: Some("01JDABCDEFGHJKMNPQRSTVWXYZ".parse().unwrap()),
            ours: true,
            as_written: true,
            unusable: None,
        }
    );
}

#[test]
fn a_value_that_was_put_in_by_hand_is_not_what_our_fields_speak_of() {
    let mut json = after_promotion();
    json["api_key"] = old().expose().into();
    let read = read_key(&document(json), "api_key", "l7_").document;
    assert_eq!((read.ours, read.as_written), (true, false));
}

#[test]
fn a_first_promotion_has_no_previous_key_and_leaves_none_behind() {
    let base = fields(json!({"api_key_previous": "x", "api_key_previous_expires_at": "y"}));
    let written = promoted(&base, "api_key", "", &promotion(1), &new(), None);
    assert_eq!(
        written.names().collect::<Vec<_>>(),
        [
            "api_key",
            "api_key_fingerprint",
            "api_key_generation",
            "api_key_rotated_at",
            "api_key_rotation_id",
            "keyrelay"
        ]
    );
}

#[test]
fn an_unknown_end_of_grace_takes_the_former_one_away() {
    let endless = Promotion { previous_expires_at: None, ..promotion(8) };
    let written =
        promoted(&fields(after_promotion()), "api_key", "", &endless, &key(&"z1".repeat(20)), Some(&new()));
    assert_eq!(written.get_str("api_key_previous"), Some(new().expose()));
    assert_eq!(written.get("api_key_previous_expires_at"), None);
}

#[test]
fn a_weak_keys_fingerprint_is_not_written() {
    let weak = key("l7_live_1234567890");
    let written = promoted(&Fields::default(), "api_key", "l7_live_", &promotion(7), &weak, None);
    assert_eq!(written.get_str("api_key_fingerprint"), Some("g7"));
    let read = read_key(&document(written.to_json()), "api_key", "l7_live_");
    assert!(read.document.current.unwrap().is_weak());
}

#[test]
fn retirement_removes_the_previous_key_and_its_end_only() {
    let mut expected = after_promotion();
    let object = expected.as_object_mut().unwrap();
    object.remove("api_key_previous");
    object.remove("api_key_previous_expires_at");
    assert_eq!(retired(&fields(after_promotion()), "api_key").to_json(), expected);
}

#[test]
fn a_consumers_copy_is_its_field_and_nothing_of_ours() {
    let base = fields(json!({"token": "x", "note": "kept"}));
    assert_eq!(
        with_copy(&base, "token", &new()).to_json(),
        json!({"token": "l7_new0123456789abcdefghij", "note": "kept"})
    );
}

#[test]
fn a_document_of_somebody_elses_is_generation_zero() {
    let read = read_key(&document(json!({"api_key": "l7_new0123456789abcdefghij"})), "api_key", "");
    assert_eq!(read.current, Some(new()));
    assert_eq!((read.document.generation, read.document.ours, read.document.rotated_at), (0, false, None));
}

#[test]
fn a_key_that_is_none_is_explained_and_never_quoted() {
    for (value, why) in [
        (json!("canary"), "field api_key: it has 6 characters; a key has 16 to 512"),
        (json!(""), "field api_key: it is empty"),
        (
            json!("l7_new0123456789abcdefghij\n"),
            "field api_key: character 27 may not be in a key; allowed are A-Z a-z 0-9 . _ ~ + / = : -",
        ),
        (json!(12345), "field api_key: it is no text"),
        (json!(null), "field api_key: it is no text"),
    ] {
        let read = read_key(&document(json!({"api_key": value})), "api_key", "");
        assert_eq!(read.document.unusable.as_deref(), Some(why));
        assert_eq!((read.current, read.document.current), (None, None));
    }
    let missing = read_key(&document(json!({"other": "x"})), "api_key", "");
    assert_eq!((missing.current, missing.document.unusable), (None, None));
}

#[test]
fn numbers_that_a_command_line_made_texts_of_are_read() {
    let read =
        read_key(&document(json!({"api_key_generation": "7", "keyrelay": "1"})), "api_key", "").document;
    assert_eq!((read.generation, read.ours), (7, true));
}

#[test]
fn our_fields_are_known_by_the_mark_or_the_generation() {
    let ours = |json| read_key(&document(json), "api_key", "").document.ours;
    assert!(ours(json!({"keyrelay": 1})));
    assert!(ours(json!({"api_key_generation": 2})));
    assert!(!ours(json!({"token_generation": 2})));
}

#[test]
fn nonsense_beside_the_key_counts_as_missing() {
    let read = read_key(
        &document(json!({
            "api_key": new().expose(), "api_key_previous": "short", "api_key_previous_expires_at": "tomorrow",
            "api_key_generation": -1, "api_key_rotated_at": 5, "api_key_rotation_id": "x"
        })),
        "api_key",
        "",
    );
    assert_eq!(read.previous, None);
    let document = read.document;
    assert_eq!((document.generation, document.rotated_at, document.rotation_id), (0, None, None));
}

#[test]
fn a_state_document_is_an_object_of_at_most_64_kib() {
    let sized = |size: usize| json!({"a": "x".repeat(size - r#"{"a":""}"#.len())});
    assert!(state_fields(sized(65_536)).is_ok());
    assert_eq!(
        state_fields(sized(65_537)).unwrap_err(),
        "a state document of 65537 bytes is not written; 65536 are the limit"
    );
    assert_eq!(state_fields(json!([])).unwrap_err(), "a state document is a JSON object");
}

#[test]
fn a_refresh_token_reads_back_and_what_is_none_is_named() {
    let token = RefreshToken {
        grant: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        secret: Secret::new("canary"),
        obtained_at: Timestamp::from_secs(1_795_251_600),
    };
    let fields = token_fields(&token);
    assert_eq!(
        fields.to_json(),
        json!({"schema": 1, "grant": "0123456789abcdef0123456789abcdef", "refresh_token": "canary",
            "obtained_at": "2026-11-21T09:00:00Z"})
    );
    assert_eq!(read_token(&fields), Ok(token));
    let broken = |change: (&str, serde_json::Value)| {
        let mut fields = fields.clone();
        fields.set(change.0, change.1);
        read_token(&fields).unwrap_err()
    };
    assert_eq!(broken(("schema", json!(2))), "it is of schema 2, and this version reads 1");
    assert_eq!(broken(("schema", json!("one"))), "it names no schema");
    for (part, value) in [("grant", json!("x")), ("refresh_token", json!("")), ("obtained_at", json!(7))] {
        assert_eq!(broken((part, value)), "a part of it is missing or makes no sense");
    }
}

#[test]
fn a_lease_document_is_read_as_it_was_written_and_another_schema_is_refused_in_words() {
    let run = RotationId::from_parts(1_795_251_600_000, 7);
    let holder = Holder { run, host: "host-a".into(), configuration: "0123456789abcdef".into() };
    let lease = LeaseDocument { lineage: "line".into(), term: 4, holder, given_up: false, write: 9, news: 2 };
    let fields = lease_fields(&lease);
    assert_eq!(read_lease(&fields), Ok(lease));
    let with = |name: &str, value: Option<u64>| {
        let mut fields = fields.clone();
        match value {
            Some(value) => fields.set(name, value),
            None => fields.remove(name),
        }
        read_lease(&fields).unwrap_err()
    };
    assert_eq!(with("schema", Some(2)), "it is of schema 2, and this version reads 1");
    assert_eq!(with("schema", None), "it names no schema");
    for part in ["lineage", "term", "run", "host", "configuration", "given_up", "write", "news"] {
        assert_eq!(with(part, None), "a part of it is missing or makes no sense", "{part}");
    }
}
