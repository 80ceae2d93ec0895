//! This host: as whom the daemon works, whether it runs, and the folders and addresses that it needs.

use super::{
    Site,
    finding::{Area, Line},
};
use crate::{
    at_rest::private_file,
    config::Listen,
    daemon::{client, request::Request},
    face::status::Status,
};
use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// A daemon that is busy is asked for no longer than this.
const DAEMON_TIMEOUT: Duration = Duration::from_secs(10);

/// With what a running daemon says of itself.
pub async fn area(site: &Arc<Site>) -> (Area, Option<Status>) {
    let mut area = Area::new(format!("this host ({})", crate::daemon::host_name()));
    area.add(site.service.line.clone());
    let (line, status) = daemon(site).await;
    area.add(line);
    area.add(folder(site, "state folder", &site.config.state_dir, false).await);
    let spool = folder(site, "spool", &site.config.spool.dir, true).await;
    area.add(spool);
    area.add(spool_key(site));
    if status.is_none() {
        site.config.listen.iter().filter_map(listen).for_each(|line| area.add(line));
    }
    (area, status)
}

async fn daemon(site: &Site) -> (Line, Option<Status>) {
    let tried = format!("daemon at {}", site.config.control.display());
    let asked =
        tokio::time::timeout(DAEMON_TIMEOUT, client::ask(&site.config.control, &Request::Status)).await;
    match asked {
        Err(_) => (Line::failed(tried, "it does not answer").command("systemctl status keyrelay"), None),
        Ok(Err(why)) => (Line::warning(tried, why).command("sudo keyrelay doctor"), None),
        Ok(Ok(None)) => (Line::ok(tried, "none runs"), None),
        Ok(Ok(Some(response))) => match serde_json::from_value::<Status>(response.status) {
            Err(_) => (
                Line::warning(tried, "it answers, and is of another version")
                    .command("systemctl restart keyrelay"),
                None,
            ),
            Ok(status) => (running(&tried, &status), Some(status)),
        },
    }
}

fn running(tried: &str, status: &Status) -> Line {
    let own = env!("CARGO_PKG_VERSION");
    let version = &status.daemon.version;
    let needs = &status.daemon.needs_restart;
    let open = status.open().count();
    if version != own {
        let seen = format!("it runs version {version}, and this is {own}");
        return Line::warning(tried, seen).command("systemctl restart keyrelay");
    }
    if !needs.is_empty() {
        let seen = format!("it runs, and needs a restart for {}", needs.join(", "));
        return Line::warning(tried, seen).command("systemctl restart keyrelay");
    }
    match open {
        0 => Line::ok(tried, format!("it runs, version {version}, no open incident")),
        1 => Line::warning(tried, "it runs, and has an open incident").command("keyrelay status"),
        more => {
            Line::warning(tried, format!("it runs, and has {more} open incidents")).command("keyrelay status")
        }
    }
}

/// Whether the service can work in the folder, or make it. `private`: it refuses one that others may enter.
pub async fn folder(site: &Arc<Site>, what: &str, dir: &Path, private: bool) -> Line {
    let (tried, shown) = (format!("{what} {}", dir.display()), dir.display());
    let at = dir.to_owned();
    let found = match site.as_service(move || look_into(&at)).await {
        Ok(found) => found,
        Err(why) => return Line::failed(tried, why),
    };
    let owner = site.service.user().unwrap_or("USER");
    match found {
        InFolder::Writable { mode } if private && mode & 0o077 != 0 => {
            Line::failed(tried, format!("others may enter it (mode {mode:04o})"))
                .command(format!("chmod 700 {shown}"))
        }
        InFolder::Writable { .. } => Line::ok(tried, "written, renamed and removed in"),
        InFolder::ToBeMade => Line::ok(tried, "not there yet; the daemon can make it"),
        InFolder::NoParent(_) if site.service.unit.as_ref().is_some_and(|unit| unit.may_write(dir)) => {
            Line::ok(tried, "not there yet; systemd makes it at the first start")
        }
        InFolder::NoParent(above) => {
            Line::failed(tried, format!("not there, and nothing can be made in {}", above.display()))
                .command(format!("sudo install -d -m 700 -o {owner} {shown}"))
        }
        InFolder::Refused(why) => Line::failed(tried, format!("nothing can be written in it: {why}"))
            .command(format!("sudo chown -R {owner} {shown}")),
    }
}

enum InFolder {
    Writable {
        mode: u32,
    },
    ToBeMade,
    /// The nearest folder that is there cannot be written in.
    NoParent(PathBuf),
    Refused(String),
}

fn look_into(dir: &Path) -> InFolder {
    use rustix::fs::{Access, access};
    let about = match fs::metadata(dir) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = dir.ancestors().find(|above| above.exists()).unwrap_or(Path::new("/"));
            return match access(above, Access::WRITE_OK | Access::EXEC_OK) {
                Ok(()) => InFolder::ToBeMade,
                Err(_) => InFolder::NoParent(above.to_owned()),
            };
        }
        Err(error) => return InFolder::Refused(error.to_string()),
    };
    match try_file(dir) {
        Ok(()) => InFolder::Writable { mode: about.mode() & 0o7777 },
        Err(error) => InFolder::Refused(error.to_string()),
    }
}

fn try_file(dir: &Path) -> io::Result<()> {
    let (one, other) = (dir.join(".keyrelay-doctor"), dir.join(".keyrelay-doctor.renamed"));
    // What an earlier try left behind is ours.
    let _ = fs::remove_file(&one);
    private_file().write(true).create_new(true).open(&one)?.sync_all()?;
    let renamed = fs::rename(&one, &other);
    fs::remove_file(if renamed.is_ok() { &other } else { &one })?;
    renamed
}

/// What protects a key that waits.
fn spool_key(site: &Site) -> Line {
    let seen = match &site.config.spool.key {
        Some(_) if site.misses("spool.") => "its key is missing: see secrets",
        Some(_) => "its key is kept apart from it: who copies the disk cannot read a key that waits",
        None => {
            "its key is generated beside it: that keeps a waiting key from who gets single files of it, not from root \
             nor from who copies the whole folder; spool.key: {credential: NAME} does"
        }
    };
    Line::ok("spool's encryption", seen)
}

/// The daemon does not run, so nobody should be there.
fn listen(listen: &Listen) -> Option<Line> {
    let Listen::Tcp(address) = listen else { return None };
    let tried = format!("listen {address}");
    Some(match TcpListener::bind(address) {
        Ok(_) => Line::ok(tried, "free"),
        Err(error) => taken(tried, *address, &error),
    })
}

fn taken(tried: String, address: SocketAddr, error: &io::Error) -> Line {
    let line = Line::failed(tried, format!("it cannot be opened: {error}"));
    match error.kind() {
        io::ErrorKind::AddrInUse => line.command(format!("ss -ltnp 'sport = :{}'", address.port())),
        _ => line.advice("name another address (listen: in the configuration)"),
    }
}
