//! Whose rights count: the user of keyrelay.service, wherever root asks. What systemd knows of the unit is asked over
//! D-Bus; files are then looked at by a thread that has become that user, in the running unit's own view of them.

use super::{
    finding::Line,
    systemd::{self, Unit},
};
use crate::cli::identity::{Accounts, Identity};
use rustix::{
    process::geteuid,
    thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe},
};
use std::{fs, os::fd::AsFd, thread};

const UNIT: &str = "keyrelay.service";
/// As whom the unit runs, unless an operator has changed it.
const USER: &str = "keyrelay";

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
        let (group, further) =
            unit.as_ref().map_or(("", &[][..]), |unit| (&unit.group, &unit.supplementary_groups));
        let found = accounts.identity(user, group, further);
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
                assume(identity, pid)?;
                Ok(work())
            };
            scope.spawn(become_it).join()
        });
        done.unwrap_or_else(|_| Err("the work panicked (a bug: please report it)".into()))
    }
}

/// For the calling thread alone, and for good; the files are those that the process `pid` sees.
#[expect(unsafe_code, reason = "a thread parts from the others' working folder")]
fn assume(identity: &Identity, pid: Option<u32>) -> Result<(), String> {
    // A daemon that ended meanwhile has no view any more.
    if let Some(view) = pid.and_then(|pid| fs::File::open(format!("/proc/{pid}/ns/mnt")).ok()) {
        // SAFETY: only this thread's working folder and root are parted from the others', and no file is open
        // relative to them.
        let parted = unsafe { unshare_unsafe(UnshareFlags::FS) };
        parted
            .and_then(|()| move_into_link_name_space(view.as_fd(), Some(LinkNameSpaceType::Mount)))
            .map_err(|error| format!("the daemon's view of the files cannot be entered: {error}"))?;
    }
    identity.assume()
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
