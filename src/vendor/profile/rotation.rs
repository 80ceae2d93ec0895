//! How a new key comes about, and the call that makes one.

use super::{AnswerRule, Span};
use crate::domain::RotatedBy;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotationRule {
    /// Who makes the new key.
    #[schemars(with = "By")]
    pub by: RotatedBy,
    /// What an operator does in the dashboard to get a new key, step by step.
    #[serde(default)]
    pub create: Vec<String>,
    /// What an operator does there to end the old one.
    #[serde(default)]
    pub revoke: Vec<String>,
    /// How long that may take once every consumer works with the new key.
    #[serde(default = "a_day")]
    pub revoke_within: Span,
    /// The request that makes a new key, where the vendor's API has one.
    #[serde(default)]
    pub call: Option<RotateCall>,
}

/// [`RotatedBy`] as the schema describes it.
#[expect(dead_code, reason = "only its schema is used")]
#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum By {
    /// The vendor by itself; it mails the new key.
    Vendor,
    /// A person in the vendor's dashboard, which shows the new key once.
    Operator,
    /// A call of its API, whose answer is the only copy of the new key.
    Api,
}

/// A request whose answer is the only copy of the new key.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateCall {
    /// Below `base_url`; the key goes along as with the probe.
    pub post: String,
    /// The JSON body; in its texts `{grace}` stands for the grace, as `graces` writes it.
    #[serde(default)]
    pub json: Option<Value>,
    /// The graces that a caller may choose from, each with the vendor's word for it; empty: there is no choice.
    #[serde(default)]
    pub graces: BTreeMap<Span, String>,
    /// The answers that carry a new key.
    pub issued: Vec<AnswerRule>,
    /// The answers that say that nothing was rotated: the key is in rotation already, or may not.
    #[serde(default)]
    pub refused: Vec<AnswerRule>,
    /// JSON pointer to the new key.
    pub key: String,
    /// JSON pointer to the vendor's name of the new key.
    #[serde(default)]
    pub key_id: Option<String>,
    /// JSON pointer to the time of the rotation (RFC 3339).
    #[serde(default)]
    pub rotated_at: Option<String>,
    /// JSON pointer to the time at which the old key ends (RFC 3339).
    #[serde(default)]
    pub old_until: Option<String>,
}

fn a_day() -> Span {
    Span(Duration::from_secs(86_400))
}
