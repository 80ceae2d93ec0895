//! One request to the cluster and its answer. A node that surely did not do it may hand it on to another; what may
//! have been done is never sent twice. No answer is larger than its limit, and no error holds a URL, a header or a body.

mod search;

use super::{
    Settings,
    answer::{self, Condition},
    client::{CONNECT_TIMEOUT, Clients},
    failure::{NoAnswer, cause, is_refusal_of_certificate},
    nodes::{Nodes, host, namespace},
};
use crate::domain::{Limits, Timestamp, spell_duration};
use chrono::DateTime;
use reqwest::{
    Method, Request, Response, Url,
    header::{DATE, HeaderMap, HeaderValue, LOCATION},
};
use rustify::endpoint::{Endpoint, MiddleWare};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use vaultrs::api::EndpointMiddleware;
use zeroize::Zeroizing;

/// A version of a secret may be larger than what a vendor answers: so many times `answer_bytes_max` (1 MiB, KV's own
/// limit).
const ANSWER_FACTOR: usize = 16;

/// What a write made newest. A standby that has not got there yet hands a request that names it on to the active node
/// (OpenBao 2.7, Vault Enterprise 1.7), and others pay no heed.
const INDEX: &str = "X-Vault-Index";
const INCONSISTENT: &str = "X-Vault-Inconsistent";

#[derive(Clone)]
pub(super) struct Transport(Arc<Inner>);

struct Inner {
    clients: Clients,
    nodes: Nodes,
    /// One search for the active node at a time; calls that need it wait for it.
    search: tokio::sync::Mutex<()>,
    index: Mutex<Option<HeaderValue>>,
    /// The answer to a write was lost, and nobody has read from the active node since: what a standby says may be older
    /// than that write.
    unsure: AtomicBool,
    timeout: Duration,
    answer_bytes_max: usize,
    middleware: EndpointMiddleware,
}

pub(super) struct Answer {
    pub status: u16,
    pub date: Option<Timestamp>,
    /// Where a redirect leads.
    pub location: Option<Url>,
    pub body: Zeroizing<Vec<u8>>,
    /// Whose it is.
    pub node: usize,
}

impl Transport {
    pub fn new(settings: &Settings, limits: &Limits) -> Result<Self, String> {
        Ok(Self(Arc::new(Inner {
            clients: Clients::new(settings, limits)?,
            nodes: Nodes::new(&settings.nodes)?,
            search: tokio::sync::Mutex::default(),
            index: Mutex::default(),
            unsure: AtomicBool::new(false),
            timeout: limits.request_timeout,
            answer_bytes_max: limits.answer_bytes_max * ANSWER_FACTOR,
            middleware: EndpointMiddleware {
                token: String::new(),
                version: "v1".to_owned(),
                wrap: None,
                namespace: namespace(&settings.namespace)?,
            },
        })))
    }

    /// From now on this client certificate is shown (PEM, its key behind it).
    pub fn show(&self, identity: &Zeroizing<String>) -> Result<(), String> {
        self.0.clients.show(identity)
    }

    /// `https://host:port` of a node.
    pub fn address(&self, node: usize) -> String {
        self.0.nodes.url(node).as_str().trim_end_matches('/').to_owned()
    }

    /// How many nodes there are; each is named by a number below that.
    pub fn nodes(&self) -> usize {
        self.0.nodes.count()
    }

    /// One node's health, and no other's.
    pub async fn health_of(&self, node: usize) -> Result<Answer, NoAnswer> {
        self.0.ask_health(node, CONNECT_TIMEOUT.min(self.0.timeout)).await
    }

    /// Sends one of vaultrs' requests to the active node.
    pub async fn send(
        &self,
        endpoint: &impl Endpoint,
        token: Option<&HeaderValue>,
    ) -> Result<Answer, NoAnswer> {
        let inner = &self.0;
        let mut tried = Vec::new();
        let mut node = self.node(&tried).await?;
        loop {
            let request = inner.request(endpoint, token, node)?;
            let reads = request.method() == Method::GET;
            let outcome = match reads {
                true => inner.read(request, node).await,
                false => inner.write(request, node).await,
            };
            tried.push(node);
            let next = match &outcome {
                Ok(answer) if answer.is_redirect() => inner.redirected(node, answer, &tried)?,
                Ok(answer) if answer::is_elsewhere(answer) => self.other_than(&tried).await,
                Ok(_) => return outcome,
                Err(NoAnswer::Lost(_)) if !reads => None,
                Err(NoAnswer::NotSent(_) | NoAnswer::Untrusted(_) | NoAnswer::Sealed | NoAnswer::Lost(_)) => {
                    self.other_than(&tried).await
                }
            };
            inner.nodes.forget(node);
            match next {
                Some(next) => node = next,
                None => return outcome,
            }
        }
    }

    /// The active node's health, or another's where none is active. It needs no token, and no namespace but the root
    /// one; vaultrs' own request for it fails on OpenBao.
    pub async fn health(&self) -> Result<Answer, NoAnswer> {
        let inner = &self.0;
        inner.clients.trust_anew();
        if let Some(node) = inner.nodes.active() {
            let answer = inner.ask_health(node, inner.timeout).await;
            let is_active =
                answer.as_ref().is_ok_and(|answer| answer::condition(answer) == Condition::Active);
            if is_active || inner.nodes.count() == 1 {
                return answer;
            }
            inner.nodes.forget(node);
        }
        let node = self.node(&[]).await?;
        inner.ask_health(node, inner.timeout).await
    }
}

