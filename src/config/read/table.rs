//! One map of keys that are known, while it is read.

use super::{Item, Keys, Sheet, layers::Layers};
use crate::{
    config::{
        mistake::{Severity, did_you_mean},
        source::{for_credential, join, kind},
    },
    domain::NameError,
};
use figment::value::{Dict, Value};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    str::FromStr,
};

/// The rule that an unknown key breaks.
pub const UNKNOWN_KEY: &str = "unknown key";

pub struct Table<'a> {
    pub sheet: &'a Sheet<'a>,
    pub path: String,
    layers: Layers<'a>,
    known: Vec<&'static str>,
    /// Keys that exclude each other: where one of them is the map's own, the others are not looked for below it.
    alternatives: Vec<&'static str>,
    hidden: Vec<&'static str>,
}

impl<'a> Table<'a> {
    pub fn root(sheet: &'a Sheet<'a>) -> Self {
        Self::new(sheet, String::new(), Layers { own: Some(&sheet.source.tree), below: None })
    }

    fn new(sheet: &'a Sheet<'a>, path: String, layers: Layers<'a>) -> Self {
        Self { sheet, path, layers, known: Vec::new(), alternatives: Vec::new(), hidden: Vec::new() }
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
        let (path, value) = (self.at(key), self.value(key)?);
        self.sheet.record(|record| record.value(&path, value.clone()));
        read(&Item { sheet: self.sheet, path, value: Cow::Borrowed(value) })
    }

    /// The same of a map whose keys the operator chooses, and which is merged by name.
    pub fn get_names<T>(&mut self, key: &'static str, read: impl FnOnce(&Item) -> Option<T>) -> Option<T> {
        match self.layers(key).map(key) {
            Ok(Layers { own: Some(own), below: Some(below) }) => {
                let names = Layers { own: Some(own), below: Some(below) }.entries().into_iter();
                let merged =
                    names.filter_map(|(name, own, below)| Some((name.to_owned(), own.or(below)?.clone())));
                let (path, value) = (self.at(key), Value::from(merged.collect::<Dict>()));
                self.sheet.record(|record| record.value(&path, value.clone()));
                read(&Item { sheet: self.sheet, path, value: Cow::Owned(value) })
            }
            Ok(_) | Err(_) => self.get(key, read),
        }
    }

    /// What is written at the key; that nothing is is a mistake.
    pub fn need<T>(&mut self, key: &'static str, read: impl FnOnce(&Item) -> Option<T>) -> Option<T> {
        if !self.has(key) {
            self.sheet.note(Severity::Error, &self.at(key), "this key is missing", None);
            return None;
        }
        self.get(key, read)
    }

    /// Says what holds at a key that is not written.
    pub fn default(&self, key: &str, value: impl Into<Value>) {
        self.sheet.default(self.at(key), value);
    }

