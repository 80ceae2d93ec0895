//! The spool's folder: names, whole files, and room that is kept free for them. It sees sealed bytes only.

use crate::{
    at_rest::{SealingKey, check_private, private_file, sync_dir},
    domain::Secret,
};
use rustix::fs::{FallocateFlags, RenameFlags};
use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The spool's own key, where none is configured.
pub(super) const KEY_FILE: &str = "spool.secret";
const NEW_KEY_FILE: &str = "spool.secret.new";

/// Held so that a full disk still takes keys: sixteen candidates at a block each.
const RESERVE_FILE: &str = "reserve";
const RESERVE_BYTES: u64 = 64 << 10;

const ENTRY: &str = ".key";
/// A mailbox's refresh token.
pub(super) const TOKEN: &str = ".token";
/// A vendor's answer to the call for a new key.
pub(super) const ANSWER: &str = ".answer";
const UNFINISHED: [&str; 3] = [".key.new", ".token.new", ".answer.new"];
const LOCK: &str = ".lock";
/// What is written to see that it can be.
const TRIAL: &str = "trial";
const TRIAL_FILE: &str = "trial.new";

/// The largest entry, in bytes: a key has 512 at most, and a note's texts are a few hundred.
const ENTRY_MAX: u64 = 64 << 10;

/// What a name in the folder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Entry,
    /// A temporary file that no rename followed.
    Unfinished,
    Token,
    Answer,
    /// The key, the reserve, a lock.
    Ours,
    Foreign,
}

pub(super) struct Files {
    dir: PathBuf,
}

