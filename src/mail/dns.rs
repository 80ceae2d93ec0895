//! Adapter: fetches TXT records.

use std::net::SocketAddr;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Empty: the system's resolvers.
    pub servers: Vec<SocketAddr>,
}
