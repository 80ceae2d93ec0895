//! `store` and `spool`.

use super::values::{OneOrList, Reference, exclusive};
use schemars::JsonSchema;

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = exclusive(&["vault", "local"]))]
pub struct Store {
    /// Vault or OpenBao, KV version 2.
    pub vault: Option<Vault>,
    /// Without Vault: an encrypted database of keyrelay's own. No consumer can read or report there.
    pub local: Option<Local>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Vault {
    /// https://HOST:PORT of one node, or a list of the cluster's.
    pub address: Option<OneOrList>,
    /// Vault's namespace; Vault Enterprise and OpenBao have them.
    pub namespace: Option<String>,
    /// A PEM file: trust these authorities alone. Default: the system's.
    pub ca_cert: Option<String>,
    /// The KV version 2 engine. Default: secret.
    pub mount: Option<String>,
    /// Where keyrelay keeps its own documents, on the same mount; no key may lie under it. Default: keyrelay.
    pub state_path: Option<String>,
    /// How to log in; exactly one.
    pub auth: Option<Auth>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, transform = exclusive(&["token", "approle", "kubernetes", "cert"]))]
pub struct Auth {
    pub token: Option<Reference>,
    pub approle: Option<AppRole>,
    /// With a pod's service account.
    pub kubernetes: Option<Kubernetes>,
    /// With a client certificate, which needs TLS all the way to the store.
    pub cert: Option<Cert>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct AppRole {
    pub role_id: Option<String>,
    pub secret_id: Option<Reference>,
    /// Where the method is mounted. Default: approle.
    pub mount: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Kubernetes {
    pub role: Option<String>,
    /// The service account's token, read again at each login.
    pub jwt: Option<Reference>,
    /// Where the method is mounted. Default: kubernetes.
    pub mount: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Cert {
    /// A PEM file: the certificate, its chain behind it. Read again at each login.
    pub cert: Option<String>,
    pub key: Option<Reference>,
    /// The role at the store. Default: whichever fits the certificate.
    pub name: Option<String>,
    /// Where the method is mounted. Default: cert.
    pub mount: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Local {
    /// Default: the folder store in $STATE_DIRECTORY.
    pub dir: Option<String>,
    /// 32 random bytes in base64: head -c 32 /dev/urandom | base64.
    pub master_key: Option<Reference>,
}

#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Spool {
    /// Default: the folder spool in $STATE_DIRECTORY.
    pub dir: Option<String>,
    /// 32 random bytes in base64. Default: one is generated beside the spool.
    pub key: Option<Reference>,
}
