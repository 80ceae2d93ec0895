//! What a document in the store looks like: which field says what. Pure: it reads and writes [`Fields`] and asks no
//! store and no clock.

use super::{Document, Fields};
use crate::domain::{
    Fingerprint, Holder, Key, KeyDocument, LeaseDocument, PreviousKey, RefreshToken, RotationId, Secret,
    Timestamp,
};
use serde_json::Value;

/// The largest state document, in bytes of JSON: KV's limit is 512 KiB to 1 MiB by server, and the rest of the
/// request needs its room too.
const STATE_MAX: usize = 64 << 10;

/// Marks a document that keyrelay has written to, with the version of this layout.
const MARK: &str = "keyrelay";
const LAYOUT: u64 = 1;

/// What a promotion writes beside the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    pub generation: u64,
    /// The vendor's time of the new key.
    pub rotated_at: Timestamp,
    pub rotation_id: RotationId,
    /// The end of the previous key's grace (not the deadline); `None` where it is not known.
    pub previous_expires_at: Option<Timestamp>,
}

/// A key document, and the keys in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFields {
    pub document: KeyDocument,
    pub current: Option<Key>,
    pub previous: Option<Key>,
}

/// Reads a credential's document. `prefix` is the vendor's fixed beginning of a key. What is there and makes no sense
/// counts as missing, except the key itself: why that one is unusable is said.
pub fn read_key(document: &Document, field: &str, prefix: &str) -> KeyFields {
    let fields = &document.fields;
    let (current, unusable) = match fields.get(field) {
        None => (None, None),
        Some(Value::String(text)) => match Key::parse(text) {
            Ok(key) => (Some(key), None),
            Err(error) => (None, Some(format!("field {field}: {error}"))),
        },
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            (None, Some(format!("field {field}: it is no text")))
        }
    };
    let names = Names::of(field);
    let previous = fields.get_str(&names.previous).and_then(|text| Key::parse(text).ok());
    let generation = number(fields, &names.generation);
    KeyFields {
        document: KeyDocument {
            version: document.version,
            created_at: document.created_at,
            current: current.as_ref().map(|key| key.fingerprint_without(prefix)),
            previous: previous.as_ref().map(|key| PreviousKey {
                fingerprint: key.fingerprint_without(prefix),
                expires_at: parsed(fields, &names.previous_expires_at),
            }),
            generation: generation.unwrap_or(0),
            rotated_at: parsed(fields, &names.rotated_at),
            rotation_id: parsed(fields, &names.rotation_id),
            ours: fields.get(MARK).is_some() || generation.is_some(),
            as_written: current.as_ref().is_some_and(|key| {
                let fingerprint = shown(key.fingerprint_without(prefix), generation.unwrap_or(0));
                fields.get_str(&names.fingerprint) == Some(fingerprint.as_str())
            }),
            unusable,
        },
        current,
        previous,
    }
}

/// The document with `new` as its current key: one version of it is the commit of a rotation. Fields that are not
/// keyrelay's are kept. Without a `previous` key (the first one, or one that is known to be dead) none is written.
pub fn promoted(
    base: &Fields,
    field: &str,
    prefix: &str,
    promotion: &Promotion,
    new: &Key,
    previous: Option<&Key>,
) -> Fields {
    let names = Names::of(field);
    let mut fields = retired(base, field);
    fields.set(field, new.expose());
    if let Some(key) = previous {
        fields.set(&names.previous, key.expose());
        if let Some(end) = promotion.previous_expires_at {
            fields.set(&names.previous_expires_at, end.to_string());
        }
    }
    fields.set(&names.fingerprint, shown(new.fingerprint_without(prefix), promotion.generation));
    fields.set(&names.generation, promotion.generation);
    fields.set(&names.rotated_at, promotion.rotated_at.to_string());
    fields.set(&names.rotation_id, promotion.rotation_id.to_string());
    fields.set(MARK, LAYOUT);
    fields
}

/// The document without its previous key.
pub fn retired(base: &Fields, field: &str) -> Fields {
    let names = Names::of(field);
    let mut fields = base.clone();
    fields.remove(&names.previous);
    fields.remove(&names.previous_expires_at);
    fields
}

/// A consumer's own copy: just its field is set, the others are kept.
pub fn with_copy(base: &Fields, field: &str, key: &Key) -> Fields {
    let mut fields = base.clone();
    fields.set(field, key.expose());
    fields
}

