//! Against a server that says what it is told to, and remembers what it was asked.

use super::*;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Answers every request with this; gives its address and what it heard.
async fn server(answer: &'static str) -> (Secret, Arc<Mutex<Vec<String>>>) {
    crate::tls::install();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/canary-path?token=canary", listener.local_addr().unwrap());
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hears = heard.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !is_whole(&request) {
                let mut bytes = [0; 4096];
                let count = stream.read(&mut bytes).await.unwrap();
                request.extend_from_slice(&bytes[..count]);
            }
            hears.lock().unwrap().push(String::from_utf8(request).unwrap());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (Secret::new(&url), heard)
}
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn web(url: &Secret) -> Web {
    Web::new("alerts.webhook", url, &Limits { request_timeout: Duration::from_secs(2), ..Limits::default() })
}
async fn posted(answer: &'static str) -> PostOutcome {
    let (url, _) = server(answer).await;
    let outcome = web(&url).post("3f9c2a71d04be865.0", "{}".into()).await;
    assert!(!format!("{outcome:?}").contains("canary"), "{outcome:?}");
    outcome
}

#[tokio::test]
async fn a_post_carries_the_body_and_an_id_that_stays() {
    let (url, heard) = server("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(
        web(&url).post("3f9c2a71d04be865.0", r#"{"code":"key-dead"}"#.into()).await,
        PostOutcome::Taken
    );
    let heard = heard.lock().unwrap().join("");
    assert!(heard.starts_with("POST /canary-path?token=canary HTTP/1.1\r\n"), "{heard}");
    for line in ["idempotency-key: 3f9c2a71d04be865.0", "content-type: application/json"] {
        assert!(heard.contains(&format!("\r\n{line}\r\n")), "{heard}");
    }
    assert!(heard.ends_with("\r\n\r\n{\"code\":\"key-dead\"}"), "{heard}");
}

#[tokio::test]
async fn what_is_refused_for_good_and_what_may_go_another_time_are_told_apart() {
    let refused = "the address in alerts.webhook answered 400".to_owned();
    assert_eq!(
        posted("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await,
        PostOutcome::Refused(refused)
    );
    for status in ["401 Unauthorized", "404 Not Found", "429 Too Many Requests", "503 Service Unavailable"] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").leak();
        let failed = format!("the address in alerts.webhook answered {}", &status[..3]);
        assert_eq!(posted(answer).await, PostOutcome::Failed(failed));
    }
}

#[tokio::test]
async fn r48_s05_a_redirect_is_not_followed() {
    let (elsewhere, heard) = server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n",
        elsewhere.expose()
    );
    let why =
        "the address in alerts.webhook answered 307, which is not followed: write where it leads".to_owned();
    assert_eq!(posted(answer.leak()).await, PostOutcome::Failed(why));
    assert_eq!(heard.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn who_is_not_there_or_says_nothing_is_told_without_the_address() {
    crate::tls::install();
    let nobody = Secret::new("http://127.0.0.1:9/canary");
    let why = "the address in alerts.webhook cannot be reached (name, port, and whom this machine trusts)"
        .to_owned();
    assert_eq!(web(&nobody).get().await, Err(why));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = Secret::new(&format!("http://{}/canary", listener.local_addr().unwrap()));
    let why = "the address in alerts.webhook gave no answer within 2 s".to_owned();
    assert_eq!(web(&silent).get().await, Err(why));
}

#[tokio::test]
async fn a_sign_of_life_is_a_plain_get_that_any_success_answers() {
    let (url, heard) = server("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(web(&url).get().await, Ok(()));
    assert!(heard.lock().unwrap()[0].starts_with("GET /canary-path?token=canary HTTP/1.1\r\n"));
    let (url, _) = server("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(web(&url).get().await, Err("the address in alerts.webhook answered 500".into()));
}
