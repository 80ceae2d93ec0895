//! `mailboxes` and `dns`.

use super::values::{Reference, exclusive};
use schemars::JsonSchema;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = exclusive(&["imap", "maildir"]))]
pub struct Mailbox {
    pub imap: Option<Imap>,
    /// A folder with new and cur, which are read and never changed.
    pub maildir: Option<Maildir>,
    /// What becomes of a confirmation in an IMAP mailbox once its rotation has settled. Default: keep.
    pub settled: Option<Settled>,
    /// Say so when a confirmation lies in the watched folders more than once. Default: false.
    pub report_copies: Option<bool>,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
pub enum Settled {
    Plain(KeepOrDelete),
    To(Move),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum KeepOrDelete {
    Keep,
    Delete,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Move {
    /// A folder that is there, and is not watched.
    pub r#move: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Imap {
    pub host: Option<String>,
    /// Default: 993 with tls: implicit, else 143.
    pub port: Option<u16>,
    /// none is for this machine only. Default: implicit.
    pub tls: Option<ImapTls>,
    /// A PEM file: trust these authorities alone. Default: the system's.
    pub ca_cert: Option<String>,
    pub user: Option<String>,
    pub password: Option<Reference>,
    /// Default: INBOX and what the server flags \Junk.
    pub folders: Option<Vec<String>>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum ImapTls {
    Implicit,
    StartTls,
    None,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Maildir {
    pub path: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Dns {
    /// IP:PORT. Default: the system's resolvers.
    pub servers: Option<Vec<String>>,
}
