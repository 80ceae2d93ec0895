//! What is asked of a vendor about a key, and what its answers mean.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The request that shows whether a key works, and how its answers are read. What matches no list is unclear.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Below `base_url`; side-effect free. Either this or `post`.
    #[serde(default)]
    pub get: Option<String>,
    /// Where nothing can be read: a request that is refused after the key was looked at.
    #[serde(default)]
    pub post: Option<String>,
    /// The JSON body of `post`.
    #[serde(default)]
    pub json: Option<Value>,
    /// The vendor documents that this request writes something unless it is refused: a success switches the probe off.
    #[serde(default)]
    pub writes: bool,
    /// The header that carries the key, and what stands before the key in it (`Bearer `).
    pub header: String,
    #[serde(default)]
    pub scheme: String,
    pub alive: Vec<AnswerRule>,
    pub dead: Vec<AnswerRule>,
    /// The key is alive, and of another account than the request names.
    #[serde(default)]
    pub wrong_account: Vec<AnswerRule>,
    /// Where an *alive* answer shows the account; absent: the vendor has no identities.
    #[serde(default)]
    pub identity: Option<Identity>,
    /// JSON pointer to the key's own name in an *alive* answer.
    #[serde(default)]
    pub key_id: Option<String>,
}

impl Probe {
    /// The request below an origin, in words and without a key.
    pub fn in_words(&self, base_url: &str) -> String {
        let (method, path) = match (&self.get, &self.post) {
            (None, Some(path)) => ("POST", path.as_str()),
            (path, _) => ("GET", path.as_deref().unwrap_or_default()),
        };
        let body = self.json.as_ref().map(|json| format!(" with {json}")).unwrap_or_default();
        format!("{method} {base_url}{path}{body}")
    }
}

/// An answer matches by status *and* by the shape of its JSON body.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerRule {
    pub status: Vec<u16>,
    /// The JSON type of the whole body.
    pub body: BodyKind,
    /// JSON pointers and the strings that must stand there.
    #[serde(default)]
    pub equals: BTreeMap<String, String>,
    /// JSON pointers at which some text must stand.
    #[serde(default)]
    pub has: Vec<String>,
    /// Of an array: each element must be an object with these members as strings. An empty array matches.
    #[serde(default)]
    pub each_has: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    Array,
    Object,
    /// Any JSON: the vendor documents no shape.
    Json,
}

/// Where the account of a key that is alive is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// This member of each element of the answer's array.
    Each(String),
    /// The text at this JSON pointer.
    At(String),
    /// This parameter: it is part of the address that welcomed the key.
    Param(String),
}
