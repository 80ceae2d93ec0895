//! Secrets that the units do not name by themselves. Pure: the units are the ones that are installed with the program.

use crate::config::Reference;
use std::collections::BTreeSet;

const DAEMON: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/systemd/keyrelay.service"));
const FAILED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/systemd/keyrelay-failed.service"));

/// Names of credentials, by the unit that has to be told of them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Secrets {
    pub daemon: BTreeSet<String>,
    /// keyrelay-failed.service, which sends alerts and nothing else.
    pub failed: BTreeSet<String>,
}

impl Secrets {
    pub fn of(references: &[Reference]) -> Self {
        let names = |unit: &str, of: fn(&Reference) -> bool| {
            let names = references.iter().filter(|reference| of(reference)).filter_map(Reference::credential);
            names.filter(|name| !is_named(unit, name)).map(str::to_owned).collect()
        };
        Self {
            daemon: names(DAEMON, |_| true),
            failed: names(FAILED, |reference| reference.key.starts_with("alerts.")),
        }
    }
}

fn is_named(unit: &str, name: &str) -> bool {
    unit.lines().filter_map(|line| line.strip_prefix("LoadCredential=")).any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Found;

    #[test]
    fn each_unit_is_told_of_the_names_that_it_lacks_and_only_one_of_what_is_no_alerts() {
        let reference = |key: &str, written: &str| Reference {
            key: key.into(),
            written: written.into(),
            found: Found::Variable,
        };
        let secrets = Secrets::of(&[
            reference("store.vault.auth.approle.secret_id", "{credential: vault-secret-id}"),
            reference("mailboxes.mail.imap.password", "{credential: other-mail}"),
            reference("alerts.email.smtp.password", "{credential: relay-password}"),
            reference("alerts.webhook.url", "{file: /etc/hook}"),
        ]);
        assert_eq!(secrets.daemon, ["other-mail".to_owned(), "relay-password".to_owned()].into());
        assert_eq!(secrets.failed, ["relay-password".to_owned()].into());
    }
}
