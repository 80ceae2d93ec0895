//! What an operator does and sees in the vendor's dashboard.

use super::{AccountId, Simulator, State, accounts::Issued, now};
use crate::domain::{Key, Timestamp};

/// A key as the dashboard lists it: never in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub key_id: String,
    /// `leadey_sk_live_••••a1b2`.
    pub masked: String,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    /// Neither expired nor revoked, and already in force.
    pub works: bool,
}

impl Simulator {
    /// One more key, shown this once; the others work on. It works at once, or late, as the faults have it.
    pub fn create_key(&self, account: AccountId, expires_at: Option<Timestamp>) -> Key {
        self.state().create_key(account, expires_at, now())
    }

    /// The key dies now, the newest or not.
    pub fn revoke(&self, key: &Key) {
        self.state().accounts.end(key, now());
    }

    /// The keys of an account, newest first.
    pub fn list(&self, account: AccountId) -> Vec<Listed> {
        let (state, now) = (self.state(), now());
        let of_it = state.accounts.keys().filter(|issued| issued.account == account);
        let mut listed: Vec<_> = of_it.map(|issued| (issued.nth, state.listed(issued, now))).collect();
        listed.sort_by_key(|(nth, _)| std::cmp::Reverse(*nth));
        listed.into_iter().map(|(_, listed)| listed).collect()
    }

    /// How the dashboard shows a key: what all begin with, and its last four characters.
    pub fn masked(&self, key: &Key) -> String {
        self.state().masked(key)
    }

    pub fn key_id(&self, key: &Key) -> String {
        self.state().key_id(key)
    }
}

impl State {
    pub(super) fn key_id(&self, key: &Key) -> String {
        self.accounts.issued(key).map(Issued::key_id).unwrap_or_default()
    }

    fn masked(&self, key: &Key) -> String {
        let text = key.expose();
        let last = text.char_indices().rev().nth(3).map_or(text, |(at, _)| &text[at..]);
        format!("{}••••{last}", self.key_prefix)
    }

    fn listed(&self, issued: &Issued, now: Timestamp) -> Listed {
        Listed {
            key_id: issued.key_id(),
            masked: self.masked(&issued.key),
            created_at: issued.created_at,
            last_used_at: issued.last_used_at,
            expires_at: issued.expires_at,
            works: issued.works(now),
        }
    }
}
