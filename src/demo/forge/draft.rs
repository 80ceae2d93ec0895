//! A mail before it is signed and sent, so that it can be changed before, in and after that.

use super::{
    content::{Field, Part},
    mailroom::{Mailroom, Who},
    seal::Seal,
};
use crate::domain::{Key, Timestamp};

#[derive(Clone)]
pub struct Draft {
    /// What it brings, and the key before that.
    pub key: Key,
    pub old: Key,
    pub(super) fields: Vec<Field>,
    pub(super) content: Part,
    /// The first stands lowest.
    pub(super) seals: Vec<(Who, Seal)>,
    /// What servers on the way put above all that, the lowest first.
    pub(super) carried: Vec<Field>,
    /// What is done to the finished mail.
    pub(super) changes: Vec<Change>,
    /// As a maildir has it.
    pub(super) line_feeds: bool,
    pub dated: Timestamp,
    pub arrived_at: Timestamp,
    /// How it came to be, step by step.
    pub story: Vec<String>,
}

/// A change of the finished mail; a change of something that is not there changes nothing.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// Lines above everything.
    Above(String),
    /// Lines above the first field of that name.
    Before(&'static str, String),
    /// A whole field, in place of the first one of that name; empty: without it.
    Field(&'static str, String),
    /// The header, by a function of its text.
    Header(fn(&str) -> String),
    /// Another body.
    Body(Vec<u8>),
    /// Behind the body.
    Behind(&'static str),
}

impl Draft {
    /// The finished mail.
    pub fn mail(&self, room: &Mailroom) -> Vec<u8> {
        let body = self.content.body(self.key.expose(), self.old.expose());
        let mut fields = [self.fields.clone(), self.content.header()].concat();
        for (who, seal) in &self.seals {
            // No signature covers one that was put above it.
            fields.insert(0, seal.sign(room.signer(*who), &fields, &body));
        }
        for field in &self.carried {
            fields.insert(0, field.clone());
        }
        let header: String = fields.iter().map(|(name, value)| format!("{name}:{value}\r\n")).collect();
        // Fields are taken away before others are added: a step may not undo what another did.
        let takes = |change: &&Change| matches!(change, Change::Field(..));
        let changes = self.changes.iter().filter(takes).chain(self.changes.iter().filter(|c| !takes(c)));
        let (header, body) = changes.fold((header, body), |(header, body), change| change.make(header, body));
        let mail = [header.into_bytes(), b"\r\n".to_vec(), body].concat();
        if self.line_feeds { mail.into_iter().filter(|b| *b != b'\r').collect() } else { mail }
    }

    /// For people: how the mail came to be, and the mail itself. Its keys are made up.
    pub fn transcript(&self, room: &Mailroom) -> String {
        format!("{}\n\n{}", self.story.join("\n"), String::from_utf8_lossy(&self.mail(room)))
    }

    /// Gives a field another value, without its leading blank.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        for (there, old) in &mut self.fields {
            if there.eq_ignore_ascii_case(name) {
                *old = format!(" {value}");
            }
        }
    }
}

impl Change {
    fn make(&self, header: String, body: Vec<u8>) -> (String, Vec<u8>) {
        match self {
            Change::Above(lines) => (format!("{lines}\r\n{header}"), body),
            Change::Before(name, lines) => match place(&header, name) {
                Some((from, _)) => (format!("{}{lines}\r\n{}", &header[..from], &header[from..]), body),
                None => (header, body),
            },
            Change::Field(name, whole) => match place(&header, name) {
                Some((from, to)) => (format!("{}{whole}{}", &header[..from], &header[to..]), body),
                None => (header, body),
            },
            Change::Header(change) => (change(&header), body),
            Change::Body(new) => (header, new.clone()),
            Change::Behind(text) => (header, [body, text.as_bytes().to_vec()].concat()),
        }
    }
}

/// Where the first field of that name begins and ends, folds and line end included.
fn place(header: &str, name: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    let mut found = None;
    for line in header.split_inclusive('\n') {
        let folded = line.starts_with([' ', '\t']);
        match (found, folded) {
            (Some(begin), false) => return Some((begin, from)),
            (None, false) if named(line, name) => found = Some(from),
            _ => {}
        }
        from += line.len();
    }
    found.map(|begin| (begin, from))
}

fn named(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(there, _)| there.eq_ignore_ascii_case(name))
}
