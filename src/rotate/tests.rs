//! One request and no second one, whatever happens to the first; and each byte of what came back.

use super::*;
use crate::vendor::{Issued, issued};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

const LEGBA: &str = r#"
title: Legba
about: ""
dashboard: ""
base_url: https://api.legba.example
rotation:
  by: api
  call:
    post: /orgs/o1/api/key/rotate
    json: {expire: "{grace}"}
    graces: {24h: day}
    issued: [{status: [200], body: object, has: [/key]}]
    key: /key
grace: 24h
limit: {requests: 60, per: 60s}
probe:
  get: /orgs/o1/api/key
  header: Authorization
  scheme: "Bearer "
  alive: [{status: [200], body: object}]
  dead: [{status: [401], body: object}]
key: {min_len: 16, max_len: 200}
"#;
const NEW: &str = r#"{"key":"legba_canary9876543210canary","key_id":"key_2"}"#;

fn profile(base_url: String) -> Profile {
    let profile: Profile = yaml_serde::from_str(LEGBA).unwrap();
    Profile { base_url, ..profile }
}
fn key() -> Key {
    Key::parse("legba_canary0123456789canary").unwrap()
}

/// Answers each connection in its own way, the last way for all that follow; says what came over each.
struct Server {
    addr: SocketAddr,
    requests: mpsc::Receiver<String>,
}

impl Server {
    fn start(reply: impl Fn(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                if sender.send(request(&mut stream)).is_err() {
                    return;
                }
                reply(&mut stream);
            }
        });
        Self { addr, requests }
    }
    fn saying(answer: String) -> Self {
        Self::start(move |stream| stream.write_all(answer.as_bytes()).unwrap_or(()))
    }
    async fn call(&self) -> Called {
        let limits = Limits { request_timeout: Duration::from_millis(700), ..Limits::default() };
        Rotator::new(&limits).unwrap().call(&profile(format!("http://{}", self.addr)), &key()).await
    }
    #[track_caller]
    fn heard_one(&self) -> String {
        let one = self.requests.recv().unwrap();
        assert!(self.requests.try_recv().is_err(), "asked twice");
        one
    }
}

/// Head and body, as the length says.
fn request(stream: &mut TcpStream) -> String {
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        text.push(byte[0]);
    }
    let head = String::from_utf8(text).unwrap().to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).unwrap();
    head + std::str::from_utf8(&body).unwrap()
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: keep-alive\r\n\r\n{body}", body.len())
}
#[track_caller]
fn answered(called: Called) -> (u16, String) {
    match called {
        Called::Answered { status, body } => (status, String::from_utf8_lossy(&body).into_owned()),
        Called::Lost(why) | Called::Unsent(why) => panic!("{why}"),
    }
}

#[tokio::test]
async fn it_is_one_post_with_the_key_in_one_header_and_the_grace_in_the_vendors_word() {
    let server = Server::saying(ok(NEW));
    assert_eq!(answered(server.call().await), (200, NEW.to_owned()));
    let heard = server.heard_one();
    let (head, body) = heard.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.lines().map(str::to_owned).collect();
    lines[1..].sort();
    assert_eq!(
        lines,
        [
            "post /orgs/o1/api/key/rotate http/1.1".to_owned(),
            "accept: application/json".to_owned(),
            format!("authorization: bearer {}", key().expose()),
            "content-length: 16".to_owned(),
            "content-type: application/json".to_owned(),
            format!("host: {}", server.addr),
            format!("user-agent: keyrelay/{}", env!("CARGO_PKG_VERSION")),
        ]
    );
    assert_eq!(body, r#"{"expire":"day"}"#);
}

#[tokio::test]
async fn each_call_has_a_connection_of_its_own_and_a_reset_one_is_not_tried_again() {
    let limits = Limits { request_timeout: Duration::from_millis(700), ..Limits::default() };
    let rotator = Rotator::new(&limits).unwrap();
    let answered_once = std::sync::atomic::AtomicBool::new(false);
    // It says that it keeps the connection, answers the first request on it, and hangs up on whatever comes next.
    let server = Server::start(move |stream| {
        if !answered_once.swap(true, std::sync::atomic::Ordering::SeqCst) {
            stream.write_all(ok(NEW).as_bytes()).unwrap();
        }
    });
    let profile = profile(format!("http://{}", server.addr));
    assert_eq!(answered(rotator.call(&profile, &key()).await).0, 200);
    server.heard_one();
    assert!(matches!(rotator.call(&profile, &key()).await, Called::Lost(_)));
    server.heard_one();
}

#[tokio::test]
async fn s05_no_redirect_is_followed_and_its_target_hears_nothing() {
    let trap = Server::saying(ok(NEW));
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: http://{}/x", trap.addr);
        let server =
            Server::saying(format!("HTTP/1.1 {status} Moved\r\n{location}\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(answered(server.call().await), (status, String::new()));
        server.heard_one();
    }
    assert!(trap.requests.try_recv().is_err(), "the trap heard nothing");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_handed_over_as_far_as_it_came_and_may_hold_the_whole_key() {
    let server = Server::saying(format!("HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{NEW}"));
    let (status, body) = answered(server.call().await);
    let profile = profile(format!("http://{}", server.addr));
    assert!(matches!(issued(&profile, status, body.as_bytes()), Issued::Key(_)), "{body}");
    for cut in 1..NEW.len() {
        let part = &NEW[..cut];
        let server = Server::saying(format!("HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{part}"));
        let (status, body) = answered(server.call().await);
        assert_eq!(body, part);
        assert!(matches!(issued(&profile, status, body.as_bytes()), Issued::Unclear { .. }), "{part}");
        server.heard_one();
    }
}

#[tokio::test]
async fn silence_a_reset_and_nonsense_are_lost_answers() {
    let nothing = Server::start(|_| {});
    let half_a_head = Server::saying("HTTP/1.1 200 OK\r\nContent-".into());
    let nonsense = Server::saying("SSH-2.0-OpenSSH_9\r\n".into());
    let no_body = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 51\r\n\r\n".into());
    let silence = Server::start(|stream| _ = stream.read(&mut [0]));
    for server in [nothing, half_a_head, nonsense, no_body, silence] {
        let called = server.call().await;
        let Called::Lost(why) = called else { panic!("{called:?}") };
        assert!(!why.contains("canary"), "{why}");
        server.heard_one();
    }
}

#[tokio::test]
async fn what_never_left_is_not_lost() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rotator = Rotator::new(&Limits::default()).unwrap();
    let elsewhere = Profile { base_url: "http://api.legba.example".into(), ..profile(String::new()) };
    for profile in [profile(format!("http://{closed}")), elsewhere] {
        let called = rotator.call(&profile, &key()).await;
        assert!(matches!(called, Called::Unsent(_)), "{called:?}");
    }
}

#[tokio::test]
async fn of_a_huge_answer_the_beginning_is_kept() {
    let server = Server::saying(ok(&"x".repeat(BODY_MAX + 1)));
    assert_eq!(answered(server.call().await).1.len(), BODY_MAX);
}
