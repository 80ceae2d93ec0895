//! The HTTP face, on loopback or a Unix socket: status, health, readiness, and consumers' hints. It changes nothing:
//! a hint leads to one probe at most a minute.

use super::inbox::{FaceAsks, Message};
use crate::{
    config::Listen,
    domain::{CredentialName, Fingerprint},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;
use std::{fs, io};
use tokio::{
    net::{TcpListener, UnixListener},
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// A hint is a few bytes; nothing else has a body.
const BODY_BYTES_MAX: usize = 4096;

/// Open listeners; they end when this is dropped.
pub struct Face {
    serving: Vec<JoinHandle<()>>,
}
impl Drop for Face {
    fn drop(&mut self) {
        self.serving.iter().for_each(JoinHandle::abort);
    }
}

type Inbox = mpsc::Sender<Message>;

impl Face {
    /// The error says which address is in use, and what to do.
    pub async fn open(listen: &[Listen], inbox: &Inbox) -> Result<Self, String> {
        let mut face = Self { serving: Vec::new() };
        for listen in listen {
            let serving = match listen {
                Listen::Tcp(address) => {
                    let listener = TcpListener::bind(address)
                        .await
                        .map_err(|error| in_use(&address.to_string(), &error))?;
                    let router = router(inbox).layer(middleware::from_fn(only_loopback_names));
                    spawn(async move { axum::serve(listener, router).await })
                }
                Listen::Unix(path) => {
                    let _ = fs::remove_file(path); // what a killed daemon left
                    let listener = UnixListener::bind(path)
                        .map_err(|error| in_use(&path.display().to_string(), &error))?;
                    let router = router(inbox);
                    spawn(async move { axum::serve(listener, router).await })
                }
            };
            face.serving.push(serving);
        }
        Ok(face)
    }
}
fn in_use(address: &str, error: &io::Error) -> String {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; name another one (listen: in the configuration), or turn it off (listen: off)"
        }
        _ => "",
    };
    format!("cannot listen on {address}: {error}{advice}")
}
fn spawn(serve: impl Future<Output = io::Result<()>> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(async move {
        if let Err(error) = serve.await {
            tracing::error!("the HTTP face has failed: {error}");
        }
    })
}

fn router(inbox: &Inbox) -> Router {
    Router::new()
        .route("/api/v1/status", get(status))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/api/v1/credentials/{name}/unauthorized", post(unauthorized))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(inbox.clone())
}

/// A page in a browser must not reach this by another name for loopback.
async fn only_loopback_names(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let loopback = name.eq_ignore_ascii_case("localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if loopback { next.run(request).await } else { StatusCode::MISDIRECTED_REQUEST.into_response() }
}

async fn status(State(inbox): State<Inbox>) -> Response {
    match ask(&inbox, FaceAsks::Status).await {
        Some(status) => Json(status).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
/// The process lives, and its loop turns.
async fn health(State(inbox): State<Inbox>) -> Response {
    readiness(ask(&inbox, FaceAsks::Failing).await.map(|_| Vec::new()))
}
async fn ready(State(inbox): State<Inbox>) -> Response {
    readiness(ask(&inbox, FaceAsks::Failing).await)
}
fn readiness(failing: Option<Vec<String>>) -> Response {
    let failing = failing.unwrap_or_else(|| vec!["the loop".into()]);
    let code = if failing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(json!({"ready": failing.is_empty(), "failing": failing}))).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hint {
    fingerprint: Option<Fingerprint>,
}

async fn unauthorized(
    State(inbox): State<Inbox>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next().map(str::trim) != Some("application/json") {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    let Ok(name) = name.parse::<CredentialName>() else { return StatusCode::NOT_FOUND.into_response() };
    let Ok(Hint { fingerprint }) = serde_json::from_slice(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    match ask(&inbox, |answer| FaceAsks::Hint { name, fingerprint, answer }).await {
        Some(Some(current)) => (StatusCode::ACCEPTED, Json(json!({"current": current}))).into_response(),
        Some(None) => StatusCode::NOT_FOUND.into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn ask<T>(inbox: &Inbox, question: impl FnOnce(oneshot::Sender<T>) -> FaceAsks) -> Option<T> {
    let (answer, answered) = oneshot::channel();
    inbox.send(Message::Face(question(answer))).await.ok()?;
    answered.await.ok()
}
