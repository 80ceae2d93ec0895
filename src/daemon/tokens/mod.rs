//! Access tokens for mailboxes that are entered by OAuth 2.0. A provider may answer with another refresh token and take
//! the one that it was shown back, so its answer may be the only copy of what lets us in: it is on this host's disk
//! before anything else is done with it, then in the store, and only then used.
//!
//! What a kill can lose is the answer between the provider's sending it and that write. That somebody asks is on disk
//! before, so that it can be told.

mod keeping;

use super::clock;
use crate::{
    domain::{AccessToken, Grant, GrantId, Limits, MailboxName, RefreshToken, Secret, Timestamp},
    mail::{
        MailboxTrouble,
        token::{Endpoint, Issued, TokenTrouble},
    },
    spool::TokenNote,
};
use keeping::Known;
pub use keeping::{Kept, Place};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// One for the whole life of a process.
pub struct Tokens {
    endpoint: Endpoint,
    access: Mutex<BTreeMap<MailboxName, (GrantId, AccessToken)>>,
    /// New refresh tokens that neither the disk nor the store has taken yet.
    homeless: Mutex<BTreeMap<MailboxName, RefreshToken>>,
}

/// What lets a mailbox's watcher in.
#[derive(Debug)]
pub struct Admission {
    pub access: AccessToken,
    /// Whether it comes right from its provider; one that was kept in memory may have been taken back since.
    pub is_new: bool,
    /// Where the refresh token is, if it was looked at.
    pub kept: Option<Kept>,
}

impl Tokens {
    pub fn new(limits: &Limits) -> Self {
        Self { endpoint: Endpoint::new(limits), access: Mutex::default(), homeless: Mutex::default() }
    }

    /// An access token: the one in memory while it is good, else a new one. Asks the provider once at most.
    pub async fn admit(
        &self,
        name: &MailboxName,
        grant: &Grant,
        place: &Place,
    ) -> Result<Admission, MailboxTrouble> {
        let id = grant.id();
        let kept_in_memory = lock(&self.access).get(name).filter(|(of, _)| *of == id).cloned();
        if let Some((_, access)) = kept_in_memory.filter(|(_, access)| access.is_fresh(clock::now())) {
            return Ok(Admission { access, is_new: false, kept: None });
        }
        let (access, kept) = match &grant.refresh_token {
            None => {
                let issued = self.endpoint.ask(grant, None).await.map_err(|why| trouble(name, why, None))?;
                (issued.access, None)
            }
            Some(_) => {
                let (access, kept) = self.refresh(name, grant, place).await?;
                (access, Some(kept))
            }
        };
        lock(&self.access).insert(name.clone(), (id, access.clone()));
        Ok(Admission { access, is_new: true, kept })
    }

    /// The server does not take the access token any more, whatever its provider said.
    pub fn forget(&self, name: &MailboxName) {
        lock(&self.access).remove(name);
    }

    /// Writes the newest refresh token to where it is missing.
    pub async fn save(&self, name: &MailboxName, grant: &Grant, place: &Place) -> Kept {
        let _lock = place.lock(name).await;
        let known = place.load(name, grant.id()).await;
        let homeless = self.homeless(name, grant.id());
        match known.newest(homeless.as_ref()) {
            Some(token) => self.keep(name, &known, token.clone(), place).await,
            None => Kept::Saved,
        }
    }

