//! Leaf7's key management over HTTP: the eight documented operations with their documented errors, for each customer
//! their own keys. A mishap can be ordered for any request to come.

use super::front::{Answer, Call, Fate, Guest, Outcome, Refusal};
use super::kind::page;
use super::licences::{Licences, No, Order};
use super::meter::Meter;
use super::{AccountId, Kind, Shared, Simulator, State, now};
use axum::{
    Json, Router,
    body::Bytes,
    extract::Path,
    http::{
        HeaderValue, StatusCode, Uri,
        header::{LOCATION, RETRY_AFTER},
    },
    response::Response,
    routing::{any, delete, get, patch, post},
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// What becomes of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing: it goes as documented.
    None,
    /// Done, and the connection reset before the answer.
    Lost,
    /// Done, and a web page in place of the answer.
    DonePage,
    /// Done, and 502 with a web page in place of the answer.
    DoneBadGateway,
    /// 429, with this in `Retry-After`.
    Limited(Option<String>),
    /// 403 with a web page; not done.
    Firewall,
}

/// What the key management has besides the customers' keys.
#[derive(Default)]
pub(super) struct Management {
    licences: Licences,
    mishaps: VecDeque<Mishap>,
    /// Of requests that generate.
    generation_meter: Option<Meter>,
    requests: u64,
    generations: u64,
}

impl Simulator {
    /// For the next requests to the key management, in their order.
    pub fn order_mishaps(&self, mishaps: impl IntoIterator<Item = Mishap>) {
        self.state().management.mishaps.extend(mishaps);
    }
    /// So many requests that generate, in each window; the documented limit is 30 a minute.
    pub fn limit_generations(&self, limit: (u32, Duration)) {
        let meter = Meter::new(Some(limit), Kind::Leaf7.counting());
        self.state().management.generation_meter = Some(meter);
    }
    /// Requests to the key management: all that came by, and those that generated.
    pub fn management_requests(&self) -> (u64, u64) {
        let state = self.state();
        (state.management.requests, state.management.generations)
    }
    pub fn set_discord_linked(&self, account: AccountId, linked: bool) {
        self.state().management.licences.set_linked(account, linked);
    }
    /// A customer redeems a key, which becomes an active one.
    pub fn redeem(&self, account: AccountId, key_id: &str, discord_id: &str) {
        self.state().management.licences.redeem(account, key_id, discord_id, now());
    }
    /// So many at once, as if they had been generated long ago.
    pub fn stock_buyer_keys(&self, account: AccountId, project_id: &str, amount: u32) {
        let State { management, dice, .. } = &mut *self.state();
        let order = Order { amount, days: 30, hours: 0, minutes: 0 };
        management.licences.generate(account, project_id, order, dice, now());
    }
    /// As the vendor lists them.
    pub fn buyer_keys(&self, account: AccountId) -> Vec<Value> {
        self.state().management.licences.buyer(account, None)
    }
    pub fn active_keys(&self, account: AccountId) -> Vec<Value> {
        self.state().management.licences.active(account, None)
    }
}

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/api/vendor/keys/buyer/", get(list_buyer).post(generate))
        .route("/api/vendor/keys/buyer/{key}/", delete(delete_buyer))
        .route("/api/vendor/keys/active/", get(list_active))
        .route("/api/vendor/keys/active/{key}/hwid/", patch(set_hwid))
        .route("/api/vendor/keys/active/{key}/{action}/", post(act))
        .route("/api/vendor/keys/buyer", any(redirect))
        .route("/api/vendor/keys/buyer/{key}", any(redirect))
        .route("/api/vendor/keys/active", any(redirect))
        .route("/api/vendor/keys/active/{key}/{action}", any(redirect))
}

async fn redirect(call: Call, uri: Uri) -> Response {
    let target = [(LOCATION, format!("{}/", uri.path()))];
    call.aside(Outcome::Redirected, (StatusCode::TEMPORARY_REDIRECT, target))
}

/// `?project_id=…`
fn filter(uri: &Uri) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.find(|(name, _)| name == "project_id").map(|(_, id)| id.into_owned())
}

async fn list_buyer(call: Call, uri: Uri) -> Response {
    let list = move |state: &mut State, account| {
        Ok(json!(state.management.licences.buyer(account, filter(&uri).as_deref())))
    };
    serve(call, false, list).await
}

async fn list_active(call: Call, uri: Uri) -> Response {
    let list = move |state: &mut State, account| {
        Ok(json!(state.management.licences.active(account, filter(&uri).as_deref())))
    };
    serve(call, false, list).await
}

#[derive(Deserialize)]
struct Wish {
    project_id: String,
    #[serde(default = "one")]
    amount: u32,
    #[serde(default = "thirty")]
    key_days: u32,
    #[serde(default)]
    key_hours: u32,
    #[serde(default)]
    key_minutes: u32,
}
fn one() -> u32 {
    1
}
fn thirty() -> u32 {
    30
}

