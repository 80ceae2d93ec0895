//! A map, and the one that is asked where it says nothing: a credential over `defaults`.

use figment::value::{Dict, Value};
use std::collections::BTreeSet;

#[derive(Clone, Copy, Default)]
pub struct Layers<'a> {
    pub own: Option<&'a Dict>,
    pub below: Option<&'a Dict>,
}

impl<'a> Layers<'a> {
    /// The own value, be it `null`, which takes back what stands below.
    pub fn value(self, key: &str) -> Option<&'a Value> {
        self.own_value(key).or_else(|| self.below?.get(key))
    }

    pub fn own_value(self, key: &str) -> Option<&'a Value> {
        self.own?.get(key)
    }

    pub fn without_below(self) -> Self {
        Self { below: None, ..self }
    }

    /// The maps at a key; two of them are merged by name. `Err` holds what is no map.
    pub fn map(self, key: &str) -> Result<Self, &'a Value> {
        let below = self.below.and_then(|below| below.get(key));
        Self::of(self.own_value(key), below)
    }

    pub fn of(own: Option<&'a Value>, below: Option<&'a Value>) -> Result<Self, &'a Value> {
        let below_or_err = |below: Option<&'a Value>| match below {
            None | Some(Value::Empty(..)) => Ok(None),
            Some(Value::Dict(_, below)) => Ok(Some(below)),
            Some(other) => Err(other),
        };
        match own {
            None => below_or_err(below).map(|below| Self { own: None, below }),
            Some(Value::Empty(..)) => Ok(Self::default()),
            Some(Value::Dict(_, own)) => {
                // What is no map below has been replaced whole.
                Ok(Self { own: Some(own), below: below_or_err(below).unwrap_or(None) })
            }
            Some(other) => Err(other),
        }
    }

    /// The names in both maps, each with its values; a `null` of the own map takes back what is below.
    pub fn entries(self) -> Vec<(&'a str, Option<&'a Value>, Option<&'a Value>)> {
        let keys = |dict: Option<&'a Dict>| dict.into_iter().flat_map(Dict::keys).map(String::as_str);
        let names: BTreeSet<&str> = keys(self.own).chain(keys(self.below)).collect();
        let value = |dict: Option<&'a Dict>, name: &str| dict.and_then(|dict| dict.get(name));
        let entries = names.into_iter().map(|name| (name, value(self.own, name), value(self.below, name)));
        let is_there = |(_, own, below): &(_, Option<&Value>, Option<&Value>)| {
            !(matches!(own, Some(Value::Empty(..))) && below.is_some())
        };
        entries.filter(is_there).collect()
    }

    pub fn is_empty(self) -> bool {
        self.own.is_none() && self.below.is_none()
    }
}
