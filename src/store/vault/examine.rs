//! What an operator asks before the first rotation: which node answers, how long the token lives, what it may do and
//! how the mount is set. It reads only, and judges nothing.

use super::{Answer, Failed, NoAnswer, Vault, answer};
use crate::domain::{StoreTrouble, Timestamp};
use rustify::{
    endpoint::Endpoint,
    enums::{RequestMethod, RequestType, ResponseType},
    errors::ClientError,
};
use serde::Deserialize;
use std::collections::BTreeMap;
use vaultrs::api::{
    kv2::{
        requests::{ReadConfigurationRequest, ReadSecretMetadataRequest},
        responses::{ReadConfigurationResponse, ReadSecretMetadataResponse},
    },
    token::requests::{LookupTokenSelfRequest, RevokeTokenSelfRequest},
};

/// A node, as `sys/health` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub address: String,
    pub version: String,
    pub active: bool,
    /// The node's clock.
    pub date: Option<Timestamp>,
}

/// The token that a login gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Seconds to its end; 0: it does not end.
    pub ttl_secs: u64,
    pub renewable: bool,
    pub policies: Vec<String>,
    /// How often it may still be used; 0: without a limit.
    pub uses_left: u64,
}

/// How versions are kept, at a mount or at one path (where 0 and an empty time mean: as the mount has it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    pub max_versions: u64,
    /// `0s`: never.
    pub delete_version_after: String,
}

impl Vault {
    /// The node that is active, asked without a token; another where none is.
    pub async fn node(&self) -> Result<Node, StoreTrouble> {
        self.shown(self.transport.health().await)
    }

    /// Each configured node, by its address.
    pub async fn nodes(&self) -> Vec<(String, Result<Node, StoreTrouble>)> {
        let mut nodes = Vec::new();
        for node in 0..self.transport.nodes() {
            let answer = self.transport.health_of(node).await;
            nodes.push((self.transport.address(node), self.shown(answer)));
        }
        nodes
    }

    fn shown(&self, answer: Result<Answer, NoAnswer>) -> Result<Node, StoreTrouble> {
        #[derive(Default, Deserialize)]
        struct Health {
            #[serde(default)]
            standby: bool,
            #[serde(default)]
            version: String,
        }
        let answer = answer.map_err(NoAnswer::into_trouble)?;
        answer::health(&answer)?;
        let Health { standby, version } = serde_json::from_slice(&answer.body).unwrap_or_default();
        let address = self.transport.address(answer.node);
        Ok(Node { address, version, active: !standby, date: answer.date })
    }

    /// Logs in where that is needed, and looks at the token.
    pub async fn token(&self) -> Result<Token, StoreTrouble> {
        #[derive(Deserialize)]
        struct Looked {
            ttl: u64,
            #[serde(default)]
            renewable: Option<bool>,
            #[serde(default)]
            policies: Vec<String>,
            #[serde(default)]
            num_uses: u64,
        }
        let doing = "looking at its own token (auth/token/lookup-self)";
        let looked: Looked = self.ask(&LookupTokenSelfRequest::default(), doing).await?;
        Ok(Token {
            ttl_secs: looked.ttl,
            renewable: looked.renewable.unwrap_or(false),
            policies: looked.policies,
            uses_left: looked.num_uses,
        })
    }

    /// What the token may do, by path (as the API has it: `secret/data/vendors/leaf7/main`).
    pub async fn capabilities(
        &self,
        paths: &[String],
    ) -> Result<BTreeMap<String, Vec<String>>, StoreTrouble> {
        let mut answers: BTreeMap<String, serde_json::Value> = self
            .ask(&CapabilitiesSelf { paths }, "asking for its own rights (sys/capabilities-self)")
            .await?;
        let mut of = |path: &String| {
            let words = serde_json::from_value(answers.remove(path)?).ok()?;
            Some((path.clone(), words))
        };
        Ok(paths.iter().filter_map(&mut of).collect())
    }

    /// How the mount keeps versions; `None` where the token may not see it.
    pub async fn mount_keeping(&self, mount: &str) -> Result<Option<Keeping>, StoreTrouble> {
        let request = ReadConfigurationRequest { mount: mount.to_owned() };
        let found: Result<ReadConfigurationResponse, _> =
            self.ask(&request, &format!("reading {mount}/config")).await;
        allowed(found.map(|found| Keeping {
            max_versions: found.max_versions,
            delete_version_after: found.delete_version_after,
        }))
    }

    /// How the versions at one path are kept; `None` where nothing is there, or the token may not see it.
    pub async fn path_keeping(&self, mount: &str, path: &str) -> Result<Option<Keeping>, StoreTrouble> {
        let request = ReadSecretMetadataRequest { mount: mount.to_owned(), path: path.to_owned() };
        let doing = format!("reading {mount}/metadata/{path}");
        let answer = self.call(&request).await.map_err(trouble)?;
        if answer.status == 404 {
            return Ok(None);
        }
        let found = answer::data::<ReadSecretMetadataResponse>(&answer);
        let found = found.ok_or_else(|| answer::trouble(&answer, &doing));
        allowed(found.map(|found| Keeping {
            max_versions: found.max_versions,
            delete_version_after: found.delete_version_after,
        }))
    }

    /// Gives back the token of a login, which would live on at the server. A token that was configured is somebody's.
    pub async fn leave(&self) {
        if self.sessions.are_logins() {
            // One that cannot be revoked ends by itself.
            let _ = self.call(&RevokeTokenSelfRequest::default()).await;
        }
    }

    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        request: &impl Endpoint,
        doing: &str,
    ) -> Result<T, StoreTrouble> {
        let answer = self.call(request).await.map_err(trouble)?;
        answer::data(&answer).filter(|_| answer.status == 200).ok_or_else(|| answer::trouble(&answer, doing))
    }
}

fn trouble(failed: Failed) -> StoreTrouble {
    match failed {
        Failed::NotSent(trouble) => trouble,
        Failed::Lost(why) => StoreTrouble::Unreachable(why),
    }
}

fn allowed<T>(found: Result<T, StoreTrouble>) -> Result<Option<T>, StoreTrouble> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(StoreTrouble::Forbidden(_)) => Ok(None),
        Err(
            other @ (StoreTrouble::Unreachable(_)
            | StoreTrouble::Untrusted(_)
            | StoreTrouble::Sealed
            | StoreTrouble::LoggedOut(_)
            | StoreTrouble::Refused(_)),
        ) => Err(other),
    }
}

/// `sys/capabilities-self`, which vaultrs does not have.
#[derive(Debug)]
struct CapabilitiesSelf<'a> {
    paths: &'a [String],
}

impl Endpoint for CapabilitiesSelf<'_> {
    type Response = serde_json::Value;
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;
    fn path(&self) -> String {
        "sys/capabilities-self".into()
    }
    fn method(&self) -> RequestMethod {
        RequestMethod::POST
    }
    fn body(&self) -> Result<Option<Vec<u8>>, ClientError> {
        Ok(serde_json::to_vec(&serde_json::json!({"paths": self.paths})).ok())
    }
}
