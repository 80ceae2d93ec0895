//! The JSON object at a path of the store. It holds secrets: it cannot be printed, and its texts are wiped when it
//! is dropped.

use serde_json::{Map, Value};
use std::fmt;
use zeroize::Zeroize;

/// The fields at one path, by name.
#[derive(Clone, Default, PartialEq)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// `None` where the JSON is no object.
    pub fn from_json(json: Value) -> Option<Self> {
        match json {
            Value::Object(map) => Some(Self(map)),
            mut other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)) => {
                wipe(&mut other);
                None
            }
        }
    }
    /// A copy as JSON, which its holder must see to.
    pub fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
    /// The field's text; `None` also where it is there and no text.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(mut old) = self.0.insert(name.to_owned(), value.into()) {
            wipe(&mut old);
        }
    }
    pub fn remove(&mut self, name: &str) {
        if let Some(mut old) = self.0.remove(name) {
            wipe(&mut old);
        }
    }
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

/// How many there are, and nothing of them: names are somebody else's too.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fields({})", self.0.len())
    }
}

/// Overwrites every text in it with zeros.
pub(super) fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(map) => map.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_an_object_is_fields() {
        assert!(Fields::from_json(json!({"a": 1})).is_some());
        for other in [json!(null), json!("a"), json!(["a"]), json!(1), json!(true)] {
            assert!(Fields::from_json(other).is_none());
        }
    }

    #[test]
    fn debug_shows_how_many_and_nothing_of_them() {
        let fields = Fields::from_json(json!({"canary": "canary", "b": ["canary"]})).unwrap();
        assert_eq!(format!("{fields:?}"), "Fields(2)");
    }

    #[test]
    fn every_text_is_wiped_however_deep() {
        let mut value = json!({"a": "canary", "b": ["canary", {"c": "canary"}], "d": 1});
        wipe(&mut value);
        assert_eq!(value, json!({"a": "", "b": ["", {"c": ""}], "d": 1}));
    }
}
