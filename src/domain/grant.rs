//! OAuth 2.0 as a mailbox needs it (RFC 6749): what is granted to keyrelay, and the tokens that come of it.

use super::{Secret, Timestamp};
use sha2::{Digest, Sha256};
use std::{fmt, str::FromStr, time::Duration};

/// What the operator was given at the identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub token_url: String,
    pub client_id: String,
    /// Absent where the provider has registered a public client.
    pub client_secret: Option<Secret>,
    /// The first one, as configured. Absent: client credentials.
    pub refresh_token: Option<Secret>,
    /// Empty: whatever the provider gives.
    pub scope: String,
}

impl Grant {
    /// Everything that makes it another grant. A stored refresh token counts only for the grant that it came of: a new
    /// one in the configuration takes its place, and another `token_url` is never shown it.
    pub fn id(&self) -> GrantId {
        let refresh_token = self.refresh_token.as_ref().map_or("", Secret::expose);
        let mut hash = Sha256::new_with_prefix(b"keyrelay-grant-v1");
        for part in [&self.token_url, &self.client_id, refresh_token] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hash.finalize()[..16]);
        GrantId(id)
    }

    /// Every secret in it.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.client_secret.iter().chain(&self.refresh_token)
    }
}

/// A grant's non-secret short name: 32 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantId([u8; 16]);

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no grant's name")]
pub struct GrantIdError;

impl FromStr for GrantId {
    type Err = GrantIdError;
    fn from_str(text: &str) -> Result<Self, GrantIdError> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(GrantIdError);
        }
        let mut id = [0; 16];
        for (at, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).map_err(|_| GrantIdError)?;
        }
        Ok(Self(id))
    }
}

/// What lets in for an hour or so; kept in memory alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    pub secret: Secret,
    /// By when it should be replaced; `None`: its provider does not say how long it lasts.
    pub renew_at: Option<Timestamp>,
}

impl AccessToken {
    /// One that was asked for at that moment, and lasts so long: replaced so much before its end, or at half of a
    /// short life.
    pub fn new(secret: Secret, asked_at: Timestamp, lasts: Option<Duration>, before_end: Duration) -> Self {
        let renew_at = lasts.map(|lasts| asked_at + (lasts - before_end.min(lasts / 2)));
        Self { secret, renew_at }
    }
    /// Whether a new connection may begin with it. One of unknown life is used once.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.renew_at.is_some_and(|at| now < at)
    }
}

/// A refresh token that its provider gave in place of an earlier one, which may be worth nothing since then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshToken {
    pub grant: GrantId,
    pub secret: Secret,
    pub obtained_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant() -> Grant {
        Grant {
            token_url: "https://login.example/token".into(),
            client_id: "relay".into(),
            client_secret: Some(Secret::new("canary")),
            refresh_token: Some(Secret::new("first")),
            scope: "mail".into(),
        }
    }

    #[test]
    fn another_refresh_token_client_or_endpoint_is_another_grant_a_new_client_secret_is_not() {
        let id = grant().id();
        assert_eq!(id, Grant { client_secret: None, scope: String::new(), ..grant() }.id());
        for other in [
            Grant { refresh_token: Some(Secret::new("second")), ..grant() },
            Grant { refresh_token: None, ..grant() },
            Grant { client_id: "relayf".into(), refresh_token: Some(Secret::new("irst")), ..grant() },
            Grant { token_url: "https://login.example/token2".into(), ..grant() },
        ] {
            assert_ne!(id, other.id(), "{other:?}");
        }
    }

    #[test]
    fn a_grants_name_reads_back_and_nothing_else_is_one() {
        let id = grant().id();
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "0123", &"g".repeat(32), &"\u{e4}".repeat(16), &"+1".repeat(16)] {
            assert_eq!(bad.parse::<GrantId>(), Err(GrantIdError), "{bad}");
        }
    }

    #[test]
    fn a_token_is_replaced_five_minutes_before_its_end_or_at_half_of_a_short_life() {
        let now = Timestamp::from_secs(1_000);
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        let token = |lasts| AccessToken::new(Secret::new("canary"), now, lasts, minutes(5));
        for (lasts, renewed) in [(60, 55), (10, 5), (8, 4), (0, 0)] {
            let token = token(Some(minutes(lasts)));
            assert_eq!(token.renew_at, Some(now + minutes(renewed)));
            assert!(!token.is_fresh(now + minutes(renewed)));
            assert_eq!(token.is_fresh(now), lasts > 0);
        }
        assert!(!token(None).is_fresh(now));
    }
}
