//! The secret itself: unprintable, wiped when dropped, compared in constant time.

use super::Fingerprint;
use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A key's length in characters, whatever its vendor says.
const LEN: std::ops::RangeInclusive<usize> = 16..=512;

/// What a key may hold besides letters and digits: base64 in both alphabets, JWTs, and `id:secret` pairs.
fn is_sign(byte: u8) -> bool {
    matches!(byte, b'.' | b'_' | b'~' | b'+' | b'/' | b'=' | b':' | b'-')
}

/// A vendor's API key: 16 to 512 of `A-Z a-z 0-9 . _ ~ + / = : -`. It has no `Display`, no `Serialize`, and
/// `Debug` shows its fingerprint only:
/// ```
/// let key = keyrelay::domain::Key::parse("l7_0123456789abcdef").unwrap();
/// println!("{key:?}");
/// ```
/// ```compile_fail
/// let key = keyrelay::domain::Key::parse("l7_0123456789abcdef").unwrap();
/// println!("{key}");
/// ```
/// ```compile_fail
/// let key = keyrelay::domain::Key::parse("l7_0123456789abcdef").unwrap();
/// let json = serde_json::to_string(&key);
/// ```
#[derive(Clone)]
pub struct Key(Zeroizing<Box<str>>);

/// Why some text is no key; never holds the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it is empty")]
    Empty,
    #[error("it has {0} characters; a key has 16 to 512")]
    Length(usize),
    #[error("character {0} may not be in a key; allowed are A-Z a-z 0-9 . _ ~ + / = : -")]
    Character(usize),
}

impl Key {
    /// Takes a key out of text. Nothing is trimmed: a blank before or after is a mistake that is named.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        let legal = |b: u8| b.is_ascii_alphanumeric() || is_sign(b);
        if let Some(at) = text.bytes().position(|b| !legal(b)) {
            return Err(KeyError::Character(at + 1));
        }
        if !LEN.contains(&text.len()) {
            return Err(KeyError::Length(text.len()));
        }
        Ok(Self(Zeroizing::new(text.into())))
    }

    /// The secret text, for the one call that must send or write it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The key's short name, which may be shown.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self, "")
    }

    /// The same with the vendor's fixed `prefix` left out of the count of random bits.
    pub fn fingerprint_without(&self, prefix: &str) -> Fingerprint {
        Fingerprint::of(self, prefix)
    }

    pub fn shape(&self) -> KeyShape {
        KeyShape::of(&self.0)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}
impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.fingerprint())
    }
}

/// What may be known of a key without knowing it: how long it is, which classes of characters occur and which
/// fixed words it begins with. Two keys of one vendor share a shape; a licence text or an order number does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyShape {
    /// The part up to and with the last `_`, `-` or `:` that stands before the random part, or empty.
    pub prefix: String,
    pub len: usize,
    pub lower: bool,
    pub upper: bool,
    pub digit: bool,
    pub sign: bool,
}

impl KeyShape {
    fn of(text: &str) -> Self {
        let prefix = fixed_prefix(text);
        let rest = &text[prefix.len()..];
        Self {
            prefix: prefix.to_owned(),
            len: text.len(),
            lower: rest.bytes().any(|b| b.is_ascii_lowercase()),
            upper: rest.bytes().any(|b| b.is_ascii_uppercase()),
            digit: rest.bytes().any(|b| b.is_ascii_digit()),
            sign: rest.bytes().any(is_sign),
        }
    }

    /// Whether `text` could be another key of the same make: same prefix, same length, no class of characters
    /// that this one lacks.
    pub fn fits(&self, text: &str) -> bool {
        let Some(rest) = text.strip_prefix(&self.prefix) else { return false };
        let legal = |b: u8| match b {
            b'a'..=b'z' => self.lower,
            b'A'..=b'Z' => self.upper,
            b'0'..=b'9' => self.digit,
            _ => self.sign && is_sign(b),
        };
        text.len() == self.len && rest.bytes().all(legal)
    }
}

/// `sk_live_` of `sk_live_4f…`: short words of letters and digits, each ended by a separator, before the first
/// word of eight or more characters.
fn fixed_prefix(text: &str) -> &str {
    const WORD_MAX: usize = 8;
    let mut end = 0;
    while let Some(len) = text[end..].find(['_', '-', ':']) {
        let letters = text[end..end + len].bytes().filter(u8::is_ascii_alphabetic).count();
        if len >= WORD_MAX || letters == 0 {
            break;
        }
        end += len + 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_as_it_stands() {
        let text = "l7_0123456789abcdefABCDEF.~+/=:-";
        assert_eq!(Key::parse(text).unwrap().expose(), text);
    }

    #[test]
    fn s01_s20_what_is_no_key_is_refused_by_its_reason_and_never_quoted() {
        let refused = |text: &str| Key::parse(text).unwrap_err();
        assert_eq!(refused(""), KeyError::Empty);
        assert_eq!(refused("0123456789abcde"), KeyError::Length(15));
        assert_eq!(refused(&"x".repeat(513)), KeyError::Length(513));
        assert_eq!(refused(" 0123456789abcdef"), KeyError::Character(1));
        assert_eq!(refused("0123456789abcdef\n"), KeyError::Character(17));
        assert_eq!(refused("0123456789abcdéf"), KeyError::Character(15));
    }

    #[test]
    fn s01_debug_shows_the_fingerprint_only() {
        let key = Key::parse("canary-0123456789-secret").unwrap();
        assert_eq!(format!("{key:?}"), format!("Key({})", key.fingerprint()));
        assert!(!format!("{key:?}").contains("canary"));
    }

    #[test]
    fn a_shape_fits_another_key_of_the_same_make_and_nothing_else() {
        let shape = Key::parse("l7_live_9fK2mQ8zR4tY6uW1").unwrap().shape();
        assert_eq!(shape.prefix, "l7_live_");
        assert!(shape.fits("l7_live_AAAAbbbb11112222"));
        assert!(!shape.fits("l7_live_AAAAbbbb1111222"), "too short");
        assert!(!shape.fits("l7_test_AAAAbbbb11112222"), "other prefix");
        assert!(!shape.fits("l7_live_AAAAbbbb1111-222"), "a sign where there was none");
    }

    #[test]
    fn a_uuid_has_no_prefix() {
        assert_eq!(Key::parse("01234567-89ab-cdef-0123-456789abcdef").unwrap().shape().prefix, "");
    }
}
