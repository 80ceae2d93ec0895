//! An HTTP proxy on loopback before one server: answers come late, or are lost after the request was done.

use super::{install_tls, moment, until};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use keyrelay::demo::serve::{Cutter, Server};
use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::watch;

/// Larger than any document.
const BODY_MAX: usize = 1 << 20;

/// Where a write is held up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// The server has not seen it yet; let go, it is done.
    Request,
    /// It is done; let go, its answer is lost.
    Answer,
}

/// A handle; the proxy is gone when it is dropped.
pub struct Proxy {
    server: Server,
    wire: Arc<Wire>,
}

struct Wire {
    target: String,
    client: reqwest::Client,
    before_ms: AtomicU64,
    after_ms: AtomicU64,
    /// Writes to a path that ends so are held up.
    held: Mutex<Option<(String, Hold)>>,
    waiting: AtomicUsize,
    let_go: watch::Sender<bool>,
    /// What each request says besides.
    says: Mutex<HeaderMap>,
}

impl Proxy {
    /// `target` is `http://host:port` or, with its authority's certificate, `https://…`.
    pub async fn to(target: &str, ca_pem: Option<&str>) -> Self {
        install_tls();
        let mut client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        if let Some(pem) = ca_pem {
            let trusted = reqwest::Certificate::from_pem(pem.as_bytes()).expect("a certificate");
            client = client.tls_certs_only([trusted]);
        }
        let client = client.build().expect("a client");
        let wire = Arc::new(Wire {
            target: target.trim_end_matches('/').into(),
            client,
            before_ms: AtomicU64::new(0),
            after_ms: AtomicU64::new(0),
            held: Mutex::new(None),
            waiting: AtomicUsize::new(0),
            let_go: watch::Sender::new(false),
            says: Mutex::default(),
        });
        let theirs = wire.clone();
        let router = Router::new().fallback(
            move |ConnectInfo(cutter): ConnectInfo<Cutter>, request: Request| async move {
                theirs.pass(cutter, request).await
            },
        );
        Self { server: Server::start(router).await.expect("a free port"), wire }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.server.addr)
    }

    /// From now on each request has this header.
    pub fn say(&self, name: &'static str, value: &'static str) {
        let mut says = self.wire.says.lock().expect("a lock that nobody panics with");
        says.insert(name, HeaderValue::from_static(value));
    }

    /// From now on each request waits so long before it is done, and each answer after.
    pub fn slow(&self, before: Duration, after: Duration) {
        let millis = |length: Duration| u64::try_from(length.as_millis()).expect("a short time");
        self.wire.before_ms.store(millis(before), SeqCst);
        self.wire.after_ms.store(millis(after), SeqCst);
    }
    pub fn fast(&self) {
        self.slow(Duration::ZERO, Duration::ZERO);
    }

    /// From now on writes to this path are held up, until [`Proxy::let_go`].
    pub fn hold(&self, path: &str, hold: Hold) {
        self.wire.let_go.send_replace(false);
        self.wire.waiting.store(0, SeqCst);
        *self.wire.held() = Some((path.to_owned(), hold));
    }
    /// Waits until a write is held up.
    pub async fn holds(&self) {
        until("a write is held up", async || (self.wire.waiting.load(SeqCst) > 0).then_some(())).await;
    }
    /// What is held up goes on, and later writes pass.
    pub fn let_go(&self) {
        *self.wire.held() = None;
        self.wire.let_go.send_replace(true);
    }
}

impl Wire {
    async fn pass(&self, cutter: Cutter, request: Request) -> Response {
        let (head, body) = request.into_parts();
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        let is_write = !matches!(head.method.as_str(), "GET" | "LIST" | "HEAD");
        let Ok(body) = to_bytes(body, BODY_MAX).await else {
            return lost(&cutter);
        };
        if is_write {
            self.holds_up(&path, Hold::Request).await;
        }
        moment(Duration::from_millis(self.before_ms.load(SeqCst))).await;
        let url = format!("{}{path}", self.target);
        let mut headers = end_to_end(&head.headers);
        headers.extend(self.says.lock().expect("a lock that nobody panics with").clone());
        let sent = self.client.request(head.method, url).headers(headers).body(body);
        let Ok(answer) = sent.send().await else {
            return lost(&cutter);
        };
        let (status, headers) = (answer.status(), end_to_end(answer.headers()));
        let Ok(bytes) = answer.bytes().await else {
            return lost(&cutter);
        };
        if is_write && self.holds_up(&path, Hold::Answer).await {
            return lost(&cutter);
        }
        moment(Duration::from_millis(self.after_ms.load(SeqCst))).await;
        (status, headers, Body::from(bytes)).into_response()
    }

    /// Whether it was held up; returns when it was let go.
    async fn holds_up(&self, path: &str, here: Hold) -> bool {
        let held = self.held().as_ref().is_some_and(|(ending, hold)| path.ends_with(ending) && *hold == here);
        if held {
            self.waiting.fetch_add(1, SeqCst);
            // The sender lives as long as this: there is no error.
            let _ = self.let_go.subscribe().wait_for(|let_go| *let_go).await;
        }
        held
    }
    fn held(&self) -> MutexGuard<'_, Option<(String, Hold)>> {
        self.held.lock().expect("a lock that nobody panics with")
    }
}

/// No answer: the connection ends.
fn lost(cutter: &Cutter) -> Response {
    cutter.cut();
    StatusCode::BAD_GATEWAY.into_response()
}

/// Without what belongs to one connection (RFC 9110 §7.6.1).
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for name in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
        headers.remove(name);
    }
    headers
}
