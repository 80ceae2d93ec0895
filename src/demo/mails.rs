//! The mails that a vendor might send, from the templates beside the profile: filled in, encoded as their own
//! headers say, and unsigned. For the simulated vendor and the tests.

use crate::domain::{Key, Timestamp};
use crate::mail::parse::{Entity, Text};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::DateTime;
use sha2::{Digest, Sha256};

/// A template and its name.
pub type Wording = (&'static str, &'static str);

macro_rules! wordings {
    ($folder:literal: $($name:literal)*) => {
        [$(($name, include_str!(concat!("../vendor/profiles/leaf7/mails/", $folder, "/", $name, ".eml")))),*]
    };
}

/// Confirmations that must be taken.
pub const CONFIRMATIONS: [Wording; 24] = wordings!("accept":
    "01-sentence" "02-own-line" "03-own-line-quoted" "04-sentence-base64" "05-fenced-code" "06-text-table"
    "07-assignment" "08-json" "09-html-sentence" "10-html-own-line" "11-html-table-cell" "12-html-pre"
    "13-html-inline-code" "14-html-preheader" "15-both-sentence" "16-both-code" "17-both-table"
    "18-both-with-image" "19-german-sentence" "20-german-own-line" "21-german-html-table" "22-french-sentence"
    "23-old-and-new" "24-html-stub-text");

pub const WARNINGS: [Wording; 4] =
    wordings!("warning": "01-english" "02-english-html" "03-german" "04-french");

/// What is filled in.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    /// `{key}`.
    pub key: &'a Key,
    /// `{old}`: the key before it.
    pub old: &'a Key,
    pub from: &'a str,
    pub to: &'a str,
    /// `Date`; written in whole seconds.
    pub date: Timestamp,
}

/// One of the confirmations; the number wraps around.
pub fn confirmation(number: usize, fields: &Fields<'_>) -> Vec<u8> {
    fill(CONFIRMATIONS[number % CONFIRMATIONS.len()].1, fields)
}

/// One of the warnings; the number wraps around.
pub fn warning(number: usize, fields: &Fields<'_>) -> Vec<u8> {
    fill(WARNINGS[number % WARNINGS.len()].1, fields)
}

/// A template with its fields, ready to be signed. Lines end in CRLF.
pub fn fill(template: &str, fields: &Fields<'_>) -> Vec<u8> {
    let date = DateTime::from_timestamp_millis(fields.date.as_millis()).unwrap_or_default().to_rfc2822();
    let id = Sha256::digest(format!("{date} {} {}", fields.to, fields.key.fingerprint().hex()));
    let id: String = id.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let filled = template
        .replace("{key}", fields.key.expose())
        .replace("{old}", fields.old.expose())
        .replace("{sender}", &format!("Leaf7 <{}>", fields.from))
        .replace("{from}", fields.from)
        .replace("{to}", fields.to)
        .replace("{date}", &date)
        .replace("{id}", &id);
    // The templates are ours and well-formed; one that is not goes out as it stands.
    Text::new(filled.as_bytes()).and_then(|text| encode(text.bytes())).unwrap_or_else(|_| filled.into_bytes())
}

/// Encodes the header's and the body's text as the header says; of a multipart each part.
fn encode(text: &[u8]) -> Result<Vec<u8>, String> {
    let entity = Entity::cut(text)?;
    let mut header = Vec::new();
    for field in &entity.fields {
        header.extend(format!("{}: {}\r\n", field.name, encoded_word(field.unfolded()?.trim())).into_bytes());
    }
    let value = |name: &str| {
        entity.one(name).ok().flatten().and_then(|field| field.unfolded().ok()).unwrap_or_default()
    };
    let kind = value("Content-Type");
    let body = match parameter(&kind, "boundary") {
        Some(boundary) => encode_parts(entity.body, &boundary)?,
        None => {
            let bytes = charset_bytes(entity.body, &parameter(&kind, "charset").unwrap_or_default())?;
            match value("Content-Transfer-Encoding").trim() {
                "base64" if kind.trim().starts_with("text/") => {
                    let text = STANDARD.encode(bytes).into_bytes();
                    text.chunks(76).flat_map(|line| [line, b"\r\n"].concat()).collect()
                }
                "quoted-printable" => quoted_printable(&bytes),
                _ => bytes,
            }
        }
    };
    Ok([header, b"\r\n".to_vec(), body].concat())
}

fn encode_parts(body: &[u8], boundary: &str) -> Result<Vec<u8>, String> {
    let body = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    let delimiter = format!("--{boundary}");
    let begin = format!("{delimiter}\r\n");
    let mut encoded = Vec::new();
    for part in body.split(&begin).skip(1) {
        let part = part.split(&format!("{delimiter}--")).next().unwrap_or_default();
        encoded.extend(begin.as_bytes());
        encoded.extend(encode(part.as_bytes())?);
        encoded.extend(b"\r\n");
    }
    if body.contains(&format!("{delimiter}--")) {
        encoded.extend(format!("{delimiter}--\r\n").into_bytes());
    }
    Ok(encoded)
}

fn parameter(kind: &str, name: &str) -> Option<String> {
    let (_, value) = kind.split_once(&format!("{name}="))?;
    Some(value.split(';').next().unwrap_or_default().trim().trim_matches('"').to_owned())
}

/// Templates are written in UTF-8.
pub(super) fn charset_bytes(text: &[u8], charset: &str) -> Result<Vec<u8>, String> {
    if !(charset.starts_with("iso-8859") || charset.starts_with("windows")) {
        return Ok(text.to_vec());
    }
    let byte = |c: char| match c {
        '’' => Ok(0x92),
        c => u8::try_from(c).map_err(|_| format!("{c} is not in {charset}")),
    };
    std::str::from_utf8(text).map_err(|error| error.to_string())?.chars().map(byte).collect()
}

/// Soft line breaks at 72 characters, also within a key.
pub(super) fn quoted_printable(bytes: &[u8]) -> Vec<u8> {
    let mut encoded = String::new();
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        let mut column = 0;
        for (at, byte) in line.iter().enumerate() {
            let ends_line = line[at..].trim_ascii().is_empty();
            let text = match byte {
                b'\r' | b'\n' => String::from(char::from(*byte)),
                b'!'..=b'<' | b'>'..=b'~' => String::from(char::from(*byte)),
                b' ' if !ends_line => " ".into(),
                other => format!("={other:02X}"),
            };
            if column + text.len() > 72 && !ends_line {
                encoded += "=\r\n";
                column = 0;
            }
            column += text.len();
            encoded += &text;
        }
    }
    encoded.into_bytes()
}

/// A header's text in ASCII (RFC 2047).
fn encoded_word(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let word = |chars: &[char]| format!("=?utf-8?B?{}?=", STANDARD.encode(chars.iter().collect::<String>()));
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(12).map(word).collect::<Vec<_>>().join("\r\n ")
}
