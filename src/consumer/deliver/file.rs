//! Delivery by a file: a temporary file in the same folder, on disk before it takes the place of the old one, then
//! read back. It never follows a symbolic link, never changes an owner, and never overwrites what is somebody else's.
//! Blocking: to be called where that is allowed.

use super::folder::{Place, Trouble};
use crate::{
    consumer::FileForm,
    domain::{CopyState, DeliveryOutcome, Key},
};
use rustix::fs::{FileType, Mode, Stat};
use std::{fs, io::Read, path::Path};
use zeroize::Zeroizing;

/// Where groups are named. Those that a directory service adds are not in it, and are given by their number.
const GROUPS: &str = "/etc/group";

/// Compares the file with what [`write()`] would write. `Same` means the bytes, the mode and the group.
pub fn compare(path: &Path, form: &FileForm, mode: u32, group: Option<&str>, key: &Key) -> CopyState {
    let wanted = Wanted { path, form, mode: Mode::from_raw_mode(mode), group, key };
    let state = gid(group).and_then(|gid| Ok(wanted.compare(&Place::open(path)?, gid)));
    match state {
        Ok(state) => state,
        Err(Trouble::Missing(_)) => CopyState::Missing,
        Err(Trouble::Link(why)) => CopyState::NotOurs(why),
        Err(Trouble::Other(why)) => CopyState::Failed(why),
    }
}

/// Writes the file and reads it back. Either the whole new file is in place afterwards, or the old one.
pub fn write(path: &Path, form: &FileForm, mode: u32, group: Option<&str>, key: &Key) -> DeliveryOutcome {
    match (Wanted { path, form, mode: Mode::from_raw_mode(mode), group, key }).write() {
        Ok(()) => DeliveryOutcome::Done,
        Err(trouble) => DeliveryOutcome::Failed(trouble.text()),
    }
}

/// Whether [`write()`] could write there: a temporary file is made beside the path, as it would be, renamed, and
/// removed.
pub fn rehearse(path: &Path, mode: u32, group: Option<&str>) -> DeliveryOutcome {
    match try_folder(path, mode, group) {
        Ok(()) => DeliveryOutcome::Done,
        Err(trouble) => DeliveryOutcome::Failed(trouble.text()),
    }
}
fn try_folder(path: &Path, mode: u32, group: Option<&str>) -> Result<(), Trouble> {
    let gid = gid(group)?;
    let place = Place::open(path)?;
    let mut beside = place.create_beside()?;
    check_group(path, group, &place, &beside.stat()?, gid)?;
    beside.fill(b"", Mode::from_raw_mode(mode))?;
    beside.try_rename()
}

/// The file as it should be.
struct Wanted<'a> {
    path: &'a Path,
    form: &'a FileForm,
    mode: Mode,
    group: Option<&'a str>,
    key: &'a Key,
}

impl Wanted<'_> {
    fn write(&self) -> Result<(), Trouble> {
        let gid = gid(self.group)?;
        let place = Place::open(self.path)?;
        match self.compare(&place, gid) {
            CopyState::Same | CopyState::Missing | CopyState::Differs(_) | CopyState::Unreadable => {}
            CopyState::Failed(why) => return Err(Trouble::Other(why)),
            CopyState::NotOurs(why) => {
                return Err(Trouble::Other(format!(
                    "{why}; it was not overwritten: move it away, or name another path"
                )));
            }
        }
        let mut beside = place.create_beside()?;
        check_group(self.path, self.group, &place, &beside.stat()?, gid)?;
        beside.fill(self.form.render(self.key).as_bytes(), self.mode)?;
        beside.put_in_place()?;
        if self.compare(&place, gid) != CopyState::Same {
            let path = self.path.display();
            return Err(Trouble::Other(format!(
                "{path} was written, but reads back differently: somebody else writes it"
            )));
        }
        place.remove_leftovers()
    }

    /// Never fails with [`Trouble`]: what it finds is an outcome.
    fn compare(&self, place: &Place, gid: Option<u32>) -> CopyState {
        let (mut file, stat) = match place.read() {
            Ok(opened) => opened,
            Err(Trouble::Missing(_)) => return CopyState::Missing,
            Err(Trouble::Link(why)) => return CopyState::NotOurs(why),
            Err(Trouble::Other(why)) => return CopyState::Failed(why),
        };
        let path = self.path.display();
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return CopyState::NotOurs(format!("{path} is not a regular file"));
        }
        let mut bytes = Zeroizing::new(Vec::new());
        let len_max = self.form.len_max() + 64;
        if let Err(error) = (&mut file).take(len_max as u64).read_to_end(&mut bytes) {
            return CopyState::Failed(format!("{path} cannot be read: {error}"));
        }
        if bytes.is_empty() {
            return CopyState::Differs(None);
        }
        let found = std::str::from_utf8(&bytes).ok().and_then(|text| self.form.recognise(text, self.key));
        let Some(found) = found else {
            return CopyState::NotOurs(format!(
                "{path} holds something else than one key in the configured form"
            ));
        };
        let same_bytes = bytes.as_slice() == self.form.render(self.key).as_bytes();
        let same_rights =
            Mode::from_raw_mode(stat.st_mode) == self.mode && gid.is_none_or(|gid| gid == stat.st_gid);
        if same_bytes && same_rights {
            CopyState::Same
        } else {
            CopyState::Differs(Some(found.fingerprint()))
        }
    }
}

/// The folder's setgid bit gives a new file its group; keyrelay itself changes nobody's.
fn check_group(
    path: &Path,
    group: Option<&str>,
    place: &Place,
    stat: &Stat,
    gid: Option<u32>,
) -> Result<(), Trouble> {
    let Some(group) = group.filter(|_| gid != Some(stat.st_gid)) else { return Ok(()) };
    let (path, folder) = (path.display(), place.folder_path().display());
    Err(Trouble::Other(format!(
        "{path} would belong to another group than {group}: chgrp {group} {folder} && chmod g+s {folder}"
    )))
}

fn gid(group: Option<&str>) -> Result<Option<u32>, Trouble> {
    let Some(group) = group else { return Ok(None) };
    if let Ok(gid) = group.parse() {
        return Ok(Some(gid));
    }
    let groups = fs::read_to_string(GROUPS)
        .map_err(|error| Trouble::Other(format!("{GROUPS} cannot be read: {error}")))?;
    match gid_in(&groups, group) {
        Some(gid) => Ok(Some(gid)),
        None => Err(Trouble::Other(format!(
            "there is no group {group} in {GROUPS}: groupadd --system {group}, or give the number of a group that a directory service adds"
        ))),
    }
}

/// `name:password:number:members`, a line each.
fn gid_in(groups: &str, name: &str) -> Option<u32> {
    let mut lines = groups.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?)
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
