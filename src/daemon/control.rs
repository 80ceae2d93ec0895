//! The control socket: commands of operators on this machine, as JSON over HTTP. Who may open the socket may command;
//! the peer's uid goes into the history.

use super::{
    inbox::{Asked, Message},
    request::{Request, Response},
};
use axum::{
    Json, Router,
    extract::{ConnectInfo, State, connect_info::Connected},
    http::StatusCode,
    routing::post,
    serve::IncomingStream,
};
use rustix::fs::{AtFlags, Gid, Mode, chmod, chownat};
use std::{
    fs, io,
    os::unix::{fs::MetadataExt, net::UnixStream},
    path::{Path, PathBuf},
};
use tokio::{
    net::UnixListener,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// The group whose members may command.
const GROUP: &str = "keyrelay";

/// The open socket; its file goes with it.
pub struct Control {
    path: PathBuf,
    serving: JoinHandle<()>,
}

#[derive(Clone)]
struct Peer {
    uid: u32,
}
impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        // Who cannot be told is nobody.
        let uid = stream.io().peer_cred().map_or(u32::MAX, |peer| peer.uid());
        Self { uid }
    }
}

impl Control {
    /// Opens the socket, mode 0660. The error says what to do: another daemon, a missing folder.
    pub fn open(path: &Path, inbox: mpsc::Sender<Message>) -> Result<Self, String> {
        remove_leftover(path)?;
        let failed = |error: io::Error| {
            format!("the control socket {} cannot be opened: {error}{}", path.display(), advice(path, &error))
        };
        let listener = UnixListener::bind(path).map_err(failed)?;
        chmod(path, Mode::from_raw_mode(0o660)).map_err(|error| failed(error.into()))?;
        give_to_group(path);
        let router = Router::new().route("/command", post(command)).with_state(inbox);
        let service = router.into_make_service_with_connect_info::<Peer>();
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                tracing::error!("the control socket has failed: {error}");
            }
        });
        Ok(Self { path: path.to_owned(), serving })
    }
}
impl Drop for Control {
    fn drop(&mut self) {
        self.serving.abort();
        // A file that is left behind is removed by the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// A socket that nobody answers on is what a killed daemon left.
fn remove_leftover(path: &Path) -> Result<(), String> {
    if UnixStream::connect(path).is_ok() {
        return Err(format!(
            "another keyrelay answers at {}: stop it first (systemctl stop keyrelay)",
            path.display()
        ));
    }
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(format!("{} is in the way and cannot be removed: {error}", path.display()))
        }
        Ok(()) | Err(_) => Ok(()),
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
