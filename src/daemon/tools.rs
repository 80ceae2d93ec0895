//! Everything that effects are performed with: made from one configuration, replaced whole by a reload.

use super::{
    answers::Unkept,
    gate::Gate,
    keyring::Keyring,
    tokens::{Place, Tokens},
};
use crate::{
    alert::{smtp::Smtp, web::Web},
    config::Config,
    consumer::{prove::Prover, unit::Units},
    domain::{CredentialName, Limits, RotationId, Timestamp},
    mail::dns::Resolver,
    probe,
    rotate::Rotator,
    spool::Spool,
    store::{Document, Fields, Store},
    vendor::Profile,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Semaphore;

/// Calls to the store that are under way at once. More than this makes a Raft store slower, not faster.
const STORE_CALLS_MAX: usize = 16;
/// Consumers that are worked on at once.
const CONSUMERS_MAX: usize = 64;

pub struct Tools {
    pub config: Arc<Config>,
    pub limits: Limits,
    pub store: Arc<Store>,
    pub spool: Arc<Spool>,
    pub vendor: probe::Prober,
    pub rotator: Rotator,
    pub consumers: Prover,
    pub units: Arc<Units>,
    pub resolver: Resolver,
    pub smtp: Option<Smtp>,
    pub webhook: Option<Web>,
    pub heartbeat: Option<Web>,
    pub keyring: Arc<Keyring>,
    pub unkept: Arc<Unkept>,
    pub tokens: Arc<Tokens>,
    pub store_calls: Semaphore,
    pub consumer_calls: Semaphore,
    /// Each key document as last read: a promotion keeps what belongs to others.
    pub documents: Mutex<BTreeMap<CredentialName, Document>>,
    /// Asked before each effect outside the store.
    pub gate: Gate,
    pub host: String,
    /// One start of this process, for the journal.
    pub run_id: RotationId,
}

impl Tools {
    /// No network is used here. The error is the operator's: a folder, a secret, a certificate.
    /// `before`: the tools that these replace; a local store that stays the same is kept open.
    pub fn new(config: Arc<Config>, limits: &Limits, before: Option<&Tools>) -> Result<Self, String> {
        let same_store = before.filter(|before| before.config.store == config.store);
        let store = match same_store {
            Some(before) => before.store.clone(),
            None => Arc::new(Store::open(&config.store, limits)?),
        };
        let spool = match before.filter(|before| before.config.spool == config.spool) {
            Some(before) => before.spool.clone(),
            None => Arc::new(Spool::open(&config.spool)?),
        };
        let (alerts, heartbeat) = (&config.alerts, config.alerts.heartbeat.as_ref());
        Ok(Self {
            store,
            spool,
            vendor: probe::Prober::new(limits)?,
            rotator: Rotator::new(limits)?,
            consumers: Prover::new(limits),
            units: before.map_or_else(|| Arc::new(Units::new(limits)), |before| before.units.clone()),
            resolver: Resolver::new(&config.dns, limits.request_timeout / 2)?,
            smtp: config.email.as_ref().map(|settings| Smtp::new(settings, limits)).transpose()?,
            webhook: alerts.webhook.as_ref().map(|url| Web::new("alerts.webhook", url, limits)),
            heartbeat: heartbeat.map(|heartbeat| Web::new("alerts.heartbeat", &heartbeat.url, limits)),
            keyring: before.map(|before| before.keyring.clone()).unwrap_or_default(),
            unkept: before.map(|before| before.unkept.clone()).unwrap_or_default(),
            tokens: before.map_or_else(|| Arc::new(Tokens::new(limits)), |before| before.tokens.clone()),
            store_calls: Semaphore::new(STORE_CALLS_MAX),
            consumer_calls: Semaphore::new(CONSUMERS_MAX),
            documents: Mutex::default(),
            gate: if config.standby { Gate::shut() } else { Gate::open() },
            host: super::settings::host_name(),
            run_id: before.map_or_else(super::clock::rotation_id, |before| before.run_id),
            limits: limits.clone(),
            config,
        })
    }

    pub fn profile(&self, name: &CredentialName) -> Option<&Profile> {
        self.config.profile(name)
    }
    /// Where a credential's state document lies.
    pub fn state_path(&self, name: &CredentialName) -> String {
        format!("{}/{name}", self.config.state_path)
    }
    /// Where mailboxes' refresh tokens are kept.
    pub fn token_place(&self) -> Place {
        let (spool, store) = (self.spool.clone(), Some(self.store.clone()));
        Place { spool, store, state_path: self.config.state_path.clone() }
    }
    pub fn remember_document(&self, name: &CredentialName, document: Document) {
        self.lock().insert(name.clone(), document);
    }
    /// The fields of this very version, if they were read.
    pub fn fields(&self, name: &CredentialName, version: u64) -> Option<Fields> {
        self.lock().get(name).filter(|known| known.version == version).map(|known| known.fields.clone())
    }
    /// When the document was last written: no consumer can have had its key before.
    pub fn written_at(&self, name: &CredentialName) -> Timestamp {
        self.lock().get(name).map_or(Timestamp::MIN, |known| known.created_at)
    }
    fn lock(&self) -> MutexGuard<'_, BTreeMap<CredentialName, Document>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
