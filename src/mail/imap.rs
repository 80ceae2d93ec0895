//! Adapter: one IMAP mailbox.

use crate::domain::Secret;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub ca_cert: Option<PathBuf>,
    pub user: String,
    pub password: Secret,
    /// Empty: INBOX and what the server flags `\Junk`.
    pub folders: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    Implicit,
    StartTls,
    /// Loopback only.
    None,
}
