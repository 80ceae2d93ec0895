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
    from: Instant,
    length: Duration,
    /// What the login gave. A renewal that gives less than half of it has met the token's last day.
    full: Duration,
    renewable: bool,
}

impl Lease {
    /// Renewed at two thirds, so that a store that is away for a while costs no login.
    fn is_due(&self) -> bool {
        self.from.elapsed() >= self.length * 2 / 3
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

    /// A session that is good as far as is known: logs in, or renews, where that is due.
    pub async fn current(&self, transport: &Transport) -> Result<Arc<Session>, StoreTrouble> {
        let mut current = self.current.lock().await;
        let next = match current.as_ref() {
            Some(session) if !session.lease.is_some_and(|lease| lease.is_due()) => return Ok(session.clone()),
            Some(session) => self.renewed(session, transport).await?,
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
            // A given token's lease is not known until it was renewed once. Where that is not allowed, it is used as
            // it is: if it is bad, the call after this says so.
            Login::Token(token) => {
                let from = Instant::now();
                let answer = renew(token, transport).await?;
                match auth_of(&answer) {
                    Some(auth) => Ok(Session { token: token.clone(), lease: lease(&auth, from, None) }),
                    None if is_refusal(&answer) => Ok(Session { token: token.clone(), lease: None }),
                    None => Err(trouble(&answer, "renewing the token")),
                }
            }
            Login::AppRole { role_id, secret_id, mount } => login(role_id, secret_id, mount, transport).await,
        }
    }

    async fn renewed(&self, session: &Session, transport: &Transport) -> Result<Session, StoreTrouble> {
        let from = Instant::now();
        let mut next = None;
        if session.lease.is_some_and(|lease| lease.renewable) {
            let answer = renew(&session.token, transport).await?;
            next = auth_of(&answer);
            if next.is_none() && !is_refusal(&answer) {
                return Err(trouble(&answer, "renewing the token"));
            }
        }
        let lease = next.and_then(|auth| lease(&auth, from, session.lease.map(|lease| lease.full)));
        let lasting = lease.is_some_and(|lease| lease.length >= lease.full / 2);
        match &self.auth {
            Login::Token(token) => Ok(Session { token: token.clone(), lease }),
            Login::AppRole { .. } if lasting => Ok(Session { token: session.token.clone(), lease }),
            Login::AppRole { role_id, secret_id, mount } => login(role_id, secret_id, mount, transport).await,
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
    Ok(Session { token, lease: lease(&auth, from, None) })
}

async fn renew(token: &HeaderValue, transport: &Transport) -> Result<Answer, StoreTrouble> {
    transport.send(&RenewTokenSelfRequest::default(), Some(token)).await.map_err(unreachable)
}

fn unreachable(failed: NoAnswer) -> StoreTrouble {
    match failed {
        NoAnswer::NotSent(why) | NoAnswer::Lost(why) => StoreTrouble::Unreachable(why),
    }
}

/// 400 is *not renewable*, 403 a policy without `renew-self`, or a dead token.
fn is_refusal(answer: &Answer) -> bool {
    matches!(answer.status, 400 | 403)
}

fn auth_of(answer: &Answer) -> Option<AuthInfo> {
    if answer.status != 200 {
        return None;
    }
    serde_json::from_slice::<EndpointResult<serde_json::Value>>(&answer.body).ok()?.auth
}

fn lease(auth: &AuthInfo, from: Instant, full: Option<Duration>) -> Option<Lease> {
    let length = Duration::from_secs(auth.lease_duration);
    let endless = length.is_zero();
    (!endless).then(|| Lease { from, length, full: full.unwrap_or(length), renewable: auth.renewable })
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
        let minute = Duration::from_secs(60);
        assert!(lease(&auth(0), now, None).is_none());
        assert!(!lease(&auth(90), now, None).unwrap().is_due());
        assert!(lease(&auth(90), now.checked_sub(minute).unwrap(), None).unwrap().is_due());
    }
}
