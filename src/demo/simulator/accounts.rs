//! Who has which key, and which keys work when. Told what time it is.

use super::faults::Dice;
use crate::domain::{Account, Fingerprint, Key, Timestamp};
use std::collections::HashMap;
use std::time::Duration;

/// One customer of the simulated vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountId(pub(super) usize);

#[derive(Default)]
pub(super) struct Accounts {
    tenants: Vec<Tenant>,
    keys: HashMap<Fingerprint, Issued>,
}

struct Tenant {
    name: String,
    project_ids: Vec<String>,
    current: Key,
}

struct Issued {
    key: Key,
    tenant: AccountId,
    from: Timestamp,
    until: Option<Timestamp>,
}

impl Accounts {
    pub(super) fn add(&mut self, name: &str, project_ids: &[&str], key: Key, now: Timestamp) -> AccountId {
        let id = AccountId(self.tenants.len());
        let issued = Issued { key: key.clone(), tenant: id, from: now, until: None };
        self.keys.insert(key.fingerprint(), issued);
        let project_ids = project_ids.iter().map(ToString::to_string).collect();
        self.tenants.push(Tenant { name: name.to_owned(), project_ids, current: key });
        id
    }

    /// `key` becomes current, from `now + late` on; the one before works until the end of its grace, each earlier one
    /// keeps its own end.
    pub(super) fn rotate(
        &mut self,
        id: AccountId,
        key: Key,
        grace: Duration,
        late: Duration,
        now: Timestamp,
    ) {
        let old = std::mem::replace(&mut self.tenants[id.0].current, key.clone());
        self.end(&old, now + grace);
        let issued = Issued { key, tenant: id, from: now + late, until: None };
        self.keys.insert(issued.key.fingerprint(), issued);
    }

    /// Every key of the account but the current one ends.
    pub(super) fn end_grace(&mut self, id: AccountId, now: Timestamp) {
        let current = self.tenants[id.0].current.fingerprint();
        let of_it = |(name, issued): &(&Fingerprint, &mut Issued)| issued.tenant == id && **name != current;
        self.keys.iter_mut().filter(of_it).for_each(|(_, issued)| issued.end(now));
    }

    /// The key ends at once, current or not.
    pub(super) fn end(&mut self, key: &Key, at: Timestamp) {
        if let Some(issued) = self.keys.get_mut(&key.fingerprint()) {
            issued.end(at);
        }
    }

    pub(super) fn keys(&self) -> Vec<Key> {
        self.keys.values().map(|issued| issued.key.clone()).collect()
    }

    pub(super) fn current(&self, id: AccountId) -> &Key {
        &self.tenants[id.0].current
    }

    pub(super) fn set_projects(&mut self, id: AccountId, project_ids: &[&str]) {
        self.tenants[id.0].project_ids = project_ids.iter().map(ToString::to_string).collect();
    }

    pub(super) fn account(&self, id: AccountId) -> Account {
        self.tenants[id.0].project_ids.iter().cloned().collect()
    }

    /// Whose key this is, if it works now.
    pub(super) fn owner(&self, key: &Key, now: Timestamp) -> Option<AccountId> {
        let issued = self.keys.get(&key.fingerprint())?;
        let works = now >= issued.from && issued.until.is_none_or(|until| now < until);
        works.then_some(issued.tenant)
    }

    /// The documented list: each project's id and name.
    pub(super) fn projects(&self, id: AccountId) -> serde_json::Value {
        let tenant = &self.tenants[id.0];
        let project = |(n, id): (usize, &String)| serde_json::json!({"project_id": id, "name": format!("{} {}", tenant.name, n + 1)});
        tenant.project_ids.iter().enumerate().map(project).collect()
    }
}

impl Issued {
    fn end(&mut self, at: Timestamp) {
        self.until = Some(self.until.map_or(at, |until| until.min(at)));
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
