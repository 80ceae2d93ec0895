//! The types that a key's value may have: text becomes a path, a length of time, a name of an environment variable
//! once, here.

use super::{mistake::any_of, read::Item};
use crate::domain::parse_duration;
use figment::value::Value;
use std::{
    path::{Component, PathBuf},
    time::Duration,
};

/// One line of text that is not empty.
pub(super) fn text(item: &Item) -> Option<String> {
    let text = prose(item)?;
    if text.chars().any(char::is_control) {
        return item.refuse("the text holds a line break or another control character");
    }
    Some(text)
}

/// Text of any number of lines, not empty.
pub(super) fn prose(item: &Item) -> Option<String> {
    match item.value() {
        Value::String(_, text) if text.is_empty() => item.refuse("the text is empty"),
        Value::String(_, text) => Some(text.clone()),
        Value::Char(_, char) => Some(char.to_string()),
        _ => item.wrong_kind("text"),
    }
}

/// One line of text, possibly empty.
pub(super) fn text_or_empty(item: &Item) -> Option<String> {
    match item.value() {
        Value::String(_, empty) if empty.is_empty() => Some(String::new()),
        _ => text(item),
    }
}

/// A whole number in the range.
pub(super) fn number(item: &Item, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
    let number = match item.value() {
        Value::String(_, text) if item.is_override() => text.trim().parse::<i128>().ok(),
        Value::Num(_, number) => {
            number.to_i128().or_else(|| number.to_u128().and_then(|number| number.try_into().ok()))
        }
        _ => return item.wrong_kind("a number"),
    };
    let fits = number.and_then(|number| u32::try_from(number).ok()).filter(|number| range.contains(number));
    match fits {
        Some(number) => {
            item.became(number);
            Some(number)
        }
        None => {
            item.refuse(format!("a whole number from {} to {} is needed here", range.start(), range.end()))
        }
    }
}

pub(super) fn port(item: &Item) -> Option<u16> {
    number(item, 1..=65_535).and_then(|number| u16::try_from(number).ok())
}

/// `true` or `false`.
pub(super) fn flag(item: &Item) -> Option<bool> {
    let flag = match item.value() {
        Value::Bool(_, flag) => Some(*flag),
        Value::String(_, text) if item.is_override() => text.trim().parse().ok(),
        _ => None,
    };
    let Some(flag) = flag else {
        return item.refuse("true or false is needed here");
    };
    item.became(flag);
    Some(flag)
}

/// `90s`, `15m`, `24h` or `7d`.
pub(super) fn duration(item: &Item) -> Option<Duration> {
    match item.value() {
        Value::Num(..) => item.refuse(crate::domain::DurationError.to_string()),
        _ => parse_duration(&text(item)?).map_err(|error| item.refuse::<()>(error.to_string())).ok(),
    }
}

/// One word of those that mean something.
pub(super) fn word<T: Clone>(item: &Item, meanings: &[(&str, T)]) -> Option<T> {
    let text = text(item)?;
    match meanings.iter().find(|(word, _)| *word == text) {
        Some((_, meaning)) => Some(meaning.clone()),
        None => {
            let words = any_of(meanings.iter().map(|(word, _)| *word));
            item.refuse_with(
                format!("\"{}\" is none of the words here", shown(&text)),
                format!("write {words}"),
            )
        }
    }
}

/// An absolute path without `.` and `..`, so that two paths can be compared.
pub(super) fn path(item: &Item) -> Option<PathBuf> {
    let text = text(item)?;
    let path = PathBuf::from(&text);
    if !path.is_absolute() {
        return item.refuse_with("the path is not absolute", "begin it with /");
    }
    if path.components().any(|part| part == Component::ParentDir) {
        return item.refuse("the path holds ..");
    }
    // Collecting the components drops `//` and `/./`.
    Some(path.components().collect())
}

/// A program with its arguments. It gets an empty environment but for PATH, so the program is named in full.
pub(super) fn program(item: &Item) -> Option<Vec<String>> {
    let words = item.list(prose)?;
    match words.first() {
        None => item.refuse_with("the command is empty", "write it as [/path/to/program, argument]"),
        Some(program) if !program.starts_with('/') => item.refuse_with(
            "the program is not named by an absolute path",
            "write it as [/path/to/program, argument]",
        ),
        Some(_) if words.iter().any(|word| word.contains('\0')) => {
            item.refuse("the command holds a NUL character")
        }
        Some(_) => Some(words),
    }
}

/// The name of an environment variable.
pub(super) fn variable(item: &Item) -> Option<String> {
    let text = text(item)?;
    if is_variable(&text) {
        return Some(text);
    }
    item.refuse("a variable's name is letters, digits and _, and does not begin with a digit")
}

pub(super) fn is_variable(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    !text.is_empty() && !text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(legal)
}

/// A path in the store, or a mount: words with slashes between them.
pub(super) fn store_path(item: &Item) -> Option<String> {
    let text = text(item)?;
    if is_store_path(&text) {
        return Some(text);
    }
    item.refuse_with(
        format!("\"{}\" is no path in a store", shown(&text)),
        "write words of A-Z a-z 0-9 . _ ~ @ : - with one / between two of them, as in vendors/leaf7/main",
    )
}

pub(super) fn is_store_path(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"._~@:-".contains(&b);
    let fits = |word: &str| !word.is_empty() && word != "." && word != ".." && word.bytes().all(legal);
    text.split('/').all(fits) && text.len() <= STORE_PATH_MAX
}

/// The longest path in a store, in bytes: keyrelay appends names of its own, and Vault's storage ends near 1 KiB.
const STORE_PATH_MAX: usize = 512;

/// A member of a document in the store.
pub(super) fn field(item: &Item) -> Option<String> {
    let text = text(item)?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if text == "keyrelay" {
        return item.refuse("the field \"keyrelay\" is keyrelay's own mark in a document");
    }
    if text.len() <= 128 && text.bytes().all(legal) {
        return Some(text);
    }
    item.refuse("a field's name is 1 to 128 of A-Z a-z 0-9 . _ -")
}

/// `name@example.com`, without a display name.
pub(super) fn address(item: &Item) -> Option<String> {
    let text = text(item)?;
    if is_address(&text) {
        return Some(text);
    }
    item.refuse_with(format!("\"{}\" is no mail address", shown(&text)), "write it as name@example.com")
}

pub(super) fn is_address(text: &str) -> bool {
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
    let label = |c: char| c.is_alphanumeric() || c == '-';
    let dotted = |text: &str, legal: &dyn Fn(char) -> bool| {
        text.split('.').all(|part| !part.is_empty() && part.chars().all(legal))
    };
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        local.len() <= 64 && domain.len() <= 253 && dotted(local, &atom) && dotted(domain, &label)
    })
}

/// A refused text as a message may show it.
pub(super) fn shown(text: &str) -> String {
    text.escape_debug().take(80).collect()
}
