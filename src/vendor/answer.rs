//! What an answer says of a key: a pure function of its status *and* the shape of its body. An answer that the
//! profile does not know is *unclear*, whatever its status: a proxy, a firewall and a broken vendor answer too.

use super::profile::{AnswerRule, BodyKind, Identity, Profile};
use crate::domain::{Account, Verdict};
use http::StatusCode;
use serde_json::Value;

/// What was read out of one answer to a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub verdict: Verdict,
    /// Only of an *alive* answer, and only where the vendor has identities.
    pub account: Option<Account>,
    /// *Alive*, of another account than the one that was asked for.
    pub foreign: bool,
    /// The request should have been refused, and was not: it may have written something.
    pub wrote: bool,
    /// The vendor's own name of the key.
    pub key_id: Option<String>,
    /// Status and kind of body, never its content.
    pub why: String,
}

impl Reading {
    fn new(verdict: Verdict, why: String) -> Self {
        Self { verdict, account: None, foreign: false, wrote: false, key_id: None, why }
    }
}

/// Reads one answer. Rules of two lists that fit the same answer contradict each other: nothing is known then.
pub fn classify(profile: &Profile, status: u16, body: &[u8]) -> Reading {
    let probe = &profile.probe;
    let json = serde_json::from_slice::<Value>(body).ok();
    if probe.writes && (200..300).contains(&status) {
        let why = format!("{}: the request that only asks was carried out", spell(status));
        return Reading { wrote: true, ..Reading::new(Verdict::Unclear, why) };
    }
    let [alive, dead, elsewhere] = [&probe.alive, &probe.dead, &probe.wrong_account]
        .map(|rules| json.as_ref().and_then(|json| rules.iter().find(|rule| fits(rule, status, json))));
    match (alive, dead, elsewhere, &json) {
        (Some(_), None, None, Some(json)) => {
            let why = format!("{status} with {}, as a live key gets it", kind(json));
            Reading {
                account: probe.identity.as_ref().map(|identity| account(profile, identity, json)),
                key_id: probe.key_id.as_ref().and_then(|at| shown(json, at)),
                ..Reading::new(Verdict::Alive, why)
            }
        }
        (None, Some(rule), None, _) => {
            Reading::new(Verdict::Dead, format!("{status} with {}", refusal(rule)))
        }
        (None, None, Some(_), Some(_)) => {
            let why = format!("{} as a key of another account gets it", spell(status));
            Reading { foreign: true, ..Reading::new(Verdict::Alive, why) }
        }
        (None, None, None, _) => {
            let why = format!("{} with {}", spell(status), unknown(json.as_ref(), body));
            Reading::new(Verdict::Unclear, why)
        }
        (..) => {
            let why = format!("{status} fits rules that exclude each other: the profile contradicts itself");
            Reading::new(Verdict::Unclear, why)
        }
    }
}

/// Whether an answer is of this kind.
pub(super) fn fits(rule: &AnswerRule, status: u16, json: &Value) -> bool {
    let of_kind = match rule.body {
        BodyKind::Array => json.is_array(),
        BodyKind::Object => json.is_object(),
        BodyKind::Json => true,
    };
    let has = |element: &Value| {
        rule.each_has.iter().all(|member| element.get(member).is_some_and(Value::is_string))
    };
    let elements = json.as_array().map(Vec::as_slice).unwrap_or_default();
    rule.status.contains(&status)
        && of_kind
        && rule.equals.iter().all(|(at, text)| json.pointer(at).and_then(Value::as_str) == Some(text))
        && rule.has.iter().all(|at| shown(json, at).is_some())
        && elements.iter().all(has)
}

/// An empty id identifies nobody: two strangers may both have it.
fn account(profile: &Profile, identity: &Identity, json: &Value) -> Account {
    match identity {
        Identity::Each(member) => {
            let elements = json.as_array().map(Vec::as_slice).unwrap_or_default();
            let ids = elements.iter().filter_map(|element| element.get(member)?.as_str());
            ids.filter(|id| !id.is_empty()).collect()
        }
        Identity::At(pointer) => shown(json, pointer).into_iter().collect(),
        Identity::Param(name) => profile.values.get(name).into_iter().cloned().collect(),
    }
}

/// The text at a JSON pointer, if there is some.
pub(super) fn shown(json: &Value, pointer: &str) -> Option<String> {
    json.pointer(pointer)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn refusal(rule: &AnswerRule) -> String {
    let texts: Vec<_> = rule.equals.values().map(|text| format!("{text:?}")).collect();
    if texts.is_empty() {
        "the vendor's refusal".into()
    } else {
        format!("the vendor's {}", texts.join(" and "))
    }
}

/// `403 (Forbidden)`
pub(super) fn spell(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    reason.map_or_else(|| status.to_string(), |reason| format!("{status} ({reason})"))
}

fn kind(json: &Value) -> String {
    match json {
        Value::Array(elements) => format!("an array of {}", elements.len()),
        Value::Object(_) => "an object".into(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => "a bare JSON value".into(),
    }
}

pub(super) fn unknown(json: Option<&Value>, body: &[u8]) -> String {
    let text = body.trim_ascii();
    match (json, text.first()) {
        (Some(json), _) => format!("{} that says nothing of the key", kind(json)),
        (None, None) => "an empty body".into(),
        (None, Some(b'<')) => "a web page".into(),
        (None, Some(b'[' | b'{')) => "JSON that is broken or cut off".into(),
        (None, Some(_)) => "a body that is no JSON".into(),
    }
}

#[cfg(test)]
mod tests;
