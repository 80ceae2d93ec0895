//! `consumers`: how each gets the key, and how its use is shown.

use super::{
    address::url,
    claims::{self, Layout},
    mistake::Severity,
    read::{Item, Table},
    secrets::{any_secret, secret},
    standby,
    store::{Store, certificate},
    unit::{self, Loads},
    values::{self, duration, is_variable, number, path, program, prose, shown, store_path, text, word},
};
use crate::{
    consumer::{
        Deliver, FileForm, Prove, Settings, Then,
        unit::{UnitName, UnitNameError, Verb},
    },
    domain::{ProofLevel, Secret, write_duration},
};
use figment::value::Value;
use std::{collections::BTreeMap, time::Duration};

/// How old a report may be, unless told otherwise.
const REPORT_WITHIN: Duration = Duration::from_secs(20 * 3_600);
/// The most instances that are asked: each proof may take four requests for each.
const INSTANCES_MAX: u32 = 1_000;

/// The credential whose consumer it is.
pub(super) struct Owner<'a> {
    pub store: Option<&'a Store>,
    pub field: &'a str,
    /// There are two daemons.
    pub standby: bool,
}

pub(super) fn consumer(table: &mut Table, owner: &Owner) -> Option<Settings> {
    let host = table.get("host", host);
    let has_deliver = table.has("deliver");
    let delivery = table.table("deliver", |table| delivery(table, has_deliver, owner, host.as_deref()));
    let proof = proof(table, owner);
    let level = table.get("level", level).map(|level| (level, table.at("level")));
    let (Delivery { deliver, then, loads }, Proof { prove, accepted, level: inner }) = (delivery?, proof?);
    if deliver.is_none() && prove.is_none() {
        let hint = "add prove (http, command or report) where it fetches the key itself, or deliver";
        return table.refuse("nothing is delivered and nothing is proven", hint);
    }
    // Of two that say it, the credential's own goes before that of `defaults`.
    let is_default = |(_, place): &Wanted| table.sheet.source.default_behind(place).is_some();
    let (inner, level) = match (inner, level) {
        (Some(inner), Some(level)) if is_default(&inner) && !is_default(&level) => (None, Some(level)),
        (Some(inner), Some(level)) if !is_default(&inner) && is_default(&level) => (Some(inner), None),
        both => both,
    };
    if let (Some(_), Some((_, place))) = (&inner, &level) {
        table.sheet.note(
            Severity::Error,
            place,
            "prove.level says it already",
            Some("keep one of them".into()),
        );
    }
    let shown = what_can_be_shown(deliver.as_ref(), prove.as_ref(), &loads);
    if inner.is_none() {
        table.default("level", shown.as_str());
    }
    let wanted = match inner.or(level) {
        // Whether this holds is seen when systemd is asked.
        Some((ProofLevel::Loaded, _)) if loads.may_be(deliver.as_ref(), then.as_ref()) => ProofLevel::Loaded,
        Some((wanted, place)) if wanted > shown => {
            let rule = format!("{wanted} cannot be shown here, {shown} is the most");
            table.sheet.note(Severity::Error, &place, rule, Some("add prove: {http: {url: …}}".into()));
            return None;
        }
        Some((wanted, _)) => wanted,
        None => shown,
    };
    let settings = Settings { deliver, then, prove, wanted, accepted, host };
    warn_of_a_weak_proof(table, &settings, &loads);
    if owner.standby {
        standby::need_host(table, &settings);
    }
    Some(settings)
}

/// The highest level that delivery and proof together can reach.
fn what_can_be_shown(deliver: Option<&Deliver>, prove: Option<&Prove>, loads: &Loads) -> ProofLevel {
    match (prove, deliver) {
        (Some(Prove::Http { .. } | Prove::Command { .. } | Prove::Report { .. }), _) => ProofLevel::InUse,
        (None, Some(Deliver::File { .. })) if matches!(loads, Loads::Yes) => ProofLevel::Loaded,
        (None, Some(Deliver::Store { .. } | Deliver::File { .. })) => ProofLevel::WorkingCopy,
        (None, Some(Deliver::Command { .. })) => ProofLevel::Delivered,
        (None, None) => ProofLevel::Unproven,
    }
}

