//! Adapter: posts a notice to a webhook, and gives a sign of life, over HTTP. Each asks once and says what came of it.
//! The address may be a secret: no message names it, and nothing leads a request elsewhere.

use crate::{
    domain::{Limits, Secret, spell_duration},
    http,
};
use reqwest::{Client, RequestBuilder, StatusCode, header};
use std::{sync::OnceLock, time::Duration};

/// What became of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostOutcome {
    Taken,
    /// The receiver will never take this one; it may take others.
    Refused(String),
    /// It may be taken another time.
    Failed(String),
}

/// One address, named by its key in the configuration.
pub struct Web {
    key: &'static str,
    url: Secret,
    timeout: Duration,
    /// Reading whom this machine trusts takes long, so it is made when it is first needed.
    client: OnceLock<Client>,
}

impl Web {
    pub fn new(key: &'static str, url: &Secret, limits: &Limits) -> Self {
        Self { key, url: url.clone(), timeout: limits.request_timeout, client: OnceLock::new() }
    }

    /// `id` is the same whenever the same notice is posted again.
    pub async fn post(&self, id: &str, body: String) -> PostOutcome {
        let request = |client: &Client| {
            let request = client.post(self.url.expose()).header("Idempotency-Key", id);
            request.header(header::CONTENT_TYPE, "application/json").body(body)
        };
        let status = match self.ask(request).await {
            Ok(status) => status,
            Err(why) => return PostOutcome::Failed(why),
        };
        match status {
            status if status.is_success() => PostOutcome::Taken,
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => {
                PostOutcome::Refused(self.answered(status))
            }
            status => PostOutcome::Failed(self.answered(status)),
        }
    }

    /// Fetches it; any 2xx is well.
    pub async fn get(&self) -> Result<(), String> {
        let status = self.ask(|client| client.get(self.url.expose())).await?;
        if status.is_success() { Ok(()) } else { Err(self.answered(status)) }
    }

    async fn ask(&self, request: impl FnOnce(&Client) -> RequestBuilder) -> Result<StatusCode, String> {
        let client = match self.client.get() {
            Some(client) => client,
            None => {
                let made = client(self.timeout)
                    .ok_or_else(|| format!("{}: no HTTPS client can be made", self.key))?;
                self.client.get_or_init(|| made)
            }
        };
        let answer = request(client).send().await.map_err(|error| self.trouble(&error))?;
        Ok(answer.status())
    }

    fn answered(&self, status: StatusCode) -> String {
        let more = if status.is_redirection() { ", which is not followed: write where it leads" } else { "" };
        format!("the address in {} answered {}{more}", self.key, status.as_u16())
    }
    /// The library's own words name the address.
    fn trouble(&self, error: &reqwest::Error) -> String {
        let key = self.key;
        match (error.is_timeout(), error.is_connect()) {
            (true, _) => {
                format!("the address in {key} gave no answer within {}", spell_duration(self.timeout))
            }
            (false, true) => {
                format!("the address in {key} cannot be reached (name, port, and whom this machine trusts)")
            }
            (false, false) => format!("the address in {key} sent no whole HTTP answer"),
        }
    }
}

fn client(timeout: Duration) -> Option<Client> {
    http::client().pool_max_idle_per_host(0).timeout(timeout).build().ok()
}

#[cfg(test)]
mod tests;
