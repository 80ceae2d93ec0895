//! Names that an operator gives: `[a-z0-9][a-z0-9-]{0,62}`, one newtype for each kind of thing named.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::Arc};

/// The longest name, in characters: a DNS label's length, so that names may become host names and unit names.
const MAX_LEN: usize = 63;

/// A name that breaks the rule, quoted for the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a name: names are 1 to 63 of a-z, 0-9 and -, and do not begin with -")]
pub struct NameError(String);

fn check(text: &str) -> Result<Arc<str>, NameError> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let fits = !text.is_empty() && text.len() <= MAX_LEN && !text.starts_with('-') && text.bytes().all(legal);
    if fits { Ok(text.into()) } else { Err(NameError(text.escape_debug().take(80).collect())) }
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                check(text).map(Self)
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

names! {
    /// A slot: one vendor account's key, its path in the store, its consumers.
    CredentialName;
    /// Something that works with a credential's key.
    ConsumerName;
    /// A mailbox that is watched.
    MailboxName;
    /// Who issues keys.
    VendorName;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_a_dns_label_may_be() {
        for good in ["a", "0", "leaf7-main", &"x".repeat(63)] {
            assert_eq!(good.parse::<CredentialName>().unwrap().as_str(), good);
        }
        for bad in ["", "-a", "A", "a_b", "a.b", "a/b", "ä", "a b", "a\n", &"x".repeat(64)] {
            assert!(bad.parse::<CredentialName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_refused_name_is_quoted_without_its_control_characters() {
        let error = "a\x1b[31m".parse::<ConsumerName>().unwrap_err().to_string();
        assert!(error.starts_with(r#""a\u{1b}[31m" is not a name"#), "{error}");
    }
}
