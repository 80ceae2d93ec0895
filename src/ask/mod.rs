//! How a vendor is asked anything with a key: whom TLS trusts, where the request leads, how the key goes along. What is
//! asked, and what the answer means, is decided by who asks.

mod headers;
mod trouble;

pub use headers::{date, retry_after};
pub use trouble::name as name_trouble;

use crate::{domain::Key, http, vendor::Profile};
use reqwest::{
    Client, Method, RequestBuilder, Response, Url,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue},
};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};
use zeroize::Zeroizing;

/// A vendor that does not even accept a connection in this time is down (hard case H07).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a connection is kept for the next request: old and new key are asked together. Shorter than the five
/// seconds after which common servers hang up.
const KEPT_FOR: Duration = Duration::from_secs(3);

/// Follows no redirect, heeds no proxy variable, tries nothing twice; `kept` connections per host stay open for a while.
pub fn client(tls: ClientConfig, timeout: Duration, kept: usize) -> Result<Client, String> {
    // A name server must not be able to send what is meant for this machine to another one.
    let loopback =
        [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)].map(|ip| (ip, 0).into());
    http::client()
        .tls_backend_preconfigured(tls)
        .resolve_to_addrs("localhost", &loopback)
        .connect_timeout(CONNECT_TIMEOUT.min(timeout))
        .timeout(timeout)
        .http1_only()
        .pool_max_idle_per_host(kept)
        .pool_idle_timeout(KEPT_FOR)
        .build()
        .map_err(|_| "the HTTP client for vendors cannot be made".to_owned())
}

/// Where the machine trusts nobody (no certificate store is installed), https fails and says so, and http to
/// loopback still works: `keyrelay demo` needs nothing installed.
pub fn machines_trust() -> Result<ClientConfig, String> {
    let builder = || {
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("the TLS client for vendors cannot be made: {error}"))
    };
    let config = match builder()?.with_platform_verifier() {
        Ok(builder) => builder.with_no_client_auth(),
        Err(_) => builder()?.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
    };
    Ok(config)
}

/// A request to a vendor, with a key, ready to be sent.
pub struct Request {
    pub url: Url,
    method: Method,
    header: HeaderName,
    value: HeaderValue,
    json: Option<String>,
}

impl Request {
    /// The request to a path below `base_url`; or what is wrong with the profile. `what` names the path in words.
    pub fn new(profile: &Profile, key: &Key, method: Method, path: &str, what: &str) -> Result<Self, String> {
        let header = HeaderName::from_bytes(profile.probe.header.as_bytes())
            .map_err(|_| "probe.header of the vendor's profile is no header name".to_owned())?;
        let text = Zeroizing::new(format!("{}{}", profile.probe.scheme, key.expose()));
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| "probe.scheme of the vendor's profile cannot stand in a header".to_owned())?;
        value.set_sensitive(true);
        Ok(Self { url: url(profile, path, what)?, method, header, value, json: None })
    }
    pub fn json(self, json: Option<String>) -> Self {
        Self { json, ..self }
    }
    /// The host that it leads to.
    pub fn host(&self) -> String {
        self.url.host_str().unwrap_or_default().to_owned()
    }
    pub fn to_send(self, client: &Client) -> RequestBuilder {
        let asked = client
            .request(self.method, self.url)
            .header(self.header, self.value)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json");
        match self.json {
            Some(json) => asked.body(json),
            None => asked,
        }
    }
}

/// Never another origin, and never in clear over a network.
fn url(profile: &Profile, path: &str, what: &str) -> Result<Url, String> {
    let base = Url::parse(&profile.base_url).map_err(|_| "base_url of the vendor is no URL".to_owned())?;
    let url = Url::parse(&format!("{}{path}", profile.base_url.trim_end_matches('/')))
        .map_err(|_| format!("base_url and the path of {what} make no URL"))?;
    let has_login = !url.username().is_empty() || url.password().is_some();
    if url.origin() != base.origin() || has_login {
        return Err(format!("the path of {what} leads away from base_url"));
    }
    if !is_private(&url) {
        return Err("base_url of the vendor is not https, so the key is not sent".to_owned());
    }
    Ok(url)
}

/// Nobody on the way reads what is sent there.
pub fn is_private(url: &Url) -> bool {
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

/// The whole body. One that is too large is not judged by its beginning.
pub async fn whole_body(
    response: &mut Response,
    host: &str,
    bytes_max: usize,
    timeout: Duration,
) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| name_trouble(&error, host, timeout))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(format!("the answer of {host} is larger than {bytes_max} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
