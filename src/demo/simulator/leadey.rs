//! Leadey's connectivity check: `GET /v1/me`.

use super::Shared;
use super::front::{Answer, Call, Guest};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::sync::Arc;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/v1/me", get(me))
}

async fn me(call: Call) -> Response {
    call.answer(|state, guest, _| {
        let (id, name) = match guest {
            Guest::Customer(id) => (state.organization(id), state.accounts.name(id).to_owned()),
            Guest::Stranger => ("org_0".into(), "Somebody".into()),
        };
        Answer::welcome(Json(json!({"data": {
            "id": id, "name": name, "plan": "growth", "planStatus": "active",
            "credits": {"balance": 2840, "included": 10000, "used": 7160},
            "createdAt": "2026-01-04T10:30:00.000Z",
        }})))
    })
    .await
}
