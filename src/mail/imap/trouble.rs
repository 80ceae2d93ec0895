//! What goes wrong with a server, in words for operators: whose fault it is, and what the server said, unless that is
//! our own password. Pure.

use super::{Login, Settings, answer, refusal, sasl, socket, wire::Shared};
use crate::mail::MailboxTrouble;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::panic::{AssertUnwindSafe, catch_unwind};
use zeroize::Zeroizing;

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
    /// What is never shown, should the server repeat it: password or token, in each form in which it got it.
    unsaid: Vec<Zeroizing<Vec<u8>>>,
}

impl Server {
    pub fn new(settings: &Settings) -> Self {
        let (secret, said) = match &settings.login {
            Login::Password(password) => (
                password.expose(),
                vec![Zeroizing::new(format!("\0{}\0{}", settings.user, password.expose()))],
            ),
            Login::Token(token) => (token.expose(), sasl::said(&settings.user, token).to_vec()),
            Login::OAuth2(_) => ("", Vec::new()),
        };
        let quoted = secret.replace('\\', "\\\\").replace('"', "\\\"");
        let mut unsaid = vec![secret.into(), quoted, STANDARD.encode(secret)];
        unsaid.extend(said.iter().map(|said| STANDARD.encode(said.as_bytes())));
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
                let told = format!("{command} is refused: {words}");
                match refusal::lost(self, &words, &told) {
                    // It says no to everything then, and not to this one folder.
                    busy @ MailboxTrouble::Busy(_) => Failed::Lost(busy),
                    _ => Failed::No(self.says(&told)),
                }
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
            Some(bye) => {
                let bye = self.words(bye);
                refusal::lost(self, &bye, &format!("the server took its leave: {bye}"))
            }
            None => refusal::lost(self, &why, &format!("{command}: {why}")),
        }
    }
}
