//! The documented API over HTTP: `GET /api/vendor/projects/`, its refusals and its rate limit; and the faults.

use super::State;
use super::faults::Mode;
use crate::demo::serve::Cutter;
use crate::domain::{Key, Timestamp};
use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use std::sync::{Arc, PoisonError};
use std::time::SystemTime;

pub(super) const PROJECTS: &str = "/api/vendor/projects/";
const WITHOUT_SLASH: &str = "/api/vendor/projects";

/// What came of a request, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// 200 with the list of projects.
    Welcomed,
    /// 401 or 403 with `Not authenticated`.
    Refused,
    /// 429.
    Limited,
    /// 307 to the path with its slash.
    Redirected,
    /// Done, and the connection reset before the answer.
    Lost,
    /// Whatever else a fault made of it.
    Failed,
}

pub(super) fn router(state: Arc<super::Shared>) -> Router {
    let (one, other) = (state.clone(), state.clone());
    Router::new()
        .route(PROJECTS, get(move |cutter, headers| projects(one, cutter, headers)))
        .route(WITHOUT_SLASH, get(move |headers| async move { redirect(&other, &headers) }))
        .fallback(move || async { detail(StatusCode::NOT_FOUND, "Not Found") })
}

async fn projects(
    shared: Arc<super::Shared>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    headers: HeaderMap,
) -> Response {
    let (outcome, response, silent) = {
        let mut state = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = bearer(&headers);
        let (outcome, response) = state.answer(key.as_ref(), Timestamp::from(SystemTime::now()));
        state.count(key.as_ref(), outcome);
        (outcome, response, state.faults.mode == Mode::Silent)
    };
    if silent {
        std::future::pending::<()>().await;
    }
    if outcome == Outcome::Lost {
        cutter.cut();
    }
    response
}

fn redirect(shared: &super::Shared, headers: &HeaderMap) -> Response {
    let mut state = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
    state.count(bearer(headers).as_ref(), Outcome::Redirected);
    (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, PROJECTS)]).into_response()
}

impl State {
    fn answer(&mut self, key: Option<&Key>, now: Timestamp) -> (Outcome, Response) {
        if let Some(response) = self.in_front() {
            return (Outcome::Failed, response);
        }
        if self.over_limit(now) || self.dice.percent(self.faults.limited_percent) {
            let response = detail(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded");
            return (Outcome::Limited, self.with_retry_after(response));
        }
        if self.dice.percent(self.faults.failing_percent) {
            return (Outcome::Failed, self.failure());
        }
        let (outcome, response) = self.truth(key, now);
        if self.dice.percent(self.faults.reset_percent) {
            (Outcome::Lost, response)
        } else {
            (outcome, response)
        }
    }

    /// What answers in the vendor's place, and counts against no limit.
    fn in_front(&self) -> Option<Response> {
        match self.faults.mode {
            Mode::WebPage => Some(page(StatusCode::OK, "Leaf7: scheduled maintenance")),
            Mode::CaptivePortal => {
                let target = [(LOCATION, "http://portal.example/login")];
                Some((target, page(StatusCode::FOUND, "Log in to the network")).into_response())
            }
            Mode::DiscordNotLinked => {
                let text = "Discord account must be linked before you can generate buyer keys.";
                Some(detail(StatusCode::FORBIDDEN, text))
            }
            Mode::Unavailable => {
                let response = detail(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable");
                Some(self.with_retry_after(response))
            }
            Mode::Silent => Some(StatusCode::OK.into_response()),
            Mode::Truthful | Mode::Flapping | Mode::EverybodyAlive | Mode::EverybodyDead => None,
        }
    }

    fn truth(&mut self, key: Option<&Key>, now: Timestamp) -> (Outcome, Response) {
        self.answered += 1;
        let owner = key.and_then(|key| self.accounts.owner(key, now));
        let refused = match self.faults.mode {
            Mode::Flapping => self.answered.is_multiple_of(3),
            Mode::EverybodyDead => true,
            Mode::Truthful | Mode::EverybodyAlive => false,
            Mode::WebPage
            | Mode::CaptivePortal
            | Mode::DiscordNotLinked
            | Mode::Unavailable
            | Mode::Silent => false,
        };
        match (owner, key) {
            (Some(id), _) if !refused => {
                (Outcome::Welcomed, axum::Json(self.accounts.projects(id)).into_response())
            }
            (None, _) if self.faults.mode == Mode::EverybodyAlive => {
                (Outcome::Welcomed, axum::Json(json!([])).into_response())
            }
            (_, Some(_)) => (Outcome::Refused, detail(StatusCode::UNAUTHORIZED, "Not authenticated")),
            (_, None) => (Outcome::Refused, detail(StatusCode::FORBIDDEN, "Not authenticated")),
        }
    }

    /// A fixed window, counted over everybody.
    fn over_limit(&mut self, now: Timestamp) -> bool {
        let Some((requests, per)) = self.limit else { return false };
        if now.since(self.window_began) >= per {
            (self.window_began, self.in_window) = (now, 0);
        }
        self.in_window += 1;
        self.in_window > requests
    }

    fn failure(&mut self) -> Response {
        match self.dice.next() % 3 {
            0 => page(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            1 => page(StatusCode::BAD_GATEWAY, "Bad Gateway"),
            _ => self.with_retry_after(detail(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable")),
        }
    }

    fn with_retry_after(&self, mut response: Response) -> Response {
        if let Some(value) =
            self.faults.retry_after.as_deref().and_then(|text| HeaderValue::from_str(text).ok())
        {
            response.headers_mut().insert(RETRY_AFTER, value);
        }
        response
    }
}

fn bearer(headers: &HeaderMap) -> Option<Key> {
    let text = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
    Key::parse(text).ok()
}

fn detail(status: StatusCode, text: &str) -> Response {
    (status, axum::Json(json!({"detail": text}))).into_response()
}

fn page(status: StatusCode, title: &str) -> Response {
    let body = format!("<!doctype html><html><head><title>{title}</title></head><body>{title}</body></html>");
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}
