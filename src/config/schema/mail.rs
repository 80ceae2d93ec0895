//! `mailboxes` and `dns`.

use super::values::{OneOrList, Reference, exclusive};
use schemars::JsonSchema;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = exclusive(&["imap", "maildir"]))]
pub struct Mailbox {
    pub imap: Option<Imap>,
    /// A folder with new and cur, which are read and never changed.
    pub maildir: Option<Maildir>,
    /// The name under which the mailbox's own server writes Authentication-Results, or several. What it says there
    /// against a mail holds the mail back; what it says for one counts for nothing. Default: null.
    pub authserv_id: Option<OneOrList>,
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
#[schemars(deny_unknown_fields, transform = exclusive(&["password", "oauth2"]))]
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
    /// In place of a password: access tokens of an identity provider, as Microsoft 365 demands and Gmail prefers.
    pub oauth2: Option<OAuth2>,
    /// Default: INBOX and what the server flags \Junk.
    pub folders: Option<Vec<String>>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct OAuth2 {
    /// https://HOST/PATH of the token endpoint; http only to this machine.
    pub token_url: Option<String>,
    pub client_id: Option<String>,
    /// Needed without a refresh token.
    pub client_secret: Option<Reference>,
    /// The first one; a newer one that the provider gives is kept in the store. Default: client credentials.
    pub refresh_token: Option<Reference>,
    /// What is asked for. Default: what the provider gives unasked.
    pub scope: Option<String>,
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