async fn generate(call: Call, body: Bytes) -> Response {
    let generate = move |state: &mut State, account| {
        let wish: Wish = serde_json::from_slice(&body).map_err(|_| UNPROCESSABLE)?;
        let State { management, dice, accounts, .. } = state;
        if !management.licences.is_linked(account) {
            return Err((
                StatusCode::FORBIDDEN,
                "Discord account must be linked before you can generate buyer keys.",
            ));
        }
        if !accounts.ids(account).contains(&wish.project_id) {
            return Err((StatusCode::NOT_FOUND, "Project not found"));
        }
        let Wish { project_id, amount, key_days: days, key_hours: hours, key_minutes: minutes } = wish;
        let order = Order { amount, days, hours, minutes };
        Ok(json!(management.licences.generate(account, &project_id, order, dice, now())))
    };
    serve(call, true, generate).await
}

async fn delete_buyer(Path(key): Path<String>, call: Call) -> Response {
    let delete = move |state: &mut State, account| match state.management.licences.delete(account, &key) {
        Ok(()) => Ok(json!({"status": "success"})),
        Err(No::NotFound) => Err(NOT_FOUND),
        Err(No::Redeemed) => Err((StatusCode::BAD_REQUEST, "Cannot delete a redeemed key")),
    };
    serve(call, false, delete).await
}

async fn act(Path((key, action)): Path<(String, String)>, call: Call) -> Response {
    let act = move |state: &mut State, account| {
        let active = state.management.licences.active_key(account, &key).ok_or(NOT_FOUND)?;
        match action.as_str() {
            "ban" => active.banned = true,
            "unban" => active.banned = false,
            "reset_hwid" => active.reset_hwid(now()),
            _ => return Err((StatusCode::NOT_FOUND, "Not Found")),
        }
        Ok(json!({"status": "success"}))
    };
    serve(call, false, act).await
}

async fn set_hwid(Path(key): Path<String>, call: Call, body: Bytes) -> Response {
    let set = move |state: &mut State, account| {
        let active = state.management.licences.active_key(account, &key).ok_or(NOT_FOUND)?;
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let hwid = body.get("new_hwid").ok_or(UNPROCESSABLE)?;
        active.hwid = hwid.as_str().map(str::to_owned);
        Ok(json!({"status": "success", "hwid": active.hwid}))
    };
    serve(call, false, set).await
}

/// A refusal in the vendor's words.
type Denial = (StatusCode, &'static str);
const NOT_FOUND: Denial = (StatusCode::NOT_FOUND, "Key not found");
const UNPROCESSABLE: Denial = (StatusCode::UNPROCESSABLE_ENTITY, "Field required");

/// What every request has to pass, and what becomes of its answer.
async fn serve(
    call: Call,
    generates: bool,
    work: impl FnOnce(&mut State, AccountId) -> Result<Value, Denial>,
) -> Response {
    let mishap = {
        let mut state = call.shared.state();
        state.management.requests += 1;
        state.management.mishaps.pop_front().unwrap_or(Mishap::None)
    };
    match mishap {
        Mishap::Limited(retry_after) => return call.aside(Outcome::Limited, limited(retry_after)),
        Mishap::Firewall => {
            return call.aside(Outcome::Failed, page(StatusCode::FORBIDDEN, "Attention Required!"));
        }
        Mishap::None | Mishap::Lost | Mishap::DonePage | Mishap::DoneBadGateway => {}
    }
    call.answer(|state, guest, now| {
        let Guest::Customer(account) = guest else { return Answer::welcome(Json(json!([]))) };
        let meter = state.management.generation_meter.as_mut().filter(|_| generates);
        if meter.is_some_and(|meter| meter.admit(None, now).is_err()) {
            return Answer::of(Outcome::Limited, limited(None));
        }
        state.management.generations += u64::from(generates);
        let answer = match work(state, account) {
            Ok(json) => Answer::welcome(Json(json)),
            Err((status, text)) => state.refuse(Refusal::Denied(status, text), true),
        };
        match mishap {
            Mishap::Lost => Answer { outcome: Outcome::Lost, fate: Fate::Lost, ..answer },
            Mishap::DonePage => Answer::of(Outcome::Failed, page(StatusCode::OK, "Leaf7")),
            Mishap::DoneBadGateway => {
                Answer::of(Outcome::Failed, page(StatusCode::BAD_GATEWAY, "Bad Gateway"))
            }
            Mishap::None | Mishap::Limited(_) | Mishap::Firewall => answer,
        }
    })
    .await
}

fn limited(retry_after: Option<String>) -> Response {
    let mut response = Kind::Leaf7.error(StatusCode::TOO_MANY_REQUESTS, "Rate limit exceeded");
    if let Some(value) = retry_after.and_then(|text| HeaderValue::from_str(&text).ok()) {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    response
}
