//! A secret in a file: who may read it, how large it may be, and that it may be another one tomorrow. Whoever rotates
//! it is somebody else.

use crate::domain::Secret;
use rustix::{
    fd::OwnedFd,
    fs::{CWD, FileType, Mode, OFlags, fstat, openat, readlinkat},
    io::Errno,
};
use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read},
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The largest secret, in bytes.
const SECRET_MAX: u64 = 64 << 10;

/// A secret file's place, and the mode bits that give it to too many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    pub path: PathBuf,
    /// `0o044`: neither group nor world may read it.
    pub forbidden: u32,
}

/// Why a file gave no secret; for operators, and without the secret.
#[derive(Debug, PartialEq, Eq)]
pub enum NoSecret {
    /// Nothing there, or nothing that this user may read.
    Missing { rule: String, hint: String },
    /// Something there that must not be used.
    Open { rule: String, hint: String },
}

impl NoSecret {
    /// The rule alone.
    pub fn into_rule(self) -> String {
        match self {
            NoSecret::Missing { rule, .. } | NoSecret::Open { rule, .. } => rule,
        }
    }
}

impl SecretFile {
    /// The secret that is there now, and the file's permission bits; `None` where there is no file.
    pub fn read(&self) -> Result<Option<(Secret, u32)>, NoSecret> {
        let path = &self.path;
        let shown = path.display();
        let refused = |rule: String, hint: &str| Err(NoSecret::Open { rule, hint: hint.into() });
        let file = match open(path) {
            Ok(Opened::File(file)) => file,
            Ok(Opened::Link(target)) => {
                let rule =
                    format!("{shown} is a symbolic link that is not root's, and none such is followed");
                return refused(rule, &format!("name the file itself: {}", target.display()));
            }
            Err(error) => return unreadable(path, &error),
        };
        // What was opened is looked at, and not what may stand there by now.
        let about = match file.metadata() {
            Ok(about) => about,
            Err(error) => return unreadable(path, &error),
        };
        if !about.is_file() {
            return refused(format!("{shown} is not a file"), "name a file that holds the secret");
        }
        let mode = about.mode() & 0o7777;
        if mode & self.forbidden != 0 {
            let hint = format!("type: chmod 600 {shown}");
            return refused(format!("{shown} can be read by others (mode {mode:04o})"), &hint);
        }
        // Grown, it would leave copies behind.
        let room = usize::try_from(about.len().min(SECRET_MAX)).unwrap_or_default() + 64;
        let mut bytes = Zeroizing::new(Vec::with_capacity(room));
        if let Err(error) = file.take(SECRET_MAX + 1).read_to_end(&mut bytes) {
            return unreadable(path, &error);
        }
        match std::str::from_utf8(&bytes) {
            _ if bytes.len() as u64 > SECRET_MAX => {
                refused(format!("{shown} is larger than 64 KiB"), "name a file that holds the secret alone")
            }
            Err(_) => {
                refused(format!("{shown} is not UTF-8 text"), "name a file that holds the secret alone")
            }
            Ok(text) if Secret::new(text).is_missing() => Err(NoSecret::Missing {
                rule: format!("{shown} is empty"),
                hint: format!("write it: install -m 600 /dev/stdin {shown}"),
            }),
            Ok(text) => Ok(Some((Secret::new(text), mode))),
        }
    }
}

enum Opened {
    File(File),
    /// Where it leads.
    Link(PathBuf),
}

/// Opens a file without waiting for it, as a pipe would have it. Of symbolic links only root's are followed: so does
/// Kubernetes lay out its volumes, and an operator his `/etc/credstore`. Any other could have been put there to have
/// another file taken for the secret, and sent to a server.
fn open(path: &Path) -> io::Result<Opened> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match openat(CWD, path, flags | OFlags::NOFOLLOW, Mode::empty()) {
        Ok(file) => return Ok(Opened::File(file.into())),
        Err(Errno::LOOP) => {}
        Err(error) => return Err(error.into()),
    }
    let link = openat(CWD, path, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
    let target = target(&link, path)?;
    let about = fstat(&link)?;
    if about.st_uid != 0 || FileType::from_raw_mode(about.st_mode) != FileType::Symlink {
        return Ok(Opened::Link(target));
    }
    Ok(Opened::File(openat(CWD, &target, flags, Mode::empty())?.into()))
}

