//! The schema against the reader: what one knows, the other knows.

use super::*;
use crate::config::tests::example::{all_known_keys, general, variants, with_one_stranger};
use serde_json::Value;
use std::{collections::BTreeSet, sync::OnceLock};

/// The committed copy, for editors that fetch it from the repository.
const COMMITTED: &str = "docs/config.schema.json";

fn tree() -> &'static Value {
    static TREE: OnceLock<Value> = OnceLock::new();
    TREE.get_or_init(|| serde_json::from_str(&schema()).unwrap())
}

/// What an editor would say of a configuration.
pub fn judge(configuration: &Value) -> Result<(), String> {
    static COMPILED: OnceLock<(boon::Schemas, boon::SchemaIndex)> = OnceLock::new();
    let (schemas, index) = COMPILED.get_or_init(|| {
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource("config.schema.json", tree().clone()).unwrap();
        let index = compiler.compile("config.schema.json", &mut schemas).unwrap();
        (schemas, index)
    });
    schemas.validate(configuration, *index).map_err(|error| format!("{error:#}"))
}

#[test]
fn every_configuration_of_the_example_is_right() {
    for tree in variants() {
        judge(&tree).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn a_key_that_the_reader_does_not_know_is_refused_in_every_map() {
    let strangers = with_one_stranger();
    assert!(strangers.len() > 20);
    for (path, tree) in strangers {
        assert!(judge(&tree).is_err(), "{path}: a key that nobody knows is accepted there");
    }
}

#[test]
fn the_schema_has_the_keys_of_the_reader_and_no_others() {
    let mut in_schema = BTreeSet::new();
    keys_of(tree(), "", &mut in_schema);
    let in_reader = all_known_keys();
    let missing: Vec<_> = in_reader.difference(&in_schema).collect();
    let unknown: Vec<_> = in_schema.difference(&in_reader).collect();
    assert!(missing.is_empty(), "add these keys to src/config/schema, the reader knows them: {missing:#?}");
    assert!(unknown.is_empty(), "no reader knows these keys of src/config/schema: {unknown:#?}");
}

/// The paths of all keys below a schema, but for those of a vendor's profile and those in a reference.
fn keys_of(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    if path == "vendors" {
        return;
    }
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/definitions/");
        if name != "Reference" {
            keys_of(&tree()["definitions"][name], path, found);
        }
    }
    for one_of in ["anyOf", "oneOf", "allOf"] {
        schema[one_of].as_array().into_iter().flatten().for_each(|schema| keys_of(schema, path, found));
    }
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    for (key, schema) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(general(&below(key)));
        keys_of(schema, &below(key), found);
    }
    for schema in schema["patternProperties"].as_object().into_iter().flat_map(|all| all.values()) {
        keys_of(schema, &below("NAME"), found);
    }
}

#[test]
fn what_excludes_each_other_or_has_another_type_is_refused() {
    for yaml in [
        "store: {vault: {}, local: {}}",
        "mailboxes: {a: {imap: {}, maildir: {}}}",
        "mailboxes: {Not_A_Name: {}}",
        "credentials: {a: {consumers: {b: {prove: {http: {url: x, urls: [y]}}}}}}",
        "credentials: {a: {consumers: {b: {prove: some}}}}",
        "credentials: {a: {hand_over_within: 24}}",
        "credentials: {a: {hand_over_within: 1.5h}}",
        "credentials: {a: {observe: 'on'}}",
        "spool: {key: canary}",
        "spool: {key: {file: /a, env: B}}",
        "vendors: {leaf7: {cadance: 7d}}",
        "listen: 7718",
    ] {
        assert!(judge(&yaml_serde::from_str(yaml).unwrap()).is_err(), "{yaml}");
    }
}

#[test]
fn a_part_of_a_configuration_and_keys_without_a_value_are_right() {
    for yaml in [
        "{}",
        "credentials: {a: null, b: {consumers: {c: null}}}",
        "credentials: {a: {consumers: {b: {prove: {http: null, report: {}}}}}}",
        "vendors: {leaf7: {cadence: 8d, mail: {confirmation: {key_after: [x]}}, probe: {scheme: ''}}}",
        "defaults: {path: 'vendors/{name}'}",
        "listen: false",
    ] {
        judge(&yaml_serde::from_str(yaml).unwrap()).unwrap_or_else(|error| panic!("{yaml}: {error}"));
    }
}

#[test]
fn the_committed_copy_is_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(COMMITTED);
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == schema(), "type: keyrelay check --schema > {COMMITTED}");
}
