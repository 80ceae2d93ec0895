//! A small typed reader: walks the tree of keys and notes every mistake instead of stopping at the first. Each map
//! that is read knows which keys it may hold, so that an unknown one is found and the one that was meant is named.

use super::{
    Need,
    claims::Claims,
    mistake::{Mistake, Severity, any_of, did_you_mean},
    secrets::Reference,
    source::{Source, join, kind},
};
use crate::domain::NameError;
use figment::value::{Dict, Value};
use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

/// What all readers of one configuration share.
pub(super) struct Sheet<'a> {
    pub source: &'a Source,
    pub environment: &'a BTreeMap<String, String>,
    pub need: Need,
    pub claims: RefCell<Claims>,
    /// Every reference to a secret that was followed, in the order of reading.
    pub references: RefCell<Vec<Reference>>,
    mistakes: RefCell<Vec<Mistake>>,
}

impl<'a> Sheet<'a> {
    pub fn new(
        source: &'a Source,
        environment: &'a BTreeMap<String, String>,
        need: Need,
        mistakes: Vec<Mistake>,
    ) -> Self {
        let (claims, references) = Default::default();
        Self { source, environment, need, claims, references, mistakes: RefCell::new(mistakes) }
    }

    pub fn note(&self, severity: Severity, key: &str, rule: impl Into<String>, hint: Option<String>) {
        let file = self.source.of(key).to_owned();
        self.mistakes.borrow_mut().push(Mistake { file, key: key.into(), rule: rule.into(), hint, severity });
    }

    pub fn into_mistakes(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }
}

/// One value that was written, and its place. Readers of values return `None` once they have noted a mistake.
pub(super) struct Item<'a> {
    pub sheet: &'a Sheet<'a>,
    pub path: String,
    value: Cow<'a, Value>,
}

impl<'a> Item<'a> {
    pub fn value(&self) -> &Value {
        &self.value
    }

    pub fn refuse<T>(&self, rule: impl Into<String>) -> Option<T> {
        self.sheet.note(Severity::Error, &self.path, rule, None);
        None
    }

    pub fn refuse_with<T>(&self, rule: impl Into<String>, hint: impl Into<String>) -> Option<T> {
        self.sheet.note(Severity::Error, &self.path, rule, Some(hint.into()));
        None
    }

    /// Something that should be on this host and is not: a mistake only for who wants to use it.
    pub fn note_missing(&self, rule: impl Into<String>, hint: impl Into<String>) -> Option<()> {
        let (severity, go_on) = match self.sheet.need {
            Need::Check => (Severity::Warning, Some(())),
            Need::Run => (Severity::Error, None),
        };
        self.sheet.note(severity, &self.path, rule, Some(hint.into()));
        go_on
    }

    /// Whether the environment wrote it: then it is text, to be read by its key's type.
    pub fn is_override(&self) -> bool {
        self.sheet.source.is_override(self.path.split('[').next().unwrap_or(&self.path))
    }

    pub fn wrong_kind<T>(&self, wanted: &str) -> Option<T> {
        let rule = format!("{wanted} is needed here, not {}", kind(&self.value));
        match &*self.value {
            Value::Num(..) | Value::Bool(..) if wanted == "text" => {
                self.refuse_with(rule, "put it in quotes")
            }
            Value::String(..) if wanted == "a list" => self.refuse_with(rule, "write it as [a, b]"),
            _ => self.refuse(rule),
        }
    }

