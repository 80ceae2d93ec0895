//! The history of each credential, as lines of JSON on this machine: the last hundred records.

use crate::{
    domain::CredentialName,
    rotation::{Record, merged},
};
use std::{
    fs::{self, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

const RECORDS_MAX: usize = 100;
/// A rotation is written at its promotion and when it has settled.
const LINES_MAX: usize = 2 * RECORDS_MAX;
/// Some forty lines.
const TAIL_BYTES_MAX: u64 = 64 << 10;

/// What is written down of one credential.
#[derive(Debug, PartialEq, Eq)]
pub struct Past {
    /// Newest first.
    pub records: Vec<Record>,
    /// Lines that make no sense: of another version, or cut off by a crash or a full disk.
    pub unreadable: usize,
}

impl Past {
    /// What an operator is told of it beside the records; empty where all is well.
    pub fn trouble(&self) -> String {
        match self.unreadable {
            0 => String::new(),
            1 => "one line of the history cannot be read, and was skipped".into(),
            lines => format!("{lines} lines of the history cannot be read, and were skipped"),
        }
    }
}

/// Reads a credential's history; nothing where none was written.
pub fn read(state_dir: &Path, name: &CredentialName) -> io::Result<Past> {
    let bytes = match fs::read(path(state_dir, name)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let (read, unreadable): (Vec<_>, Vec<_>) =
        lines.map(serde_json::from_slice::<Record>).partition(Result::is_ok);
    let mut records = merged(read.into_iter().flatten());
    records.truncate(RECORDS_MAX);
    Ok(Past { records, unreadable: unreadable.len() })
}

/// The newest records, newest first, out of the end of the file: what is shown again and again must not read it whole.
pub fn newest(state_dir: &Path, name: &CredentialName) -> Vec<Record> {
    let bytes = tail(&path(state_dir, name)).unwrap_or_default();
    // The first line is half where the tail begins within it, and no JSON.
    merged(bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()))
}

fn tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = fs::File::open(path)?;
    let len = file.metadata()?.len();
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL_BYTES_MAX)))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Appends what an operator did with the credential's key at its vendor, and says the same in the journal. It has a file
/// of its own: a thousand banned customers must not push a rotation out of the history.
pub fn append_call(state_dir: &Path, name: &CredentialName, line: &serde_json::Value) {
    tracing::info!(credential = %name, call = %line, "leaf7");
    let path = state_dir.join("history").join(format!("{name}.leaf7.jsonl"));
    if let Err(error) = write(&path, &line.to_string()) {
        tracing::warn!(credential = %name, "{} cannot be written: {error}", path.display());
    }
}

/// Appends one record, and says the same in the journal.
pub fn append(state_dir: &Path, name: &CredentialName, record: &Record) {
    let line = match serde_json::to_string(record) {
        Ok(line) => line,
        Err(error) => return tracing::error!(credential = %name, "the history cannot be written: {error}"),
    };
    tracing::info!(credential = %name, record = %line, "history");
    if let Err(error) = write(&path(state_dir, name), &line) {
        tracing::warn!(credential = %name, "the history in {} cannot be written: {error}", path(state_dir, name).display());
    }
}

fn path(state_dir: &Path, name: &CredentialName) -> PathBuf {
    state_dir.join("history").join(format!("{name}.jsonl"))
}

fn write(path: &Path, line: &str) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)?;
    let mut file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path)?;
    // What a crash cut off ends here, and takes no whole line with it.
    let cut_off = ends_within_a_line(&mut file)?;
    file.write_all(format!("{}{line}\n", if cut_off { "\n" } else { "" }).as_bytes())?;
    shorten(path)
}

fn ends_within_a_line(file: &mut fs::File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Whole lines only, by way of a second file: a crash leaves one or the other.
fn shorten(path: &Path) -> io::Result<()> {
    let bytes = fs::read(path)?;
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.len() <= 2 * LINES_MAX {
        return Ok(());
    }
    let kept = lines[lines.len() - LINES_MAX..].concat();
    let beside = path.with_extension("jsonl.new");
    OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(&beside)?.write_all(&kept)?;
    fs::rename(beside, path)
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
