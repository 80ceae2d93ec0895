//! `credentials` and `defaults`.

use super::{
    OneOrList,
    consumer::Consumer,
    values::{Duration, Name},
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
