//! The login itself: which of the ways that the server offers is taken, and what is said in it.

use super::{Login, Server, Settings, refusal, wire::ANSWER_MAX, wire::Shared};
use crate::{domain::Secret, mail::MailboxTrouble};
use imap::types::Capabilities;
use std::cell::{Cell, RefCell};

/// Logs in, once.
pub(super) fn log_in(
    server: &Server,
    wire: &Shared,
    mut client: imap::Client<Shared>,
    settings: &Settings,
) -> Result<imap::Session<Shared>, MailboxTrouble> {
    // What was said before TLS is forgotten: the capabilities are asked for anew, here and after the login.
    wire.lock().begin(ANSWER_MAX);
    let can = client.capabilities().map_err(|e| server.lost(wire, "CAPABILITY", e))?;
    let offers = offers(&can);
    wire.lock().begin(ANSWER_MAX);
    match &settings.login {
        Login::Password(password) => {
            if can.has_str("LOGINDISABLED") {
                return Err(refusal::no_password(server, &offers));
            }
            // A quoted string is ASCII; what is not must go another way, where there is one.
            let is_ascii = settings.user.is_ascii() && password.expose().is_ascii();
            let session = if offers.plain && !is_ascii {
                client.authenticate("PLAIN", &Plain(&settings.user, password))
            } else {
                client.login(&settings.user, password.expose())
            };
            session.map_err(|(e, _)| refusal::refused(server, wire, settings, &offers, "", e))
        }
        Login::Token(token) => {
            let Some(kind) = offers.bearer else { return Err(refusal::no_token(server)) };
            let bearer = Bearer::new(kind, &settings.user, token);
            let session = client.authenticate(kind.name(), &bearer);
            session.map_err(|(e, _)| {
                refusal::refused(server, wire, settings, &offers, &bearer.challenge.borrow(), e)
            })
        }
        Login::OAuth2(_) => {
            Err(server.trouble("no access token was fetched for it (a bug: please report it)"))
        }
    }
}

/// The ways to log in that a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offers {
    pub plain: bool,
    pub bearer: Option<Kind>,
}

fn offers(can: &Capabilities) -> Offers {
    // The one that is a standard goes first.
    let bearer = [Kind::OAuthBearer, Kind::XOAuth2].into_iter();
    let bearer = bearer.clone().find(|kind| can.has_str(format!("AUTH={}", kind.name())));
    Offers { plain: can.has_str("AUTH=PLAIN"), bearer }
}

/// How an access token is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// RFC 7628.
    OAuthBearer,
    /// Google's and Microsoft's own, which is older.
    XOAuth2,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::OAuthBearer => "OAUTHBEARER",
            Kind::XOAuth2 => "XOAUTH2",
        }
    }
}

/// SASL PLAIN (RFC 4616).
struct Plain<'a>(&'a str, &'a Secret);

impl imap::Authenticator for Plain<'_> {
    type Response = String;
    fn process(&self, _challenge: &[u8]) -> String {
        format!("\0{}\0{}", self.0, self.1.expose())
    }
}

/// The token goes out once. A server that refuses it says why in a second challenge, and waits until that is answered.
struct Bearer<'a> {
    kind: Kind,
    user: &'a str,
    token: &'a Secret,
    said: Cell<bool>,
    /// The server's reason: JSON.
    challenge: RefCell<String>,
}

impl<'a> Bearer<'a> {
    fn new(kind: Kind, user: &'a str, token: &'a Secret) -> Self {
        Self { kind, user, token, said: Cell::new(false), challenge: RefCell::default() }
    }
}

impl imap::Authenticator for Bearer<'_> {
    type Response = String;
    fn process(&self, challenge: &[u8]) -> String {
        let (user, token) = (self.user, self.token.expose());
        match (self.said.replace(true), self.kind) {
            (false, Kind::OAuthBearer) => {
                // A name with a comma or an equals sign would end its part (RFC 5801, 4).
                let user = user.replace('=', "=3D").replace(',', "=2C");
                format!("n,a={user},\x01auth=Bearer {token}\x01\x01")
            }
            (false, Kind::XOAuth2) => format!("user={user}\x01auth=Bearer {token}\x01\x01"),
            (true, kind) => {
                *self.challenge.borrow_mut() = String::from_utf8_lossy(challenge).into_owned();
                match kind {
                    Kind::OAuthBearer => "\x01".to_owned(),
                    Kind::XOAuth2 => String::new(),
                }
            }
        }
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
        assert_eq!(xoauth2.process(b""), "user=a,b=c@example.com\x01auth=Bearer canary\x01\x01");
        assert_eq!(xoauth2.process(b"{\"status\":\"401\"}"), "");
        assert_eq!(*xoauth2.challenge.borrow(), "{\"status\":\"401\"}");
        let bearer = Bearer::new(Kind::OAuthBearer, "a,b=c@example.com", &token);
        assert_eq!(bearer.process(b""), "n,a=a=2Cb=3Dc@example.com,\x01auth=Bearer canary\x01\x01");
        assert_eq!(bearer.process(b"{\"status\":\"invalid_token\"}"), "\x01");
    }
}
