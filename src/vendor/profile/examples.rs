//! What a profile says of itself by example: a rule that does not fit its own examples is a mistake.

use crate::domain::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Made up, or recorded and freed of secrets.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Examples {
    /// Answers to the probe.
    #[serde(default)]
    pub answers: Vec<AnswerExample>,
    /// Answers to the call that rotates.
    #[serde(default)]
    pub rotations: Vec<RotationExample>,
    /// Keys of the vendor's form that nobody has.
    #[serde(default)]
    pub keys: Vec<String>,
    /// Subjects of warning mails.
    #[serde(default)]
    pub warning_subjects: Vec<String>,
    /// Subjects of confirmation mails.
    #[serde(default)]
    pub confirmation_subjects: Vec<String>,
    /// Lines of confirmation mails up to the key.
    #[serde(default)]
    pub before_key: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerExample {
    pub status: u16,
    /// JSON; or text that is none, as it was sent.
    pub body: Value,
    pub means: AnswerMeaning,
    /// The account that an *alive* answer shows.
    #[serde(default)]
    pub account: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerMeaning {
    Alive,
    Dead,
    WrongAccount,
    Unclear,
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotationExample {
    pub status: u16,
    /// JSON; or text that is none, as it was sent.
    pub body: Value,
    pub means: RotationMeaning,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RotationMeaning {
    Issued,
    Refused,
    /// Nobody knows whether a key was made.
    Unclear,
}

impl AnswerMeaning {
    /// A key of another account works, there.
    pub fn verdict(self) -> Verdict {
        match self {
            AnswerMeaning::Alive | AnswerMeaning::WrongAccount => Verdict::Alive,
            AnswerMeaning::Dead => Verdict::Dead,
            AnswerMeaning::Unclear => Verdict::Unclear,
        }
    }
}
