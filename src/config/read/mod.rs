//! A small typed reader: walks the tree of keys and notes every mistake instead of stopping at the first. Each map
//! that is read knows which keys it may hold, so that an unknown one is found and the one that was meant is named.

mod layers;
mod notes;
mod record;
mod table;

pub(super) use {
    record::{Holds, Keys, Record},
    table::{Table, UNKNOWN_KEY},
};

use super::{
    Need,
    claims::Claims,
    mistake::{Mistake, Severity, any_of, did_you_mean},
    secrets::Reference,
    source::{Source, join, kind},
};
use crate::domain::NameError;
use figment::value::Value;
use notes::Notes;
use std::{
    borrow::Cow,
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
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
    notes: RefCell<Notes>,
    /// What was read, where somebody wants to see it.
    record: Option<RefCell<Record>>,
    /// Files that were looked into, which a thousand credentials may name: `Err` says what is wrong.
    checked_files: RefCell<BTreeMap<PathBuf, Result<(), String>>>,
}

impl<'a> Sheet<'a> {
    pub fn new(
        source: &'a Source,
        environment: &'a BTreeMap<String, String>,
        need: Need,
        mistakes: Vec<Mistake>,
    ) -> Self {
        Self {
            source,
            environment,
            need,
            claims: RefCell::default(),
            references: RefCell::default(),
            notes: RefCell::new(Notes::new(mistakes)),
            record: None,
            checked_files: RefCell::default(),
        }
    }

    /// Keeps what is read.
    pub fn recording(self) -> Self {
        Self { record: Some(RefCell::default()), ..self }
    }

    pub fn note(&self, severity: Severity, key: &str, rule: impl Into<String>, hint: Option<String>) {
        let behind = self.source.default_behind(key);
        let key = behind.as_ref().map_or(key, |(_, key)| key.as_str()).to_owned();
        let file = self.source.of(&key).to_owned();
        let is_named = behind.is_some() && self.source.holds_name(&key);
        let mistake = Mistake { file, key, rule: rule.into(), hint, severity };
        let mut notes = self.notes.borrow_mut();
        match behind {
            Some((name, _)) => notes.push_shared(mistake, name, is_named),
            None => notes.push(mistake),
        }
    }

    /// Whether a mistake is known at a key.
    pub fn has_noted(&self, key: &str) -> bool {
        self.notes.borrow().has(key.split('[').next().unwrap_or(key))
    }

    /// What is wrong with a file, looked into once.
    pub fn check_file(
        &self,
        file: &Path,
        check: impl FnOnce(&Path) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut checked = self.checked_files.borrow_mut();
        checked.entry(file.to_owned()).or_insert_with(|| check(file)).clone()
    }

    fn record(&self, what: impl FnOnce(&mut Record)) {
        if let Some(record) = &self.record {
            what(&mut record.borrow_mut());
        }
    }

    /// Says what holds at a key that is not written.
    pub fn default(&self, path: String, value: impl Into<Value>) {
        self.record(|record| record.default(path, value.into()));
    }

    /// Says what holds at each name of a map that is read elsewhere.
    pub fn show(&self, path: &str, values_by_name: BTreeMap<String, Value>) {
        self.record(|record| {
            let all = values_by_name.keys().cloned().collect();
            record.map(path, Keys { all, alternatives: Vec::new() });
            for (name, value) in values_by_name {
                record.value(&join(path, &name), value);
            }
        });
    }

    /// The mistakes, and what was read, if it was kept.
    pub fn finish(self) -> (Vec<Mistake>, Option<Record>) {
        (self.notes.into_inner().into_list(), self.record.map(RefCell::into_inner))
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

    /// Text of the environment has become a value of the key's type.
    pub fn became(&self, value: impl Into<Value>) {
        self.sheet.record(|record| record.value(&self.path, value.into()));
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
                Ok(texts) => {
                    self.became(texts.clone());
                    texts.into_iter().map(|text| Cow::Owned(Value::from(text))).collect()
                }
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
