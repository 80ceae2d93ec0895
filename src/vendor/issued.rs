//! What the answer to a rotating call says: a new key, a refusal, or nothing that anybody understands.

use super::{
    answer::{fits, shown, spell, unknown},
    profile::{Profile, RotateCall},
};
use crate::domain::{Key, Timestamp};
use serde_json::Value;

/// What one answer means.
#[derive(Debug, Clone)]
pub enum Issued {
    /// The old key may be dead already.
    Key(Box<NewKey>),
    /// The vendor says that it rotated nothing.
    Refused { why: String },
    /// Whether a key was made is not known; the text holds nothing of the answer.
    Unclear { why: String },
}

#[derive(Debug, Clone)]
pub struct NewKey {
    pub key: Key,
    /// The vendor's name of it.
    pub key_id: Option<String>,
    /// The vendor's time of the rotation.
    pub rotated_at: Option<Timestamp>,
    /// When the old key ends, by the vendor's word.
    pub old_until: Option<Timestamp>,
}

/// Reads an answer to `rotation.call`. The same answer gives the same every time: it may be read again from the spool.
pub fn issued(profile: &Profile, status: u16, body: &[u8]) -> Issued {
    let Some(call) = &profile.rotation.call else {
        return Issued::Unclear { why: "the vendor's profile no longer has a call that rotates".into() };
    };
    let json = serde_json::from_slice::<Value>(body).ok();
    let Some(json) = json else {
        return Issued::Unclear { why: format!("{} with {}", spell(status), unknown(None, body)) };
    };
    let is_one_of = |rules: &[_]| rules.iter().any(|rule| fits(rule, status, &json));
    match (is_one_of(&call.issued), is_one_of(&call.refused)) {
        (true, false) => new_key(call, status, &json),
        (false, true) => Issued::Refused { why: format!("{}: nothing was rotated", spell(status)) },
        (true, true) => {
            Issued::Unclear { why: format!("{status} fits both issued and refused of the vendor's profile") }
        }
        (false, false) => {
            Issued::Unclear { why: format!("{} with {}", spell(status), unknown(Some(&json), body)) }
        }
    }
}

fn new_key(call: &RotateCall, status: u16, json: &Value) -> Issued {
    let Some(text) = json.pointer(&call.key).and_then(Value::as_str) else {
        return Issued::Unclear { why: format!("{status} without a key at {}", call.key) };
    };
    let time = |at: &Option<String>| at.as_ref().and_then(|at| shown(json, at)?.parse::<Timestamp>().ok());
    match Key::parse(text) {
        Ok(key) => Issued::Key(Box::new(NewKey {
            key,
            key_id: call.key_id.as_ref().and_then(|at| shown(json, at)),
            rotated_at: time(&call.rotated_at),
            old_until: time(&call.old_until),
        })),
        Err(error) => Issued::Unclear { why: format!("{status} with no key at {}: {error}", call.key) },
    }
}
