//! Adapter: Vault and OpenBao, KV version 2.

use crate::domain::Secret;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `https://host:port`; plain `http` only to loopback.
    pub address: String,
    pub namespace: String,
    pub ca_cert: Option<PathBuf>,
    /// The KV v2 mount.
    pub mount: String,
    pub auth: Auth,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    Token(Secret),
    AppRole { role_id: String, secret_id: Secret, mount: String },
}
