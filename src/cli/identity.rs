//! Users and groups of this host, and a thread that becomes one of them: what root does in a daemon's place must not
//! belong to root. It decides nothing about whose rights are wanted.

use rustix::{
    process::{Gid, Uid},
    thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};
use std::fs;

/// A user, with all groups that count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
}

impl Identity {
    /// For the calling thread and those that it starts, and for good: the other threads keep what they may.
    pub fn assume(&self) -> Result<(), String> {
        let failed = |error: rustix::io::Errno| format!("the user {} cannot be assumed: {error}", self.uid);
        let (uid, gid) = (Uid::from_raw(self.uid), Gid::from_raw(self.gid));
        let groups: Vec<Gid> = self.groups.iter().map(|gid| Gid::from_raw(*gid)).collect();
        set_thread_groups(&groups).map_err(failed)?;
        set_thread_res_gid(gid, gid, gid).map_err(failed)?;
        set_thread_res_uid(uid, uid, uid).map_err(failed)
    }
}

/// The users and groups that the files of this host name.
pub struct Accounts {
    pub passwd: String,
    pub group: String,
}

impl Accounts {
    pub fn of_this_host() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        Self { passwd: read("/etc/passwd"), group: read("/etc/group") }
    }

    pub fn name_of(&self, uid: u32) -> Option<String> {
        let uid = uid.to_string();
        lines(&self.passwd)
            .find(|fields| fields.get(2) == Some(&uid.as_str()))
            .map(|fields| fields[0].to_owned())
    }

    /// As systemd starts a unit: the user's own group unless `group` names another, every group that it is in, and
    /// `further` ones.
    pub fn identity(&self, user: &str, group: &str, further: &[String]) -> Option<Identity> {
        let fields = lines(&self.passwd).find(|fields| fields[0] == user || fields.get(2) == Some(&user))?;
        let (name, uid, own) = (fields[0], fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?);
        let gid = if group.is_empty() { own } else { self.gid(group)? };
        let is_in =
            |fields: &Vec<&str>| fields.get(3).is_some_and(|all| all.split(',').any(|one| one == name));
        let member = lines(&self.group).filter(is_in).filter_map(|fields| fields.get(2)?.parse().ok());
        let further = further.iter().filter_map(|group| self.gid(group));
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
