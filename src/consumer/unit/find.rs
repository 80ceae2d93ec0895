//! Finds the files of a unit on this host as systemd does (systemd.unit(5), "Unit File Load Path"). It reads them
//! and asks nobody: what runs may be older than what is read here.

use super::{file::UnitFile, name::UnitName};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// First the one that counts most.
const FOLDERS: [&str; 12] = [
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// Unit files are a few kilobytes; something larger is not one.
const BYTES_MAX: u64 = 1 << 20;

/// What was found of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Its files, and the name that systemd knows it by where it was asked for by an alias.
    Unit {
        id: UnitName,
        file: UnitFile,
    },
    Masked,
    Missing,
}

/// Where this host's unit files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitFiles {
    folders: Vec<PathBuf>,
}

impl UnitFiles {
    /// `path`: `$SYSTEMD_UNIT_PATH`, which takes the place of systemd's folders, or comes before them where it ends
    /// with a colon.
    pub fn new(path: Option<&str>) -> Self {
        let usual = FOLDERS.iter().map(PathBuf::from);
        let folders = match path {
            None | Some("") => usual.collect(),
            Some(path) => {
                let own = path.split(':').filter(|folder| !folder.is_empty()).map(PathBuf::from);
                if path.ends_with(':') { own.chain(usual).collect() } else { own.collect() }
            }
        };
        Self { folders }
    }

    /// Reads the unit's file and its drop-ins. What cannot be read counts as not there.
    pub fn find(&self, name: &UnitName) -> Found {
        let template = template(name);
        let candidates = [Some(name.as_str()), template.as_deref()];
        let mut paths = candidates.into_iter().flatten().flat_map(|file| self.all(file));
        let Some(path) = paths.find(|path| fs::symlink_metadata(path).is_ok()) else {
            return Found::Missing;
        };
        let Ok(text) = text(&path) else { return Found::Missing };
        if text.is_empty() {
            return Found::Masked;
        }
        // An alias is a link to the file by its own name.
        let id = alias_of(&path, name).unwrap_or_else(|| name.clone());
        let mut file = UnitFile::default();
        file.lay(&text, &id);
        for text in self.drop_ins(&BTreeSet::from([&id, name])) {
            file.lay(&text, &id);
        }
        Found::Unit { id, file }
    }

    fn all<'a>(&'a self, file: &'a str) -> impl Iterator<Item = PathBuf> + 'a {
        self.folders.iter().map(move |folder| folder.join(file))
    }

    /// The texts of all drop-ins in the order in which they are applied: by name, whichever folder they are in. Of two
    /// with one name the folder that counts more has it.
    fn drop_ins(&self, names: &BTreeSet<&UnitName>) -> Vec<String> {
        let mut paths_by_name = BTreeMap::new();
        let folders = names.iter().flat_map(|name| drop_in_folders(name));
        for folder in folders.flat_map(|folder| self.all(&folder).collect::<Vec<_>>()) {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.extension().is_some_and(|extension| extension == "conf") {
                    paths_by_name.entry(entry.file_name()).or_insert(path);
                }
            }
        }
        paths_by_name.values().filter_map(|path| text(path).ok()).collect()
    }
}

/// The names of the folders that hold drop-ins for a unit, first the ones that count most.
fn drop_in_folders(name: &UnitName) -> Vec<String> {
    let (prefix, _) = name.parts();
    let mut folders = vec![format!("{name}.d")];
    folders.extend(template(name).map(|template| format!("{template}.d")));
    // Those of `a-.service.d` are for all services whose name begins with `a-`.
    let ends = prefix.char_indices().rev().filter(|(_, c)| *c == '-').map(|(at, _)| at + 1);
    folders.extend(ends.filter(|end| *end < prefix.len()).map(|end| format!("{}.service.d", &prefix[..end])));
    folders.push("service.d".into());
    folders
}

/// `worker@.service` of `worker@2.service`.
fn template(name: &UnitName) -> Option<String> {
    let (prefix, instance) = name.parts();
    instance.map(|_| format!("{prefix}@.service"))
}

/// The name of the file that a link leads to, where that is another unit.
fn alias_of(path: &Path, name: &UnitName) -> Option<UnitName> {
    let target = fs::canonicalize(path).ok()?;
    let id: UnitName = target.file_name()?.to_str()?.parse().ok()?;
    // The instance of an alias of a template is an instance of that template; only plain names are followed.
    (id != *name && name.parts().1.is_none()).then_some(id)
}

/// Empty for `/dev/null`, too.
fn text(path: &Path) -> io::Result<String> {
    let data = fs::metadata(path)?;
    if data.is_file() && data.len() > BYTES_MAX {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

#[cfg(test)]
#[path = "find_tests.rs"]
mod tests;
