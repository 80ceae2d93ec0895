//! What a token endpoint's answer means. Pure: bytes in, tokens or trouble out.

use super::TokenTrouble;
use crate::domain::Secret;
use serde::{Deserialize, Deserializer};
use std::time::Duration;
use zeroize::Zeroizing;

/// Microsoft's have 2 to 4 KiB; a SASL line must hold it in base64.
const TOKEN_MAX: usize = 16 << 10;
/// An endpoint's own words are cut here.
const WORDS_MAX: usize = 300;
/// No access token is taken to last longer: it is asked for again each day at least.
const LASTS_MAX: Duration = Duration::from_secs(86_400);

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub access_token: Secret,
    pub lasts: Option<Duration>,
    pub refresh_token: Option<Secret>,
}

/// Both kinds of answer (RFC 6749, 5.1 and 5.2).
#[derive(Default, Deserialize)]
#[serde(default)]
struct Body {
    access_token: Option<Wiped>,
    token_type: Option<String>,
    expires_in: Option<ExpiresIn>,
    refresh_token: Option<Wiped>,
    error: Option<String>,
    error_description: Option<String>,
}

/// A text that is wiped.
struct Wiped(Zeroizing<String>);

impl<'de> Deserialize<'de> for Wiped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// A number; some providers make a text of it.
#[derive(Deserialize)]
#[serde(untagged)]
enum ExpiresIn {
    Number(u64),
    Text(String),
}

/// `at` names the endpoint; `secrets` are those that it was shown, and are never repeated.
pub(super) fn read(at: &str, status: u16, body: &[u8], secrets: &[&Secret]) -> Result<Answer, TokenTrouble> {
    // The parser's own words may quote a token.
    let parsed = serde_json::from_slice::<Body>(body).ok();
    match (status, parsed) {
        (200, Some(body)) if body.error.is_none() => granted(at, body),
        (429, body) => Err(TokenTrouble::Later(told(at, status, body.as_ref(), secrets))),
        (500.., body) => Err(TokenTrouble::Lost(told(at, status, body.as_ref(), secrets))),
        (_, Some(body)) if body.error.is_some() => Err(refused(at, status, &body, secrets)),
        (_, _) => {
            Err(TokenTrouble::Lost(format!("{at} answered {status}, and nothing that OAuth 2.0 knows")))
        }
    }
}

fn granted(at: &str, body: Body) -> Result<Answer, TokenTrouble> {
    let lost = |why: &str| TokenTrouble::Lost(format!("{at}: {why}"));
    let usable = |text: &str| {
        !text.is_empty() && text.len() <= TOKEN_MAX && text.bytes().all(|b| b.is_ascii_graphic())
    };
    let Wiped(access_token) = body.access_token.ok_or_else(|| lost("its answer holds no access token"))?;
    if !usable(&access_token) {
        return Err(lost("its access token is none: empty, too long, or not printable"));
    }
    if body.token_type.is_some_and(|kind| !kind.eq_ignore_ascii_case("Bearer")) {
        return Err(lost("its access token is not for the bearer (token_type)"));
    }
    let lasts = body.expires_in.and_then(|lasts| match lasts {
        ExpiresIn::Number(secs) => Some(secs),
        ExpiresIn::Text(text) => text.parse().ok(),
    });
    // One that is no token would take the place of one that is.
    let refresh_token = body.refresh_token.filter(|token| usable(&token.0));
    Ok(Answer {
        access_token: Secret::new(&access_token),
        lasts: lasts.map(|secs| Duration::from_secs(secs).min(LASTS_MAX)),
        refresh_token: refresh_token.map(|token| Secret::new(&token.0)),
    })
}

fn refused(at: &str, status: u16, body: &Body, secrets: &[&Secret]) -> TokenTrouble {
    let words = told(at, status, Some(body), secrets);
    match body.error.as_deref().unwrap_or_default() {
        "invalid_grant" => TokenTrouble::Revoked(words),
        "slow_down" => TokenTrouble::Later(words),
        "temporarily_unavailable" | "server_error" => TokenTrouble::Lost(words),
        _ => TokenTrouble::Refused(words),
    }
}

/// `https://login.example answers invalid_grant: Token has been revoked.`
fn told(at: &str, status: u16, body: Option<&Body>, secrets: &[&Secret]) -> String {
    let clean = |text: &String| {
        let shows = |secret: &&&Secret| !secret.is_missing() && text.contains(secret.expose());
        let words: String =
            text.chars().take(WORDS_MAX).map(|c| if c.is_ascii_graphic() { c } else { ' ' }).collect();
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if secrets.iter().any(|secret| shows(&secret)) { String::new() } else { words }
    };
    let part = |text: Option<&String>| text.map(clean).filter(|words| !words.is_empty());
    let error = part(body.and_then(|body| body.error.as_ref())).unwrap_or_else(|| status.to_string());
    match part(body.and_then(|body| body.error_description.as_ref())) {
        Some(description) => format!("{at} answers {error}: {description}"),
        None => format!("{at} answers {error}"),
    }
}
