//! What every request meets at every vendor before and after the vendor's own answer: whatever stands in front, the
//! limit, the noise, the check of the key, and what becomes of the answer on its way back.

use super::faults::Mode;
use super::kind::page;
use super::{AccountId, Shared, State, now};
use crate::demo::serve::Cutter;
use crate::domain::{Key, Timestamp};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use std::time::Duration;

/// What came of a request, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Done as asked, for a live key.
    Welcomed,
    /// A missing or a dead key.
    Refused,
    /// The key is good, and what it asks for is refused: 400, 402, 403, 404, 409, 413, 415, 422.
    Denied,
    /// 429.
    Limited,
    /// 307 to the path with its slash.
    Redirected,
    /// The connection was reset before the answer was through.
    Lost,
    /// Whatever else a fault made of it.
    Failed,
}

/// A request that has come in, with the key that it shows.
pub(super) struct Call {
    pub shared: Arc<Shared>,
    pub key: Option<Key>,
    cutter: Cutter,
}

/// Whose request it is. Only an answer to a guest is the vendor's own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Guest {
    Customer(AccountId),
    /// The vendor is blind, and lets anybody in.
    Stranger,
}

/// Whom the vendor does not serve.
pub(super) enum Refusal {
    /// The key is missing or dead.
    BadKey,
    /// The key is good, and this is not to be had for it.
    Denied(StatusCode, &'static str),
}

pub(super) struct Answer {
    pub outcome: Outcome,
    pub response: Response,
    pub fate: Fate,
}

/// What becomes of an answer on its way.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Sent,
    /// Only after so long.
    Late(Duration),
    Never,
    /// Not a byte of it.
    Lost,
    /// The connection is reset after so many bytes of its body.
    LostAfter(usize),
}

impl Answer {
    pub(super) fn of(outcome: Outcome, response: impl IntoResponse) -> Self {
        Self { outcome, response: response.into_response(), fate: Fate::Sent }
    }
    pub(super) fn welcome(response: impl IntoResponse) -> Self {
        Self::of(Outcome::Welcomed, response)
    }
    pub(super) fn lost() -> Self {
        Self { fate: Fate::Lost, ..Self::of(Outcome::Lost, StatusCode::OK) }
    }

    async fn send(self, cutter: &Cutter) -> Response {
        match self.fate {
            Fate::Sent => {}
            Fate::Late(by) => tokio::time::sleep(by).await,
            Fate::Never => std::future::pending().await,
            Fate::Lost => cutter.cut(),
            Fate::LostAfter(body_bytes) => cutter.cut_after(body_bytes),
        }
        self.response
    }
}

impl FromRequestParts<Arc<Shared>> for Call {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, StatusCode> {
        let cutter = parts.extensions.get::<ConnectInfo<Cutter>>();
        let ConnectInfo(cutter) = cutter.cloned().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
        let key = shared.state().kind.key(&parts.headers);
        Ok(Self { shared: shared.clone(), key, cutter })
    }
}

impl Call {
    /// All that a request meets. `truth` is the vendor's own answer to a live key, and happens in the lock.
    pub(super) async fn answer(self, truth: impl FnOnce(&mut State, Guest, Timestamp) -> Answer) -> Response {
        let answer = {
            let mut state = self.shared.state();
            let answer = state.answer(self.key.as_ref(), now(), truth);
            state.count(self.key.as_ref(), answer.outcome);
            answer
        };
        answer.send(&self.cutter).await
    }

    /// The answer of whatever stands before the vendor's keys and limits.
    pub(super) fn aside(self, outcome: Outcome, response: impl IntoResponse) -> Response {
        self.shared.state().count(self.key.as_ref(), outcome);
        response.into_response()
    }
}

