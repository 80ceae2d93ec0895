//! The mail as a template beside a profile: what is secret, and what can be known to be the recipient's own, is taken
//! out. Names of people and products cannot be known: who gives a fixture away reads it first.

use super::super::extract::looks_like_a_key;
use crate::{
    domain::{Key, Limits},
    mail::{
        parse::{Fault, Text},
        text::{self, Source},
    },
};
use std::fmt::Write;

/// Shorter numbers are dates, hours and amounts.
const NUMBER_MIN: usize = 5;

/// Placeholders stand for sender, recipient, date and key. Encoded and signed anew it is a mail like the one it
/// was made of, but for its attachments and pictures.
pub fn fixture(raw: &[u8], key: &Key, limits: &Limits) -> Result<String, Fault> {
    let text = Text::new(raw)?;
    let entity = text.mail()?;
    let domain = entity.sender()?.rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default();
    let subject = redacted(&text::subject(&entity)?.unwrap_or_default(), key);
    let mut fixture = format!(
        "From: {{sender}}\nTo: {{to}}\nSubject: {subject}\nDate: {{date}}\nMessage-ID: <{{id}}@{domain}>\n\
         MIME-Version: 1.0\n"
    );
    let parts = text::sources(&entity, limits)?;
    let mut shows_key = false;
    let parts: Vec<String> = parts
        .iter()
        .filter_map(|source| {
            let (kind, text) = match source {
                Source::Plain(text) => ("plain", text),
                Source::Html(text) => ("html", text),
                Source::Beside(_) => return None,
            };
            let text = redacted(text, key);
            shows_key |= text.contains("{key}");
            Some(part(kind, &text))
        })
        .collect();
    if !shows_key {
        return Err("the key is written in pieces, and cannot be replaced".into());
    }
    match &parts[..] {
        [only] => fixture += only,
        several => {
            fixture += "Content-Type: multipart/alternative; boundary=\"b1_learned\"\n\n";
            for part in several {
                // Writing to a text cannot fail.
                let _ = write!(fixture, "--b1_learned\n{part}\n");
            }
            fixture += "--b1_learned--\n";
        }
    }
    Ok(fixture)
}

fn part(kind: &str, text: &str) -> String {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!(
        "Content-Type: text/{kind}; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n{text}{end}"
    )
}

/// The key becomes `{key}`; other keys, addresses, what follows a link's host, and long numbers are taken out.
fn redacted(text: &str, key: &Key) -> String {
    let text = text.replace("\r\n", "\n").replace(key.expose(), "{key}");
    let ends_word = |c: char| c.is_whitespace() || "<>\"'()[]".contains(c);
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let len = rest.find(ends_word).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(len);
        redacted += &redacted_word(word);
        let end = tail.len() - tail.trim_start_matches(ends_word).len();
        redacted += &tail[..end];
        rest = &tail[end..];
    }
    redacted
}

fn redacted_word(word: &str) -> String {
    if word.contains("{key}") {
        return word.to_owned();
    }
    if let Some((scheme, link)) = word.split_once("://") {
        let host = link.split(['/', '?', '#']).next().unwrap_or_default();
        return format!("{scheme}://{host}/");
    }
    if word.contains('@') {
        return "someone@example.com".into();
    }
    if looks_like_a_key(word) {
        return "REDACTED".into();
    }
    without_numbers(word)
}

fn without_numbers(word: &str) -> String {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    if digits < NUMBER_MIN {
        return word.to_owned();
    }
    word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}
