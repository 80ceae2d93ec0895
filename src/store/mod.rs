//! Where keys live: Vault or OpenBao, or the embedded local store; and what a document looks like.

pub mod local;
pub mod vault;

/// One of the two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settings {
    Vault(vault::Settings),
    Local(local::Settings),
}
