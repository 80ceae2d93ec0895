//! A folder that is gone when the test is.

use super::secrets;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

pub struct Scratch(TempDir);

impl Scratch {
    /// Everybody may enter it: servers give up root and still have to find their files.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("keyrelay-test-").tempdir().expect("a temporary folder");
        fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).expect("its mode");
        Self(dir)
    }
    pub fn path(&self) -> &Path {
        self.0.path()
    }
    pub fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
    /// Writes a file for everybody to read; returns its path.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, content).expect("a file in the temporary folder");
        path
    }
    /// Writes a file that only its owner may read, as keyrelay demands of secrets; what is in it is noted as one.
    pub fn secret(&self, name: &str, content: &str) -> PathBuf {
        secrets::note(content);
        let path = self.write(name, content);
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("its mode");
        path
    }
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        fs::create_dir_all(&path).expect("a folder in the temporary folder");
        path
    }
}
