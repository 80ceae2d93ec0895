//! Whose rights count: the user of keyrelay.service, wherever root asks. What systemd knows of the unit is asked over
//! D-Bus; files are then looked at by a thread that has become that user, in the running unit's own view of them.

use super::{
    finding::Line,
    systemd::{self, Unit},
};
use rustix::{
    process::{Gid, Uid, geteuid},
    thread::{
        LinkNameSpaceType, UnshareFlags, move_into_link_name_space, set_thread_groups, set_thread_res_gid,
        set_thread_res_uid, unshare_unsafe,
    },
};
use std::{fs, os::fd::AsFd, thread};

const UNIT: &str = "keyrelay.service";
/// As whom the unit runs, unless an operator has changed it.
const USER: &str = "keyrelay";
/// As whom files are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Identity {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

/// The daemon's place on this host.
#[derive(Debug)]
pub struct Service {
    pub unit: Option<Unit>,
    /// `None`: as whoever runs this command.
    identity: Option<Identity>,
    user: Option<String>,
    /// As whom rights are tried, and what that is worth.
    pub line: Line,
}

impl Service {
    pub async fn find() -> Self {
        Self::of(systemd::unit(UNIT).await, &Accounts::of_this_host(), geteuid().as_raw())
    }

    fn of(unit: Result<Option<Unit>, String>, accounts: &Accounts, euid: u32) -> Self {
        let tried = "rights are tried as";
        let me = accounts.name_of(euid).unwrap_or_else(|| format!("uid {euid}"));
        let (unit, why) = match unit {
            Ok(Some(unit)) => (Some(unit), None),
            Ok(None) => (None, Some(format!("systemd knows no {UNIT}"))),
            Err(why) => (None, Some(format!("systemd does not say as whom {UNIT} runs: {why}"))),
        };
        let user = unit.as_ref().map_or(USER, |unit| if unit.user.is_empty() { "root" } else { &unit.user });
        let found = accounts.identity(user, unit.as_ref());
        let (identity, line) = match (&unit, found, why) {
            (_, found, None) if euid != 0 && found.as_ref().is_none_or(|found| found.uid != euid) => {
                let seen = format!(
                    "{me}, and not as {user}, whom {UNIT} runs as: what follows is true of {me} alone"
                );
                (None, Line::warning(tried, seen).command("sudo keyrelay doctor"))
            }
            (Some(unit), Some(found), None) => {
                let view = match unit.main_pid {
                    Some(_) => "with the files as the running daemon sees them",
                    None => "it does not run, so its ReadWritePaths= are compared, not tried",
                };
                (Some(found), Line::ok(tried, format!("{user}, the user of {UNIT}; {view}")))
            }
            (_, None, None) => {
                let seen = format!(
                    "{me}: {UNIT} runs as {user}, whom /etc/passwd does not name, so that what {user} may cannot be told"
                );
                (None, Line::warning(tried, seen))
            }
            (_, Some(found), Some(why)) if euid == 0 => (
                Some(found),
                Line::warning(tried, format!("{user}, whom the unit runs as by default; {why}")),
            ),
            (_, _, Some(why)) => (
                None,
                Line::ok(tried, format!("{me}; {why}, so the daemon is taken to run as the same user")),
            ),
            (None, Some(_), None) => (None, Line::ok(tried, me)),
        };
        let user = identity.as_ref().and_then(|identity| accounts.name_of(identity.uid));
        Self { unit, identity: identity.filter(|found| found.uid != euid), user, line }
    }

    /// Whom files must belong to, where it is known.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Does blocking work on files as the service would.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T, String> {
        let Some(identity) = &self.identity else { return Ok(work()) };
        let pid = self.unit.as_ref().and_then(|unit| unit.main_pid);
        let done = thread::scope(|scope| {
            let become_it = || {
                identity.assume(pid)?;
                Ok(work())
            };
            scope.spawn(become_it).join()
        });
        done.unwrap_or_else(|_| Err("the work panicked (a bug: please report it)".into()))
    }
}

impl Identity {
    /// For the calling thread alone, and for good: the other threads keep what they may.
    fn assume(&self, pid: Option<u32>) -> Result<(), String> {
        let failed = |error: rustix::io::Errno| format!("the user {} cannot be assumed: {error}", self.uid);
        if let Some(pid) = pid {
            // A daemon that ended meanwhile has no view any more.
            if let Ok(view) = fs::File::open(format!("/proc/{pid}/ns/mnt")) {
                // SAFETY: only this thread's working folder and root are parted from the others', and no file is open
                // relative to them.
                unsafe { unshare_unsafe(UnshareFlags::FS) }.map_err(failed)?;
                let entered = move_into_link_name_space(view.as_fd(), Some(LinkNameSpaceType::Mount));
                entered
                    .map_err(|error| format!("the daemon's view of the files cannot be entered: {error}"))?;
            }
        }
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        let groups: Vec<Gid> = self.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        set_thread_groups(&groups).map_err(failed)?;
        set_thread_res_gid(gid, gid, gid).map_err(failed)?;
        set_thread_res_uid(uid, uid, uid).map_err(failed)
    }
}

/// The users and groups that the files of this host name.
struct Accounts {
    passwd: String,
    group: String,
}

impl Accounts {
    fn of_this_host() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self { passwd: read("/etc/passwd"), group: read("/etc/group") }
    }

    fn name_of(&self, uid: u32) -> Option<String> {
        let uid = uid.to_string();
        lines(&self.passwd)
            .find(|fields| fields.get(2) == Some(&uid.as_str()))
            .map(|fields| fields[0].to_owned())
    }

    /// As systemd starts a unit: the user's own group unless the unit names another, and every group that it is in.
    fn identity(&self, user: &str, unit: Option<&Unit>) -> Option<Identity> {
        let fields = lines(&self.passwd).find(|fields| fields[0] == user || fields.get(2) == Some(&user))?;
        let (name, uid, own) = (fields[0], fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
        let group = unit.map_or("", |unit| &unit.group);
        let gid = if group.is_empty() { own } else { self.gid(group)? };
        let is_in =
            |fields: &Vec<&str>| fields.get(3).is_some_and(|all| all.split(',').any(|one| one == name));
        let member = lines(&self.group).filter(is_in).filter_map(|fields| fields.get(2)?.parse().ok());
        let further = unit.into_iter().flat_map(|unit| &unit.supplementary_groups);
        let further = further.filter_map(|group| self.gid(group));
        let mut groups: Vec<u32> = [gid].into_iter().chain(member).chain(further).collect();
        groups.sort_unstable();
        groups.dedup();
        Some(Identity { uid, gid, groups })
    }

    fn gid(&self, group: &str) -> Option<u32> {
        group
            .parse()
            .ok()
            .or_else(|| lines(&self.group).find(|fields| fields[0] == group)?.get(2)?.parse().ok())
    }
}

/// Fields between colons; each line has a first one.
fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split(':').collect())
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
