//! A Unix socket in the file system: what a killed daemon left is taken away, what is in use is not, and the file goes
//! with the one who opened it. Who connects is known by his uid.

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use rustix::{
    fs::{Mode, chmod},
    io::Errno,
};
use std::{
    fs, io,
    os::unix::{fs::FileTypeExt, net::UnixStream},
    path::{Path, PathBuf},
};
use tokio::net::UnixListener;

/// The socket's file: it is removed with this. One that is left behind is removed by the next start.
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody has removed it already.
        let _ = fs::remove_file(&self.0);
    }
}

/// Opens it with this mode. `AddrInUse`: somebody answers there. `AlreadyExists`: another file has its place.
pub fn open(path: &Path, mode: u32) -> io::Result<(UnixListener, SocketFile)> {
    remove_leftover(path)?;
    let listener = UnixListener::bind(path)?;
    let file = SocketFile(path.to_owned());
    chmod(path, Mode::from_raw_mode(mode))?;
    Ok((listener, file))
}

/// A socket that nobody answers on is what a killed daemon left.
fn remove_leftover(path: &Path) -> io::Result<()> {
    if UnixStream::connect(path).is_ok() {
        return Err(Errno::ADDRINUSE.into());
    }
    match fs::symlink_metadata(path) {
        Ok(about) if about.file_type().is_socket() => fs::remove_file(path),
        Ok(_) => Err(Errno::EXIST.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Who is at the other end.
#[derive(Clone, Copy)]
pub struct Peer {
    pub uid: u32,
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        // Who cannot be told is nobody.
        let uid = stream.io().peer_cred().map_or(u32::MAX, |peer| peer.uid());
        Self { uid }
    }
}
