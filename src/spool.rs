//! Adapter: keys that exist nowhere else, encrypted and fsynced.

use crate::domain::Secret;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub dir: PathBuf,
    /// 32 random bytes, base64; absent: generated beside the spool, mode 0600.
    pub key: Option<Secret>,
}
