//! The vendors that it can be, and what sets them apart before any request: their keys, their limits, and the words in
//! which they refuse. Where a vendor's documentation is silent, what is chosen here says so.

use crate::domain::Key;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Rotates by itself, with a grace period.
    Leaf7,
    /// An operator makes keys in a dashboard; the only endpoint writes.
    LeafPad,
    /// An operator makes keys in a dashboard; revoking takes effect at once.
    Leadey,
    /// Rotates on a call, whose answer is the only copy; the old key dies in the same instant.
    Legba,
    /// No real vendor: rotates on a call with a grace period that the caller names (`example.rs`).
    Example,
}

/// By what requests are counted, and what their window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counting {
    /// Each key by itself; else all together.
    pub per_key: bool,
    /// Each request is forgotten when it is as old as the window; else all at once, when the window ends.
    pub rolling: bool,
    /// Whether a 429 says in `Retry-After` when to come back.
    pub tells: bool,
}

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

impl Kind {
    pub const ALL: [Self; 5] = [Self::Leaf7, Self::LeafPad, Self::Leadey, Self::Legba, Self::Example];

    /// What each key begins with, and how many letters and digits follow. Only Leadey's is documented; Legba's
    /// documentation shows one key with this beginning.
    pub(super) fn key_form(self) -> (&'static str, usize) {
        match self {
            Self::Leaf7 => ("l7_", 40),
            Self::LeafPad => ("lp_", 40),
            Self::Leadey => ("leadey_sk_live_", 32),
            Self::Legba => ("legba_", 40),
            Self::Example => ("exk_", 32),
        }
    }

    /// As documented; Legba documents none.
    pub(super) fn limit(self) -> Option<(u32, Duration)> {
        match self {
            Self::Leaf7 => Some((60, MINUTE)),
            Self::LeafPad => Some((2_000, DAY)),
            Self::Leadey => Some((120, MINUTE)),
            Self::Legba => None,
            Self::Example => Some((100, MINUTE)),
        }
    }

    pub(super) fn counting(self) -> Counting {
        match self {
            Self::Leaf7 => Counting { per_key: false, rolling: false, tells: false },
            Self::LeafPad => Counting { per_key: true, rolling: false, tells: false },
            Self::Leadey | Self::Example => Counting { per_key: true, rolling: true, tells: true },
            Self::Legba => Counting { per_key: true, rolling: false, tells: false },
        }
    }

    /// The key of a request, where this vendor looks for it. In any other place it is no key.
    pub(super) fn key(self, headers: &HeaderMap) -> Option<Key> {
        let text = match self {
            Self::LeafPad => headers.get("x-api-key")?.to_str().ok()?,
            Self::Leaf7 | Self::Leadey | Self::Legba | Self::Example => {
                headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?
            }
        };
        Key::parse(text).ok()
    }

    /// What a missing or a dead key gets.
    pub(super) fn refusal(self, had_key: bool) -> Response {
        match self {
            // The documentation says "401 or 403".
            Self::Leaf7 if had_key => self.error(StatusCode::UNAUTHORIZED, "Not authenticated"),
            Self::Leaf7 => self.error(StatusCode::FORBIDDEN, "Not authenticated"),
            Self::LeafPad => self.error(StatusCode::UNAUTHORIZED, "Invalid API key"),
            Self::Leadey => self.error(StatusCode::UNAUTHORIZED, "Invalid or revoked API key."),
            Self::Legba => self.error(StatusCode::UNAUTHORIZED, "Invalid or missing API key"),
            Self::Example => self.error(StatusCode::UNAUTHORIZED, "This key is unknown, expired or revoked."),
        }
    }

    /// An error in the vendor's own form. LeafPad's is not documented.
    pub(super) fn error(self, status: StatusCode, text: &str) -> Response {
        let reason = status.canonical_reason().unwrap_or_default().replace(' ', "_");
        let body = match self {
            Self::Leaf7 => json!({"detail": text}),
            Self::LeafPad => json!({"error": text}),
            Self::Leadey => json!({"error": {"message": text, "details": null}}),
            Self::Legba => json!({"error": {"code": reason.to_uppercase(), "message": text}}),
            Self::Example => json!({"code": reason.to_lowercase(), "message": text}),
        };
        (status, axum::Json(body)).into_response()
    }
}

/// Somebody's web page in the vendor's place.
pub(super) fn page(status: StatusCode, title: &str) -> Response {
    let body = format!("<!doctype html><html><head><title>{title}</title></head><body>{title}</body></html>");
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}
