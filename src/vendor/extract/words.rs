//! The words of a line, and which of them look like keys to whoever knows no key.

use super::SHORTEST_REPORTED;

/// A word of a line, without the quotes and brackets around it.
pub(super) struct Word<'a> {
    /// All of the line before it.
    pub(super) before: &'a str,
    pub(super) text: &'a str,
    is_last: bool,
    /// Something in or around it makes some programs show its letters in another order.
    pub(super) is_turned: bool,
}

/// What a reader sees behind a word.
pub(super) enum Next<'a> {
    OnTheLine(&'a str),
    /// The line below, which may be empty.
    Below(&'a str),
}

impl Next<'_> {
    /// Whether the word could be the first part of a key, cut by a blank or a line's end. Below a key in a line of its
    /// own only another one of its own goes on: in a table the next cell is the next line.
    pub(super) fn continues(&self, word: &Word<'_>) -> bool {
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
pub(super) fn words(line: &str) -> impl Iterator<Item = Word<'_>> {
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

pub(super) fn is_opener(c: char) -> bool {
    "\"'`*<([{|>“”„‚‘’«»‹›".contains(c)
}

pub(super) fn is_separator(c: char) -> bool {
    ":=-–—→.".contains(c)
}

/// Letters of more than one kind, or digits among them; not an address, a path, a date or a word with hyphens.
pub(super) fn is_random(text: &str) -> bool {
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
pub(super) fn is_path(text: &str) -> bool {
    let host = text.split('/').next().unwrap_or_default();
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.') && (2..=6).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_lowercase())
}
