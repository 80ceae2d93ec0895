//! A disk that can be full, for tests.

use std::{fs, io::ErrorKind, path::Path, process::Command};
use tempfile::TempDir;

/// A file system of its own, small; gone when dropped.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None`, with the reason on stderr, where this process may not mount one.
    pub fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs"])
            .arg(dir.path())
            .output()
            .expect("mount(8)");
        if mount.status.success() {
            return Some(Self(dir));
        }
        eprintln!("skipped: no file system can be mounted here: {}", String::from_utf8_lossy(&mount.stderr));
        None
    }
    pub fn path(&self) -> &Path {
        self.0.path()
    }
    /// Takes every byte that is left.
    pub fn fill(&self) {
        let full = fs::write(self.path().join("filler"), vec![0; 8 << 20]).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }
    pub fn free(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Left mounted, it is memory that the next boot gives back; the test's verdict does not hang on it.
        let _ = Command::new("umount").arg(self.path()).output();
    }
}