/// One line for one consumer: what is the most that it will show, and why it is not more.
fn warn_of_a_weak_proof(table: &Table, settings: &Settings, loads: &Loads) {
    let is_weak = match settings.wanted {
        ProofLevel::InUse | ProofLevel::Loaded => false,
        ProofLevel::WorkingCopy | ProofLevel::Delivered | ProofLevel::Unproven => !settings.accepted,
    };
    let (rule, hint) = match (is_weak, loads) {
        (true, loads) => {
            let why = match loads {
                Loads::No(why) | Loads::Unknown(why) => format!(": {why}"),
                Loads::Yes | Loads::Nothing => String::new(),
            };
            let hint = "add prove: {http: {url: …}}, or accept it with prove: none".to_owned();
            (format!("{} at best{why}", settings.wanted.words()), Some(hint))
        }
        (false, Loads::Unknown(why)) => (why.clone(), None),
        (false, Loads::Yes | Loads::No(_) | Loads::Nothing) => return,
    };
    table.sheet.note(Severity::Warning, &table.path, rule, hint);
}

struct Delivery {
    deliver: Option<Deliver>,
    then: Option<Then>,
    loads: Loads,
}

fn delivery(table: &mut Table, is_written: bool, owner: &Owner, host: Option<&str>) -> Option<Delivery> {
    if !is_written {
        return Some(Delivery { deliver: None, then: None, loads: Loads::Nothing });
    }
    let kind = table.need_choice(&["store", "file", "command"]);
    let deliver = match kind {
        Some("store") => table.table("store", |table| deliver_store(table, owner)),
        Some("file") => table.table("file", |table| deliver_file(table, host)),
        Some(_) => table.table("command", deliver_command),
        None => None,
    };
    let has_then = table.has("then");
    let then = table.table("then", |table| if has_then { then(table) } else { None });
    if has_then && then.is_none() {
        return None;
    }
    let loads = unit::loads(table, deliver.as_ref(), then.as_ref(), host);
    Some(Delivery { deliver: Some(deliver?), then, loads })
}

fn then(table: &mut Table) -> Option<Then> {
    match table.need_choice(&["restart", "reload", "exec"])? {
        "restart" => table.need("restart", unit).map(|unit| Then::Unit(Verb::Restart, unit)),
        "reload" => table.need("reload", unit).map(|unit| Then::Unit(Verb::Reload, unit)),
        _ => table.need("exec", program).map(Then::Exec),
    }
}

fn unit(item: &Item) -> Option<UnitName> {
    let text = text(item)?;
    text.parse().map_err(|error: UnitNameError| item.refuse::<()>(error.to_string())).ok()
}

fn deliver_store(table: &mut Table, owner: &Owner) -> Option<Deliver> {
    let path = table.need("path", store_path);
    let field = table.get("field", values::field).unwrap_or_else(|| owner.field.to_owned());
    let mount = table.get("mount", store_path);
    table.default("field", owner.field);
    // A store with mistakes of its own says nothing about this one.
    let store = owner.store?;
    if store.is_local() {
        return table
            .refuse("the local store is keyrelay's alone: no consumer can read it", "deliver a file");
    }
    table.default("mount", store.mount());
    let (path, mount) = (path?, mount.unwrap_or_else(|| store.mount().to_owned()));
    let layout = Layout { mount: store.mount(), state_path: &store.state_path };
    claims::claim_store_path(table.sheet, &layout, &mount, &path, &table.at("path"));
    Some(Deliver::Store { path, field, mount })
}

fn deliver_file(table: &mut Table, host: Option<&str>) -> Option<Deliver> {
    let path = table.need("path", path);
    if let Some(path) = &path {
        claims::claim_file(table.sheet, host, path, &table.at("path"));
    }
    let form = match table.choice(&["env", "template"]) {
        Some("env") => table.need("env", values::variable).map(FileForm::Env),
        Some(_) => table.need("template", template).map(FileForm::Template),
        None => None,
    };
    let group = table.get("group", group);
    let has_group = group.is_some();
    let modes = [("0600", 0o600), ("0640", 0o640)];
    let mode = table.get("mode", |item| match word(item, &modes)? {
        0o640 if !has_group => {
            item.refuse_with("mode 0640 is for a group, and none is named", "add group: NAME")
        }
        mode => Some(mode),
    });
    let mode = mode.unwrap_or(if has_group { 0o640 } else { 0o600 });
    table.default("mode", format!("{mode:04o}"));
    Some(Deliver::File { path: path?, form: form.unwrap_or(FileForm::Bare), mode, group })
}

