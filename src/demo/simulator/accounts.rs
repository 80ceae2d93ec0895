//! Who has which key, and which keys work when. Told what time it is.

use super::faults::Dice;
use crate::domain::{Account, Fingerprint, Key, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// One customer of the simulated vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountId(pub(super) usize);

#[derive(Default)]
pub(super) struct Accounts {
    tenants: Vec<Tenant>,
    keys: BTreeMap<Fingerprint, Issued>,
}

struct Tenant {
    name: String,
    ids: Vec<String>,
    current: Key,
}

/// One key that was given out.
pub(super) struct Issued {
    /// In the order in which they were made.
    pub nth: usize,
    pub key: Key,
    pub account: AccountId,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// As wished at creation.
    pub expires_at: Option<Timestamp>,
    /// How often it was replaced by a rotation, and whether it came out of one.
    pub rotations: u64,
    pub by_rotation: bool,
    works_from: Timestamp,
    works_until: Option<Timestamp>,
}

/// Which key, whose, and for how long.
pub(super) struct Wish {
    pub account: AccountId,
    pub key: Key,
    pub expires_at: Option<Timestamp>,
    /// It works only so long after it was made.
    pub late: Duration,
}

impl Accounts {
    pub(super) fn add(&mut self, name: &str, ids: &[&str], key: Key, now: Timestamp) -> AccountId {
        let account = AccountId(self.tenants.len());
        let ids = ids.iter().map(ToString::to_string).collect();
        self.tenants.push(Tenant { name: name.to_owned(), ids, current: key.clone() });
        self.create(Wish { account, key, expires_at: None, late: Duration::ZERO }, now);
        account
    }

    /// One more key, which is the newest; all others stay as they are.
    pub(super) fn create(&mut self, wish: Wish, now: Timestamp) {
        self.tenants[wish.account.0].current = wish.key.clone();
        let issued = Issued {
            nth: self.keys.len(),
            key: wish.key,
            account: wish.account,
            created_at: now,
            last_used_at: None,
            expires_at: wish.expires_at,
            rotations: 0,
            by_rotation: false,
            works_from: now + wish.late,
            works_until: wish.expires_at,
        };
        self.keys.insert(issued.key.fingerprint(), issued);
    }

    /// `old` works until the end of its grace, each other key keeps its own end, and the new one is the newest.
    pub(super) fn rotate(&mut self, old: &Key, new: Wish, grace: Duration, now: Timestamp) {
        self.end(old, now + grace);
        if let Some(issued) = self.keys.get_mut(&old.fingerprint()) {
            issued.rotations += 1;
        }
        let key = new.key.fingerprint();
        self.create(new, now);
        if let Some(issued) = self.keys.get_mut(&key) {
            issued.by_rotation = true;
        }
    }

    /// Every key of the account but the newest ends.
    pub(super) fn end_grace(&mut self, id: AccountId, now: Timestamp) {
        let current = self.tenants[id.0].current.fingerprint();
        let of_it = |(name, issued): &(&Fingerprint, &mut Issued)| issued.account == id && **name != current;
        self.keys.iter_mut().filter(of_it).for_each(|(_, issued)| issued.end(now));
    }

    /// The key ends then, the newest or not.
    pub(super) fn end(&mut self, key: &Key, at: Timestamp) {
        if let Some(issued) = self.keys.get_mut(&key.fingerprint()) {
            issued.end(at);
        }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Issued> {
        self.keys.values()
    }

    pub(super) fn issued(&self, key: &Key) -> Option<&Issued> {
        self.keys.get(&key.fingerprint())
    }

    pub(super) fn current(&self, id: AccountId) -> &Key {
        &self.tenants[id.0].current
    }

    pub(super) fn name(&self, id: AccountId) -> &str {
        &self.tenants[id.0].name
    }

    /// Leaf7: its projects. Else: its organization.
    pub(super) fn ids(&self, id: AccountId) -> &[String] {
        &self.tenants[id.0].ids
    }

    pub(super) fn set_ids(&mut self, id: AccountId, ids: &[&str]) {
        self.tenants[id.0].ids = ids.iter().map(ToString::to_string).collect();
    }

    pub(super) fn account(&self, id: AccountId) -> Account {
        self.ids(id).iter().cloned().collect()
    }

    /// Whose key this is, if it works now.
    pub(super) fn owner(&self, key: &Key, now: Timestamp) -> Option<AccountId> {
        self.issued(key).filter(|issued| issued.works(now)).map(|issued| issued.account)
    }

    pub(super) fn used(&mut self, key: &Key, now: Timestamp) {
        if let Some(issued) = self.keys.get_mut(&key.fingerprint()) {
            issued.last_used_at = Some(now);
        }
    }

    /// Whether a key of the account that was rotated still works.
    pub(super) fn is_in_rotation(&self, id: AccountId, now: Timestamp) -> bool {
        self.keys().any(|issued| issued.account == id && issued.rotations > 0 && issued.works(now))
    }
}

impl Issued {
    pub(super) fn works(&self, now: Timestamp) -> bool {
        now >= self.works_from && self.works_until.is_none_or(|until| now < until)
    }

    /// It does not tell the key.
    pub(super) fn key_id(&self) -> String {
        let mut id = format!("key_{}", self.key.fingerprint().hex());
        id.truncate("key_".len() + 12);
        id
    }

    fn end(&mut self, at: Timestamp) {
        self.works_until = Some(self.works_until.map_or(at, |until| until.min(at)));
    }
}

const BASE62: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// `l7_` and 40 of base62, say.
pub(super) fn new_key(prefix: &str, random_chars: usize, dice: &mut Dice) -> Key {
    let random = (0..random_chars).map(|_| char::from(BASE62[dice.next() as usize % BASE62.len()]));
    let text: String = prefix.chars().chain(random).collect();
    Key::parse(&text)
        .unwrap_or_else(|_| unreachable!("start() has drawn a first key with this prefix and length"))
}
