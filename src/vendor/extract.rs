//! Finds the one new key in what a reader sees of a confirmation. It knows nothing of senders and signatures, and
//! rather finds no key than the wrong one.

use super::profile::{ConfirmationRule, KeyRule};
use crate::{
    domain::{Fingerprint, Key, KeyShape},
    mail::text::{Lines, Visible},
};
use std::collections::BTreeSet;

/// Words that could be keys and are looked at. A mail has a few.
const WORDS_MAX: usize = 2_000;
/// More characters than any key has.
const WORD_MAX: usize = 1_024;

/// So much before a word is looked at, in bytes: more than an [`super::pattern::Ending`] reaches back.
const LEADING_MAX: usize = 512;

/// What the text holds. Reasons complete "the mail is refused: ".
pub(super) enum Extraction {
    /// Exactly one key that is not known, of the make that is asked for.
    Key(Key),
    /// The same, but of another make than the current key.
    OtherMake(Key),
    /// A rule leads to known keys only.
    Known(Key),
    Nothing(&'static str),
}

/// What to look for.
pub(super) struct Wanted<'a> {
    pub(super) rule: &'a ConfirmationRule,
    pub(super) key: &'a KeyRule,
    /// The current key's.
    pub(super) shape: Option<&'a KeyShape>,
    pub(super) known: &'a BTreeSet<Fingerprint>,
}

pub(super) fn extract(visible: &Visible, wanted: &Wanted<'_>) -> Extraction {
    let read = |lines: &Option<Lines>| lines.as_ref().map(|lines| wanted.read(lines)).transpose();
    let (plain, html) = match (read(&visible.plain), read(&visible.html)) {
        (Ok(plain), Ok(html)) => (plain, html),
        (Err(why), _) | (_, Err(why)) => return Extraction::Nothing(why),
    };
    let extraction = match (plain, html) {
        (Some(plain), Some(html)) => agreed(plain, html),
        (Some(one), None) | (None, Some(one)) => one.outcome(),
        (None, None) => Extraction::Nothing("it has no text"),
    };
    match extraction {
        Extraction::Key(key) => wanted.alone(&visible.beside, key, Extraction::Key),
        Extraction::OtherMake(key) => wanted.alone(&visible.beside, key, Extraction::OtherMake),
        Extraction::Known(key) => Extraction::Known(key),
        Extraction::Nothing(why) => Extraction::Nothing(why),
    }
}

/// A part without any key says nothing (many a text part only points to the HTML); two that say different things
/// are refused.
fn agreed(plain: Reading, html: Reading) -> Extraction {
    const DISAGREE: &str = "its text and its HTML do not agree on the key";
    let silent = |reading: &Reading| reading.fresh.is_empty() && reading.known.is_empty();
    if silent(&plain) && plain.near_miss.is_none() {
        return html.outcome();
    }
    if silent(&html) && html.near_miss.is_none() {
        return plain.outcome();
    }
    let same = plain.fresh.len() == html.fresh.len() && plain.fresh.iter().all(|found| html.has(&found.key));
    if same { plain.outcome() } else { Extraction::Nothing(DISAGREE) }
}

/// What one part of the mail holds.
#[derive(Default)]
struct Reading {
    /// Different keys that are not known, best make first.
    fresh: Vec<Found>,
    known: Vec<Key>,
    /// Why something that a rule led to was no key.
    near_miss: Option<&'static str>,
}

struct Found {
    key: Key,
    make: Make,
    /// A rule leads to it.
    led: bool,
}

/// How well a word fits what a key looks like, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Make {
    /// The profile's pattern, or the current key's shape.
    Exact,
    /// As long as the current key, with other characters: of a random key some may not occur by chance.
    Alike,
    /// It looks random. Good enough where nothing is known of the key's form.
    Random,
}

impl Found {
    /// A word of another make is what it is: an order number, or the name of a picture.
    fn could_be_instead_of(&self, key: &Key) -> bool {
        self.key != *key && (self.make == Make::Exact || key.shape().fits(self.key.expose()))
    }
}

