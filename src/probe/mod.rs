//! Adapter: asks a vendor whether a key works. Owns the request and what its answer means; a profile says how both
//! look. It refuses to know what follows from a verdict, and asks once: when to ask again is decided elsewhere.

mod control;
mod headers;
pub mod trouble;

#[cfg(test)]
pub(crate) mod tests;

pub use control::random_like;
pub use headers::{date, retry_after};

use crate::domain::{Key, Limits, ProbeAnswer, Timestamp};
use crate::http;
use crate::vendor::{Profile, classify};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Method, Response, StatusCode, Url};
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use zeroize::Zeroizing;

/// A vendor that does not even accept a connection in this time is down (hard case H07).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a connection is kept for the next request: old and new key are asked together. Shorter than the five
/// seconds after which common servers hang up.
const KEPT_FOR: Duration = Duration::from_secs(3);

/// Sends probes. Nothing outside the profile leads it elsewhere: it follows no redirect and heeds no proxy variable,
/// and its answers come as they were sent (nothing is decompressed).
pub struct Prober {
    kept: Client,
    fresh: Client,
    timeout: Duration,
    answer_bytes_max: usize,
}

impl Prober {
    /// Trusts the certificates that the machine trusts. The error says why no client could be made.
    pub fn new(limits: &Limits) -> Result<Self, String> {
        Self::trusting(machines_trust()?, limits)
    }

    pub(crate) fn trusting(tls: ClientConfig, limits: &Limits) -> Result<Self, String> {
        Ok(Self {
            kept: client(tls.clone(), limits, 1)?,
            fresh: client(tls, limits, 0)?,
            timeout: limits.request_timeout,
            answer_bytes_max: limits.answer_bytes_max,
        })
    }

    /// For whoever else calls the vendor: a fresh connection for each request, led astray by nothing either.
    pub fn connection(&self) -> &Client {
        &self.fresh
    }

    /// Asks once. Whatever goes wrong is an *unclear* answer that says what.
    pub async fn probe(&self, profile: &Profile, key: &Key) -> ProbeAnswer {
        self.ask(&self.kept, profile, key).await
    }

    /// The same on a connection of its own: two answers over one connection may come from one broken server.
    pub async fn probe_on_fresh_connection(&self, profile: &Profile, key: &Key) -> ProbeAnswer {
        self.ask(&self.fresh, profile, key).await
    }

