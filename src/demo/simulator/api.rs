//! Leaf7's documented API: `GET /api/vendor/projects/`.

use super::Shared;
use super::front::{Answer, Call, Guest, Outcome};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;

const PROJECTS: &str = "/api/vendor/projects/";
const WITHOUT_SLASH: &str = "/api/vendor/projects";

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route(PROJECTS, get(projects))
        .route(WITHOUT_SLASH, get(redirect))
        .merge(super::leaf7_keys::router())
}

/// Each project's id and name.
async fn projects(call: Call) -> Response {
    call.answer(|state, guest, _| {
        let Guest::Customer(id) = guest else { return Answer::welcome(Json(json!([]))) };
        let name = state.accounts.name(id);
        let ids = state.accounts.ids(id).iter().zip(1..);
        let projects = ids.map(|(id, n)| json!({"project_id": id, "name": format!("{name} {n}")}));
        Answer::welcome(Json(projects.collect::<Value>()))
    })
    .await
}

async fn redirect(call: Call) -> Response {
    call.aside(Outcome::Redirected, (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, PROJECTS)]))
}
