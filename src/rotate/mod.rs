//! Adapter: asks a vendor's API for a new key. It sends one request and hands over what came back, to the byte: what the
//! answer means is read only when it is safe. It never asks twice.

#[cfg(test)]
mod tests;

use crate::{
    ask::{self, Request},
    domain::{Key, Limits, spell_duration},
    vendor::Profile,
};
use reqwest::{Client, Method, Response};
use rustls::ClientConfig;
use std::time::Duration;
use zeroize::Zeroizing;

/// Far more than an answer with a key has, and little enough for one file in the spool, in bytes.
pub const BODY_MAX: usize = 32 << 10;

/// What came of one call.
#[derive(Debug)]
pub enum Called {
    /// The body as far as it came: an answer that breaks off may still hold the whole key.
    Answered { status: u16, body: Zeroizing<Vec<u8>> },
    /// The request may have been carried out, and nothing of an answer is here.
    Lost(String),
    /// The request never left.
    Unsent(String),
}

/// Sends one request for each call, on a connection of its own.
pub struct Rotator {
    client: Client,
    timeout: Duration,
}

impl Rotator {
    /// Trusts the certificates that the machine trusts. The error says why no client could be made.
    pub fn new(limits: &Limits) -> Result<Self, String> {
        Self::trusting(ask::machines_trust()?, limits)
    }
    pub(crate) fn trusting(tls: ClientConfig, limits: &Limits) -> Result<Self, String> {
        // No connection is kept: the client may send a request again that a kept one did not take.
        let client = ask::client(tls, limits.rotate_timeout(), 0)?;
        Ok(Self { client, timeout: limits.rotate_timeout() })
    }

    /// Asks once.
    pub async fn call(&self, profile: &Profile, key: &Key) -> Called {
        let Some(call) = &profile.rotation.call else {
            return Called::Unsent("the vendor's profile has no call that rotates".into());
        };
        let what = "the vendor's rotation.call";
        let request = match Request::new(profile, key, Method::POST, &call.post, what) {
            Ok(request) => request.json(call.body(profile.grace).map(|json| json.to_string())),
            Err(why) => return Called::Unsent(why),
        };
        let host = request.host();
        match request.to_send(&self.client).send().await {
            Ok(response) => self.read(response, &host).await,
            Err(error) if error.is_connect() || error.is_builder() => {
                Called::Unsent(ask::name_trouble(&error, &host, self.timeout))
            }
            Err(error) => Called::Lost(ask::name_trouble(&error, &host, self.timeout)),
        }
    }

    async fn read(&self, mut response: Response, host: &str) -> Called {
        let status = response.status().as_u16();
        // Room for all of it: what grows leaves copies behind in memory.
        let mut body = Zeroizing::new(Vec::with_capacity(BODY_MAX));
        let ended = loop {
            match response.chunk().await {
                Ok(None) => break Ok(()),
                Ok(Some(chunk)) => {
                    let room = BODY_MAX - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() > room {
                        break Ok(());
                    }
                }
                Err(error) => break Err(ask::name_trouble(&error, host, self.timeout)),
            }
        };
        match ended {
            Err(why) if body.is_empty() => {
                let took = spell_duration(self.timeout);
                Called::Lost(format!("{status} without its body ({why}; the call has {took})"))
            }
            Ok(()) | Err(_) => Called::Answered { status, body },
        }
    }
}
