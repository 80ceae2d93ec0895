//! Where keys live: Vault or OpenBao, or the embedded local store; and what a document looks like. It reads and
//! writes whole documents by check-and-set, once each: whether to try again is not its business.

mod fields;
pub mod layout;
pub mod local;
pub mod vault;

pub use fields::Fields;

use crate::domain::{Limits, StoreFacts, StoreTrouble, Timestamp, WriteOutcome};

/// One of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settings {
    Vault(vault::Settings),
    Local(local::Settings),
}

/// The newest version at a path.
#[derive(Debug)]
pub struct Document {
    /// What the next write's check-and-set names.
    pub version: u64,
    /// By the store's clock.
    pub created_at: Timestamp,
    pub fields: Fields,
}

/// One reading of a path.
#[derive(Debug)]
pub enum Read {
    Present(Document),
    /// Never written, or removed with its whole history.
    Absent,
    /// The newest version is deleted or destroyed; a write names this `version`.
    Deleted {
        version: u64,
    },
    Failed(StoreTrouble),
}

/// The store that is configured. Its calls are boxed: each holds some kilobytes while it is under way, and thousands of
/// others wait for their turn with the room for it.
pub enum Store {
    Vault(Box<vault::Vault>),
    Local(local::Local),
}

impl Store {
    /// Makes no connection. The local store's database is opened, or made where there is none (this blocks); a wrong
    /// master key is an error, never a new store. The error is for the operator and holds no secret.
    pub fn open(settings: &Settings, limits: &Limits) -> Result<Self, String> {
        match settings {
            Settings::Vault(settings) => {
                vault::Vault::open(settings, limits).map(|vault| Self::Vault(Box::new(vault)))
            }
            Settings::Local(settings) => local::Local::open(settings).map(Self::Local),
        }
    }

    /// Reads the newest version. Without `mount` the configured one is meant; the local store has none.
    pub async fn read(&self, mount: Option<&str>, path: &str) -> Read {
        match self {
            Store::Vault(vault) => Box::pin(vault.read(mount, path)).await,
            Store::Local(local) => local.read(path).await,
        }
    }

    /// Writes a new version if `cas` is the newest one's number; 0 means that nothing was ever written there. A deleted
    /// version counts as the newest.
    pub async fn write(&self, mount: Option<&str>, path: &str, fields: &Fields, cas: u64) -> WriteOutcome {
        match self {
            Store::Vault(vault) => Box::pin(vault.write(mount, path, fields, cas)).await,
            Store::Local(local) => local.write(path, fields, cas).await,
        }
    }

    /// Whether the store answers, is unsealed and lets us in; and for how long yet.
    pub async fn health(&self) -> Result<StoreFacts, StoreTrouble> {
        match self {
            Store::Vault(vault) => Box::pin(vault.health()).await,
            Store::Local(local) => local.health().await.map(|()| StoreFacts::default()),
        }
    }
}