impl Files {
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Every name in the folder, in order.
    pub fn names(&self) -> Result<Vec<(String, Kind)>, String> {
        let failed = |error: io::Error| format!("{}: {error}", self.dir.display());
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = match name.as_str() {
                KEY_FILE | NEW_KEY_FILE | RESERVE_FILE | TRIAL_FILE => Kind::Ours,
                _ if name.ends_with(ENTRY) => Kind::Entry,
                _ if name.ends_with(TOKEN) => Kind::Token,
                _ if name.ends_with(ANSWER) => Kind::Answer,
                _ if name.ends_with(LOCK) => Kind::Ours,
                _ if UNFINISHED.iter().any(|end| name.ends_with(end)) => Kind::Unfinished,
                _ => Kind::Foreign,
            };
            names.push((name, kind));
        }
        names.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Ok(names)
    }

    /// Writes the file whole or not at all, and returns when it survives a power cut. On a full disk the reserve is
    /// given up for it.
    pub fn write(&self, name: &str, sealed: &[u8]) -> Result<(), String> {
        if sealed.len() as u64 > ENTRY_MAX {
            return Err(format!(
                "{name}: an entry of {} bytes is not written; {ENTRY_MAX} are the limit",
                sealed.len()
            ));
        }
        let mut result = self.write_new(name, sealed);
        if result.as_ref().is_err_and(is_full) {
            // What is left of the first try and the reserve make the room for the second.
            let _ = fs::remove_file(self.unfinished_path(name));
            let _ = fs::remove_file(self.path(RESERVE_FILE));
            result = self.write_new(name, sealed);
        } else {
            self.reserve();
        }
        if result.is_err() {
            // The caller still has the key; a rest of it would be told of as lost.
            let _ = fs::remove_file(self.unfinished_path(name));
        }
        result
            .and_then(|()| self.rename(name))
            .map_err(|error| format!("{}: {error}", self.path(name).display()))
    }

    pub fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        read(&self.path(name)).map_err(|error| error.to_string())
    }

    /// `None`: there is no such file.
    pub fn read_if_there(&self, name: &str) -> Result<Option<Vec<u8>>, String> {
        match read(&self.path(name)) {
            Ok(sealed) => Ok(Some(sealed)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Waits until nobody else holds that lock; it is let go when the file is closed, also by a crash.
    pub fn lock(&self, name: &str) -> Result<File, String> {
        let path = self.path(name);
        let opened = private_file().write(true).create(true).truncate(false).open(&path);
        opened
            .and_then(|file| file.lock().map(|()| file))
            .map_err(|error| format!("{}: {error}", path.display()))
    }

    pub fn remove(&self, name: &str) -> Result<(), String> {
        let removed = match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other.and_then(|()| sync_dir(&self.dir)),
        };
        self.reserve();
        removed.map_err(|error| format!("{}: {error}", self.path(name).display()))
    }

    /// The temporary files that a crash left, under the names that they were to get. Empty ones are removed: they hold
    /// nothing.
    pub fn unfinished(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        for (name, kind) in self.names().unwrap_or_default() {
            let path = self.path(&name);
            match (kind, read(&path)) {
                (Kind::Unfinished, Ok(sealed)) if sealed.is_empty() => {
                    // Left behind it is named as unreadable, which is as good.
                    let _ = fs::remove_file(path);
                }
                (Kind::Unfinished, Ok(sealed)) => {
                    found.push((name.trim_end_matches(".new").to_owned(), sealed))
                }
                (
                    Kind::Unfinished | Kind::Entry | Kind::Token | Kind::Answer | Kind::Ours | Kind::Foreign,
                    _,
                ) => {}
            }
        }
        found
    }

    /// Gives an unfinished file the name that it was to get.
    pub fn finish(&self, name: &str) -> Result<(), String> {
        let synced = File::open(self.unfinished_path(name)).and_then(|file| file.sync_all());
        synced
            .and_then(|()| self.rename(name))
            .map_err(|error| format!("{}: {error}", self.path(name).display()))
    }

    /// Writes as much as the largest entry has, to disk, and lets go of it again; room is kept for it afterwards.
    pub fn try_out(&self) -> Result<(), String> {
        let trial = self.write_new(TRIAL, &[0; ENTRY_MAX as usize]);
        // What is left behind is written over by the next trial.
        let _ = fs::remove_file(self.unfinished_path(TRIAL));
        self.reserve();
        let whole =
            || self.path(RESERVE_FILE).symlink_metadata().is_ok_and(|found| found.len() == RESERVE_BYTES);
        match trial {
            Ok(()) if whole() => Ok(()),
            Ok(()) => Err(format!("{}: there is no room that could be kept free", self.dir.display())),
            Err(error) => Err(format!("{}: {error}", self.dir.display())),
        }
    }

    /// Keeps room free, if there is room: a disk that is full now has nothing to give, and the next write asks again.
    pub fn reserve(&self) {
        let path = self.path(RESERVE_FILE);
        if path.symlink_metadata().is_ok_and(|found| found.len() == RESERVE_BYTES) {
            return;
        }
        let opened = private_file().write(true).create(true).truncate(false).open(&path);
        let kept = opened.and_then(|file| {
            rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, RESERVE_BYTES)?;
            file.sync_all()
        });
        if kept.is_err() {
            // Half a reserve would pass for a whole one.
            let _ = fs::remove_file(path);
        }
    }

    /// The key beside the spool; made where there is none and nothing waits that another key had sealed.
    pub fn own_key(&self) -> Result<Secret, String> {
        let path = self.path(KEY_FILE);
        let named = |error: io::Error| format!("{}: {error}", path.display());
        match private_file().read(true).open(&path) {
            Ok(file) => {
                check_private(&file, &path)?;
                let mut text = Zeroizing::new(String::with_capacity(128));
                file.take(127).read_to_string(&mut text).map_err(named)?;
                Ok(Secret::new(&text))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.names()?.iter().any(|(_, kind)| {
                    matches!(kind, Kind::Entry | Kind::Token | Kind::Answer | Kind::Unfinished)
                }) {
                    return Err(format!(
                        "{}: it is missing, and keys wait here; bring it back",
                        path.display()
                    ));
                }
                let text = SealingKey::generate().map_err(named)?;
                self.write_key(&text).map_err(named)?;
                Ok(Secret::new(&text))
            }
            Err(error) => Err(named(error)),
        }
    }

    fn write_key(&self, text: &str) -> io::Result<()> {
        let new = self.path(NEW_KEY_FILE);
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = private_file().write(true).create_new(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let here = rustix::fs::CWD;
        rustix::fs::renameat_with(here, &new, here, self.path(KEY_FILE), RenameFlags::NOREPLACE)?;
        sync_dir(&self.dir)
    }

    fn write_new(&self, name: &str, sealed: &[u8]) -> io::Result<()> {
        let path = self.unfinished_path(name);
        let mut file = private_file().write(true).create(true).truncate(true).open(path)?;
        file.write_all(sealed)?;
        file.sync_all()
    }

    fn rename(&self, name: &str) -> io::Result<()> {
        fs::rename(self.unfinished_path(name), self.path(name))?;
        sync_dir(&self.dir)
    }

    fn unfinished_path(&self, name: &str) -> PathBuf {
        self.path(&format!("{name}.new"))
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Asked before it is opened: a pipe would hold us until somebody writes into it.
    if !path.symlink_metadata()?.is_file() {
        return Err(io::Error::other("it is no plain file"));
    }
    let mut sealed = Vec::new();
    private_file().read(true).open(path)?.take(ENTRY_MAX).read_to_end(&mut sealed)?;
    Ok(sealed)
}
