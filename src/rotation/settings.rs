//! What the core must know of the configuration: no secret, no address, no path of a file.

use super::outbox::Channel;
use crate::domain::{
    Account, ConsumerName, CredentialName, GoodNews, Hygiene, Limits, MailboxName, ProofLevel, RotatedBy,
    Timestamp, VendorName,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// Everything that is decided by configuration, for all credentials.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    pub credentials: BTreeMap<CredentialName, Arc<Credential>>,
    pub mailboxes: Vec<MailboxName>,
    pub limits: Arc<Limits>,
    pub alerts: Alerts,
    /// The period of `consumer_prove`.
    pub prove_period: Duration,
    /// The period of `current_key_probe`.
    pub probe_period: Duration,
}

/// Whether there is another daemon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Beside {
    #[default]
    Nobody,
    /// This one acts; whoever takes over must find noted what this one has told.
    AStandby,
    /// Another one acts: the consumers here are kept right, and nothing else is done.
    TheActive,
}

/// Who hears of what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alerts {
    /// Empty: nobody but the journal.
    pub channels: BTreeSet<Channel>,
    /// By mail.
    pub good_news: GoodNews,
    /// How often a sign of life is given.
    pub heartbeat: Option<Duration>,
    /// A command tells nobody: what comes up in it is told by the daemon that finds it noted.
    pub silent: bool,
}

/// One credential.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    pub name: CredentialName,
    pub vendor: VendorName,
    /// As people write it, and what to do by hand, for messages.
    pub vendor_title: String,
    pub dashboard: String,
    pub mailbox: Option<MailboxName>,
    /// What becomes of its confirmations there.
    pub hygiene: Hygiene,
    /// Nothing is changed but keyrelay's own notes.
    pub observe: bool,
    pub beside: Beside,
    /// The path in the store, for messages.
    pub path: String,
    /// The operator's pin of the vendor's account.
    pub account: Option<Account>,
    /// Whether the vendor's answers show identities at all.
    pub has_identity: bool,
    /// Who makes the next key.
    pub rotated_by: RotatedBy,
    pub cadence: Option<Duration>,
    pub notice_before: Option<Duration>,
    /// `None`: the old key dies with the rotation; where an operator rotates, it works until it is revoked.
    pub grace: Option<Duration>,
    /// When the current key ends, as the configuration says.
    pub expires_at: Option<Timestamp>,
    /// What an operator does at the vendor to make a key, and to end one.
    pub create_steps: Vec<Arc<str>>,
    pub revoke_steps: Vec<Arc<str>>,
    /// How long the latter may take once every consumer works with the new key.
    pub revoke_within: Duration,
    pub hand_over_within: Duration,
    /// What the vendor's rate limit is counted by (its origin, or this one key there), and the limit: so many requests
    /// in each period.
    pub origin: String,
    pub limit: (u32, Duration),
    pub consumers: BTreeMap<ConsumerName, Consumer>,
    /// The request that asks the vendor about a key, in words and without one: what an answer showed of it counts
    /// for this very request.
    pub probe: Arc<str>,
}

impl Credential {
    /// The time that consumers have after a rotation.
    pub fn hand_over(&self) -> Duration {
        self.grace.map_or(self.hand_over_within, |grace| grace.min(self.hand_over_within))
    }
}

/// One consumer, as far as decisions go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    pub delivery: Delivery,
    /// There is an action to run after a delivery.
    pub acts: bool,
    pub proof: Proof,
    /// The level that counts as good.
    pub wanted: ProofLevel,
    /// `prove: none`: the operator accepts what the delivery shows.
    pub accepted: bool,
    /// It lives on another host: shown, never touched.
    pub elsewhere: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// The consumer fetches the key itself.
    None,
    /// A copy that can be read back: a file, a path in the store.
    Copy,
    /// A command takes the key: it cannot be read back.
    Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// What the delivery shows by itself.
    ByDelivery,
    /// The consumer is asked (HTTP or a command).
    Asked,
    /// The consumer reports by itself; older than this is silence.
    Report { within: Duration },
}
