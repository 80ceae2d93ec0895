//! Each consumer: its folder can be written, its programs can be run, and it works with the current key now.

mod proof;

use super::{
    Site,
    finding::{Area, Line},
    store::Keys,
};
use crate::{
    consumer::{
        Deliver, FileForm, Prove, Settings, Then,
        deliver::{compare_copy, file},
    },
    domain::{ConsumerName, CopyState, CredentialName, DeliveryOutcome, Key},
    face::status::Status,
    store::{Read, Store},
};
use rustix::fs::{Access, access};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::task::JoinSet;

/// Consumers that are asked at once.
const AT_ONCE: usize = 32;

/// Whose consumer it is.
#[derive(Clone)]
struct Whose {
    credential: CredentialName,
    consumer: ConsumerName,
}

impl Whose {
    /// The beginning of each of its lines.
    fn tried(&self, what: &str) -> String {
        format!("{}/{} {what}", self.credential, self.consumer)
    }
    fn prove(&self) -> String {
        format!("keyrelay prove {} --consumer {}", self.credential, self.consumer)
    }
}

pub async fn area(site: &Arc<Site>, keys: &Keys, daemon: Option<&Status>) -> Area {
    let mut area = Area::new("consumers");
    let all = site.credentials().flat_map(|(credential, settings)| {
        let whose = move |consumer: &ConsumerName| Whose {
            credential: credential.clone(),
            consumer: consumer.clone(),
        };
        settings.consumers.iter().map(move |(name, settings)| (whose(name), settings.clone()))
    });
    let prover = Arc::new(proof::Asker::new(site));
    let mut waiting = all.enumerate().collect::<Vec<_>>();
    waiting.reverse();
    let (mut asking, mut answers) = (JoinSet::new(), Vec::new());
    while !waiting.is_empty() || !asking.is_empty() {
        while asking.len() < AT_ONCE
            && let Some((number, (whose, settings))) = waiting.pop()
        {
            let (site, prover) = (site.clone(), prover.clone());
            let key = keys.get(&whose.credential).map(|known| known.current.clone());
            let proof = proof::Given::of(&whose, keys, daemon);
            asking.spawn(async move { (number, one(&site, &prover, &whose, &settings, key, proof).await) });
        }
        if let Some(Ok(answer)) = asking.join_next().await {
            answers.push(answer);
        }
    }
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().flat_map(|(_, lines)| lines).for_each(|line| area.add(line));
    area
}

async fn one(
    site: &Arc<Site>,
    asker: &proof::Asker,
    whose: &Whose,
    settings: &Settings,
    key: Option<Key>,
    given: proof::Given,
) -> Vec<Line> {
    if let Some(host) = settings.host.as_ref().filter(|host| **host != crate::daemon::host_name()) {
        return vec![Line::skipped(
            whose.tried("on another host"),
            format!("type keyrelay doctor on {host}"),
        )];
    }
    let mut lines = delivery(site, whose, settings, key.as_ref()).await;
    match &settings.then {
        Some(Then::Exec(argv)) => lines.push(program(site, whose.tried("then"), argv).await),
        Some(Then::Unit(..)) | None => {}
    }
    match &settings.prove {
        Some(Prove::Command { run }) => lines.push(program(site, whose.tried("prove"), run).await),
        Some(Prove::Http { .. } | Prove::Report { .. }) | None => {}
    }
    // A program that cannot be run has been told of.
    if settings.prove.is_some() && lines.iter().all(|line| !line.level.is_failure()) {
        lines.push(asker.ask(site, whose, settings, given).await);
    }
    lines
}

