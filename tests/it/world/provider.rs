//! An identity provider: a token endpoint that gives each refresh token's successor and takes the token itself back,
//! and that tells a mail server whose an access token is.

use axum::{
    Json, Router,
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::{net::TcpListener, sync::watch};

pub struct Provider {
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    books: Mutex<Books>,
    /// Answers go out while it is true.
    answers: watch::Sender<bool>,
}

struct Books {
    /// The one refresh token that is worth something.
    refresh: Option<String>,
    rotates: bool,
    lasts_secs: u64,
    /// Access tokens that mail servers are told of as good.
    good: Vec<String>,
    /// What was shown with each question; `client credentials` where none was.
    shown: Vec<String>,
    /// Every token that was ever given.
    given: Vec<String>,
    user: String,
}

impl Provider {
    /// Gives access tokens of an hour for that user.
    pub async fn start(user: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let first = token("refresh");
        let books = Books {
            refresh: Some(first.clone()),
            rotates: true,
            lasts_secs: 3_600,
            good: Vec::new(),
            shown: Vec::new(),
            given: vec![first],
            user: user.to_owned(),
        };
        let shared = Arc::new(Shared { books: Mutex::new(books), answers: watch::channel(true).0 });
        let app = Router::new()
            .route("/token", post(issue))
            .route("/tokeninfo", get(inspect))
            .with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, shared }
    }

    pub fn token_url(&self) -> String {
        format!("{}/token", self.address)
    }
    /// An access token is appended.
    pub fn tokeninfo_url(&self) -> String {
        format!("{}/tokeninfo?access_token=", self.address)
    }
    /// The only refresh token that is worth something now.
    pub fn refresh_token(&self) -> String {
        self.books().refresh.clone().expect("a refresh token")
    }
    /// Whether each refresh gives another refresh token.
    pub fn rotates(&self, rotates: bool) {
        self.books().rotates = rotates;
    }
    pub fn lasts(&self, secs: u64) {
        self.books().lasts_secs = secs;
    }
    /// Somebody took the grant back.
    pub fn revoke(&self) {
        self.books().refresh = None;
    }
    /// Somebody logged in anew.
    pub fn grant_anew(&self) -> String {
        let first = token("refresh");
        let mut books = self.books();
        books.given.push(first.clone());
        books.refresh = Some(first.clone());
        first
    }
    /// Access tokens that were given so far are worth nothing any more.
    pub fn forget_access(&self) {
        self.books().good.clear();
    }
    /// Questions are answered in the books, and nobody hears the answer until [`Provider::answer`].
    pub fn hold(&self) {
        self.shared.answers.send_replace(false);
    }
    pub fn answer(&self) {
        self.shared.answers.send_replace(true);
    }
    /// The refresh token of each question, in order.
    pub fn shown(&self) -> Vec<String> {
        self.books().shown.clone()
    }
    /// Everything that must be seen nowhere.
    pub fn given(&self) -> Vec<String> {
        self.books().given.clone()
    }
    fn books(&self) -> MutexGuard<'_, Books> {
        self.shared.books.lock().expect("the books")
    }
}

async fn issue(State(shared): State<Arc<Shared>>, body: String) -> Response {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let (status, answer) = decide(&mut shared.books.lock().expect("the books"), &form);
    // Fails only when the test has ended.
    let _ = shared.answers.subscribe().wait_for(|answers| *answers).await;
    (status, Json(answer)).into_response()
}

fn decide(books: &mut Books, form: &BTreeMap<String, String>) -> (StatusCode, Value) {
    let refreshes = form.get("grant_type").is_some_and(|kind| kind == "refresh_token");
    let shown = form.get("refresh_token").cloned().unwrap_or_else(|| "client credentials".into());
    books.shown.push(shown.clone());
    if refreshes && books.refresh.as_ref() != Some(&shown) {
        let words = "Token has been expired or revoked.";
        return (StatusCode::BAD_REQUEST, json!({"error": "invalid_grant", "error_description": words}));
    }
    let access = token("access");
    books.good.push(access.clone());
    books.given.push(access.clone());
    let mut answer = json!({"access_token": access, "token_type": "Bearer", "expires_in": books.lasts_secs});
    if refreshes && books.rotates {
        let next = token("refresh");
        books.given.push(next.clone());
        books.refresh = Some(next.clone());
        answer["refresh_token"] = next.into();
    }
    (StatusCode::OK, answer)
}

async fn inspect(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery) -> Response {
    let books = shared.books.lock().expect("the books");
    let query: BTreeMap<String, String> =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    match query.get("access_token").filter(|token| books.good.contains(token)) {
        Some(_) => Json(json!({"email": books.user, "active": true})).into_response(),
        None => (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_token"}))).into_response(),
    }
}

/// Random, so that a trace of it is a leak.
fn token(kind: &str) -> String {
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes).expect("chance");
    format!("{kind}-{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
