//! Any other secret (a password, a token): like a key, but of no known shape.

use std::fmt;
use zeroize::Zeroizing;

/// Unprintable, and wiped when dropped. A secret that could not be found (`keyrelay check` needs none) is empty.
/// ```
/// let secret = keyrelay::domain::Secret::new("hunter2");
/// println!("{secret:?}");
/// ```
/// ```compile_fail
/// let secret = keyrelay::domain::Secret::new("hunter2");
/// println!("{secret}");
/// ```
/// ```compile_fail
/// let secret = keyrelay::domain::Secret::new("hunter2");
/// let json = serde_json::to_string(&secret);
/// ```
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<Box<str>>);

impl Secret {
    /// Takes the text as it is, less one line end behind it: secrets come out of files.
    pub fn new(text: &str) -> Self {
        let text = text.strip_suffix('\n').unwrap_or(text);
        Self(Zeroizing::new(text.strip_suffix('\r').unwrap_or(text).into()))
    }
    /// The secret text, for the one call that must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
    pub fn is_missing(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_missing() { "Secret(missing)" } else { "Secret" })
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), other.0.as_bytes()).into()
    }
}
impl Eq for Secret {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_end_is_not_part_of_a_secret() {
        for (text, secret) in [("a b", "a b"), ("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("\n", "")] {
            assert_eq!(Secret::new(text).expose(), secret);
        }
        assert_eq!(format!("{:?} {:?}", Secret::new("canary"), Secret::default()), "Secret Secret(missing)");
    }
}
