//! Stand-in until the registry itself is merged: one built-in vendor, overrides merged into it.

use super::Profile;
use crate::domain::VendorName;
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileMistake {
    /// `leaf7.mail.signed_by`
    pub path: String,
    pub message: String,
    pub hint: String,
}

pub fn resolve(
    overrides: &BTreeMap<VendorName, Value>,
) -> Result<BTreeMap<VendorName, Profile>, Vec<ProfileMistake>> {
    let mut values: BTreeMap<String, Value> = BTreeMap::from([("leaf7".to_owned(), leaf7())]);
    for (name, value) in overrides {
        merge(values.entry(name.to_string()).or_insert(json!({})), value);
    }
    let mut mistakes = Vec::new();
    let mut profiles = BTreeMap::new();
    for (name, value) in values {
        match (name.parse(), serde_json::from_value(value)) {
            (Ok(parsed), Ok(profile)) => {
                profiles.insert(parsed, profile);
            }
            (_, Err(error)) => mistakes.push(ProfileMistake {
                path: name,
                message: error.to_string(),
                hint: "look at it".into(),
            }),
            (Err(_), _) => {}
        }
    }
    if mistakes.is_empty() { Ok(profiles) } else { Err(mistakes) }
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn leaf7() -> Value {
    json!({
        "title": "Leaf7", "about": "a", "dashboard": "Leaf7 dashboard, Settings", "base_url": "https://api.leaf7.fun", "rotates": "vendor",
        "forbidden_hosts": {"auth.leaf7.fun":
            "use https://api.leaf7.fun; the vendor answers 403 to whoever calls its other host directly"},
        "cadence": "7d", "notice_before": "24h", "grace": "24h", "limit": {"requests": 60, "per": "1m"},
        "probe": {"get": "/api/vendor/projects/", "header": "Authorization", "scheme": "Bearer ",
            "alive": [{"status": [200], "body": "array", "each_has": ["project_id", "name"]}],
            "dead": [{"status": [401, 403], "body": "object", "equals": {"/detail": "Not authenticated"}}],
            "identity": {"each": "project_id"}},
        "mail": {"signed_by": ["leaf7.fun"], "warning": {"subject": ["x"]},
            "confirmation": {"subject": ["y"], "key_after": ["z"]}},
        "key": {"min_len": 20, "max_len": 200}
    })
}
