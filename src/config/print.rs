//! The resolved configuration as YAML: every key with what holds there, and behind it who said so, where it was not
//! the file that was named. References stay references. Fed back, it resolves to the same settings.

use super::{
    read::{Holds, Keys, Record},
    source::{Origin, Source, join},
};
use figment::value::{Dict, Value};

const HEAD: &str = "\
# The configuration with every key and what holds there. A line without a remark is written in the file itself; the
# others say where it comes from: another file, the environment, defaults (of all credentials), or keyrelay's default.
# Fed back without config.d and environment, it means the same.
";

pub(super) fn print(source: &Source, record: &Record) -> String {
    let mut page = Page { source, record, text: HEAD.into(), keys: Vec::new() };
    if let Holds::Keys(keys) = record.at("") {
        page.map("", keys);
    }
    page.text
}

struct Page<'a> {
    source: &'a Source,
    record: &'a Record,
    text: String,
    /// Where we are.
    keys: Vec<String>,
}

impl Page<'_> {
    fn map(&mut self, path: &str, keys: &Keys) {
        for key in &keys.all {
            let path = join(path, key);
            self.keys.push(key.clone());
            match self.record.at(&path) {
                Holds::Keys(below) if below.all.is_empty() => self.line("{}"),
                Holds::Keys(below) => {
                    self.open();
                    self.map(&path, below);
                }
                Holds::Value(value) => self.value(value),
                // What is for all credentials stands in each of them.
                Holds::Nothing if path == "defaults" || keys.alternatives.contains(key) => {}
                Holds::Nothing => self.line("null"),
            }
            self.keys.pop();
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            long if self.is_left_out(long) => self.leave_out(),
            Value::Dict(_, dict) if dict.is_empty() => self.line("{}"),
            Value::Dict(_, dict) => match reference(dict) {
                Some((kind, name)) => self.reference(kind, name),
                None => {
                    self.open();
                    for (key, value) in dict {
                        self.keys.push(key.clone());
                        self.value(value);
                        self.keys.pop();
                    }
                }
            },
            Value::Array(_, values) if values.is_empty() => self.line("[]"),
            Value::Array(..) => self.list(value),
            Value::String(_, text) => self.line(&scalar(text)),
            Value::Char(_, char) => self.line(&scalar(&char.to_string())),
            Value::Empty(..) => self.line("null"),
            Value::Bool(..) | Value::Num(..) => self.line(yaml(value).trim_end()),
        }
    }

    /// Whether it is nothing but long lists that nobody wrote.
    fn is_left_out(&mut self, value: &Value) -> bool {
        match value {
            Value::Dict(_, dict) => {
                let mut all = !dict.is_empty();
                for (key, value) in dict {
                    self.keys.push(key.clone());
                    all = all && self.is_left_out(value);
                    self.keys.pop();
                }
                all
            }
            Value::Array(..) => yaml(value).len() > LONG && self.origin() == Origin::Unwritten,
            Value::String(..) | Value::Char(..) | Value::Bool(..) | Value::Num(..) | Value::Empty(..) => {
                false
            }
        }
    }

    fn leave_out(&mut self) {
        let indent = "  ".repeat(self.keys.len().saturating_sub(1));
        let key = self.keys.last().map(String::as_str).unwrap_or_default();
        self.text += &format!("{indent}# {key}: too long for here; keyrelay vendors NAME shows it\n");
    }

    /// `key: {credential: NAME}`; the environment may have set what is in it.
    fn reference(&mut self, kind: &str, name: &str) {
        self.keys.push(kind.to_owned());
        let remark = self.remark();
        self.keys.pop();
        self.remarked_line(&format!("{{{kind}: {name}}}"), &remark);
    }

    /// `key: text`, and who said so.
    fn line(&mut self, text: &str) {
        self.remarked_line(text, &self.remark());
    }

    fn remarked_line(&mut self, text: &str, remark: &str) {
        self.begin();
        self.text += &format!(" {text}{remark}\n");
    }

    fn list(&mut self, list: &Value) {
        let (remark, indent) = (self.remark(), "  ".repeat(self.keys.len()));
        self.begin();
        self.text += &format!("{remark}\n");
        for line in yaml(list).lines() {
            self.text += &format!("{indent}{line}\n");
        }
    }

    /// The key of a map that follows.
    fn open(&mut self) {
        self.begin();
        self.text.push('\n');
    }

    fn begin(&mut self) {
        let indent = "  ".repeat(self.keys.len().saturating_sub(1));
        let key = self.keys.last().map(|key| scalar(key)).unwrap_or_default();
        self.text += &format!("{indent}{key}:");
    }

    fn origin(&self) -> Origin<'_> {
        let keys: Vec<&str> = self.keys.iter().map(String::as_str).collect();
        self.source.origin(&keys)
    }

    fn remark(&self) -> String {
        match self.origin() {
            Origin::Main => String::new(),
            Origin::File(file) => format!("  # {file}"),
            Origin::Variable(variable) => format!("  # environment: {variable}"),
            Origin::Defaults => "  # defaults".into(),
            Origin::Unwritten => "  # default".into(),
        }
    }
}

/// A list of more bytes is left out where it is a default: a vendor's regular expressions, which `keyrelay vendors`
/// shows.
const LONG: usize = 1_000;

/// Kind and name of what looks like a reference, and can stand on one line.
fn reference(dict: &Dict) -> Option<(&str, &str)> {
    let mut entries = dict.iter();
    match (entries.next(), entries.next()) {
        (Some((kind, Value::String(_, name))), None) if is_simple(kind) && is_simple(name) => {
            Some((kind, name))
        }
        _ => None,
    }
}

/// Whether a text is itself in YAML, wherever it stands.
fn is_simple(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"_./".contains(&b) || b == b'-';
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.bytes().all(legal)
        && scalar(text) == text
}

/// Text as YAML, on one line.
fn scalar(text: &str) -> String {
    let plain = yaml(&Value::from(text));
    match plain.trim_end_matches('\n') {
        line if line.contains('\n') || text.chars().any(char::is_control) => quoted(text),
        line => line.to_owned(),
    }
}

/// In double quotes, with whatever does not print escaped.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

fn yaml(value: &Value) -> String {
    yaml_serde::to_string(value).expect("texts, numbers, lists and maps of texts have a form in YAML")
}
