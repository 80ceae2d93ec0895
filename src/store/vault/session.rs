//! The token: where it comes from, when it is renewed, when a new one is fetched. One login or renewal at a time;
//! calls that need it wait for it.

use super::{
    Auth,
    answer::trouble,
    transport::{Answer, NoAnswer, Transport},
};
use crate::domain::{Secret, StoreTrouble};
use reqwest::header::HeaderValue;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;
use vaultrs::api::{
    AuthInfo, EndpointResult,
    auth::approle::requests::LoginWithApproleRequest,
    token::requests::{RenewTokenSelfRequest, RevokeTokenSelfRequest},
};
use zeroize::Zeroize;

pub(super) struct Sessions {
    auth: Login,
    current: Mutex<Option<Arc<Session>>>,
}

enum Login {
    Token(HeaderValue),
    AppRole { role_id: String, secret_id: Secret, mount: String },
}

pub(super) struct Session {
    pub token: HeaderValue,
    /// `None`: it does not end, or cannot be renewed and is used to its end.
    lease: Option<Lease>,
}

#[derive(Clone, Copy)]
struct Lease {
    /// `None`: long ago.
    from: Option<Instant>,
    length: Duration,
    /// The longest that was given for this token.
    full: Duration,
    renewable: bool,
}

impl Lease {
    const DUE: Self = Self { from: None, length: Duration::ZERO, full: Duration::ZERO, renewable: true };

    /// What a login or a renewal that was sent at `from` gave; `None` where the token does not end.
    fn of(auth: &AuthInfo, from: Instant, former: Option<Lease>) -> Option<Self> {
        let length = Duration::from_secs(auth.lease_duration);
        let full = former.map_or(length, |lease| lease.full.max(length));
        (!length.is_zero()).then_some(Self { from: Some(from), length, full, renewable: auth.renewable })
    }

    /// Renewed at two thirds, so that a store that is away for a while costs no login.
    fn is_due(self) -> bool {
        self.from.is_none_or(|from| from.elapsed() >= self.length * 2 / 3)
    }

    /// A renewal that gives less than half has met the end of the token's longest life.
    fn is_lasting(self) -> bool {
        self.length >= self.full / 2
    }
}

impl Sessions {
    pub fn new(auth: &Auth) -> Result<Self, String> {
        let auth = match auth {
            Auth::Token(token) => {
                if token.expose().trim().is_empty() {
                    return Err("store.vault.auth.token: it is missing or empty".to_owned());
                }
                let unfit = "store.vault.auth.token: it holds a character that no token has";
                Login::Token(header(token.expose()).ok_or(unfit)?)
            }
            Auth::AppRole { role_id, secret_id, mount } => {
                if secret_id.expose().trim().is_empty() {
                    return Err("store.vault.auth.approle.secret_id: it is missing or empty".to_owned());
                }
                Login::AppRole {
                    role_id: role_id.clone(),
                    secret_id: secret_id.clone(),
                    mount: mount.clone(),
                }
            }
        };
        Ok(Self { auth, current: Mutex::new(None) })
    }

    /// Whether tokens come from logins of our own.
    pub fn are_logins(&self) -> bool {
        match self.auth {
            Login::Token(_) => false,
            Login::AppRole { .. } => true,
        }
    }

    /// A session that is good as far as is known: logs in, or renews, where that is due.
    pub async fn current(&self, transport: &Transport) -> Result<Arc<Session>, StoreTrouble> {
        let mut current = self.current.lock().await;
        let next = match current.as_ref() {
            Some(session) => match session.lease.filter(|lease| lease.is_due()) {
                Some(lease) => self.renewed(session, lease, transport).await?,
                None => return Ok(session.clone()),
            },
            None => self.begun(transport).await?,
        };
        Ok(current.insert(Arc::new(next)).clone())
    }

    /// Another session in place of one whose token was refused; `None` where there can be no other. The old token is
    /// revoked: it may be good and only its policy not, and each would live on at the server for days.
    pub async fn instead_of(
        &self,
        refused: &Arc<Session>,
        transport: &Transport,
    ) -> Result<Option<Arc<Session>>, StoreTrouble> {
        let (role_id, secret_id, mount) = match &self.auth {
            Login::Token(_) => return Ok(None),
            Login::AppRole { role_id, secret_id, mount } => (role_id, secret_id, mount),
        };
        let mut current = self.current.lock().await;
        if let Some(newer) = current.as_ref().filter(|session| !Arc::ptr_eq(session, refused)) {
            return Ok(Some(newer.clone()));
        }
        let session = Arc::new(login(role_id, secret_id, mount, transport).await?);
        *current = Some(session.clone());
        // Whether that worked matters to nobody: a dead token cannot be revoked, and one that lives on ends by itself.
        let _ = transport.send(&RevokeTokenSelfRequest::default(), Some(&refused.token)).await;
        Ok(Some(session))
    }

    async fn begun(&self, transport: &Transport) -> Result<Session, StoreTrouble> {
        match &self.auth {
            // A given token's lease is not known until it was renewed once.
            Login::Token(token) => {
                let lease = match renew(token, None, transport).await? {
                    Renewal::Lease(lease) => lease,
                    Renewal::Never => None,
                    Renewal::NotNow => Some(Lease::DUE),
                };
                Ok(Session { token: token.clone(), lease })
            }
            Login::AppRole { role_id, secret_id, mount } => login(role_id, secret_id, mount, transport).await,
        }
    }

