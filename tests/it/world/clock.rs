//! A clock of one process alone, which can be set. Timers and the time since boot go on as they are.

use super::Scratch;
use std::{
    ffi::OsString,
    fs::File,
    io::Write,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

pub struct Clock {
    dir: Scratch,
    library: PathBuf,
}

impl Clock {
    /// Right, at first.
    pub fn new() -> Self {
        let dir = Scratch::new();
        let library = dir.join("clock.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/world/clock.c");
        let made =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
        assert!(made.expect("a C compiler: scripts/test installs build-essential").success());
        let mut file = File::create(dir.join("offset")).expect("a file");
        file.write_all(&0_i64.to_ne_bytes()).expect("its content");
        Self { dir, library }
    }
    /// For the process that is to have it.
    pub fn environment(&self) -> [(&'static str, OsString); 2] {
        [("LD_PRELOAD", self.library.clone().into()), ("CLOCK_OFFSET_FILE", self.dir.join("offset").into())]
    }
    /// So many seconds ahead of everybody else's; behind, if it is negative.
    pub fn set(&self, offset_secs: i64) {
        let file = File::options().write(true).open(self.dir.join("offset")).expect("a file");
        file.write_all_at(&offset_secs.to_ne_bytes(), 0).expect("its content");
    }
}
