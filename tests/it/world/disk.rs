//! A disk that can be full.

use super::Scratch;
use std::{fs, io::ErrorKind, path::PathBuf, process::Command};

/// A file system of its own, for the owner alone; gone when dropped.
pub struct SmallDisk {
    dir: Scratch,
}

impl SmallDisk {
    /// `None`, with the reason on stderr, where this process may not mount one.
    pub fn mount() -> Option<Self> {
        Self::mount_with(64 << 10)
    }
    /// The same with room for so many bytes.
    pub fn mount_with(bytes: u32) -> Option<Self> {
        let disk = Self { dir: Scratch::new() };
        let path = disk.dir.folder("disk");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={bytes},mode=0700"), "tmpfs"]).arg(path);
        let mounted = mount.output().expect("mount(8)");
        if mounted.status.success() {
            return Some(disk);
        }
        eprintln!("skipped: no disk can be mounted here: {}", String::from_utf8_lossy(&mounted.stderr));
        None
    }
    pub fn path(&self) -> PathBuf {
        self.dir.join("disk")
    }
    /// Takes every byte that is left.
    pub fn fill(&self) {
        let full = fs::write(self.path().join("filler"), vec![0; 1 << 20]).expect_err("a full disk");
        assert_eq!(full.kind(), ErrorKind::StorageFull);
    }
    /// Nothing can be written, or everything again.
    pub fn set_read_only(&self, read_only: bool) {
        let options = format!("remount,{}", if read_only { "ro" } else { "rw" });
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-o", &options]).arg(self.path()).output().expect("mount(8)");
        assert!(mounted.status.success(), "{mounted:?}");
    }
    pub fn free(&self) {
        fs::remove_file(self.path().join("filler")).expect("the filler");
    }
    /// As a kernel does when the device has failed; and as an operator does when it is mended.
    pub fn read_only(&self, is_so: bool) {
        let options = if is_so { "remount,ro" } else { "remount,rw" };
        let done = Command::new("mount").args(["-o", options]).arg(self.path()).status().expect("mount(8)");
        assert!(done.success(), "mount -o {options}");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // What stays mounted is memory, and goes with the next boot; no test's verdict hangs on it.
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}
