//! A server that says what it is told to, and keeps what it hears; and everybody who sends a secret over HTTP.

use crate::world::install_tls;
use keyrelay::{
    alert::web::{PostOutcome, Web},
    at_rest::LiveSecret,
    consumer::prove::{Http, Prover, Question},
    domain::{Key, Limits, ProofOutcome, Secret, Verdict},
    probe::Prober,
    store::{Fields, Settings, Store, vault},
    vendor::{Profile, resolve},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
};

/// In a header of one, the body of another, and the path of a third.
pub const SECRET: &str = "l7_canary0123456789canary0123456789canary";

pub struct Wire {
    pub addr: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Wire {
    /// At which every sender is content.
    pub async fn content(ip: &str) -> Self {
        Self::start(ip, |request, _| good_answer(request)).await
    }
    /// On `127.0.0.1`, say. `answer` is told the request, and how many came before.
    pub async fn start(ip: &str, answer: impl Fn(&str, usize) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.expect("a free port");
        let (addr, heard) = (listener.local_addr().expect("an address"), Arc::<Mutex<Vec<_>>>::default());
        let keeps = heard.clone();
        let task = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = vec![0; 64 << 10];
                let mut len = 0;
                while !is_whole(&request[..len]) {
                    match stream.read(&mut request[len..]).await {
                        Ok(read @ 1..) => len += read,
                        Ok(0) | Err(_) => break,
                    }
                }
                let request = String::from_utf8_lossy(&request[..len]).into_owned();
                let before = {
                    let mut heard = keeps.lock().expect("a list");
                    heard.push(request.clone());
                    heard.len() - 1
                };
                // Who has heard enough hangs up.
                let _ = stream.write_all(&answer(&request, before)).await;
            }
        });
        Self { addr, heard, task }
    }
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
    /// Each request, as it came.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("a list").clone()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn good_answer(request: &str) -> Vec<u8> {
    let metadata = json!({"version": 1, "created_time": "2026-11-21T09:00:00Z", "deletion_time": "",
        "destroyed": false, "custom_metadata": null});
    let enveloped = |data: Value, auth: Value| {
        json!({"request_id": "", "lease_id": "", "renewable": false, "lease_duration": 0, "data": data,
            "wrap_info": null, "warnings": null, "auth": auth})
    };
    let (method, rest) = request.split_once(' ').unwrap_or_default();
    let body = match (method, rest.split(' ').next().unwrap_or_default()) {
        (_, target) if target.starts_with("/v1/sys/health") => {
            json!({"initialized": true, "sealed": false, "standby": false})
        }
        (_, target) if target.starts_with("/v1/auth/") => enveloped(
            json!({"ttl": 3600, "renewable": false}),
            json!({"client_token": "s.another-token-0123456789", "accessor": "a", "policies": [],
                "token_policies": [], "metadata": null, "lease_duration": 3600, "renewable": false, "entity_id": "",
                "token_type": "service", "orphan": true}),
        ),
        ("GET", target) if target.starts_with("/v1/secret/data/") => {
            enveloped(json!({"data": {"api_key": "x"}, "metadata": metadata}), Value::Null)
        }
        (_, target) if target.starts_with("/v1/secret/data/") => enveloped(metadata, Value::Null),
        _ => json!([]),
    };
    let (body, head) =
        (body.to_string(), "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close");
    format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into()
}

/// Who sends a secret over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The key in a header.
    Probe,
    /// The token in a header.
    Reading,
    /// The token in a header, the key in the body.
    Writing,
    /// The identity of an AppRole in the body.
    Login,
    /// The address is the secret.
    Webhook,
    Heartbeat,
    /// A bearer token.
    Proof,
}

pub const SENDERS: [Sender; 7] = [
    Sender::Probe,
    Sender::Reading,
    Sender::Writing,
    Sender::Login,
    Sender::Webhook,
    Sender::Heartbeat,
    Sender::Proof,
];

impl Sender {
    /// Asks once, and says whether that did what it was to do, and what is told of it.
    pub async fn ask(self, url: &str) -> (bool, String) {
        install_tls();
        let limits = Limits { request_timeout: Duration::from_secs(5), ..Limits::default() };
        match self {
            Sender::Probe => {
                let prober = Prober::new(&limits).expect("a client");
                let answer = prober.probe(&profile(url), &Key::parse(SECRET).expect("a key")).await;
                (answer.verdict == Verdict::Alive, answer.why)
            }
            Sender::Reading => {
                let read = store(url, token(), &limits).read(None, "vendors/leaf7/main").await;
                (matches!(read, keyrelay::store::Read::Present(_)), format!("{read:?}"))
            }
            Sender::Writing => {
                let fields = Fields::from_json(json!({"api_key": SECRET})).expect("fields");
                let written =
                    store(url, token(), &limits).write(None, "vendors/leaf7/main", &fields, 0).await;
                let is_written = matches!(written, keyrelay::domain::WriteOutcome::Written { .. });
                (is_written, format!("{written:?}"))
            }
            Sender::Login => {
                let secret_id = LiveSecret::fixed(Secret::new(SECRET));
                let auth =
                    vault::Auth::AppRole { role_id: "role".into(), secret_id, mount: "approle".into() };
                let read = store(url, auth, &limits).read(None, "vendors/leaf7/main").await;
                (matches!(read, keyrelay::store::Read::Present(_)), format!("{read:?}"))
            }
            Sender::Webhook => {
                let url = Secret::new(&format!("{url}/hooks/{SECRET}"));
                let posted = Web::new("alerts.webhook", &url, &limits).post("1.0", "{}".into()).await;
                (posted == PostOutcome::Taken, format!("{posted:?}"))
            }
            Sender::Heartbeat => {
                let url = Secret::new(&format!("{url}/beats/{SECRET}"));
                let beat = Web::new("alerts.heartbeat", &url, &limits).get().await;
                (beat.is_ok(), format!("{beat:?}"))
            }
            Sender::Proof => {
                let bearer = Secret::new(SECRET);
                let urls = [format!("{url}/keyrelay")];
                let http = Http { urls: &urls, instances: None, ca_cert: None, bearer: Some(&bearer) };
                let question = Question {
                    credential: &"main".parse().expect("a name"),
                    consumer: &"shop".parse().expect("a name"),
                    key: &Key::parse(SECRET).expect("a key"),
                    others: &[],
                    now: SystemTime::now().into(),
                };
                let proof = Prover::new(&limits).http(&http, &question).await;
                (matches!(proof, ProofOutcome::Proven { .. }), format!("{proof:?}"))
            }
        }
    }
}

fn token() -> vault::Auth {
    vault::Auth::Token(LiveSecret::fixed(Secret::new(SECRET)))
}

fn store(url: &str, auth: vault::Auth, limits: &Limits) -> Store {
    let settings = vault::Settings {
        nodes: vec![url.into()],
        namespace: String::new(),
        ca_cert: None,
        mount: "secret".into(),
        auth,
    };
    Store::open(&Settings::Vault(settings), limits).expect("a store")
}

fn profile(base_url: &str) -> Profile {
    let mut profiles = resolve(&BTreeMap::new()).expect("the built-in profiles");
    let profile = profiles.remove(&"leaf7".parse().expect("a name")).expect("leaf7's");
    Profile { base_url: base_url.into(), ..profile }
}
