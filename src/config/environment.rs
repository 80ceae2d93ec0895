//! The environment's part of the configuration: `KEYRELAY_CREDENTIALS__LEAF7_MAIN__PATH` is
//! `credentials.leaf7-main.path`. All values stay text here; the reader of a key knows its type.

use super::{
    mistake::{Mistake, Severity},
    source::join,
};
use figment::value::{Dict, Value};
use std::collections::BTreeMap;

const PREFIX: &str = "KEYRELAY_";

/// The command line's own variable, and those that a consumer's command gets.
const NOT_OURS: [&str; 4] = ["CONFIG", "CREDENTIAL", "CONSUMER", "CHALLENGE"];

#[derive(Default)]
pub(super) struct Overrides {
    pub tree: Dict,
    pub clashes: Vec<Mistake>,
    /// Who set which key path.
    variables_by_path: BTreeMap<String, String>,
}

impl Overrides {
    pub fn read(environment: &BTreeMap<String, String>) -> Self {
        let mut overrides = Self::default();
        for (variable, text) in environment {
            match variable.strip_prefix(PREFIX) {
                Some(rest) if !NOT_OURS.contains(&rest) => overrides.set(variable, &keys(rest), text),
                _ => {}
            }
        }
        overrides
    }

    pub fn has_any(&self) -> bool {
        !self.variables_by_path.is_empty()
    }

    pub fn sets(&self, path: &str) -> bool {
        self.variables_by_path.contains_key(path)
    }

    /// The variable that set the key at `path`, or else one that set a key below it.
    pub fn at_or_below(&self, path: &str) -> Option<&str> {
        let below = format!("{path}.");
        let mut from_here = self.variables_by_path.range(path.to_owned()..);
        from_here
            .by_ref()
            .take_while(|(key, _)| key.starts_with(path))
            .find(|(key, _)| *key == path || key.starts_with(&below))
            .map(|(_, variable)| variable.as_str())
    }

    fn set(&mut self, variable: &str, keys: &[String], text: &str) {
        let paths: Vec<String> = (1..=keys.len()).map(|depth| path_of(&keys[..depth])).collect();
        let path = paths.last().cloned().unwrap_or_default();
        let above = paths.iter().find_map(|path| self.variables_by_path.get(path).map(String::as_str));
        if let Some(other) = above.or_else(|| self.at_or_below(&path)) {
            self.clashes.push(Mistake {
                file: variable.into(),
                key: path,
                rule: format!("{other} sets the same key"),
                hint: Some("unset one of them".into()),
                severity: Severity::Error,
            });
        } else {
            insert(&mut self.tree, keys, text);
            self.variables_by_path.insert(path, variable.into());
        }
    }
}

fn path_of(keys: &[String]) -> String {
    keys.iter().fold(String::new(), |path, key| join(&path, key))
}

fn insert(tree: &mut Dict, keys: &[String], text: &str) {
    match keys {
        [] => {}
        [last] => {
            tree.insert(last.clone(), Value::from(text));
        }
        [first, rest @ ..] => {
            let below = tree.entry(first.clone()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, below) = below {
                insert(below, rest, text);
            }
        }
    }
}

/// A variable's levels as keys: lower case, and `-` for `_` where a level is a name that an operator gave. The
/// variables that a consumer's command gets keep the case in which they are written.
fn keys(variable: &str) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for level in variable.split("__") {
        let above: Vec<&str> = keys.iter().map(String::as_str).collect();
        keys.push(match above[..] {
            ["credentials" | "mailboxes" | "vendors"]
            | ["credentials", _, "consumers"]
            | ["defaults", "consumers"] => level.to_lowercase().replace('_', "-"),
            ["credentials", _, "consumers", _, "deliver", "command", "env"]
            | ["defaults", "consumers", _, "deliver", "command", "env"] => level.to_owned(),
            _ => level.to_lowercase(),
        });
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Overrides {
        Overrides::read(&variables.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect())
    }

    #[test]
    fn levels_are_lower_cased_and_names_get_their_hyphens_back() {
        for (variable, path) in [
            ("LISTEN", "listen"),
            ("STORE__VAULT__CA_CERT", "store.vault.ca_cert"),
            ("MAILBOXES__VENDOR_MAIL__IMAP__CA_CERT", "mailboxes.vendor-mail.imap.ca_cert"),
            ("VENDORS__LEAF7__KEY__MIN_LEN", "vendors.leaf7.key.min_len"),
            ("CREDENTIALS__LEAF7_MAIN__HAND_OVER_WITHIN", "credentials.leaf7-main.hand_over_within"),
            ("CREDENTIALS__A__CONSUMERS__WEB_SHOP__HOST", "credentials.a.consumers.web-shop.host"),
            ("DEFAULTS__CONSUMERS__WEB_SHOP__HOST", "defaults.consumers.web-shop.host"),
            (
                "CREDENTIALS__A__CONSUMERS__B__DELIVER__COMMAND__ENV__API_URL__FILE",
                "credentials.a.consumers.b.deliver.command.env.API_URL.file",
            ),
        ] {
            let variable = format!("KEYRELAY_{variable}");
            let overrides = read(&[(&variable, "x")]);
            assert!(overrides.sets(path), "{variable}");
            assert_eq!(overrides.at_or_below(path), Some(variable.as_str()));
            let tree = Value::from(overrides.tree);
            assert_eq!(tree.find_ref(path).and_then(Value::as_str), Some("x"), "{variable}");
        }
    }

    #[test]
    fn four_variables_and_those_of_others_are_no_configuration() {
        let overrides = read(&[
            ("KEYRELAY_CONFIG", "x"),
            ("KEYRELAY_CREDENTIAL", "x"),
            ("KEYRELAY_CONSUMER", "x"),
            ("KEYRELAY_CHALLENGE", "x"),
            ("PATH", "x"),
            ("XKEYRELAY_LISTEN", "x"),
        ]);
        assert!(overrides.tree.is_empty());
    }

    #[test]
    fn two_variables_for_one_key_clash() {
        let overrides =
            read(&[("KEYRELAY_LISTEN", "a"), ("KEYRELAY_LISTEN__X", "b"), ("KEYRELAY_listen", "c")]);
        let lines: Vec<String> = overrides.clashes.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "KEYRELAY_LISTEN__X: listen.x: KEYRELAY_LISTEN sets the same key; unset one of them",
                "KEYRELAY_listen: listen: KEYRELAY_LISTEN sets the same key; unset one of them",
            ]
        );
    }

    #[test]
    fn a_key_that_only_begins_alike_is_another_key() {
        let overrides = read(&[("KEYRELAY_SPOOLER", "a"), ("KEYRELAY_SPOOL__DIR", "b")]);
        assert_eq!(overrides.at_or_below("spool"), Some("KEYRELAY_SPOOL__DIR"));
        assert_eq!(overrides.at_or_below("spo"), None);
    }
}
