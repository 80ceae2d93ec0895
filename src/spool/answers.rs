//! A vendor's answer to the call for a new key, as it came: one sealed file for each wish. Nobody has read it yet, or
//! nobody could; what it holds may exist nowhere else.

use super::{Spool, files::ANSWER, files::Kind};
use crate::domain::{Asker, CredentialName, RotationId, Timestamp};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt};
use zeroize::Zeroizing;

/// Prints without its body.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub credential: CredentialName,
    pub wish: RotationId,
    /// Whose wish it was.
    pub by: Asker,
    pub at: Timestamp,
    pub status: u16,
    /// As far as it came, 32 KiB at most.
    pub body: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (credential, wish, status, len) = (&self.credential, self.wish, self.status, self.body.len());
        write!(f, "Answer({credential} {wish}: {status}, {len} bytes)")
    }
}

#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    credential: CredentialName,
    wish: RotationId,
    by: Asker,
    at: Timestamp,
    status: u16,
    body: Cow<'a, str>,
}

/// What the text around the body takes.
const NOTE_BYTES: usize = 1 << 10;

impl Spool {
    /// Returns when the answer survives a power cut.
    pub fn put_answer(&self, answer: &Answer) -> Result<(), String> {
        // Room for all of it: text that grows leaves copies behind in memory.
        let mut body = Zeroizing::new(String::with_capacity(answer.body.len().div_ceil(3) * 4));
        STANDARD.encode_string(answer.body.as_slice(), &mut body);
        let mut text = Zeroizing::new(Vec::with_capacity(body.len() + NOTE_BYTES));
        let Answer { credential, wish, by, at, status, .. } = answer.clone();
        let plain = Plain { credential, wish, by, at, status, body: body.as_str().into() };
        serde_json::to_writer(&mut *text, &plain)
            .map_err(|_| "the answer's note cannot be written".to_owned())?;
        let name = file_name(&answer.credential, answer.wish);
        let sealed = self.key.seal(name.as_bytes(), &text).map_err(|error| format!("{name}: {error}"))?;
        self.files().write(&name, &sealed)
    }

    /// All that wait, and one line for each that cannot be opened; those are left alone.
    pub fn answers(&self) -> (Vec<Answer>, Vec<String>) {
        let files = self.files();
        let (mut answers, mut unreadable) = (Vec::new(), Vec::new());
        // A folder that cannot be listed is named by whoever looks for its keys.
        let names = files.names().unwrap_or_default();
        for (name, _) in names.into_iter().filter(|(_, kind)| *kind == Kind::Answer) {
            let opened = files.read(&name).map(|sealed| self.opened_answer(&name, &sealed));
            match opened {
                Ok(Some(answer)) => answers.push(answer),
                Ok(None) => unreadable.push(format!(
                    "{}: it does not open: damaged, or written with another spool key",
                    files.path(&name).display()
                )),
                Err(why) => unreadable.push(format!("{}: {why}", files.path(&name).display())),
            }
        }
        (answers, unreadable)
    }

    /// Lets go of an answer; one that is not there is gone already.
    pub fn remove_answer(&self, credential: &CredentialName, wish: RotationId) -> Result<(), String> {
        self.files().remove(&file_name(credential, wish))
    }

    pub(super) fn opened_answer(&self, name: &str, sealed: &[u8]) -> Option<Answer> {
        let text = self.key.open(name.as_bytes(), sealed)?;
        let Plain { credential, wish, by, at, status, body } = serde_json::from_slice(&text).ok()?;
        let body = Zeroizing::new(body.into_owned());
        let body = Zeroizing::new(STANDARD.decode(body.as_bytes()).ok()?);
        Some(Answer { credential, wish, by, at, status, body })
    }
}

fn file_name(credential: &CredentialName, wish: RotationId) -> String {
    format!("{credential}.{wish}{ANSWER}")
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
