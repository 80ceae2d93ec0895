//! The HTTP face, on loopback or a Unix socket: the page, status, metrics, health, readiness, and consumers' hints. It
//! changes nothing: a hint leads to one probe at most a minute.

mod headers;
mod listeners;
mod page;

pub use listeners::Face;

use super::inbox::{FaceAsks, Message};
use crate::{
    domain::{CredentialName, Fingerprint},
    face::metrics::{self, Counted},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Path, State},
    http::{HeaderMap, StatusCode, header},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use listeners::Caller;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{mpsc, oneshot, watch};

/// A hint is a few bytes; nothing else has a body.
const BODY_BYTES_MAX: usize = 4096;

type Inbox = mpsc::Sender<Message>;

/// What every answer is made of.
#[derive(Clone)]
struct Source {
    inbox: Inbox,
    counted: Counted,
    pages: page::Pages,
    /// Ends with the listener.
    gone: watch::Receiver<()>,
}

fn router(source: Source) -> Router {
    Router::new()
        .route("/", get(page::page))
        .route("/events", get(page::events))
        .route("/metrics", get(scrape))
        .route("/api/v1/status", get(status))
        .route("/healthz", get(health))
        .route("/readyz", get(ready))
        .route("/api/v1/credentials/{name}/unauthorized", post(unauthorized))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(map_response(headers::guard))
        .with_state(source)
}

async fn scrape(State(source): State<Source>) -> Response {
    match ask(&source.inbox, FaceAsks::Status).await {
        Some(status) => {
            let counted = source.counted.clone();
            // A large fleet's text takes long enough to hold up the loop.
            match tokio::task::spawn_blocking(move || metrics::exposition(&status, &counted)).await {
                Ok(text) => ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
async fn status(State(source): State<Source>) -> Response {
    match ask(&source.inbox, FaceAsks::Status).await {
        Some(status) => Json(status).into_response(),
        None => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
/// The process lives, and its loop turns.
async fn health(State(source): State<Source>) -> Response {
    readiness(ask(&source.inbox, FaceAsks::Failing).await.map(|_| Vec::new()))
}
async fn ready(State(source): State<Source>) -> Response {
    readiness(ask(&source.inbox, FaceAsks::Failing).await)
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
    State(source): State<Source>,
    ConnectInfo(Caller(uid)): ConnectInfo<Caller>,
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
    match ask(&source.inbox, |answer| FaceAsks::Hint { name, fingerprint, uid, answer }).await {
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
