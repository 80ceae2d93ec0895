//! Stands between the daemon and a server and writes down what passes, with the time: so nobody has to ask the servers
//! anything while they are being measured.

use keyrelay::domain::Timestamp;
use std::{
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime},
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

/// One piece, as it was read from one side.
#[derive(Clone)]
struct Passed {
    at: Instant,
    wall: Timestamp,
    connection: usize,
    from: From,
    bytes: usize,
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
        let accepting = tokio::spawn(accept(listener, upstream, seen.clone()));
        Self { port, seen, accepting }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// When the first piece after `since` passed that says this.
    pub fn first(&self, since: Instant, from: From, word: &str) -> Option<Instant> {
        let fits = |passed: &&Passed| passed.at >= since && passed.from == from && passed.text.contains(word);
        self.seen().iter().find(fits).map(|passed| passed.at)
    }

    /// When the answer passed to the request that the server was busy with at `moment` by its own clock: of several
    /// requests the largest, which is the one that wrote.
    pub fn answered(&self, moment: Timestamp) -> Option<Instant> {
        let seen = self.seen();
        let connections = seen.iter().map(|passed| passed.connection).max()? + 1;
        let exchange = |connection: usize| {
            let mine = || seen.iter().filter(move |passed| passed.connection == connection);
            let request = mine().rfind(|passed| passed.from == From::Client && passed.wall <= moment)?;
            let answer = mine().find(|passed| passed.from == From::Server && passed.at > request.at)?;
            (answer.wall >= moment).then_some((request.bytes, answer.at))
        };
        (0..connections).filter_map(exchange).max_by_key(|(bytes, _)| *bytes).map(|(_, at)| at)
    }

    fn seen(&self) -> MutexGuard<'_, Vec<Passed>> {
        lock(&self.seen)
    }
}

async fn accept(listener: TcpListener, upstream: u16, seen: Seen) {
    let mut connection = 0;
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).await else { continue };
        for stream in [&client, &server] {
            stream.set_nodelay(true).expect("a socket's option");
        }
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::spawn(pass(from_client, to_server, connection, From::Client, seen.clone()));
        tokio::spawn(pass(from_server, to_client, connection, From::Server, seen.clone()));
        connection += 1;
    }
}

async fn pass(
    mut input: OwnedReadHalf,
    mut output: OwnedWriteHalf,
    connection: usize,
    from: From,
    seen: Seen,
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(bytes @ 1..) = input.read(&mut buffer).await {
        let text = String::from_utf8_lossy(&buffer[..bytes.min(KEPT_BYTES)]).into_owned();
        let (at, wall) = (Instant::now(), SystemTime::now().into());
        lock(&seen).push(Passed { at, wall, connection, from, bytes, text });
        if output.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
}

fn lock(seen: &Seen) -> MutexGuard<'_, Vec<Passed>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
