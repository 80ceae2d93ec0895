//! Where the face is served: loopback ports and Unix sockets, which come and go with the configuration.

use super::{Inbox, Source, headers, page, router};
use crate::{
    config::Listen,
    daemon::socket::{self, Peer, SocketFile},
    face::metrics::Counted,
};
use axum::{
    Router,
    extract::connect_info::Connected,
    middleware::from_fn,
    serve::{IncomingStream, Listener},
};
use std::{io, path::Path};
use tokio::{
    net::{TcpListener, UnixListener},
    sync::watch,
};

/// Whoever is on this machine may ask, as he may on loopback; a folder narrows it.
const SOCKET_MODE: u32 = 0o666;

/// Open listeners; they end when this is dropped.
pub struct Face {
    source: Unplaced,
    open: Vec<Open>,
}

struct Open {
    listen: Listen,
    /// Dropped, it ends the listener, and what watches over it.
    _here: watch::Sender<()>,
    _file: Option<SocketFile>,
}

/// Listeners that are open already, and count only when all else is right.
pub struct Opened(Vec<Open>);

/// All that answers are made of, but the listener.
struct Unplaced {
    inbox: Inbox,
    counted: Counted,
    pages: page::Pages,
}

/// Who asks: a uid, where it is a Unix socket's.
#[derive(Clone, Copy)]
pub(super) struct Caller(pub Option<u32>);

impl Connected<IncomingStream<'_, TcpListener>> for Caller {
    fn connect_info(_: IncomingStream<'_, TcpListener>) -> Self {
        Self(None)
    }
}
impl Connected<IncomingStream<'_, UnixListener>> for Caller {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(Some(Peer::connect_info(stream).uid))
    }
}

impl Face {
    /// The error says which address is in use, and what to do.
    pub async fn open(
        listen: &[Listen],
        inbox: Inbox,
        counted: Counted,
        state_dir: &Path,
    ) -> Result<Self, String> {
        let source = Unplaced { inbox, counted, pages: page::Pages::new(state_dir) };
        let mut face = Self { source, open: Vec::new() };
        let opened = face.open_missing(listen).await?;
        face.change(listen, opened);
        Ok(face)
    }

    /// Opens those of another configuration that are not open yet; all of them, or none.
    pub async fn open_missing(&self, listen: &[Listen]) -> Result<Opened, String> {
        let mut opened = Vec::new();
        for listen in listen.iter().filter(|listen| !self.open.iter().any(|open| open.listen == **listen)) {
            opened.push(self.source.open(listen).await?);
        }
        Ok(Opened(opened))
    }

    /// From now on these, and no others.
    pub fn change(&mut self, listen: &[Listen], opened: Opened) {
        self.open.retain(|open| listen.contains(&open.listen));
        self.open.extend(opened.0);
    }
}

impl Unplaced {
    async fn open(&self, listen: &Listen) -> Result<Open, String> {
        let (here, gone) = watch::channel(());
        let (inbox, counted, pages) = (self.inbox.clone(), self.counted.clone(), self.pages.clone());
        let router = router(Source { inbox, counted, pages, gone: gone.clone() });
        let file = match listen {
            Listen::Tcp(address) => {
                let listener = TcpListener::bind(address)
                    .await
                    .map_err(|error| refused(&address.to_string(), &error))?;
                serve(listener, router.layer(from_fn(headers::only_loopback_names)), gone);
                None
            }
            // No browser gets here by any name.
            Listen::Unix(path) => {
                let (listener, file) = socket::open(path, SOCKET_MODE)
                    .map_err(|error| refused(&format!("unix:{}", path.display()), &error))?;
                serve(listener, router, gone);
                Some(file)
            }
        };
        Ok(Open { listen: listen.clone(), _here: here, _file: file })
    }
}

fn serve<L>(listener: L, router: Router, mut gone: watch::Receiver<()>)
where
    L: Listener<Addr: std::fmt::Debug>,
    Caller: for<'a> Connected<IncomingStream<'a, L>>,
{
    let service = router.into_make_service_with_connect_info::<Caller>();
    // Connections that are idle end with it, others with their answer.
    let end = async move { _ = gone.changed().await };
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(end).await {
            tracing::error!("the HTTP face has failed: {error}");
        }
    });
}

fn refused(address: &str, error: &io::Error) -> String {
    let another = "name another one (listen: in the configuration), or turn it off (listen: off)";
    match error.kind() {
        io::ErrorKind::AddrInUse => format!("cannot listen on {address}: {error}; {another}"),
        io::ErrorKind::AlreadyExists => {
            format!(
                "cannot listen on {address}: a file that is no socket is in the way; remove it, or {another}"
            )
        }
        io::ErrorKind::NotFound => {
            format!("cannot listen on {address}: its folder does not exist; create it, or {another}")
        }
        _ => format!("cannot listen on {address}: {error}"),
    }
}
