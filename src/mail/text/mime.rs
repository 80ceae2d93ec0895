//! MIME (RFC 2045 to 2047), strictly: what has two readings is a fault. Parts are cut by hand and to a fixed depth,
//! because mail-parser overflows the stack on deeply nested mails; its character sets are used.

mod split;

use crate::mail::parse::{Entity, Fault, first_line};
use base64::{Engine, engine::general_purpose::STANDARD};
use mail_parser::decoders::charsets::map::charset_decoder;
use split::split;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Parts of one mail. Mails with hundreds of attachments are not a vendor's.
const PARTS_MAX: usize = 256;
/// Parameters of one `Content-Type`. Those that name a file in pieces have some ten.
const PARAMETERS_MAX: usize = 64;
/// RFC 2046 §5.1.1.
const BOUNDARY_MAX: usize = 70;

/// A text of a mail, decoded.
pub enum Shown {
    Plain(Zeroizing<String>),
    Html(Zeroizing<String>),
    /// Seen by the readers of some programs only, or as a file: attached texts, mails within the mail, what stands
    /// before the first part and behind the last.
    Beside(Zeroizing<String>),
}

/// Every text, in order.
pub fn shown(mail: &Entity<'_>, depth_max: usize) -> Result<Vec<Shown>, Fault> {
    let mut reader = Reader::default();
    reader.collect(mail, depth_max)?;
    Ok(reader.found)
}

#[derive(Default)]
struct Reader {
    found: Vec<Shown>,
    parts: usize,
    /// Of the multiparts around.
    boundaries: Vec<String>,
}

impl Reader {
    fn collect(&mut self, entity: &Entity<'_>, depth: usize) -> Result<(), Fault> {
        self.parts += 1;
        if self.parts > PARTS_MAX {
            return Err(format!("it has more than {PARTS_MAX} parts"));
        }
        if is_attachment(entity)? {
            self.beside(entity);
            return Ok(());
        }
        let kind = ContentType::of(entity)?;
        match kind.name.as_str() {
            "text/plain" => self.found.push(Shown::Plain(decode(entity, &kind)?)),
            "text/html" => self.found.push(Shown::Html(decode(entity, &kind)?)),
            // Its parts are mails.
            "multipart/digest" => self.beside(entity),
            multipart if multipart.starts_with("multipart/") => {
                let depth = depth.checked_sub(1).ok_or("its parts are nested too deep")?;
                self.multipart(entity, kind.boundary()?, depth)?;
            }
            // Nested mails, calendars, and images that show no key.
            _ => self.beside(entity),
        }
        Ok(())
    }

    fn multipart(&mut self, entity: &Entity<'_>, boundary: &str, depth: usize) -> Result<(), Fault> {
        if !matches!(encoding(entity)?.as_deref(), None | Some("7bit" | "8bit" | "binary")) {
            return Err("a multipart is encoded as a whole".into());
        }
        let alike = |other: &String| other.starts_with(boundary) || boundary.starts_with(other.as_str());
        if self.boundaries.iter().any(alike) {
            return Err("two multiparts have boundaries that begin alike".into());
        }
        let split = split(entity.body, boundary)?;
        self.boundaries.push(boundary.to_owned());
        self.found.extend(split.around.map(|text| Shown::Beside(loose(text))));
        for part in split.parts {
            self.collect(&Entity::cut(part)?, depth)?;
        }
        self.boundaries.pop();
        Ok(())
    }

    /// As well as it can be read: no key is taken from here, and only a text holds what a reader could take for one.
    fn beside(&mut self, entity: &Entity<'_>) {
        let Ok(kind) = ContentType::of(entity) else { return };
        let text = match kind.name.as_str() {
            text if text.starts_with("text/") => {
                decode(entity, &kind).map_or_else(|_| loose(entity.body), |text| loose(text.as_bytes()))
            }
            nested if nested.starts_with("message/") || nested.starts_with("multipart/") => {
                transfer(entity).map_or_else(|_| loose(entity.body), |bytes| loose(&bytes))
            }
            _ => return,
        };
        self.found.push(Shown::Beside(text));
    }
}

/// Text between tags as lines, whatever it is.
fn loose(bytes: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    Zeroizing::new(text.replace(['<', '>'], "\n"))
}

fn is_attachment(entity: &Entity<'_>) -> Result<bool, Fault> {
    let Some(field) = entity.one("Content-Disposition")? else { return Ok(false) };
    let text = field.unfolded()?.to_ascii_lowercase();
    let kind = text.split(';').next().unwrap_or_default().trim();
    Ok(kind != "inline" || text.contains("filename"))
}

