//! What an answer says of a key: a pure function of its status *and* the shape of its body. An answer that the
//! profile does not know is *unclear*, whatever its status: a proxy, a firewall and a broken vendor answer too.

use crate::domain::{Account, Verdict};
use crate::vendor::Profile;
use crate::vendor::profile::{AnswerRule, BodyKind, Identity};
use reqwest::StatusCode;
use serde_json::Value;

/// The verdict, the account (only of an *alive* answer, and only where the vendor has identities), and why: status
/// and kind of body, never its content.
pub fn classify(profile: &Profile, status: u16, body: &[u8]) -> (Verdict, Option<Account>, String) {
    let json = serde_json::from_slice::<Value>(body).ok();
    let first = |rules: &'_ [AnswerRule]| {
        json.as_ref().and_then(|json| rules.iter().position(|rule| fits(rule, status, json)))
    };
    match (first(&profile.probe.alive), first(&profile.probe.dead), &json) {
        (Some(_), None, Some(json)) => {
            let account = profile.probe.identity.as_ref().map(|identity| account(identity, json));
            (Verdict::Alive, account, format!("{status} with {}, as a live key gets it", kind(json)))
        }
        (None, Some(rule), _) => {
            (Verdict::Dead, None, format!("{status} with {}", refusal(&profile.probe.dead[rule])))
        }
        (Some(_), Some(_), _) => (
            Verdict::Unclear,
            None,
            format!("{status} fits a live and a dead key: the profile contradicts itself"),
        ),
        (Some(_) | None, None, _) => {
            (Verdict::Unclear, None, format!("{} with {}", spell(status), unknown(json.as_ref(), body)))
        }
    }
}

fn fits(rule: &AnswerRule, status: u16, json: &Value) -> bool {
    let of_kind = match rule.body {
        BodyKind::Array => json.is_array(),
        BodyKind::Object => json.is_object(),
    };
    let has = |element: &Value| {
        rule.each_has.iter().all(|member| element.get(member).is_some_and(Value::is_string))
    };
    let elements = json.as_array().map(Vec::as_slice).unwrap_or_default();
    rule.status.contains(&status)
        && of_kind
        && rule.equals.iter().all(|(at, text)| json.pointer(at).and_then(Value::as_str) == Some(text))
        && elements.iter().all(has)
}

/// An empty id identifies nobody: two strangers may both have it.
fn account(identity: &Identity, json: &Value) -> Account {
    let elements = json.as_array().map(Vec::as_slice).unwrap_or_default();
    elements
        .iter()
        .filter_map(|element| element.get(&identity.each)?.as_str())
        .filter(|id| !id.is_empty())
        .collect()
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
fn spell(status: u16) -> String {
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

fn unknown(json: Option<&Value>, body: &[u8]) -> String {
    let text = body.trim_ascii();
    match (json, text.first()) {
        (Some(json), _) => format!("{} that says nothing of the key", kind(json)),
        (None, None) => "an empty body".into(),
        (None, Some(b'<')) => "a web page".into(),
        (None, Some(b'[' | b'{')) => "JSON that is broken or cut off".into(),
        (None, Some(_)) => "a body that is no JSON".into(),
    }
}
