//! The HTTP client: whom it trusts, and the certificate that it shows. It is made anew when that certificate is another
//! one.

use super::{Auth, Settings, failure::cause};
use crate::{domain::Limits, http};
use reqwest::{Certificate, Client, Identity};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
    time::Duration,
};
use zeroize::Zeroizing;

/// A host that does not take a connection within this is away; a store stands near.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a connection is kept for the next call. Its buffers hold what it has read last, an old key perhaps, until it
/// reads more or ends; calls of one rotation come within seconds.
const KEPT_FOR: Duration = Duration::from_secs(20);

pub(super) struct Clients {
    ca_cert: Option<PathBuf>,
    plain: bool,
    timeout: Duration,
    current: RwLock<Current>,
}

struct Current {
    client: Client,
    /// What is trusted, as PEM; `None`: what the system trusts.
    roots: Option<Vec<u8>>,
    /// Certificate and key as PEM; `None`: it shows none.
    identity: Option<Zeroizing<String>>,
}

impl Clients {
    /// A client certificate is shown from the first login on.
    pub fn new(settings: &Settings, limits: &Limits) -> Result<Self, String> {
        let plain = settings.nodes.iter().any(|node| node.starts_with("http:"));
        if plain && matches!(settings.auth, Auth::Cert { .. }) {
            return Err("store.vault.auth.cert: a certificate is shown over https only".to_owned());
        }
        let (ca_cert, timeout) = (settings.ca_cert.clone(), limits.request_timeout);
        let roots = ca_cert.as_deref().map(read).transpose()?;
        let client = client(roots.as_deref(), plain, timeout, None).map_err(|why| match &ca_cert {
            Some(path) => format!("{}: {why}", path.display()),
            None => why,
        })?;
        let current = RwLock::new(Current { client, roots, identity: None });
        Ok(Self { ca_cert, plain, timeout, current })
    }

    pub fn get(&self) -> Client {
        self.current.read().unwrap_or_else(PoisonError::into_inner).client.clone()
    }

    /// From now on this certificate is shown, with this key; both PEM in one text. The error holds neither.
    pub fn show(&self, identity: &Zeroizing<String>) -> Result<(), String> {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.identity.as_ref() != Some(identity) {
            current.client = client(current.roots.as_deref(), self.plain, self.timeout, Some(identity))?;
            current.identity = Some(identity.clone());
        }
        Ok(())
    }

    /// Trusts what the CA file holds by now. One that cannot be used is let be: somebody may be writing it.
    pub fn trust_anew(&self) {
        let Some(roots) = self.ca_cert.as_deref().and_then(|path| read(path).ok()) else { return };
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.roots.as_ref() == Some(&roots) {
            return;
        }
        if let Ok(client) = client(Some(&roots), self.plain, self.timeout, current.identity.as_ref()) {
            (current.client, current.roots) = (client, Some(roots));
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn client(
    roots: Option<&[u8]>,
    plain: bool,
    timeout: Duration,
    identity: Option<&Zeroizing<String>>,
) -> Result<Client, String> {
    let mut builder = http::client()
        .https_only(!plain)
        .tcp_nodelay(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(KEPT_FOR)
        .timeout(timeout);
    if let Some(pem) = roots {
        let certificates = Certificate::from_pem_bundle(pem).unwrap_or_default();
        if certificates.is_empty() {
            return Err("it holds no certificate (PEM)".to_owned());
        }
        builder = builder.tls_certs_only(certificates);
    } else if plain {
        builder = builder.tls_certs_only([]);
    }
    if let Some(pem) = identity {
        let unfit = |_| "certificate and key cannot be read as PEM".to_owned();
        builder = builder.identity(Identity::from_pem(pem.as_bytes()).map_err(unfit)?);
    }
    builder.build().map_err(|error| match identity.is_some() {
        // The text of a key that does not parse is not for an error.
        true => "the key does not belong to the certificate, or is of no known kind".to_owned(),
        false => format!("no TLS for the store: {}", cause(&error)),
    })
}
