//! What is known of a consumer's unit from the unit files on this host: whether it reads the delivered file at its
//! start, and so can be shown to have loaded it. Nothing is asked of systemd.

use super::{mistake::Severity, read::Table};
use crate::consumer::{
    Deliver, FileForm, Then,
    unit::{Found, ReadAs, UnitFile, UnitFiles, UnitName, Verb},
};
use std::path::Path;

/// Whether a restart of the unit shows that it has loaded the file.
pub(super) enum Loads {
    Yes,
    /// It does not, and why.
    No(String),
    /// There is no telling here, and why.
    Unknown(String),
    /// There is no unit, or no file that it could load.
    Nothing,
}

impl Loads {
    /// Whether it may be shown yet, once the unit is there.
    pub fn may_be(&self, deliver: Option<&Deliver>, then: Option<&Then>) -> bool {
        match (self, deliver, then) {
            (Loads::Unknown(_), Some(Deliver::File { .. }), Some(Then::Unit(Verb::Restart, _))) => true,
            (Loads::Unknown(_) | Loads::Yes | Loads::No(_) | Loads::Nothing, _, _) => false,
        }
    }
}

/// Notes what can never work. `table` is the consumer's `deliver`.
pub(super) fn loads(
    table: &Table,
    deliver: Option<&Deliver>,
    then: Option<&Then>,
    host: Option<&str>,
) -> Loads {
    let Some(Then::Unit(verb, unit)) = then else { return Loads::Nothing };
    let file = match deliver {
        Some(Deliver::File { path, form, .. }) => Some((path.as_path(), form)),
        Some(Deliver::Store { .. } | Deliver::Command { .. }) | None => None,
    };
    if host.is_some_and(|host| host != rustix::system::uname().nodename().to_string_lossy()) {
        // That host has the unit's files, and judges by them.
        return if *verb == Verb::Restart && file.is_some() { Loads::Yes } else { Loads::Nothing };
    }
    let path = table.sheet.environment.get("SYSTEMD_UNIT_PATH").map(String::as_str);
    match UnitFiles::new(path).find(unit) {
        Found::Missing => Loads::Unknown(format!("there is no unit file of {unit} on this host")),
        Found::Masked => Loads::Unknown(format!("{unit} is masked (systemctl unmask {unit})")),
        Found::Unit { file: found, .. } => match (verb, file) {
            (Verb::Reload, file) => reload(table, unit, &found, file.map(|(path, _)| path)),
            (Verb::Restart, Some((path, form))) => restart(table, unit, &found, path, form),
            (Verb::Restart, None) => Loads::Nothing,
        },
    }
}

fn reload(table: &Table, unit: &UnitName, found: &UnitFile, file: Option<&Path>) -> Loads {
    if let Some((file, read)) = file.and_then(|file| Some((file, found.reads.file(file)?))) {
        let rule =
            format!("{unit} names {} in {}, which is read at its start only", file.display(), read.setting());
        refuse(table, "then.reload", rule, format!("write restart: {unit}"));
    } else if !found.reloads {
        let rule = format!("{unit} cannot be reloaded: its unit file has no ExecReload=");
        refuse(table, "then.reload", rule, format!("write restart: {unit}"));
    }
    Loads::Nothing
}

fn restart(table: &Table, unit: &UnitName, found: &UnitFile, file: &Path, form: &FileForm) -> Loads {
    let shown = file.display();
    let Some(read) = found.reads.file(file) else {
        return Loads::No(format!("{unit} names {shown} neither in EnvironmentFile= nor in LoadCredential="));
    };
    if read == ReadAs::Environment && *form == FileForm::Bare {
        let rule = format!("{unit} names it in EnvironmentFile=, which takes NAME=KEY and not the key alone");
        refuse(table, "file", rule, "add env: NAME".into());
    }
    match found.is_job {
        true => Loads::No(format!("{unit} runs to its end, and is not there to be looked at")),
        false => Loads::Yes,
    }
}

fn refuse(table: &Table, key: &str, rule: String, hint: String) {
    table.sheet.note(Severity::Error, &table.at(key), rule, Some(hint));
}
