//! Why a server does not let us in, and whose trouble that is: what the big services say is told in words that lead an
//! operator to the cause.

use super::{trouble::Server, wire::Shared};
use crate::mail::MailboxTrouble;

/// Whose trouble a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The server's own; soon over.
    Passing,
    /// Over after a while, sooner if nobody hurries.
    Crowded,
    /// Microsoft 365 knows the login, and cannot bring it to its mailbox.
    NotConnected,
    /// No password lets anybody in any more.
    PasswordsEnded,
    /// The access token's time is over.
    TokenEnded,
    /// A person must do something in a browser first.
    Browser,
    /// The password is a person's, and an application needs one of its own.
    AppPassword,
    /// Another server would let in, says this one.
    Referred,
    /// User, password, token, rights.
    Login,
}

/// What servers say, lower case, and what it means. The first that fits counts.
const SAID: &[(&str, Cause)] = &[
    ("authenticated but not connected", Cause::NotConnected),
    ("too many simultaneous connections", Cause::Crowded),
    ("maximum number of connections", Cause::Crowded),
    ("[overquota]", Cause::Crowded),
    ("[limit]", Cause::Crowded),
    ("exceeded bandwidth", Cause::Crowded),
    ("exceeded command", Cause::Crowded),
    ("accesstokenexpired", Cause::TokenEnded),
    ("[unavailable]", Cause::Passing),
    ("[inuse]", Cause::Passing),
    ("[serverbug]", Cause::Passing),
    ("[corruption]", Cause::Passing),
    ("[referral ", Cause::Referred),
    ("basic authentication is disabled", Cause::PasswordsEnded),
    ("basicauthblocked", Cause::PasswordsEnded),
    ("web browser", Cause::Browser),
    ("web login required", Cause::Browser),
    ("application-specific password", Cause::AppPassword),
];

/// The same of servers that have no codes.
const PASSES: [&str; 3] = ["temporar", "unavailable", "internal server error"];

/// Outlook's whole answer to every password, right or wrong, since passwords ended there.
const OUTLOOKS_NO: [&str; 2] = ["login failed.", "authenticate failed."];

fn said(words: &str) -> Option<Cause> {
    let words = words.to_ascii_lowercase();
    // A code stands at the beginning, or it is only a text.
    let fits =
        |said: &str| if said.starts_with('[') { words.starts_with(said) } else { words.contains(said) };
    SAID.iter().find(|(said, _)| fits(said)).map(|(_, cause)| *cause)
}

/// Of a login.
fn cause(words: &str) -> Cause {
    let lower = words.to_ascii_lowercase();
    let passes = !lower.starts_with('[') && PASSES.iter().any(|said| lower.contains(said));
    said(words).unwrap_or(if passes { Cause::Passing } else { Cause::Login })
}

/// What a server said when it took its leave, or answered no command any more; `told` is that, for operators.
pub(super) fn lost(server: &Server, words: &str, told: &str) -> MailboxTrouble {
    let why = server.says(told);
    match said(words) {
        Some(Cause::TokenEnded) => MailboxTrouble::TokenEnded(why),
        Some(Cause::Crowded | Cause::NotConnected) => MailboxTrouble::Busy(why),
        Some(
            Cause::Passing
            | Cause::PasswordsEnded
            | Cause::Browser
            | Cause::AppPassword
            | Cause::Referred
            | Cause::Login,
        )
        | None => MailboxTrouble::Unreachable(why),
    }
}

