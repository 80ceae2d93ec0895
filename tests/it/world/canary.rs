//! Looks for marked keys where no key may be, whole or in part, in every form in which programs write texts.

use base64::{
    Engine,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};
use regex::bytes::{Regex, RegexBuilder};
use std::{collections::BTreeSet, fs, path::Path};

/// A piece of a key of this length is a leak: shorter ones may be chance.
const PIECE: usize = 12;

/// Where something of a key was found. It does not hold the key: it is printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    pub place: String,
    pub form: &'static str,
}

/// Keys to be found nowhere. They should be random, and at least 16 characters long.
pub struct Canary {
    patterns: Vec<(&'static str, Regex)>,
}

impl Canary {
    pub fn new(keys: &[&str]) -> Self {
        let patterns = FORMS.iter().map(|(form, pieces)| {
            let all: BTreeSet<_> = keys.iter().flat_map(|key| pieces(key)).collect();
            let escaped: Vec<_> = all.iter().map(|piece| regex::escape(piece)).collect();
            let any_case = matches!(*form, "hex" | "URL" | "JSON" | "quoted-printable");
            let pattern =
                RegexBuilder::new(&escaped.join("|")).case_insensitive(any_case).unicode(false).build();
            (*form, pattern.expect("escaped texts"))
        });
        Self { patterns: patterns.collect() }
    }

    /// A file, or every file below a folder.
    pub fn scan(&self, path: &Path) -> Vec<Leak> {
        if path.is_dir() {
            let entries = fs::read_dir(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            return entries.flat_map(|entry| self.scan(&entry.expect("a file").path())).collect();
        }
        let is_file = fs::symlink_metadata(path).is_ok_and(|data| data.is_file());
        if is_file { self.scan_bytes(&path.display().to_string(), &read(path)) } else { Vec::new() }
    }

    /// A process' arguments and environment, and those of everything it started.
    pub fn scan_process(&self, pid: u32) -> Vec<Leak> {
        let mut leaks = Vec::new();
        for part in ["cmdline", "environ"] {
            let path = format!("/proc/{pid}/{part}");
            leaks.extend(self.scan_bytes(&path, &read(Path::new(&path))));
        }
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("a process that runs");
        for task in tasks {
            let children = read(&task.expect("a thread").path().join("children"));
            let children = String::from_utf8_lossy(&children).into_owned();
            leaks.extend(
                children
                    .split_whitespace()
                    .flat_map(|child| self.scan_process(child.parse().expect("a pid"))),
            );
        }
        leaks
    }

    /// `bytes` as they are, and with the line breaks removed that mails and base64 put into texts.
    pub fn scan_bytes(&self, place: &str, bytes: &[u8]) -> Vec<Leak> {
        let joined: Vec<u8> = bytes.iter().copied().filter(|byte| !b"\r\n".contains(byte)).collect();
        let unfolded = soft_breaks().replace_all(bytes, &b""[..]);
        let found = self.patterns.iter().filter(|(_, pattern)| {
            pattern.is_match(bytes) || pattern.is_match(&joined) || pattern.is_match(&unfolded)
        });
        found.map(|(form, _)| Leak { place: place.into(), form }).collect()
    }
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{} cannot be scanned: {error}", path.display()))
}

/// Quoted-printable breaks lines anywhere with `=` at the end.
fn soft_breaks() -> Regex {
    Regex::new("=\r?\n").expect("a constant pattern")
}

type Pieces = fn(&str) -> Vec<String>;

/// Each form with the pieces that betray a key in it.
const FORMS: [(&str, Pieces); 7] = [
    ("raw", |key| pieces(key, 1)),
    ("base64", |key| base64_pieces(key, &STANDARD)),
    ("base64url", |key| base64_pieces(key, &URL_SAFE)),
    ("hex", |key| pieces(&escaped(key, |_| true, |byte| format!("{byte:02x}")), 2)),
    ("URL", |key| {
        vec![escaped(key, |byte| unusual(byte) && !b"-._~".contains(&byte), |byte| format!("%{byte:02X}"))]
    }),
    ("JSON", |key| json_forms(key)),
    ("quoted-printable", |key| vec![escaped(key, |byte| byte == b'=', |byte| format!("={byte:02X}"))]),
];

/// Every stretch of [`PIECE`] characters of a key, when each was written with `width`.
fn pieces(text: &str, width: usize) -> Vec<String> {
    let last = text.len().saturating_sub(PIECE * width);
    (0..=last)
        .step_by(width)
        .map(|start| text[start..text.len().min(start + PIECE * width)].to_owned())
        .collect()
}

/// What base64 makes of the key wherever it stands in a longer text: three alignments, less the digits at both
/// ends that depend on the neighbours.
fn base64_pieces(key: &str, alphabet: &Alphabet) -> Vec<String> {
    let engine = GeneralPurpose::new(alphabet, NO_PAD);
    let aligned = (0..3).map(|before| {
        let text = engine.encode([&vec![0; before], key.as_bytes()].concat());
        let (first, whole) = ((before * 8).div_ceil(6), (before + key.len()) * 8 / 6);
        text[first..whole].to_owned()
    });
    aligned.flat_map(|text| pieces(&text, 1)).collect()
}

/// As `\/` and as `\u002b`.
fn json_forms(key: &str) -> Vec<String> {
    vec![key.replace('/', "\\/"), escaped(key, unusual, |byte| format!("\\u{byte:04x}"))]
}

fn unusual(byte: u8) -> bool {
    !byte.is_ascii_alphanumeric()
}

fn escaped(key: &str, which: fn(u8) -> bool, how: fn(u8) -> String) -> String {
    key.bytes().map(|byte| if which(byte) { how(byte) } else { char::from(byte).to_string() }).collect()
}
