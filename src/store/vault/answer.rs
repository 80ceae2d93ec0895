//! What an answer of the server means. Pure. Of a server's own words only those on a list reach an operator: a
//! server or a proxy between may quote what was sent to it.

use super::{Document, Fields, Read, transport::Answer};
use crate::domain::{StoreTrouble, Timestamp, WriteOutcome};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use vaultrs::api::{
    EndpointError, EndpointResult,
    kv2::responses::{ReadSecretResponse, SecretVersionMetadata},
};

/// The check-and-set's refusal; it comes with status 400, as every other bad request does.
const MISMATCH: &str = "check-and-set parameter did not match the current version";
const SEALED: &str = "is sealed";
const NO_ROUTE: &str = "no handler for route";
/// A standby that would hand the request on, while the cluster has no active node.
const NO_LEADER: &str = "active cluster node not found";
/// Vault's word for a token that it does not know.
const INVALID_TOKEN: &str = "invalid token";

/// Words of the server's that help and hold nothing of ours.
const KNOWN: [&str; 8] = [
    "permission denied",
    "invalid role or secret ID",
    "check-and-set parameter required for this call",
    "rate limit quota exceeded",
    "namespace not found",
    "unsupported path",
    "no space left on device",
    "Upgrading from non-versioned to versioned data",
];

/// What a read's answer means; `doing` is `reading secret/data/vendors/leaf7/main`.
pub(super) fn read(answer: &Answer, doing: &str) -> Read {
    match answer.status {
        200 => match present(answer) {
            Some(document) => Read::Present(document),
            None => Read::Failed(StoreTrouble::Refused(format!("{doing}: {NOT_KV2}"))),
        },
        404 => match (metadata(answer), errors(answer)) {
            (Some(metadata), _) => Read::Deleted { version: metadata.version },
            (None, Some(errors)) if errors.is_empty() => Read::Absent,
            (None, _) => Read::Failed(trouble(answer, doing)),
        },
        _ => Read::Failed(trouble(answer, doing)),
    }
}

const NOT_KV2: &str = "the answer is not that of a KV version 2 engine; look at the mount";

/// What a write's answer means. After an error of the server itself, nobody knows whether it was written.
pub(super) fn write(answer: &Answer, doing: &str) -> WriteOutcome {
    match answer.status {
        200 => match data::<SecretVersionMetadata>(answer) {
            Some(metadata) => WriteOutcome::Written { version: metadata.version },
            None => WriteOutcome::Unknown(format!("{doing}: the answer to it makes no sense")),
        },
        204 => WriteOutcome::Failed(StoreTrouble::Refused(format!("{doing}: {NOT_KV2}"))),
        400 if says(answer, MISMATCH) => WriteOutcome::Mismatch,
        500.. if is_elsewhere(answer) => WriteOutcome::Failed(trouble(answer, doing)),
        500.. => WriteOutcome::Unknown(format!("{doing}: {}", said(answer))),
        _ => WriteOutcome::Failed(trouble(answer, doing)),
    }
}

/// What a node says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Active,
    /// Unsealed; it hands requests on, or names the active node.
    Standby,
    Sealed,
    /// Not initialised, of a mirror, or no node at all.
    Strange,
}

pub(super) fn condition(answer: &Answer) -> Condition {
    match serde_json::from_slice::<Health>(&answer.body) {
        Ok(Health { initialized: false, .. }) | Err(_) => Condition::Strange,
        Ok(Health { sealed: true, .. }) => Condition::Sealed,
        Ok(Health { standby: true, .. }) => Condition::Standby,
        Ok(Health { standby: false, .. }) if answer.status == 200 => Condition::Active,
        // A cluster that only mirrors another one answers 472.
        Ok(Health { standby: false, .. }) => Condition::Strange,
    }
}

#[derive(Deserialize)]
struct Health {
    initialized: bool,
    sealed: bool,
    #[serde(default)]
    standby: bool,
}

