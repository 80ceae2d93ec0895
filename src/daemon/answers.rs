//! Vendors' answers that the spool did not take: in memory until it does.

use crate::{
    domain::{CredentialName, RotationId},
    spool::Answer,
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// They outlive a reload; a process that ends loses them, and that is told while they are here.
#[derive(Default)]
pub struct Unkept(Mutex<BTreeMap<(CredentialName, RotationId), Answer>>);

impl Unkept {
    pub fn insert(&self, answer: Answer) {
        self.lock().insert((answer.credential.clone(), answer.wish), answer);
    }
    pub fn get(&self, name: &CredentialName, wish: RotationId) -> Option<Answer> {
        self.lock().get(&(name.clone(), wish)).cloned()
    }
    pub fn remove(&self, name: &CredentialName, wish: RotationId) {
        self.lock().remove(&(name.clone(), wish));
    }
    pub fn all(&self) -> Vec<Answer> {
        self.lock().values().cloned().collect()
    }
    /// Each change is a single insertion or removal: a thread that panicked left whole entries.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(CredentialName, RotationId), Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