impl Reading {
    fn has(&self, key: &Key) -> bool {
        self.fresh.iter().any(|found| found.key == *key)
    }

    /// The one key that a rule leads to, of the best make there is; a second one of the exact make anywhere is one
    /// too many.
    fn outcome(mut self) -> Extraction {
        let Some(best) = self.fresh.iter().filter(|found| found.led).map(|found| found.make).min() else {
            // A key that is not known keeps the mail from being passed over for one that is.
            return match (self.known.pop(), self.near_miss) {
                (_, Some(why)) => Extraction::Nothing(why),
                (Some(known), None) if self.fresh.is_empty() => Extraction::Known(known),
                (_, None) => Extraction::Nothing("no rule (key_after) leads to a key in it"),
            };
        };
        let mut candidates =
            self.fresh.into_iter().filter(|found| found.make == best && (found.led || best == Make::Exact));
        match (candidates.next(), candidates.next()) {
            (Some(Found { key, make: Make::Exact | Make::Alike, .. }), None) => Extraction::Key(key),
            (Some(Found { key, make: Make::Random, .. }), None) => Extraction::OtherMake(key),
            (_, _) => Extraction::Nothing("it holds more than one key that could be the new one"),
        }
    }
}

impl Wanted<'_> {
    fn read(&self, lines: &Lines) -> Result<Reading, &'static str> {
        let mut reading = Reading::default();
        let mut looked_at = 0;
        for (at, line) in lines.iter().enumerate() {
            let before = at.checked_sub(1).map_or("", |above| lines[above].as_str());
            let behind = lines.get(at + 1).map_or("", |below| below.as_str());
            let mut all = words(line).peekable();
            while let Some(word) = all.next() {
                if word.text.len() < self.key.min_len.min(SHORTEST_REPORTED) {
                    continue;
                }
                let next = match all.peek() {
                    Some(next) => Next::OnTheLine(next.text),
                    None => Next::Below(behind),
                };
                looked_at += usize::from(self.consider(&mut reading, &word, before, &next));
                if looked_at > WORDS_MAX {
                    return Err("it holds too many words that could be keys");
                }
            }
        }
        Ok(reading)
    }

    /// The key, unless something that other readers see could be the new one as well.
    fn alone(&self, beside: &Lines, key: Key, found: fn(Key) -> Extraction) -> Extraction {
        match self.read(beside) {
            Err(why) => Extraction::Nothing(why),
            Ok(reading) if reading.fresh.iter().any(|other| other.could_be_instead_of(&key)) => {
                Extraction::Nothing("it holds another key beside the text that is shown")
            }
            Ok(_) => found(key),
        }
    }

    /// Whether the word could be a key.
    fn consider(&self, reading: &mut Reading, word: &Word<'_>, above: &str, next: &Next<'_>) -> bool {
        let judged = if word.is_turned { Err(Some(STRANGE)) } else { self.judge(word.text) };
        let (key, make) = match judged {
            Ok(judged) => judged,
            Err(None) => return false,
            Err(why) => {
                reading.near_miss = if self.leads(word.before, above) { why } else { reading.near_miss };
                return true;
            }
        };
        let led = self.leads(word.before, above);
        if !led && make != Make::Exact {
            return true;
        }
        if led && make != Make::Exact && next.continues(word) {
            reading.near_miss = Some("its key seems to go on in the next line");
            return true;
        }
        // Compared by their digits: whether a fingerprint counts as weak depends on what is known of the prefix.
        let fingerprint = key.fingerprint().hex();
        if self.known.iter().any(|known| known.hex() == fingerprint) {
            reading.known.extend(led.then_some(key));
        } else if let Some(found) = reading.fresh.iter_mut().find(|found| found.key == key) {
            found.led |= led;
        } else {
            reading.fresh.push(Found { key, make, led });
        }
        true
    }

    /// Whether a rule ends right before the word: on its line, or at the end of the line above.
    fn leads(&self, before: &str, above: &str) -> bool {
        let before = if before.chars().any(char::is_alphanumeric) { before } else { above };
        let before = &before[before.floor_char_boundary(before.len().saturating_sub(LEADING_MAX))..];
        let opened = before.trim_end_matches(|c: char| c.is_whitespace() || is_opener(c));
        let separated =
            opened.trim_end_matches(|c: char| c.is_whitespace() || is_opener(c) || is_separator(c));
        let bare = before.trim_end_matches(|c: char| !c.is_alphanumeric());
        let spaced = format!("{opened} ");
        let forms = [before, opened, &spaced, separated, bare];
        self.rule.key_after.iter().any(|rule| forms.iter().any(|form| !form.is_empty() && rule.ends(form)))
    }

    /// The key in a word, and its make; or why it is none, where it looks like one.
    fn judge(&self, text: &str) -> Result<(Key, Make), Option<&'static str>> {
        if text.len() > WORD_MAX {
            return Err(None);
        }
        // A sign at the end is the sentence's, unless the key is of the exact make with it.
        let mut form = text;
        loop {
            let judged = self.judge_form(form);
            match (&judged, form.strip_suffix(['.', ':'])) {
                (Ok((_, Make::Exact)), _) | (_, None) => return judged,
                (_, Some(shorter)) => form = shorter,
            }
        }
    }

    fn judge_form(&self, text: &str) -> Result<(Key, Make), Option<&'static str>> {
        let strange = text.chars().filter(|c| !c.is_ascii()).count();
        if strange > 0 && text.chars().count() - strange >= self.key.min_len {
            return Err(Some(STRANGE));
        }
        let key = || Key::parse(text).map_err(|_| None);
        if let Some(pattern) = &self.key.pattern {
            return if pattern.matches(text) { Ok((key()?, Make::Exact)) } else { Err(None) };
        }
        if text.contains("..") {
            return if is_random(text) { Err(Some("its key is not written out")) } else { Err(None) };
        }
        if let Some(shape) = self.shape.filter(|shape| shape.len == text.len()) {
            let make = if shape.fits(text) { Make::Exact } else { Make::Alike };
            return if make == Make::Exact || is_random(text) { Ok((key()?, make)) } else { Err(None) };
        }
        if !is_random(text) {
            return Err(None);
        }
        if text.len() < self.key.min_len {
            return Err(Some("its key is shorter than the profile allows"));
        }
        if text.len() > self.key.max_len {
            return Err(Some("its key is longer than the profile allows"));
        }
        // Without any key to compare with, what looks random is all that can be asked for.
        Ok((key()?, if self.shape.is_some() { Make::Random } else { Make::Alike }))
    }
}

