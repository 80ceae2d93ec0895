//! Who else can write the configuration: it names programs that keyrelay runs, so whoever can write it holds every
//! key.

use crate::config::mistake::{Mistake, Severity};
use rustix::fs::{StatVfsMountFlags, fstatvfs, statvfs};
use std::{fs::File, io, os::unix::fs::MetadataExt, path::Path};

const BY_OTHERS: u32 = 0o002;

/// What is wrong with the rights of a file that is read.
pub fn written_by_others(path: &Path, file: &File) -> Option<Mistake> {
    let about = file.metadata().ok().filter(|about| about.is_file())?;
    let mount = fstatvfs(file).map(|mount| mount.f_flag);
    mistake(path, about.mode(), mount.unwrap_or(StatVfsMountFlags::empty()))
}

/// The same of a folder, into which others could put a file of their own.
pub fn folder_written_by_others(folder: &Path) -> Option<Mistake> {
    let about = std::fs::metadata(folder).ok()?;
    let mount = statvfs(folder).map_err(io::Error::from).map(|mount| mount.f_flag);
    mistake(folder, about.mode(), mount.unwrap_or(StatVfsMountFlags::empty()))
}

/// On a read-only mount nobody can write: Kubernetes hands out its folders open to all, but read-only.
fn mistake(path: &Path, mode: u32, mount: StatVfsMountFlags) -> Option<Mistake> {
    if mode & BY_OTHERS == 0 || mount.contains(StatVfsMountFlags::RDONLY) {
        return None;
    }
    let shown = path.display();
    Some(Mistake {
        file: shown.to_string(),
        key: String::new(),
        rule: format!("anybody can write here (mode {:04o}), and have keyrelay run a program", mode & 0o7777),
        hint: Some(format!("type: chmod o-w {shown}")),
        severity: Severity::Error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_can_write_is_refused_unless_the_mount_is_read_only() {
        let path = Path::new("/etc/keyrelay/config.d");
        let said = |mode, mount| mistake(path, mode, mount).map(|mistake| mistake.to_string());
        assert_eq!(
            said(0o40777, StatVfsMountFlags::empty()).as_deref(),
            Some(
                "/etc/keyrelay/config.d: anybody can write here (mode 0777), and have keyrelay run a program; \
                 type: chmod o-w /etc/keyrelay/config.d"
            )
        );
        assert_eq!(said(0o41777, StatVfsMountFlags::RDONLY), None);
        assert_eq!(said(0o40775, StatVfsMountFlags::empty()), None, "a group of administrators may");
    }
}
