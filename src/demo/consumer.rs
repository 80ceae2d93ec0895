//! A consumer as its author would write it: it reads its key from a file (or is told), and answers keyrelay's
//! challenge with the key that its next request will carry. Knobs make it lag, lie, fall silent or fail.

use super::serve::Server;
use crate::domain::{ConsumerName, Key, Secret, Timestamp};
use axum::Router;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

/// How a consumer is made. The first key it sees it takes at once.
#[derive(Debug, Clone)]
pub struct Options {
    pub name: ConsumerName,
    pub source: Source,
    /// One instance each: how long it goes on with its key after another one came.
    pub lags: Vec<Duration>,
    pub shown: Shown,
    /// What `Authorization: Bearer` must carry, if anything.
    pub bearer: Option<Secret>,
}

impl Options {
    /// One instance that takes each new key at once.
    pub fn new(name: ConsumerName, source: Source) -> Self {
        Self { name, source, lags: vec![Duration::ZERO], shown: Shown::InTurn, bearer: None }
    }
}

/// Where the key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file that holds the key, or a line `VARIABLE=KEY`; read before each use.
    File { path: PathBuf, variable: Option<String> },
    /// The same file, read at the start and at each `POST /reload` (or `reload`) only.
    FileOnDemand { path: PathBuf, variable: Option<String> },
    /// [`Consumer::tell`].
    Told,
}

/// Which instance a request reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// One after the other, as behind a load balancer.
    InTurn,
    /// All at once, as an array.
    Together,
}

/// How the challenge is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    Honest,
    /// The key's fingerprint, which anybody may know, in place of a proof.
    FingerprintOnly,
    /// A proof of some other key.
    WrongProof,
    /// 200 with a web page.
    WebPage,
    /// No answer ever comes.
    Silent,
    /// 500.
    Failing,
}

/// A handle; the consumer is gone with the last one.
#[derive(Clone)]
pub struct Consumer {
    server: Arc<Server>,
    state: Arc<Mutex<State>>,
}

struct State {
    options: Options,
    manner: Manner,
    /// The key that came last, and when.
    came: Option<(Key, Timestamp)>,
    /// What each instance works with.
    held: Vec<Option<Key>>,
    last_401_at: Option<Timestamp>,
    asked: usize,
}

/// Listens on a free port of 127.0.0.1.
pub async fn start(options: Options) -> io::Result<Consumer> {
    let held = vec![None; options.lags.len()];
    let mut state = State { options, manner: Manner::Honest, came: None, held, last_401_at: None, asked: 0 };
    state.read_file(now());
    let state = Arc::new(Mutex::new(state));
    let (one, other) = (state.clone(), state.clone());
    let router = Router::new()
        .route("/keyrelay", get(move |headers| challenge(one, headers)))
        .route("/reload", post(move || async move { lock(&other).read_file(now()) }));
    Ok(Consumer { server: Arc::new(Server::start(router).await?), state })
}

impl Consumer {
    /// For `prove: {http: {url}}`.
    pub fn url(&self) -> String {
        format!("http://{}/keyrelay", self.server.addr)
    }

    /// Where a `POST` makes it read its file.
    pub fn reload_url(&self) -> String {
        format!("http://{}/reload", self.server.addr)
    }

    pub fn reload(&self) {
        self.state().read_file(now());
    }

    pub fn tell(&self, key: Key) {
        self.state().take(key, now());
    }

    /// The key of the next request of the first instance; `None` before the first key.
    pub fn key(&self) -> Option<Key> {
        let mut state = self.state();
        state.look(now());
        state.held.first().cloned().flatten()
    }

    /// Every instance's lag, from now on.
    pub fn set_lag(&self, lag: Duration) {
        self.state().options.lags.fill(lag);
    }

    pub fn set_manner(&self, manner: Manner) {
        self.state().manner = manner;
    }

    /// The vendor refused it then; its answers say so.
    pub fn saw_401(&self, at: Timestamp) {
        self.state().last_401_at = Some(at);
    }

