//! A wire from a port of loopback to a server of the test, which can be held up at a word of the client's, or go
//! silent: bytes are lost, and nobody is told.

use std::net::Ipv4Addr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

pub struct Tap {
    port: u16,
    state: watch::Sender<State>,
    accepting: JoinHandle<()>,
}

#[derive(Clone, Default)]
struct State {
    /// What the client says with this word in it waits.
    hold_at: Option<&'static str>,
    holding: bool,
    /// Connections that were opened before so many silences are silent.
    silences: usize,
}

impl Tap {
    pub async fn to(server: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let state = watch::Sender::new(State::default());
        let accepting = tokio::spawn(accept(listener, server, state.clone()));
        Self { port, state, accepting }
    }
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the client next says with this word in it waits until it is let go.
    pub fn hold_at(&self, word: &'static str) {
        self.state.send_modify(|state| state.hold_at = Some(word));
    }
    /// Waits until something waits.
    pub async fn holds(&self) {
        let mut state = self.state.subscribe();
        state.wait_for(|state| state.holding).await.expect("a tap");
    }
    pub fn let_go(&self) {
        self.state.send_modify(|state| (state.hold_at, state.holding) = (None, false));
    }
    /// The connections that there are stay open, and nothing passes on them any more.
    pub fn silence(&self) {
        self.state.send_modify(|state| state.silences += 1);
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, server: u16, state: watch::Sender<State>) {
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await else { continue };
        for stream in [&client, &server] {
            stream.set_nodelay(true).expect("a socket's option");
        }
        tokio::spawn(connect(client, server, state.clone()));
    }
}

async fn connect(mut client: TcpStream, mut server: TcpStream, state: watch::Sender<State>) {
    let before = state.borrow().silences;
    let mut silent = state.subscribe();
    let passing = async {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let said = async {
            let mut piece = vec![0; 64 << 10];
            while let Ok(n @ 1..) = from_client.read(&mut piece).await {
                wait_if_held(&piece[..n], &state).await;
                if to_server.write_all(&piece[..n]).await.is_err() {
                    return;
                }
            }
        };
        let answered = async { _ = tokio::io::copy(&mut from_server, &mut to_client).await };
        tokio::select! { () = said => {}, () = answered => {} }
    };
    tokio::select! {
        () = passing => return,
        Ok(_) = silent.wait_for(|state| state.silences > before) => {}
    }
    // Both sides believe in a connection until the tap is gone.
    let _connection = (client, server);
    std::future::pending::<()>().await;
}

async fn wait_if_held(said: &[u8], state: &watch::Sender<State>) {
    let held = state.borrow().hold_at.is_some_and(|word| String::from_utf8_lossy(said).contains(word));
    if held {
        state.send_modify(|state| state.holding = true);
        let _ = state.subscribe().wait_for(|state| !state.holding).await;
    }
}