/// Whether this node surely did nothing, and another one may.
pub(super) fn is_elsewhere(answer: &Answer) -> bool {
    answer.status >= 500 && (says(answer, SEALED) || says(answer, NO_LEADER))
}

/// Whether a question about the token itself was refused because the store does not know it: it has ended or was
/// revoked. One that lives and may not ask is refused in a longer text.
pub(super) fn is_of_dead_token(answer: &Answer) -> bool {
    let bare = |error: &String| error == "permission denied" || error == "bad token";
    answer.status == 403
        && (says(answer, INVALID_TOKEN)
            || errors(answer).is_some_and(|errors| errors.len() == 1 && errors.iter().all(bare)))
}

/// Whether the server can work: an unsealed standby forwards, and answers 429 here (a quota does so elsewhere).
pub(super) fn health(answer: &Answer) -> Result<(), StoreTrouble> {
    match serde_json::from_slice::<Health>(&answer.body) {
        Ok(Health { initialized: false, .. }) => {
            Err(StoreTrouble::Refused("it is not initialised; type: bao operator init".to_owned()))
        }
        Ok(Health { sealed: true, .. }) => Err(StoreTrouble::Sealed),
        Ok(Health { sealed: false, .. }) => Ok(()),
        Err(_) if answer.status == 200 => {
            Err(StoreTrouble::Refused("what answers at its address is neither Vault nor OpenBao".to_owned()))
        }
        Err(_) => Err(trouble(answer, "asking for its health")),
    }
}

/// What went wrong, by status.
pub(super) fn trouble(answer: &Answer, doing: &str) -> StoreTrouble {
    let status = answer.status;
    match status {
        300..400 => StoreTrouble::Unreachable(format!("{doing}: a redirect ({status}) that is not followed")),
        403 => StoreTrouble::Forbidden(format!("{doing}: {}", said(answer))),
        404 if says(answer, NO_ROUTE) => {
            StoreTrouble::Refused(format!("{doing}: nothing is mounted there; look at the mount"))
        }
        412 => StoreTrouble::Unreachable(format!("{doing}: this node does not know of the last write yet")),
        501 => StoreTrouble::Refused("it is not initialised; type: bao operator init".to_owned()),
        _ if says(answer, SEALED) => StoreTrouble::Sealed,
        _ if says(answer, NO_LEADER) => StoreTrouble::Unreachable(format!("{doing}: no node is active")),
        502..=504 => StoreTrouble::Unreachable(format!("{doing}: {}", said(answer))),
        _ => StoreTrouble::Refused(format!("{doing}: {}", said(answer))),
    }
}

/// The answer's payload; `None` where it is missing or of another shape. Why is not asked: serde's errors quote values.
pub(super) fn data<T: DeserializeOwned>(answer: &Answer) -> Option<T> {
    serde_json::from_slice::<EndpointResult<T>>(&answer.body).ok()?.data
}

fn present(answer: &Answer) -> Option<Document> {
    let ReadSecretResponse { data, metadata } = data(answer)?;
    let fields = Fields::from_json(data)?;
    let created_at = metadata.created_time.parse::<Timestamp>().ok()?;
    Some(Document { version: metadata.version, created_at, fields })
}

/// A deleted version's answer has metadata beside no data.
fn metadata(answer: &Answer) -> Option<SecretVersionMetadata> {
    data::<ReadSecretResponse>(answer).filter(|found| found.data == Value::Null).map(|found| found.metadata)
}

fn errors(answer: &Answer) -> Option<Vec<String>> {
    serde_json::from_slice::<EndpointError>(&answer.body).ok().map(|error| error.errors)
}

fn says(answer: &Answer, phrase: &str) -> bool {
    errors(answer).is_some_and(|errors| errors.iter().any(|error| error.contains(phrase)))
}

/// `400 (invalid role or secret ID)`, or the number alone.
fn said(answer: &Answer) -> String {
    match KNOWN.into_iter().find(|phrase| says(answer, phrase)) {
        Some(phrase) => format!("{} ({phrase})", answer.status),
        None => answer.status.to_string(),
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
