//! What was read, key by key: what `keyrelay check --print` shows.

use figment::value::Value;
use std::collections::BTreeMap;

#[derive(Default)]
pub struct Record {
    maps_by_path: BTreeMap<String, Keys>,
    values_by_path: BTreeMap<String, Value>,
}

/// The keys that a map may hold, in the order in which they are asked for.
#[derive(Default)]
pub struct Keys {
    pub all: Vec<String>,
    /// Those of them that need no line where nothing is written: another key has been chosen in their place.
    pub alternatives: Vec<String>,
}

/// What holds at a key.
pub enum Holds<'a> {
    Keys(&'a Keys),
    Value(&'a Value),
    Nothing,
}

impl Record {
    pub fn map(&mut self, path: &str, keys: Keys) {
        self.maps_by_path.insert(path.to_owned(), keys);
    }

    /// What was written, in the type in which it was read.
    pub fn value(&mut self, path: &str, value: Value) {
        self.values_by_path.insert(path.to_owned(), value);
    }

    /// What holds where nothing is written.
    pub fn default(&mut self, path: String, value: Value) {
        self.values_by_path.entry(path).or_insert(value);
    }

    pub fn at(&self, path: &str) -> Holds<'_> {
        match (self.maps_by_path.get(path), self.values_by_path.get(path)) {
            (Some(keys), _) => Holds::Keys(keys),
            (None, Some(value)) => Holds::Value(value),
            (None, None) => Holds::Nothing,
        }
    }
}
