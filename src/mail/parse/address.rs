//! Address lists, read before any encoded word is decoded. The obsolete half of RFC 5322 (routes, groups, comments
//! inside addresses, quoted local parts) is refused: that is where forgers live.

use super::Fault;
use crate::domain::is_host_name;

/// Comments nest in theory; no program writes more than one level.
const COMMENT_DEPTH_MAX: usize = 4;
/// Of one field. Nobody reads a list of a thousand, and a mail may hold some hundred thousand.
const ADDRESSES_MAX: usize = 1_000;
/// RFC 5321 §4.5.3.1.
const LOCAL_MAX: usize = 64;

/// The addresses of a header field's value, lower case, in order. The fault completes "its From …".
pub fn addresses(value: &str) -> Result<Vec<String>, Fault> {
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err("holds control characters".into());
    }
    let mut found = Vec::new();
    let mut entry = Entry::default();
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        match c {
            ',' if found.len() == ADDRESSES_MAX => {
                return Err(format!("has more than {ADDRESSES_MAX} addresses"));
            }
            ',' => found.push(std::mem::take(&mut entry).finish()?),
            // Within a word it would be read in two ways.
            '(' => {
                entry.end_word()?;
                skip_comment(&mut rest)?;
            }
            '"' => {
                skip_quoted(&mut rest)?;
                entry.word(None)?;
            }
            '<' => entry.angle(&mut rest)?,
            ' ' | '\t' => entry.end_word()?,
            ')' | '>' | '[' | ']' | ':' | ';' | '\\' => return Err("is not a plain list of addresses".into()),
            other => entry.word(Some(other))?,
        }
    }
    found.push(entry.finish()?);
    Ok(found)
}

/// One address while it is read: words, then perhaps an address in angle brackets.
#[derive(Default)]
struct Entry {
    word: String,
    words: usize,
    bare: Option<String>,
    angle: Option<String>,
}

impl Entry {
    /// One more character of a word outside quotes, or a whole quoted word.
    fn word(&mut self, c: Option<char>) -> Result<(), Fault> {
        if self.angle.is_some() {
            return Err("has text behind an address".into());
        }
        match c {
            Some(c) => self.word.push(c),
            None => {
                self.end_word()?;
                self.words += 1;
            }
        }
        Ok(())
    }

    fn end_word(&mut self) -> Result<(), Fault> {
        let word = std::mem::take(&mut self.word);
        if word.is_empty() {
            return Ok(());
        }
        self.words += 1;
        if word.contains('@') {
            if self.bare.is_some() {
                return Err("has two addresses in one place".into());
            }
            self.bare = Some(word);
        }
        Ok(())
    }

    fn angle(&mut self, rest: &mut std::str::Chars<'_>) -> Result<(), Fault> {
        self.end_word()?;
        if self.angle.is_some() || self.bare.is_some() {
            return Err("has two addresses in one place".into());
        }
        let text = rest.as_str();
        let end = text.find('>').ok_or("has an address without an end")?;
        self.angle = Some(text[..end].to_owned());
        *rest = text[end + 1..].chars();
        Ok(())
    }

    fn finish(mut self) -> Result<String, Fault> {
        self.end_word()?;
        let text = match (self.angle, self.bare, self.words) {
            (Some(angle), _, _) => angle,
            (None, Some(bare), 1) => bare,
            (None, Some(_), _) => return Err("has text around a bare address".into()),
            (None, None, _) => return Err("has an entry without an address".into()),
        };
        plain(&text).ok_or_else(|| "has an address that is not plain".into())
    }
}

/// `local@domain` in ASCII, lower case; no quotes, no route, no literal, no dot at the end, and nothing that some
/// program might decode.
fn plain(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    let atom = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-.".contains(&b);
    let dots = local.starts_with('.') || local.ends_with('.') || local.contains("..");
    let encoded = local.contains("=?");
    let legal = !local.is_empty() && local.len() <= LOCAL_MAX && !dots && !encoded && local.bytes().all(atom);
    let lower = text.to_ascii_lowercase();
    (legal && is_host_name(&domain.to_ascii_lowercase())).then_some(lower)
}

fn skip_comment(rest: &mut std::str::Chars<'_>) -> Result<(), Fault> {
    let mut depth = 1;
    while let Some(c) = rest.next() {
        match c {
            '\\' => _ = rest.next(),
            '(' if depth == COMMENT_DEPTH_MAX => return Err("has comments within comments".into()),
            '(' => depth += 1,
            ')' if depth == 1 => return Ok(()),
            ')' => depth -= 1,
            _ => {}
        }
    }
    Err("has a comment without an end".into())
}

fn skip_quoted(rest: &mut std::str::Chars<'_>) -> Result<(), Fault> {
    while let Some(c) = rest.next() {
        match c {
            '\\' => _ = rest.next(),
            '"' => return Ok(()),
            _ => {}
        }
    }
    Err("has a quotation without an end".into())
}
