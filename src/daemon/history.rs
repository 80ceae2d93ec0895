//! The history of each credential, as lines of JSON on this machine: the last hundred records.

use crate::{domain::CredentialName, rotation::Record};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

const RECORDS_MAX: usize = 100;

/// Appends one record, and says the same in the journal.
pub fn append(state_dir: &Path, name: &CredentialName, record: &Record) {
    let line = match serde_json::to_string(record) {
        Ok(line) => line,
        Err(error) => return tracing::error!(credential = %name, "the history cannot be written: {error}"),
    };
    tracing::info!(credential = %name, record = %line, "history");
    if let Err(error) = write(state_dir, name, &line) {
        tracing::warn!(credential = %name, "the history in {} cannot be written: {error}", path(state_dir, name).display());
    }
}

fn path(state_dir: &Path, name: &CredentialName) -> PathBuf {
    state_dir.join("history").join(format!("{name}.jsonl"))
}

fn write(state_dir: &Path, name: &CredentialName, line: &str) -> io::Result<()> {
    let path = path(state_dir, name);
    fs::create_dir_all(state_dir.join("history"))?;
    let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    shorten(&path)
}

/// Whole lines only, by way of a second file: a crash leaves one or the other.
fn shorten(path: &Path) -> io::Result<()> {
    let text = fs::read_to_string(path)?;
    let lines: Vec<_> = text.lines().collect();
    if lines.len() <= 2 * RECORDS_MAX {
        return Ok(());
    }
    let kept = lines[lines.len() - RECORDS_MAX..].join("\n") + "\n";
    let beside = path.with_extension("jsonl.new");
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)?
        .write_all(kept.as_bytes())?;
    fs::rename(beside, path)
}
