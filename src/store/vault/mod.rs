//! Adapter: Vault and OpenBao, KV version 2, one cluster of one or more nodes. The requests are vaultrs'; they travel
//! over a client of our own, because vaultrs' follows redirects with the token, takes answers of any size, and puts
//! bodies into its errors.

mod answer;
mod client;
mod examine;
mod failure;
mod lease;
mod life;
mod login;
mod nodes;
mod session;
mod transport;

use super::{Document, Fields, Read, fields};
use crate::{
    at_rest::LiveSecret,
    domain::{Limits, StoreFacts, StoreTrouble, WriteOutcome},
};
pub use examine::{Keeping, Node, Token};
use failure::NoAnswer;
use rustify::endpoint::Endpoint;
use session::Sessions;
use std::path::PathBuf;
use transport::{Answer, Transport};
use vaultrs::api::kv2::requests::{ReadSecretRequest, SetSecretRequest, SetSecretRequestOptions};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `https://host:port` of each node, or of what stands before them; plain `http` only to loopback.
    pub nodes: Vec<String>,
    /// `team/payments`; empty: the one at the top.
    pub namespace: String,
    pub ca_cert: Option<PathBuf>,
    /// The KV v2 mount.
    pub mount: String,
    pub auth: Auth,
}

/// How keyrelay logs in. A secret is read again at each login: somebody else may have rotated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    Token(LiveSecret),
    AppRole {
        role_id: String,
        secret_id: LiveSecret,
        mount: String,
    },
    Kubernetes {
        role: String,
        jwt: LiveSecret,
        mount: String,
    },
    /// `cert`: a PEM file. `name`: the role at the store; `None`: whichever fits.
    Cert {
        cert: PathBuf,
        key: LiveSecret,
        name: Option<String>,
        mount: String,
    },
}

impl Auth {
    /// From here on with the secrets that were read by now.
    pub fn fix_secrets(&mut self) {
        match self {
            Self::Token(secret)
            | Self::AppRole { secret_id: secret, .. }
            | Self::Kubernetes { jwt: secret, .. }
            | Self::Cert { key: secret, .. } => secret.fix(),
        }
    }
}

/// A logged-in client; it logs in with its first call.
pub struct Vault {
    mount: String,
    transport: Transport,
    sessions: Sessions,
}

/// Why a call has no answer to look at.
enum Failed {
    /// The request was not sent, or the login before it failed.
    NotSent(StoreTrouble),
    /// The request was sent, and its answer lost.
    Lost(String),
}

impl From<NoAnswer> for Failed {
    fn from(failed: NoAnswer) -> Self {
        match failed {
            NoAnswer::Lost(why) => Failed::Lost(why),
            not_sent @ (NoAnswer::NotSent(_) | NoAnswer::Untrusted(_) | NoAnswer::Sealed) => {
                Failed::NotSent(not_sent.into_trouble())
            }
        }
    }
}

impl Vault {
    pub fn open(settings: &Settings, limits: &Limits) -> Result<Self, String> {
        Ok(Self {
            mount: settings.mount.clone(),
            transport: Transport::new(settings, limits)?,
            sessions: Sessions::new(&settings.auth, limits)?,
        })
    }

    pub async fn read(&self, mount: Option<&str>, path: &str) -> Read {
        let mount = mount.unwrap_or(&self.mount);
        if let Err(trouble) = plain(mount, path) {
            return Read::Failed(trouble);
        }
        let request = ReadSecretRequest { mount: mount.to_owned(), path: path.to_owned(), version: None };
        match self.call(&request).await {
            Ok(answer) => answer::read(&answer, &format!("reading {mount}/data/{path}")),
            Err(Failed::NotSent(trouble)) => Read::Failed(trouble),
            Err(Failed::Lost(why)) => Read::Failed(StoreTrouble::Unreachable(why)),
        }
    }

    pub async fn write(&self, mount: Option<&str>, path: &str, data: &Fields, cas: u64) -> WriteOutcome {
        let Ok(cas) = u32::try_from(cas) else {
            return WriteOutcome::Failed(StoreTrouble::Refused(format!(
                "{path}: no version is as high as {cas}"
            )));
        };
        let mount = mount.unwrap_or(&self.mount);
        if let Err(trouble) = plain(mount, path) {
            return WriteOutcome::Failed(trouble);
        }
        let mut request = SetSecretRequest {
            mount: mount.to_owned(),
            path: path.to_owned(),
            data: data.to_json(),
            options: Some(SetSecretRequestOptions { cas }),
        };
        let result = self.call(&request).await;
        fields::wipe(&mut request.data);
        match result {
            Ok(answer) => answer::write(&answer, &format!("writing {mount}/data/{path}")),
            Err(Failed::NotSent(trouble)) => WriteOutcome::Failed(trouble),
            Err(Failed::Lost(why)) => WriteOutcome::Unknown(why),
        }
    }

    /// Looks for the active node, renews the login where that is due, and says what of it ends.
    pub async fn health(&self) -> Result<StoreFacts, StoreTrouble> {
        let answer = self.transport.health().await.map_err(NoAnswer::into_trouble)?;
        answer::health(&answer)?;
        let session = self.sessions.looked_after(&self.transport).await?;
        let endings = self.sessions.endings(&session, &self.transport).await?;
        Ok(StoreFacts { time: answer.date, renew_in: session.renew_in(), endings })
    }

    /// One request, with one new login where the token is refused.
    async fn call(&self, request: &impl Endpoint) -> Result<Answer, Failed> {
        let session = self.sessions.current(&self.transport).await.map_err(Failed::NotSent)?;
        let answer = self.transport.send(request, Some(&session.token)).await?;
        if answer.status != 403 {
            return Ok(answer);
        }
        match self.sessions.instead_of(&session, &self.transport).await.map_err(Failed::NotSent)? {
            Some(newer) => Ok(self.transport.send(request, Some(&newer.token)).await?),
            None => Ok(answer),
        }
    }
}

/// URLs resolve `.` and `..`, and servers join what an empty part keeps apart: such a path would be another one.
fn plain(mount: &str, path: &str) -> Result<(), StoreTrouble> {
    let bad = mount.split('/').chain(path.split('/')).any(|part| matches!(part, "" | "." | ".."));
    if bad { Err(StoreTrouble::Refused(format!("{mount}/data/{path} is not a path"))) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_a_url_would_bend_is_refused() {
        assert_eq!(plain("secret", "vendors/leaf7/main"), Ok(()));
        assert_eq!(plain("team/kv", "a b/..c"), Ok(()));
        for path in ["", "/a", "a/", "a//b", "../a", "a/./b"] {
            let refused = StoreTrouble::Refused(format!("secret/data/{path} is not a path"));
            assert_eq!(plain("secret", path), Err(refused));
        }
    }
}