/// A `Content-Type`, with its parameters' names in lower case.
struct ContentType {
    name: String,
    parameters: BTreeMap<String, String>,
}

impl ContentType {
    /// Without the field it is `text/plain` in ASCII.
    fn of(entity: &Entity<'_>) -> Result<Self, Fault> {
        let plain = || Self { name: "text/plain".into(), parameters: BTreeMap::new() };
        let Some(field) = entity.one("Content-Type")? else { return Ok(plain()) };
        Self::parse(&field.unfolded()?).ok_or_else(|| "a Content-Type cannot be read".into())
    }

    fn parse(text: &str) -> Option<Self> {
        let (name, mut rest) = text.split_once(';').unwrap_or((text, ""));
        let name = name.trim().to_ascii_lowercase();
        let legal = |c: char| c.is_ascii_graphic() && !r#"()<>@,;:\"[]?="#.contains(c);
        let (main, sub) = name.split_once('/')?;
        if [main, sub].iter().any(|half| half.is_empty() || !half.chars().all(legal)) {
            return None;
        }
        let mut parameters = BTreeMap::new();
        while !rest.trim().is_empty() {
            let (attribute, tail) = rest.split_once('=')?;
            let attribute = attribute.trim().to_ascii_lowercase();
            if attribute.is_empty() || !attribute.chars().all(legal) || parameters.len() == PARAMETERS_MAX {
                return None;
            }
            let (value, tail) = parameter(tail.trim_start())?;
            // A parameter in pieces (RFC 2231) names a file; where it decides, it is refused.
            let decides =
                ["boundary", "charset"].iter().any(|name| attribute.starts_with(&format!("{name}*")));
            if decides || parameters.insert(attribute, value).is_some() {
                return None;
            }
            rest = tail;
        }
        Some(Self { name, parameters })
    }

    fn boundary(&self) -> Result<&str, Fault> {
        let boundary = self.parameters.get("boundary").ok_or("a multipart has no boundary")?;
        // A few more signs than RFC 2046 has are in use; none that could be read in two ways.
        let sign = |c: char| c == ' ' || (c.is_ascii_graphic() && !"\"\\<>[]".contains(c));
        let legal = (1..=BOUNDARY_MAX).contains(&boundary.len())
            && boundary.chars().all(sign)
            && !boundary.ends_with(' ')
            && !boundary.contains("=?");
        if legal { Ok(boundary) } else { Err("a multipart's boundary is none".into()) }
    }
}

