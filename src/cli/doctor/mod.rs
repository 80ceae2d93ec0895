//! `keyrelay doctor`. It tries what the daemon will need with the daemon's own adapters, each thing under a time-out,
//! and changes nothing but what it says: a document of its own in the store, a temporary file in each folder. It
//! takes no mail. Where a mailbox's provider gives it another refresh token, it is kept where the daemon looks for it.

mod alert;
mod clock;
mod consumer;
mod dkim;
mod finding;
mod host;
mod mailbox;
mod secrets;
mod service;
mod store;
mod systemd;
mod token;
mod vendor;

use super::{
    check::counted,
    console::{Console, Exit, Failure},
    work,
};
use crate::{
    config::{Config, Credential, Found, Loaded, Mistake, Need, Reference},
    domain::{CredentialName, Limits, MailboxName},
};
use finding::{Area, Line};
use service::Service;
use std::{collections::BTreeSet, path::Path, sync::Arc, time::Duration};

/// Try every connection and every right the daemon will need
///
/// Each thing that is tried is one line: what was seen, and what to type where it failed. It runs beside the daemon
/// and before its first start. Ends with 1 for a finding, 2 where the daemon would not start with this configuration,
/// 3 where an outside system does not answer.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only what this one needs
    credential: Option<CredentialName>,
    /// Send a real mail to everybody who is told of trouble; without it the mail server is asked, and nothing is sent
    #[arg(long)]
    send_mail: bool,
}

/// A person waits: a mail server gets less time than from the daemon.
const MAIL_TIMEOUT: Duration = Duration::from_secs(15);

/// What is looked at.
struct Site {
    config: Config,
    warnings: Vec<Mistake>,
    references: Vec<Reference>,
    only: Option<CredentialName>,
    send_mail: bool,
    limits: Limits,
    service: Service,
}

pub async fn doctor(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    // A secret that is missing is one finding among others; `run` would end over it.
    let Loaded { config, warnings, references } = work::load(path, Need::Check)?;
    if let Some(name) = args.credential.as_ref().filter(|name| !config.credentials.contains_key(name)) {
        return Err(work::unknown_credential(name, config.credentials.keys()));
    }
    let limits = Limits { mail_read_timeout: MAIL_TIMEOUT, smtp_timeout: MAIL_TIMEOUT, ..Limits::default() };
    let (only, send_mail, service) = (args.credential.clone(), args.send_mail, Service::find().await);
    let site = Arc::new(Site { config, warnings, references, only, send_mail, limits, service });
    let areas = everything(&site).await;
    console.say(&finding::text(&areas, console.colour, console.width));
    Ok(finding::exit(&areas))
}

/// What does not depend on each other is tried side by side, and shown in one order.
async fn everything(site: &Arc<Site>) -> Vec<Area> {
    let (mut host, daemon) = host::area(site).await;
    let (secrets, (store, keys, date), (mut mailboxes, mails), alerts) =
        tokio::join!(secrets::area(site), store::area(site), mailbox::areas(site), alert::area(site));
    // These need the keys that the store gave, and the mails.
    let ((vendors, dates), consumers, (dkim, answers)) = tokio::join!(
        vendor::area(site, &keys, daemon.as_ref()),
        consumer::area(site, &keys, daemon.as_ref()),
        dkim::area(site, &mails),
    );
    keys.leave().await;
    mailbox::judge(site, &mails, &answers, &keys, &mut mailboxes);
    clock::add(&mut host, site.limits.clock_skew, date, &dates).await;
    let mut areas = vec![configuration(site), host, secrets, store];
    areas.extend(mailboxes);
    areas.extend([dkim, vendors, consumers, alerts]);
    areas
}

fn configuration(site: &Site) -> Area {
    let mut area = Area::new(format!("configuration {}", site.config.source.display()));
    let missing: BTreeSet<&str> = site.references.iter().map(|reference| reference.key.as_str()).collect();
    // A missing secret is told where secrets are.
    let others: Vec<_> = site
        .warnings
        .iter()
        .filter(|it| site.is_asked(&it.key) && !missing.contains(it.key.as_str()))
        .collect();
    if others.is_empty() {
        area.add(Line::ok(
            "read",
            format!("{}, no mistake", counted(site.config.credentials.len(), "credential")),
        ));
    }
    for warning in others {
        let line = Line::warning(&warning.key, &warning.rule);
        area.add(warning.hint.iter().fold(line, |line, hint| line.advice(hint)));
    }
    area
}

impl Site {
    /// Those that are asked about.
    fn credentials(&self) -> impl Iterator<Item = (&CredentialName, &Credential)> {
        let all = self.config.credentials.iter();
        all.filter(|(name, _)| self.only.as_ref().is_none_or(|only| only == *name))
    }

    /// Whether a key of the configuration is none of another credential's than the one that is asked about.
    fn is_asked(&self, key: &str) -> bool {
        let owner = key.strip_prefix("credentials.").and_then(|rest| rest.split('.').next());
        owner.is_none_or(|owner| self.only.as_ref().is_none_or(|only| only.as_str() == owner))
    }

    /// Whether a secret below this key of the configuration was not found.
    fn misses(&self, above: &str) -> bool {
        let is_missing = |reference: &Reference| match reference.found {
            Found::Missing { .. } => reference.key.starts_with(above),
            Found::File { .. } | Found::Variable => false,
        };
        self.references.iter().any(is_missing)
    }

    /// The mailboxes that they are watched in; all where all are asked about.
    fn mailboxes(&self) -> Vec<&MailboxName> {
        let used: BTreeSet<_> =
            self.credentials().filter_map(|(_, credential)| credential.mailbox.as_ref()).collect();
        let all = self.config.mailboxes.keys();
        all.filter(|name| self.only.is_none() || used.contains(name)).collect()
    }

    /// File work as the service would do it, off the threads that answer others.
    async fn as_service<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, String> {
        let site = self.clone();
        let done = tokio::task::spawn_blocking(move || site.service.run(work));
        match tokio::time::timeout(self.limits.command_timeout, done).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err("the work panicked (a bug: please report it)".into()),
            Err(_) => Err("the file system does not answer".into()),
        }
    }

    /// The same for work that waits for others: it connects, and starts programs, as the service would.
    async fn waits_as_service<T: Send + 'static, W: Future<Output = T>>(
        self: &Arc<Self>,
        work: impl FnOnce() -> W + Send + 'static,
    ) -> Result<T, String> {
        let done = self.as_service(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| format!("no thread for it: {error}"))?;
            Ok(runtime.block_on(work()))
        });
        done.await?
    }
}

/// What a hint says to type, where it is one line for a shell.
fn with_hint(line: Line, hint: &str) -> Line {
    let typed =
        ["write it: ", "type: ", "set it: ", "make one: "].iter().find_map(|words| hint.strip_prefix(words));
    match typed {
        Some(command) => line.command(command),
        None => line.advice(hint),
    }
}
