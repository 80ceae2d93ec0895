//! Everything that the program knows of a vendor, as typed data. A profile in the configuration can say exactly
//! what a built-in one can.

mod examples;
mod mail;
mod probe;
mod rotation;

use super::pattern::Whole;
use crate::domain::{parse_duration, write_duration};
pub use examples::{AnswerExample, AnswerMeaning, Examples, RotationExample, RotationMeaning};
pub use mail::{ConfirmationRule, MailRules, WarningRule};
pub use probe::{AnswerRule, BodyKind, Identity, Probe};
pub use rotation::{RotateCall, RotationRule};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// One vendor. Texts in regular expressions are matched against visible text, line by line, with surrounding
/// blanks removed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The vendor's name as people write it: `Leaf7`.
    pub title: String,
    /// Prose for the operator: what the keys are for, where the dashboard shows them.
    pub about: String,
    /// How to fetch the current key by hand, as a sentence that completes "fetch the key: ".
    pub dashboard: String,
    /// Pages of the vendor's, each by what it is about.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// `https://host[:port]`; plain `http` only to loopback. `{NAME}` stands for a parameter.
    pub base_url: String,
    /// Hosts that must not be called, each with the reason and the right one.
    #[serde(default)]
    pub forbidden_hosts: BTreeMap<String, String>,
    /// What each credential must say of itself (`params`), because it is part of the vendor's addresses.
    #[serde(default)]
    pub params: BTreeMap<String, Param>,
    /// How a new key comes about.
    pub rotation: RotationRule,
    /// How often the key is rotated; absent: not by the calendar.
    #[serde(default)]
    pub cadence: Option<Span>,
    /// How long before a rotation it is announced and rehearsed.
    #[serde(default)]
    pub notice_before: Option<Span>,
    /// How long the old key works after a rotation. Absent: until an operator revokes it, where an operator rotates;
    /// else not at all.
    #[serde(default)]
    pub grace: Option<Span>,
    /// The API's rate limit.
    pub limit: RateLimit,
    pub probe: Probe,
    #[serde(default)]
    pub mail: Option<MailRules>,
    pub key: KeyRule,
    #[serde(default)]
    pub examples: Examples,
    /// A credential's own values of `params`, filled in.
    #[serde(skip)]
    pub values: BTreeMap<String, String>,
}

/// What an operator must say: `about` says what it is and where it is found.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Param {
    pub about: String,
    pub kind: ParamKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParamKind {
    /// `api.example.com`, with a port if need be; of this machine: `127.0.0.1:8080`.
    Host,
    /// `123e4567-e89b-12d3-a456-426614174000`
    Uuid,
    /// Letters, digits, `-`, `_` and `.`.
    Word,
}

/// `requests` in each `per`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    pub requests: u32,
    pub per: Span,
    /// What the vendor counts by.
    #[serde(default)]
    pub of: LimitScope,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitScope {
    /// All keys together, as far as anybody knows.
    #[default]
    Origin,
    /// Each key has a limit of its own.
    Key,
}

/// What a key looks like; without `pattern` the current key's own shape is asked for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRule {
    #[serde(default)]
    pub pattern: Option<Whole>,
    pub min_len: usize,
    pub max_len: usize,
    /// The vendor's fixed beginning of every key; it adds nothing to a key's strength.
    #[serde(default)]
    pub prefix: String,
    /// How the vendor's dashboard tells keys apart, so that nobody revokes the wrong one.
    #[serde(default)]
    pub label: Option<Label>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// By its last four characters.
    Last4,
    /// By a name of its own: `probe.key_id`.
    KeyId,
}

/// A length of time as it is written in YAML: `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Span(pub Duration);

impl TryFrom<String> for Span {
    type Error = crate::domain::DurationError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        parse_duration(&text).map(Self)
    }
}
impl From<Span> for String {
    fn from(span: Span) -> String {
        write_duration(span.0)
    }
}
