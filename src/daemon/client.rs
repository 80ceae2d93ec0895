//! Asking a running daemon over its control socket.

use super::request::{Request, Response};
use std::{io, os::unix::net::UnixStream, path::Path, time::Duration};

/// Longer than any command waits: for its consumers, and before that for a vendor whose answer was lost.
const PATIENCE: Duration = Duration::from_secs(300);

/// Whether somebody answers there. The error is for the operator: no right to ask.
pub fn is_there(socket: &Path) -> Result<bool, String> {
    let path = socket.display();
    match UnixStream::connect(socket) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            Ok(false)
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(format!("{path} may not be opened by this user: use sudo, or join the group keyrelay"))
        }
        Err(error) => Err(format!("{path}: {error}")),
    }
}

/// `None`: nobody answers there. The error is for the operator: no right to ask, or an answer that makes no sense.
pub async fn ask(socket: &Path, request: &Request) -> Result<Option<Response>, String> {
    if !is_there(socket)? {
        return Ok(None);
    }
    let path = socket.display();
    let client = crate::http::client().unix_socket(socket).timeout(PATIENCE).build();
    let client = client.map_err(|error| format!("{path}: {error}"))?;
    let sent = client.post("http://localhost/command").json(request).send().await;
    let failed =
        |error: reqwest::Error| format!("the daemon at {path} did not answer: {}", error.without_url());
    let answer = sent.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    answer.json().await.map(Some).map_err(failed)
}
