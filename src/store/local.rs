//! Adapter: the embedded local store, encrypted.

use crate::domain::Secret;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub dir: PathBuf,
    /// 32 random bytes, base64.
    pub master_key: Secret,
}
