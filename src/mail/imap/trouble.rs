//! What goes wrong with a server, in words for operators: whose fault it is, and what the server said, unless that is
//! our own password. Pure.

use super::{Settings, answer, socket, wire::Shared};
use crate::mail::MailboxTrouble;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::panic::{AssertUnwindSafe, catch_unwind};
use zeroize::Zeroizing;

/// What a server says of a login that may work later (RFC 5530): its own trouble, and nobody's password.
const LATER_CODES: [&str; 5] = ["[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]", "[CORRUPTION]"];
/// The same in words, of servers that have no codes. The third is Microsoft's.
const LATER_WORDS: [&str; 4] =
    ["temporar", "unavailable", "authenticated but not connected", "internal server error"];

/// Why a command failed.
pub(super) enum Failed {
    /// The server said NO: the connection is as good as before. Server, command and its words.
    No(String),
    Lost(MailboxTrouble),
}

impl From<Failed> for MailboxTrouble {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::No(why) => MailboxTrouble::Unreachable(why),
            Failed::Lost(trouble) => trouble,
        }
    }
}

/// The crate panics on some of what a server may say (an INTERNALDATE of NIL): that is an answer which is no IMAP.
pub(super) fn guarded<T>(command: impl FnOnce() -> imap::Result<T>) -> imap::Result<T> {
    catch_unwind(AssertUnwindSafe(command))
        .unwrap_or_else(|_| Err(imap::Error::Io(socket::Stop::Nonsense.into())))
}

/// Puts the server's name before what is told of it.
pub(super) struct Server {
    at: String,
    /// What is never shown, should the server repeat it: the password, in each form in which it got it.
    unsaid: Vec<Zeroizing<Vec<u8>>>,
}

impl Server {
    pub fn new(settings: &Settings) -> Self {
        let password = settings.password.expose();
        let quoted = password.replace('\\', "\\\\").replace('"', "\\\"");
        let sasl = Zeroizing::new(format!("\0{}\0{password}", settings.user));
        let mut unsaid =
            vec![password.to_owned(), quoted, STANDARD.encode(password), STANDARD.encode(&*sasl)];
        unsaid.retain(|text| !text.is_empty());
        let unsaid = unsaid.into_iter().map(|text| Zeroizing::new(text.into_bytes())).collect();
        Self { at: format!("{}:{}", settings.host, settings.port), unsaid }
    }

    pub fn says(&self, why: &str) -> String {
        format!("{}: {why}", self.at)
    }
    pub fn trouble(&self, why: &str) -> MailboxTrouble {
        MailboxTrouble::Unreachable(self.says(why))
    }
    pub fn refused(&self, why: &str) -> MailboxTrouble {
        MailboxTrouble::Refused(format!("{} {why}", self.at))
    }

    /// A server's words, as they may be shown.
    pub fn words(&self, words: &[u8]) -> String {
        let tells = |secret: &Zeroizing<Vec<u8>>| words.windows(secret.len()).any(|part| part == &secret[..]);
        match self.unsaid.iter().any(tells) {
            true => "(its words hold the password, and are not shown)".into(),
            false => answer::clean(words),
        }
    }

    /// Why a command that was answered with an error failed.
    pub fn failed(&self, wire: &Shared, command: &str, error: imap::Error) -> Failed {
        match error {
            imap::Error::No(no) => {
                let words = self.words(no.information.as_bytes());
                Failed::No(self.says(&format!("{command} is refused: {words}")))
            }
            lost => Failed::Lost(self.lost(wire, command, lost)),
        }
    }

    /// The connection is lost, or the server and we no longer understand each other. The crate's errors hold raw
    /// answers and are never printed.
    pub fn lost(&self, wire: &Shared, command: &str, error: imap::Error) -> MailboxTrouble {
        let why = match error {
            imap::Error::Io(e) => socket::explain(&e),
            imap::Error::ConnectionLost => "the server closed the connection".into(),
            imap::Error::No(no) => self.words(no.information.as_bytes()),
            imap::Error::Bad(bad) => self.words(bad.information.as_bytes()),
            _ => socket::Stop::Nonsense.to_string(),
        };
        match wire.lock().bye() {
            Some(bye) => self.trouble(&format!("the server took its leave: {}", self.words(bye))),
            None => self.trouble(&format!("{command}: {why}")),
        }
    }

    /// A NO to LOGIN is the operator's, unless the server says that it is its own. Everything else is a connection
    /// that failed: BAD is no judgement of a password.
    pub fn refused_login(&self, wire: &Shared, user: &str, error: imap::Error) -> MailboxTrouble {
        let imap::Error::No(no) = error else { return self.lost(wire, "LOGIN", error) };
        let words = self.words(no.information.as_bytes());
        if is_for_later(&words) {
            return self.trouble(&format!("no login at the moment: {words}"));
        }
        if starts_with_code(&words, "[REFERRAL ") {
            return self.refused(&format!(
                "refers the login of {user} to another server, which is never asked: {words}; \
                 name that one as host if it is to be trusted"
            ));
        }
        self.refused(&format!(
            "refuses the login of {user}: {words}; check user and password, and whether this account may use IMAP"
        ))
    }
}

fn is_for_later(words: &str) -> bool {
    let has_code = words.starts_with('[');
    let lower = words.to_ascii_lowercase();
    LATER_CODES.iter().any(|code| starts_with_code(words, code))
        || !has_code && LATER_WORDS.iter().any(|said| lower.contains(said))
}

fn starts_with_code(words: &str, code: &str) -> bool {
    words.get(..code.len()).is_some_and(|head| head.eq_ignore_ascii_case(code))
}
