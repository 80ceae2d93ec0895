//! `config.example.yaml`: right as it stands, right with everything in it that is commented out, and complete.

use super::*;
use serde_json::json;
use std::collections::BTreeSet;

const EXAMPLE: &str = include_str!("../../../config.example.yaml");

/// The lines behind a mark (`#: ` or `#| `), as YAML.
fn commented_out(mark: &str) -> Vec<Value> {
    let (mut sections, mut section) = (Vec::new(), String::new());
    for line in EXAMPLE.lines().chain([""]) {
        match line.strip_prefix(mark) {
            Some(text) => section += &format!("{text}\n"),
            None if section.is_empty() => {}
            None => sections.push(yaml_serde::from_str(&std::mem::take(&mut section)).unwrap()),
        }
    }
    sections
}

/// Lays `over` over `base`; lists and texts are replaced.
fn lay(base: &mut Value, over: &Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                lay(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

fn smallest() -> Value {
    yaml_serde::from_str(EXAMPLE).unwrap()
}

/// The smallest configuration with every other key put into its section.
fn with_everything() -> Value {
    let mut tree = smallest();
    commented_out("#: ").iter().for_each(|section| lay(&mut tree, section));
    tree
}

/// … and with one of the sections that take the place of another.
fn alternatives() -> Vec<Value> {
    let sections = commented_out("#| ").into_iter().map(|section| {
        let mut tree = with_everything();
        // Where the keys live and what the vendors do have nothing to do with each other.
        without(&mut tree, &["/vendors"]);
        for (key, value) in section.as_object().unwrap() {
            tree[key] = value.clone();
        }
        tree
    });
    sections.collect()
}

/// Every configuration that the example shows.
pub(in crate::config) fn variants() -> Vec<Value> {
    let mut variants: Vec<Value> =
        [smallest(), with_everything()].into_iter().chain(alternatives()).collect();
    // With the local store nobody can read or report there.
    for tree in variants.iter_mut().filter(|tree| tree["store"]["local"].is_object()) {
        let consumers = "/credentials/leaf7-main/consumers";
        without(tree, &[&format!("{consumers}/payments"), &format!("{consumers}/nightly-ci")]);
    }
    variants
}

fn checked(tree: &Value) -> Result<(Config, Vec<String>), Vec<String>> {
    load_text(&yaml_serde::to_string(tree).unwrap(), &[], Need::Check)
}

/// What is said besides that this machine lacks the secrets and the units.
fn besides_missing_secrets(lines: Vec<String>) -> Vec<String> {
    lines
        .into_iter()
        .filter(|line| !line.contains("no credential \"") && !line.contains("no file /etc/"))
        .filter(|line| !line.contains("no unit file of "))
        .collect()
}

#[test]
fn the_example_as_it_stands_is_a_whole_configuration() {
    let (config, warnings) = load_text(EXAMPLE, &[], Need::Check).unwrap();
    assert_eq!(besides_missing_secrets(warnings), [""; 0]);
    let main = &config.credentials[&"leaf7-main".parse().unwrap()];
    assert_eq!(main.consumers.len(), 3);
}

#[test]
fn the_example_with_every_key_is_a_whole_configuration() {
    let (_, warnings) = checked(&with_everything()).unwrap_or_else(|lines| panic!("{lines:#?}"));
    assert_eq!(besides_missing_secrets(warnings), [""; 0]);
}

/// Each takes the map at the first path and drops the key.
fn without(tree: &mut Value, paths: &[&str]) {
    for path in paths {
        let (map, key) = path.rsplit_once('/').unwrap();
        assert!(tree.pointer_mut(map).unwrap().as_object_mut().unwrap().remove(key).is_some(), "{path}");
    }
}

#[test]
fn each_section_that_takes_the_place_of_another_is_right_too() {
    let [token, kubernetes, cert, local] = &mut alternatives()[..] else { panic!() };
    for login in [token, kubernetes, cert] {
        checked(login).unwrap_or_else(|lines| panic!("{lines:#?}"));
    }
    // Nobody can read or report there.
    let consumers = "/credentials/leaf7-main/consumers";
    without(local, &[&format!("{consumers}/payments"), &format!("{consumers}/nightly-ci")]);
    checked(local).unwrap_or_else(|lines| panic!("{lines:#?}"));
}

#[test]
fn the_values_that_are_commented_out_are_the_defaults() {
    let mut tree = with_everything();
    let no_default_to_show = [
        "/spool/key",
        "/dns/servers",
        "/mailboxes/local-mail",
        "/mailboxes/office-mail",
        "/mailboxes/gmail",
        "/mailboxes/vendor-mail/imap/folders",
        "/mailboxes/vendor-mail/settled",
        "/vendors/leaf7/about",
        "/vendors/leaf7/mail/warning",
        "/vendors/leaf7/mail/confirmation",
        "/credentials/leaf7-main/account",
        "/credentials/leadey-crm",
        "/credentials/legba-main",
        "/alerts/webhook",
        "/alerts/heartbeat",
    ];
    without(&mut tree, &no_default_to_show);
    tree["credentials"]["leaf7-main"]["consumers"] =
        smallest()["credentials"]["leaf7-main"]["consumers"].clone();
    let shown = |tree: &Value| {
        let mut config = checked(tree).unwrap_or_else(|lines| panic!("{lines:#?}")).0;
        // A profile that is written out in part is not held to the examples of the whole one.
        config.vendors.values_mut().for_each(|profile| profile.examples = Default::default());
        format!("{:#?}", Config { source: PathBuf::new(), ..config })
    };
    assert_eq!(shown(&tree), shown(&smallest()));
}

/// A key that no map has: in each map of the tree the reader answers with the keys that it may hold.
const STRANGER: &str = "zz-stranger";

fn with_strangers(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let below = map.iter().map(|(key, value)| (key.clone(), with_strangers(value)));
            below.chain([(STRANGER.to_owned(), json!({}))]).collect()
        }
        other => other.clone(),
    }
}

