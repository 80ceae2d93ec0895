//! The known vendors: those that are built in, with the configuration's fields laid over them, and those that the
//! configuration adds. It knows no file and no key path but the vendor's own.

use super::{profile::Profile, validate::mistakes};
use crate::domain::VendorName;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

const BUILT_IN: [(&str, &str); 4] = [
    ("leaf7", include_str!("profiles/leaf7/profile.yaml")),
    ("leafpad", include_str!("profiles/leafpad/profile.yaml")),
    ("leadey", include_str!("profiles/leadey/profile.yaml")),
    ("legba", include_str!("profiles/legba/profile.yaml")),
];

/// A profile that has a bit of everything.
const LIKE: &str = BUILT_IN[3].1;

/// One thing that is wrong with a vendor's profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileMistake {
    /// Below `vendors.`: `leaf7.mail.signed_by`.
    pub path: String,
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

/// Every vendor by name; or every mistake. Maps are merged, lists and texts replaced.
pub fn resolve(
    overrides: &BTreeMap<VendorName, Value>,
) -> Result<BTreeMap<VendorName, Profile>, Vec<ProfileMistake>> {
    let (mut profiles, mut found) = (BTreeMap::new(), Vec::new());
    let mut bases = built_in(&mut found);
    let none = Value::Object(Map::new());
    let names: BTreeSet<VendorName> = bases.keys().chain(overrides.keys()).cloned().collect();
    for name in names {
        let over = overrides.get(&name).unwrap_or(&none);
        let read = match bases.remove(&name) {
            Some(base) => overlaid(&name, &base, over),
            None => added(&name, over),
        };
        match read.map(|profile| (mistakes(name.as_str(), &profile), profile)) {
            Ok((wrong, profile)) if wrong.is_empty() => _ = profiles.insert(name, profile),
            Ok((wrong, _)) | Err(wrong) => found.extend(wrong),
        }
    }
    if found.is_empty() { Ok(profiles) } else { Err(found) }
}

/// Whose mails to look for: addresses, or `@domain`.
pub fn senders(profile: &Profile) -> Vec<String> {
    let Some(rules) = &profile.mail else { return Vec::new() };
    if rules.from.is_empty() {
        return rules.signed_by.iter().map(|domain| format!("@{domain}")).collect();
    }
    rules.from.clone()
}

fn built_in(found: &mut Vec<ProfileMistake>) -> BTreeMap<VendorName, Value> {
    let mut bases = BTreeMap::new();
    for (name, text) in BUILT_IN {
        match (name.parse::<VendorName>(), yaml_serde::from_str(text)) {
            (Ok(name), Ok(base)) => _ = bases.insert(name, base),
            (_, Err(error)) => found.push(built_in_mistake(name, error.to_string())),
            (Err(error), _) => found.push(built_in_mistake(name, error.to_string())),
        }
    }
    bases
}

fn built_in_mistake(name: &str, message: String) -> ProfileMistake {
    ProfileMistake { path: name.into(), message, hint: "the built-in profile is damaged: report it".into() }
}

/// A vendor of the configuration's own. Each of its fields is first tried in a profile that is right.
fn added(name: &VendorName, over: &Value) -> Result<Profile, Vec<ProfileMistake>> {
    let mut base = yaml_serde::from_str(LIKE).unwrap_or_default();
    if let Value::Object(base) = &mut base {
        base.remove("mail");
    }
    let found = each_alone(name, &base, over);
    if found.is_empty() { read(over).map_err(|wrong| vec![whole(name, wrong)]) } else { Err(found) }
}

/// The base with the overrides on it. Each override is first tried alone, so that all mistakes are found at once
/// and each is named by its path.
fn overlaid(name: &VendorName, base: &Value, over: &Value) -> Result<Profile, Vec<ProfileMistake>> {
    if !over.is_object() {
        return Err(vec![whole(name, (String::new(), "it is not a map".into()))]);
    }
    // A rule that is changed need not fit the examples of the one before it.
    let mut base = base.clone();
    if let (Value::Object(base), Some(false)) = (&mut base, over.as_object().map(Map::is_empty)) {
        base.remove("examples");
    }
    let found = each_alone(name, &base, over);
    if !found.is_empty() {
        return Err(found);
    }
    let mut merged = base.clone();
    for (path, value) in leaves(&base, over, &[]) {
        put(&mut merged, &path, value.clone());
    }
    read(&merged).map_err(|wrong| vec![whole(name, wrong)])
}

/// What is wrong with each field of `over`, tried alone in a profile that is right.
fn each_alone(name: &VendorName, base: &Value, over: &Value) -> Vec<ProfileMistake> {
    let tried = leaves(base, over, &[]).into_iter().filter_map(|(path, value)| {
        let mut alone = base.clone();
        if let (Value::Object(alone), false) = (&mut alone, path.first() == Some(&"mail")) {
            // Its expressions take longest to compile, and say nothing of another field.
            alone.remove("mail");
        }
        put(&mut alone, &path, value.clone());
        let (at, message) = read(&alone).err()?;
        let at = if at.is_empty() { path.join(".") } else { at };
        let path = format!("{name}.{at}");
        Some(ProfileMistake {
            path,
            message,
            hint: format!("keyrelay vendors {} shows a profile", shown(name)),
        })
    });
    tried.collect()
}

/// A vendor whose profile can be looked at: its own, or one that has a bit of everything.
fn shown(name: &VendorName) -> &str {
    let is_built_in = BUILT_IN.iter().any(|(built_in, _)| *built_in == name.as_str());
    if is_built_in { name.as_str() } else { "legba" }
}

/// The overrides that replace something, each with its path: what is a map on both sides is entered.
fn leaves<'v>(base: &Value, over: &'v Value, path: &[&'v str]) -> Vec<(Vec<&'v str>, &'v Value)> {
    match (base, over) {
        // One way of several: another one takes its place.
        (_, Value::Object(_)) if path.last() == Some(&"identity") => vec![(path.to_vec(), over)],
        (Value::Object(base), Value::Object(over)) => {
            let below = over.iter().flat_map(|(key, value)| {
                let path = [path, &[key.as_str()]].concat();
                leaves(base.get(key).unwrap_or(&Value::Null), value, &path)
            });
            below.collect()
        }
        (_, over) => vec![(path.to_vec(), over)],
    }
}

fn put(place: &mut Value, path: &[&str], value: Value) {
    match (path, place) {
        ([last], Value::Object(map)) => _ = map.insert((*last).to_owned(), value),
        ([first, rest @ ..], Value::Object(map)) => {
            put(map.entry(*first).or_insert_with(|| Value::Object(Map::new())), rest, value);
        }
        ([], _) | (_, _) => {}
    }
}

/// Or which field is wrong (empty: the whole), and why.
fn read(value: &Value) -> Result<Profile, (String, String)> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        (if path == "." { String::new() } else { path }, error.into_inner().to_string())
    })
}

fn whole(name: &VendorName, (at, message): (String, String)) -> ProfileMistake {
    let hint = "a new vendor needs a whole profile: docs/vendors.md shows one".into();
    let path = if at.is_empty() { name.to_string() } else { format!("{name}.{at}") };
    ProfileMistake { path, message, hint }
}

#[cfg(test)]
mod tests;
