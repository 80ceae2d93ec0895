//! A proof over HTTP: each request on a connection and with a challenge of its own. Redirects and proxies are never
//! followed: a challenge is for the address that the operator named.

use super::{
    Prover, Question,
    challenge::{Answer, Challenge, judge_answer},
    tally::{Finding, Tally},
};
use crate::{
    domain::{Limits, ProofOutcome, Secret, spell_duration},
    http,
};
use reqwest::{Certificate, Client, ClientBuilder, RequestBuilder, Response, StatusCode, Url};
use std::{error::Error, io, path::Path, sync::OnceLock};
use tokio::task::JoinSet;

/// How a consumer is asked over HTTP, as configured. Each address is an instance that must prove; `instances` asks
/// the addresses in turn until so many have proven.
#[derive(Debug, Clone, Copy)]
pub struct Http<'a> {
    pub urls: &'a [String],
    pub instances: Option<u32>,
    /// PEM; trusted in place of the platform's roots.
    pub ca_cert: Option<&'a Path>,
    pub bearer: Option<&'a Secret>,
}

/// The client for all consumers without a CA of their own. Reading the platform's roots takes long, so it is made
/// once, when it is first needed.
#[derive(Default)]
pub(super) struct PlatformClient(OnceLock<Client>);

impl Prover {
    /// Asks every address at once, and with `instances: N` again until N distinct instances have proven, at most
    /// 4·N requests.
    pub async fn http(&self, http: &Http<'_>, question: &Question<'_>) -> ProofOutcome {
        let client = match self.client(http.ca_cert).await {
            Ok(client) => client,
            Err(why) => return ProofOutcome::Silent(why),
        };
        let mut tally = Tally::new(http.urls.len(), http.instances);
        while tally.wants_more() {
            let findings = match self.round(&client, http, question, tally.room()).await {
                Ok(findings) => findings,
                Err(why) => return ProofOutcome::Silent(why),
            };
            for (url, finding) in findings {
                tally.add(url, finding);
            }
        }
        tally.outcome(question.now)
    }

    /// One request to each address, at most `room`.
    async fn round(
        &self,
        client: &Client,
        http: &Http<'_>,
        question: &Question<'_>,
        room: usize,
    ) -> Result<Vec<(usize, Finding)>, String> {
        let mut requests = JoinSet::new();
        for (number, url) in http.urls.iter().enumerate().take(room) {
            let challenge = Challenge::random()?;
            let request = request(client, url, http.bearer, question, &challenge);
            let (shown, limits) = (origin(url), self.limits.clone());
            requests.spawn(async move { (number, challenge, fetch(request, &shown, &limits).await) });
        }
        let mut findings = Vec::new();
        for (number, challenge, reply) in requests.join_all().await {
            let finding = match reply {
                Reply::Body(body) => match judge_answer(&body, question, &challenge) {
                    Answer::Holds { instances, last_401_at } => Finding::Holds { instances, last_401_at },
                    Answer::HoldsOther(fingerprint) => Finding::HoldsOther(fingerprint),
                    Answer::Wrong(why) | Answer::NoProof(why) => {
                        Finding::Nothing(format!("{}: {why}", origin(&http.urls[number])))
                    }
                },
                Reply::Nothing(why) => Finding::Nothing(why),
                Reply::Silence(why) => Finding::Silence(why),
            };
            findings.push((number, finding));
        }
        findings.sort_by_key(|(number, _)| *number);
        Ok(findings)
    }

    async fn client(&self, ca_cert: Option<&Path>) -> Result<Client, String> {
        let Some(path) = ca_cert else {
            if let Some(client) = self.client.0.get() {
                return Ok(client.clone());
            }
            let client = build(builder(&self.limits))?;
            return Ok(self.client.0.get_or_init(|| client).clone());
        };
        let shown = path.display();
        let pem = tokio::fs::read(path)
            .await
            .map_err(|error| format!("ca_cert {shown} cannot be read: {error}"))?;
        let roots = Certificate::from_pem_bundle(&pem).unwrap_or_default();
        if roots.is_empty() {
            return Err(format!("ca_cert {shown} holds no certificate in PEM form"));
        }
        build(builder(&self.limits).tls_certs_only(roots))
    }
}

