//! `alerts`.

use super::values::{Duration, OneOrList, Reference, TextOrReference};
use schemars::JsonSchema;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Alerts {
    pub email: Option<Email>,
    /// Each notice and each end is posted here as JSON.
    pub webhook: Option<Webhook>,
    /// Fetched while mailboxes, store and last probes are well: its silence is the alarm.
    pub heartbeat: Option<Heartbeat>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Webhook {
    /// https, or http to this machine; a reference where the address is a secret.
    pub url: Option<TextOrReference>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Heartbeat {
    /// https, or http to this machine; a reference where the address is a secret.
    pub url: Option<TextOrReference>,
    /// Default: 5m.
    pub every: Option<Duration>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Email {
    pub from: Option<String>,
    pub to: Option<OneOrList>,
    /// Who is told besides of what is urgent. Default: to.
    pub urgent_to: Option<OneOrList>,
    /// Of rotations that went well: a mail for each, one digest a week, or none. Default: each.
    pub good_news: Option<GoodNews>,
    pub smtp: Option<Smtp>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum GoodNews {
    Told(Told),
    /// What some programs make of a plain off.
    Off(bool),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Told {
    Each,
    Weekly,
    Off,
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
