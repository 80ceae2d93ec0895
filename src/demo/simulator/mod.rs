//! A simulated vendor on loopback, one of several [`Kind`]s: the documented API over real HTTP, several customers, the
//! documented rate limits, and faults, some of which are on unless somebody asks for calm. It sends no mail and never
//! rotates by itself.

mod accounts;
mod api;
mod dashboard;
mod example;
mod faults;
mod front;
mod kind;
mod leadey;
mod leaf7_keys;
mod leafpad;
mod legba;
mod licences;
mod meter;
mod rotate;

#[cfg(test)]
mod kinds_probed_tests;
#[cfg(test)]
mod kinds_tests;
#[cfg(test)]
mod probed_tests;
#[cfg(test)]
mod rotate_tests;
#[cfg(test)]
mod tests;

pub use accounts::AccountId;
pub use dashboard::Listed;
pub use faults::{Faults, Mode, UnfitBody};
pub use front::Outcome;
pub use kind::Kind;
pub use leaf7_keys::Mishap;
pub use rotate::{Part, RotationFault};

pub(super) use faults::Dice;

use super::serve::Server;
use crate::domain::{Account, Fingerprint, Key, Timestamp};
use accounts::{Accounts, Wish, new_key};
use axum::{Router, http::StatusCode};
use meter::Meter;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// How the simulated vendor is made. By default it is Leaf7, with the noise of [`Faults::nasty`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    pub kind: Kind,
    /// Decides keys and faults.
    pub seed: u64,
    /// What each key begins with, and how many random letters and digits follow (together 16 to 512).
    pub key_prefix: String,
    pub key_random_chars: usize,
    /// So many requests in each window, counted as this vendor counts; `None` lifts the limit.
    pub limit: Option<(u32, Duration)>,
    pub faults: Faults,
}

impl Options {
    /// As the vendor documents itself, and with noise.
    pub fn of(kind: Kind) -> Self {
        let (prefix, key_random_chars) = kind.key_form();
        Self {
            kind,
            seed: 1,
            key_prefix: prefix.into(),
            key_random_chars,
            limit: kind.limit(),
            faults: Faults::default(),
        }
    }

    /// As the vendor documents itself, without any fault.
    pub fn calm(kind: Kind) -> Self {
        Self { faults: Faults::none(), ..Self::of(kind) }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::of(Kind::Leaf7)
    }
}

/// A handle; the vendor is gone with the last one. An [`AccountId`] is good for the simulator that gave it.
#[derive(Clone)]
pub struct Simulator {
    server: Arc<Server>,
    shared: Arc<Shared>,
}

struct Shared(Mutex<State>);

struct State {
    kind: Kind,
    accounts: Accounts,
    management: leaf7_keys::Management,
    faults: Faults,
    dice: Dice,
    key_prefix: String,
    key_random_chars: usize,
    meter: Meter,
    answered: u64,
    documents: u64,
    requests: BTreeMap<(Option<Fingerprint>, Outcome), u64>,
}

/// Listens on a free port of 127.0.0.1. An error: no port, or a form of key that is none.
pub async fn start(options: Options) -> io::Result<Simulator> {
    let example = options.key_prefix.clone() + &"x".repeat(options.key_random_chars);
    Key::parse(&example).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let kind = options.kind;
    let shared = Arc::new(Shared(Mutex::new(State {
        kind,
        accounts: Accounts::default(),
        management: leaf7_keys::Management::default(),
        faults: options.faults,
        dice: Dice::new(options.seed),
        key_prefix: options.key_prefix,
        key_random_chars: options.key_random_chars,
        meter: Meter::new(options.limit, kind.counting()),
        answered: 0,
        documents: 0,
        requests: BTreeMap::new(),
    })));
    let server = Arc::new(Server::start(router(kind).with_state(shared.clone())).await?);
    Ok(Simulator { server, shared })
}

