//! What this machine keeps of its notices between two processes: what waits to be told, what was told, and which
//! incidents are open. The store has the latter too, but it may be away when they matter most.

use super::{
    digest::Digest,
    incident::Incident,
    outbox::{Channel, Kept},
};
use crate::domain::{CredentialName, RotationId};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// Written whole after each change.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AlertsState {
    pub schema: u32,
    #[serde(default)]
    pub channels: BTreeMap<Channel, Kept>,
    #[serde(default)]
    pub digest: Digest,
    /// Open incidents of no credential.
    #[serde(default)]
    pub fleet: Vec<Incident>,
    #[serde(default)]
    pub credentials: BTreeMap<CredentialName, Vec<Incident>>,
    /// Which start of keyrelay wrote it, where another daemon may have acted since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RotationId>,
}

impl AlertsState {
    /// Another daemon has acted since. What is open, and what is to be told of it, the store knows better.
    pub fn forget_credentials(&mut self) {
        self.credentials.clear();
        self.channels.values_mut().for_each(Kept::forget_credentials);
    }
}

/// The one schema that this version reads and writes.
pub const ALERTS_SCHEMA: u32 = 1;

impl fmt::Debug for AlertsState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = self.fleet.len() + self.credentials.values().map(Vec::len).sum::<usize>();
        let waiting: usize = self.channels.values().map(Kept::len).sum();
        write!(f, "AlertsState({waiting} waiting, {open} open)")
    }
}
