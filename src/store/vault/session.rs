//! The token in use: when it is renewed, when a new one is fetched. One login or renewal at a time; calls that need it
//! wait for it.

use super::{
    Auth,
    answer::{is_of_dead_token, trouble},
    failure::NoAnswer,
    lease::Lease,
    life,
    login::{Material, Session, auth_of, header},
    transport::Transport,
};
use crate::domain::{Ending, Limits, LoginPart, StoreTrouble};
use reqwest::header::HeaderValue;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::Mutex;
use vaultrs::api::token::requests::{LookupTokenSelfRequest, RenewTokenSelfRequest, RevokeTokenSelfRequest};

pub(super) struct Sessions {
    auth: Auth,
    /// What was refused is not shown again before this: stores lock out who is refused too often.
    refused_rest: Duration,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<Arc<Session>>,
    refused: Option<Refused>,
}

/// A login that was refused, and what it showed.
struct Refused {
    material: Option<Material>,
    why: String,
    at: Instant,
}

impl Sessions {
    pub fn new(auth: &Auth, limits: &Limits) -> Result<Self, String> {
        auth.check()?;
        Ok(Self { auth: auth.clone(), refused_rest: limits.backoff_cap_max, state: Mutex::default() })
    }

    /// Whether tokens come from logins of our own.
    pub fn are_logins(&self) -> bool {
        match self.auth {
            Auth::Token(_) => false,
            Auth::AppRole { .. } | Auth::Kubernetes { .. } | Auth::Cert { .. } => true,
        }
    }

    /// A session that is good as far as is known: logs in, or renews, where that is due.
    pub async fn current(&self, transport: &Transport) -> Result<Arc<Session>, StoreTrouble> {
        let mut state = self.state.lock().await;
        self.current_in(&mut state, transport).await
    }

    /// The same, after a look whether somebody has put another token, or a login that works, in place of what was there.
    pub async fn looked_after(&self, transport: &Transport) -> Result<Arc<Session>, StoreTrouble> {
        let mut state = self.state.lock().await;
        if let (Some(_), Some(old)) = (&state.refused, state.session.clone())
            && self.login(&mut state, transport).await.is_ok()
        {
            revoke(&old, transport).await;
        }
        if let (Auth::Token(_), Some(session)) = (&self.auth, &state.session)
            && let Some(newer) = self.token_in_place_of(&session.token)
        {
            state.session = Some(Arc::new(Session::begun(newer, Some(Lease::DUE))));
        }
        self.current_in(&mut state, transport).await
    }

    /// Another session in place of one whose token was refused; `None` where that token lives, and may just not do what
    /// was asked.
    pub async fn instead_of(
        &self,
        refused: &Arc<Session>,
        transport: &Transport,
    ) -> Result<Option<Arc<Session>>, StoreTrouble> {
        let mut state = self.state.lock().await;
        if let Some(newer) = state.session.as_ref().filter(|session| !Arc::ptr_eq(session, refused)) {
            return Ok(Some(newer.clone()));
        }
        match &self.auth {
            Auth::Token(_) => match self.token_in_place_of(&refused.token) {
                Some(newer) => {
                    state.session = Some(Arc::new(Session::begun(newer, Some(Lease::DUE))));
                    self.current_in(&mut state, transport).await.map(Some)
                }
                None if is_dead(&refused.token, transport).await? => Err(dead()),
                None => Ok(None),
            },
            Auth::AppRole { .. } | Auth::Kubernetes { .. } | Auth::Cert { .. } => {
                match self.login(&mut state, transport).await {
                    Ok(session) => {
                        revoke(refused, transport).await;
                        Ok(Some(session))
                    }
                    Err(StoreTrouble::LoggedOut(why)) => match is_dead(&refused.token, transport).await? {
                        true => Err(StoreTrouble::LoggedOut(why)),
                        false => Ok(None),
                    },
                    Err(trouble) => Err(trouble),
                }
            }
        }
    }

    /// What of the login ends. An error: the token in use is dead.
    pub async fn endings(
        &self,
        session: &Session,
        transport: &Transport,
    ) -> Result<Vec<Ending>, StoreTrouble> {
        let mut endings = life::endings(&self.auth, session, transport).await?;
        if let Some(refused) = &self.state.lock().await.refused {
            endings.push(Ending {
                part: LoginPart::Login,
                from: Some(session.began),
                until: session.ends_at(),
                uses_left: None,
                lost: Some(refused.why.clone()),
            });
        }
        Ok(endings)
    }

