//! What an answer says of what was done: a pure function of its status and its body. Only the vendor's own JSON says
//! yes or no; a proxy, a firewall and a broken vendor answer too.

use super::Operation;
use reqwest::StatusCode;
use serde::{Deserialize, Serialize, de::IgnoredAny};
use serde_json::Value;
use std::{fmt, time::Duration};

/// What is shown of the vendor's own words, in characters.
const DETAIL_MAX: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Done, and what the vendor said: JSON, or nothing.
    Done { body: Body },
    /// The vendor says no, and why; nothing was done.
    Refused { status: u16, detail: String },
    /// It does not know the key that it was called with; nothing was done.
    KeyRefused { status: u16, detail: String },
    /// Too many requests; nothing was done. What `Retry-After` says, if it says something.
    Busy { detail: String, retry_after: Option<Duration> },
    /// It never got there; nothing was done.
    NotDone { why: String },
    /// It may have been done.
    Unclear { why: String },
}

/// The vendor's words, with customers' keys in them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Body(pub String);

impl Body {
    /// `null` where there was none. JSON that cannot be held (a number without end, say) is a text: nothing is lost.
    pub fn json(&self) -> Value {
        match self.0.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
        }
    }
    /// How many elements its array has; 1 for anything else that is there.
    pub fn count(&self) -> usize {
        match serde_json::from_str::<Vec<IgnoredAny>>(&self.0) {
            Ok(elements) => elements.len(),
            Err(_) => usize::from(!self.0.is_empty()),
        }
    }
}
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// No redirect comes here.
pub(super) fn read(
    operation: &Operation,
    status: StatusCode,
    retry_after: Option<Duration>,
    body: &[u8],
) -> Answer {
    let text = std::str::from_utf8(body).ok().map(str::trim);
    let json = text.filter(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    let unclear = || Answer::Unclear { why: format!("{} with {}", spell(status), kind(text)) };
    match (status, json) {
        (status, Some(json)) if status.is_success() => {
            // Of a generation's answer nothing may be lost, whatever its form.
            let fits = !operation.wants_array() || json.starts_with('[') || operation.weight() > 1;
            if fits { Answer::Done { body: Body(json.to_owned()) } } else { unclear() }
        }
        (status, None) if status.is_success() => match text {
            Some("") if !operation.wants_array() => Answer::Done { body: Body(String::new()) },
            Some(_) | None => unclear(),
        },
        (StatusCode::TOO_MANY_REQUESTS, json) => {
            let detail = json.and_then(detail).unwrap_or_else(|| kind(text).to_owned());
            Answer::Busy { detail, retry_after }
        }
        (status, Some(json)) if status.is_client_error() => {
            let detail = detail(json).unwrap_or_else(|| kind(text).to_owned());
            let of_key = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
            let status = status.as_u16();
            match of_key && detail == "Not authenticated" {
                true => Answer::KeyRefused { status, detail },
                false => Answer::Refused { status, detail },
            }
        }
        (_, Some(_) | None) => unclear(),
    }
}

/// `{"detail": …}` as it is; control characters are made visible, and its length is bounded.
fn detail(json: &str) -> Option<String> {
    let json: Value = serde_json::from_str(json).ok()?;
    let text = match json.get("detail")? {
        Value::String(text) => text.clone(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            other.to_string()
        }
    };
    let harmless = |char: char| match char {
        '"' | '\'' | '\\' => char.to_string(),
        char => char.escape_debug().to_string(),
    };
    let mut shown: String = text.chars().take(DETAIL_MAX).map(harmless).collect();
    if text.chars().nth(DETAIL_MAX).is_some() {
        shown.push('…');
    }
    Some(shown)
}

/// `403 (Forbidden)`
pub(super) fn spell(status: StatusCode) -> String {
    status
        .canonical_reason()
        .map_or_else(|| status.as_u16().to_string(), |reason| format!("{} ({reason})", status.as_u16()))
}

/// What a body is, never what it says.
fn kind(text: Option<&str>) -> &'static str {
    let Some(text) = text else { return "a body that is no text" };
    match (serde_json::from_str::<IgnoredAny>(text).is_ok(), text.as_bytes().first()) {
        (_, None) => "an empty body",
        (true, Some(b'[')) => "an array",
        (true, Some(b'{')) => "an object that says nothing of it",
        (true, Some(_)) => "a bare JSON value",
        (false, Some(b'<')) => "a web page",
        (false, Some(b'[' | b'{')) => "JSON that is broken or cut off",
        (false, Some(_)) => "a body that is no JSON",
    }
}
