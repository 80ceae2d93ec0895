//! A simulated Leaf7 on loopback: the documented API over real HTTP, several customers, rotation with grace, the
//! documented rate limit, and faults on demand. It sends no mail and never rotates by itself.

mod accounts;
mod api;
mod faults;

#[cfg(test)]
mod probed_tests;
#[cfg(test)]
mod tests;

pub use accounts::AccountId;
pub use api::Outcome;
pub use faults::{Faults, Mode};

use super::serve::Server;
use crate::domain::{Account, Fingerprint, Key, Timestamp};
use accounts::{Accounts, new_key};
use faults::Dice;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// How the simulated vendor is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Decides keys and faults.
    pub seed: u64,
    /// What each key begins with, and how many random letters and digits follow (together 16 to 512).
    pub key_prefix: String,
    pub key_random_chars: usize,
    /// So many requests in each window, over all keys; `None` lifts the limit.
    pub limit: Option<(u32, Duration)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            key_prefix: "l7_".into(),
            key_random_chars: 40,
            limit: Some((60, Duration::from_secs(60))),
        }
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
    accounts: Accounts,
    faults: Faults,
    dice: Dice,
    key_prefix: String,
    key_random_chars: usize,
    limit: Option<(u32, Duration)>,
    window_began: Timestamp,
    in_window: u32,
    answered: u64,
    requests: BTreeMap<(Option<Fingerprint>, Outcome), u64>,
}

/// Listens on a free port of 127.0.0.1. An error: no port, or a form of key that is none.
pub async fn start(options: Options) -> io::Result<Simulator> {
    let example = options.key_prefix.clone() + &"x".repeat(options.key_random_chars);
    Key::parse(&example).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let shared = Arc::new(Shared(Mutex::new(State {
        accounts: Accounts::default(),
        faults: Faults::none(),
        dice: Dice::new(options.seed),
        key_prefix: options.key_prefix,
        key_random_chars: options.key_random_chars,
        limit: options.limit,
        window_began: Timestamp::MIN,
        in_window: 0,
        answered: 0,
        requests: BTreeMap::new(),
    })));
    let server = Arc::new(Server::start(api::router(shared.clone())).await?);
    Ok(Simulator { server, shared })
}

impl Simulator {
    /// For a profile's `base_url`: `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.server.addr)
    }

    /// A customer with these project ids, and a first key. `name` begins the names of the projects.
    pub fn new_account(&self, name: &str, project_ids: &[&str]) -> AccountId {
        let mut state = self.state();
        let key = state.new_key();
        state.accounts.add(name, project_ids, key, now())
    }

    pub fn set_projects(&self, account: AccountId, project_ids: &[&str]) {
        self.state().accounts.set_projects(account, project_ids);
    }

    /// What a key of the account proves: its project ids.
    pub fn account(&self, account: AccountId) -> Account {
        self.state().accounts.account(account)
    }

    pub fn current_key(&self, account: AccountId) -> Key {
        self.state().accounts.current(account).clone()
    }

    /// Every key that it ever made, or was given.
    pub fn keys(&self) -> Vec<Key> {
        self.state().accounts.keys()
    }

    /// Makes a new key, which works at once (or late, as the faults have it). The old one works until its grace ends.
    pub fn rotate(&self, account: AccountId, grace: Duration) -> Key {
        let key = self.state().new_key();
        self.rotate_to(account, key, grace)
    }

    /// The same with a key that the caller has chosen.
    pub fn rotate_to(&self, account: AccountId, key: Key, grace: Duration) -> Key {
        let mut state = self.state();
        let late_percent = state.faults.late_percent;
        let late = if state.dice.percent(late_percent) { state.faults.late_by } else { Duration::ZERO };
        state.accounts.rotate(account, key.clone(), grace, late, now());
        key
    }

    /// Every key but the current one dies now.
    pub fn end_grace(&self, account: AccountId) {
        self.state().accounts.end_grace(account, now());
    }

    /// The key dies now, current or not.
    pub fn revoke(&self, key: &Key) {
        self.state().accounts.end(key, now());
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

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new_key(&mut self) -> Key {
        new_key(&self.key_prefix, self.key_random_chars, &mut self.dice)
    }

    fn count(&mut self, key: Option<&Key>, outcome: Outcome) {
        *self.requests.entry((key.map(Key::fingerprint), outcome)).or_default() += 1;
    }
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}
