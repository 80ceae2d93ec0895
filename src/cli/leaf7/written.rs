//! What was generated, written as it arrives: to a file, as a table, or as one JSON array. Nothing that the vendor said
//! is left out, whatever its form: its documentation shows none.

use super::csv_file::CsvFile;
use crate::{
    cli::console::{Console, Failure},
    face::table::table,
    leaf7::Body,
};
use indicatif::ProgressBar;
use serde_json::Value;
use std::collections::BTreeSet;

/// In this order where they are there; others follow.
const KNOWN: [&str; 9] = [
    "key",
    "key_id",
    "project_id",
    "created_at",
    "redeemed",
    "discord_id",
    "key_days",
    "key_hours",
    "key_minutes",
];

pub struct Written {
    file: Option<CsvFile>,
    json: bool,
    bar: ProgressBar,
    columns: Vec<String>,
    keys: u64,
    /// Of those, what the file did not take.
    elsewhere: u64,
}

impl Written {
    pub fn new(file: Option<CsvFile>, json: bool, bar: ProgressBar) -> Self {
        Self { file, json, bar, columns: Vec::new(), keys: 0, elsewhere: 0 }
    }

    /// One answer. The error: it could be written nowhere or only elsewhere, and nothing more should be generated.
    pub fn add(&mut self, body: &Body, console: &mut Console<'_>) -> Result<(), Failure> {
        let keys = match body.json() {
            Value::Array(keys) => keys,
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_)) => {
                vec![other]
            }
        };
        let first = self.keys == 0;
        self.keys += keys.len() as u64;
        self.bar.inc(keys.len() as u64);
        let bar = self.bar.clone();
        if self.json {
            bar.suspend(|| console.draw(&as_json(&keys, first)));
        }
        let new = self.new_columns(&keys);
        let rows: Vec<Vec<String>> = keys.iter().map(|key| row(key, &self.columns)).collect();
        match &mut self.file {
            Some(file) => {
                if let Err(error) = file.write(&self.columns, &rows) {
                    self.elsewhere = rows.len() as u64;
                    let place = file.path.display().to_string();
                    if !self.json {
                        bar.suspend(|| console.draw(&as_table(&self.columns, &rows, true)));
                    }
                    let message = format!("{place} cannot be written: {error}");
                    return Err(Failure::unreachable(message)
                        .hint("the keys of the last answer are on standard output in its place".to_owned()));
                }
            }
            None if self.json => {}
            None => bar.suspend(|| console.draw(&as_table(&self.columns, &rows, first))),
        }
        if !new.is_empty() && (self.file.is_some() || !self.json) {
            bar.suspend(|| {
                console.tell(&format!("left out, because earlier keys had none of it: {}", new.join(", ")))
            });
        }
        if console.is_lost() {
            return Err(Failure::unreachable(
                "what was generated cannot be written; nothing more is generated",
            )
            .hint("keyrelay leaf7 buyer list".to_owned()));
        }
        Ok(())
    }

    /// How many there were, and where they are.
    pub fn finish(self, console: &mut Console<'_>) -> (u64, String) {
        if self.json {
            console.draw(if self.keys == 0 { "[]\n" } else { "\n]\n" });
        }
        let place = match &self.file {
            Some(file) => match (self.keys - self.elsewhere, self.elsewhere) {
                (0, _) => String::new(),
                (_, 0) => format!(", and are in {}", file.path.display()),
                (in_file, _) => format!(", and {in_file} of them are in {}", file.path.display()),
            },
            None => String::new(),
        };
        self.file.into_iter().for_each(CsvFile::finish);
        (self.keys, place)
    }

    /// The first answer says what there is; what comes only later is returned.
    fn new_columns(&mut self, keys: &[Value]) -> Vec<String> {
        let mut members: BTreeSet<&str> =
            keys.iter().filter_map(Value::as_object).flat_map(|key| key.keys().map(String::as_str)).collect();
        if keys.iter().any(|key| !key.is_object()) {
            members.insert(KNOWN[0]);
        }
        if self.columns.is_empty() {
            let known = KNOWN.into_iter().filter(|name| members.contains(name));
            let others = members.iter().copied().filter(|name| !KNOWN.contains(name));
            self.columns = known.chain(others).map(str::to_owned).collect();
        }
        let new = members.into_iter().filter(|name| !self.columns.iter().any(|column| column == name));
        new.map(str::to_owned).collect()
    }
}

/// What is no object is the key itself.
fn row(key: &Value, columns: &[String]) -> Vec<String> {
    let member = |column: &String| match key {
        Value::Object(members) => members.get(column).map(text).unwrap_or_default(),
        other if column == KNOWN[0] => text(other),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => String::new(),
    };
    columns.iter().map(member).collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    }
}

fn as_table(columns: &[String], rows: &[Vec<String>], titled: bool) -> String {
    let titles: Vec<_> = columns.iter().map(|name| name.replace('_', " ").to_uppercase()).collect();
    let titles: Vec<_> = titles.iter().map(String::as_str).collect();
    let text = table(&titles, rows);
    if titled { text } else { text.split_once('\n').map(|(_, rows)| rows.to_owned()).unwrap_or_default() }
}

/// The elements of one array, of which more may follow.
fn as_json(keys: &[Value], first: bool) -> String {
    let mut text = String::new();
    for (number, key) in keys.iter().enumerate() {
        text += if first && number == 0 { "[\n  " } else { ",\n  " };
        text += &key.to_string();
    }
    text
}
