//! One request to the server and its answer: no redirect is followed, nothing is sent twice, no answer is larger
//! than its limit, and no error holds a URL, a header or a body.

use super::Settings;
use crate::domain::{Limits, Timestamp};
use chrono::DateTime;
use reqwest::{
    Certificate, Client, Request, Response, Url,
    header::{DATE, HeaderMap, HeaderValue, LOCATION},
    redirect::Policy,
};
use rustify::endpoint::{Endpoint, MiddleWare};
use std::{
    error::Error,
    fs,
    io::{self, ErrorKind},
    net::IpAddr,
    time::Duration,
};
use vaultrs::api::EndpointMiddleware;
use zeroize::Zeroizing;

/// A host that does not take a connection within this is away; a store stands near.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// A version of a secret may be larger than what a vendor answers: so many times `answer_bytes_max` (1 MiB, KV's own
/// limit).
const ANSWER_FACTOR: usize = 16;

pub(super) struct Transport {
    client: Client,
    base: Url,
    timeout: Duration,
    answer_bytes_max: usize,
    middleware: EndpointMiddleware,
}

pub(super) struct Answer {
    pub status: u16,
    pub date: Option<Timestamp>,
    /// `host:port` that a redirect names.
    pub elsewhere: Option<String>,
    pub body: Zeroizing<Vec<u8>>,
}

/// Why there is no answer, for the operator.
pub(super) enum NoAnswer {
    NotSent(String),
    /// It may have been received and done.
    Lost(String),
}

impl Transport {
    pub fn new(settings: &Settings, limits: &Limits) -> Result<Self, String> {
        let base = base(&settings.address)?;
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .https_only(base.scheme() == "https")
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(limits.request_timeout);
        if base.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        } else if let Some(path) = &settings.ca_cert {
            let named = |why: String| format!("{}: {why}", path.display());
            let pem = fs::read(path).map_err(|error| named(error.to_string()))?;
            let certificates = Certificate::from_pem_bundle(&pem).unwrap_or_default();
            if certificates.is_empty() {
                return Err(named("it holds no certificate (PEM)".to_owned()));
            }
            builder = builder.tls_certs_only(certificates);
        }
        let client =
            builder.build().map_err(|error| format!("no TLS for {}: {}", settings.address, cause(&error)))?;
        Ok(Self {
            client,
            base,
            timeout: limits.request_timeout,
            answer_bytes_max: limits.answer_bytes_max * ANSWER_FACTOR,
            middleware: EndpointMiddleware {
                token: String::new(),
                version: "v1".to_owned(),
                wrap: None,
                namespace: namespace(&settings.namespace)?,
            },
        })
    }

    /// Sends one of vaultrs' requests. The token is set here and not by vaultrs, so that it is marked as sensitive.
    pub async fn send(
        &self,
        endpoint: &impl Endpoint,
        token: Option<&HeaderValue>,
    ) -> Result<Answer, NoAnswer> {
        let unbuilt = || NoAnswer::NotSent("the request to the store could not be built".to_owned());
        let mut request = endpoint.request(self.base.as_str()).map_err(|_| unbuilt())?;
        self.middleware.request(endpoint, &mut request).map_err(|_| unbuilt())?;
        let mut request = Request::try_from(request).map_err(|_| unbuilt())?;
        if let Some(token) = token {
            request.headers_mut().insert("X-Vault-Token", token.clone());
        }
        self.execute(request).await
    }

    /// vaultrs' own request for this fails on OpenBao. It needs no token, and no namespace but the root one.
    pub async fn health(&self) -> Result<Answer, NoAnswer> {
        let mut url = self.base.clone();
        url.set_path("/v1/sys/health");
        self.execute(Request::new(reqwest::Method::GET, url)).await
    }

    async fn execute(&self, request: Request) -> Result<Answer, NoAnswer> {
        let response = self.client.execute(request).await.map_err(|error| {
            let why = self.explain(&error);
            if error.is_connect() || error.is_builder() {
                NoAnswer::NotSent(why)
            } else {
                NoAnswer::Lost(why)
            }
        })?;
        let (status, date) = (response.status().as_u16(), date(response.headers()));
        let elsewhere = elsewhere(response.headers());
        let body = self.body(response).await.map_err(NoAnswer::Lost)?;
        Ok(Answer { status, date, elsewhere, body })
    }

    async fn body(&self, mut response: Response) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| self.explain(&error))? {
            if body.len() + chunk.len() > self.answer_bytes_max {
                return Err(format!(
                    "{}: its answer is larger than {} bytes",
                    self.host(),
                    self.answer_bytes_max
                ));
            }
            // Grown by hand: a reallocation leaves a copy of the secret behind that nobody wipes.
            if body.capacity() < body.len() + chunk.len() {
                let mut grown = Zeroizing::new(Vec::with_capacity(2 * (body.len() + chunk.len())));
                grown.extend_from_slice(&body);
                body = grown;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn explain(&self, error: &reqwest::Error) -> String {
        if !error.is_timeout() {
            return format!("{}: {}", self.host(), cause(error));
        }
        let waited = if error.is_connect() { CONNECT_TIMEOUT.min(self.timeout) } else { self.timeout };
        format!("{}: no answer within {}", self.host(), crate::domain::spell_duration(waited))
    }

    fn host(&self) -> String {
        host(&self.base)
    }
}

const CLOSED: &str = "the connection was closed";

/// The innermost cause that is known to hold nothing of the request: what the system or the TLS library says.
fn cause(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut said = None;
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            said = Some(match error.kind() {
                // The TLS library's words for it are a lesson with a link.
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                    CLOSED.to_owned()
                }
                _ => error.to_string(),
            });
            source = error.get_ref().map(|inner| inner as &(dyn Error + 'static));
        } else if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return format!("TLS: {error}");
        } else {
            source = error.source();
        }
    }
    said.unwrap_or_else(|| CLOSED.to_owned())
}