impl State {
    fn answer(
        &mut self,
        key: Option<&Key>,
        now: Timestamp,
        truth: impl FnOnce(&mut Self, Guest, Timestamp) -> Answer,
    ) -> Answer {
        if let Some(answer) = self.in_front() {
            return answer;
        }
        let limited = self.meter.admit(key.map(Key::fingerprint), now).err();
        if limited.is_some() || self.dice.percent(self.faults.limited_percent) {
            return Answer::of(Outcome::Limited, self.too_many(limited.unwrap_or_default()));
        }
        if self.dice.percent(self.faults.failing_percent) {
            return Answer::of(Outcome::Failed, self.failure());
        }
        let answer = match self.admit(key, now) {
            Ok(guest) => truth(self, guest, now),
            Err(refusal) => self.refuse(refusal, key.is_some()),
        };
        match self.dice.percent(self.faults.reset_percent) {
            true => Answer { outcome: Outcome::Lost, fate: Fate::Lost, ..answer },
            false => answer,
        }
    }

    /// What answers in the vendor's place, and counts against no limit.
    fn in_front(&self) -> Option<Answer> {
        let failed = |response| Some(Answer::of(Outcome::Failed, response));
        match self.faults.mode {
            Mode::WebPage => failed(page(StatusCode::OK, "Scheduled maintenance")),
            Mode::CaptivePortal => {
                let target = [(LOCATION, "http://portal.example/login")];
                failed((target, page(StatusCode::FOUND, "Log in to the network")).into_response())
            }
            Mode::DiscordNotLinked => {
                let text = "Discord account must be linked before you can generate buyer keys.";
                failed(self.kind.error(StatusCode::FORBIDDEN, text))
            }
            Mode::Unavailable => {
                let response = self.kind.error(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable");
                failed(self.with_retry_after(response, None))
            }
            Mode::Silent => Some(Answer { fate: Fate::Never, ..Answer::of(Outcome::Failed, StatusCode::OK) }),
            Mode::Truthful
            | Mode::Flapping
            | Mode::EverybodyAlive
            | Mode::EverybodyDead
            | Mode::CreditsTooLow
            | Mode::NotAllowed => None,
        }
    }

    fn admit(&mut self, key: Option<&Key>, now: Timestamp) -> Result<Guest, Refusal> {
        self.answered += 1;
        let owner = key.and_then(|key| self.accounts.owner(key, now));
        let admitted = match (self.faults.mode, owner) {
            (Mode::EverybodyDead, _) => Err(Refusal::BadKey),
            (Mode::Flapping, _) if self.answered.is_multiple_of(3) => Err(Refusal::BadKey),
            (Mode::EverybodyAlive, None) => Ok(Guest::Stranger),
            (_, None) => Err(Refusal::BadKey),
            (Mode::CreditsTooLow, Some(_)) => {
                Err(Refusal::Denied(StatusCode::PAYMENT_REQUIRED, "Not enough credits."))
            }
            (Mode::NotAllowed, Some(_)) => {
                Err(Refusal::Denied(StatusCode::FORBIDDEN, "This API key may not access this resource."))
            }
            (_, Some(id)) => Ok(Guest::Customer(id)),
        };
        if let (Some(key), Ok(_)) = (key, &admitted) {
            self.accounts.used(key, now);
        }
        admitted
    }

    pub(super) fn refuse(&self, refusal: Refusal, had_key: bool) -> Answer {
        match refusal {
            Refusal::BadKey => Answer::of(Outcome::Refused, self.kind.refusal(had_key)),
            Refusal::Denied(status, text) => Answer::of(Outcome::Denied, self.kind.error(status, text)),
        }
    }

    fn too_many(&self, wait: Duration) -> Response {
        let response = self.kind.error(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded");
        let secs = (wait.as_millis().div_ceil(1_000)).max(1).to_string();
        self.with_retry_after(response, self.kind.counting().tells.then_some(secs))
    }

    pub(super) fn failure(&mut self) -> Response {
        match self.dice.next() % 3 {
            0 => page(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
            1 => page(StatusCode::BAD_GATEWAY, "Bad Gateway"),
            _ => {
                let response = self.kind.error(StatusCode::SERVICE_UNAVAILABLE, "Service unavailable");
                self.with_retry_after(response, None)
            }
        }
    }

    fn with_retry_after(&self, mut response: Response, documented: Option<String>) -> Response {
        let text = self.faults.retry_after.clone().or(documented);
        if let Some(value) = text.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(RETRY_AFTER, value);
        }
        response
    }
}
