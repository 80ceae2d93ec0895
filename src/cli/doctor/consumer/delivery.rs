//! Whether a consumer can be handed the key, and whether it was.

use super::{
    super::{Site, finding::Line},
    Whose, program,
};
use crate::{
    consumer::{
        Deliver, FileForm, Settings,
        deliver::{compare_copy, file},
    },
    domain::{CopyState, DeliveryOutcome, Key},
    store::{Read, Store},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

pub struct Tried {
    pub lines: Vec<Line>,
    /// It has the current key, as far as can be told.
    pub is_handed: bool,
}

impl Tried {
    fn one(line: Line, is_handed: bool) -> Self {
        Self { lines: vec![line], is_handed }
    }
}

pub async fn tried(
    site: &Arc<Site>,
    whose: &Whose,
    settings: &Settings,
    key: Option<&Key>,
    store: Option<&Store>,
) -> Tried {
    match &settings.deliver {
        None => Tried { lines: Vec::new(), is_handed: true },
        Some(Deliver::Command { run, .. }) => {
            Tried::one(program::runs(site, whose.tried("deliver"), run).await, true)
        }
        Some(Deliver::File { path, form, mode, group }) => {
            let target = Target { path: path.clone(), form: form.clone(), mode: *mode, group: group.clone() };
            let (key, looking) = (key.cloned(), target.clone());
            match site.as_service(move || looking.look(key.as_ref())).await {
                Ok(looked) => file_line(site, whose, &target, looked),
                Err(why) => Tried::one(Line::failed(whose.tried("file"), why), true),
            }
        }
        Some(Deliver::Store { path, field, mount }) => {
            let tried = whose.tried(&format!("copy at {mount}/{path}"));
            match (store, key) {
                (Some(store), Some(key)) => copy(tried, store.read(Some(mount), path).await, field, key),
                (_, _) => Tried::one(Line::skipped(tried, "the current key is not known: see store"), true),
            }
        }
    }
}
#[derive(Clone)]
struct Target {
    path: PathBuf,
    form: FileForm,
    mode: u32,
    group: Option<String>,
}

struct LookedAt {
    rehearsed: DeliveryOutcome,
    copy: Option<CopyState>,
}

impl Target {
    fn look(&self, key: Option<&Key>) -> LookedAt {
        let group = self.group.as_deref();
        LookedAt {
            rehearsed: file::rehearse(&self.path, self.mode, group),
            copy: key.map(|key| file::compare(&self.path, &self.form, self.mode, group, key)),
        }
    }
}

fn file_line(site: &Site, whose: &Whose, target: &Target, looked: LookedAt) -> Tried {
    let (tried, path) = (whose.tried("file"), target.path.display());
    if let DeliveryOutcome::Failed(why) = looked.rehearsed {
        return Tried::one(Line::failed(tried, why).command("keyrelay policy systemd"), true);
    }
    let folder = target.path.parent().unwrap_or(Path::new("/"));
    if site.service.unit.as_ref().is_some_and(|unit| unit.main_pid.is_none() && !unit.may_write(folder)) {
        let seen = format!("{}: the unit's ReadWritePaths= do not name it", folder.display());
        return Tried::one(Line::failed(tried, seen).command("keyrelay policy systemd"), true);
    }
    let can = format!("{}: written and renamed in", folder.display());
    match looked.copy {
        Some(CopyState::Same) => {
            Tried::one(Line::ok(tried, format!("{can}; {path} holds the current key")), true)
        }
        Some(CopyState::Missing) => Tried::one(
            Line::ok(tried, format!("{can}; {path} is not there yet, the daemon writes it")),
            false,
        ),
        Some(CopyState::Differs(_)) => {
            let seen =
                format!("{can}; {path} holds another key, or in another form: the daemon writes it anew");
            Tried::one(Line::warning(tried, seen), false)
        }
        Some(CopyState::NotOurs(why)) => {
            let line = Line::failed(tried, format!("{why}; keyrelay will not overwrite it"));
            Tried::one(line.command(format!("sudo mv {path} {path}.before-keyrelay")), true)
        }
        Some(CopyState::Failed(why)) => Tried::one(Line::failed(tried, why), true),
        Some(CopyState::Unreadable) | None => Tried::one(Line::ok(tried, can), true),
    }
}

/// The consumer's own path in the store; that it may be written is a right, and told there.
fn copy(tried: String, read: Read, field: &str, key: &Key) -> Tried {
    match read {
        Read::Present(document) => match compare_copy(document.fields.get_str(field), key) {
            CopyState::Same => Tried::one(Line::ok(tried, "holds the current key"), true),
            CopyState::Missing => {
                Tried::one(Line::ok(tried, format!("has no field {field} yet; the daemon writes it")), false)
            }
            CopyState::Differs(_) | CopyState::NotOurs(_) | CopyState::Unreadable | CopyState::Failed(_) => {
                Tried::one(Line::warning(tried, "holds another key: the daemon writes it anew"), false)
            }
        },
        Read::Absent | Read::Deleted { .. } => {
            Tried::one(Line::ok(tried, "not there yet; the daemon writes it"), false)
        }
        Read::Failed(trouble) => Tried::one(Line::store_trouble(tried, &trouble), true),
    }
}
