//! The kinds of values that many keys have.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use std::borrow::Cow;

/// A secret is always a reference, never written here itself.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Reference {
    /// The name of a systemd credential: LoadCredential=NAME, kept in /etc/credstore.
    Credential(String),
    /// A file that others cannot read.
    File(String),
    /// An environment variable.
    Env(String),
}

/// Written out, or a reference where it is a secret.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum TextOrReference {
    Text(String),
    Reference(Reference),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum OneOrList {
    One(String),
    List(Vec<String>),
}

#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Listen {
    /// off, or false.
    Off(bool),
    One(String),
    List(Vec<String>),
}

/// One whole number and s, m, h or d.
pub struct Duration;

impl JsonSchema for Duration {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]{1,9}[smhd]$", "examples": ["90s", "15m", "24h", "7d"]})
    }
}

/// Five fields (minute hour day month weekday), or six with seconds first.
pub struct Cron;

impl JsonSchema for Cron {
    fn schema_name() -> Cow<'static, str> {
        "Cron".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": r"^\s*\S+(\s+\S+){4,5}\s*$", "examples": ["17 3 1 * *"]})
    }
}

/// RFC 3339.
pub struct Moment;

impl JsonSchema for Moment {
    fn schema_name() -> Cow<'static, str> {
        "Moment".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time", "examples": ["2027-03-01T12:00:00Z"]})
    }
}

/// A name that the operator gives.
pub struct Name;

impl JsonSchema for Name {
    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}$"})
    }
}

/// Lets at most one of the keys have a value; `null` is none.
pub fn exclusive(keys: &'static [&'static str]) -> impl FnMut(&mut Schema) {
    move |schema| {
        let pairs = keys.iter().enumerate().flat_map(|(at, one)| {
            keys[at + 1..].iter().map(move |other| {
                let set = json!({"not": {"type": "null"}});
                json!({"not": {"required": [one, other], "properties": {*one: set, *other: set}}})
            })
        });
        schema.insert("allOf".into(), Value::Array(pairs.collect()));
    }
}
