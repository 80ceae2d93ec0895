//! A key's non-secret short name: it may be logged, mailed and stored.

use super::Key;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

const DOMAIN: &[u8] = b"keyrelay-fingerprint-v1\0";

/// Below this a fingerprint would let somebody find the key by trying them all.
const STRONG_BITS: f64 = 80.0;

/// The first 16 hex digits of SHA-256(`keyrelay-fingerprint-v1` ‖ 0x00 ‖ key). That of a key of less than 80 bits
/// is *weak*: it identifies the key inside the process and the store, and is never shown (`Display` says `weak`;
/// the core shows `g7`, the key of generation 7, or `c1`, the first candidate, in its place).
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint {
    id: [u8; 8],
    weak: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a fingerprint is 16 hex digits")]
pub struct FingerprintError;

impl Fingerprint {
    pub(super) fn of(key: &Key, prefix: &str) -> Self {
        let digest = Sha256::new().chain_update(DOMAIN).chain_update(key.expose()).finalize();
        let mut id = [0; 8];
        id.copy_from_slice(&digest[..8]);
        let random = key.expose().strip_prefix(prefix).unwrap_or(key.expose());
        Self { id, weak: bits(random) < STRONG_BITS }
    }

    /// Whether the key is short enough to be found from its fingerprint, which is then never shown.
    pub fn is_weak(&self) -> bool {
        self.weak
    }

    /// The 16 hex digits, also of a weak one: for documents that lie beside the key itself.
    pub fn hex(&self) -> String {
        let digits = self.id.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
    }
}

/// The most that a text of this length and these classes of characters can hold.
fn bits(text: &str) -> f64 {
    let occurs = |class: fn(&u8) -> bool, size: u32| if text.bytes().any(|b| class(&b)) { size } else { 0 };
    let classes = occurs(u8::is_ascii_lowercase, 26)
        + occurs(u8::is_ascii_uppercase, 26)
        + occurs(u8::is_ascii_digit, 10)
        + occurs(|b| !b.is_ascii_alphanumeric(), 7);
    text.len() as f64 * f64::from(classes.max(1)).log2()
}

/// Two fingerprints are of one key when their digits agree: whether it is weak is a matter of showing it.
impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}
impl Eq for Fingerprint {}
impl PartialOrd for Fingerprint {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Fingerprint {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}
impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.weak { f.pad("weak") } else { f.pad(&self.hex()) }
    }
}
impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Stored as the hex digits, a weak one with `?` behind them.
impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> String {
        fingerprint.hex() + if fingerprint.weak { "?" } else { "" }
    }
}
impl FromStr for Fingerprint {
    type Err = FingerprintError;
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let (hex, weak) = text.strip_suffix('?').map_or((text, false), |hex| (hex, true));
        if hex.len() != 16 || !hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(FingerprintError);
        }
        let id = u64::from_str_radix(hex, 16).map_err(|_| FingerprintError)?.to_be_bytes();
        Ok(Self { id, weak })
    }
}
impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;
    fn try_from(text: String) -> Result<Self, FingerprintError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprint(text: &str) -> Fingerprint {
        Key::parse(text).unwrap().fingerprint()
    }

    #[test]
    fn it_is_the_beginning_of_the_salted_hash() {
        // printf 'keyrelay-fingerprint-v1\0l7_0123456789abcdefghij' | sha256sum
        assert_eq!(fingerprint("l7_0123456789abcdefghij").to_string(), "895b639781bb74f4");
    }

    #[test]
    fn a_short_keys_fingerprint_is_never_shown() {
        let digits = fingerprint("12345678901234567890");
        assert!(digits.is_weak());
        assert_eq!((digits.to_string(), format!("{digits:?}")), ("weak".into(), "weak".into()));
        assert!(!fingerprint("0123456789abcdef").is_weak(), "16 of 36 are 82.7 bits");
    }

    #[test]
    fn a_fixed_prefix_adds_no_bits() {
        let key = Key::parse("vendor_live_12345678").unwrap();
        assert!(!key.fingerprint().is_weak());
        assert!(key.fingerprint_without("vendor_live_").is_weak());
    }

    #[test]
    fn it_survives_a_round_trip_through_text() {
        for text in ["l7_0123456789abcdefghij", "12345678901234567890"] {
            let one = fingerprint(text);
            assert_eq!(String::from(one).parse(), Ok(one));
        }
        assert_eq!("0123456789ABCDEF".parse::<Fingerprint>(), Err(FingerprintError));
    }
}
