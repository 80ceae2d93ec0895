//! Customers' keys as the vendor lists them. Only the id has to be there; times are texts, because the vendor writes
//! them without a zone and does not say which one is meant.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Generated, and perhaps redeemed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct BuyerKey {
    pub key_id: String,
    #[serde(default)]
    pub project_id: Option<String>,
    #[serde(default)]
    pub created_at: Option<String>,
    #[serde(default)]
    pub redeemed: Option<bool>,
    #[serde(default, deserialize_with = "text")]
    pub discord_id: Option<String>,
    #[serde(default)]
    pub key_days: Option<u64>,
    #[serde(default)]
    pub key_hours: Option<u64>,
    #[serde(default)]
    pub key_minutes: Option<u64>,
}

/// Redeemed: bound to a person and a machine.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct ActiveKey {
    pub key_id: String,
    #[serde(default)]
    pub project_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub discord_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    pub hwid: Option<String>,
    #[serde(default)]
    pub hwid_resets: Option<u64>,
    #[serde(default)]
    pub total_executions: Option<u64>,
    #[serde(default)]
    pub last_execution: Option<String>,
    #[serde(default)]
    pub last_reset: Option<String>,
    #[serde(default)]
    pub redeemed_at: Option<String>,
    /// `None`: never.
    #[serde(default)]
    pub expires_at: Option<String>,
    #[serde(default)]
    pub banned: Option<bool>,
}

/// A long number is often written as a text; here either is.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) => Some(text),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Some(other.to_string())
        }
    })
}