impl Inner {
    /// The token is set here and not by vaultrs, so that it is marked as sensitive.
    fn request(
        &self,
        endpoint: &impl Endpoint,
        token: Option<&HeaderValue>,
        node: usize,
    ) -> Result<Request, NoAnswer> {
        let unbuilt = || NoAnswer::NotSent("the request to the store could not be built".to_owned());
        let mut request = endpoint.request(self.nodes.url(node).as_str()).map_err(|_| unbuilt())?;
        self.middleware.request(endpoint, &mut request).map_err(|_| unbuilt())?;
        let mut request = Request::try_from(request).map_err(|_| unbuilt())?;
        if let Some(token) = token {
            request.headers_mut().insert("X-Vault-Token", token.clone());
        }
        if let Some(index) = self.index().clone() {
            request.headers_mut().insert(INDEX, index);
            request.headers_mut().insert(INCONSISTENT, HeaderValue::from_static("forward-active-node"));
        }
        Ok(request)
    }

    async fn ask_health(&self, node: usize, timeout: Duration) -> Result<Answer, NoAnswer> {
        let mut url = self.nodes.url(node).clone();
        url.set_path("/v1/sys/health");
        let mut request = Request::new(Method::GET, url);
        *request.timeout_mut() = Some(timeout);
        self.execute(request, node).await
    }

    /// A standby is asked only where it cannot matter that its answer is old.
    async fn read(&self, request: Request, node: usize) -> Result<Answer, NoAnswer> {
        let active = self.nodes.active() == Some(node);
        if !active && self.unsure.load(Relaxed) {
            let name = self.nodes.name(node);
            return Err(NoAnswer::NotSent(format!(
                "{name} is a standby, which may not know of the last write yet, and no active node answers"
            )));
        }
        let outcome = self.execute(request, node).await;
        if active && outcome.is_ok() {
            self.unsure.store(false, Relaxed);
        }
        outcome
    }
    async fn write(&self, request: Request, node: usize) -> Result<Answer, NoAnswer> {
        let outcome = self.execute(request, node).await;
        if matches!(outcome, Err(NoAnswer::Lost(_))) {
            self.unsure.store(true, Relaxed);
        }
        outcome
    }

    async fn execute(&self, request: Request, node: usize) -> Result<Answer, NoAnswer> {
        let waits = request.timeout().copied().unwrap_or(self.timeout);
        let writes = request.method() != Method::GET;
        let response = self.clients.get().execute(request).await.map_err(|error| {
            let why = self.explain(&error, node, waits);
            match error.is_connect() || error.is_builder() {
                true if is_refusal_of_certificate(&error) => NoAnswer::Untrusted(why),
                true => NoAnswer::NotSent(why),
                false => NoAnswer::Lost(why),
            }
        })?;
        let (status, date) = (response.status().as_u16(), date(response.headers()));
        let location = location(response.headers());
        self.remember_index(response.headers(), status, writes);
        let body = self.body(response, node, waits).await.map_err(NoAnswer::Lost)?;
        Ok(Answer { status, date, location, body, node })
    }

    /// A read's index may be an old one, if a standby answered it. One that the server cannot reach (412) is of no use.
    fn remember_index(&self, headers: &HeaderMap, status: u16, writes: bool) {
        match headers.get(INDEX) {
            _ if status == 412 => *self.index() = None,
            Some(index) if writes => *self.index() = Some(index.clone()),
            Some(_) | None => {}
        }
    }
    fn index(&self) -> std::sync::MutexGuard<'_, Option<HeaderValue>> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom a standby names. The token goes to nodes of the configuration only, and to each once.
    fn redirected(&self, node: usize, answer: &Answer, tried: &[usize]) -> Result<Option<usize>, NoAnswer> {
        self.nodes.forget(node);
        let Some(location) = &answer.location else { return Ok(None) };
        let (name, there) = (self.nodes.name(node), host(location));
        match self.nodes.at(location) {
            Some(next) if tried.contains(&next) => Err(NoAnswer::NotSent(format!(
                "{name} redirects to {there}, which does not do it either: no node is active"
            ))),
            Some(next) => {
                self.nodes.found_active(next);
                Ok(Some(next))
            }
            None => Err(NoAnswer::NotSent(format!(
                "{name} is a standby that redirects to {there}; add that node to store.vault.address"
            ))),
        }
    }

    async fn body(
        &self,
        mut response: Response,
        node: usize,
        waits: Duration,
    ) -> Result<Zeroizing<Vec<u8>>, String> {
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(|error| self.explain(&error, node, waits))? {
            if body.len() + chunk.len() > self.answer_bytes_max {
                return Err(format!(
                    "{}: its answer is larger than {} bytes",
                    self.nodes.name(node),
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

    fn explain(&self, error: &reqwest::Error, node: usize, waits: Duration) -> String {
        let name = self.nodes.name(node);
        if !error.is_timeout() {
            return format!("{name}: {}", cause(error));
        }
        let waited = if error.is_connect() { CONNECT_TIMEOUT.min(waits) } else { waits };
        format!("{name}: no answer within {}", spell_duration(waited))
    }
}

impl Answer {
    fn is_redirect(&self) -> bool {
        matches!(self.status, 307 | 308)
    }
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(Timestamp::from_secs(date.timestamp()))
}

fn location(headers: &HeaderMap) -> Option<Url> {
    Url::parse(headers.get(LOCATION)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_redirect_names_a_whole_url_or_nothing() {
        let headers = |text| HeaderMap::from_iter([(LOCATION, HeaderValue::from_static(text))]);
        let there = location(&headers("https://node2.example.com:8200/v1/secret?token=canary")).unwrap();
        assert_eq!(host(&there), "node2.example.com:8200");
        assert_eq!(location(&headers("/v1/secret")), None);
    }
}
