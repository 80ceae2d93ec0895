//! A configuration as a test writes it: a tree, set piece by piece.

use serde_json::{Map, Value};

pub struct Config(Value);

impl Config {
    pub fn new() -> Self {
        Self(Value::Object(Map::new()))
    }

    /// Sets what stands at `path` (`credentials.leaf7-main.consumers.shop`), making what is above it.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) -> &mut Self {
        let mut place = &mut self.0;
        for name in path.split('.') {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            place = &mut place[name];
        }
        *place = value.into();
        self
    }

    /// Removes what stands at `path`.
    pub fn remove(&mut self, path: &str) -> &mut Self {
        self.take(path);
        self
    }
    /// The same; returns what it was.
    pub fn take(&mut self, path: &str) -> Value {
        let (above, name) = path.rsplit_once('.').map_or((String::new(), path), |(above, name)| {
            (above.split('.').map(|part| format!("/{part}")).collect(), name)
        });
        let taken =
            self.0.pointer_mut(&above).and_then(Value::as_object_mut).and_then(|map| map.remove(name));
        taken.unwrap_or_else(|| panic!("the configuration has no {path}"))
    }

    pub fn yaml(&self) -> String {
        yaml_serde::to_string(&self.0).expect("a tree of plain values")
    }
}
