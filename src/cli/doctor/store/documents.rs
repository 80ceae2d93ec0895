//! Each credential's two documents. The key document is read. The state document is written back unchanged against a
//! version that it cannot have: the store lets us do that, and then refuses it for its version alone, so that a
//! daemon's own check-and-set meets nothing new.

use super::{Keys, Known};
use crate::{
    cli::doctor::{
        Site,
        finding::{Area, Line},
    },
    config::Credential,
    domain::{CredentialName, StoreTrouble, WriteOutcome},
    rotation::ProbeOff,
    store::{Fields, Read, Store, layout},
};
use serde::Deserialize;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Credentials that are looked at at once.
const AT_ONCE: usize = 16;
/// No document ever has so many versions.
const NO_VERSION: u64 = u32::MAX as u64;

/// What was seen of one credential.
struct Seen {
    name: CredentialName,
    key: Line,
    /// `None`: the state may be written.
    state: Option<Line>,
    known: Option<Known>,
    off: Option<ProbeOff>,
}

pub async fn look(site: &Arc<Site>, store: &Arc<Store>, area: &mut Area) -> Keys {
    let mut waiting: Vec<_> = site.credentials().map(|(name, _)| name.clone()).collect();
    let (mut looking, mut all) = (JoinSet::new(), Vec::new());
    while !waiting.is_empty() || !looking.is_empty() {
        while looking.len() < AT_ONCE
            && let Some(name) = waiting.pop()
        {
            looking.spawn(one(site.clone(), store.clone(), name));
        }
        if let Some(seen) = looking.join_next().await {
            all.extend(seen.ok().flatten());
        }
    }
    all.sort_by(|one, other| one.name.cmp(&other.name));
    let mut keys = Keys::default();
    let mut may_be_written = 0;
    for seen in all {
        area.add(seen.key);
        match seen.state {
            Some(line) => area.add(line),
            None => may_be_written += 1,
        }
        keys.off.extend(seen.off.map(|off| (seen.name.clone(), off)));
        keys.known.extend(seen.known.map(|known| (seen.name, known)));
    }
    if may_be_written > 0 {
        let seen = format!("{may_be_written} may be written; each was tried without changing it");
        area.add(Line::ok("state documents", seen));
    }
    keys
}

async fn one(site: Arc<Site>, store: Arc<Store>, name: CredentialName) -> Option<Seen> {
    let credential = site.config.credentials.get(&name)?;
    let (key, known) = key(&site, &store, &name, credential).await;
    let (state, off) = state(&store, &format!("{}/{name}", site.config.state_path)).await;
    Some(Seen { name, key, state, known, off })
}

async fn key(
    site: &Site,
    store: &Store,
    name: &CredentialName,
    credential: &Credential,
) -> (Line, Option<Known>) {
    let path = &credential.path;
    let tried = format!("the key of {name} at {path}");
    match store.read(None, path).await {
        Read::Present(document) => {
            let prefix = site.config.profile(name).map_or("", |profile| &profile.key.prefix);
            let found = layout::read_key(&document, &credential.field, prefix);
            match found.current {
                Some(current) => {
                    let seen = format!("version {}, field {}", document.version, credential.field);
                    let known = Known {
                        current,
                        others: found.previous.into_iter().collect(),
                        written_at: document.created_at,
                    };
                    (Line::ok(tried, seen), Some(known))
                }
                None => {
                    let missing = || format!("there is no field {}", credential.field);
                    let why = found.document.unusable.unwrap_or_else(missing);
                    (Line::failed(tried, why).command(format!("keyrelay ingest {name}")), None)
                }
            }
        }
        Read::Absent => {
            (Line::warning(tried, "there is none yet").command(format!("keyrelay ingest {name}")), None)
        }
        Read::Deleted { version } => {
            let line = Line::failed(tried, format!("version {version}, the newest, is deleted"));
            let mount = match &site.config.store {
                crate::store::Settings::Vault(vault) => &vault.mount,
                crate::store::Settings::Local(_) => return (line, None),
            };
            (line.command(format!("bao kv undelete -mount={mount} -versions={version} {path}")), None)
        }
        Read::Failed(trouble) => (Line::store_trouble(tried, &trouble), None),
    }
}

/// `None`: it may be written. And what it says of a probe that is not sent any more.
async fn state(store: &Store, path: &str) -> (Option<Line>, Option<ProbeOff>) {
    let fields = match store.read(None, path).await {
        Read::Present(document) => document.fields,
        Read::Absent | Read::Deleted { .. } => Fields::default(),
        Read::Failed(trouble) => {
            return (Some(Line::store_trouble(format!("the state at {path}"), &trouble)), None);
        }
    };
    let off = fields.to_json().get("probe_off").and_then(|note| ProbeOff::deserialize(note).ok());
    (write_back(store, path, &fields).await, off)
}

async fn write_back(store: &Store, path: &str, fields: &Fields) -> Option<Line> {
    let tried = format!("the state at {path}");
    match store.write(None, path, fields, NO_VERSION).await {
        WriteOutcome::Mismatch => None,
        WriteOutcome::Written { version } => {
            let seen = format!("written as version {version}, against a check-and-set that cannot hold");
            Some(Line::failed(tried, seen).advice("this store does not check versions: use KV version 2"))
        }
        WriteOutcome::Unknown(why) => Some(Line::unreachable(tried, format!("the answer was lost: {why}"))),
        WriteOutcome::Failed(trouble) => Some(Line::store_trouble(tried, &trouble)),
    }
}

/// A real check-and-set on a document that is nobody else's.
pub async fn own_document(store: &Store, path: &str, content: &Fields) -> Line {
    let tried = format!("check-and-set of {path}");
    let cas = match store.read(None, path).await {
        Read::Present(document) => document.version,
        Read::Deleted { version } => version,
        Read::Absent => 0,
        Read::Failed(trouble) => return Line::store_trouble(tried, &trouble),
    };
    match store.write(None, path, content, cas).await {
        WriteOutcome::Written { version } => read_back(store, path, tried, content, version).await,
        WriteOutcome::Mismatch => {
            Line::warning(tried, "another doctor wrote at the same time").command("keyrelay doctor")
        }
        WriteOutcome::Unknown(why) => Line::unreachable(tried, format!("the answer was lost: {why}")),
        WriteOutcome::Failed(trouble) => Line::store_trouble(tried, &trouble),
    }
}

async fn read_back(store: &Store, path: &str, tried: String, content: &Fields, version: u64) -> Line {
    match store.read(None, path).await {
        Read::Present(found) if found.version == version && found.fields == *content => {
            Line::ok(tried, format!("written as version {version}, and read back"))
        }
        Read::Present(_) | Read::Absent | Read::Deleted { .. } => {
            Line::failed(tried, format!("written as version {version}, and not read back so")).advice(
                "is another keyrelay doctor running? otherwise the node that answers is not the active one",
            )
        }
        Read::Failed(
            trouble @ (StoreTrouble::Unreachable(_)
            | StoreTrouble::Untrusted(_)
            | StoreTrouble::LoggedOut(_)
            | StoreTrouble::Sealed
            | StoreTrouble::Forbidden(_)
            | StoreTrouble::Refused(_)),
        ) => Line::store_trouble(tried, &trouble),
    }
}
