//! Looks for marked keys where no key may be, whole or in part, in every form in which programs write texts.

use base64::{
    Engine,
    alphabet::{Alphabet, STANDARD, URL_SAFE},
    engine::{GeneralPurpose, general_purpose::NO_PAD},
};
use rustix::io::Errno;
use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    path::Path,
};

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
    /// By their first four bytes, in lower case. Logs at TRACE have megabytes: what fits none of these is passed over.
    pieces: HashMap<[u8; 4], Vec<Piece>>,
    /// Whether pieces may begin with bytes of this hash.
    begins: Vec<bool>,
}

struct Piece {
    text: Vec<u8>,
    form: usize,
}

impl Canary {
    pub fn new(keys: &[&str]) -> Self {
        let (mut pieces, mut begins) = (HashMap::<_, Vec<Piece>>::new(), vec![false; 1 << 16]);
        for (form, (_, pieces_of)) in FORMS.iter().enumerate() {
            let all: BTreeSet<_> = keys.iter().flat_map(|key| pieces_of(key)).collect();
            for text in all.into_iter().map(String::into_bytes).filter(|text| text.len() >= PIECE) {
                let first = first_four(&text);
                begins[hash(first)] = true;
                pieces.entry(first).or_default().push(Piece { text, form });
            }
        }
        Self { pieces, begins }
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
            match fs::read(&path) {
                Ok(bytes) => leaks.extend(self.scan_bytes(&path, &bytes)),
                // What a command has started, and ends meanwhile.
                Err(error) if has_ended(&error) => return leaks,
                // The environment of one that shows nothing to its own user: root alone can look.
                Err(error) if part == "environ" && error.kind() == io::ErrorKind::PermissionDenied => {}
                Err(error) => panic!("{path} cannot be scanned: {error}"),
            }
        }
        let tasks = fs::read_dir(format!("/proc/{pid}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            let children = fs::read(task.path().join("children")).unwrap_or_default();
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
        let mut forms = self.forms_in(bytes);
        forms.extend(self.forms_in(&joined));
        forms.extend(self.forms_in(&without_soft_breaks(bytes)));
        forms.into_iter().map(|form| Leak { place: place.into(), form: FORMS[form].0 }).collect()
    }

    fn forms_in(&self, bytes: &[u8]) -> BTreeSet<usize> {
        let mut forms = BTreeSet::new();
        for (at, first) in bytes.windows(4).enumerate() {
            let first = first_four(first);
            if self.begins[hash(first)] {
                let pieces = self.pieces.get(&first).into_iter().flatten();
                forms.extend(pieces.filter(|piece| piece.stands_in(&bytes[at..])).map(|piece| piece.form));
            }
        }
        forms
    }
}

impl Piece {
    fn stands_in(&self, bytes: &[u8]) -> bool {
        let any_case = matches!(FORMS[self.form].0, "hex" | "URL" | "JSON" | "quoted-printable");
        match bytes.get(..self.text.len()) {
            Some(bytes) if any_case => bytes.eq_ignore_ascii_case(&self.text),
            Some(bytes) => bytes == self.text,
            None => false,
        }
    }
}

fn first_four(text: &[u8]) -> [u8; 4] {
    [text[0], text[1], text[2], text[3]].map(|byte| byte.to_ascii_lowercase())
}

fn hash(first: [u8; 4]) -> usize {
    (u32::from_le_bytes(first).wrapping_mul(0x9e37_79b1) >> 16) as usize
}

fn has_ended(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(Errno::SRCH.raw_os_error())
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{} cannot be scanned: {error}", path.display()))
}

/// Quoted-printable breaks lines anywhere with `=` at the end.
fn without_soft_breaks(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let kept = line.strip_suffix(b"=\r\n").or_else(|| line.strip_suffix(b"=\n"));
        text.extend_from_slice(kept.unwrap_or(line));
    }
    text
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