/// A word that could be a key, whatever a profile says of keys.
pub(super) struct KeyWord<'a> {
    /// All of the line before it.
    pub(super) before: &'a str,
    pub(super) key: Key,
}

/// The words of a line that could be keys.
pub(super) fn key_words(line: &str) -> impl Iterator<Item = KeyWord<'_>> {
    words(line).filter_map(|word| {
        let text = word.text.trim_end_matches(['.', ':']);
        let key = Key::parse(text).ok().filter(|_| is_random(text) || is_long(text))?;
        Some(KeyWord { before: word.before, key })
    })
}

pub(super) fn looks_like_a_key(word: &str) -> bool {
    key_words(word).next().is_some()
}

/// Longer than the words that people write, and no link.
fn is_long(text: &str) -> bool {
    const WORD_MAX: usize = 32;
    text.len() > WORD_MAX && !text.contains("://") && !is_path(text)
}

/// Below this nothing is called a short key.
const SHORTEST_REPORTED: usize = 8;
const STRANGE: &str = "its key holds a character that no key may hold";

/// A word of a line, without the quotes and brackets around it.
struct Word<'a> {
    /// All of the line before it.
    before: &'a str,
    text: &'a str,
    is_last: bool,
    /// Something in or around it makes some programs show its letters in another order.
    is_turned: bool,
}