    /// The map at the key, read whole; where nothing is written, as if it were empty.
    pub fn table<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Table<'a>) -> Option<T>,
    ) -> Option<T> {
        let path = self.at(key);
        let layers = self.layers(key).map(key);
        read_table(self.sheet, path, layers, read)
    }

    /// The same, where `{name}` in texts stands for a name.
    pub fn named<T>(
        &mut self,
        key: &'static str,
        name: &str,
        read: impl FnOnce(&mut Table<'_>) -> Option<T>,
    ) {
        let path = self.at(key);
        match self.layers(key).map(key) {
            Ok(Layers { own: Some(own), .. }) => {
                let own = for_credential(own, name);
                let layers = Layers { own: Some(&own), below: None };
                read_table(self.sheet, path, Ok(layers), read);
            }
            other => _ = read_table(self.sheet, path, other, |_| Some(())),
        }
    }

    /// A map whose keys are names that the operator gives. A name whose value has a mistake is kept, as `None`: what
    /// refers to it is right.
    pub fn each<N, T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&N, &mut Table<'_>) -> Option<T>,
    ) -> BTreeMap<N, Option<T>>
    where
        N: FromStr<Err = NameError> + Ord,
    {
        let entries = self.entries(key).into_iter();
        entries
            .filter_map(|(name, path, own, below)| {
                read_named(self.sheet, name, path, Layers::of(own, below), &mut read)
            })
            .collect()
    }

    /// The same, where each name's map lies over the one at `defaults`, in which `{name}` stands for the name.
    pub fn each_over<N, T>(
        &mut self,
        key: &'static str,
        defaults: &'static str,
        mut read: impl FnMut(&N, &mut Table<'_>) -> Option<T>,
    ) -> BTreeMap<N, Option<T>>
    where
        N: FromStr<Err = NameError> + Ord,
    {
        let defaults = match self.value(defaults) {
            Some(Value::Dict(_, defaults)) => Some(defaults),
            Some(_) | None => None,
        };
        let entries = self.entries(key).into_iter();
        entries
            .filter_map(|(name, path, own, _)| {
                let below = defaults.map(|defaults| for_credential(defaults, name));
                let own = own.filter(|own| !matches!(own, Value::Empty(..)));
                let layers = Layers::of(own, None).map(|own| Layers { below: below.as_ref(), ..own });
                read_named(self.sheet, name, path, layers, &mut read)
            })
            .collect()
    }

    /// The entries of a map whose keys are not ours to know, each with its path and what is written.
    pub fn written(&mut self, key: &'static str) -> Vec<(&'a str, String, &'a Value)> {
        let entries = self.entries(key).into_iter();
        entries.filter_map(|(name, path, own, below)| Some((name, path, own.or(below)?))).collect()
    }

    fn entries(&mut self, key: &'static str) -> Vec<(&'a str, String, Option<&'a Value>, Option<&'a Value>)> {
        let above = self.at(key);
        match self.layers(key).map(key) {
            Ok(layers) => {
                let entries = layers.entries();
                self.sheet.record(|record| {
                    let all = entries.iter().map(|(name, ..)| (*name).to_owned()).collect();
                    record.map(&above, Keys { all, alternatives: Vec::new() });
                });
                let entries = entries.into_iter();
                entries.map(|(name, own, below)| (name, join(&above, name), own, below)).collect()
            }
            Err(other) => {
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

    /// Which one of keys that exclude each other has a value; at most one. The map's own goes before what is below.
    pub fn choice(&mut self, alternatives: &[&'static str]) -> Option<&'static str> {
        self.alternatives.extend(alternatives);
        let is_own = |key: &&str| match self.layers.own_value(key) {
            None => false,
            // A lone `report:` is chosen as well as one with something below it; taking something back chooses nothing.
            Some(Value::Empty(..)) => self.layers.below.is_some_and(|below| !below.contains_key(*key)),
            Some(_) => true,
        };
        let (own, others): (Vec<_>, Vec<_>) = alternatives.iter().copied().partition(is_own);
        if !own.is_empty() {
            self.hidden.extend(others);
        }
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
        let chosen = self.choice(alternatives);
        if chosen.is_some() || alternatives.iter().any(|key| self.has(key)) {
            return chosen;
        }
        let mentioned: Vec<_> = alternatives.iter().copied().filter(|key| self.mentions(key)).collect();
        match mentioned[..] {
            [one] => Some(one),
            [..] => self.refuse("a key is missing", format!("write one of {}", alternatives.join(", "))),
        }
    }

    fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.layers(key).value(key)
    }

    /// Where to look for a key, which is known from now on.
    fn layers(&mut self, key: &'static str) -> Layers<'a> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        if self.hidden.contains(&key) { self.layers.without_below() } else { self.layers }
    }

    /// Whatever was not asked for is unknown. What is below is read, and closed, by itself.
    pub fn close(self) {
        let known: BTreeSet<&str> = self.known.iter().copied().collect();
        for key in
            self.layers.own.into_iter().flat_map(Dict::keys).filter(|key| !known.contains(key.as_str()))
        {
            let keys =
                || format!("the keys here are {}", known.iter().copied().collect::<Vec<_>>().join(", "));
            let hint = did_you_mean(key, known.iter().copied()).unwrap_or_else(keys);
            self.sheet.note(Severity::Error, &self.at(key), UNKNOWN_KEY, Some(hint));
        }
        if !(self.layers.is_empty() && self.known.is_empty()) {
            let owned = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
            self.sheet.record(|record| {
                let (all, alternatives) = (owned(&self.known), owned(&self.alternatives));
                record.map(&self.path, Keys { all, alternatives });
            });
        }
    }
}

/// Reads the map, then reports what it may not hold.
fn read_table<'a, T>(
    sheet: &'a Sheet<'a>,
    path: String,
    layers: Result<Layers<'a>, &'a Value>,
    read: impl FnOnce(&mut Table<'a>) -> Option<T>,
) -> Option<T> {
    let layers = match layers {
        Ok(layers) => layers,
        Err(other) => {
            let rule = format!("a group of keys is needed here, not {}", kind(other));
            sheet.note(Severity::Error, &path, rule, None);
            return None;
        }
    };
    let mut table = Table::new(sheet, path, layers);
    let read = read(&mut table);
    table.close();
    read
}

fn read_named<'a, N, T>(
    sheet: &'a Sheet<'a>,
    name: &str,
    path: String,
    layers: Result<Layers<'a>, &'a Value>,
    read: &mut impl FnMut(&N, &mut Table<'_>) -> Option<T>,
) -> Option<(N, Option<T>)>
where
    N: FromStr<Err = NameError>,
{
    let parsed = name.parse::<N>();
    if let Err(error) = &parsed {
        sheet.note(Severity::Error, &path, error.to_string(), None);
    }
    // What stands below a wrong name is read all the same: its mistakes are told in the same run.
    let (name, keep) = match parsed {
        Ok(name) => (name, true),
        Err(_) => ("unnamed".parse().ok()?, false),
    };
    let value = read_table(sheet, path, layers, |table| read(&name, table));
    keep.then_some((name, value))
}
