//! The login itself: which of the ways that the server offers is taken, and what is said in it.

use super::{
    Login, Settings, Tls, refusal,
    trouble::{Server, guarded},
    wire::{ANSWER_MAX, Shared},
};
use crate::{domain::Secret, mail::MailboxTrouble};
use imap::types::Capabilities;
use imap_proto::Capability;
use std::cell::{Cell, RefCell};
use zeroize::Zeroizing;

/// What would end its line, or its part of one, is sent to nobody.
pub(super) fn check(server: &Server, settings: &Settings) -> Result<(), MailboxTrouble> {
    let (what, secret) = match &settings.login {
        Login::Password(password) => ("password", password.expose()),
        Login::Token(token) => ("access token", token.expose()),
        Login::OAuth2(_) => ("access token", ""),
    };
    let user = &settings.user;
    if [user, secret].iter().any(|text| text.contains(['\r', '\n', '\0', '\x01'])) {
        return Err(server.refused(&format!(
            "gets no login: the {what} or the user {user:?} has a line end or a NUL in it"
        )));
    }
    Ok(())
}

/// Logs in, once.
pub(super) fn log_in(
    settings: &Settings,
    server: &Server,
    wire: &Shared,
) -> Result<imap::Session<Shared>, MailboxTrouble> {
    let mut client = imap::Client::new(wire.clone());
    client.greeting_read = true; // judged by `dial` already

    // What was said before TLS is forgotten: the capabilities are asked for anew, here and after the login.
    wire.lock().begin("CAPABILITY", ANSWER_MAX);
    let can = guarded(|| client.capabilities()).map_err(|e| server.lost(wire, "CAPABILITY", e))?;
    match &settings.login {
        Login::Password(password) => by_password(settings, password, client, &can, server, wire),
        Login::Token(token) => by_token(settings, token, client, &can, server, wire),
        Login::OAuth2(_) => {
            Err(server.trouble("no access token was fetched for it (a bug: please report it)"))
        }
    }
}

fn by_password(
    settings: &Settings,
    password: &Secret,
    client: imap::Client<Shared>,
    can: &Capabilities,
    server: &Server,
    wire: &Shared,
) -> Result<imap::Session<Shared>, MailboxTrouble> {
    let user = &settings.user;
    let disabled = has(can, "LOGINDISABLED");
    // A quoted string is ASCII; what is not must go another way, where there is one.
    let is_ascii = user.is_ascii() && password.expose().is_ascii();
    let plain = has(can, "AUTH=PLAIN") && (disabled || !is_ascii);
    if disabled && !plain {
        return Err(server.refused(match settings.tls {
            Tls::None => "takes no password on this connection; set tls: implicit or tls: starttls",
            Tls::Implicit | Tls::StartTls => {
                "takes no password (LOGINDISABLED); this account may need oauth2"
            }
        }));
    }
    wire.lock().begin("LOGIN", ANSWER_MAX);
    let session = guarded(|| {
        if plain {
            client.authenticate("PLAIN", &Plain::new(user, password)).map_err(|(e, _)| e)
        } else {
            client.login(user, password.expose()).map_err(|(e, _)| e)
        }
    });
    let takes_tokens = Kind::best(can).is_some();
    session.map_err(|e| refusal::of_password(server, wire, user, takes_tokens, e))
}

fn by_token(
    settings: &Settings,
    token: &Secret,
    client: imap::Client<Shared>,
    can: &Capabilities,
    server: &Server,
    wire: &Shared,
) -> Result<imap::Session<Shared>, MailboxTrouble> {
    let Some(kind) = Kind::best(can) else {
        return Err(server.refused(
            "takes no access token (it offers neither AUTH=OAUTHBEARER nor AUTH=XOAUTH2); write password in place of \
             oauth2",
        ));
    };
    let bearer = Bearer::new(kind, &settings.user, token);
    wire.lock().begin("LOGIN", ANSWER_MAX);
    let session = guarded(|| client.authenticate(kind.name(), &bearer).map_err(|(e, _)| e));
    session.map_err(|e| refusal::of_token(server, wire, &settings.user, &bearer.reason.borrow(), e))
}

