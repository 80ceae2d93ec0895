//! Somebody who is posted to, and who listens for a sign of life.

use crate::world::until;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

pub struct Receiver {
    address: String,
    state: Arc<Mutex<State>>,
}

struct State {
    status: u16,
    requests: Vec<(String, String)>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("its address"));
        let state = Arc::new(Mutex::new(State { status: 200, requests: Vec::new() }));
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, shared.clone()));
            }
        });
        Self { address, state }
    }
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }
    /// From now on every request is answered with this.
    pub fn answers(&self, status: u16) {
        self.state.lock().expect("the state").status = status;
    }
    /// How often somebody fetched anything.
    pub fn beats(&self) -> usize {
        self.requests().iter().filter(|(head, _)| head.starts_with("GET ")).count()
    }
    /// What was posted and taken, oldest first.
    pub fn posts(&self) -> Vec<Value> {
        let requests = self.requests();
        let posts = requests.iter().filter(|(head, _)| head.starts_with("POST "));
        posts.map(|(_, body)| serde_json::from_str(body).expect("JSON")).collect()
    }
    pub async fn wait_for(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        until(&format!("a post: {what}"), async || self.posts().into_iter().find(|post| fits(post))).await
    }
    fn requests(&self) -> Vec<(String, String)> {
        self.state.lock().expect("the state").requests.clone()
    }
}

async fn answer(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return,
            Ok(count) => bytes.extend_from_slice(&more[..count]),
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = |line: &str| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok();
        if body.len() >= head.lines().find_map(length).unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let status = {
        let mut state = state.lock().expect("the state");
        if state.status == 200 {
            state.requests.push((head, body));
        }
        state.status
    };
    let answer = format!("HTTP/1.1 {status} as told\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(answer.as_bytes()).await;
}
