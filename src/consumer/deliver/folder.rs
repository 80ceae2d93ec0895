//! A folder that was reached without following any symbolic link, and the few things that are done in it. Everything
//! is named relative to the open folder, so nobody can exchange a part of the path in between.

use rustix::{
    fd::OwnedFd,
    fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, fstat, fsync, openat, renameat, statat, unlinkat},
    io::Errno,
};
use sha2::{Digest, Sha256};
use std::{
    fs::File,
    io::Write,
    path::{Component, Path, PathBuf},
};

/// Why something could not be done with a path. The text names the path, the cause and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The file, or a folder on the way, does not exist.
    Missing(String),
    /// A symbolic link stands there.
    Link(String),
    Other(String),
}

impl Trouble {
    pub fn text(self) -> String {
        match self {
            Trouble::Missing(text) | Trouble::Link(text) | Trouble::Other(text) => text,
        }
    }
}

/// An open folder and the name of one file in it.
pub(super) struct Place {
    folder: OwnedFd,
    folder_path: PathBuf,
    name: String,
}

impl Place {
    /// Walks from `/` to the folder of `path`.
    pub fn open(path: &Path) -> Result<Self, Trouble> {
        let unfit =
            || Trouble::Other(format!("{} is no absolute path of a file, without \"..\"", path.display()));
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(unfit)?.to_owned();
        let folder_path = path.parent().filter(|_| path.is_absolute()).ok_or_else(unfit)?;
        let (mut at, mut walked) = (None, PathBuf::new());
        let mut parts = folder_path.components().peekable();
        while let Some(part) = parts.next() {
            if !matches!(part, Component::RootDir | Component::Normal(_)) {
                return Err(unfit());
            }
            walked.push(part);
            let way = if parts.peek().is_some() { OFlags::PATH } else { OFlags::RDONLY };
            let flags = way | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = match &at {
                None => openat(CWD, part.as_os_str(), flags, Mode::empty()),
                Some(folder) => openat(folder, part.as_os_str(), flags, Mode::empty()),
            };
            at = Some(opened.map_err(|errno| step_trouble(at.as_ref(), part, &walked, errno))?);
        }
        let folder = at.ok_or_else(unfit)?;
        Ok(Self { folder, folder_path: walked, name })
    }

    pub fn folder_path(&self) -> &Path {
        &self.folder_path
    }

    /// Opens the file for reading; what is no regular file is never waited for.
    pub fn read(&self) -> Result<(File, Stat), Trouble> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file =
            openat(&self.folder, &self.name, flags, Mode::empty()).map_err(|e| self.trouble("read", e))?;
        let stat = fstat(&file).map_err(|e| self.trouble("read", e))?;
        Ok((file.into(), stat))
    }

    /// A new, empty file beside the one that is meant, for this user only, under a name that nobody can foresee.
    pub fn create_beside(&self) -> Result<Beside<'_>, Trouble> {
        let mut random = [0; 8];
        getrandom::fill(&mut random)
            .map_err(|e| Trouble::Other(format!("this system gives no random numbers: {e}")))?;
        let name = format!("{}{}", self.temporary_prefix(), hex(&random));
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = openat(&self.folder, &name, flags, mode).map_err(|e| self.trouble("written", e))?;
        Ok(Beside { place: self, file: file.into(), name: Some(name) })
    }

    /// Removes what a crash left of earlier writes to this path, and of no other path's.
    pub fn remove_leftovers(&self) -> Result<(), Trouble> {
        let failed = |name: &str, errno| {
            let path = self.folder_path.join(name);
            Trouble::Other(format!(
                "{} is left of a crash and cannot be removed: {}",
                path.display(),
                words(errno)
            ))
        };
        let prefix = self.temporary_prefix();
        for entry in Dir::read_from(&self.folder).map_err(|e| failed("", e))? {
            let entry = entry.map_err(|e| failed("", e))?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if name.starts_with(&prefix) {
                unlinkat(&self.folder, name, AtFlags::empty()).map_err(|e| failed(name, e))?;
            }
        }
        Ok(())
    }

    /// As short for a long name as for a short one, so that it never is too long.
    fn temporary_prefix(&self) -> String {
        format!(".keyrelay-{}-", hex(&Sha256::digest(&self.name)[..8]))
    }

    pub fn path(&self) -> PathBuf {
        self.folder_path.join(&self.name)
    }

    pub fn trouble(&self, done: &str, errno: Errno) -> Trouble {
        let (path, folder) = (self.path(), self.folder_path.display());
        let path = path.display();
        let advice = match errno {
            Errno::NOENT => return Trouble::Missing(format!("{path} does not exist")),
            Errno::LOOP => return Trouble::Link(format!("{path} is a symbolic link, and none is followed")),
            Errno::ACCESS | Errno::PERM if done == "read" => {
                "; only a file of the user that keyrelay runs as is replaced: remove it".into()
            }
            Errno::ACCESS | Errno::PERM => {
                format!("; make {folder} writable for the user that keyrelay runs as")
            }
            Errno::ROFS => format!("; in the unit, ReadWritePaths={folder} makes it writable"),
            Errno::NOSPC | Errno::DQUOT => "; make room".into(),
            _ => String::new(),
        };
        Trouble::Other(format!("{path} cannot be {done}: {}{advice}", words(errno)))
    }
}

