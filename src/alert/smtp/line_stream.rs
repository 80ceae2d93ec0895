//! A TCP stream that gives at most one line a read.
//!
//! lettre keeps what it read ahead when STARTTLS turns the stream into TLS. Whoever sits on the line could so put
//! answers of his own behind the server's go-ahead, and they would count as the server's: a refused mail would pass
//! for sent. Given line by line nothing is ever read ahead, and what was put in meets the TLS handshake, which fails.

use lettre::transport::smtp::client::AsyncTokioStream;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// More than a line of SMTP may have; a longer one comes in pieces.
const PIECE: usize = 1024;

#[derive(Debug)]
pub(super) struct LineStream(pub(super) TcpStream);

impl AsyncRead for LineStream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = &mut self.get_mut().0;
        let mut piece = [0; PIECE];
        let room = to.remaining().min(PIECE);
        let seen = ready!(stream.poll_peek(cx, &mut ReadBuf::new(&mut piece[..room])))?;
        let line = piece[..seen].iter().position(|byte| *byte == b'\n').map_or(seen, |end| end + 1);
        let mut taken = ReadBuf::new(&mut piece[..line]);
        ready!(Pin::new(stream).poll_read(cx, &mut taken))?;
        to.put_slice(taken.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, from)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for LineStream {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}
