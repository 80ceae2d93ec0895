//! `vendors`: what the configuration changes in a profile or adds as a new one. What a profile may say is the
//! registry's to know.

use super::{credential::Credential, mistake::Severity, read::Table, values::shown};
use crate::{
    domain::{CredentialName, VendorName},
    vendor::{self, Profile, ProfileMistake},
};
use figment::value::Value as Written;
use serde_json::Value;
use std::{collections::BTreeMap, sync::LazyLock};

type Profiles = BTreeMap<VendorName, Profile>;

/// Once for the life of the process, reloads included: every regular expression of every profile is compiled.
static BUILT_IN: LazyLock<Result<Profiles, Vec<ProfileMistake>>> =
    LazyLock::new(|| vendor::resolve(&BTreeMap::new()));

/// All vendors by name. A vendor with a mistake is `None`: whatever names it is right.
pub(super) fn vendors(root: &mut Table) -> BTreeMap<VendorName, Option<Profile>> {
    let mut overrides = BTreeMap::new();
    for (name, path, written) in root.written("vendors") {
        let is_overridden = root.sheet.source.has_override_below(&path);
        let like = if is_overridden { like(name) } else { None };
        let value = to_json(root, &path, written, like.as_ref());
        match name.parse::<VendorName>() {
            Ok(name) => {
                overrides.insert(name, value);
            }
            Err(error) => root.sheet.note(Severity::Error, &path, error.to_string(), None),
        }
    }
    let resolved = if overrides.is_empty() { BUILT_IN.clone() } else { vendor::resolve(&overrides) };
    let mistakes = match resolved {
        Ok(vendors) => return vendors.into_iter().map(|(name, profile)| (name, Some(profile))).collect(),
        Err(mistakes) => mistakes,
    };
    for mistake in mistakes {
        let path = format!("vendors.{}", mistake.path);
        root.sheet.note(Severity::Error, &path, mistake.message, Some(mistake.hint));
    }
    let broken = overrides.into_keys().map(|name| (name, None));
    built_in().map(|(name, profile)| (name.clone(), Some(profile.clone()))).chain(broken).collect()
}

/// Shows the whole profile of each vendor that is used or written.
pub(super) fn show(root: &mut Table, vendors: &Profiles, credentials: &BTreeMap<CredentialName, Credential>) {
    let written: Vec<&str> = root.written("vendors").into_iter().map(|(name, ..)| name).collect();
    let is_used = |name: &VendorName| credentials.values().any(|credential| credential.vendor == *name);
    let shown = vendors.iter().filter(|(name, _)| is_used(name) || written.contains(&name.as_str()));
    let profiles =
        shown.filter_map(|(name, profile)| Some((name.to_string(), Written::serialize(profile).ok()?)));
    root.sheet.show("vendors", profiles.collect());
}

fn built_in() -> impl Iterator<Item = (&'static VendorName, &'static Profile)> {
    BUILT_IN.iter().flatten()
}

/// A profile that shows which type each field has: the vendor's own, or any.
fn like(name: &str) -> Option<Value> {
    let own = built_in()
        .find(|(built_in, _)| built_in.as_str() == name)
        .or_else(|| built_in().find(|(name, _)| name.as_str() == "leaf7"));
    own.and_then(|(_, profile)| serde_json::to_value(profile).ok())
}

/// The same as JSON. What the environment wrote is text, and is read like the field in `like`.
fn to_json(root: &Table, path: &str, written: &Written, like: Option<&Value>) -> Value {
    match written {
        Written::Dict(_, dict) => dict
            .iter()
            .map(|(key, value)| {
                let path = format!("{path}.{}", shown(key));
                (key.clone(), to_json(root, &path, value, like.and_then(|like| like.get(key))))
            })
            .collect(),
        Written::String(_, text) if root.sheet.source.is_override(path) => match like {
            Some(Value::Array(_) | Value::Bool(_) | Value::Number(_)) => {
                yaml_serde::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()))
            }
            Some(Value::Null | Value::String(_) | Value::Object(_)) | None => Value::from(text.as_str()),
        },
        other => serde_json::to_value(other).unwrap_or(Value::Null),
    }
}
