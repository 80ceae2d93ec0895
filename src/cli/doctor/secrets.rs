//! Every reference to a secret, and every file of certificates: found, and readable by the service.

use super::{
    Site,
    finding::{Area, Level, Line},
    with_hint,
};
use crate::{
    config::{Found, Reference},
    consumer::Prove,
    mail::MailboxSettings,
    store,
};
use std::{
    collections::BTreeSet,
    fs::File,
    path::{Path, PathBuf},
    sync::Arc,
};

pub async fn area(site: &Arc<Site>) -> Area {
    let mut area = Area::new("secrets");
    for reference in site.references.iter().filter(|reference| site.is_asked(&reference.key)) {
        area.add(line(site, reference).await);
    }
    for path in certificates(site) {
        if let Some(line) = unreadable(site, "a certificate file", &path).await {
            area.add(line);
        }
    }
    area
}

async fn line(site: &Arc<Site>, reference: &Reference) -> Line {
    let (key, written) = (&reference.key, &reference.written);
    match &reference.found {
        Found::Missing { rule, hint } => {
            with_hint(Line::new(Level::Mistake, key, format!("{written}: {rule}")), hint)
        }
        Found::Variable => {
            Line::ok(key, format!("{written}: set in this environment; the unit needs it in its own"))
        }
        Found::File { path, mode } => {
            if written.starts_with("{credential:") {
                return credential(site, reference, path, *mode);
            }
            let refused = unreadable(site, key, path).await;
            refused.unwrap_or_else(|| Line::ok(key, format!("{}, mode {mode:04o}", path.display())))
        }
    }
}

/// systemd reads it as root, and gives it to the unit only where the unit says so.
fn credential(site: &Site, reference: &Reference, path: &Path, mode: u32) -> Line {
    let found = format!("{}, mode {mode:04o}", path.display());
    let name = reference.written.trim_start_matches("{credential: ").trim_end_matches('}');
    match &site.service.unit {
        Some(unit) if !unit.credentials.iter().any(|given| given == name) => {
            let drop_in = format!("/etc/systemd/system/keyrelay.service.d/credential-{name}.conf");
            let line = Line::failed(&reference.key, format!("{found}, but the unit does not load it"));
            line.command(format!(
                "printf '[Service]\\nLoadCredential={name}\\n' | sudo install -D -m 644 /dev/stdin {drop_in}"
            ))
            .command("sudo systemctl daemon-reload && sudo systemctl restart keyrelay")
        }
        Some(_) | None => Line::ok(&reference.key, found),
    }
}

/// `None`: the service can read it.
async fn unreadable(site: &Arc<Site>, what: &str, path: &Path) -> Option<Line> {
    let shown = path.display();
    let opened = path.to_owned();
    let why = match site.as_service(move || File::open(opened).map(drop)).await {
        Ok(Ok(())) => return None,
        Ok(Err(error)) => error.to_string(),
        Err(why) => why,
    };
    let line = Line::failed(what, format!("{shown} cannot be read by the service: {why}"));
    Some(match site.service.user() {
        Some(user) => line.command(format!("sudo chown {user} {shown}")),
        None => line.advice(format!("make {shown} readable for the user that keyrelay runs as")),
    })
}

fn certificates(site: &Site) -> BTreeSet<PathBuf> {
    let store = match &site.config.store {
        store::Settings::Vault(vault) => vault.ca_cert.clone(),
        store::Settings::Local(_) => None,
    };
    let mailboxes =
        site.mailboxes().into_iter().filter_map(|name| match site.config.mailboxes.get(name)? {
            MailboxSettings::Imap(imap) => imap.ca_cert.clone(),
            MailboxSettings::Maildir(_) => None,
        });
    let email = site.config.email.as_ref().and_then(|email| email.ca_cert.clone());
    let consumers = site.credentials().flat_map(|(_, credential)| credential.consumers.values());
    let consumers = consumers.filter_map(|consumer| match consumer.prove.as_ref()? {
        Prove::Http { ca_cert, .. } => ca_cert.clone(),
        Prove::Command { .. } | Prove::Report { .. } => None,
    });
    store.into_iter().chain(mailboxes).chain(email).chain(consumers).collect()
}