    async fn current_in(
        &self,
        state: &mut State,
        transport: &Transport,
    ) -> Result<Arc<Session>, StoreTrouble> {
        let session = match &state.session {
            Some(session) => session.clone(),
            None => self.login(state, transport).await?,
        };
        let Some(lease) = session.lease.filter(|lease| lease.is_due()) else { return Ok(session) };
        let given = matches!(self.auth, Auth::Token(_));
        let renewal = match lease.is_renewable() {
            true => renew(&session.token, lease, transport).await?,
            false => Renewal::Never,
        };
        let lease = match renewal {
            Renewal::Lease(next) if given || next.is_none_or(Lease::is_lasting) => next,
            Renewal::Never if given => Some(lease.never_due()),
            Renewal::NotNow if given => Some(lease.due_later()),
            Renewal::Lease(_) | Renewal::Never | Renewal::NotNow => {
                match self.login(state, transport).await {
                    // The old token is good for a while, and health tells of it.
                    Err(_) if !lease.is_over() => Some(lease.due_later()),
                    other => return other,
                }
            }
        };
        Ok(state.session.insert(Arc::new(session.with(lease))).clone())
    }

    /// A new login. What was refused a short while ago is shown again only when it is something else by now.
    async fn login(&self, state: &mut State, transport: &Transport) -> Result<Arc<Session>, StoreTrouble> {
        let material = self.auth.material();
        if let Some(refused) = &state.refused
            && refused.at.elapsed() < self.refused_rest
            && material.as_ref().ok() == refused.material.as_ref()
        {
            return Err(StoreTrouble::LoggedOut(refused.why.clone()));
        }
        let outcome = match &material {
            Ok(material) => self.auth.login(material, transport).await,
            Err(trouble) => Err(trouble.clone()),
        };
        match outcome {
            Ok(session) => {
                state.refused = None;
                Ok(state.session.insert(Arc::new(session)).clone())
            }
            Err(StoreTrouble::LoggedOut(why)) => {
                state.refused =
                    Some(Refused { material: material.ok(), why: why.clone(), at: Instant::now() });
                Err(StoreTrouble::LoggedOut(why))
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// What the given token's file holds by now, if that is another one.
    fn token_in_place_of(&self, token: &HeaderValue) -> Option<HeaderValue> {
        let now = header(&self.auth.material().ok()?)?;
        (now != *token).then_some(now)
    }
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

async fn renew(token: &HeaderValue, former: Lease, transport: &Transport) -> Result<Renewal, StoreTrouble> {
    let from = Instant::now();
    let renewal = RenewTokenSelfRequest::default();
    let answer = transport.send(&renewal, Some(token)).await.map_err(NoAnswer::into_trouble)?;
    if let Some(auth) = auth_of(&answer) {
        return Ok(Renewal::Lease(Lease::of(&auth, from, Some(former))));
    }
    match trouble(&answer, "renewing the token") {
        away @ (StoreTrouble::Sealed | StoreTrouble::Unreachable(_) | StoreTrouble::Untrusted(_)) => {
            Err(away)
        }
        StoreTrouble::Forbidden(_) | StoreTrouble::LoggedOut(_) => Ok(Renewal::Never),
        StoreTrouble::Refused(_) if answer.status == 400 => Ok(Renewal::Never),
        StoreTrouble::Refused(_) => Ok(Renewal::NotNow),
    }
}

/// A token that is no longer used may be good, and would live on for days. Whether it could be revoked matters to
/// nobody: a dead one cannot.
async fn revoke(session: &Session, transport: &Transport) {
    let _ = transport.send(&RevokeTokenSelfRequest::default(), Some(&session.token)).await;
}

/// Whether the store says that it does not know the token.
async fn is_dead(token: &HeaderValue, transport: &Transport) -> Result<bool, StoreTrouble> {
    let look = LookupTokenSelfRequest::default();
    let answer = transport.send(&look, Some(token)).await.map_err(NoAnswer::into_trouble)?;
    Ok(is_of_dead_token(&answer))
}

pub(super) fn dead() -> StoreTrouble {
    StoreTrouble::LoggedOut("it does not know the token: that has ended or was revoked".to_owned())
}
