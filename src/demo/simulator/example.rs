//! A vendor as many are, for the example of docs/vendors.md. It documents:
//!
//! - `Authorization: Bearer exk_…`; errors are `{"code": "not_found", "message": "…"}` with the status's reason as
//!   code; 100 requests a minute per key, rolling, then 429 with `Retry-After` in seconds.
//! - `GET /v2/account` → `{"account": {"id": "acc_…", "name": "…"}, "key": {"id": "key_…", "expires_at": null}}`.
//! - `POST /v2/key/rotate` with `{"grace_period": "24h"}`, one of `now`, `1h`, `24h`, `7d` → 200 `{"key": {"id": "key_…",
//!   "secret": "exk_…", "created_at": "…Z"}, "previous": {"id": "key_…", "expires_at": "…Z"}}`. The secret is told once;
//!   the key that asked works until `previous.expires_at`. Another word is 400. While a key of the account is in its
//!   grace period, none of the account's keys is rotated: 409.

use super::front::{Answer, Call, Guest, Refusal};
use super::{Shared, State};
use crate::domain::{Key, Timestamp};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router, body::Bytes};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The words, and how many hours each is.
const GRACE: [(&str, u64); 4] = [("now", 0), ("1h", 1), ("24h", 24), ("7d", 168)];

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new().route("/v2/account", get(account)).route("/v2/key/rotate", post(rotate))
}

async fn account(call: Call) -> Response {
    let shown = call.key.clone();
    call.answer(|state, guest, _| {
        let (id, name) = match guest {
            Guest::Customer(id) => (state.organization(id), state.accounts.name(id).to_owned()),
            Guest::Stranger => ("acc_0".into(), "Somebody".into()),
        };
        let issued = shown.and_then(|key| state.accounts.issued(&key));
        let key = issued.map(|issued| json!({"id": issued.key_id(), "expires_at": issued.expires_at}));
        Answer::welcome(Json(json!({"account": {"id": id, "name": name}, "key": key})))
    })
    .await
}

async fn rotate(call: Call, body: Bytes) -> Response {
    let word: Option<Value> = serde_json::from_slice(&body).ok();
    call.rotate(move |state, guest, old, now| {
        let word = word.as_ref().and_then(|body| body["grace_period"].as_str());
        let grace = GRACE.iter().find(|(known, _)| Some(*known) == word);
        match (grace, guest) {
            (Some((_, hours)), Guest::Customer(id)) if !state.accounts.is_in_rotation(id, now) => {
                Ok(state.rotated(old, Duration::from_secs(hours * 3_600), now))
            }
            (Some(_), Guest::Customer(_)) => {
                Err(Refusal::Denied(StatusCode::CONFLICT, "A key of this account is in its grace period."))
            }
            (None, _) => Err(Refusal::Denied(StatusCode::BAD_REQUEST, "grace_period is now, 1h, 24h or 7d.")),
            (Some(_), Guest::Stranger) => Err(Refusal::BadKey),
        }
    })
    .await
}

impl State {
    fn rotated(&mut self, old: &Key, grace: Duration, now: Timestamp) -> String {
        let new = self.rotate_key(old, grace, now);
        json!({
            "key": {"id": self.key_id(&new), "secret": new.expose(), "created_at": now},
            "previous": {"id": self.key_id(old), "expires_at": now + grace},
        })
        .to_string()
    }
}
