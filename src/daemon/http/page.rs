//! The page, and the stream that keeps it fresh. However many watch, it is made once for all of them; while nobody
//! does, not at all.

use super::{FaceAsks, Source, ask};
use crate::{
    daemon::history,
    face::{
        status::Status,
        web::{self, Past},
    },
};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{
        Html, IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use std::{convert::Infallible, path::Path, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::{Instant, sleep_until},
};

/// Browsers that watch at once; another one still gets the page, and loads it again by itself.
const WATCHERS_MAX: usize = 16;
/// So many credentials are looked at in a second: a large fleet's page is made less often.
const CREDENTIALS_A_SECOND: u32 = 50;
/// Who is refused may come back after so many seconds.
const RETRY_AFTER_SECS: u64 = 30;

#[derive(Clone)]
pub struct Pages {
    state_dir: Arc<Path>,
    seats: Arc<Semaphore>,
    newest: Arc<Mutex<Option<Frame>>>,
}

/// What watchers are shown until it is time to look again.
struct Frame {
    text: Arc<str>,
    until: Instant,
}

impl Pages {
    pub fn new(state_dir: &Path) -> Self {
        let seats = Arc::new(Semaphore::new(WATCHERS_MAX));
        Self { state_dir: state_dir.into(), seats, newest: Arc::default() }
    }

    /// `None`: the loop is gone.
    async fn frame(&self, source: &Source) -> Option<(Arc<str>, Instant)> {
        let mut newest = self.newest.lock().await;
        let now = Instant::now();
        if let Some(frame) = newest.as_ref().filter(|frame| frame.until > now) {
            return Some((frame.text.clone(), frame.until));
        }
        let status = ask(&source.inbox, FaceAsks::Status).await?;
        let credentials = u32::try_from(status.credentials.len()).unwrap_or(u32::MAX);
        let until = now + Duration::from_secs(1) * (credentials / CREDENTIALS_A_SECOND).max(1);
        let text: Arc<str> = self.write(status, web::fragment).await?.into();
        *newest = Some(Frame { text: text.clone(), until });
        Some((text, until))
    }
    async fn write(&self, status: Status, write: fn(&Status, &Past) -> String) -> Option<String> {
        let state_dir = self.state_dir.clone();
        spawn_blocking(move || write(&status, &read_past(&state_dir, &status))).await.ok()
    }
}

fn read_past(state_dir: &Path, status: &Status) -> Past {
    let names = status.credentials.iter().map(|credential| &credential.name);
    names.map(|name| (name.clone(), history::newest(state_dir, name))).collect()
}

pub async fn page(State(source): State<Source>) -> Response {
    let Some(status) = ask(&source.inbox, FaceAsks::Status).await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    match source.pages.write(status, web::page).await {
        Some(page) => Html(page).into_response(),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// One watcher's place, and what it saw last.
struct Watcher {
    source: Source,
    _seat: OwnedSemaphorePermit,
    seen: Option<Arc<str>>,
    next_look: Instant,
}

/// The page's content as one event whenever it has changed. It ends with the listener.
pub async fn events(State(source): State<Source>) -> Response {
    let Ok(seat) = source.pages.seats.clone().try_acquire_owned() else {
        let later = [(header::RETRY_AFTER, RETRY_AFTER_SECS.to_string())];
        return (StatusCode::SERVICE_UNAVAILABLE, later).into_response();
    };
    let watcher = Watcher { source, _seat: seat, seen: None, next_look: Instant::now() };
    let events = stream::unfold(watcher, |mut watcher| async move {
        let text = watcher.changed().await?;
        Some((Ok::<_, Infallible>(Event::default().event("status").data(&*text)), watcher))
    });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

impl Watcher {
    async fn changed(&mut self) -> Option<Arc<str>> {
        loop {
            tokio::select! {
                () = sleep_until(self.next_look) => {}
                _ = self.source.gone.changed() => return None,
            }
            let (text, until) = self.source.pages.frame(&self.source).await?;
            self.next_look = until;
            if self.seen.as_ref() != Some(&text) {
                self.seen = Some(text.clone());
                return Some(text);
            }
        }
    }
}
