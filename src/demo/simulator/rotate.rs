//! A call that rotates, and what can become of it: its answer is the only copy of the new key.

use super::State;
use super::front::{Answer, Call, Fate, Guest, Outcome, Refusal};
use super::kind::page;
use crate::domain::{Key, Timestamp};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RotationFault {
    None,
    /// The connection is reset, and nothing was done.
    LostBefore,
    /// The key is rotated, and the connection is reset after this part of the answer.
    LostAfter(Part),
    /// The key is rotated at once, and the answer comes only after so long.
    Late(Duration),
    /// The key is rotated only after so long, whether or not somebody still waits for the answer.
    DoneLate(Duration),
    /// 5xx, and nothing was done.
    FailedBefore,
    /// The key is rotated, and the answer is 5xx.
    FailedAfter,
    /// The key is rotated, and the answer is 200 with a web page.
    WebPage,
    /// The key is rotated, and stands in another place of the answer than documented.
    UnknownShape,
    /// 409 for a key that is itself the result of a rotation less than so long ago.
    RefusedWithin(Duration),
}

/// How much of an answer comes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Not even a status.
    Nothing,
    /// Status and headers, and not a byte of the body.
    Head,
    HalfOfTheBody,
    /// All but the body's last byte.
    AllButTheEnd,
    /// All of it: what counts is that the reset is no trouble.
    All,
}

impl Call {
    /// `commit` rotates and says what the answer is, or refuses.
    pub(super) async fn rotate(
        self,
        commit: impl FnOnce(&mut State, Guest, &Key, Timestamp) -> Result<String, Refusal> + Send + 'static,
    ) -> Response {
        let fault = self.shared.state().faults.rotation;
        let key = self.key.clone();
        let answered = async move {
            if let RotationFault::DoneLate(by) = fault {
                tokio::time::sleep(by).await;
            }
            self.answer(|state, guest, now| match key {
                Some(key) => fault.play(state, &key, now, |state| commit(state, guest, &key, now)),
                None => state.refuse(Refusal::BadKey, false),
            })
            .await
        };
        // In a task of its own it is done also when the client has gone.
        tokio::spawn(answered).await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}

impl RotationFault {
    fn play(
        self,
        state: &mut State,
        old: &Key,
        now: Timestamp,
        commit: impl FnOnce(&mut State) -> Result<String, Refusal>,
    ) -> Answer {
        match self {
            Self::LostBefore => return Answer::lost(),
            Self::FailedBefore => return Answer::of(Outcome::Failed, state.failure()),
            Self::RefusedWithin(within) if state.is_rotated_within(old, within, now) => {
                let again = Refusal::Denied(StatusCode::CONFLICT, "This API key was rotated just now");
                return state.refuse(again, true);
            }
            Self::RefusedWithin(_)
            | Self::None
            | Self::LostAfter(_)
            | Self::Late(_)
            | Self::DoneLate(_)
            | Self::FailedAfter
            | Self::WebPage
            | Self::UnknownShape => {}
        }
        match commit(state) {
            Ok(text) => self.deliver(state, text),
            Err(refusal) => state.refuse(refusal, true),
        }
    }

    /// The key is rotated.
    fn deliver(self, state: &mut State, text: String) -> Answer {
        match self {
            Self::LostAfter(part) => {
                let fate = part.fate(text.len());
                Answer { outcome: Outcome::Lost, fate, ..Answer::welcome(document(text)) }
            }
            Self::Late(by) => Answer { fate: Fate::Late(by), ..Answer::welcome(document(text)) },
            Self::FailedAfter => Answer::of(Outcome::Failed, state.failure()),
            Self::WebPage => Answer::of(Outcome::Failed, page(StatusCode::OK, "Done")),
            Self::UnknownShape => {
                let documented: Value = serde_json::from_str(&text).unwrap_or_default();
                Answer::welcome(document(json!({"result": [{"attributes": documented}]}).to_string()))
            }
            Self::None
            | Self::LostBefore
            | Self::DoneLate(_)
            | Self::FailedBefore
            | Self::RefusedWithin(_) => Answer::welcome(document(text)),
        }
    }
}

fn document(text: String) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], text)
}

impl Part {
    fn fate(self, body_bytes: usize) -> Fate {
        match self {
            Self::Nothing => Fate::Lost,
            Self::Head => Fate::LostAfter(0),
            Self::HalfOfTheBody => Fate::LostAfter(body_bytes / 2),
            Self::AllButTheEnd => Fate::LostAfter(body_bytes.saturating_sub(1)),
            Self::All => Fate::LostAfter(body_bytes),
        }
    }
}

impl State {
    fn is_rotated_within(&self, key: &Key, within: Duration, now: Timestamp) -> bool {
        let issued = self.accounts.issued(key);
        issued.is_some_and(|issued| issued.by_rotation && now.since(issued.created_at) < within)
    }
}