fn deliver_command(table: &mut Table) -> Option<Deliver> {
    let run = table.need("run", program);
    let env = table.get_names("env", secrets_by_variable).unwrap_or_default();
    Some(Deliver::Command { run: run?, env })
}

/// Environment variables of a command, each with a reference to its value.
fn secrets_by_variable(item: &Item) -> Option<BTreeMap<String, Secret>> {
    let entries = item.entries()?;
    let read: Vec<_> = entries
        .iter()
        .map(|(name, item)| match is_variable(name) {
            true => Some((name.to_string(), any_secret(item)?)),
            false => {
                item.refuse("a variable's name is letters, digits and _, and does not begin with a digit")
            }
        })
        .collect();
    read.into_iter().collect()
}

fn template(item: &Item) -> Option<String> {
    let text = prose(item)?;
    match text.matches("{key}").count() {
        1 => Some(text),
        0 => item.refuse_with("the template has no place for the key", "write {key} where the key belongs"),
        _ => item.refuse("the template holds {key} more than once"),
    }
}

fn group(item: &Item) -> Option<String> {
    let text = text(item)?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    match text.len() <= 32 && !text.starts_with('-') && text.bytes().all(legal) {
        true => Some(text),
        false => item.refuse(format!("\"{}\" is no group's name", shown(&text))),
    }
}

/// What `uname -n` says where the consumer lives.
fn host(item: &Item) -> Option<String> {
    let text = text(item)?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    match text.len() <= 64 && text.bytes().all(legal) {
        true => Some(text),
        false => item
            .refuse_with(format!("\"{}\" is no host's name", shown(&text)), "write what uname -n says there"),
    }
}

/// A wanted level, and where it is written.
type Wanted = (ProofLevel, String);

struct Proof {
    prove: Option<Prove>,
    accepted: bool,
    level: Option<Wanted>,
}

fn proof(table: &mut Table, owner: &Owner) -> Option<Proof> {
    if !table.has("prove") {
        return Some(Proof { prove: None, accepted: false, level: None });
    }
    let is_word =
        table.get("prove", |item| Some(matches!(item.value(), Value::String(..) | Value::Char(..))))?;
    if is_word {
        table.get("prove", |item| word(item, &[("none", ())]))?;
        return Some(Proof { prove: None, accepted: true, level: None });
    }
    table.table("prove", |table| {
        let level = table.get("level", level).map(|level| (level, table.at("level")));
        let kinds = ["http", "command", "report"];
        if level.is_some() && !kinds.iter().any(|kind| table.mentions(kind)) {
            return Some(Proof { prove: None, accepted: false, level });
        }
        let prove = match table.need_choice(&kinds) {
            Some("http") => table.table("http", prove_http)?,
            Some("command") => table
                .table("command", |table| table.need("run", program))
                .map(|run| Prove::Command { run })?,
            Some(_) => table.table("report", |table| prove_report(table, owner))?,
            None => return None,
        };
        Some(Proof { prove: Some(prove), accepted: false, level })
    })
}

fn prove_http(table: &mut Table) -> Option<Prove> {
    let urls = match table.need_choice(&["url", "urls"]) {
        Some("url") => table.need("url", url).map(|url| vec![url]),
        Some(_) => table.need("urls", |item| {
            let urls = item.list(url)?;
            if urls.is_empty() { item.refuse("the list is empty") } else { Some(urls) }
        }),
        None => None,
    };
    let instances = table.get("instances", |item| number(item, 1..=INSTANCES_MAX));
    let ca_cert = table.get("ca_cert", certificate);
    let bearer = table.get("bearer", secret);
    Some(Prove::Http { urls: urls?, instances, ca_cert, bearer })
}

fn prove_report(table: &mut Table, owner: &Owner) -> Option<Prove> {
    let within = table.get("within", duration).unwrap_or(REPORT_WITHIN);
    table.default("within", write_duration(REPORT_WITHIN));
    if owner.store.is_some_and(Store::is_local) {
        return table.refuse(
            "the local store is keyrelay's alone: no consumer can write a report",
            "use http or command",
        );
    }
    Some(Prove::Report { within })
}

fn level(item: &Item) -> Option<ProofLevel> {
    let levels = [ProofLevel::InUse, ProofLevel::Loaded, ProofLevel::WorkingCopy, ProofLevel::Delivered];
    word(item, &levels.map(|level| (level.as_str(), level)))
}
