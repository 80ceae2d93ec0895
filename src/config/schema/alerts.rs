//! `alerts`.

use super::values::{Duration, OneOrList, Reference};
use schemars::JsonSchema;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Alerts {
    pub email: Option<Email>,
    /// Each notice and its end are posted here as JSON.
    pub webhook: Option<Webhook>,
    /// Fetched while mailboxes, store and last probes are well: its silence is the alarm.
    pub heartbeat: Option<Heartbeat>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Email {
    pub from: Option<String>,
    pub to: Option<OneOrList>,
    /// Who is woken besides by urgent notices and their ends. Default: to.
    pub urgent_to: Option<OneOrList>,
    /// A mail for each rotation that went well, one digest on Mondays, or none. Default: each.
    pub good_news: Option<GoodNews>,
    pub smtp: Option<Smtp>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum GoodNews {
    Each,
    Weekly,
    Off,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Webhook {
    pub url: Option<Address>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Heartbeat {
    pub url: Option<Address>,
    /// Default: 5m.
    pub every: Option<Duration>,
}

/// An address over https (over http to this machine only), or where it is kept as a secret.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Address {
    Text(String),
    Secret(Reference),
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Smtp {
    pub host: Option<String>,
    /// Default: 587 with tls: starttls, 465 with implicit, 25 with none.
    pub port: Option<u16>,
    /// none is for this machine only. Default: starttls.
    pub tls: Option<SmtpTls>,
    /// Default: the sender.
    pub user: Option<String>,
    /// Without a password there is no login.
    pub password: Option<Reference>,
    /// A PEM file: trust these authorities alone. Default: the system's.
    pub ca_cert: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum SmtpTls {
    StartTls,
    Implicit,
    None,
}
