//! `credentials` and `defaults`.

use super::{
    OneOrList,
    consumer::Consumer,
    values::{Cron, Duration, Moment, Name},
};
use schemars::JsonSchema;
use std::collections::BTreeMap;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Credential {
    /// Who issues the key: keyrelay vendors.
    pub vendor: Option<String>,
    /// Where the vendor's mails arrive. Default: the only mailbox.
    pub mailbox: Option<String>,
    /// Whom the vendor writes to. Default: the mailbox's user, if that is an address.
    pub recipient: Option<OneOrList>,
    /// The vendor's id of your account. Default: recorded when first seen.
    pub account: Option<OneOrList>,
    /// What the vendor's addresses need of you: keyrelay vendors NAME says which.
    pub params: Option<BTreeMap<String, String>>,
    /// When the vendor's API is asked for a new key: cron, UTC. Only where it has such a call.
    pub rotate_at: Option<Cron>,
    /// When the current key ends. Only where an operator or an API call makes the next one.
    pub expires_at: Option<Moment>,
    /// How often an operator makes a new key. Default: the vendor's advice, if there is any.
    pub cadence: Option<Duration>,
    /// When the vendor's API may be asked; a key that is about to expire does not wait for it. Default: always.
    pub window: Option<Window>,
    /// The key's path in the store.
    pub path: Option<String>,
    /// The document's member that holds the key. Default: api_key.
    pub field: Option<String>,
    /// How long the consumers may take. Default: 24h; 1h where there is no grace.
    pub hand_over_within: Option<Duration>,
    /// Watch, verify, probe and tell, but change nothing. Default: what is said for all.
    pub observe: Option<bool>,
    /// Who works with the key.
    pub consumers: Option<BTreeMap<Name, Option<Consumer>>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Window {
    /// Cron, UTC.
    pub opens: Cron,
    pub lasts: Duration,
}
