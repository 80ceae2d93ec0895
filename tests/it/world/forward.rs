//! A wire from one loopback address to a server of the test: bytes pass as they are, until it is cut.

use std::net::{Ipv4Addr, SocketAddrV4};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Gone when dropped.
pub struct Forward {
    listening: JoinHandle<()>,
    whole: watch::Sender<bool>,
    from: SocketAddrV4,
}

impl Forward {
    /// Connections to `from` reach this port of loopback.
    pub async fn start(from: SocketAddrV4, port: u16) -> Self {
        let listener = TcpListener::bind(from).await.expect("an address of loopback");
        let (whole, watched) = watch::channel(true);
        let listening = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let watched = watched.clone();
                tokio::spawn(pass(near, port, watched));
            }
        });
        Self { listening, whole, from }
    }
    /// As a server over TLS is reached through it.
    pub fn url(&self) -> String {
        format!("https://{}", self.from)
    }
    /// Every connection ends, and each new one at once.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }
    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn pass(mut near: TcpStream, port: u16, mut watched: watch::Receiver<bool>) {
    let is_whole = *watched.borrow();
    if is_whole && let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
        // A connection that breaks has ended.
        tokio::select! {
            _ = copy_bidirectional(&mut near, &mut far) => {}
            _ = watched.wait_for(|whole| !whole) => {}
        }
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
