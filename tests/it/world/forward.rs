//! A wire from one loopback address to a server of the test: bytes pass as they are.

use std::net::{Ipv4Addr, SocketAddrV4};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Cut when dropped.
pub struct Forward(JoinHandle<()>);

impl Forward {
    /// Connections to `from` reach this port of loopback.
    pub async fn start(from: SocketAddrV4, port: u16) -> Self {
        let listener = TcpListener::bind(from).await.expect("an address of loopback");
        Self(tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                tokio::spawn(async move {
                    if let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                        // A connection that breaks has ended.
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        }))
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.0.abort();
    }
}
