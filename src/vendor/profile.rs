//! Everything that the program knows of a vendor, as typed data. A profile in the configuration can say exactly
//! what a built-in one can.

use super::pattern::{Ending, Whole};
use crate::domain::{parse_duration, write_duration};
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
    /// `https://host[:port]`; plain `http` only to loopback.
    pub base_url: String,
    /// Hosts that must not be called, each with the reason and the right one.
    #[serde(default)]
    pub forbidden_hosts: BTreeMap<String, String>,
    /// Who makes a new key.
    pub rotates: RotatedBy,
    #[serde(default)]
    pub cadence: Option<Span>,
    #[serde(default)]
    pub notice_before: Option<Span>,
    /// How long the old key works after a rotation; absent: not at all.
    #[serde(default)]
    pub grace: Option<Span>,
    /// Rate limits of the API.
    pub limit: RateLimit,
    pub probe: Probe,
    #[serde(default)]
    pub mail: Option<MailRules>,
    pub key: KeyRule,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RotatedBy {
    /// By itself, and mails the new key.
    Vendor,
}

/// `requests` in each `per`, counted per origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    pub requests: u32,
    pub per: Span,
}

/// The request that shows whether a key works, and how its answers are read. What matches neither list is unclear.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// Below `base_url`; side-effect free.
    pub get: String,
    /// The header that carries the key, and what stands before the key in it (`Bearer `).
    pub header: String,
    #[serde(default)]
    pub scheme: String,
    pub alive: Vec<AnswerRule>,
    pub dead: Vec<AnswerRule>,
    /// Where an *alive* answer shows the account; absent: the vendor has no identities.
    #[serde(default)]
    pub identity: Option<Identity>,
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
    /// Of an array: each element must be an object with these members as strings. An empty array matches.
    #[serde(default)]
    pub each_has: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    Array,
    Object,
}

/// The identities in an *alive* answer: the member of each element of the array.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub each: String,
}

/// Which mails count, and how a key is found in them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailRules {
    /// Exact sender addresses; empty: any one address in a domain of `signed_by`.
    #[serde(default)]
    pub from: Vec<String>,
    /// The pinned signing domains (DKIM `d=`).
    pub signed_by: Vec<String>,
    /// `From` must be in the signing domain. `false` needs `from` and `selectors`.
    #[serde(default = "yes")]
    pub aligned: bool,
    /// Pinned DKIM selectors (`s=`); empty: any.
    #[serde(default)]
    pub selectors: Vec<String>,
    pub warning: WarningRule,
    pub confirmation: ConfirmationRule,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WarningRule {
    pub subject: Vec<Whole>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationRule {
    pub subject: Vec<Whole>,
    /// What stands right before the key: on its line, or as the end of the line (or table cell) before it. Colons,
    /// quotes and brackets between it and the key need not be written.
    pub key_after: Vec<Ending>,
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
}

fn yes() -> bool {
    true
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
