//! This machine's notes of its notices, as one file in the state directory: private, whole, bounded.

use crate::{
    at_rest::{private_file, sync_dir},
    rotation::{ALERTS_SCHEMA, AlertsState},
};
use std::{
    fs,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

const FILE: &str = "alerts.json";
const NEW_FILE: &str = "alerts.json.new";
/// What could not be read, for whoever wants to look.
const SET_ASIDE: &str = "alerts.json.unreadable";

/// In bytes: five hundred notices of a few kilobytes each. A larger one was not written by us.
const FILE_MAX: usize = 8 << 20;

/// What an earlier process left; `None`: nothing. What cannot be read is set aside, and the error says why.
pub fn read(state_dir: &Path) -> Result<Option<AlertsState>, String> {
    let path = state_dir.join(FILE);
    let found = match load(&path) {
        Ok(found) => return Ok(Some(found)),
        Err(Trouble::Absent) => return Ok(None),
        Err(Trouble::Unreadable(why)) => why,
    };
    let aside = state_dir.join(SET_ASIDE);
    let moved = match fs::rename(&path, &aside) {
        Ok(()) => format!("it is now {}", aside.display()),
        Err(error) => format!("it could not be set aside: {error}"),
    };
    Err(format!("{}: {found}; {moved}", path.display()))
}

/// Returns when it survives a power cut.
pub fn write(state_dir: &Path, state: &AlertsState) -> Result<(), String> {
    let path = state_dir.join(FILE);
    let bytes = serde_json::to_vec(state).map_err(|error| format!("{}: {error}", path.display()))?;
    if bytes.len() > FILE_MAX {
        return Err(format!("{}: {} bytes are more than {FILE_MAX}, the limit", path.display(), bytes.len()));
    }
    replace(state_dir, &bytes).map_err(|error| format!("{}: {error}", path.display()))
}

enum Trouble {
    Absent,
    Unreadable(String),
}

fn load(path: &Path) -> Result<AlertsState, Trouble> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Trouble::Absent,
        _ => Trouble::Unreadable(error.to_string()),
    };
    // Asked before it is opened: a pipe would hold us until somebody writes into it.
    if !path.symlink_metadata().map_err(unreadable)?.is_file() {
        return Err(Trouble::Unreadable("it is no plain file".into()));
    }
    let mut bytes = Vec::new();
    let file = private_file().read(true).open(path).map_err(unreadable)?;
    file.take(FILE_MAX as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > FILE_MAX {
        return Err(Trouble::Unreadable(format!("it is larger than {FILE_MAX} bytes")));
    }
    let damaged = |error: serde_json::Error| Trouble::Unreadable(format!("it is damaged: {error}"));
    let json: serde_json::Value = serde_json::from_slice(&bytes).map_err(damaged)?;
    let schema = json.get("schema").and_then(serde_json::Value::as_u64);
    if schema != Some(u64::from(ALERTS_SCHEMA)) {
        let schema = schema.map_or("no schema".to_owned(), |schema| format!("schema {schema}"));
        return Err(Trouble::Unreadable(format!(
            "it is of {schema}, and this version reads schema {ALERTS_SCHEMA}"
        )));
    }
    serde_json::from_value(json).map_err(damaged)
}

/// By way of a second file: a crash leaves one or the other.
fn replace(state_dir: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(state_dir)?;
    let new: PathBuf = state_dir.join(NEW_FILE);
    let written = private_file().write(true).create(true).truncate(true).open(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if written.is_err() {
        // Half a file would take the room that the next try needs.
        let _ = fs::remove_file(&new);
        return written;
    }
    fs::rename(&new, state_dir.join(FILE))?;
    sync_dir(state_dir)
}

#[cfg(test)]
mod tests;