/// A state document as fields: an object of at most 64 KiB.
pub fn state_fields(json: Value) -> Result<Fields, String> {
    let size = json.to_string().len();
    if size > STATE_MAX {
        return Err(format!("a state document of {size} bytes is not written; {STATE_MAX} are the limit"));
    }
    Fields::from_json(json).ok_or_else(|| "a state document is a JSON object".to_owned())
}

/// The layout of a mailbox's document.
const TOKEN_SCHEMA: u64 = 1;

/// A mailbox's refresh token as fields.
pub fn token_fields(token: &RefreshToken) -> Fields {
    let mut fields = Fields::default();
    fields.set("schema", TOKEN_SCHEMA);
    fields.set("grant", token.grant.to_string());
    fields.set("refresh_token", token.secret.expose());
    fields.set("obtained_at", token.obtained_at.to_string());
    fields
}

/// The refresh token that a mailbox's document holds; the error says why none can be taken out of it.
pub fn read_token(fields: &Fields) -> Result<RefreshToken, String> {
    schema(fields, TOKEN_SCHEMA)?;
    let secret = fields.get_str("refresh_token").map(Secret::new).filter(|secret| !secret.is_missing());
    let token = parsed(fields, "grant").zip(secret).zip(parsed(fields, "obtained_at"));
    let token = token.map(|((grant, secret), obtained_at)| RefreshToken { grant, secret, obtained_at });
    token.ok_or_else(|| "a part of it is missing or makes no sense".into())
}

/// The layout of the lease document.
const LEASE_SCHEMA: u64 = 1;

/// Which of two daemons acts, as fields.
pub fn lease_fields(lease: &LeaseDocument) -> Fields {
    let LeaseDocument { lineage, term, holder, given_up, write, news } = lease;
    let mut fields = Fields::default();
    fields.set("schema", LEASE_SCHEMA);
    fields.set("lineage", lineage.as_str());
    fields.set("term", *term);
    fields.set("run", holder.run.to_string());
    fields.set("host", holder.host.as_str());
    fields.set("configuration", holder.configuration.as_str());
    fields.set("given_up", *given_up);
    fields.set("write", *write);
    fields.set("news", *news);
    fields
}

/// The error says why a lease document cannot be read.
pub fn read_lease(fields: &Fields) -> Result<LeaseDocument, String> {
    schema(fields, LEASE_SCHEMA)?;
    let text = |name: &str| fields.get_str(name).map(str::to_owned);
    let holder = || {
        let (run, configuration) = (parsed(fields, "run")?, text("configuration")?);
        Some(Holder { run, host: text("host")?, configuration })
    };
    let lease = || {
        Some(LeaseDocument {
            lineage: text("lineage")?,
            term: number(fields, "term")?,
            holder: holder()?,
            given_up: fields.get("given_up")?.as_bool()?,
            write: number(fields, "write")?,
            news: number(fields, "news")?,
        })
    };
    lease().ok_or_else(|| "a part of it is missing or makes no sense".into())
}

/// Another schema is refused in words.
fn schema(fields: &Fields, reads: u64) -> Result<(), String> {
    match number(fields, "schema") {
        Some(schema) if schema == reads => Ok(()),
        Some(other) => Err(format!("it is of schema {other}, and this version reads {reads}")),
        None => Err("it names no schema".into()),
    }
}

/// A fingerprint as it stands beside the key; the generation in place of a weak one.
fn shown(fingerprint: Fingerprint, generation: u64) -> String {
    if fingerprint.is_weak() { format!("g{generation}") } else { fingerprint.to_string() }
}

/// `vault kv patch` on a command line makes texts of numbers.
fn number(fields: &Fields, name: &str) -> Option<u64> {
    let value = fields.get(name)?;
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn parsed<T: std::str::FromStr>(fields: &Fields, name: &str) -> Option<T> {
    fields.get_str(name)?.parse().ok()
}

struct Names {
    previous: String,
    previous_expires_at: String,
    fingerprint: String,
    generation: String,
    rotated_at: String,
    rotation_id: String,
}

impl Names {
    fn of(field: &str) -> Self {
        Self {
            previous: format!("{field}_previous"),
            previous_expires_at: format!("{field}_previous_expires_at"),
            fingerprint: format!("{field}_fingerprint"),
            generation: format!("{field}_generation"),
            rotated_at: format!("{field}_rotated_at"),
            rotation_id: format!("{field}_rotation_id"),
        }
    }
}

#[cfg(test)]
#[path = "layout_tests.rs"]
mod tests;