/// What becomes of a password that did not let in. `takes_tokens`: the server takes access tokens too.
pub(super) fn of_password(
    server: &Server,
    wire: &Shared,
    user: &str,
    takes_tokens: bool,
    error: imap::Error,
) -> MailboxTrouble {
    let (cause, words) = match judged(server, wire, error) {
        Ok(judged) => judged,
        Err(trouble) => return trouble,
    };
    let outlook = takes_tokens && OUTLOOKS_NO.contains(&words.to_ascii_lowercase().as_str());
    let hint = match cause {
        _ if outlook => PASSWORDS_ENDED,
        Cause::PasswordsEnded => PASSWORDS_ENDED,
        Cause::Browser => {
            "log in once with a web browser, from this machine's network, and confirm that it was you"
        }
        Cause::AppPassword => {
            "make an application-specific password for keyrelay, or write oauth2 in place of password"
        }
        Cause::Login | Cause::TokenEnded => "check user and password, and whether this account may use IMAP",
        Cause::Passing | Cause::Crowded | Cause::NotConnected | Cause::Referred => {
            return elsewhere(server, user, cause, &words);
        }
    };
    server.refused(&format!("refuses the login of {user}: {words}; {hint}"))
}

const PASSWORDS_ENDED: &str =
    "basic authentication is disabled there: no password lets in any more; write oauth2 in place of password";

/// The same of an access token; `reason` is the server's, in JSON, where it gave one.
pub(super) fn of_token(
    server: &Server,
    wire: &Shared,
    user: &str,
    reason: &str,
    error: imap::Error,
) -> MailboxTrouble {
    let (cause, words) = match judged(server, wire, error) {
        Ok(judged) => judged,
        Err(trouble) => return trouble,
    };
    match cause {
        Cause::Passing | Cause::Crowded | Cause::NotConnected | Cause::Referred => {
            elsewhere(server, user, cause, &words)
        }
        Cause::PasswordsEnded | Cause::TokenEnded | Cause::Browser | Cause::AppPassword | Cause::Login => {
            let status = status(reason).map(|status| format!(" (status {status})")).unwrap_or_default();
            server.refused(&format!(
                "refuses the access token for {user}: {words}{status}; check user and scope, and whether this \
                 application may open that mailbox over IMAP"
            ))
        }
    }
}

/// A NO is the operator's, unless the server says that it is its own. Everything else is a connection that failed: BAD
/// is no judgement of a login, but Microsoft 365 says so what passes.
fn judged(server: &Server, wire: &Shared, error: imap::Error) -> Result<(Cause, String), MailboxTrouble> {
    match &error {
        imap::Error::No(no) => {
            let words = server.words(no.information.as_bytes());
            Ok((cause(&words), words))
        }
        imap::Error::Bad(bad) => {
            let words = server.words(bad.information.as_bytes());
            match said(&words) {
                Some(cause @ Cause::NotConnected) => Ok((cause, words)),
                _ => Err(server.lost(wire, "LOGIN", error)),
            }
        }
        _ => Err(server.lost(wire, "LOGIN", error)),
    }
}

/// What is no fault of password or token.
fn elsewhere(server: &Server, user: &str, cause: Cause, words: &str) -> MailboxTrouble {
    match cause {
        Cause::Crowded => MailboxTrouble::Busy(server.says(&format!(
            "no login at the moment: {words}; what else reads this mailbox, with how many connections?"
        ))),
        Cause::NotConnected => MailboxTrouble::Busy(server.says(&format!(
            "the login of {user} is known, but its mailbox is not reached: {words}; as a rule this passes; if not: is \
             there a mailbox with a licence, is IMAP switched on for it, and may this application open it?"
        ))),
        Cause::Referred => server.refused(&format!(
            "refers the login of {user} to another server, which is never asked: {words}; \
             name that one as host if it is to be trusted"
        )),
        Cause::Passing
        | Cause::PasswordsEnded
        | Cause::TokenEnded
        | Cause::Browser
        | Cause::AppPassword
        | Cause::Login => server.trouble(&format!("no login at the moment: {words}")),
    }
}

/// `{"status":"invalid_token",…}`: the word or number alone.
fn status(challenge: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(challenge).ok()?;
    let status = json.get("status")?;
    let status = status.as_str().map_or_else(|| status.to_string(), str::to_owned);
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (status.len() <= 40 && !status.is_empty() && status.bytes().all(is_word)).then_some(status)
}