    /// How many challenges came.
    pub fn asked(&self) -> usize {
        self.state().asked
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

async fn challenge(state: Arc<Mutex<State>>, headers: HeaderMap) -> Response {
    let (manner, response) = {
        let mut state = lock(&state);
        state.asked += 1;
        state.look(now());
        (state.manner, state.answer(&headers))
    };
    match manner {
        Manner::Silent => std::future::pending().await,
        Manner::Failing => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Manner::WebPage => axum::response::Html("<!doctype html><title>Welcome</title>").into_response(),
        Manner::Honest | Manner::FingerprintOnly | Manner::WrongProof => response,
    }
}

impl State {
    fn answer(&self, headers: &HeaderMap) -> Response {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wanted = self.options.bearer.as_ref();
        let login = header(AUTHORIZATION.as_str()).strip_prefix("Bearer ").map(Secret::new);
        if wanted.is_some() && wanted != login.as_ref() {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        let challenge = header("keyrelay-challenge");
        if !is_challenge(challenge) {
            return (StatusCode::BAD_REQUEST, "Keyrelay-Challenge is 32 lower-case hex digits")
                .into_response();
        }
        if header("keyrelay-consumer") != self.options.name.as_str() {
            return (StatusCode::NOT_FOUND, "Keyrelay-Consumer is another consumer").into_response();
        }
        let proofs = (0..self.held.len()).map(|n| self.proof(n, challenge)).collect::<Option<Vec<_>>>();
        match (proofs, self.options.shown) {
            (None, _) => (StatusCode::SERVICE_UNAVAILABLE, "there is no key yet").into_response(),
            (Some(proofs), Shown::Together) => axum::Json(proofs).into_response(),
            (Some(proofs), Shown::InTurn) => {
                let turn = (self.asked - 1) % proofs.len().max(1);
                axum::Json(proofs.get(turn)).into_response()
            }
        }
    }

    /// What the instance says; `None` while it has no key.
    fn proof(&self, n: usize, challenge: &str) -> Option<Value> {
        let key = self.held[n].as_ref()?;
        let mut answer = json!({"instance": format!("{}-{}", self.options.name, n + 1)});
        match self.manner {
            Manner::FingerprintOnly => answer["fingerprint"] = json!(key.fingerprint().hex()),
            Manner::WrongProof => answer["proof"] = json!(hmac(b"", &self.options.name, challenge)),
            Manner::Honest | Manner::WebPage | Manner::Silent | Manner::Failing => {
                answer["proof"] = json!(hmac(key.expose().as_bytes(), &self.options.name, challenge));
            }
        }
        if let Some(at) = self.last_401_at {
            answer["last_401_at"] = json!(at);
        }
        Some(answer)
    }

    fn look(&mut self, now: Timestamp) {
        match self.options.source {
            Source::File { .. } => self.read_file(now),
            Source::FileOnDemand { .. } | Source::Told => self.adopt(now),
        }
    }

    /// A file that is missing or holds no key changes nothing.
    fn read_file(&mut self, now: Timestamp) {
        let read = match &self.options.source {
            Source::File { path, variable } | Source::FileOnDemand { path, variable } => {
                read(path, variable.as_deref())
            }
            Source::Told => None,
        };
        if let Some((key, written_at)) = read {
            self.take(key, written_at);
        }
        self.adopt(now);
    }

    fn take(&mut self, key: Key, at: Timestamp) {
        if self.came.as_ref().is_none_or(|(known, _)| *known != key) {
            self.came = Some((key, at));
        }
    }

    fn adopt(&mut self, now: Timestamp) {
        let Some((key, at)) = &self.came else { return };
        for (held, lag) in self.held.iter_mut().zip(&self.options.lags) {
            if held.is_none() || now >= *at + *lag {
                *held = Some(key.clone());
            }
        }
    }
}

/// The key in the file, and when the file was written.
fn read(path: &Path, variable: Option<&str>) -> Option<(Key, Timestamp)> {
    let text = std::fs::read_to_string(path).ok()?;
    let written_at = std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()?;
    let value = match variable {
        Some(name) => text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?,
        None => text.trim_end_matches(['\r', '\n']),
    };
    Some((Key::parse(value).ok()?, Timestamp::from(written_at)))
}

/// Anything else could make this consumer sign what was never a challenge.
fn is_challenge(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Hex HMAC-SHA256 of `keyrelay-proof-v1`, the consumer's name and the challenge, a line each.
fn hmac(key: &[u8], name: &ConsumerName, challenge: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
    mac.update(format!("keyrelay-proof-v1\n{name}\n{challenge}").as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

#[cfg(test)]
#[path = "consumer_tests.rs"]
mod tests;
