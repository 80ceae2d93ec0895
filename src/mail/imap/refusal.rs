//! Why a server does not let us in, and whose trouble that is: what the big services say is told in words that lead an
//! operator to the cause.

use super::{Login, Server, Settings, answer, sasl::Offers, wire::Shared};
use crate::mail::MailboxTrouble;
use imap_proto::ResponseCode;

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
    /// User, password, token, rights.
    Login,
}

/// What servers say, lower case, and what it means. The first that fits counts.
const SAID: &[(&str, Cause)] = &[
    ("authenticated but not connected", Cause::NotConnected),
    ("too many simultaneous connections", Cause::Crowded),
    ("[overquota]", Cause::Crowded),
    ("[limit]", Cause::Crowded),
    ("exceeded bandwidth", Cause::Crowded),
    ("exceeded command", Cause::Crowded),
    ("accesstokenexpired", Cause::TokenEnded),
    ("[unavailable]", Cause::Passing),
    ("[inuse]", Cause::Passing),
    ("[serverbug]", Cause::Passing),
    ("basic authentication is disabled", Cause::PasswordsEnded),
    ("basicauthblocked", Cause::PasswordsEnded),
    ("web browser", Cause::Browser),
    ("web login required", Cause::Browser),
    ("application-specific password", Cause::AppPassword),
];

/// Outlook's whole answer to every password, right or wrong, since passwords ended there.
const OUTLOOKS_NO: [&str; 2] = ["login failed.", "authenticate failed."];

fn said(words: &str) -> Option<Cause> {
    let words = words.to_ascii_lowercase();
    SAID.iter().find(|(said, _)| words.contains(said)).map(|(_, cause)| *cause)
}

fn cause(words: &str, by_password: bool, offers: &Offers) -> Cause {
    let no = words.to_ascii_lowercase();
    let outlook = by_password && offers.bearer.is_some() && OUTLOOKS_NO.contains(&no.as_str());
    said(words).unwrap_or(if outlook { Cause::PasswordsEnded } else { Cause::Login })
}

/// What a server said when it took its leave, or answered no command any more; `told` is that, for operators.
pub(super) fn lost(server: &Server, words: &str, told: &str) -> MailboxTrouble {
    let why = server.says(told);
    match said(words) {
        Some(Cause::TokenEnded) => MailboxTrouble::TokenEnded(why),
        Some(Cause::Crowded | Cause::NotConnected) => MailboxTrouble::Busy(why),
        Some(Cause::Passing | Cause::PasswordsEnded | Cause::Browser | Cause::AppPassword | Cause::Login)
        | None => MailboxTrouble::Unreachable(why),
    }
}

/// What becomes of a login that ended in an error; `challenge` is a server's reason in JSON, where it gave one.
pub(super) fn refused(
    server: &Server,
    wire: &Shared,
    settings: &Settings,
    offers: &Offers,
    challenge: &str,
    error: imap::Error,
) -> MailboxTrouble {
    let words = match &error {
        imap::Error::No(no) => {
            let words = answer::clean(no.information.as_bytes());
            // The crate takes this code off the words, and leaves the others in.
            if no.code == Some(ResponseCode::Alert) { format!("[ALERT] {words}") } else { words }
        }
        // Microsoft 365 says BAD to the first command of a login that it cannot bring to its mailbox.
        imap::Error::Bad(bad) => answer::clean(bad.information.as_bytes()),
        imap::Error::Validate(_) => {
            let why = format!("the password or the user {} has a line end in it", settings.user);
            return MailboxTrouble::Refused(server.says(&why));
        }
        _ => return server.lost(wire, "LOGIN", error),
    };
    let (by_password, secret) = match &settings.login {
        Login::Password(secret) => (true, Some(secret)),
        Login::Token(secret) => (false, Some(secret)),
        Login::OAuth2(_) => (false, None),
    };
    let cause = cause(&words, by_password, offers);
    if matches!(error, imap::Error::Bad(_)) && cause == Cause::Login {
        return server.lost(wire, "LOGIN", error);
    }
    // A server may repeat what it got; nobody else shall.
    let repeats = |text: &str| secret.is_some_and(|secret| text.contains(secret.expose()));
    let words = if repeats(&words) { String::new() } else { words };
    let status = status(challenge).filter(|status| !repeats(status));
    told(server, &settings.user, by_password, cause, &words, status.as_deref())
}

fn told(
    server: &Server,
    user: &str,
    by_password: bool,
    cause: Cause,
    words: &str,
    status: Option<&str>,
) -> MailboxTrouble {
    let at = &server.at;
    let refuses =
        |hint: &str| MailboxTrouble::Refused(format!("{at} refuses the login of {user}: {words}; {hint}"));
    match cause {
        Cause::Passing => server.trouble(&format!("no login at the moment: {words}")),
        Cause::Crowded => MailboxTrouble::Busy(format!(
            "{at}: no login at the moment: {words}; what else reads this mailbox, with how many connections?"
        )),
        Cause::NotConnected => MailboxTrouble::Busy(format!(
            "{at} knows the login of {user}, but does not reach the mailbox: {words}; as a rule this passes; if not: \
             is there a mailbox with a licence, is IMAP switched on for it, and may this application open it?"
        )),
        Cause::PasswordsEnded => refuses(
            "basic authentication is disabled there: no password lets in any more; write oauth2 in place of password",
        ),
        Cause::Browser => refuses(
            "log in once with a web browser, from this machine's network, and confirm that it was you",
        ),
        Cause::AppPassword => refuses(
            "make an application-specific password for keyrelay, or write oauth2 in place of password",
        ),
        Cause::Login | Cause::TokenEnded if by_password => {
            refuses("check user and password, and whether this account may use IMAP")
        }
        Cause::Login | Cause::TokenEnded => {
            let status = status.map(|status| format!(" (status {status})")).unwrap_or_default();
            MailboxTrouble::Refused(format!(
                "{at} refuses the access token for {user}: {words}{status}; check user and scope, and whether this \
                 application may open that mailbox over IMAP"
            ))
        }
    }
}

pub(super) fn no_password(server: &Server, offers: &Offers) -> MailboxTrouble {
    let hint = match offers.bearer {
        Some(_) => "write oauth2 in place of password",
        None => "set tls: implicit or tls: starttls",
    };
    MailboxTrouble::Refused(format!("{} takes no password on this connection; {hint}", server.at))
}

pub(super) fn no_token(server: &Server) -> MailboxTrouble {
    MailboxTrouble::Refused(format!(
        "{} takes no access token (it offers neither AUTH=OAUTHBEARER nor AUTH=XOAUTH2); write password in place of \
         oauth2",
        server.at
    ))
}

/// `{"status":"invalid_token",…}`: the word or number alone.
fn status(challenge: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(challenge).ok()?;
    let status = json.get("status")?;
    let status = status.as_str().map_or_else(|| status.to_string(), str::to_owned);
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (status.len() <= 40 && !status.is_empty() && status.bytes().all(is_word)).then_some(status)
}
