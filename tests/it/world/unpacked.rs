//! Debian's servers that scripts/setup unpacks beside whatever this machine has, with the libraries that it lacks.

use super::tools;
use std::{ffi::OsString, path::PathBuf};

/// A file of theirs, by its path below the root; where the package is installed here, the installed one.
pub fn unpacked(path: &str) -> PathBuf {
    let places = [root().join(path), PathBuf::from("/").join(path)];
    let found = places.iter().find(|place| place.exists());
    found.unwrap_or_else(|| panic!("{path} is missing; scripts/setup unpacks it")).clone()
}

/// `LD_LIBRARY_PATH` for them.
pub fn libraries() -> OsString {
    let mut folders = library_folders();
    folders.push(root().join("usr/lib/postfix"));
    folders.into_iter().map(PathBuf::into_os_string).collect::<Vec<_>>().join(":".as_ref())
}

pub fn library_folders() -> Vec<PathBuf> {
    let machine = format!("{}-linux-gnu", std::env::consts::ARCH);
    ["usr/lib", "lib"].iter().map(|above| root().join(above).join(&machine)).collect()
}

fn root() -> PathBuf {
    tools().join("debian")
}