    /// The entries of a map whose keys are not ours to know.
    pub fn entries<'b>(&'b self) -> Option<Vec<(&'b str, Item<'b>)>> {
        let Value::Dict(_, dict) = &*self.value else {
            return self.wrong_kind("a group of keys");
        };
        let entry = |(key, value): (&'b String, &'b Value)| {
            let path = join(&self.path, key);
            (key.as_str(), Item { sheet: self.sheet, path, value: Cow::Borrowed(value) })
        };
        Some(dict.iter().map(entry).collect())
    }

    /// The elements of a list, each read by `read`; the environment writes it as `[a, b]`.
    pub fn list<T>(&self, read: impl Fn(&Item) -> Option<T>) -> Option<Vec<T>> {
        let values: Vec<Cow<Value>> = match &*self.value {
            Value::Array(_, values) => values.iter().map(Cow::Borrowed).collect(),
            Value::String(_, text) if self.is_override() => match yaml_serde::from_str::<Vec<String>>(text) {
                Ok(texts) => texts.into_iter().map(|text| Cow::Owned(Value::from(text))).collect(),
                Err(_) => return self.wrong_kind("a list"),
            },
            _ => return self.wrong_kind("a list"),
        };
        let items = values.into_iter().enumerate().map(|(at, value)| {
            let path = format!("{}[{at}]", self.path);
            read(&Item { sheet: self.sheet, path, value })
        });
        // Not `collect::<Option<_>>()`, which would stop at the first mistake.
        let read: Vec<Option<T>> = items.collect();
        read.into_iter().collect()
    }

    /// A list, or one value that stands for a list of itself.
    pub fn one_or_list<T>(&self, read: impl Fn(&Item) -> Option<T>) -> Option<Vec<T>> {
        match &*self.value {
            Value::Array(..) => self.list(read),
            Value::String(_, text) if self.is_override() && text.trim_start().starts_with('[') => {
                self.list(read)
            }
            _ => read(self).map(|value| vec![value]),
        }
    }
}

/// A map of keys that are known, while it is read.
pub(super) struct Table<'a> {
    pub sheet: &'a Sheet<'a>,
    pub path: String,
    dict: Option<&'a Dict>,
    known: Vec<&'static str>,
}

impl<'a> Table<'a> {
    pub fn root(sheet: &'a Sheet<'a>) -> Self {
        Self { sheet, path: String::new(), dict: Some(&sheet.source.tree), known: Vec::new() }
    }

    pub fn refuse<T>(&self, rule: impl Into<String>, hint: impl Into<String>) -> Option<T> {
        self.sheet.note(Severity::Error, &self.path, rule, Some(hint.into()));
        None
    }

    /// The place of a key in it.
    pub fn at(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Whether the key is written with a value; `null` stands for its default.
    pub fn has(&mut self, key: &'static str) -> bool {
        self.value(key).is_some_and(|value| !matches!(value, Value::Empty(..)))
    }

    /// What is written at the key, or `None`: nothing, or a mistake that is noted.
    pub fn get<T>(&mut self, key: &'static str, read: impl FnOnce(&Item) -> Option<T>) -> Option<T> {
        if !self.has(key) {
            return None;
        }
        let value = Cow::Borrowed(self.value(key)?);
        read(&Item { sheet: self.sheet, path: self.at(key), value })
    }

    /// The same where there is no default.
    pub fn need<T>(&mut self, key: &'static str, read: impl FnOnce(&Item) -> Option<T>) -> Option<T> {
        if !self.has(key) {
            self.sheet.note(Severity::Error, &self.at(key), "this key is missing", None);
            return None;
        }
        self.get(key, read)
    }

    /// The map at the key, read whole; where nothing is written, as if it were empty.
    pub fn table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Table<'a>) -> Option<T>,
    ) -> Option<T> {
        let path = self.at(key);
        let value = self.value(key);
        read_table(self.sheet, path, value, read)
    }

