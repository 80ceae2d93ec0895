//! What this host knows of a mailbox's refresh token: one sealed file for each mailbox, beside the keys. It stays when
//! the store has the token too: a start with a sealed store can log in then.

use super::{Files, Spool};
use crate::domain::{GrantId, MailboxName, RefreshToken, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fs::File};
use zeroize::Zeroizing;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenNote {
    pub grant: GrantId,
    /// The newest; `None`: the provider has given no other than the configured one.
    pub token: Option<RefreshToken>,
    /// A provider was asked at that moment and its answer is not on record: a newer token may be lost.
    pub asking_since: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Plain<'a> {
    grant: Cow<'a, str>,
    token: Option<PlainToken<'a>>,
    asking_since: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct PlainToken<'a> {
    refresh_token: Cow<'a, str>,
    obtained_at: Timestamp,
}

/// More than the longest token in JSON: text that outgrows it leaves a copy behind in memory.
const PLAIN_CAPACITY: usize = 40 << 10;

impl Spool {
    /// Returns when the note survives a power cut.
    pub fn put_token(&self, mailbox: &MailboxName, note: &TokenNote) -> Result<(), String> {
        let token = note.token.as_ref();
        let plain = Plain {
            grant: note.grant.to_string().into(),
            token: token.map(|token| PlainToken {
                refresh_token: token.secret.expose().into(),
                obtained_at: token.obtained_at,
            }),
            asking_since: note.asking_since,
        };
        let mut text = Zeroizing::new(Vec::with_capacity(PLAIN_CAPACITY));
        serde_json::to_writer(&mut *text, &plain)
            .map_err(|_| "the token's note cannot be written".to_owned())?;
        let name = file_name(mailbox);
        let sealed = self.key.seal(name.as_bytes(), &text).map_err(|error| format!("{name}: {error}"))?;
        self.files().write(&name, &sealed)
    }

    /// `None`: nothing was ever noted. The error: it is there and cannot be read.
    pub fn token(&self, mailbox: &MailboxName) -> Result<Option<TokenNote>, String> {
        let name = file_name(mailbox);
        let files = self.files();
        let named = |why: &str| format!("{}: {why}", files.path(&name).display());
        let Some(sealed) = files.read_if_there(&name).map_err(|error| named(&error))? else {
            return Ok(None);
        };
        let unfit = || named("it does not open: damaged, or written with another spool key");
        self.opened_token(&name, &sealed).map(Some).ok_or_else(unfit)
    }

    /// Whoever holds it is the only one of this host to ask the mailbox's provider, in this process or another. Waits.
    pub fn lock_token(&self, mailbox: &MailboxName) -> Result<File, String> {
        Files::new(&self.dir).lock(&format!("{mailbox}.lock"))
    }

    pub(super) fn opened_token(&self, name: &str, sealed: &[u8]) -> Option<TokenNote> {
        let text = self.key.open(name.as_bytes(), sealed)?;
        let plain = serde_json::from_slice::<Plain>(&text).ok()?;
        let grant = plain.grant.parse().ok()?;
        let token = plain.token.map(|token| {
            let text = Zeroizing::new(token.refresh_token.into_owned());
            RefreshToken { grant, secret: Secret::new(&text), obtained_at: token.obtained_at }
        });
        Some(TokenNote { grant, token, asking_since: plain.asking_since })
    }
}

fn file_name(mailbox: &MailboxName) -> String {
    format!("{mailbox}{}", super::files::TOKEN)
}
