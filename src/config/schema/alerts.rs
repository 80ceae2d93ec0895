//! `alerts`.

use super::values::{OneOrList, Reference};
use schemars::JsonSchema;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Alerts {
    pub email: Option<Email>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Email {
    pub from: Option<String>,
    pub to: Option<OneOrList>,
    pub smtp: Option<Smtp>,
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
