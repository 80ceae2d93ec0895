//! YAML files, and the environment over them, become everybody's settings. All mistakes are found at once, each with
//! its place, its rule and a hint. Reading is all that happens here: nothing is connected to, written or generated,
//! and what the settings are for is not known.

mod address;
mod alerts;
mod budget;
mod claims;
mod consumer;
mod credential;
mod environment;
mod mailbox;
mod mistake;
mod print;
mod read;
pub mod rights;
mod rotating;
mod schedule;
pub mod schema;
mod secrets;
mod source;
mod standby;
mod store;
mod unit;
mod values;
mod vendors;

#[cfg(test)]
mod tests;

pub use credential::Credential;
pub use mistake::{Mistake, Mistakes, Severity, did_you_mean};
pub use rotating::{Rotating, Window};
pub use schedule::Schedules;
pub use secrets::{Found, Reference};
pub use standby::Written;

use crate::{
    alert::{self, smtp},
    domain::{CredentialName, Hygiene, MailboxName, VendorName},
    mail::{self, dns},
    spool, store as key_store,
    vendor::Profile,
};
use read::{Item, Record, Sheet, Table};
use source::Source;
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

/// Where the HTTP face listens, unless told otherwise.
const LISTEN: &str = "127.0.0.1:7718";
const LISTEN_AT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 7718);
/// The socket of keyrelay's own commands, unless told otherwise.
const CONTROL: &str = "/run/keyrelay/control.sock";

/// Everybody's settings, whole and right.
#[derive(Debug, Clone)]
pub struct Config {
    pub store: key_store::Settings,
    /// Where keyrelay keeps its own documents, on the store's mount.
    pub state_path: String,
    pub spool: spool::Settings,
    pub mailboxes: BTreeMap<MailboxName, mail::MailboxSettings>,
    /// Under which names each mailbox's own server writes `Authentication-Results`, lower case; often none.
    pub authserv_ids: BTreeMap<MailboxName, Vec<String>>,
    /// What is done in each of them besides reading.
    pub hygiene: BTreeMap<MailboxName, Hygiene>,
    pub dns: dns::Settings,
    /// `None`: nobody is told of anything.
    pub email: Option<smtp::Settings>,
    /// What else is told, and where.
    pub alerts: alert::Settings,
    /// Empty: no HTTP face.
    pub listen: Vec<Listen>,
    /// There are two daemons, and a lease in the store says which one acts.
    pub standby: bool,
    /// Names what is written: where there are two daemons, both have the same.
    pub written: Written,
    /// The control socket's path.
    pub control: PathBuf,
    pub schedules: Schedules,
    /// The built-in vendors with what the configuration overrides, and those it adds.
    pub vendors: BTreeMap<VendorName, Profile>,
    pub credentials: BTreeMap<CredentialName, Credential>,
    /// The vendors of those credentials that have parameters, with these filled in.
    pub filled: BTreeMap<CredentialName, Profile>,
    /// The first of `$STATE_DIRECTORY`, else `/var/lib/keyrelay`.
    pub state_dir: PathBuf,
    /// The file it was read from; there may be more in `config.d` beside it.
    pub source: PathBuf,
}

impl Config {
    /// What is known of a credential's vendor, with the credential's own parameters.
    pub fn profile(&self, name: &CredentialName) -> Option<&Profile> {
        let of_vendor = || self.vendors.get(&self.credentials.get(name)?.vendor);
        self.filled.get(name).or_else(of_vendor)
    }
    pub fn hygiene_of(&self, mailbox: &MailboxName) -> Hygiene {
        self.hygiene.get(mailbox).cloned().unwrap_or_default()
    }
    /// Whom the vendors write to for any credential.
    pub fn recipients(&self) -> Vec<String> {
        self.credentials.values().flat_map(|credential| credential.recipients.clone()).collect()
    }
    /// Whom the vendors write to for every credential but this one.
    pub fn other_recipients(&self, name: &CredentialName) -> Vec<String> {
        let others = self.credentials.iter().filter(|(other, _)| *other != name);
        others.flat_map(|(_, credential)| credential.recipients.clone()).collect()
    }

    /// Under which names the server of the credential's mailbox says what it found out about a mail.
    pub fn authserv_ids(&self, credential: &Credential) -> &[String] {
        let ids = credential.mailbox.as_ref().and_then(|mailbox| self.authserv_ids.get(mailbox));
        ids.map(Vec::as_slice).unwrap_or_default()
    }
}

/// Where the HTTP face listens: on this machine only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// What the settings are needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To be looked at: a secret that is not there is a warning, and empty.
    Check,
    /// To be used: a secret that is not there is an error.
    Run,
}

#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: Config,
    pub warnings: Vec<Mistake>,
    /// Where each secret is, or is missed.
    pub references: Vec<Reference>,
}

/// Reads the file at `path`, those of `config.d` beside it and the `KEYRELAY_` variables of `environment`, which also
/// says where state and credentials are (`STATE_DIRECTORY`, `CREDENTIALS_DIRECTORY`). The error holds every mistake,
/// warnings too.
pub fn load(path: &Path, environment: &BTreeMap<String, String>, need: Need) -> Result<Loaded, Mistakes> {
    let (source, mistakes) = Source::read(path, environment)?;
    read(Sheet::new(&source, environment, need, mistakes), path).map(|(loaded, _)| loaded)
}

