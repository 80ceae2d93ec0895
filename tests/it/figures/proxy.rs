//! Stands between the daemon and the IMAP server and writes down what passes, with the time.

use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

/// Enough of what passes to know what it is.
const KEPT_BYTES: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum From {
    Client,
    Server,
}

struct Passed {
    at: Instant,
    from: From,
    text: String,
}

type Seen = Arc<Mutex<Vec<Passed>>>;

pub struct Proxy {
    port: u16,
    seen: Seen,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    pub async fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let seen = Seen::default();
        let theirs = seen.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await else { continue };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).expect("a socket's option");
                }
                let ((from_client, to_client), (from_server, to_server)) =
                    (client.into_split(), server.into_split());
                tokio::spawn(pass(from_client, to_server, From::Client, theirs.clone()));
                tokio::spawn(pass(from_server, to_client, From::Server, theirs.clone()));
            }
        });
        Self { port, seen, accepting }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// When the first piece after `since` passed that says this.
    pub fn first(&self, since: Instant, from: From, word: &str) -> Option<Instant> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |passed: &&Passed| passed.at >= since && passed.from == from && passed.text.contains(word);
        seen.iter().find(fits).map(|passed| passed.at)
    }
}

async fn pass(mut input: OwnedReadHalf, mut output: OwnedWriteHalf, from: From, seen: Seen) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let Ok(count @ 1..) = input.read(&mut buffer).await else { return };
        let text = String::from_utf8_lossy(&buffer[..count.min(KEPT_BYTES)]).into_owned();
        let passed = Passed { at: Instant::now(), from, text };
        seen.lock().unwrap_or_else(PoisonError::into_inner).push(passed);
        if output.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