/// Whether the server can do that; it may write it as it likes.
pub(super) fn has(can: &Capabilities, wanted: &str) -> bool {
    can.iter().any(|known| match known {
        Capability::Imap4rev1 => wanted == "IMAP4rev1",
        Capability::Auth(how) => {
            wanted.strip_prefix("AUTH=").is_some_and(|wanted| wanted.eq_ignore_ascii_case(how))
        }
        Capability::Atom(known) => known.eq_ignore_ascii_case(wanted),
    })
}

/// SASL PLAIN (RFC 4616): one challenge, one answer. A server that asks again gets nothing more.
struct Plain(Cell<Zeroizing<String>>);

impl Plain {
    fn new(user: &str, password: &Secret) -> Self {
        Self(Cell::new(Zeroizing::new(format!("\0{user}\0{}", password.expose()))))
    }
}

impl imap::Authenticator for Plain {
    type Response = Zeroizing<String>;
    fn process(&self, _challenge: &[u8]) -> Zeroizing<String> {
        self.0.take()
    }
}

/// How an access token is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// RFC 7628.
    OAuthBearer,
    /// Google's and Microsoft's own, which is older.
    XOAuth2,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::OAuthBearer => "OAUTHBEARER",
            Kind::XOAuth2 => "XOAUTH2",
        }
    }
    /// The one that is a standard goes first.
    fn best(can: &Capabilities) -> Option<Self> {
        let kinds = [Kind::OAuthBearer, Kind::XOAuth2].into_iter();
        kinds.clone().find(|kind| has(can, &format!("AUTH={}", kind.name())))
    }
    fn says(self, user: &str, token: &Secret) -> Zeroizing<String> {
        let token = token.expose();
        Zeroizing::new(match self {
            Kind::OAuthBearer => {
                // A name with a comma or an equals sign would end its part (RFC 5801, 4).
                let user = user.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={user},\x01auth=Bearer {token}\x01\x01")
            }
            Kind::XOAuth2 => format!("user={user}\x01auth=Bearer {token}\x01\x01"),
        })
    }
    /// The answer to a reason; without it the server waits for ever.
    fn understood(self) -> &'static str {
        match self {
            Kind::OAuthBearer => "\x01",
            Kind::XOAuth2 => "",
        }
    }
}

/// The token in each way to say it.
pub(super) fn said(user: &str, token: &Secret) -> [Zeroizing<String>; 2] {
    [Kind::OAuthBearer, Kind::XOAuth2].map(|kind| kind.says(user, token))
}

/// The token goes out once. A server that refuses it says why in a second challenge, and waits until that is answered.
struct Bearer {
    kind: Kind,
    says: Cell<Option<Zeroizing<String>>>,
    /// The server's: JSON.
    reason: RefCell<String>,
}

impl Bearer {
    fn new(kind: Kind, user: &str, token: &Secret) -> Self {
        Self { kind, says: Cell::new(Some(kind.says(user, token))), reason: RefCell::default() }
    }
}

impl imap::Authenticator for Bearer {
    type Response = Zeroizing<String>;
    fn process(&self, challenge: &[u8]) -> Zeroizing<String> {
        self.says.take().unwrap_or_else(|| {
            *self.reason.borrow_mut() = String::from_utf8_lossy(challenge).into_owned();
            self.kind.understood().to_owned().into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imap::Authenticator;

    #[test]
    fn a_token_is_said_once_and_a_servers_reason_is_answered_with_nothing() {
        let token = Secret::new("canary");
        let xoauth2 = Bearer::new(Kind::XOAuth2, "a,b=c@example.com", &token);
        assert_eq!(*xoauth2.process(b""), "user=a,b=c@example.com\x01auth=Bearer canary\x01\x01");
        assert_eq!(*xoauth2.process(b"{\"status\":\"401\"}"), "");
        assert_eq!(*xoauth2.reason.borrow(), "{\"status\":\"401\"}");
        let bearer = Bearer::new(Kind::OAuthBearer, "a,b=c@example.com", &token);
        assert_eq!(*bearer.process(b""), "n,a=a=2Cb=3Dc@example.com,\x01auth=Bearer canary\x01\x01");
        assert_eq!(*bearer.process(b"{\"status\":\"invalid_token\"}"), "\x01");
    }
}