/// The same to be looked at, and what every key is, as YAML that can be fed back.
pub fn load_and_print(
    path: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<(Loaded, String), Mistakes> {
    let (source, mistakes) = Source::read(path, environment)?;
    let sheet = Sheet::new(&source, environment, Need::Check, mistakes).recording();
    let (loaded, record) = read(sheet, path)?;
    Ok((loaded, print::print(&source, &record.unwrap_or_default())))
}

fn read(sheet: Sheet, path: &Path) -> Result<(Loaded, Option<Record>), Mistakes> {
    let mut root = Table::root(&sheet);
    let config = config(&mut root, path);
    root.close();
    let references = sheet.references.take();
    let (mistakes, record) = sheet.finish();
    match config {
        Some(config) if mistakes.iter().all(|mistake| mistake.severity == Severity::Warning) => {
            Ok((Loaded { config, warnings: mistakes, references }, record))
        }
        _ => Err(Mistakes(mistakes)),
    }
}

/// Whom to tell, and nothing else: what is wrong elsewhere in the configuration may be what they must be told of.
pub fn load_alerts(
    path: &Path,
    environment: &BTreeMap<String, String>,
) -> Result<Option<smtp::Settings>, Mistakes> {
    let (source, mistakes) = Source::read_in_part(path, environment);
    let sheet = Sheet::new(&source, environment, Need::Run, mistakes);
    let alerts = Table::root(&sheet).table("alerts", alerts::alerts);
    let mistakes = sheet.finish().0;
    match alerts {
        Some((Some(email), _)) => Ok(Some(email)),
        Some((None, _)) if mistakes.iter().all(|mistake| mistake.severity == Severity::Warning) => Ok(None),
        Some((None, _)) | None => Err(Mistakes(mistakes)),
    }
}

/// Everything is read before anything is given up, so that one mistake does not hide another.
fn config(root: &mut Table, path: &Path) -> Option<Config> {
    let state_dir = state_dir(root.sheet.environment);
    let store = root.table("store", |table| store::store(table, &state_dir));
    let spool = root.table("spool", |table| store::spool(table, &state_dir));
    let (mut authserv_ids, mut hygiene) = (BTreeMap::new(), BTreeMap::new());
    let mailboxes = root.each("mailboxes", |name: &MailboxName, table| {
        authserv_ids.insert(name.clone(), mailbox::authserv_ids(table));
        let (settings, tidy) = mailbox::mailbox(table)?;
        hygiene.insert(name.clone(), tidy);
        Some(settings)
    });
    let dns = root.table("dns", mailbox::dns);
    let alerts = root.table("alerts", alerts::alerts);
    let listen = root.get("listen", address::listen);
    let control = root.get("control", control);
    root.default("listen", LISTEN);
    root.default("control", CONTROL);
    let schedules = root.table("schedules", schedule::schedules);
    let vendors = vendors::vendors(root);
    let observe = switch(root, "observe");
    let standby = standby::standby(root, store.as_ref());
    let world = credential::World {
        store: store.as_ref(),
        mailboxes: &mailboxes,
        vendors: &vendors,
        observe,
        standby,
    };
    let credentials = credential::credentials(root, &world);
    let (email, alerts) = alerts?;
    let (store, schedules, vendors, credentials) = (store?, schedules?, all(vendors)?, all(credentials)?);
    budget::warn_of_rare_probes(root.sheet, &schedules, &vendors, &credentials);
    vendors::show(root, &vendors, &credentials);
    let has_params = credentials.iter().filter(|(_, credential)| !credential.rotating.params.is_empty());
    let filled = has_params.filter_map(|(name, credential)| {
        Some((name.clone(), vendors.get(&credential.vendor)?.filled(&credential.rotating.params)))
    });
    let filled = filled.collect();
    Some(Config {
        store: store.settings,
        state_path: store.state_path,
        spool: spool?,
        mailboxes: all(mailboxes)?,
        authserv_ids,
        hygiene,
        dns: dns?,
        email,
        alerts,
        listen: listen.unwrap_or_else(|| vec![Listen::Tcp(LISTEN_AT.into())]),
        standby,
        written: standby::name_of(&root.sheet.source.tree),
        control: control.unwrap_or_else(|| CONTROL.into()),
        schedules,
        vendors,
        credentials,
        filled,
        state_dir,
        source: path.to_owned(),
    })
}

/// Off, unless told otherwise.
fn switch(root: &mut Table, key: &'static str) -> bool {
    root.default(key, false);
    root.get(key, values::flag).unwrap_or(false)
}

fn control(item: &Item) -> Option<PathBuf> {
    let path = values::path(item)?;
    address::socket_path(item, path.to_str()?)?;
    Some(path)
}

/// systemd separates several folders by colons.
fn state_dir(environment: &BTreeMap<String, String>) -> PathBuf {
    let given = environment.get("STATE_DIRECTORY").and_then(|folders| folders.split(':').next());
    given.filter(|folder| !folder.is_empty()).unwrap_or("/var/lib/keyrelay").into()
}

fn all<N: Ord, T>(values_by_name: BTreeMap<N, Option<T>>) -> Option<BTreeMap<N, T>> {
    values_by_name.into_iter().map(|(name, value)| Some((name, value?))).collect()
}
