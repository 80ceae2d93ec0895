//! Logins with access tokens: a provider of the tests' own, real Dovecot, real OpenBao.

mod daemon;
mod dovecot;
mod kept;

use crate::world::Provider;
use keyrelay::domain::{Grant, Secret};

/// With the refresh token that is worth something now.
fn grant(provider: &Provider) -> Grant {
    Grant {
        token_url: provider.token_url(),
        client_id: "relay".into(),
        client_secret: Some(Secret::new("a client's secret")),
        refresh_token: Some(Secret::new(&provider.refresh_token())),
        scope: String::new(),
    }
}
