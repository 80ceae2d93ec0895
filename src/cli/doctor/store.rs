//! The store: whether it lets us in and may be written, and the keys that lie in it, which the checks of vendors and
//! consumers need. Of its own it writes one document, `<state_path>/_doctor`.

mod documents;
mod vault;

use super::{
    Site,
    clock::Dated,
    finding::{Area, Line},
    host,
};
use crate::{
    domain::{CredentialName, Key, Timestamp},
    rotation::ProbeOff,
    store::{self, Store, local},
};
use std::{collections::BTreeMap, sync::Arc};

/// What the store says of one credential.
pub struct Known {
    pub current: Key,
    /// Keys of the same credential that may still work.
    pub others: Vec<Key>,
    /// When the document was last written.
    pub written_at: Timestamp,
}

/// The keys, for the other checks.
#[derive(Default)]
pub struct Keys {
    known: BTreeMap<CredentialName, Known>,
    /// Probes that a daemon has switched off: they were let through where they must be refused.
    off: BTreeMap<CredentialName, ProbeOff>,
    /// Why there are none at all.
    trouble: Option<String>,
    /// Where consumers' copies and reports lie: open, and logged in. The local store holds none of them.
    pub store: Option<Arc<Store>>,
}

impl Keys {
    fn none(why: impl Into<String>) -> Self {
        Self { trouble: Some(why.into()), ..Self::default() }
    }
    pub fn get(&self, name: &CredentialName) -> Option<&Known> {
        self.known.get(name)
    }
    /// Since when no probe like this one is sent any more, as the daemon has noted.
    pub fn switched_off(&self, name: &CredentialName, probe: &str) -> Option<Timestamp> {
        self.off.get(name).filter(|off| off.probe == probe).map(|off| off.since)
    }
    /// Gives back what a login gave.
    pub async fn leave(&self) {
        if let Some(Store::Vault(vault)) = self.store.as_deref() {
            vault.leave().await;
        }
    }
    /// Why a credential has none here.
    pub fn missing(&self) -> &str {
        self.trouble.as_deref().unwrap_or("no current key: see store")
    }
}

pub async fn area(site: &Arc<Site>) -> (Area, Keys, Option<Dated>) {
    match &site.config.store {
        store::Settings::Vault(settings) => {
            let mut area = Area::new(format!("store {}", settings.nodes.join(", ")));
            let (keys, date) = vault::look(site, settings, &mut area).await;
            (area, keys, date)
        }
        store::Settings::Local(settings) => {
            let mut area = Area::new(format!("local store {}", settings.dir.display()));
            let keys = local_store(site, settings, &mut area).await;
            (area, keys, None)
        }
    }
}

/// The database is opened only where it is there already: who asks must not make it.
async fn local_store(site: &Arc<Site>, settings: &local::Settings, area: &mut Area) -> Keys {
    area.add(host::folder(site, "folder", &settings.dir, true).await);
    let tried = "opened with its master key";
    if site.misses("store.local.") {
        area.add(Line::skipped(tried, "the key is missing: see secrets"));
        return Keys::none("the local store has no master key");
    }
    if !local::exists(settings) {
        area.add(Line::ok(tried, "not there yet; the daemon makes it at its first start"));
        return Keys::none("the local store is empty");
    }
    let (all, limits) = (site.config.store.clone(), site.limits.clone());
    match site.as_service(move || Store::open(&all, &limits)).await {
        Ok(Ok(store)) => {
            area.add(Line::ok(tried, "it opens; nobody else has it"));
            documents::look(site, &Arc::new(store), area).await
        }
        Ok(Err(why)) if why.contains(local::HELD) => {
            area.add(Line::ok(tried, "the running daemon holds it, as it should"));
            Keys::none("the daemon has the local store")
        }
        Ok(Err(why)) | Err(why) => {
            area.add(Line::failed(tried, why));
            Keys::none("the local store does not open")
        }
    }
}
