//! Regular expressions as an operator writes them: any case, anchored by us.

use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// A compiled expression may take so many bytes: `\w` twenty times over is too much for a daemon of some megabytes.
const COMPILED_MAX: usize = 256 << 10;
/// What it may remember while it searches; beyond it starts afresh.
const CACHE_MAX: usize = 64 << 10;
/// How far before its end an expression is looked for, in bytes: no wording is longer.
const REACH: usize = 240;

/// Matches a whole text.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Whole(Expression);

/// Matches the end of a text.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Ending(Expression);

#[derive(Clone)]
struct Expression {
    written: String,
    /// The anchored form, with `{}` for what the operator wrote.
    around: &'static str,
    /// Compiled for the first text, and kept, by all copies of it: vendors that never write to this site have a megabyte
    /// of them.
    regex: Arc<OnceLock<Option<Regex>>>,
}

impl Whole {
    pub fn matches(&self, text: &str) -> bool {
        self.0.matches_from(text, 0)
    }
}

impl Ending {
    pub fn ends(&self, text: &str) -> bool {
        let from = text.floor_char_boundary(text.len().saturating_sub(REACH));
        self.0.matches_from(text, from)
    }
}

impl Expression {
    /// It is tried, so that a mistake is told while the configuration is read.
    fn check(written: String, around: &'static str) -> Result<Self, String> {
        if written.trim().is_empty() {
            return Err("an empty regular expression matches everything".into());
        }
        // Read by itself first: "a)(b" must not become two groups of ours.
        regex_syntax::parse(&written).map_err(|error| summary(&error))?;
        compile(&written, around).map_err(|error| summary(&error))?;
        Ok(Self { written, around, regex: Arc::default() })
    }

    fn matches_from(&self, text: &str, from: usize) -> bool {
        let regex = self.regex.get_or_init(|| compile(&self.written, self.around).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match_at(text, from))
    }
}

/// Whether it has been compiled makes no difference.
impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.written, f)
    }
}

fn compile(written: &str, around: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(&around.replace("{}", written))
        .size_limit(COMPILED_MAX)
        .dfa_size_limit(CACHE_MAX)
        .build()
}

/// The last line of regex's error says what is wrong; those above draw it.
fn summary(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
    format!("it is no regular expression: {last}")
}

impl TryFrom<String> for Whole {
    type Error = String;
    fn try_from(written: String) -> Result<Self, String> {
        Expression::check(written, "(?i)\\A(?:{})\\z").map(Self)
    }
}
impl TryFrom<String> for Ending {
    type Error = String;
    fn try_from(written: String) -> Result<Self, String> {
        Expression::check(written, "(?i)(?:{})\\z").map(Self)
    }
}
impl From<Whole> for String {
    fn from(pattern: Whole) -> String {
        pattern.0.written
    }
}
impl From<Ending> for String {
    fn from(pattern: Ending) -> String {
        pattern.0.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_pattern_matches_nothing_but_the_whole_text_in_any_case() {
        let pattern = Whole::try_from("your new|key".to_owned()).unwrap();
        assert!(pattern.matches("Your NEW") && pattern.matches("key"));
        assert!(!pattern.matches("re: key") && !pattern.matches("key\n") && !pattern.matches("your new key"));
    }

    #[test]
    fn an_ending_matches_at_the_end_and_a_caret_only_at_the_beginning() {
        let pattern = Ending::try_from("^api key|new key".to_owned()).unwrap();
        assert!(pattern.ends("API key") && pattern.ends(&format!("{} new key", "x".repeat(1000))));
        assert!(!pattern.ends("old api key") && !pattern.ends("new key is"));
        assert!(!pattern.ends(&format!("{}api key", "x".repeat(REACH - 7))));
    }

    #[test]
    fn what_is_no_expression_says_why() {
        let refused = |text: &str| Whole::try_from(text.to_owned()).unwrap_err();
        assert_eq!(refused(" "), "an empty regular expression matches everything");
        assert_eq!(refused("a("), "it is no regular expression: unclosed group");
        assert_eq!(refused("a)(b"), "it is no regular expression: unopened group");
    }
}
