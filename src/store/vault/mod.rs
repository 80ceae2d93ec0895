//! Adapter: Vault and OpenBao, KV version 2, one address. The requests are vaultrs'; they travel over a client of our
//! own, because vaultrs' follows redirects with the token, takes answers of any size, and puts bodies into its errors.

mod answer;
mod examine;
mod session;
mod transport;

use super::{Document, Fields, Read, fields};
use crate::domain::{Limits, Secret, StoreTrouble, Timestamp, WriteOutcome};
pub use examine::{Keeping, Node, Token};
use rustify::endpoint::Endpoint;
use session::Sessions;
use std::path::PathBuf;
use transport::{Answer, NoAnswer, Transport};
use vaultrs::api::kv2::requests::{ReadSecretRequest, SetSecretRequest, SetSecretRequestOptions};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `https://host:port`; plain `http` only to loopback.
    pub address: String,
    pub namespace: String,
    pub ca_cert: Option<PathBuf>,
    /// The KV v2 mount.
    pub mount: String,
    pub auth: Auth,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    Token(Secret),
    AppRole { role_id: String, secret_id: Secret, mount: String },
}

/// A logged-in client; it logs in with its first call.
pub struct Vault {
    address: String,
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
            NoAnswer::NotSent(why) => Failed::NotSent(StoreTrouble::Unreachable(why)),
            NoAnswer::Lost(why) => Failed::Lost(why),
        }
    }
}

impl Vault {
    pub fn open(settings: &Settings, limits: &Limits) -> Result<Self, String> {
        Ok(Self {
            address: settings.address.clone(),
            mount: settings.mount.clone(),
            transport: Transport::new(settings, limits)?,
            sessions: Sessions::new(&settings.auth)?,
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

    pub async fn health(&self) -> Result<Option<Timestamp>, StoreTrouble> {
        let answer = match self.transport.health().await {
            Ok(answer) => answer,
            Err(NoAnswer::NotSent(why) | NoAnswer::Lost(why)) => return Err(StoreTrouble::Unreachable(why)),
        };
        answer::health(&answer)?;
        self.sessions.current(&self.transport).await?;
        Ok(answer.date)
    }

    /// One request, with one new login where the token that came from a login is refused.
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
