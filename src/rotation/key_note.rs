//! What is known of single keys besides what their vendor's answers show: when they end, and how the vendor's
//! dashboard shows them.

use super::state::{Dirty, Rotation};
use crate::domain::{Fingerprint, Timestamp};
use serde::{Deserialize, Serialize};

/// It belongs to one key, so that the next one inherits none of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyNote {
    pub fingerprint: Fingerprint,
    /// As the dashboard shows it: never more than four of its characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// When it ends, as whoever put it in said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was last seen alive, of a key whose vendor can no longer be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alive_at: Option<Timestamp>,
    /// An operator let it in while nobody could be asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub vouched: bool,
}

impl Rotation {
    pub(super) fn note_of(&self, key: Fingerprint) -> Option<&KeyNote> {
        self.memory.notes.iter().find(|note| note.fingerprint == key)
    }
    /// Changes what is noted of a key; written down with the next calm.
    pub(super) fn note_key(&mut self, key: Fingerprint, change: impl FnOnce(&mut KeyNote)) {
        let notes = &mut self.memory.notes;
        let known = notes.iter().position(|note| note.fingerprint == key);
        let before = known.map(|index| notes.remove(index));
        let mut note = before.clone().unwrap_or(KeyNote {
            fingerprint: key,
            label: None,
            expires_at: None,
            alive_at: None,
            vouched: false,
        });
        change(&mut note);
        if before.as_ref() != Some(&note) {
            self.dirty = self.dirty.max(Dirty::WhenCalm);
        }
        notes.insert(known.unwrap_or(notes.len()), note);
    }
    /// Of keys that are neither current nor old nor waiting, nothing is kept.
    pub(super) fn forget_notes(&mut self) {
        let known = self.known_fingerprints();
        self.memory.notes.retain(|note| known.contains(&note.fingerprint));
    }
    /// The key as its dashboard shows it.
    pub(super) fn dashboard_label(&self, key: Fingerprint) -> Option<&str> {
        self.note_of(key)?.label.as_deref()
    }
}
