//! What the page and the metrics show of earlier rotations: the newest records on this machine. A line that cannot be
//! read is left out here; `keyrelay history` tells of it.

use crate::{domain::CredentialName, rotation::Record};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

/// Of a file no more than its end is read, in bytes: some forty records.
const TAIL_BYTES_MAX: u64 = 64 << 10;

/// Oldest first; nothing where there is no file.
pub fn newest(state_dir: &Path, name: &CredentialName) -> Vec<Record> {
    let text = tail(&state_dir.join("history").join(format!("{name}.jsonl"))).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The line that begins before the tail is half, and no JSON.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL_BYTES_MAX)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