async fn delivery(site: &Arc<Site>, whose: &Whose, settings: &Settings, key: Option<&Key>) -> Vec<Line> {
    match &settings.deliver {
        None => Vec::new(),
        Some(Deliver::Command { run, .. }) => vec![program(site, whose.tried("deliver"), run).await],
        Some(Deliver::File { path, form, mode, group }) => {
            let file = Target { path: path.clone(), form: form.clone(), mode: *mode, group: group.clone() };
            let key = key.cloned();
            let target = file.clone();
            let tried = site.as_service(move || target.look(key.as_ref())).await;
            vec![match tried {
                Ok(looked) => file_line(site, whose, &file, looked),
                Err(why) => Line::failed(whose.tried("file"), why),
            }]
        }
        Some(Deliver::Store { path, field, mount }) => {
            vec![copy(site, whose, mount, path, field, key).await]
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

fn file_line(site: &Site, whose: &Whose, target: &Target, looked: LookedAt) -> Line {
    let (tried, path) = (whose.tried("file"), target.path.display());
    if let DeliveryOutcome::Failed(why) = looked.rehearsed {
        return Line::failed(tried, why).command("keyrelay policy systemd");
    }
    let folder = target.path.parent().unwrap_or(Path::new("/"));
    if site.service.unit.as_ref().is_some_and(|unit| unit.main_pid.is_none() && !unit.may_write(folder)) {
        let seen = format!("{}: the unit's ReadWritePaths= do not name it", folder.display());
        return Line::failed(tried, seen).command("keyrelay policy systemd");
    }
    let can = format!("{}: written and renamed in", folder.display());
    match looked.copy {
        None => Line::ok(tried, can),
        Some(CopyState::Same) => Line::ok(tried, format!("{can}; {path} holds the current key")),
        Some(CopyState::Missing) => {
            Line::ok(tried, format!("{can}; {path} is not there yet, the daemon writes it"))
        }
        Some(CopyState::Differs(_)) => Line::warning(
            tried,
            format!("{can}; {path} holds another key, or in another form: the daemon writes it anew"),
        ),
        Some(CopyState::NotOurs(why)) => {
            Line::failed(tried, format!("{why}; keyrelay will not overwrite it"))
                .command(format!("sudo mv {path} {path}.before-keyrelay"))
        }
        Some(CopyState::Failed(why)) => Line::failed(tried, why),
        Some(CopyState::Unreadable) => Line::ok(tried, can),
    }
}

/// Whether the consumer's own path can be read; that it may be written is a right of the store's.
async fn copy(site: &Site, whose: &Whose, mount: &str, path: &str, field: &str, key: Option<&Key>) -> Line {
    let tried = whose.tried(&format!("copy at {mount}/{path}"));
    let Some(key) = key else { return Line::skipped(tried, "the current key is not known: see store") };
    let store = match Store::open(&site.config.store, &site.limits) {
        Ok(store) => store,
        Err(why) => return Line::failed(tried, why),
    };
    let read = store.read(Some(mount), path).await;
    if let Store::Vault(vault) = &store {
        vault.leave().await;
    }
    match read {
        Read::Present(document) => match compare_copy(document.fields.get_str(field), key) {
            CopyState::Same => Line::ok(tried, "holds the current key"),
            CopyState::Missing => Line::ok(tried, format!("has no field {field} yet; the daemon writes it")),
            CopyState::Differs(_) | CopyState::NotOurs(_) | CopyState::Unreadable | CopyState::Failed(_) => {
                Line::warning(tried, "holds another key: the daemon writes it anew")
            }
        },
        Read::Absent | Read::Deleted { .. } => Line::ok(tried, "not there yet; the daemon writes it"),
        Read::Failed(trouble) => Line::store_trouble(tried, &trouble),
    }
}

/// Whether the service may run it. It is not run: what it does is its own business.
async fn program(site: &Arc<Site>, tried: String, argv: &[String]) -> Line {
    let Some(name) = argv.first().cloned() else { return Line::failed(tried, "it names no program") };
    let shown = name.clone();
    match site.as_service(move || find(&name)).await {
        Ok(Some(path)) => Line::ok(tried, format!("{} can be run", path.display())),
        Ok(None) if shown.contains('/') => {
            Line::failed(tried, format!("{shown} cannot be run by the service"))
                .command(format!("ls -l {shown}"))
        }
        Ok(None) => {
            Line::failed(tried, format!("no program {shown} in PATH")).advice("name it with its whole path")
        }
        Err(why) => Line::failed(tried, why),
    }
}

fn find(name: &str) -> Option<PathBuf> {
    let runs = |path: &PathBuf| path.is_file() && access(path, Access::EXEC_OK).is_ok();
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(runs);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(runs)
}