/// The keys that the reader says each map of the tree may hold, by the map's path.
fn allowed_keys(tree: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut tree = with_strangers(tree);
    // Below `vendors` the profile's own types say what is allowed.
    tree["vendors"] = json!({});
    let lines = checked(&tree).unwrap_err();
    let keys_by_path = lines.iter().filter_map(|line| {
        let (path, keys) =
            line.strip_prefix("config.yaml: ")?.split_once(": unknown key; the keys here are ")?;
        let path = path.strip_suffix(STRANGER)?.trim_end_matches('.');
        Some((path.to_owned(), keys.split(", ").map(str::to_owned).collect()))
    });
    keys_by_path.collect()
}

/// Names that an operator gives are all one, and defaults hold what a credential holds.
pub(in crate::config) fn general(whole: &str) -> String {
    let path = whole.strip_prefix("defaults.").map(|below| format!("credentials.NAME.{below}"));
    let path = path.as_deref().unwrap_or(whole);
    let keys: Vec<&str> = path.split('.').collect();
    let named = |at: usize| match (keys.get(at - 1), at) {
        (Some(&("mailboxes" | "credentials")), 1) | (Some(&"consumers"), 3) => "NAME",
        _ => keys[at],
    };
    let general: Vec<&str> = (0..keys.len()).map(|at| if at == 0 { keys[0] } else { named(at) }).collect();
    general.join(".")
}

fn keys_below(path: &str, value: &Value, found: &mut BTreeSet<String>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        found.insert(general(&path));
        keys_below(&path, value, found);
    }
}

/// Every key that the reader knows, but for those of a vendor's profile.
pub(in crate::config) fn all_known_keys() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for tree in variants() {
        for (path, keys) in allowed_keys(&tree) {
            known.extend(keys.iter().map(|key| general(format!("{path}.{key}").trim_start_matches('.'))));
        }
    }
    for key in
        ["store.vault.auth.token", "store.local.dir", "credentials.NAME.consumers.NAME.prove.http.bearer"]
    {
        assert!(known.contains(key), "the reader was not asked about {key}: {known:#?}");
    }
    known
}

#[test]
fn no_key_is_missing_from_the_example() {
    let mut shown = BTreeSet::new();
    let trees: Vec<Value> = [with_everything()].into_iter().chain(alternatives()).collect();
    trees.iter().for_each(|tree| keys_below("", tree, &mut shown));
    let known = all_known_keys();
    let missing: Vec<_> = known.difference(&shown).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

/// Each map of the example into which a key was put that the reader refused there.
pub(in crate::config) fn with_one_stranger() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for tree in variants() {
        for path in allowed_keys(&tree).into_keys().filter(|path| !path.starts_with("defaults")) {
            let mut tree = tree.clone();
            let keys = path.split('.').filter(|key| !key.is_empty());
            let map = keys.fold(&mut tree, |tree, key| &mut tree[key]);
            map[STRANGER] = json!({});
            found.push((path, tree));
        }
    }
    found
}

#[test]
fn every_field_of_a_profile_is_in_the_example() {
    let (mut profile, mut shown) = (BTreeSet::new(), BTreeSet::new());
    let leaf7 = &accepted(&[]).vendors[&"leaf7".parse().unwrap()];
    keys_below("", &serde_json::to_value(leaf7).unwrap(), &mut profile);
    keys_below("", &with_everything()["vendors"]["leaf7"], &mut shown);
    assert!(profile.len() > 20, "{profile:?}");
    assert_eq!(profile.difference(&shown).collect::<Vec<_>>(), Vec::<&String>::new());
}

fn leaves(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            leaves(&format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), value, found);
        }),
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn a_key_with_nothing_or_nonsense_behind_it_is_a_default_or_a_named_mistake() {
    let mut usual = with_everything();
    without(&mut usual, &["/vendors"]);
    for tree in alternatives().into_iter().chain([usual]) {
        let mut paths = Vec::new();
        leaves("", &tree, &mut paths);
        for path in paths {
            for nonsense in [json!(null), json!([{}])] {
                let mut tree = tree.clone();
                *tree.pointer_mut(&path).unwrap() = nonsense;
                // `load_text` fails the test on a refusal without a reason.
                _ = checked(&tree);
            }
        }
    }
}