/// A token or a quoted string, and what follows the `;` behind it.
fn parameter(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        let value = value.trim_end();
        let legal = |c: char| c.is_ascii_graphic() && !r#"()<>@,;\"[]?"#.contains(c);
        return (!value.is_empty() && value.chars().all(legal)).then(|| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut rest = quoted.chars();
    loop {
        match rest.next()? {
            '"' => break,
            '\\' => {
                // Some programs keep the backslash: where it decides, such a value is none.
                let quoted = rest.next()?;
                value.extend((quoted != '"' && quoted != '\\').then_some('\\'));
                value.push(quoted);
            }
            c => value.push(c),
        }
    }
    let behind = rest.as_str().trim_start();
    (behind.is_empty() || behind.starts_with(';')).then(|| (value, behind.strip_prefix(';').unwrap_or("")))
}

/// `Content-Transfer-Encoding`, lower case.
fn encoding(entity: &Entity<'_>) -> Result<Option<String>, Fault> {
    let field = entity.one("Content-Transfer-Encoding")?.map(|field| field.unfolded()).transpose()?;
    Ok(field.map(|text| text.trim().to_ascii_lowercase()))
}

fn decode(entity: &Entity<'_>, kind: &ContentType) -> Result<Zeroizing<String>, Fault> {
    to_text(kind.parameters.get("charset").map_or("us-ascii", |charset| charset), &transfer(entity)?)
}

/// Without its transfer encoding.
fn transfer(entity: &Entity<'_>) -> Result<Zeroizing<Vec<u8>>, Fault> {
    match encoding(entity)?.as_deref() {
        None | Some("7bit") if !entity.body.is_ascii() => Err("a text of 7 bits has bytes of 8".into()),
        None | Some("7bit" | "8bit" | "binary") => Ok(Zeroizing::new(entity.body.to_vec())),
        Some("quoted-printable") => quoted_printable(entity.body),
        Some("base64") => {
            let text: Vec<u8> = entity.body.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
            let bytes = STANDARD.decode(Zeroizing::new(text).as_slice());
            Ok(Zeroizing::new(bytes.map_err(|_| "a text is no base64")?))
        }
        Some(_) => Err("a text has an unknown transfer encoding".into()),
    }
}

fn quoted_printable(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut rest = body;
    while !rest.is_empty() {
        let line = first_line(rest);
        rest = &rest[line.len()..];
        // Blanks at a line's end were added on the way (§6.7, rule 3).
        let (line, end) = (line.trim_ascii_end(), if line.ends_with(b"\n") { &b"\r\n"[..] } else { b"" });
        let (line, end) = line.strip_suffix(b"=").map_or((line, end), |line| (line, b""));
        let mut at = 0;
        while let Some(byte) = line.get(at) {
            match byte {
                b'=' => {
                    let hex = line.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
                    let byte = hex.filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
                    let byte = byte.and_then(|hex| u8::from_str_radix(hex, 16).ok());
                    bytes.push(byte.ok_or("a text is no quoted-printable")?);
                    at += 3;
                }
                b'\t' | b' '..=b'~' => {
                    bytes.push(*byte);
                    at += 1;
                }
                _ => return Err("a text is no quoted-printable".into()),
            }
        }
        bytes.extend(end);
    }
    Ok(bytes)
}

/// The character sets that vendors write in; those with escapes or two bytes can hide what they say.
fn to_text(charset: &str, bytes: &[u8]) -> Result<Zeroizing<String>, Fault> {
    let charset = charset.to_ascii_lowercase();
    let text = match charset.as_str() {
        "utf-8" | "utf8" => std::str::from_utf8(bytes).map_err(|_| "a text is no UTF-8")?.to_owned(),
        "us-ascii" | "ascii" if bytes.is_ascii() => bytes.iter().copied().map(char::from).collect(),
        "us-ascii" | "ascii" => return Err("a text in ASCII has bytes of 8 bits".into()),
        "iso-8859-1" | "latin1" | "iso-8859-15" | "latin9" | "windows-1252" | "cp1252" => {
            let name = match charset.as_str() {
                "latin1" => "iso-8859-1",
                "latin9" => "iso-8859-15",
                "cp1252" => "windows-1252",
                other => other,
            };
            charset_decoder(name.as_bytes()).ok_or("a text is in an unknown character set")?(bytes)
        }
        _ => return Err("a text is in an unknown character set".into()),
    };
    let text = Zeroizing::new(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text));
    let control = |c: char| c.is_control() && !matches!(c, '\r' | '\n' | '\t' | '\u{c}');
    let bare_cr = text.match_indices('\r').any(|(at, _)| !text[at..].starts_with("\r\n"));
    if bare_cr || text.chars().any(control) {
        Err("a text holds control characters".into())
    } else {
        Ok(text)
    }
}

/// Encoded words (RFC 2047) to text; those that break its rules are a fault.
pub fn decode_words(text: &str) -> Result<String, Fault> {
    const BROKEN: &str = "its Subject has a broken encoded word";
    let mut decoded = String::new();
    let mut after_word = false;
    let mut rest = text;
    while let Some(at) = rest.find("=?") {
        let (before, word) = rest.split_at(at);
        if !(after_word && before.trim().is_empty()) {
            decoded += before;
        }
        let mut parts = word[2..].splitn(4, '?');
        let (charset, encoding, value) =
            (parts.next().ok_or(BROKEN)?, parts.next().ok_or(BROKEN)?, parts.next().ok_or(BROKEN)?);
        rest = parts.next().and_then(|rest| rest.strip_prefix('=')).ok_or(BROKEN)?;
        let bytes = match encoding {
            "B" | "b" => Zeroizing::new(STANDARD.decode(value).map_err(|_| BROKEN)?),
            "Q" | "q" => quoted_printable(value.replace('_', "=20").as_bytes())?,
            _ => return Err(BROKEN.into()),
        };
        // RFC 2231 §5 lets a language follow the character set.
        let charset = charset.split_once('*').map_or(charset, |(charset, _)| charset);
        decoded += &to_text(charset, &bytes).map_err(|_| BROKEN)?;
        after_word = true;
    }
    decoded += rest;
    if decoded.chars().any(|c| c.is_control() && c != '\t') { Err(BROKEN.into()) } else { Ok(decoded) }
}