fn base(address: &str) -> Result<Url, String> {
    let refused = |why: &str| format!("store.vault.address: {why}; write it as https://HOST:PORT");
    let url = Url::parse(address).map_err(|_| refused("it is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it holds a user or a password"));
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it has more than a host and a port"));
    }
    let Some(host) = url.host_str() else { return Err(refused("it names no host")) };
    let ip = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let loopback = ip.map_or(host == "localhost", |ip| ip.is_loopback());
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        "http" => Err(refused("plain http is for this host only")),
        _ => Err(refused("it is neither https nor http")),
    }
}

/// vaultrs panics where it is no header's value.
fn namespace(name: &str) -> Result<Option<String>, String> {
    match HeaderValue::from_str(name) {
        Ok(_) if name.is_empty() => Ok(None),
        Ok(_) => Ok(Some(name.to_owned())),
        Err(_) => Err("store.vault.namespace: it holds a control character".to_owned()),
    }
}

fn host(url: &Url) -> String {
    match (url.host_str(), url.port_or_known_default()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => "nowhere".to_owned(),
    }
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(Timestamp::from_secs(date.timestamp()))
}

fn elsewhere(headers: &HeaderMap) -> Option<String> {
    Url::parse(headers.get(LOCATION)?.to_str().ok()?).ok().map(|url| host(&url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_https_and_a_host_or_plain_on_loopback() {
        for good in
            ["https://vault.example.com", "https://10.0.0.1:8200/", "http://127.0.0.1:1", "http://[::1]:1"]
        {
            assert!(base(good).is_ok(), "{good}");
        }
        let hint = "write it as https://HOST:PORT";
        for (bad, why) in [
            ("vault", "it is no URL"),
            ("http://vault.example.com", "plain http is for this host only"),
            ("ftp://127.0.0.1", "it is neither https nor http"),
            ("https://vault/ui", "it has more than a host and a port"),
            ("https://user:canary@vault", "it holds a user or a password"),
        ] {
            assert_eq!(base(bad).unwrap_err(), format!("store.vault.address: {why}; {hint}"));
        }
    }

    #[test]
    fn a_date_is_what_http_calls_one() {
        let headers = |text| HeaderMap::from_iter([(DATE, HeaderValue::from_static(text))]);
        assert_eq!(
            date(&headers("Sat, 21 Nov 2026 09:00:00 GMT")),
            Some(Timestamp::from_secs(1_795_251_600))
        );
        assert_eq!(date(&headers("yesterday")), None);
    }

    #[test]
    fn a_redirect_is_named_by_its_host_alone() {
        let headers = |text| HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(text))]);
        let there = headers("https://node2.example.com:8200/v1/secret?token=canary");
        assert_eq!(elsewhere(&there), Some("node2.example.com:8200".to_owned()));
        assert_eq!(elsewhere(&headers("/v1/secret")), None);
    }
}
