//! The control socket: commands of operators on this machine, as JSON over HTTP. Who may open the socket may command;
//! the peer's uid goes into the history.

use super::{
    inbox::{Asked, Message},
    request::{Request, Response},
    socket::{self, Peer, SocketFile},
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, State},
    http::StatusCode,
    routing::post,
};
use rustix::fs::{AtFlags, Gid, chownat};
use std::{fs, io, os::unix::fs::MetadataExt, path::Path};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// The group whose members may command.
const GROUP: &str = "keyrelay";

/// The open socket; its file goes with it.
pub struct Control {
    serving: JoinHandle<()>,
    _file: SocketFile,
}

impl Control {
    /// Opens the socket, mode 0660. The error says what to do: another daemon, a missing folder.
    pub fn open(path: &Path, inbox: mpsc::Sender<Message>) -> Result<Self, String> {
        let (listener, file) = socket::open(path, 0o660).map_err(|error| refused(path, &error))?;
        give_to_group(path);
        let router = Router::new().route("/command", post(command)).with_state(inbox);
        let service = router.into_make_service_with_connect_info::<Peer>();
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                tracing::error!("the control socket has failed: {error}");
            }
        });
        Ok(Self { serving, _file: file })
    }
}
impl Drop for Control {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn refused(path: &Path, error: &io::Error) -> String {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("another keyrelay answers at {shown}: stop it first (systemctl stop keyrelay)")
        }
        io::ErrorKind::AlreadyExists => format!(
            "{shown} is in the way of the control socket: it is no socket; remove it, or name another path (control: \
             in the configuration)"
        ),
        _ => format!("the control socket {shown} cannot be opened: {error}{}", advice(path, error)),
    }
}
fn advice(path: &Path, error: &io::Error) -> String {
    let folder = path.parent().unwrap_or(Path::new("/")).display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            format!("; create the folder {folder}, or name another path (control: in the configuration)")
        }
        io::ErrorKind::PermissionDenied => {
            format!("; make {folder} writable for the user that keyrelay runs as")
        }
        _ => String::new(),
    }
}
/// Where there is no such group, or this user is not in it, only the user itself may command.
fn give_to_group(path: &Path) {
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let line = groups.lines().find(|line| line.split(':').next() == Some(GROUP));
    let gid = line.and_then(|line| line.split(':').nth(2)?.parse().ok());
    let has = fs::metadata(path).map(|about| about.gid()).ok();
    // Under systemd it is the group's from the beginning, and giving files away is forbidden altogether.
    if let Some(gid) = gid.filter(|gid| has != Some(*gid))
        && let Err(error) = chownat(rustix::fs::CWD, path, None, Some(Gid::from_raw(gid)), AtFlags::empty())
    {
        tracing::warn!("{} is not given to the group {GROUP}: {error}", path.display());
    }
}

async fn command(
    State(inbox): State<mpsc::Sender<Message>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Json(request): Json<Request>,
) -> Result<Json<Response>, StatusCode> {
    let (answer, answered) = oneshot::channel();
    let asked = Asked { request, uid: peer.uid, answer };
    inbox.send(Message::Asked(asked)).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    answered.await.map(Json).map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}