    async fn renewed(
        &self,
        session: &Session,
        lease: Lease,
        transport: &Transport,
    ) -> Result<Session, StoreTrouble> {
        let renewal = match lease.renewable {
            true => renew(&session.token, Some(lease), transport).await?,
            false => Renewal::Never,
        };
        let keep = |lease| Session { token: session.token.clone(), lease };
        match (&self.auth, renewal) {
            (Login::Token(_), Renewal::Lease(next)) => Ok(keep(next)),
            (Login::Token(_), Renewal::Never) => Ok(keep(None)),
            (Login::Token(_), Renewal::NotNow) => Ok(keep(Some(lease))),
            (Login::AppRole { .. }, Renewal::Lease(next)) if next.is_none_or(Lease::is_lasting) => {
                Ok(keep(next))
            }
            (
                Login::AppRole { role_id, secret_id, mount },
                Renewal::Lease(_) | Renewal::Never | Renewal::NotNow,
            ) => login(role_id, secret_id, mount, transport).await,
        }
    }
}

async fn login(
    role_id: &str,
    secret_id: &Secret,
    mount: &str,
    transport: &Transport,
) -> Result<Session, StoreTrouble> {
    let mut request = LoginWithApproleRequest {
        mount: mount.to_owned(),
        role_id: role_id.trim().to_owned(),
        secret_id: secret_id.expose().trim().to_owned(),
    };
    let from = Instant::now();
    let answer = transport.send(&request, None).await;
    request.secret_id.zeroize();
    let answer = answer.map_err(unreachable)?;
    let doing = format!("logging in at auth/{mount}");
    let mut auth = match auth_of(&answer) {
        Some(auth) => auth,
        None if answer.status == 400 => match trouble(&answer, &doing) {
            StoreTrouble::Refused(why) => return Err(StoreTrouble::Forbidden(why)),
            other @ (StoreTrouble::Unreachable(_) | StoreTrouble::Sealed | StoreTrouble::Forbidden(_)) => {
                return Err(other);
            }
        },
        None if answer.status == 200 => {
            return Err(StoreTrouble::Refused(format!("{doing}: the answer makes no sense")));
        }
        None => return Err(trouble(&answer, &doing)),
    };
    let token = header(&auth.client_token);
    auth.client_token.zeroize();
    let token = token.ok_or_else(|| StoreTrouble::Refused(format!("{doing}: the answer holds no token")))?;
    Ok(Session { token, lease: Lease::of(&auth, from, None) })
}

/// What came of asking for a renewal. Where none came of it the token is used as it is: if it is dead, the call that
/// needs it says so.
enum Renewal {
    /// `None`: it does not end.
    Lease(Option<Lease>),
    /// Not renewable, not allowed, or dead.
    Never,
    /// The server failed at it (OpenBao answers 500 at the end of a token's longest life).
    NotNow,
}

async fn renew(
    token: &HeaderValue,
    former: Option<Lease>,
    transport: &Transport,
) -> Result<Renewal, StoreTrouble> {
    let from = Instant::now();
    let answer = transport.send(&RenewTokenSelfRequest::default(), Some(token)).await.map_err(unreachable)?;
    if let Some(auth) = auth_of(&answer) {
        return Ok(Renewal::Lease(Lease::of(&auth, from, former)));
    }
    match trouble(&answer, "renewing the token") {
        away @ (StoreTrouble::Sealed | StoreTrouble::Unreachable(_)) => Err(away),
        StoreTrouble::Forbidden(_) => Ok(Renewal::Never),
        StoreTrouble::Refused(_) if answer.status == 400 => Ok(Renewal::Never),
        StoreTrouble::Refused(_) => Ok(Renewal::NotNow),
    }
}

fn unreachable(failed: NoAnswer) -> StoreTrouble {
    match failed {
        NoAnswer::NotSent(why) | NoAnswer::Lost(why) => StoreTrouble::Unreachable(why),
    }
}

fn auth_of(answer: &Answer) -> Option<AuthInfo> {
    if answer.status != 200 {
        return None;
    }
    serde_json::from_slice::<EndpointResult<serde_json::Value>>(&answer.body).ok()?.auth
}

/// The token as a header that no debug output shows; `None` where it cannot be one.
fn header(token: &str) -> Option<HeaderValue> {
    let token = token.trim();
    let mut value = HeaderValue::from_str(token).ok().filter(|_| !token.is_empty())?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_trimmed_and_never_shown() {
        let token = header("canary-token\n").unwrap();
        assert_eq!(token.as_bytes(), b"canary-token");
        assert!(!format!("{token:?}").contains("canary"));
    }

    #[test]
    fn a_token_that_is_none_is_refused_without_its_text() {
        let refused = |text| Sessions::new(&Auth::Token(Secret::new(text))).err().unwrap();
        assert_eq!(refused(" \n"), "store.vault.auth.token: it is missing or empty");
        assert_eq!(refused("canary\x07"), "store.vault.auth.token: it holds a character that no token has");
    }

    #[test]
    fn a_lease_is_due_at_two_thirds_and_an_endless_one_never() {
        let auth = |secs: u64| -> AuthInfo {
            serde_json::from_value(serde_json::json!({
                "client_token": "", "accessor": "", "policies": [], "token_policies": [], "metadata": null,
                "lease_duration": secs, "renewable": true, "entity_id": "", "token_type": "service", "orphan": true
            }))
            .unwrap()
        };
        let now = Instant::now();
        let ago = |secs| now.checked_sub(Duration::from_secs(secs)).unwrap();
        assert!(Lease::of(&auth(0), now, None).is_none());
        assert!(!Lease::of(&auth(90), ago(30), None).unwrap().is_due());
        assert!(Lease::of(&auth(90), ago(60), None).unwrap().is_due());
        assert!(Lease::DUE.is_due());
        let first = Lease::of(&auth(90), now, None);
        assert!(Lease::of(&auth(45), now, first).unwrap().is_lasting());
        assert!(!Lease::of(&auth(44), now, first).unwrap().is_lasting());
    }
}
