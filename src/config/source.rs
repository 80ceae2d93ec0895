//! Where the configuration comes from: one YAML file, and the environment over it. Knows of each key who set it, and
//! nothing of what the keys mean.

use super::{
    environment::Overrides,
    mistake::{Mistake, Severity},
};
use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Data, Format},
    value::{Dict, Map, Value},
};
use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use std::{cell::RefCell, collections::BTreeMap, fmt, io::Read, path::Path};

/// The largest configuration, in bytes: a thousand credentials with ten consumers each are about 3 MiB.
const FILE_MAX: u64 = 16 << 20;

/// Everything that was written, merged: the environment's values are text, whatever they look like.
pub(super) struct Source {
    pub file: String,
    pub tree: Dict,
    in_file: Dict,
    overrides: Overrides,
}

/// YAML behind figment, because figment's own is the archived `serde_yaml`.
struct Yaml;

impl Format for Yaml {
    type Error = yaml_serde::Error;
    const NAME: &'static str = "YAML";
    fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Self::Error> {
        yaml_serde::from_str(text)
    }
}

impl Source {
    /// Reads file and environment. `Err` where nothing can be read (no file, no YAML); the mistakes beside a source
    /// are those that reading can go on after: keys that are set twice.
    pub fn read(
        path: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Result<(Self, Vec<Mistake>), Mistake> {
        let file = path.display().to_string();
        let mistake = |key: &str, rule: String| Mistake {
            file: file.clone(),
            key: key.into(),
            rule,
            hint: None,
            severity: Severity::Error,
        };
        let text = read_text(path).map_err(|why| Mistake {
            hint: Some("name another with --config PATH".into()),
            ..mistake("", why)
        })?;
        let twice = keys_set_twice(&text).map_err(|why| mistake("", why))?;
        let mut mistakes: Vec<_> =
            twice.iter().map(|key| mistake(key, "this key is set twice in the file".into())).collect();
        let overrides = Overrides::read(environment);
        mistakes.extend(overrides.clashes.iter().cloned());
        let no_keys = || mistake("", "this is no YAML file of keys and values".into());
        let in_file = Figment::from(Data::<Yaml>::string(text_of_keys(&text)));
        let merged = in_file.clone().merge(Environment(&overrides.tree));
        let in_file = keys_of(&in_file).ok_or_else(no_keys)?;
        let tree = keys_of(&merged).ok_or_else(no_keys)?;
        Ok((Self { file, tree, in_file, overrides }, mistakes))
    }

    /// Who is to blame for the key at `path`, which may be missing: the variable that set it, or the file, or the
    /// variable that alone made the group in which it is missing.
    pub fn of(&self, path: &str) -> &str {
        let mut path = path.split('[').next().unwrap_or(path);
        if self.overrides.sets(path) {
            return self.overrides.at_or_below(path).unwrap_or(&self.file);
        }
        while !path.is_empty() && !self.is_in_file(path) {
            if let Some(variable) = self.overrides.at_or_below(path) {
                return variable;
            }
            path = path.rsplit_once('.').map_or("", |(above, _)| above);
        }
        &self.file
    }

    /// Whether the environment set exactly this key, so that its text is read by the key's type.
    pub fn is_override(&self, path: &str) -> bool {
        self.overrides.sets(path)
    }

    /// Whether the environment set this key or one below it.
    pub fn has_override_below(&self, path: &str) -> bool {
        self.overrides.at_or_below(path).is_some()
    }

    fn is_in_file(&self, path: &str) -> bool {
        let mut keys = path.split('.');
        let first = keys.next().and_then(|key| self.in_file.get(key));
        keys.fold(first, |value, key| value.and_then(|value| value.as_dict()?.get(key))).is_some()
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let because = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    };
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_MAX + 1).read_to_string(&mut text))
        .map_err(because)?;
    if text.len() as u64 > FILE_MAX {
        return Err("the file is larger than 16 MiB".into());
    }
    Ok(text)
}

/// The environment's tree as figment takes it.
struct Environment<'a>(&'a Dict);

impl Provider for Environment<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named("environment")
    }
    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.0.clone()))
    }
}

/// `None` where figment cannot take it; its own words may quote a value.
fn keys_of(figment: &Figment) -> Option<Dict> {
    Some(figment.data().ok()?.remove(&Profile::Default).unwrap_or_default())
}

/// A file of nothing but comments has no keys, which is no mistake of form.
fn text_of_keys(text: &str) -> &str {
    let is_empty =
        yaml_serde::from_str::<Option<serde::de::IgnoredAny>>(text).is_ok_and(|value| value.is_none());
    if is_empty { "{}" } else { text }
}

/// The paths of all keys that stand twice in one map: figment would let the last one win.
fn keys_set_twice(text: &str) -> Result<Vec<String>, String> {
    let found = RefCell::new(Vec::new());
    Walk { path: String::new(), found: &found }
        .deserialize(yaml_serde::Deserializer::from_str(text))
        .map_err(|error| error.to_string())?;
    Ok(found.into_inner())
}

/// A walk through one value that keeps nothing but the paths of keys seen twice.
struct Walk<'a> {
    path: String,
    found: &'a RefCell<Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("keys and values")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = std::collections::BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            let path = join(&self.path, &key);
            if !seen.insert(key) {
                self.found.borrow_mut().push(path.clone());
            }
            map.next_value_seed(Walk { path, found: self.found })?;
        }
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut at = 0;
        while seq
            .next_element_seed(Walk { path: format!("{}[{at}]", self.path), found: self.found })?
            .is_some()
        {
            at += 1;
        }
        Ok(())
    }
    fn visit_enum<A: serde::de::EnumAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("tags (!name) are not used here"))
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_i128<E>(self, _: i128) -> Result<(), E> {
        Ok(())
    }
    fn visit_u128<E>(self, _: u128) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// `store` and `vault` to `store.vault`. A key that an operator mistyped is made printable.
pub(super) fn join(path: &str, key: &str) -> String {
    let key: String = key.escape_debug().take(80).collect();
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

/// What a value is, for a sentence.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::String(..) | Value::Char(..) => "text",
        Value::Bool(..) => "true or false",
        Value::Num(..) => "a number",
        Value::Empty(..) => "nothing",
        Value::Dict(..) => "a group of keys",
        Value::Array(..) => "a list",
    }
}
