//! Where refresh tokens are: sealed on this host's disk, and in a document of the store's, `_mailboxes/NAME`.

use crate::{
    domain::{GrantId, MailboxName, RefreshToken, Timestamp, WriteOutcome},
    spool::{Spool, TokenNote},
    store::{Read, Store, layout},
};
use std::{fs::File, sync::Arc};

/// How often a document is read and written anew because somebody else was faster, or an answer was lost.
const TRIES: u32 = 3;

/// Both places, as the configuration names them.
#[derive(Clone)]
pub struct Place {
    pub spool: Arc<Spool>,
    /// Without it the disk has to do: a command beside a daemon that holds the local store.
    pub store: Option<Arc<Store>>,
    pub state_path: String,
}

/// Where the newest refresh token is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// In the store; or it is the configured one still.
    Saved,
    /// Why it is not in the store.
    OnDisk(String),
    /// Why it is nowhere else.
    InMemory(String),
}

/// What is kept of one grant.
pub(super) struct Known {
    grant: GrantId,
    note: Option<TokenNote>,
    stored: Stored,
}

enum Stored {
    /// What the next write names, and this grant's token if it is there.
    Here {
        version: u64,
        token: Option<RefreshToken>,
    },
    Away(String),
}

impl Known {
    pub fn newest<'a>(&'a self, homeless: Option<&'a RefreshToken>) -> Option<&'a RefreshToken> {
        let stored = match &self.stored {
            Stored::Here { token, .. } => token.as_ref(),
            Stored::Away(_) => None,
        };
        let noted = self.note.as_ref().and_then(|note| note.token.as_ref());
        [stored, noted, homeless].into_iter().flatten().max_by_key(|token| token.obtained_at)
    }
    /// Why the configured token must not be shown yet: the store cannot be read, and this host has never used it.
    pub fn hides_a_newer_one(&self) -> Option<&str> {
        self.store_is_away().filter(|_| self.note.is_none())
    }
    pub fn store_is_away(&self) -> Option<&str> {
        match &self.stored {
            Stored::Here { .. } => None,
            Stored::Away(why) => Some(why),
        }
    }
    pub fn asking_since(&self) -> Option<Timestamp> {
        self.note.as_ref().and_then(|note| note.asking_since)
    }
}

impl Place {
    fn path(&self, name: &MailboxName) -> String {
        format!("{}/_mailboxes/{name}", self.state_path)
    }

    /// Where the disk gives no lock, who holds it cannot be known; the mailbox is more important.
    pub async fn lock(&self, name: &MailboxName) -> Option<File> {
        let (spool, mailbox) = (self.spool.clone(), name.clone());
        let locked = blocking(move || spool.lock_token(&mailbox)).await;
        locked.inspect_err(|why| tracing::warn!(mailbox = %name, "no lock: {why}")).ok()
    }

    pub(super) async fn load(&self, name: &MailboxName, grant: GrantId) -> Known {
        let (spool, mailbox) = (self.spool.clone(), name.clone());
        let (note, stored) = tokio::join!(blocking(move || spool.token(&mailbox)), self.stored(name, grant));
        let note = note.unwrap_or_else(|why| {
            tracing::warn!(mailbox = %name, "what this host noted of its refresh token cannot be read: {why}");
            None
        });
        Known { grant, note: note.filter(|note| note.grant == grant), stored }
    }

    async fn stored(&self, name: &MailboxName, grant: GrantId) -> Stored {
        let Some(store) = &self.store else { return Stored::Away("it is not open here".into()) };
        let path = self.path(name);
        match store.read(None, &path).await {
            Read::Present(document) => match layout::read_token(&document.fields) {
                Ok(token) => {
                    let token = Some(token).filter(|token| token.grant == grant);
                    Stored::Here { version: document.version, token }
                }
                Err(why) => Stored::Away(format!("{path}: {why}")),
            },
            Read::Absent => Stored::Here { version: 0, token: None },
            Read::Deleted { version } => Stored::Here { version, token: None },
            Read::Failed(trouble) => Stored::Away(trouble.to_string()),
        }
    }

    /// Writes the note, unless it stands there already.
    pub(super) async fn note(
        &self,
        name: &MailboxName,
        known: &Known,
        note: TokenNote,
    ) -> Result<(), String> {
        let is_there = known.note.as_ref() == Some(&note);
        if is_there && note.asking_since.is_some() {
            return Ok(());
        }
        let (spool, name) = (self.spool.clone(), name.clone());
        blocking(move || spool.put_token(&name, &note)).await
    }

    /// Writes the token, unless it stands there already, or a newer one does.
    pub(super) async fn store(
        &self,
        name: &MailboxName,
        known: &Known,
        token: &RefreshToken,
    ) -> Result<(), String> {
        let Some(store) = &self.store else { return Err("the store is not open here".into()) };
        let path = self.path(name);
        let mut why = String::new();
        for round in 0..TRIES {
            let read = match (round, &known.stored) {
                (0, Stored::Here { version, token }) => {
                    Stored::Here { version: *version, token: token.clone() }
                }
                _ => self.stored(name, known.grant).await,
            };
            let version = match read {
                Stored::Here { token: Some(there), .. }
                    if there.secret == token.secret || there.obtained_at > token.obtained_at =>
                {
                    return Ok(());
                }
                Stored::Here { version, .. } => version,
                Stored::Away(why) => return Err(why),
            };
            match store.write(None, &path, &layout::token_fields(token), version).await {
                WriteOutcome::Written { .. } => return Ok(()),
                WriteOutcome::Mismatch => why = format!("{path}: somebody else writes there"),
                WriteOutcome::Unknown(lost) => why = lost,
                WriteOutcome::Failed(trouble) => return Err(trouble.to_string()),
            }
        }
        Err(why)
    }
}

/// Runs file work off the loop's threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err("the work panicked (a bug: please report it)".into()))
}
