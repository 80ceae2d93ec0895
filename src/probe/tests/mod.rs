//! What a probe makes of each answer, and what it never sends to whom.

mod connection;
mod control;
mod tls;

use super::Prober;
use crate::domain::{Account, Key, Limits, ProbeAnswer, Verdict};
use crate::vendor::Profile;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

const LEAF7: &str = r#"
title: Leaf7
about: ""
dashboard: ""
base_url: https://api.leaf7.fun
rotation: {by: vendor}
limit: {requests: 60, per: 60s}
probe:
  get: /api/vendor/projects/
  header: Authorization
  scheme: "Bearer "
  alive: [{status: [200], body: array, each_has: [project_id, name]}]
  dead: [{status: [401, 403], body: object, equals: {/detail: Not authenticated}}]
  identity: {each: project_id}
key: {min_len: 20, max_len: 200}
"#;

pub(crate) fn leaf7(base_url: &str) -> Profile {
    // As the configuration is read: YAML, then the types.
    let read: serde_json::Value = yaml_serde::from_str(LEAF7).unwrap();
    let profile: Profile = serde_json::from_value(read).unwrap();
    Profile { base_url: base_url.to_owned(), ..profile }
}

fn key() -> Key {
    Key::parse("l7_canary0123456789canary0123456789canary").unwrap()
}

async fn ask(base_url: &str) -> ProbeAnswer {
    Prober::new(&Limits::default()).unwrap().probe(&leaf7(base_url), &key()).await
}

fn unclear(why: &str) -> ProbeAnswer {
    ProbeAnswer::unclear(why)
}

fn ids(ids: &[&str]) -> Option<Account> {
    Some(ids.iter().copied().collect())
}

/// A server that says the same to everybody: for answers that no web framework would send. `heads` yields the head of
/// each request that came.
struct Canned {
    addr: SocketAddr,
    heads: mpsc::Receiver<String>,
}

impl Canned {
    /// `reply` writes the answer, and the connection closes when it returns.
    fn start(reply: impl Fn(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (sender, heads) = mpsc::channel();
        thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let head = head(&mut stream);
                if sender.send(head).is_err() {
                    return;
                }
                reply(&mut stream);
            }
        });
        Self { addr, heads }
    }

    fn saying(answer: impl Into<String>) -> Self {
        let answer = answer.into();
        // A client that has seen enough hangs up early.
        Self::start(move |stream| stream.write_all(answer.as_bytes()).unwrap_or(()))
    }

    fn url(&self) -> String {
        format!("http://{}", self.addr)
    }
}

fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}