fn router(kind: Kind) -> Router<Arc<Shared>> {
    let router = match kind {
        Kind::Leaf7 => api::router(),
        Kind::LeafPad => leafpad::router(),
        Kind::Leadey => leadey::router(),
        Kind::Legba => legba::router(),
        Kind::Example => example::router(),
    };
    router.fallback(move || async move { kind.error(StatusCode::NOT_FOUND, "Not Found") })
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Simulator {
    /// For a profile's `base_url`: `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.server.addr)
    }

    /// A customer and a first key. The ids are Leaf7's project ids, whose names begin with `name`; at any other vendor
    /// the first is the organization's, and one is made where there is none.
    pub fn new_account(&self, name: &str, ids: &[&str]) -> AccountId {
        let mut state = self.state();
        let key = state.new_key();
        let made = (ids.is_empty() && state.kind != Kind::Leaf7).then(|| state.new_id());
        let made: Vec<_> = made.as_deref().into_iter().collect();
        state.accounts.add(name, if ids.is_empty() { &made } else { ids }, key, now())
    }

    pub fn set_projects(&self, account: AccountId, project_ids: &[&str]) {
        self.state().accounts.set_ids(account, project_ids);
    }

    /// What a key of the account proves: its project ids, or its organization; at LeafPad nothing.
    pub fn account(&self, account: AccountId) -> Account {
        let state = self.state();
        match state.kind {
            Kind::LeafPad => Account::default(),
            Kind::Leaf7 | Kind::Leadey | Kind::Legba | Kind::Example => state.accounts.account(account),
        }
    }

    /// The organization's id: of Legba's URLs, say.
    pub fn organization(&self, account: AccountId) -> String {
        self.state().organization(account)
    }

    /// The newest.
    pub fn current_key(&self, account: AccountId) -> Key {
        self.state().accounts.current(account).clone()
    }

    /// Every key that it ever made, or was given.
    pub fn keys(&self) -> Vec<Key> {
        self.state().accounts.keys().map(|issued| issued.key.clone()).collect()
    }

    /// The vendor makes a new key, which works at once (or late, as the faults have it). The old one works until its
    /// grace ends.
    pub fn rotate(&self, account: AccountId, grace: Duration) -> Key {
        let mut state = self.state();
        let old = state.accounts.current(account).clone();
        state.rotate_key(&old, grace, now())
    }

    /// The same with a key that the caller has chosen.
    pub fn rotate_to(&self, account: AccountId, key: Key, grace: Duration) -> Key {
        let mut state = self.state();
        let old = state.accounts.current(account).clone();
        state.rotate_key_to(&old, key, grace, now())
    }

    /// Every key but the current one dies now.
    pub fn end_grace(&self, account: AccountId) {
        self.state().accounts.end_grace(account, now());
    }

    /// Whether the key works now, faults aside.
    pub fn is_alive(&self, key: &Key) -> bool {
        self.state().accounts.owner(key, now()).is_some()
    }

    pub fn set_faults(&self, faults: impl Into<Faults>) {
        self.state().faults = faults.into();
    }

    /// How often each key (`None`: no key) met which outcome.
    pub fn requests(&self) -> BTreeMap<(Option<Fingerprint>, Outcome), u64> {
        self.state().requests.clone()
    }

    /// How often any key met this outcome.
    pub fn total(&self, wanted: Outcome) -> u64 {
        self.state()
            .requests
            .iter()
            .filter(|((_, outcome), _)| *outcome == wanted)
            .map(|(_, count)| count)
            .sum()
    }

    /// How often each key was rotated, of those that were.
    pub fn rotations(&self) -> BTreeMap<Fingerprint, u64> {
        let state = self.state();
        let rotated = state.accounts.keys().filter(|issued| issued.rotations > 0);
        rotated.map(|issued| (issued.key.fingerprint(), issued.rotations)).collect()
    }

    /// How many documents were ever written to LeafPad's knowledge bases.
    pub fn documents(&self) -> u64 {
        self.state().documents
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }
}

impl State {
    fn new_key(&mut self) -> Key {
        new_key(&self.key_prefix, self.key_random_chars, &mut self.dice)
    }

    fn new_id(&mut self) -> String {
        let (high, low) = (self.dice.next(), self.dice.next());
        match self.kind {
            Kind::Leaf7 | Kind::LeafPad | Kind::Leadey => format!("org_{:08x}", high as u32),
            Kind::Legba => uuid(high, low),
            Kind::Example => format!("acc_{:08x}", high as u32),
        }
    }

    fn organization(&self, account: AccountId) -> String {
        self.accounts.ids(account).first().cloned().unwrap_or_default()
    }

    fn rotate_key(&mut self, old: &Key, grace: Duration, now: Timestamp) -> Key {
        let key = self.new_key();
        self.rotate_key_to(old, key, grace, now)
    }

    fn rotate_key_to(&mut self, old: &Key, key: Key, grace: Duration, now: Timestamp) -> Key {
        if let Some(account) = self.accounts.issued(old).map(|issued| issued.account) {
            let wish = Wish { account, key: key.clone(), expires_at: None, late: self.late() };
            self.accounts.rotate(old, wish, grace, now);
        }
        key
    }

    fn create_key(&mut self, account: AccountId, expires_at: Option<Timestamp>, now: Timestamp) -> Key {
        let key = self.new_key();
        let wish = Wish { account, key: key.clone(), expires_at, late: self.late() };
        self.accounts.create(wish, now);
        key
    }

    fn late(&mut self) -> Duration {
        let is_late = self.dice.percent(self.faults.late_percent);
        if is_late { self.faults.late_by } else { Duration::ZERO }
    }

    fn count(&mut self, key: Option<&Key>, outcome: Outcome) {
        *self.requests.entry((key.map(Key::fingerprint), outcome)).or_default() += 1;
    }
}

/// As version 4 has it (RFC 9562, section 5.4).
fn uuid(high: u64, low: u64) -> String {
    let (a, b, c) = (high >> 32, (high >> 16) & 0xffff, high & 0x0fff);
    let (d, e) = ((low >> 48) & 0x3fff, low & 0xffff_ffff_ffff);
    format!("{a:08x}-{b:04x}-4{c:03x}-{:04x}-{e:012x}", d | 0x8000)
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}