    /// A map whose keys are names that the operator gives. A name whose value has a mistake is kept, as `None`: what
    /// refers to it is right.
    pub fn each<N, T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&N, &mut Table<'a>) -> Option<T>,
    ) -> BTreeMap<N, Option<T>>
    where
        N: FromStr<Err = NameError> + Ord,
    {
        self.entries(key)
            .into_iter()
            .filter_map(|(name, path, value)| {
                let parsed = name.parse::<N>();
                if let Err(error) = &parsed {
                    self.sheet.note(Severity::Error, &path, error.to_string(), None);
                }
                // What stands below a wrong name is read all the same: its mistakes are told in the same run.
                let (name, keep) = match parsed {
                    Ok(name) => (name, true),
                    Err(_) => ("unnamed".parse().ok()?, false),
                };
                let value = read_table(self.sheet, path, Some(value), |table| read(&name, table));
                keep.then_some((name, value))
            })
            .collect()
    }

    /// The entries of a map whose keys are not ours to know, each with its path.
    pub fn entries(&mut self, key: &'static str) -> Vec<(&'a str, String, &'a Value)> {
        let above = self.at(key);
        match self.value(key) {
            None | Some(Value::Empty(..)) => Vec::new(),
            Some(Value::Dict(_, dict)) => {
                dict.iter().map(|(name, value)| (name.as_str(), join(&above, name), value)).collect()
            }
            Some(other) => {
                let rule = format!("a group of keys is needed here, not {}", kind(other));
                self.sheet.note(Severity::Error, &above, rule, None);
                Vec::new()
            }
        }
    }

    /// Whether the key is written, be it with nothing behind it.
    pub fn mentions(&mut self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    /// Which one of keys that exclude each other has a value; at most one.
    pub fn choice(&mut self, alternatives: &[&'static str]) -> Option<&'static str> {
        let with_value: Vec<_> = alternatives.iter().copied().filter(|key| self.has(key)).collect();
        match with_value[..] {
            [] => None,
            [one] => Some(one),
            [..] => {
                let rule = format!("{} exclude each other", with_value.join(" and "));
                self.refuse(rule, format!("keep one of {}", alternatives.join(", ")))
            }
        }
    }

    /// Exactly one of them. A lone key with nothing behind it is chosen, too: all below it may have defaults.
    pub fn need_choice(&mut self, alternatives: &[&'static str]) -> Option<&'static str> {
        if alternatives.iter().any(|key| self.has(key)) {
            return self.choice(alternatives);
        }
        let mentioned: Vec<_> = alternatives.iter().copied().filter(|key| self.mentions(key)).collect();
        match mentioned[..] {
            [one] => Some(one),
            [..] => self.refuse("a key is missing", format!("write one of {}", alternatives.join(", "))),
        }
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.dict?.get(key)
    }

    /// Whatever was not asked for is unknown.
    pub fn close(self) {
        let known: BTreeSet<&str> = self.known.iter().copied().collect();
        for key in self.dict.into_iter().flat_map(Dict::keys).filter(|key| !known.contains(key.as_str())) {
            let keys =
                || format!("the keys here are {}", known.iter().copied().collect::<Vec<_>>().join(", "));
            let hint = did_you_mean(key, known.iter().copied()).unwrap_or_else(keys);
            self.sheet.note(Severity::Error, &self.at(key), "unknown key", Some(hint));
        }
    }
}

/// Reads the map, then reports what it may not hold.
fn read_table<'a, T>(
    sheet: &'a Sheet<'a>,
    path: String,
    value: Option<&'a Value>,
    read: impl FnOnce(&mut Table<'a>) -> Option<T>,
) -> Option<T> {
    let dict = match value {
        None | Some(Value::Empty(..)) => None,
        Some(Value::Dict(_, dict)) => Some(dict),
        Some(other) => {
            let rule = format!("a group of keys is needed here, not {}", kind(other));
            sheet.note(Severity::Error, &path, rule, None);
            return None;
        }
    };
    let mut table = Table { sheet, path, dict, known: Vec::new() };
    let read = read(&mut table);
    table.close();
    read
}

/// The reader of a name that must be one of those that exist.
pub(super) fn known_name<N>(item: &Item, what: &str, names: &BTreeSet<N>) -> Option<N>
where
    N: FromStr<Err = NameError> + Ord + ToString,
{
    let text = super::values::text(item)?;
    if let Some(name) = text.parse::<N>().ok().filter(|name| names.contains(name)) {
        return Some(name);
    }
    let words: Vec<String> = names.iter().map(N::to_string).collect();
    let hint = did_you_mean(&text, words.iter().map(String::as_str)).unwrap_or_else(|| match &words[..] {
        [] => format!("there is no {what} at all"),
        _ => format!("there is {}", any_of(words.iter().map(String::as_str))),
    });
    item.refuse_with(format!("no {what} named \"{}\"", text.escape_debug()), hint)
}
