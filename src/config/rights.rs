//! What the store must let whom do for this configuration: exact paths, no wildcard. It does not know how a policy is
//! written down, nor whether the store grants it.

use super::Config;
use crate::{
    consumer::{Deliver, Prove},
    domain::ConsumerName,
    store,
};

/// One path of the store's API and what is done there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// As it follows `/v1/`, and as a policy names it: `secret/data/vendors/leaf7/main`.
    pub path: String,
    /// In the store's own words (`create`, `read`, `update`), sorted.
    pub capabilities: &'static [&'static str],
    /// For people: what it is needed for.
    pub why: String,
}

const READ: &[&str] = &["read"];
const UPDATE: &[&str] = &["update"];
const WRITE: &[&str] = &["create", "read", "update"];
const REPORT: &[&str] = &["create", "update"];

/// The name of the document that `keyrelay doctor` tries a check-and-set with, under `state_path`.
pub const DOCTOR: &str = "_doctor";

/// The name of the document that says which of two daemons acts, under `state_path`.
pub const LEASE: &str = "_lease";

/// What the daemon and its commands need. Empty with the local store, which asks nobody for rights.
pub fn store_rights(config: &Config) -> Vec<Right> {
    let store::Settings::Vault(vault) = &config.store else { return Vec::new() };
    let (mount, state) = (vault.mount.as_str(), config.state_path.as_str());
    let mut rights = vec![
        right("auth/token/lookup-self".into(), READ, "how long the token lives"),
        right("auth/token/renew-self".into(), UPDATE, "renews the token"),
        right("sys/capabilities-self".into(), UPDATE, "keyrelay doctor: which rights there are"),
        right(format!("{mount}/config"), READ, "keyrelay doctor: how many versions are kept"),
    ];
    rights.extend(document(mount, &format!("{state}/{DOCTOR}"), "keyrelay doctor: a check-and-set"));
    if config.standby {
        rights.extend(document(mount, &format!("{state}/{LEASE}"), "which of two daemons acts"));
    }
    for (name, mailbox) in &config.mailboxes {
        if mailbox.grant().is_some_and(|grant| grant.refresh_token.is_some()) {
            let path = format!("{state}/_mailboxes/{name}");
            rights.extend(document(mount, &path, &format!("the refresh token of {name}")));
        }
    }
    for (name, credential) in &config.credentials {
        rights.extend(document(mount, &credential.path, &format!("the key of {name}")));
        rights.extend(document(mount, &format!("{state}/{name}"), &format!("how far {name} is")));
        for (consumer, settings) in &credential.consumers {
            if let Some(Deliver::Store { path, mount, .. }) = &settings.deliver {
                rights.extend(document(mount, path, &format!("the copy for {consumer}")));
            }
            if let Some(Prove::Report { .. }) = &settings.prove {
                let path = format!("{mount}/data/{state}/_reports/{name}/{consumer}");
                rights.push(right(path, READ, &format!("what {consumer} reports")));
            }
        }
    }
    rights
}

/// What a consumer needs for itself, of every credential that has one of this name: to read the key where it is for
/// it, and to write its report. Empty where it is handed everything.
pub fn consumer_rights(config: &Config, consumer: &ConsumerName) -> Vec<Right> {
    let store::Settings::Vault(vault) = &config.store else { return Vec::new() };
    let mut rights = Vec::new();
    for (name, credential) in &config.credentials {
        let Some(settings) = credential.consumers.get(consumer) else { continue };
        let place = match &settings.deliver {
            None => Some((vault.mount.as_str(), credential.path.as_str())),
            Some(Deliver::Store { path, mount, .. }) => Some((mount.as_str(), path.as_str())),
            Some(Deliver::File { .. } | Deliver::Command { .. }) => None,
        };
        if let Some((mount, path)) = place {
            rights.push(right(format!("{mount}/data/{path}"), READ, &format!("the key of {name}")));
        }
        if let Some(Prove::Report { .. }) = &settings.prove {
            let path = format!("{}/data/{}/_reports/{name}/{consumer}", vault.mount, config.state_path);
            rights.push(right(path, REPORT, "its report of a call that worked"));
        }
    }
    rights
}

/// A document that is read and written, and whose versions are looked at.
fn document(mount: &str, path: &str, why: &str) -> [Right; 2] {
    [
        right(format!("{mount}/data/{path}"), WRITE, why),
        right(format!("{mount}/metadata/{path}"), READ, &format!("{why}: its versions")),
    ]
}

fn right(path: String, capabilities: &'static [&'static str], why: &str) -> Right {
    Right { path, capabilities, why: why.to_owned() }
}