fn builder(limits: &Limits) -> ClientBuilder {
    http::client().pool_max_idle_per_host(0).timeout(limits.request_timeout)
}

fn build(builder: ClientBuilder) -> Result<Client, String> {
    builder.build().map_err(|error| format!("no HTTPS client can be made: {}", leaf(&error)))
}

fn request(
    client: &Client,
    url: &str,
    bearer: Option<&Secret>,
    question: &Question<'_>,
    challenge: &Challenge,
) -> RequestBuilder {
    let request = client
        .get(url)
        .header("Accept", "application/json")
        .header("Keyrelay-Challenge", challenge.as_str())
        .header("Keyrelay-Consumer", question.consumer.as_str())
        .header("Keyrelay-Credential", question.credential.as_str());
    match bearer {
        Some(token) => request.bearer_auth(token.expose()),
        None => request,
    }
}

/// What came back of one request.
enum Reply {
    Body(Vec<u8>),
    /// An answer, and none that could prove anything.
    Nothing(String),
    Silence(String),
}

async fn fetch(request: RequestBuilder, origin: &str, limits: &Limits) -> Reply {
    let silence = |error| Reply::Silence(format!("{origin}: {}", silence(&error, limits)));
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) => return silence(error),
    };
    let status = response.status();
    if status != StatusCode::OK {
        return refused(status, origin);
    }
    match body(response, limits.answer_bytes_max).await {
        Ok(Some(body)) => Reply::Body(body),
        Ok(None) => {
            Reply::Nothing(format!("{origin} answered with more than {} bytes", limits.answer_bytes_max))
        }
        Err(error) => silence(error),
    }
}

fn refused(status: StatusCode, origin: &str) -> Reply {
    let answered = format!("{origin} answered with status {}", status.as_u16());
    match status {
        _ if status.is_server_error() => Reply::Silence(answered),
        _ if status.is_redirection() => {
            Reply::Nothing(format!("{answered}, and no redirect is followed: name the final address"))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            Reply::Nothing(format!("{answered}: it wants the bearer token, or another one"))
        }
        _ => Reply::Nothing(format!("{answered}; only 200 counts")),
    }
}

/// `None`: there was more than `max`.
async fn body(mut response: Response, max: usize) -> reqwest::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await? {
        if body.len() + piece.len() > max {
            return Ok(None);
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(body))
}

/// Why nothing came back, in words that hold no address and no header.
fn silence(error: &reqwest::Error, limits: &Limits) -> String {
    if error.is_timeout() {
        return format!("no answer within {}", spell_duration(limits.request_timeout));
    }
    if error.is_builder() {
        return "the address or the bearer token cannot be sent in a request".into();
    }
    leaf(error)
}

/// The innermost cause: the operating system's or the TLS library's, which know nothing of the request.
fn leaf(error: &(dyn Error + 'static)) -> String {
    let mut leaf = error;
    while let Some(inner) = inside(leaf) {
        leaf = inner;
    }
    let refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    match leaf.downcast_ref() {
        Some(rustls::Error::InvalidCertificate(why)) => {
            format!(
                "its certificate is not trusted ({why}): name its CA in ca_cert, or correct the host name"
            )
        }
        Some(error) => format!("TLS failed: {error}"),
        None if leaf.downcast_ref().is_some_and(refused) => "connection refused: nobody listens there".into(),
        None => leaf.to_string(),
    }
}

/// An I/O error that wraps another error names that one's source as its own, and so hides it.
fn inside<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    wrapped.map(|error| error as &'a (dyn Error + 'static)).or_else(|| error.source())
}

/// Scheme, host and port: the rest of an address may be a secret.
fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| "its address".into(), |url| url.origin().ascii_serialization())
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
