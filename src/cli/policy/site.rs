//! What the configuration touches on this host, and what is already there. It only looks.

use super::secrets::Secrets;
use crate::{
    config::{Config, Reference},
    consumer::{
        Deliver, Then,
        unit::{Found, UnitFiles, UnitName, Verb},
    },
    daemon::host_name,
    store,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Everything that must be allowed on this host.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Site {
    /// The configuration's file, for the heading.
    pub source: PathBuf,
    pub secrets: Secrets,
    pub folders: BTreeMap<PathBuf, Folder>,
    /// By the name that systemd and so polkit know the unit by.
    pub verbs_by_unit: BTreeMap<UnitName, BTreeSet<Verb>>,
    /// What acts on a unit when a file changes.
    pub watches: Vec<Watch>,
    /// Consumers whose unit is to be acted on though no file is delivered.
    pub unwatched: Vec<String>,
}

/// A folder that keyrelay writes into.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Folder {
    /// The consumers' groups; more than one cannot be served.
    pub groups: BTreeSet<String>,
    pub users: BTreeSet<String>,
    /// The names of the files that are delivered into it.
    pub files: BTreeSet<OsString>,
    /// Somebody else's file that lies in it.
    pub stranger: Option<OsString>,
    /// The nearest folder above that exists, where it is not root's.
    pub foreign: Option<PathBuf>,
    /// Folders on the way that only their owner's group may pass.
    pub closed: Vec<PathBuf>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Watch {
    /// Of the path unit, and of the service that it starts.
    pub name: String,
    pub file: PathBuf,
    pub verb: Verb,
    pub unit: UnitName,
}

impl Site {
    pub fn look(config: &Config, references: &[Reference]) -> Self {
        let (source, secrets) = (config.source.clone(), Secrets::of(references));
        let mut site = Self { source, secrets, ..Self::default() };
        site.own_folders(config);
        let (host, files) = (host_name(), UnitFiles::new(std::env::var("SYSTEMD_UNIT_PATH").ok().as_deref()));
        for (credential, settings) in &config.credentials {
            for (consumer, settings) in &settings.consumers {
                if settings.host.as_ref().is_some_and(|other| *other != host) {
                    continue;
                }
                let user = format!("{consumer} of {credential}");
                let file = match &settings.deliver {
                    Some(Deliver::File { path, group, .. }) => {
                        site.add_file(path, group.as_ref(), &user);
                        Some(path)
                    }
                    Some(Deliver::Store { .. } | Deliver::Command { .. }) | None => None,
                };
                if let Some(Then::Unit(verb, unit)) = &settings.then {
                    let id = match files.find(unit) {
                        Found::Unit { id, .. } => id,
                        Found::Masked | Found::Missing => unit.clone(),
                    };
                    site.verbs_by_unit.entry(id.clone()).or_default().insert(*verb);
                    match file {
                        Some(file) => {
                            let name = format!("keyrelay-{credential}-{consumer}");
                            site.watches.push(Watch { name, file: file.clone(), verb: *verb, unit: id });
                        }
                        None => site.unwatched.push(user),
                    }
                }
            }
        }
        site.look_at_folders();
        site
    }

    /// Folders of keyrelay's own that lie outside of the one that systemd gives it.
    fn own_folders(&mut self, config: &Config) {
        let local = match &config.store {
            store::Settings::Local(local) => Some(("the local store", &local.dir)),
            store::Settings::Vault(_) => None,
        };
        for (user, folder) in [Some(("the spool", &config.spool.dir)), local].into_iter().flatten() {
            if !folder.starts_with(&config.state_dir) {
                self.folders.entry(folder.clone()).or_default().users.insert(user.to_owned());
            }
        }
    }

    fn add_file(&mut self, path: &Path, group: Option<&String>, user: &str) {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return };
        let folder = self.folders.entry(folder.to_owned()).or_default();
        folder.groups.extend(group.cloned());
        folder.users.insert(user.to_owned());
        folder.files.insert(name.to_owned());
    }

    fn look_at_folders(&mut self) {
        for (path, folder) in &mut self.folders {
            folder.foreign = path
                .ancestors()
                .skip(1)
                .find(|above| above.exists())
                .filter(|above| is_foreign(above))
                .map(Path::to_owned);
            folder.closed =
                path.ancestors().skip(1).filter(|above| is_closed(above)).map(Path::to_owned).collect();
            if folder.files.is_empty() {
                continue; // keyrelay's own, which knows what belongs into it
            }
            let entries = fs::read_dir(path).into_iter().flatten().flatten();
            let mut strangers: Vec<_> = entries
                .map(|entry| entry.file_name())
                .filter(|name| !folder.files.contains(name))
                .filter(|name| !name.to_string_lossy().starts_with(".keyrelay-"))
                .collect();
            strangers.sort();
            folder.stranger = strangers.into_iter().next();
        }
    }

    /// What no rights can make work.
    pub fn findings(&self) -> Vec<String> {
        let findings = self.folders.iter().filter_map(|(path, folder)| folder.finding(path));
        findings.collect()
    }
}

impl Folder {
    /// Why keyrelay cannot be given this folder, and what to do.
    pub fn finding(&self, path: &Path) -> Option<String> {
        let (shown, users) = (path.display(), joined(&self.users));
        if self.groups.len() > 1 {
            let groups = joined(&self.groups);
            return Some(format!(
                "{shown} is used for several groups ({groups}), and gives its files only one; deliver to each \
                 group in a folder of its own ({users})"
            ));
        }
        if let (Some(stranger), Some(file)) = (&self.stranger, self.files.first()) {
            return Some(format!(
                "{shown} holds other files ({}, for one), and would be keyrelay's whole; deliver to {} ({users})",
                stranger.display(),
                path.join("keyrelay").join(file).display()
            ));
        }
        if let Some(hidden) = HIDDEN.iter().find(|hidden| path.starts_with(hidden)) {
            return Some(format!(
                "{shown} is not to be seen by keyrelay.service, which is kept out of {hidden}; deliver to a folder \
                 below /etc or /var/lib ({users})"
            ));
        }
        let foreign = self.foreign.as_ref()?.display();
        Some(format!(
            "{foreign} belongs to another user than root, who could put another folder in {shown}'s place; deliver to a \
             folder of root's, as in /etc/NAME/keyrelay ({users})"
        ))
    }
}

pub(super) fn joined(words: &BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// What `ProtectHome=` and `PrivateTmp=` keep the service out of.
const HIDDEN: [&str; 5] = ["/home", "/root", "/run/user", "/tmp", "/var/tmp"];

fn is_foreign(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|data| data.uid() != 0)
}

/// Whether others may not even pass through.
fn is_closed(folder: &Path) -> bool {
    fs::metadata(folder).is_ok_and(|data| data.is_dir() && data.permissions().mode() & 0o001 == 0)
}
