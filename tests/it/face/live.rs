//! The page of a running daemon: live through a whole rotation, closed to strangers, and without a key on it.

use super::browser::{self, DESK};
use crate::{
    rotation::{
        consumers::{FileConsumer, all_in_use},
        stage::Stage,
    },
    world::{secrets, until},
};
use keyrelay::demo::consumer::Manner;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[tokio::test]
async fn an_open_page_follows_a_rotation_by_itself() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    let old = stage.seed(&slot).await;
    let shop = FileConsumer::add(&mut stage, &slot, "shop").await;
    shop.put(&old);
    stage.start().await;
    stage.wait(&slot, "the shop is tested", |found| all_in_use(found, &["shop"], &old).then_some(())).await;
    let Some(mut browser) = browser::start().await else { return stage.end().await };
    browser.open(&stage.daemon.url(), DESK).await;
    let shown = "document.querySelector('#main .key code').textContent";
    assert_eq!(browser.evaluate(shown).await, old.fingerprint().hex());

    stage.date_from_now();
    stage.warn(&slot, 0).await;
    let phase = "document.querySelector('#main .phase').textContent";
    until("the page says that it is announced", async || {
        (browser.evaluate(phase).await == "announced").then_some(())
    })
    .await;
    shop.consumer.set_manner(Manner::Failing);
    let (old, new) = stage.rotate(&slot);
    stage.confirm(&slot, 0, &old, &new).await;
    until("the page shows the new key", async || {
        (browser.evaluate(shown).await == new.fingerprint().hex()).then_some(())
    })
    .await;
    let lane = "document.querySelector('#main .lane .state').textContent";
    let behind = format!("✕ not tested · last seen with {}", old.fingerprint().hex());
    until("the shop is not tested", async || (browser.evaluate(lane).await == behind.as_str()).then_some(()))
        .await;
    shop.consumer.set_manner(Manner::Honest);
    let ran = stage.keyrelay(&["prove", "main"], "").await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    until("the shop is tested", async || {
        browser.evaluate(lane).await.as_str().is_some_and(|text| text.starts_with("✓ in use")).then_some(())
    })
    .await;
    assert_eq!(browser.evaluate("document.documentElement.dataset.live").await, "yes");
    assert_eq!(browser.evaluate("document.querySelectorAll('main').length").await, json!(1));
    let marks = "Array.from(document.querySelectorAll('#main .mark text'), (each) => each.textContent)";
    assert_eq!(browser.evaluate(marks).await, json!(["warning", "rotation", "old key dies"]));
    browser.picture("daemon-desk-light").await;
    assert_eq!(browser.complaints, Vec::<String>::new(), "the daemon's own policy allows all of it");
    let dom = browser.evaluate("document.documentElement.outerHTML").await.to_string();
    secrets::none_in("the page in the browser", dom.as_bytes());
    stage.end().await;
}

#[tokio::test]
async fn s18_no_key_is_on_the_page_in_its_stream_or_in_the_metrics() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main");
    stage.seed(&slot).await;
    stage.start().await;
    let mut events = Events::open(&stage, "").await;
    stage.date_from_now();
    let (old, new) = stage.rotate(&slot);
    stage.confirm(&slot, 3, &old, &new).await;
    stage.wait_promoted(&slot, &new).await;
    let fingerprint = new.fingerprint().hex();
    events.read_until(&fingerprint).await;
    let mut seen = events.text;
    for path in ["", "metrics", "api/v1/status", "readyz"] {
        let (status, body) = stage.daemon.get(path).await.expect("an answer");
        assert_eq!(status, 200, "/{path}");
        assert_eq!(body.contains(&fingerprint), ["", "api/v1/status"].contains(&path), "/{path}");
        seen += &body;
    }
    secrets::none_in("the HTTP face", seen.as_bytes());
    stage.end().await;
}

#[tokio::test]
async fn strangers_are_kept_out_and_nothing_from_elsewhere_is_let_in() {
    let mut stage = Stage::build().await;
    stage.slot("main");
    stage.start().await;
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    for path in ["", "metrics", "events", "api/v1/status"] {
        let get = |host: &'static str| {
            client.get(format!("{}/{path}", stage.daemon.url())).header("Host", host).send()
        };
        let stranger = get("keyrelay.example.com:7718").await.expect("an answer");
        assert_eq!(stranger.status(), 421, "/{path}");
        let answer = get("localhost").await.expect("an answer");
        assert_eq!(answer.status(), 200, "/{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("content-security-policy", keyrelay::face::web::CONTENT_SECURITY_POLICY.as_str()),
        ] {
            assert_eq!(answer.headers().get(name).expect(name), value, "/{path}");
        }
    }
    for (site, mode, status) in [
        ("cross-site", "cors", 403),
        ("cross-site", "no-cors", 403),
        ("same-site", "cors", 403),
        ("cross-site", "navigate", 200),
        ("same-origin", "cors", 200),
        ("none", "navigate", 200),
    ] {
        let request =
            client.get(stage.daemon.url()).header("Sec-Fetch-Site", site).header("Sec-Fetch-Mode", mode);
        assert_eq!(request.send().await.expect("an answer").status(), status, "{site} {mode}");
    }
    let policy = keyrelay::face::web::CONTENT_SECURITY_POLICY.as_str();
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    stage.end().await;
}

#[tokio::test]
async fn watchers_are_counted_and_the_stream_ends_with_the_daemon() {
    let mut stage = Stage::build().await;
    stage.slot("main");
    stage.start().await;
    let mut watchers = Vec::new();
    for _ in 0..16 {
        let mut watcher = Events::open(&stage, "").await;
        watcher.read_until("event: status").await;
        watchers.push(watcher);
    }
    let (status, _) = stage.daemon.get("events").await.expect("an answer");
    assert_eq!(status, 503, "one too many");
    assert_eq!(stage.daemon.get("").await.expect("an answer").0, 200, "the page itself is for everybody");
    watchers.pop();
    until("a place is free again", async || {
        let mut another = Events::open(&stage, "").await;
        another.read_until("\r\n\r\n").await;
        another.text.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
    stage.end().await;
    for mut watcher in watchers {
        watcher.read_to_end().await;
    }
}

/// One watcher's connection.
struct Events {
    stream: TcpStream,
    text: String,
}

impl Events {
    async fn open(stage: &Stage, more: &str) -> Self {
        let url = stage.daemon.url();
        let address = url.strip_prefix("http://").expect("a URL");
        let mut stream = TcpStream::connect(address).await.expect("the daemon listens");
        let request = format!("GET /events HTTP/1.1\r\nHost: {address}\r\n{more}\r\n");
        stream.write_all(request.as_bytes()).await.expect("a request");
        Self { stream, text: String::new() }
    }
    async fn read_until(&mut self, what: &str) {
        while !self.text.contains(what) {
            assert!(self.read().await > 0, "it ended before {what}: {}", self.text);
        }
    }
    async fn read_to_end(&mut self) {
        while self.read().await > 0 {}
    }
    async fn read(&mut self) -> usize {
        let mut bytes = [0; 16_384];
        let read = self.stream.read(&mut bytes);
        // A daemon that has ended resets what it did not read.
        let len =
            tokio::time::timeout(crate::world::PATIENCE, read).await.expect("something comes").unwrap_or(0);
        self.text += &String::from_utf8_lossy(&bytes[..len]);
        len
    }
}
