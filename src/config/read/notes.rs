//! The mistakes that are found while reading. What is wrong with `defaults` is wrong in every credential, and is told
//! once.

use crate::config::mistake::{Mistake, Severity};
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Notes {
    list: Vec<Mistake>,
    shared: BTreeMap<Cause, Shared>,
}

/// What makes two mistakes in credentials one mistake in `defaults`.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Cause {
    severity: Severity,
    key: String,
    rule: String,
    hint: Option<String>,
}

/// Where in the list it stands, and whom it concerns.
struct Shared {
    at: usize,
    first: String,
    last: String,
    count: usize,
}

impl Notes {
    pub fn new(list: Vec<Mistake>) -> Self {
        Self { list, shared: BTreeMap::new() }
    }

    pub fn push(&mut self, mistake: Mistake) {
        self.list.push(mistake);
    }

    /// A mistake in `defaults`, seen in the credential `name`. Where what is written there holds `{name}`, two
    /// credentials' sentences are the same but for their names.
    pub fn push_shared(&mut self, mistake: Mistake, name: &str, is_named: bool) {
        let general = |text: &str| if is_named { without_word(text, name) } else { text.to_owned() };
        let cause = Cause {
            severity: mistake.severity,
            key: mistake.key.clone(),
            rule: general(&mistake.rule),
            hint: mistake.hint.as_deref().map(general),
        };
        let at = self.list.len();
        let shared = self.shared.entry(cause).or_insert_with(|| {
            self.list.push(mistake);
            Shared { at, first: name.into(), last: String::new(), count: 0 }
        });
        if shared.last != name {
            (shared.last, shared.count) = (name.into(), shared.count + 1);
        }
    }

    pub fn has(&self, key: &str) -> bool {
        self.list.iter().any(|mistake| mistake.key.split('[').next() == Some(key))
    }

    pub fn into_list(mut self) -> Vec<Mistake> {
        for Shared { at, first, count, .. } in self.shared.into_values() {
            let others = match count {
                0 | 1 => String::new(),
                2 => " and one other".to_owned(),
                _ => format!(" and {} others", count - 1),
            };
            self.list[at].rule += &format!(" (credential {first}{others})");
        }
        self.list
    }
}

/// The text with a name's place in it instead of the name.
fn without_word(text: &str, name: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let (mut general, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        general += before;
        let is_word = !general.ends_with(is_part) && !after.starts_with(is_part);
        general += if is_word { "{name}" } else { name };
        rest = after;
    }
    general + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_replaced_where_it_stands_as_a_word() {
        assert_eq!(
            without_word("\"vendors/a\" is also a path", "a"),
            "\"vendors/{name}\" is also {name} path"
        );
        assert_eq!(without_word("/etc/leaf7-main.key", "leaf7"), "/etc/leaf7-main.key");
        assert_eq!(without_word("", "a"), "");
    }
}
