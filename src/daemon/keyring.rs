//! The values of the keys that the core names by fingerprint: in memory only, and only while the core needs them.

use crate::domain::{CredentialName, Fingerprint, Key};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Shared by everything that receives keys (mails, the store, operators) and everything that needs them.
#[derive(Default)]
pub struct Keyring(Mutex<BTreeMap<CredentialName, BTreeMap<Fingerprint, Key>>>);

impl Keyring {
    pub fn insert(&self, name: &CredentialName, fingerprint: Fingerprint, key: Key) {
        self.lock().entry(name.clone()).or_default().insert(fingerprint, key);
    }
    pub fn get(&self, name: &CredentialName, fingerprint: Fingerprint) -> Option<Key> {
        self.lock().get(name)?.get(&fingerprint).cloned()
    }
    /// All keys of one credential.
    pub fn all(&self, name: &CredentialName) -> Vec<Key> {
        self.lock().get(name).map(|keys| keys.values().cloned().collect()).unwrap_or_default()
    }
    /// Wipes what nobody needs any more.
    pub fn retain(&self, needed: impl Fn(&CredentialName, Fingerprint) -> bool) {
        let mut keyring = self.lock();
        for (name, keys) in keyring.iter_mut() {
            keys.retain(|fingerprint, _| needed(name, *fingerprint));
        }
        keyring.retain(|_, keys| !keys.is_empty());
    }
    /// A thread that panicked while it held the lock left whole entries: each change is a single insertion or removal.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<CredentialName, BTreeMap<Fingerprint, Key>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
