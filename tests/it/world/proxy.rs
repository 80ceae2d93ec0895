//! An HTTP proxy on loopback before one server: answers come late, or are lost after the request was done.

use super::{install_tls, moment, until};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use keyrelay::demo::serve::{Cutter, Server};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::sync::watch;

/// Larger than any document.
const BODY_MAX: usize = 1 << 20;

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
    /// Writes to a path that ends so are done, and their answers kept back.
    kept_back: Mutex<Option<String>>,
    waiting: AtomicUsize,
    /// Which was let go: answers that wait are lost then.
    lost: watch::Sender<bool>,
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
            kept_back: Mutex::new(None),
            waiting: AtomicUsize::new(0),
            lost: watch::Sender::new(false),
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

    /// From now on each request waits so long before it is done, and each answer after.
    pub fn slow(&self, before: Duration, after: Duration) {
        let millis = |length: Duration| u64::try_from(length.as_millis()).expect("a short time");
        self.wire.before_ms.store(millis(before), SeqCst);
        self.wire.after_ms.store(millis(after), SeqCst);
    }
    pub fn fast(&self) {
        self.slow(Duration::ZERO, Duration::ZERO);
    }

    /// The next write to this path is done, and its answer does not come until [`Proxy::lose`].
    pub fn keep_back(&self, path: &str) {
        self.wire.lost.send_replace(false);
        *self.wire.kept_back.lock().expect("a lock that nobody panics with") = Some(path.to_owned());
    }
    /// Waits until a write was done whose answer is kept back.
    pub async fn kept(&self) {
        until("a write whose answer is kept back", async || {
            (self.wire.waiting.load(SeqCst) > 0).then_some(())
        })
        .await;
    }
    /// Cuts the connections whose answers were kept back; later ones are answered.
    pub fn lose(&self) {
        *self.wire.kept_back.lock().expect("a lock that nobody panics with") = None;
        self.wire.lost.send_replace(true);
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
        moment(Duration::from_millis(self.before_ms.load(SeqCst))).await;
        let url = format!("{}{path}", self.target);
        let sent = self.client.request(head.method, url).headers(end_to_end(&head.headers)).body(body);
        let Ok(answer) = sent.send().await else {
            return lost(&cutter);
        };
        let (status, headers) = (answer.status(), end_to_end(answer.headers()));
        let Ok(bytes) = answer.bytes().await else {
            return lost(&cutter);
        };
        if is_write && self.keeps_back(&path) {
            self.waiting.fetch_add(1, SeqCst);
            // The sender lives as long as this: there is no error.
            let _ = self.lost.subscribe().wait_for(|lost| *lost).await;
            self.waiting.fetch_sub(1, SeqCst);
            return lost(&cutter);
        }
        moment(Duration::from_millis(self.after_ms.load(SeqCst))).await;
        (status, headers, Body::from(bytes)).into_response()
    }

    fn keeps_back(&self, path: &str) -> bool {
        let kept = self.kept_back.lock().expect("a lock that nobody panics with");
        kept.as_ref().is_some_and(|ending| path.ends_with(ending.as_str()))
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
