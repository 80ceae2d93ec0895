//! One HTTP server on loopback, on a port of its own, that ends with its handle; for the demo and the tests.

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Accepts until it is dropped.
pub struct Server {
    pub addr: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start(router: Router) -> io::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let service = router.into_make_service_with_connect_info::<Cutter>();
        let serve = axum::serve(Wires(listener), service);
        let task = tokio::spawn(async move { serve.await.unwrap_or(()) });
        Ok(Self { addr, task })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Lets a handler reset the connection that its request came over: the work is done, and its answer is lost.
#[derive(Clone)]
pub struct Cutter(Arc<AtomicUsize>);

/// In place of a number of bytes.
const WHOLE: usize = usize::MAX;
const CUT: usize = usize::MAX - 1;

impl Cutter {
    fn whole() -> Self {
        Self(Arc::new(AtomicUsize::new(WHOLE)))
    }

    pub fn cut(&self) {
        self.0.store(CUT, Ordering::Relaxed);
    }

    /// The answer's head and so many bytes of its body come through.
    pub fn cut_after(&self, body_bytes: usize) {
        self.0.store(body_bytes.min(CUT - 1), Ordering::Relaxed);
    }

    /// How much of what is written next still comes through; `None`: all.
    fn rest(&self, written: &[u8]) -> Option<usize> {
        const END_OF_HEAD: &[u8] = b"\r\n\r\n";
        let body_bytes = match self.0.load(Ordering::Relaxed) {
            WHOLE | CUT => return None,
            body_bytes => body_bytes,
        };
        let head = written.windows(END_OF_HEAD.len()).position(|part| part == END_OF_HEAD);
        let head = head.map_or(0, |at| at + END_OF_HEAD.len());
        Some((head + body_bytes).min(written.len()))
    }
}

impl Connected<IncomingStream<'_, Wires>> for Cutter {
    fn connect_info(incoming: IncomingStream<'_, Wires>) -> Self {
        incoming.io().cutter.clone()
    }
}

struct Wires(TcpListener);

impl Listener for Wires {
    type Io = Wire;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Wire, SocketAddr) {
        let (stream, addr) = Listener::accept(&mut self.0).await;
        stream.set_nodelay(true).unwrap_or(());
        (Wire { stream, cutter: Cutter::whole() }, addr)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// A connection that can be cut from within.
struct Wire {
    stream: TcpStream,
    cutter: Cutter,
}

impl Wire {
    fn whole(&self) -> io::Result<()> {
        if self.cutter.0.load(Ordering::Relaxed) == CUT {
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.whole()?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.whole()?;
        let rest = self.cutter.rest(buf);
        let written = Pin::new(&mut self.stream).poll_write(cx, &buf[..rest.unwrap_or(buf.len())]);
        if rest.is_some() && written.is_ready() {
            self.cutter.cut();
        }
        written
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
