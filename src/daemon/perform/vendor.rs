//! Asking vendors.

use super::key;
use crate::{
    daemon::tools::Tools,
    domain::{CredentialName, Fingerprint, Key, ProbeAnswer},
    probe::random_like,
    rotation::Event,
};
use std::sync::Arc;

pub async fn probe(
    tools: &Tools,
    name: &CredentialName,
    fingerprint: Fingerprint,
    fresh: bool,
) -> ProbeAnswer {
    let Some(profile) = tools.profile(name) else {
        return ProbeAnswer::unclear("the credential is no longer configured");
    };
    match key(tools, name, fingerprint) {
        Ok(key) if fresh => Box::pin(tools.vendor.probe_on_fresh_connection(profile, &key)).await,
        Ok(key) => Box::pin(tools.vendor.probe(profile, &key)).await,
        Err(why) => ProbeAnswer::unclear(why),
    }
}

/// Tries a random key of the same shape as this credential's: a vendor that calls it alive proves nothing.
pub async fn control(tools: Arc<Tools>, origin: String, name: CredentialName) -> Event {
    let answer = match (tools.profile(&name), tools.keyring.all(&name).first()) {
        (Some(profile), Some(key)) => match random_key(key) {
            Ok(random) => tools.vendor.probe(profile, &random).await,
            Err(why) => ProbeAnswer::unclear(why),
        },
        (None, _) => ProbeAnswer::unclear("the credential is no longer configured"),
        (_, None) => ProbeAnswer::unclear("there is no key yet whose shape a random one could have"),
    };
    Event::ControlFinished { origin, answer }
}
fn random_key(like: &Key) -> Result<Key, String> {
    let mut failed = false;
    let mut random = || {
        let mut byte = [0];
        failed |= getrandom::fill(&mut byte).is_err();
        byte[0]
    };
    let key = random_like(&like.shape(), &mut random);
    if failed { Err("the system gives no random bytes".into()) } else { Ok(key) }
}