    async fn ask(&self, client: &Client, profile: &Profile, key: &Key) -> ProbeAnswer {
        let (url, header, value) = match request(profile, key) {
            Ok(parts) => parts,
            Err(why) => return ProbeAnswer::unclear(why),
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        let method = if profile.probe.post.is_some() { Method::POST } else { Method::GET };
        let mut asked = client
            .request(method, url.clone())
            .header(header, value)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json");
        if let Some(json) = &profile.probe.json {
            asked = asked.body(json.to_string());
        }
        match asked.send().await {
            Ok(response) => self.read(profile, key, &url, response).await,
            Err(error) => ProbeAnswer::unclear(trouble::name(&error, &host, self.timeout)),
        }
    }

    async fn read(&self, profile: &Profile, key: &Key, url: &Url, mut response: Response) -> ProbeAnswer {
        let status = response.status();
        let vendor_time = headers::date(response.headers());
        let vendors_now = vendor_time.unwrap_or_else(|| Timestamp::from(SystemTime::now()));
        let retry_after = headers::retry_after(status, response.headers(), vendors_now);
        if status.is_redirection() {
            let answer = ProbeAnswer::unclear(redirected(url, &response));
            return ProbeAnswer { vendor_time, retry_after, ..answer };
        }
        let read = match self.body(&mut response, url.host_str().unwrap_or_default()).await {
            Ok(body) => classify(profile, status.as_u16(), &body),
            Err(why) => {
                let why = format!("{}, but {why}", status.as_u16());
                let wrote = profile.probe.writes && status.is_success();
                return ProbeAnswer { wrote, vendor_time, retry_after, ..ProbeAnswer::unclear(why) };
            }
        };
        ProbeAnswer {
            verdict: read.verdict,
            account: read.account,
            foreign: read.foreign,
            wrote: read.wrote,
            label: profile.key.label_of(key, read.key_id),
            why: read.why,
            retry_after,
            vendor_time,
        }
    }

    async fn body(&self, response: &mut Response, host: &str) -> Result<Vec<u8>, String> {
        whole_body(response, host, self.answer_bytes_max, self.timeout).await
    }
}

/// The whole body. One that is too large is not judged by its beginning.
pub async fn whole_body(
    response: &mut Response,
    host: &str,
    bytes_max: usize,
    timeout: Duration,
) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| trouble::name(&error, host, timeout))? {
        if body.len() + chunk.len() > bytes_max {
            return Err(format!("the answer of {host} is larger than {bytes_max} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// `kept` connections per host stay open for a while.
fn client(tls: ClientConfig, limits: &Limits, kept: usize) -> Result<Client, String> {
    // A name server must not be able to send what is meant for this machine to another one.
    let loopback =
        [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)].map(|ip| (ip, 0).into());
    http::client()
        .tls_backend_preconfigured(tls)
        .resolve_to_addrs("localhost", &loopback)
        .connect_timeout(CONNECT_TIMEOUT.min(limits.request_timeout))
        .timeout(limits.request_timeout)
        .pool_max_idle_per_host(kept)
        .pool_idle_timeout(KEPT_FOR)
        .build()
        .map_err(|_| "the HTTP client for probes cannot be made".to_owned())
}

/// Where the machine trusts nobody (no certificate store is installed), https fails and says so, and http to
/// loopback still works: `keyrelay demo` needs nothing installed.
fn machines_trust() -> Result<ClientConfig, String> {
    let builder = || {
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| format!("the TLS client for probes cannot be made: {error}"))
    };
    let config = match builder()?.with_platform_verifier() {
        Ok(builder) => builder.with_no_client_auth(),
        Err(_) => builder()?.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth(),
    };
    Ok(config)
}

/// What is sent where; or what is wrong with the profile.
fn request(profile: &Profile, key: &Key) -> Result<(Url, HeaderName, HeaderValue), String> {
    let header = HeaderName::from_bytes(profile.probe.header.as_bytes())
        .map_err(|_| "probe.header of the vendor's profile is no header name".to_owned())?;
    let text = Zeroizing::new(format!("{}{}", profile.probe.scheme, key.expose()));
    let mut value = HeaderValue::from_str(&text)
        .map_err(|_| "probe.scheme of the vendor's profile cannot stand in a header".to_owned())?;
    value.set_sensitive(true);
    Ok((url(profile)?, header, value))
}

/// `base_url` and the path below it; never another origin, and never in clear over a network.
fn url(profile: &Profile) -> Result<Url, String> {
    let base = Url::parse(&profile.base_url).map_err(|_| "base_url of the vendor is no URL".to_owned())?;
    let path = profile.probe.get.as_ref().or(profile.probe.post.as_ref());
    let path = path.ok_or("the vendor's profile has no request to probe with")?;
    let url = Url::parse(&format!("{}{path}", profile.base_url.trim_end_matches('/')))
        .map_err(|_| "base_url and the path of the vendor's probe make no URL".to_owned())?;
    let has_login = !url.username().is_empty() || url.password().is_some();
    if url.origin() != base.origin() || has_login {
        return Err("the path of the vendor's probe leads away from base_url".to_owned());
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

/// The target is not named: it is the answer's text, and may repeat what was sent.
fn redirected(url: &Url, response: &Response) -> String {
    let status = response.status().as_u16();
    let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    match target.map(|target| url.join(target)) {
        Some(Ok(target)) if target.origin() == url.origin() => {
            format!(
                "{status}: a redirect is not followed; it leads to the same origin, so the path of the vendor's probe may be misspelt"
            )
        }
        Some(Ok(_)) => format!("{status}: a redirect to another origin is not followed"),
        Some(Err(_)) | None if response.status() == StatusCode::NOT_MODIFIED => {
            format!("{status} to a question that was not conditional")
        }
        Some(Err(_)) | None => format!("{status}: a redirect that names no target"),
    }
}
