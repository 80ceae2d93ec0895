//! Adapter: asks a vendor whether a key works. Owns the request and what its answer means; a profile says how both
//! look. It refuses to know what follows from a verdict, and asks once: when to ask again is decided elsewhere.

mod control;

#[cfg(test)]
pub(crate) mod tests;

pub use control::random_like;

use crate::ask::{self, Request, date, name_trouble, retry_after, whole_body};
use crate::domain::{Key, Limits, ProbeAnswer, Timestamp};
use crate::vendor::{Profile, classify};
use reqwest::header::LOCATION;
use reqwest::{Client, Method, Response, StatusCode, Url};
use rustls::ClientConfig;
use std::time::{Duration, SystemTime};

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
        Self::trusting(ask::machines_trust()?, limits)
    }

    pub(crate) fn trusting(tls: ClientConfig, limits: &Limits) -> Result<Self, String> {
        Ok(Self {
            kept: ask::client(tls.clone(), limits.request_timeout, 1)?,
            fresh: ask::client(tls, limits.request_timeout, 0)?,
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
        let request = match request(profile, key) {
            Ok(request) => request,
            Err(why) => return ProbeAnswer::unclear(why),
        };
        let (host, url) = (request.host(), request.url.clone());
        match request.to_send(client).send().await {
            Ok(response) => self.read(profile, key, &url, response).await,
            Err(error) => ProbeAnswer::unclear(name_trouble(&error, &host, self.timeout)),
        }
    }

    async fn read(&self, profile: &Profile, key: &Key, url: &Url, mut response: Response) -> ProbeAnswer {
        let status = response.status();
        let vendor_time = date(response.headers());
        let vendors_now = vendor_time.unwrap_or_else(|| Timestamp::from(SystemTime::now()));
        let pause = retry_after(status, response.headers(), vendors_now);
        if status.is_redirection() {
            let answer = ProbeAnswer::unclear(redirected(url, &response));
            return ProbeAnswer { vendor_time, retry_after: pause, ..answer };
        }
        let read = match self.body(&mut response, url.host_str().unwrap_or_default()).await {
            Ok(body) => classify(profile, status.as_u16(), &body),
            Err(why) => {
                let why = format!("{}, but {why}", status.as_u16());
                let wrote = profile.probe.writes && status.is_success();
                return ProbeAnswer { wrote, vendor_time, retry_after: pause, ..ProbeAnswer::unclear(why) };
            }
        };
        ProbeAnswer {
            verdict: read.verdict,
            account: read.account,
            foreign: read.foreign,
            wrote: read.wrote,
            label: profile.key.label_of(key, read.key_id),
            why: read.why,
            retry_after: pause,
            vendor_time,
        }
    }

    async fn body(&self, response: &mut Response, host: &str) -> Result<Vec<u8>, String> {
        whole_body(response, host, self.answer_bytes_max, self.timeout).await
    }
}

/// What is sent where; or what is wrong with the profile.
fn request(profile: &Profile, key: &Key) -> Result<Request, String> {
    let (method, path) = match (&profile.probe.get, &profile.probe.post) {
        (Some(path), None) => (Method::GET, path),
        (_, Some(path)) => (Method::POST, path),
        (None, None) => return Err("the vendor's profile has no request to probe with".into()),
    };
    let json = profile.probe.json.as_ref().map(ToString::to_string);
    Ok(Request::new(profile, key, method, path, "the vendor's probe")?.json(json))
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
