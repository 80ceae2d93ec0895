//! The status document: `keyrelay status --json` and `GET /api/v1/status`. Its members are a contract: some may be
//! added, none is renamed or removed. What is not known is `null`.

use crate::{
    domain::{
        Code, ConsumerName, CredentialName, Instances, MailboxName, OriginKind, ProofLevel, RotationId,
        Severity, Timestamp, VendorName, Verdict,
    },
    rotation::{self, ConsumerView, CredentialView, Fleet, HeldView, Incident, MailboxView, Parked},
};
use serde::{Deserialize, Serialize};

/// The contract's version.
const SCHEMA: u32 = 1;

/// Who computes the status.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    pub version: &'a str,
    pub host: &'a str,
    /// `active`: the daemon; `standby`: it acts when the other one does not; `none`: a command that found no daemon.
    pub role: &'static str,
    /// Since when it is that; `None` for a command.
    pub since: Option<Timestamp>,
    /// Where there are two daemons: the host of the one that acts.
    pub holder: Option<&'a str>,
    /// Keys of the configuration whose new value waits for a restart.
    pub needs_restart: &'a [String],
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub schema: u32,
    pub generated_at: Timestamp,
    pub daemon: Daemon,
    pub store: Store,
    pub mailboxes: Vec<Mailbox>,
    pub alerts: Alerts,
    /// Those that belong to no credential.
    pub incidents: Vec<OpenIncident>,
    pub credentials: Vec<Credential>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daemon {
    pub version: String,
    pub host: String,
    pub role: String,
    pub since: Option<Timestamp>,
    /// Where there are two daemons: the host of the one that acts.
    #[serde(default)]
    pub holder: Option<String>,
    #[serde(default)]
    pub needs_restart: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Store {
    pub reachable: bool,
    pub since: Option<Timestamp>,
    /// When it last answered.
    #[serde(default)]
    pub last_ok_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    pub name: MailboxName,
    /// It can be read now.
    pub ok: bool,
    pub last_ok_at: Option<Timestamp>,
    pub last_notice_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alerts {
    /// When a notice last reached somebody, on whichever way.
    pub last_sent_at: Option<Timestamp>,
    /// How many wait, on the way where most do.
    pub queued: usize,
    /// Each way by itself; `null` where it is not configured.
    #[serde(default)]
    pub email: Option<Channel>,
    #[serde(default)]
    pub webhook: Option<Channel>,
    #[serde(default)]
    pub heartbeat: Option<Heartbeat>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    pub ok: bool,
    pub last_sent_at: Option<Timestamp>,
    pub queued: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Whether it may be given now: mailboxes, store, probes and alerts are well.
    pub ok: bool,
    pub last_sent_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIncident {
    pub code: Code,
    pub severity: Severity,
    pub since: Timestamp,
    pub credential: Option<CredentialName>,
    pub message: String,
    /// What to type, one command or sentence a line.
    pub hint: String,
    /// Until when something can be done about it.
    pub until: Option<Timestamp>,
    /// How often its cause was seen.
    pub count: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub name: CredentialName,
    pub vendor: VendorName,
    pub phase: String,
    /// Why it is parked, where it is.
    pub parked: Option<String>,
    pub retiring: bool,
    /// Watched, tested and told of; nothing of it is changed.
    #[serde(default)]
    pub observing: bool,
    /// A label: `g7`, the key of generation 7, where the key is too weak for its fingerprint to be shown.
    pub fingerprint: Option<String>,
    pub generation: u64,
    pub rotation_id: Option<RotationId>,
    pub rotated_at: Option<Timestamp>,
    pub grace_until: Option<Timestamp>,
    pub next_rotation_expected_at: Option<Timestamp>,
    /// When the current key ends, as far as anybody has said.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// Since when the vendor is not asked any more: verdicts are those of before.
    #[serde(default)]
    pub probe_off_since: Option<Timestamp>,
    /// When the vendor warned of the rotation that is to come.
    #[serde(default)]
    pub announced_at: Option<Timestamp>,
    /// Since when the vendor's API is asked for a new key, while what came of it is open.
    #[serde(default)]
    pub rotation_asked_at: Option<Timestamp>,
    /// Until when every consumer must have come to the new key.
    #[serde(default)]
    pub deadline_at: Option<Timestamp>,
    /// The newest evidence of a rotation.
    #[serde(default)]
    pub last_signal_at: Option<Timestamp>,
    pub account: Vec<String>,
    pub last_probe: Option<Probe>,
    pub held: Vec<Held>,
    pub consumers: Vec<Consumer>,
    pub incidents: Vec<OpenIncident>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub verdict: Verdict,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub fingerprint: String,
    pub from: OriginKind,
    pub why: String,
    /// Where it came from, in words.
    pub origin: String,
    /// What the vendor says of it, if it was asked.
    pub last_probe: Option<Probe>,
    pub account: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consumer {
    pub name: ConsumerName,
    /// The key it was last proven with.
    pub fingerprint: Option<String>,
    pub proof: ProofLevel,
    pub instances: Instances,
    pub wanted: ProofLevel,
    pub at: Option<Timestamp>,
    /// Since when it has been shown to work with that key.
    #[serde(default)]
    pub since: Option<Timestamp>,
    pub stale: bool,
    pub error: Option<String>,
    pub next_try_at: Option<Timestamp>,
    /// It lives on another host: shown here, proven there.
    pub elsewhere: bool,
}

/// Computes the status from the core's state, as of `now`.
pub fn status(fleet: &Fleet, about: &About<'_>, now: Timestamp) -> Status {
    let store = fleet.store_view();
    Status {
        schema: SCHEMA,
        generated_at: now,
        daemon: Daemon {
            version: about.version.into(),
            host: about.host.into(),
            role: about.role.into(),
            since: about.since,
            holder: about.holder.map(str::to_owned),
            needs_restart: about.needs_restart.to_vec(),
        },
        store: Store { reachable: store.reachable, since: store.since, last_ok_at: store.last_ok_at },
        mailboxes: fleet.mailbox_views().into_iter().map(mailbox).collect(),
        alerts: alerts(fleet, now),
        incidents: incidents(fleet.open_incidents(), None),
        credentials: fleet.credentials().map(|rotation| credential(fleet.view(rotation, now))).collect(),
    }
}

impl Daemon {
    /// For the one that stands by: who acts.
    pub fn who_acts(&self) -> String {
        match &self.holder {
            Some(host) => format!("the daemon on {host} acts"),
            None => "which one acts is not known".into(),
        }
    }
}

impl Status {
    /// The same document with one credential; the incidents of none stay.
    pub fn only(mut self, name: &CredentialName) -> Self {
        self.credentials.retain(|credential| credential.name == *name);
        self
    }

    pub fn credential(&self, name: &CredentialName) -> Option<&Credential> {
        self.credentials.iter().find(|credential| credential.name == *name)
    }

    /// All open incidents, those of no credential first.
    pub fn open(&self) -> impl Iterator<Item = &OpenIncident> {
        self.incidents.iter().chain(self.credentials.iter().flat_map(|credential| &credential.incidents))
    }
}

impl Consumer {
    /// At the level that was asked for, and shown lately.
    pub fn is_good(&self) -> bool {
        self.proof >= self.wanted && !self.stale
    }
}

fn alerts(fleet: &Fleet, now: Timestamp) -> Alerts {
    let views = fleet.channel_views();
    let channel = |wanted| {
        let view = views.iter().find(|view| view.channel == wanted)?;
        Some(Channel { ok: view.ok, last_sent_at: view.last_sent_at, queued: view.queued })
    };
    Alerts {
        last_sent_at: views.iter().filter_map(|view| view.last_sent_at).max(),
        queued: views.iter().map(|view| view.queued).max().unwrap_or(0),
        email: channel(rotation::Channel::Mail),
        webhook: channel(rotation::Channel::Webhook),
        heartbeat: fleet.heartbeat_view(now).map(|(ok, last_sent_at)| Heartbeat { ok, last_sent_at }),
    }
}

fn mailbox(view: MailboxView) -> Mailbox {
    let MailboxView { name, last_ok_at, last_notice_at, ok } = view;
    Mailbox { name, ok, last_ok_at, last_notice_at }
}

fn incidents(open: Vec<Incident>, credential: Option<&CredentialName>) -> Vec<OpenIncident> {
    let shown = open.into_iter().map(|incident| OpenIncident {
        code: incident.code,
        severity: incident.severity,
        since: incident.since,
        credential: credential.cloned(),
        until: incident.until(),
        count: incident.count,
        message: incident.message,
        hint: incident.hint,
    });
    shown.collect()
}

fn credential(view: CredentialView) -> Credential {
    Credential {
        incidents: incidents(view.incidents, Some(&view.name)),
        name: view.name,
        vendor: view.vendor,
        phase: view.phase.into(),
        parked: view.parked.map(|reason| parked(reason).into()),
        retiring: view.retiring,
        observing: view.observing,
        fingerprint: view.fingerprint,
        generation: view.generation,
        rotation_id: view.rotation_id,
        rotated_at: view.rotated_at,
        grace_until: view.grace_until,
        next_rotation_expected_at: view.next_rotation_expected_at,
        expires_at: view.expires_at,
        probe_off_since: view.probe_off_since,
        announced_at: view.announced_at,
        rotation_asked_at: view.rotation_asked_at,
        deadline_at: view.deadline_at,
        last_signal_at: view.last_signal_at,
        account: view.account,
        last_probe: view.last_probe.map(probe),
        held: view.held.into_iter().map(held).collect(),
        consumers: view.consumers.into_iter().map(consumer).collect(),
    }
}

/// As in JSON.
fn parked(reason: Parked) -> &'static str {
    match reason {
        Parked::StoreUnread => "store_unread",
        Parked::StateRefused => "state_refused",
        Parked::StoreForeign => "store_foreign",
        Parked::StoreReverted => "store_reverted",
        Parked::DocumentDeleted => "document_deleted",
        Parked::ProbeBlind => "probe_blind",
        Parked::KeyDead => "key_dead",
        Parked::Held => "held",
        Parked::KeyLost => "key_lost",
    }
}

fn probe((verdict, at): (Verdict, Timestamp)) -> Probe {
    Probe { verdict, at }
}

fn held(view: HeldView) -> Held {
    let HeldView { fingerprint, from, origin, why, verdict, account } = view;
    Held { fingerprint, from, why, origin, last_probe: verdict.map(probe), account }
}

fn consumer(view: ConsumerView) -> Consumer {
    Consumer {
        name: view.name,
        fingerprint: view.fingerprint,
        proof: view.proof,
        instances: view.instances,
        wanted: view.wanted,
        at: view.at,
        since: view.since,
        stale: view.stale,
        error: view.error,
        next_try_at: view.next_try_at,
        elsewhere: view.elsewhere,
    }
}
