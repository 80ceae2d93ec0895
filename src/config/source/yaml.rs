//! One YAML file, as keys and values. Figment's own YAML is the archived `serde_yaml`, and lets the last of two equal
//! keys win; here both are named.

use super::{join, mode};
use crate::config::mistake::{Mistake, Severity};
use figment::value::Dict;
use serde::{
    Deserializer,
    de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor},
};
use std::{cell::RefCell, fmt, fs::File, io::Read, path::Path, rc::Rc};

/// What was written in one file.
pub struct Written {
    /// The file as its mistakes name it.
    pub file: String,
    /// Shared with the whole configuration where that is this file alone: a large one's takes tens of megabytes.
    pub keys: Rc<Dict>,
}

/// The text of a file, which is taken from the `room` that the whole configuration has, in bytes.
pub fn text(path: &Path, room: &mut u64, mistakes: &mut Vec<Mistake>) -> Result<String, Mistake> {
    let file = open(path).map_err(|why| mistake(path, "", why))?;
    mistakes.extend(mode::written_by_others(path, &file));
    read_text(file, room).map_err(|why| mistake(path, "", why))
}

/// The same of what must be a plain file: to open a pipe that nobody writes into would wait for ever.
pub fn text_of_file(path: &Path, room: &mut u64, mistakes: &mut Vec<Mistake>) -> Result<String, Mistake> {
    match std::fs::metadata(path) {
        Ok(about) if !about.is_file() => Err(mistake(path, "", "this is not a file".into())),
        Ok(_) | Err(_) => text(path, room, mistakes),
    }
}

/// The error is why nothing of the file can be used; mistakes that reading can go on after are noted.
pub fn parse(path: &Path, text: &str, mistakes: &mut Vec<Mistake>) -> Result<Written, Mistake> {
    let mistake = |key: &str, rule: String| mistake(path, key, rule);
    let twice = keys_set_twice(text).map_err(|why| mistake("", why))?;
    mistakes.extend(twice.iter().map(|key| mistake(key, "this key is set twice in the file".into())));
    let keys = keys_of(text).ok_or_else(|| mistake("", "this is no YAML file of keys and values".into()))?;
    Ok(Written { file: path.display().to_string(), keys: Rc::new(keys) })
}

fn mistake(path: &Path, key: &str, rule: String) -> Mistake {
    let file = path.display().to_string();
    Mistake { file, key: key.into(), rule, hint: None, severity: Severity::Error }
}

fn open(path: &Path) -> Result<File, String> {
    let because = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    };
    let file = File::open(path).map_err(because)?;
    match file.metadata() {
        Ok(about) if about.is_dir() => Err("this is a folder, not a file".into()),
        Ok(_) | Err(_) => Ok(file),
    }
}

fn read_text(file: File, room: &mut u64) -> Result<String, String> {
    let mut text = String::new();
    file.take(*room + 1).read_to_string(&mut text).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => "the file is not UTF-8 text".to_owned(),
        _ => format!("the file cannot be read: {error}"),
    })?;
    let size = text.len() as u64;
    if size > *room {
        return Err("the configuration is larger than 16 MiB".into());
    }
    *room -= size;
    Ok(text)
}

/// `None` where they are no keys and values; the reader's own words may quote a value.
fn keys_of(text: &str) -> Option<Dict> {
    yaml_serde::from_str(text_of_keys(text)).ok()
}

/// A file of nothing but comments has no keys, which is no mistake of form.
fn text_of_keys(text: &str) -> &str {
    let is_empty =
        yaml_serde::from_str::<Option<serde::de::IgnoredAny>>(text).is_ok_and(|value| value.is_none());
    if is_empty { "{}" } else { text }
}

/// The paths of all keys that stand twice in one map: the last one would win.
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