/// A temporary file; removed when it is dropped before it is put in place.
pub(super) struct Beside<'a> {
    place: &'a Place,
    pub file: File,
    name: Option<String>,
}

impl Beside<'_> {
    pub fn stat(&self) -> Result<Stat, Trouble> {
        fstat(&self.file).map_err(|e| self.place.trouble("written", e))
    }

    /// Writes, gives the mode, and waits for the disk.
    pub fn fill(&mut self, bytes: &[u8], mode: Mode) -> Result<(), Trouble> {
        let written = self.file.write_all(bytes).map_err(|e| Errno::from_io_error(&e).unwrap_or(Errno::IO));
        written
            .and_then(|()| rustix::fs::fchmod(&self.file, mode))
            .and_then(|()| fsync(&self.file))
            .map_err(|e| self.place.trouble("written", e))
    }

    /// Takes another temporary name: whoever may not rename here could not put a file in place either.
    pub fn try_rename(&mut self) -> Result<(), Trouble> {
        let Some(name) = self.name.take() else { return Ok(()) };
        let (folder, other) = (&self.place.folder, format!("{name}r"));
        let moved = renameat(folder, &name, folder, &other);
        self.name = Some(if moved.is_ok() { other } else { name });
        moved.map_err(|e| self.place.trouble("renamed", e))
    }

    /// Takes the place of the file that is meant, and waits for the disk.
    pub fn put_in_place(mut self) -> Result<(), Trouble> {
        let (folder, name) = (&self.place.folder, self.name.take().unwrap_or_default());
        let moved = renameat(folder, &name, folder, &self.place.name);
        if moved.is_err() {
            self.name = Some(name);
        }
        moved.and_then(|()| fsync(folder)).map_err(|e| self.place.trouble("written", e))
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        if let Some(name) = self.name.take() {
            // What cannot be removed now is removed by the next write.
            let _ = unlinkat(&self.place.folder, name, AtFlags::empty());
        }
    }
}

/// Says what stands in the way: opening a link as a folder fails with the same number as opening a file.
fn step_trouble(parent: Option<&OwnedFd>, part: Component, walked: &Path, errno: Errno) -> Trouble {
    let (path, name) = (walked.display(), part.as_os_str());
    let is_link = parent.is_some_and(|folder| {
        statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
    });
    match errno {
        _ if is_link => {
            Trouble::Link(format!("{path} is a symbolic link, and none is followed: name the real folder"))
        }
        Errno::NOENT => Trouble::Missing(format!(
            "the folder {path} does not exist: create it, writable for the user that keyrelay runs as"
        )),
        Errno::NOTDIR => Trouble::Other(format!("{path} is not a folder")),
        Errno::ACCESS => Trouble::Other(format!(
            "the folder {path} may not be entered: make it readable and writable for the user that keyrelay runs as"
        )),
        _ => Trouble::Other(format!("the folder {path} cannot be opened: {}", words(errno))),
    }
}

/// An error number in words.
pub(super) fn words(errno: Errno) -> String {
    match errno {
        Errno::ACCESS | Errno::PERM => "permission denied".into(),
        Errno::NOSPC => "no space is left on the disk".into(),
        Errno::DQUOT => "the disk quota is used up".into(),
        Errno::ROFS => "the file system is read-only".into(),
        Errno::ISDIR => "it is a folder".into(),
        Errno::NAMETOOLONG => "the name is too long".into(),
        other => std::io::Error::from(other).to_string(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
