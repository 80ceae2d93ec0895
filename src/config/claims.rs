//! Places that may have one owner only: paths in the store, and files. Whoever comes second is the mistake.

use super::{mistake::Severity, read::Sheet};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

#[derive(Default)]
pub(super) struct Claims {
    /// The key path of who has it, by mount and path.
    owners_by_store_path: BTreeMap<(String, String), String>,
    /// Host (`None`: wherever keyrelay runs) and key path of who writes it.
    owners_by_file: BTreeMap<PathBuf, Vec<(Option<String>, String)>>,
}

/// The store's own layout, which nothing else may be written into.
pub(super) struct Layout<'a> {
    pub mount: &'a str,
    pub state_path: &'a str,
}

pub(super) fn claim_store_path(sheet: &Sheet, layout: &Layout, mount: &str, path: &str, key: &str) {
    let below =
        |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if mount == layout.mount && below(layout.state_path) {
        let rule = format!(
            "\"{path}\" lies under state_path \"{}\", where keyrelay keeps its own notes",
            layout.state_path
        );
        sheet.note(Severity::Error, key, rule, None);
        return;
    }
    let place = (mount.to_owned(), path.to_owned());
    let owners = &mut sheet.claims.borrow_mut().owners_by_store_path;
    match owners.get(&place) {
        Some(owner) => taken(sheet, key, path, owner),
        None => {
            owners.insert(place, key.to_owned());
        }
    }
}

/// The same path on two hosts is two files.
pub(super) fn claim_file(sheet: &Sheet, host: Option<&str>, file: &Path, key: &str) {
    let claims = &mut sheet.claims.borrow_mut().owners_by_file;
    let owners = claims.entry(file.to_owned()).or_default();
    let is_same = |other: &Option<String>| host.is_none() || other.is_none() || other.as_deref() == host;
    match owners.iter().find(|(other, _)| is_same(other)) {
        Some((_, owner)) => taken(sheet, key, &file.display().to_string(), owner),
        None => owners.push((host.map(str::to_owned), key.to_owned())),
    }
}

fn taken(sheet: &Sheet, key: &str, place: &str, owner: &str) {
    let rule = format!("\"{place}\" is also {owner}");
    let hint = match sheet.source.default_behind(key) {
        Some(_) => "write {name} where the credential's name makes the difference",
        None => "give each a place of its own",
    };
    sheet.note(Severity::Error, key, rule, Some(hint.into()));
}
