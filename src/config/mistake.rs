//! An operator's mistake in the configuration: where it is, which rule it breaks, and what to do about it. It never
//! holds a value that could be a secret.

use std::fmt;

/// Whether the daemon can start in spite of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Error,
    Warning,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file as it was named on the command line, or the environment variable.
    pub file: String,
    /// The path of the key: `credentials.leaf7-main.mailbox`; empty for the file as a whole.
    pub key: String,
    /// What is wrong, without a full stop.
    pub rule: String,
    /// What to write instead.
    pub hint: Option<String>,
    pub severity: Severity,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.file)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.rule)?;
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

/// Everything that is wrong with one configuration, warnings included; at least one is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            write!(f, "{}{mistake}", if at == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

/// The hint `did you mean "…"?`, where one of `words` is near enough to be meant.
pub fn did_you_mean<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let farthest = 1 + word.chars().count() / 5;
    words
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= farthest && *distance < candidate.chars().count())
        .min()
        .map(|(_, candidate)| format!("did you mean \"{candidate}\"?"))
}

/// `"a", "b" or "c"`.
pub(super) fn any_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("\"{word}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_one_line_with_its_place_its_rule_and_its_hint() {
        let mut mistake = Mistake {
            file: "config.yaml".into(),
            key: "credentials.leaf7-main.mailbox".into(),
            rule: "no mailbox named \"vendor-mial\"".into(),
            hint: did_you_mean("vendor-mial", ["other", "vendor-mail"]),
            severity: Severity::Error,
        };
        assert_eq!(
            mistake.to_string(),
            r#"config.yaml: credentials.leaf7-main.mailbox: no mailbox named "vendor-mial"; did you mean "vendor-mail"?"#
        );
        (mistake.key, mistake.hint) = (String::new(), None);
        assert_eq!(mistake.to_string(), r#"config.yaml: no mailbox named "vendor-mial""#);
    }

    #[test]
    fn only_a_near_word_is_meant() {
        assert_eq!(did_you_mean("prot", ["host", "port", "user"]), Some("did you mean \"port\"?".into()));
        assert_eq!(did_you_mean("pot", ["port", "post"]), Some("did you mean \"port\"?".into()));
        assert_eq!(did_you_mean("heartbeat", ["email"]), None);
        assert_eq!(did_you_mean("x", ["y"]), None, "a word with nothing in common");
        assert_eq!(did_you_mean("a", []), None);
    }
}
