//! Legba's API below `/orgs/{org_uuid}/api/`: `GET key`, `GET instances`, `POST key/rotate`. What another
//! organization's uuid in the URL gets is not documented; here it is 404, which tells a stranger nothing. What
//! `instances` looks like is not documented either.

use super::front::{Answer, Call, Guest, Refusal};
use super::{Shared, State};
use crate::domain::{Key, Timestamp};
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/orgs/{org_uuid}/api/key", get(key))
        .route("/orgs/{org_uuid}/api/instances", get(instances))
        .route("/orgs/{org_uuid}/api/key/rotate", post(rotate))
}

async fn key(Path(org): Path<String>, call: Call) -> Response {
    let shown = call.key.clone();
    call.answer(|state, guest, _| match state.member(guest, &org) {
        Ok(()) => Answer::welcome(Json(state.about(shown.as_ref()))),
        Err(refusal) => state.refuse(refusal, true),
    })
    .await
}

async fn instances(Path(org): Path<String>, call: Call) -> Response {
    call.answer(|state, guest, _| match state.member(guest, &org) {
        Ok(()) => {
            let instance = |n| json!({"id": format!("{org}-{n}"), "name": format!("instance {n}")});
            Answer::welcome(Json(json!({"instances": [instance(1), instance(2)]})))
        }
        Err(refusal) => state.refuse(refusal, true),
    })
    .await
}

/// In the documented order.
#[derive(Serialize)]
struct Rotated<'a> {
    key: &'a str,
    key_id: String,
    created_at: Timestamp,
}

async fn rotate(Path(org): Path<String>, call: Call) -> Response {
    call.rotate(move |state, guest, old, now| {
        state.member(guest, &org)?;
        let new = state.rotate_key(old, Duration::ZERO, now);
        let key_id = state.key_id(&new);
        let rotated = Rotated { key: new.expose(), key_id, created_at: now.whole_secs() };
        Ok(serde_json::to_string(&rotated).unwrap_or_default())
    })
    .await
}

impl State {
    /// Whether the organization in the URL is the guest's.
    fn member(&self, guest: Guest, org: &str) -> Result<(), Refusal> {
        match guest {
            Guest::Customer(id) if self.organization(id) == org => Ok(()),
            Guest::Customer(_) => Err(Refusal::Denied(StatusCode::NOT_FOUND, "Organization not found")),
            Guest::Stranger => Ok(()),
        }
    }

    fn about(&self, key: Option<&Key>) -> serde_json::Value {
        let Some(issued) = key.and_then(|key| self.accounts.issued(key)) else { return json!({}) };
        json!({
            "key_id": issued.key_id(), "name": "Production API Key",
            "created_at": issued.created_at, "last_used_at": issued.last_used_at,
            "scopes": ["instances:read", "instances:write"],
        })
    }
}
