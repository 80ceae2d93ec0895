//! `config.d` beside the file: which of its files are read, and in which order.

use super::mode;
use crate::config::mistake::{Mistake, Severity};
use std::path::{Path, PathBuf};

const FOLDER: &str = "config.d";

/// The files to read after `path`, in the order of their names. Only names that end in `.yaml` and do not begin with
/// a dot count: editors and package managers leave others behind.
pub fn beside(path: &Path, mistakes: &mut Vec<Mistake>) -> Vec<PathBuf> {
    let folder = path.with_file_name(FOLDER);
    let found = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => Err(error),
    };
    let mut paths: Vec<PathBuf> = match found {
        Ok(paths) => paths,
        Err(error) => {
            let rule = match folder.is_dir() {
                true => format!("the folder cannot be read: {error}"),
                false => "this is no folder".to_owned(),
            };
            mistakes.push(about(&folder, Severity::Error, rule, "let it hold *.yaml files, or remove it"));
            return Vec::new();
        }
    };
    mistakes.extend(mode::folder_written_by_others(&folder));
    paths.sort();
    for other in paths.iter().filter(|path| is_misnamed(path)) {
        let rule = "this file is not read: only *.yaml is".to_owned();
        mistakes.push(about(other, Severity::Warning, rule, "rename it, or remove it"));
    }
    paths.retain(|path| name(path).ends_with(".yaml") && !name(path).starts_with('.'));
    paths
}

/// Names that somebody may well believe to be read.
fn is_misnamed(path: &Path) -> bool {
    let name = name(path);
    let lower = name.to_ascii_lowercase();
    !name.starts_with('.')
        && !name.ends_with(".yaml")
        && (lower.ends_with(".yaml") || lower.ends_with(".yml"))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn about(path: &Path, severity: Severity, rule: String, hint: &str) -> Mistake {
    Mistake { file: path.display().to_string(), key: String::new(), rule, hint: Some(hint.into()), severity }
}
