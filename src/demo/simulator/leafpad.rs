//! LeafPad's only documented endpoint: `POST /api/public/v1/knowledge-base`, which writes. What it answers is not
//! documented; what is chosen: 201 with the document's id, and [`UnfitBody`] for a body without a document. An account
//! here is one user in one organization: a key of another user is another account's.

use super::front::{Answer, Call, Refusal};
use super::{Shared, State, faults::UnfitBody};
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;

/// A file's, as documented.
const BYTES_MAX: usize = 20 << 20;
const UNFIT: &str = "Either text or file is required";

pub(super) fn router() -> Router<Arc<Shared>> {
    let route = post(knowledge_base).layer(DefaultBodyLimit::max(2 * BYTES_MAX));
    Router::new().route("/api/public/v1/knowledge-base", route)
}

async fn knowledge_base(call: Call, headers: HeaderMap, body: Bytes) -> Response {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let body = read(content_type, &body);
    call.answer(|state, _, _| state.write_document(body)).await
}

enum Body {
    Document,
    TooLarge,
    Unfit,
}

fn read(content_type: &str, body: &[u8]) -> Body {
    let is_document = match content_type.split(';').next().unwrap_or_default().trim() {
        "application/json" => {
            let body: Option<Value> = serde_json::from_slice(body).ok();
            let text = body.as_ref().and_then(|body| body["text"].as_str());
            text.is_some_and(|text| !text.is_empty())
        }
        "multipart/form-data" => {
            let name = b"name=\"file\"";
            body.windows(name.len()).any(|part| part == name)
        }
        _ => false,
    };
    match (is_document, body.len() > BYTES_MAX) {
        (true, true) => Body::TooLarge,
        (true, false) => Body::Document,
        (false, _) => Body::Unfit,
    }
}

impl State {
    fn write_document(&mut self, body: Body) -> Answer {
        let (status, text) = match (body, self.faults.unfit_body) {
            (Body::Document, _) => return self.written(StatusCode::CREATED),
            (Body::Unfit, UnfitBody::Written) => return self.written(StatusCode::OK),
            (Body::TooLarge, _) => (StatusCode::PAYLOAD_TOO_LARGE, "The file is larger than 20 MB"),
            (Body::Unfit, UnfitBody::Unprocessable) => (StatusCode::UNPROCESSABLE_ENTITY, UNFIT),
            (Body::Unfit, UnfitBody::BadRequest) => (StatusCode::BAD_REQUEST, UNFIT),
            (Body::Unfit, UnfitBody::UnsupportedMediaType) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, UNFIT),
        };
        self.refuse(Refusal::Denied(status, text), true)
    }

    fn written(&mut self, status: StatusCode) -> Answer {
        self.documents += 1;
        Answer::welcome((status, Json(json!({"id": format!("doc_{}", self.documents)}))))
    }
}
