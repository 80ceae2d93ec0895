//! Finds the one new key in what a reader sees of a confirmation. It knows nothing of senders and signatures, and
//! rather finds no key than the wrong one.

mod words;

use super::profile::{ConfirmationRule, KeyRule};
use crate::{
    domain::{Fingerprint, Key, KeyShape},
    mail::text::{Lines, Visible},
};
use std::collections::BTreeSet;
use words::{Next, Word, is_opener, is_path, is_random, is_separator, words};

/// Words that could be keys and are looked at. A mail has a few.
const WORDS_MAX: usize = 500;
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

#[cfg(test)]
mod tests;
