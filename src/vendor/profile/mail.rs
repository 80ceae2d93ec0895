//! Which of a vendor's mails count.

use crate::vendor::pattern::{Ending, Whole};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

fn yes() -> bool {
    true
}
