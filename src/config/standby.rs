//! `standby`: two daemons with one configuration, of which one acts. What lives on one machine then has to say on which.

use super::{address::is_loopback_url, mistake::Severity, read::Table, source::join, store::Store, switch};
use crate::consumer::{Deliver, Prove, Settings, Then};
use figment::value::{Dict, Value};
use sha2::{Digest, Sha256};
use std::fmt;

/// What may differ from host to host: its own sockets and folders, and its own way to the store.
const OWN: [&str; 6] =
    ["control", "listen", "spool", "store.vault.address", "store.vault.auth", "store.vault.ca_cert"];

pub(super) fn standby(root: &mut Table, store: Option<&Store>) -> bool {
    let standby = switch(root, "standby");
    if standby && store.is_some_and(Store::is_local) {
        let rule = "two daemons share a store, and the local one is this machine's alone";
        let hint = "use store.vault, or leave standby out".to_owned();
        root.sheet.note(Severity::Error, "standby", rule, Some(hint));
    }
    standby
}

/// Whichever daemon acts must know where such a consumer is.
pub(super) fn need_host(table: &Table, settings: &Settings) {
    let Some(what) = on_one_machine(settings).filter(|_| settings.host.is_none()) else { return };
    let rule =
        format!("this key is missing: with standby there are two daemons, and {what} is on one machine");
    let hint = "write what uname -n says there".to_owned();
    table.sheet.note(Severity::Error, &table.at("host"), rule, Some(hint));
}

/// What of it only a daemon on its own machine can reach.
fn on_one_machine(settings: &Settings) -> Option<&'static str> {
    let delivered = match &settings.deliver {
        Some(Deliver::File { .. }) => Some("a file"),
        Some(Deliver::Command { .. }) => Some("a command"),
        Some(Deliver::Store { .. }) | None => None,
    };
    let acted = match &settings.then {
        Some(Then::Unit(..)) => Some("a unit"),
        Some(Then::Exec(_)) => Some("a command"),
        None => None,
    };
    let proven = match &settings.prove {
        Some(Prove::Command { .. }) => Some("a command"),
        Some(Prove::Http { urls, .. }) if urls.iter().any(|url| is_loopback_url(url)) => {
            Some("a loopback address")
        }
        Some(Prove::Http { .. } | Prove::Report { .. }) | None => None,
    };
    delivered.or(acted).or(proven)
}

/// Names what is written: two daemons stand in for each other only where this is the same. Defaults and what belongs
/// to one host count for nothing, so that another release, or another socket, makes no difference.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Written(pub String);

/// However it is written, a configuration means what it means.
impl fmt::Debug for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Written")
    }
}

pub(super) fn name_of(tree: &Dict) -> Written {
    let text = serde_json::to_string(&shared(tree, "")).unwrap_or_default();
    let hash = Sha256::digest(text.as_bytes());
    Written(hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
}

fn shared(tree: &Dict, above: &str) -> Dict {
    let all = tree.iter().map(|(key, value)| (key, join(above, key), value));
    let counts =
        all.filter(|(_, path, value)| !OWN.contains(&path.as_str()) && !matches!(value, Value::Empty(..)));
    let entries = counts.map(|(key, path, value)| match value {
        Value::Dict(tag, below) => (key.clone(), Value::Dict(*tag, shared(below, &path))),
        value => (key.clone(), value.clone()),
    });
    entries.collect()
}
