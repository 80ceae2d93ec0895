//! Adapter: an identity provider's token endpoint (RFC 6749). It asks once, and says what came of it; where a new
//! refresh token is kept, and when to ask again, is decided elsewhere. No redirect is followed and no proxy heeded: the
//! request holds everything that lets in.

mod answer;

#[cfg(test)]
mod tests;

use crate::{
    domain::{AccessToken, Grant, Limits, Secret, Timestamp, spell_duration},
    http,
};
use reqwest::{Client, Response, header};
use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};
use url::{Url, form_urlencoded::Serializer};
use zeroize::Zeroizing;

/// A provider that does not even accept a connection in this time is down (hard case H07).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What an endpoint gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    pub access: AccessToken,
    /// A new refresh token; the one that was shown may be worth nothing from now on.
    pub refresh_token: Option<Secret>,
}

/// Why it gave nothing. Texts are for operators and hold no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenTrouble {
    /// It was never asked: no connection.
    NotAsked(String),
    /// It was asked, and its answer is lost, is a breakdown, or makes no sense.
    Lost(String),
    /// It is asked too often.
    Later(String),
    /// The refresh token is worth nothing (`invalid_grant`).
    Revoked(String),
    /// The client, its secret or the scope is not known there.
    Refused(String),
}

/// A client for any number of endpoints.
pub struct Endpoint {
    limits: Limits,
    /// Reading whom this machine trusts takes long, so it is made when it is first needed.
    client: OnceLock<Client>,
}

impl Endpoint {
    pub fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), client: OnceLock::new() }
    }

    /// Asks for an access token: with that refresh token, else with the client's own credentials.
    pub async fn ask(&self, grant: &Grant, refresh_token: Option<&Secret>) -> Result<Issued, TokenTrouble> {
        let at = origin(&grant.token_url);
        let client = self.client().map_err(TokenTrouble::NotAsked)?;
        let asked_at = Timestamp::from(SystemTime::now());
        // The library's body is a copy that nobody wipes; ours is.
        let form = form(grant, refresh_token);
        let sent = client
            .post(&grant.token_url)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json")
            .body(form.as_str().to_owned())
            .send()
            .await;
        let mut response = sent.map_err(|error| self.trouble(&at, &error))?;
        let status = response.status();
        if status.is_redirection() {
            let why = format!("{at} answers {status} and would lead elsewhere: write in token_url where");
            return Err(TokenTrouble::Refused(why));
        }
        let body = self.body(&at, &mut response).await?;
        let mut secrets: Vec<&Secret> = grant.secrets().collect();
        secrets.extend(refresh_token);
        answer::read(&at, status.as_u16(), &body, &secrets).map(|answer| Issued {
            access: AccessToken::new(
                answer.access_token,
                asked_at,
                answer.lasts,
                self.limits.token_renew_before,
            ),
            refresh_token: answer.refresh_token,
        })
    }

    fn client(&self) -> Result<&Client, String> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let made = client(&self.limits).ok_or("no HTTPS client can be made")?;
        Ok(self.client.get_or_init(|| made))
    }

    async fn body(&self, at: &str, response: &mut Response) -> Result<Zeroizing<Vec<u8>>, TokenTrouble> {
        let max = self.limits.answer_bytes_max;
        // Room for all of it: a growing buffer leaves copies behind.
        let mut body = Zeroizing::new(Vec::with_capacity(max));
        while let Some(chunk) = response.chunk().await.map_err(|error| self.trouble(at, &error))? {
            if body.len() + chunk.len() > max {
                return Err(TokenTrouble::Lost(format!("{at}: its answer is larger than {max} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The library's own words name the whole address.
    fn trouble(&self, at: &str, error: &reqwest::Error) -> TokenTrouble {
        if error.is_connect() {
            return TokenTrouble::NotAsked(format!(
                "{at} cannot be reached (name, port, and whom this machine trusts)"
            ));
        }
        TokenTrouble::Lost(match error.is_timeout() {
            true => format!("{at} gave no answer within {}", spell_duration(self.limits.request_timeout)),
            false => format!("{at} sent no whole HTTP answer"),
        })
    }
}

fn client(limits: &Limits) -> Option<Client> {
    http::client()
        .pool_max_idle_per_host(0)
        .connect_timeout(CONNECT_TIMEOUT.min(limits.request_timeout))
        .timeout(limits.request_timeout)
        .build()
        .ok()
}

/// The request's body. The client's secret is in it and not in a header: Google and Microsoft both take it so.
fn form(grant: &Grant, refresh_token: Option<&Secret>) -> Zeroizing<String> {
    let secret_bytes: usize = grant.secrets().chain(refresh_token).map(|secret| secret.expose().len()).sum();
    let room = 3 * (secret_bytes + grant.client_id.len() + grant.scope.len()) + 256;
    let mut form = Serializer::new(String::with_capacity(room));
    match refresh_token {
        Some(token) => {
            form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", token.expose())
        }
        None => form.append_pair("grant_type", "client_credentials"),
    };
    form.append_pair("client_id", &grant.client_id);
    if let Some(secret) = &grant.client_secret {
        form.append_pair("client_secret", secret.expose());
    }
    if !grant.scope.is_empty() {
        form.append_pair("scope", &grant.scope);
    }
    Zeroizing::new(form.finish())
}

/// What of the address may be shown.
fn origin(token_url: &str) -> String {
    Url::parse(token_url)
        .map_or_else(|_| "the token endpoint".into(), |url| url.origin().ascii_serialization())
}
