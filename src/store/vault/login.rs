//! The ways in: what each shows to the store, and what a login gives.

use super::{
    Auth,
    answer::trouble,
    lease::Lease,
    transport::{Answer, Transport},
};
use crate::{
    at_rest::LiveSecret,
    domain::{StoreTrouble, Timestamp},
};
use reqwest::header::HeaderValue;
use rustify::{
    endpoint::Endpoint,
    enums::{RequestMethod, RequestType, ResponseType},
    errors::ClientError,
};
use serde_json::json;
use std::{
    fs,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use vaultrs::api::{
    AuthInfo, EndpointResult,
    auth::{approle::requests::LoginWithApproleRequest, kubernetes::requests::LoginWithKubernetesRequest},
};
use zeroize::{Zeroize, Zeroizing};

/// One token and what is known of it.
pub(super) struct Session {
    pub token: HeaderValue,
    /// `None`: it does not end.
    pub lease: Option<Lease>,
    /// When keyrelay began to use it.
    pub began: Timestamp,
    /// The AppRole's name, which a login tells, as long as the policy is not known to forbid questions about it.
    pub role_name: Mutex<Option<String>>,
}

impl Session {
    pub fn begun(token: HeaderValue, lease: Option<Lease>) -> Self {
        Self { token, lease, began: SystemTime::now().into(), role_name: Mutex::default() }
    }
    /// The same token after a renewal, or without one.
    pub fn with(&self, lease: Option<Lease>) -> Self {
        let role_name = Mutex::new(self.role_name().clone());
        Self { token: self.token.clone(), lease, began: self.began, role_name }
    }
    pub fn role_name(&self) -> MutexGuard<'_, Option<String>> {
        self.role_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
    pub fn renew_in(&self) -> Option<Duration> {
        self.lease?.due_in()
    }
    pub fn ends_at(&self) -> Option<Timestamp> {
        Some(Timestamp::from(SystemTime::now()) + self.lease?.left()?)
    }
}

/// What a login shows, as it is on disk now.
pub(super) type Material = Zeroizing<String>;

impl Auth {
    /// What cannot work is refused before the first call; the error names the key and never the secret.
    pub(super) fn check(&self) -> Result<(), String> {
        let (key, secret) = match self {
            Auth::Token(token) => ("token", token),
            Auth::AppRole { secret_id, .. } => ("approle.secret_id", secret_id),
            Auth::Kubernetes { jwt, .. } => ("kubernetes.jwt", jwt),
            Auth::Cert { key, .. } => ("cert.key", key),
        };
        let text = secret.first().expose();
        if text.trim().is_empty() {
            return Err(format!("store.vault.auth.{key}: it is missing or empty"));
        }
        match self {
            Auth::Token(_) if header(text).is_none() => {
                Err(format!("store.vault.auth.{key}: it holds a character that no token has"))
            }
            Auth::Token(_) | Auth::AppRole { .. } | Auth::Kubernetes { .. } | Auth::Cert { .. } => Ok(()),
        }
    }

    pub(super) fn material(&self) -> Result<Material, StoreTrouble> {
        let now = |secret: &LiveSecret| {
            let secret = secret.now().map_err(|why| self.unusable(&why))?;
            Ok(Zeroizing::new(secret.expose().trim().to_owned()))
        };
        match self {
            Auth::Token(secret)
            | Auth::AppRole { secret_id: secret, .. }
            | Auth::Kubernetes { jwt: secret, .. } => now(secret),
            Auth::Cert { cert, key, .. } => {
                let read = fs::read_to_string(cert);
                let certificate =
                    read.map_err(|error| self.unusable(&format!("{}: {error}", cert.display())))?;
                Ok(Zeroizing::new(format!("{certificate}\n{}\n", now(key)?.as_str())))
            }
        }
    }

    /// A token out of what was shown. A given token is itself what is shown.
    pub(super) async fn login(
        &self,
        material: &Material,
        transport: &Transport,
    ) -> Result<Session, StoreTrouble> {
        match self {
            Auth::Token(_) => {
                let unfit = "the token holds a character that no token has";
                let token = header(material).ok_or_else(|| self.unusable(unfit))?;
                Ok(Session::begun(token, Some(Lease::DUE)))
            }
            Auth::AppRole { role_id, mount, .. } => {
                let mut request = LoginWithApproleRequest {
                    mount: mount.clone(),
                    role_id: role_id.trim().to_owned(),
                    secret_id: material.to_string(),
                };
                let session = ask(&request, mount, transport).await;
                request.secret_id.zeroize();
                session
            }
            Auth::Kubernetes { role, mount, .. } => {
                let mut request = LoginWithKubernetesRequest {
                    mount: mount.clone(),
                    role: role.trim().to_owned(),
                    jwt: material.to_string(),
                };
                let session = ask(&request, mount, transport).await;
                request.jwt.zeroize();
                session
            }
            Auth::Cert { cert, name, mount, .. } => {
                let shown = transport.show(material);
                shown.map_err(|why| self.unusable(&format!("{}: {why}", cert.display())))?;
                let (mount, name) = (mount.clone(), name.clone());
                ask(&CertLogin { mount: mount.clone(), name }, &mount, transport).await
            }
        }
    }

    fn unusable(&self, why: &str) -> StoreTrouble {
        StoreTrouble::LoggedOut(why.to_owned())
    }
}

async fn ask(request: &impl Endpoint, mount: &str, transport: &Transport) -> Result<Session, StoreTrouble> {
    let from = Instant::now();
    let answer = transport.send(request, None).await.map_err(super::NoAnswer::into_trouble)?;
    let doing = format!("logging in at auth/{mount}");
    let mut auth = match auth_of(&answer) {
        Some(auth) => auth,
        None if answer.status == 200 => {
            return Err(StoreTrouble::LoggedOut(format!("{doing}: the answer makes no sense")));
        }
        None => return Err(refusal(&answer, &doing)),
    };
    let token = header(&auth.client_token);
    auth.client_token.zeroize();
    let token =
        token.ok_or_else(|| StoreTrouble::LoggedOut(format!("{doing}: the answer holds no token")))?;
    let role_name = Mutex::new(auth.metadata.as_ref().and_then(|known| known.get("role_name").cloned()));
    Ok(Session { role_name, ..Session::begun(token, Lease::of(&auth, from, None)) })
}

/// The login with what TLS has shown. vaultrs' own calls the role `cert_name`, which no store knows.
struct CertLogin {
    mount: String,
    name: Option<String>,
}

impl Endpoint for CertLogin {
    type Response = ();
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        format!("auth/{}/login", self.mount)
    }
    fn method(&self) -> RequestMethod {
        RequestMethod::POST
    }
    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        let body = self.name.as_ref().map_or(json!({}), |name| json!({"name": name}));
        Ok(Some(body.to_string().into_bytes()))
    }
}

/// Nothing works without a login, so whatever the store says to one is no single call's matter. One that it failed at
/// itself is no refusal.
fn refusal(answer: &Answer, doing: &str) -> StoreTrouble {
    match trouble(answer, doing) {
        StoreTrouble::Refused(why) if answer.status >= 500 => StoreTrouble::Unreachable(why),
        StoreTrouble::Refused(why) | StoreTrouble::Forbidden(why) => StoreTrouble::LoggedOut(why),
        other @ (StoreTrouble::Unreachable(_)
        | StoreTrouble::Untrusted(_)
        | StoreTrouble::Sealed
        | StoreTrouble::LoggedOut(_)) => other,
    }
}

pub(super) fn auth_of(answer: &Answer) -> Option<AuthInfo> {
    if answer.status != 200 {
        return None;
    }
    serde_json::from_slice::<EndpointResult<serde_json::Value>>(&answer.body).ok()?.auth
}

/// The token as a header that no debug output shows; `None` where it cannot be one.
pub(super) fn header(token: &str) -> Option<HeaderValue> {
    let token = token.trim();
    let mut value = HeaderValue::from_str(token).ok().filter(|_| !token.is_empty())?;
    value.set_sensitive(true);
    Some(value)
}