    async fn refresh(
        &self,
        name: &MailboxName,
        grant: &Grant,
        place: &Place,
    ) -> Result<(AccessToken, Kept), MailboxTrouble> {
        // Held to the end: whoever else asks meanwhile would be given, or would spoil, the same token.
        let _lock = place.lock(name).await;
        let id = grant.id();
        let known = place.load(name, id).await;
        let homeless = self.homeless(name, id);
        let token = known.newest(homeless.as_ref()).cloned();
        if let (None, Some(why)) = (&token, known.hides_a_newer_one()) {
            let why = format!(
                "no access token is asked for, because the store may know a newer refresh token: {why}"
            );
            return Err(MailboxTrouble::Unreachable(why));
        }
        let lost_since = known.asking_since();
        let asking = TokenNote {
            grant: id,
            token: token.clone(),
            asking_since: Some(lost_since.unwrap_or_else(clock::now)),
        };
        let noted = place.note(name, &known, asking).await;
        if let (Err(why), Some(away)) = (&noted, known.store_is_away()) {
            let why = format!(
                "no access token is asked for, because a new refresh token could be kept nowhere: {why}; {away}"
            );
            return Err(MailboxTrouble::Unreachable(why));
        }
        let shown = token.as_ref().map(|token| &token.secret).or(grant.refresh_token.as_ref());
        let issued = match self.endpoint.ask(grant, shown).await {
            Ok(issued) => issued,
            Err(why) => {
                if lost_since.is_none() && !matches!(why, TokenTrouble::Lost(_)) {
                    // Nothing was given: there is nothing to be lost. Left behind, the note only adds words.
                    let _ =
                        place.note(name, &known, TokenNote { grant: id, token, asking_since: None }).await;
                }
                return Err(trouble(name, why, lost_since));
            }
        };
        let Issued { access, refresh_token } = issued;
        let newer = refresh_token.filter(|newer| Some(newer) != shown);
        let kept = match newer.map(|newer| successor(id, newer, token.as_ref())).or(token) {
            Some(token) => self.keep(name, &known, token, place).await,
            None => {
                let _ =
                    place.note(name, &known, TokenNote { grant: id, token: None, asking_since: None }).await;
                Kept::Saved
            }
        };
        Ok((access, kept))
    }

    /// Disk first, then the store; in memory where neither takes it.
    async fn keep(&self, name: &MailboxName, known: &Known, token: RefreshToken, place: &Place) -> Kept {
        let note = TokenNote { grant: token.grant, token: Some(token.clone()), asking_since: None };
        let noted = place.note(name, known, note).await;
        let stored = place.store(name, known, &token).await;
        let mut homeless = lock(&self.homeless);
        match (noted, stored) {
            (noted, Ok(())) => {
                homeless.remove(name);
                noted.err().into_iter().for_each(|why| {
                    tracing::warn!(mailbox = %name, "the refresh token is in the store, but not on this host: {why}")
                });
                Kept::Saved
            }
            (Ok(()), Err(why)) => {
                homeless.remove(name);
                Kept::OnDisk(why)
            }
            (Err(disk), Err(why)) => {
                homeless.insert(name.clone(), token);
                Kept::InMemory(format!("{why}; {disk}"))
            }
        }
    }

    fn homeless(&self, name: &MailboxName, grant: GrantId) -> Option<RefreshToken> {
        lock(&self.homeless).get(name).filter(|token| token.grant == grant).cloned()
    }
}

/// The token that took another's place is the newer one, whatever the clock says.
fn successor(grant: GrantId, secret: Secret, before: Option<&RefreshToken>) -> RefreshToken {
    let after =
        before.map_or(Timestamp::MIN, |before| before.obtained_at + std::time::Duration::from_secs(1));
    RefreshToken { grant, secret, obtained_at: clock::now().max(after) }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In an operator's words. `lost_since`: an earlier answer was lost.
fn trouble(name: &MailboxName, trouble: TokenTrouble, lost_since: Option<Timestamp>) -> MailboxTrouble {
    let key = format!("mailboxes.{name}.imap.oauth2");
    match trouble {
        TokenTrouble::NotAsked(why) | TokenTrouble::Lost(why) => MailboxTrouble::Unreachable(why),
        TokenTrouble::Later(why) => MailboxTrouble::Busy(why),
        TokenTrouble::Refused(why) => MailboxTrouble::Refused(format!(
            "{why}; check {key} (token_url, client_id, client_secret, scope): a client's secret may have run out"
        )),
        TokenTrouble::Revoked(why) => {
            let lost = lost_since.map(|at| {
                format!(
                    "; the answer to the request of {} was lost, perhaps with the token that took its place",
                    at.minutes()
                )
            });
            let lost = lost.unwrap_or_default();
            MailboxTrouble::Refused(format!(
                "{why}: the refresh token was revoked, or has run out{lost}; log in anew at the provider, and put the new \
                 token where {key}.refresh_token says"
            ))
        }
    }
}