fn target(link: &OwnedFd, path: &Path) -> io::Result<PathBuf> {
    let target = readlinkat(link, "", Vec::new())?;
    Ok(path.parent().unwrap_or(Path::new("/")).join(OsStr::from_bytes(target.as_bytes())))
}

fn unreadable<T>(path: &Path, error: &io::Error) -> Result<Option<T>, NoSecret> {
    let shown = path.display();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(None),
        io::ErrorKind::PermissionDenied => Err(NoSecret::Missing {
            rule: format!("{shown} may not be read by this user"),
            hint: "run keyrelay as the user who owns it".into(),
        }),
        _ => Err(NoSecret::Missing {
            rule: format!("{shown} cannot be read: {error}"),
            hint: "mend the file".into(),
        }),
    }
}

/// A secret as it was at the start, and the file in which it may be another one by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSecret {
    first: Secret,
    file: Option<SecretFile>,
}

impl LiveSecret {
    /// It stays the same: it comes from the environment, or from a test.
    pub fn fixed(secret: Secret) -> Self {
        Self { first: secret, file: None }
    }
    pub fn in_file(first: Secret, file: SecretFile) -> Self {
        Self { first, file: Some(file) }
    }
    pub fn file(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }
    /// As it was at the start.
    pub fn first(&self) -> &Secret {
        &self.first
    }
    /// From here on as it was at the start: for who will not be able to read the file any more.
    pub fn fix(&mut self) {
        self.file = None;
    }
    /// As it is now; the error names the file and is for operators.
    pub fn now(&self) -> Result<Secret, String> {
        let Some(file) = &self.file else { return Ok(self.first.clone()) };
        match file.read() {
            Ok(Some((secret, _))) => Ok(secret),
            Ok(None) => Err(format!("no file {}", file.path.display())),
            Err(why) => Err(why.into_rule()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn a_secret_is_what_its_file_holds_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let write = |text: &str, mode| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let file = SecretFile { path: path.clone(), forbidden: 0o044 };
        let live = LiveSecret::in_file(Secret::new("first"), file);
        assert_eq!(live.now(), Err(format!("no file {}", path.display())));
        write("second\n", 0o600);
        assert_eq!(live.now(), Ok(Secret::new("second")));
        write("third", 0o640);
        assert_eq!(live.now(), Err(format!("{} can be read by others (mode 0640)", path.display())));
        write("", 0o600);
        assert_eq!(live.now(), Err(format!("{} is empty", path.display())));
        assert_eq!(live.first(), &Secret::new("first"));
        let mut live = live;
        live.fix();
        assert_eq!(live.now(), Ok(Secret::new("first")));
    }

    /// A link of anybody's could have another file read, and sent to a server as a password.
    #[test]
    fn s19_a_symbolic_link_that_is_not_roots_is_no_secret_file_and_roots_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "behind the link\n").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        let read = || SecretFile { path: link.clone(), forbidden: 0o044 }.read();
        if rustix::process::geteuid().is_root() {
            assert_eq!(read(), Ok(Some((Secret::new("behind the link"), 0o600))));
            std::os::unix::fs::lchown(&link, Some(7718), None).unwrap();
        }
        let shown = link.display();
        assert_eq!(
            read(),
            Err(NoSecret::Open {
                rule: format!("{shown} is a symbolic link that is not root's, and none such is followed"),
                hint: format!("name the file itself: {}", real.display()),
            })
        );
    }

    #[test]
    fn what_is_no_file_is_refused_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        for path in [folder.path(), &pipe] {
            let read = SecretFile { path: path.into(), forbidden: 0o044 }.read();
            assert_eq!(read.unwrap_err().into_rule(), format!("{} is not a file", path.display()));
        }
    }

    #[test]
    fn one_without_a_file_stays_the_same() {
        let live = LiveSecret::fixed(Secret::new("same"));
        assert_eq!((live.now(), live.file()), (Ok(Secret::new("same")), None));
    }
}