/// What a reader sees behind a word.
enum Next<'a> {
    OnTheLine(&'a str),
    /// The line below, which may be empty.
    Below(&'a str),
}

impl Next<'_> {
    /// Whether the word could be the first part of a key, cut by a blank or a line's end. Below a key in a line of its
    /// own only another one of its own goes on: in a table the next cell is the next line.
    fn continues(&self, word: &Word<'_>) -> bool {
        let is_rest = |text: &str| {
            let bare = text.trim_end_matches('=');
            text.len() >= SHORTEST_REPORTED && !bare.contains(['=', ':']) && is_random(text)
        };
        match self {
            Self::OnTheLine(text) => is_rest(text),
            Self::Below(line) => {
                let mut all = words(line);
                let first = all.next().filter(|first| first.before.is_empty());
                first.is_some_and(|first| {
                    is_rest(first.text) && word.is_last && (!word.before.is_empty() || first.is_last)
                })
            }
        }
    }
}

/// Marks of writing from right to left, and the embeddings and overrides of it (UAX 9).
const TURNING: [char; 7] =
    ['\u{200f}', '\u{061c}', '\u{202a}', '\u{202b}', '\u{202d}', '\u{202e}', '\u{2067}'];

/// Words between blanks; of `NAME=word` and `"name":"word"` the part behind the sign.
fn words(line: &str) -> impl Iterator<Item = Word<'_>> {
    let base = line.as_ptr() as usize;
    line.split_whitespace().filter_map(move |word| {
        let start = word.as_ptr() as usize - base;
        let inner = value_start(word);
        let text = word[inner..].trim_start_matches(|c: char| !c.is_alphanumeric() && !"-_~+".contains(c));
        let begin = start + word.len() - text.len();
        let text = without_tail(text);
        let is_last = start + word.len() == line.len();
        let is_turned = word.contains(TURNING);
        (!text.is_empty()).then(|| Word { before: &line[..begin], text, is_last, is_turned })
    })
}

/// Without what no key ends with, and without the full stops and colons before that: `KEY).` is `KEY`.
fn without_tail(text: &str) -> &str {
    let strange = |c: char| !c.is_ascii_alphanumeric() && !"._~+/=:-".contains(c);
    let bare = text.trim_end_matches(|c: char| strange(c) || c == '.' || c == ':');
    let tail = &text[bare.len()..];
    let end = tail.find(strange).unwrap_or(tail.len());
    &text[..bare.len() + end]
}

/// Where the value begins in `NAME=value`, `name:value` and the like; 0 for a word that is none of these. A name is
/// made of letters and `_`; `sk:…` with a short name is a key's own beginning, and so is padding at the end.
fn value_start(word: &str) -> usize {
    let name = word.trim_start_matches(['"', '\'', '{', '`']);
    let len = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(name.len());
    let (head, tail) = name.split_at(len);
    let sign = tail.trim_start_matches(['"', '\'']);
    let lower = head.to_ascii_lowercase();
    let is_name = ["key", "token", "secret"].iter().any(|end| lower.ends_with(end));
    let value = sign.strip_prefix(['=', ':']).filter(|value| is_name && !value.is_empty());
    value.map_or(0, |value| word.len() - value.len())
}

fn is_opener(c: char) -> bool {
    "\"'`*<([{|>“”„‚‘’«»‹›".contains(c)
}

fn is_separator(c: char) -> bool {
    ":=-–—→.".contains(c)
}

/// Letters of more than one kind, or digits among them; not an address, a path, a date or a word with hyphens.
fn is_random(text: &str) -> bool {
    let has = |class: fn(&u8) -> bool| text.bytes().any(|b| class(&b));
    let (lower, upper, digit) =
        (has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase), has(u8::is_ascii_digit));
    let mixed = (lower || upper) && digit || (lower && upper && has_inner_capital(text));
    let is_date =
        text.len() >= 10 && text.as_bytes()[4] == b'-' && text[..4].bytes().all(|b| b.is_ascii_digit());
    mixed && !is_date && !text.contains("://") && !is_path(text)
}

fn has_inner_capital(text: &str) -> bool {
    text.as_bytes().windows(2).any(|two| two[0].is_ascii_lowercase() && two[1].is_ascii_uppercase())
}

/// `leaf7.fun/dashboard`.
fn is_path(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or_default();
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.') && (2..=6).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests;
