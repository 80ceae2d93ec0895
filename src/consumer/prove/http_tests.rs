//! Against real servers on loopback: one that speaks as a consumer does, and some that speak as they should not.

use super::*;
use crate::{
    consumer::prove::challenge::expected_proof,
    domain::{ConsumerName, CredentialName, Instances, Key, ProofLevel, Timestamp},
};
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, Request},
    http::HeaderMap,
    response::{IntoResponse, Redirect},
};
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const NEW: &str = "new-key-0123456789-ABCDEF";
const OLD: &str = "old-key-0123456789-ABCDEF";

#[tokio::test]
async fn a_consumer_that_answers_the_challenge_with_the_key_is_in_use() {
    let seen = Arc::new(Mutex::new(HeaderMap::new()));
    let kept = seen.clone();
    let url = serve(move |_, headers| {
        *kept.lock().unwrap() = headers.clone();
        answer(&headers, NEW, r#", "instance": "web-1", "last_401_at": "2026-11-20T08:00:00Z""#)
            .into_response()
    })
    .await;

    let last_401_at = Some("2026-11-20T08:00:00Z".parse().unwrap());
    let instances = Instances { proven: 1, wanted: None };
    let proven = ProofOutcome::Proven { level: ProofLevel::InUse, instances, at: now(), last_401_at };
    assert_eq!(ask(&url).await, proven);
    let headers = seen.lock().unwrap().clone();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!(
        (header("keyrelay-consumer"), header("keyrelay-credential")),
        ("storefront".into(), "leaf7-main".into())
    );
    assert_eq!(header("keyrelay-challenge").len(), 32);
    assert!(!headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_consumer_that_still_works_with_another_key_is_told_from_one_that_talks_nonsense() {
    let old = serve(|_, headers| answer(&headers, OLD, "").into_response()).await;
    assert_eq!(ask(&old).await, ProofOutcome::OtherKey(key(OLD).fingerprint()));

    let stranger =
        serve(|_, headers| answer(&headers, "stranger-0123456789-ABCDEF", "").into_response()).await;
    let wrong = "the proof is of no key of this credential, or of another consumer or challenge";
    assert_eq!(ask(&stranger).await, unproven(&format!("{}: {wrong}", origin(&stranger))));

    let fingerprint =
        serve(|_, _| format!(r#"{{"fingerprint": "{}"}}"#, key(NEW).fingerprint()).into_response()).await;
    assert_eq!(
        ask(&fingerprint).await,
        unproven(&format!("{}: the answer holds no proof", origin(&fingerprint)))
    );
}

#[tokio::test]
async fn instances_are_asked_each_on_a_fresh_connection_with_a_fresh_challenge() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let url = serve(move |peer, headers| {
        let mut seen = kept.lock().unwrap();
        seen.push((peer, headers["keyrelay-challenge"].clone()));
        answer(&headers, NEW, &format!(r#", "instance": "web-{}""#, seen.len() / 2)).into_response()
    })
    .await;

    let http = Http { instances: Some(3), ..to(std::slice::from_ref(&url)) };
    assert_eq!(ask_with(&http, &Limits::default()).await, in_use(3, Some(3)));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 4, "web-0, web-1 twice, web-2");
    assert_eq!(seen.iter().map(|(peer, _)| peer).collect::<BTreeSet<_>>().len(), 4);
    assert_eq!(seen.iter().map(|(_, challenge)| challenge.as_bytes()).collect::<BTreeSet<_>>().len(), 4);
}

#[tokio::test]
async fn each_of_several_addresses_must_prove() {
    let one = serve(|_, headers| answer(&headers, NEW, "").into_response()).await;
    let two = serve(|_, headers| answer(&headers, NEW, "").into_response()).await;
    let gone = "http://127.0.0.1:1/secret-path".to_owned();

    let outcome = ask_with(&to(&[one.clone(), two]), &Limits::default()).await;
    assert_eq!(outcome, in_use(2, Some(2)));
    let outcome = ask_with(&to(&[one, gone]), &Limits::default()).await;
    let why = "1 of 2 instances proven; http://127.0.0.1:1: connection refused: nobody listens there";
    assert_eq!(
        outcome,
        ProofOutcome::Unproven { why: why.into(), instances: Instances { proven: 1, wanted: Some(2) } }
    );
}

#[tokio::test]
async fn r48_s05_a_redirect_is_never_followed() {
    let hits = Arc::new(Mutex::new(0));
    let counted = hits.clone();
    let target = serve(move |_, headers| {
        *counted.lock().unwrap() += 1;
        answer(&headers, NEW, "").into_response()
    })
    .await;
    let url = serve(move |_, _| Redirect::temporary(&target).into_response()).await;

    let why = format!(
        "{} answered with status 307, and no redirect is followed: name the final address",
        origin(&url)
    );
    assert_eq!(ask(&url).await, unproven(&why));
    assert_eq!(*hits.lock().unwrap(), 0);
}

#[tokio::test]
async fn only_status_200_counts() {
    for (status, why) in [
        (201, "; only 200 counts"),
        (404, "; only 200 counts"),
        (401, ": it wants the bearer token, or another one"),
    ] {
        let url = serve_status(status).await;
        assert_eq!(
            ask(&url).await,
            unproven(&format!("{} answered with status {status}{why}", origin(&url)))
        );
    }
    for status in [500, 502, 503] {
        let url = serve_status(status).await;
        assert_eq!(
            ask(&url).await,
            ProofOutcome::Silent(format!("{} answered with status {status}", origin(&url)))
        );
    }
}

#[tokio::test]
async fn h07_an_answer_larger_than_the_limit_is_refused() {
    let url = serve(|_, headers| {
        let filler = "x".repeat(64 << 10);
        answer(&headers, NEW, &format!(r#", "filler": "{filler}""#)).into_response()
    })
    .await;
    assert_eq!(ask(&url).await, unproven(&format!("{} answered with more than 65536 bytes", origin(&url))));
}

#[tokio::test]
async fn a_consumer_that_does_not_answer_in_time_is_silent() {
    let limits = Limits { request_timeout: Duration::from_millis(300), ..Limits::default() };
    for said in ["", "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"proof\""] {
        let url = serve_bytes(said, true).await;
        let outcome = ask_with(&to(std::slice::from_ref(&url)), &limits).await;
        assert_eq!(
            outcome,
            ProofOutcome::Silent(format!("{}: no answer within 0.3 s", origin(&url))),
            "{said:?}"
        );
    }
}

#[tokio::test]
async fn what_breaks_off_or_is_no_http_is_silent() {
    for said in
        ["", "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"proof\"", "220 smtp.example.com ESMTP\r\n"]
    {
        let url = serve_bytes(said, false).await;
        let ProofOutcome::Silent(why) = ask(&url).await else { panic!("{said:?} is no answer") };
        assert!(why.starts_with(&format!("{}: ", origin(&url))), "{why}");
        assert!(!why.contains("proof") && !why.contains("ESMTP"), "{why}");
    }
}

#[tokio::test]
async fn the_bearer_token_is_sent_and_like_the_rest_of_the_address_never_shown() {
    let url = serve(|_, headers| match headers.get("authorization").map(|value| value.as_bytes()) {
        Some(b"Bearer t0ken-canary") => answer(&headers, NEW, "").into_response(),
        _ => axum::http::StatusCode::FORBIDDEN.into_response(),
    })
    .await;
    let bearer = Secret::new("t0ken-canary");
    let http = Http { bearer: Some(&bearer), ..to(std::slice::from_ref(&url)) };
    assert_eq!(ask_with(&http, &Limits::default()).await, in_use(1, None));

    let broken = Secret::new("t0ken\ncanary");
    let http = Http { bearer: Some(&broken), ..http };
    let why = format!("{}: the address or the bearer token cannot be sent in a request", origin(&url));
    assert_eq!(ask_with(&http, &Limits::default()).await, ProofOutcome::Silent(why));

    let url = "http://user:canary@127.0.0.1:1/canary?canary#canary".to_owned();
    let why = "http://127.0.0.1:1: connection refused: nobody listens there";
    assert_eq!(ask(&url).await, ProofOutcome::Silent(why.into()));
    assert_eq!(
        ask("no address").await,
        ProofOutcome::Silent(
            "its address: the address or the bearer token cannot be sent in a request".into()
        )
    );
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_told_as_such() {
    let ProofOutcome::Silent(why) = ask("http://shop.invalid/").await else { panic!("nobody is there") };
    assert!(why.starts_with("http://shop.invalid: failed to lookup address information: "), "{why}");
}

/// A server that proves NEW or as told, on a port of its own.
async fn serve(
    answer: impl Fn(SocketAddr, HeaderMap) -> axum::response::Response + Clone + Send + Sync + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/keyrelay", listener.local_addr().unwrap());
    let handler = |ConnectInfo(peer): ConnectInfo<SocketAddr>, request: Request| async move {
        answer(peer, request.headers().clone())
    };
    let app = Router::new().fallback(handler).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

async fn serve_status(status: u16) -> String {
    serve(move |_, headers| {
        let status = axum::http::StatusCode::from_u16(status).unwrap();
        (status, answer(&headers, NEW, "")).into_response()
    })
    .await
}

/// Says these bytes to everybody, whatever they ask, and then hangs or hangs up.
async fn serve_bytes(said: &'static str, hangs: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 1024]).await;
            let _ = stream.write_all(said.as_bytes()).await;
            if hangs {
                open.push(stream);
            }
        }
    });
    url
}

/// What a consumer with this key answers.
fn answer(headers: &HeaderMap, key_text: &str, more: &str) -> Bytes {
    let header = |name: &str| headers[name].to_str().unwrap();
    let consumer: ConsumerName = header("keyrelay-consumer").parse().unwrap();
    let proof = expected_proof(&key(key_text), &consumer, header("keyrelay-challenge"));
    format!(r#"{{"proof": "{proof}"{more}}}"#).into()
}

async fn ask(url: &str) -> ProofOutcome {
    ask_with(&to(&[url.to_owned()]), &Limits::default()).await
}

async fn ask_with(http: &Http<'_>, limits: &Limits) -> ProofOutcome {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let question = Question {
        credential: &"leaf7-main".parse::<CredentialName>().unwrap(),
        consumer: &"storefront".parse::<ConsumerName>().unwrap(),
        key: &key(NEW),
        others: &[key(OLD)],
        now: now(),
    };
    Prover::new(limits).http(http, &question).await
}

fn to(urls: &[String]) -> Http<'_> {
    Http { urls, instances: None, ca_cert: None, bearer: None }
}

fn in_use(proven: u32, wanted: Option<u32>) -> ProofOutcome {
    let instances = Instances { proven, wanted };
    ProofOutcome::Proven { level: ProofLevel::InUse, instances, at: now(), last_401_at: None }
}

fn unproven(why: &str) -> ProofOutcome {
    ProofOutcome::Unproven { why: why.into(), instances: Instances::default() }
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_795_251_600)
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

#[path = "https_tests.rs"]
mod https;
