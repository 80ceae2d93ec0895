//! What a store that works says of itself, and of the login that it lets us in with.

use super::Timestamp;
use std::time::Duration;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreFacts {
    /// Its `Date`, where it says one.
    pub time: Option<Timestamp>,
    /// The token is to be renewed after this; to be asked again then. `None`: it does not end, or cannot be renewed.
    pub renew_in: Option<Duration>,
    pub endings: Vec<Ending>,
}

/// A part of the login that ends, and that keyrelay cannot replace by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub part: LoginPart,
    /// When it was given, where that is known.
    pub from: Option<Timestamp>,
    /// When it ends. `None`: nobody knows, but it has lost its use already, or has `uses_left`.
    pub until: Option<Timestamp>,
    /// How many more logins or calls it is good for, where they are counted.
    pub uses_left: Option<u32>,
    /// Why it has lost its use already, although what it once gave still works.
    pub lost: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoginPart {
    /// A token that was given to keyrelay; it gets no other by itself.
    Token,
    SecretId,
    Certificate,
    /// The login as a whole: a new one is refused while the old token lives.
    Login,
}

impl LoginPart {
    /// As a message says it.
    pub fn as_str(self) -> &'static str {
        match self {
            LoginPart::Token => "token",
            LoginPart::SecretId => "secret-id",
            LoginPart::Certificate => "client certificate",
            LoginPart::Login => "login",
        }
    }
}
