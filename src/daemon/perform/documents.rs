//! The key document and the state document.

use super::{key, store_call};
use crate::{
    daemon::{clock, tools::Tools},
    domain::{CredentialName, KeyRead, StoreTrouble, Timestamp, WriteOutcome},
    rotation::{Attempt, Input, Promotion, SCHEMA, StateDocument, StateRead},
    store::{Document, Fields, Read, layout},
};

pub async fn read(tools: &Tools, name: &CredentialName, attempt: Attempt, with_state: bool) -> Input {
    let state = async {
        match with_state {
            true => Some(read_state(tools, name).await),
            false => None,
        }
    };
    let (key, state) = tokio::join!(read_key(tools, name), state);
    Input::DocumentsRead { attempt, key, state }
}

async fn read_key(tools: &Tools, name: &CredentialName) -> KeyRead {
    let Some((credential, profile)) = tools.config.credentials.get(name).zip(tools.profile(name)) else {
        return KeyRead::Failed(StoreTrouble::Refused("the credential is no longer configured".into()));
    };
    let (store, _permit) = store_call(tools).await;
    match store.read(None, &credential.path).await {
        Read::Present(document) => {
            let fields = layout::read_key(&document, &credential.field, &profile.key.prefix);
            let keys = [fields.current, fields.previous];
            for key in keys.into_iter().flatten() {
                let fingerprint = key.fingerprint_without(&profile.key.prefix);
                tools.keyring.insert(name, fingerprint, key);
            }
            tools.remember_document(name, document);
            KeyRead::Present(fields.document)
        }
        Read::Absent => {
            tools.remember_document(name, nothing(0));
            KeyRead::Absent
        }
        Read::Deleted { version } => {
            tools.remember_document(name, nothing(version));
            KeyRead::Deleted { version }
        }
        Read::Failed(trouble) => KeyRead::Failed(trouble),
    }
}

/// What a write is laid over where there is no document.
fn nothing(version: u64) -> Document {
    Document { version, created_at: Timestamp::MIN, fields: Fields::default() }
}

async fn read_state(tools: &Tools, name: &CredentialName) -> StateRead {
    let (store, _permit) = store_call(tools).await;
    match store.read(None, &tools.state_path(name)).await {
        Read::Present(document) => match parse_state(document.fields.to_json()) {
            Ok(state) => StateRead::Present { version: document.version, document: Box::new(state) },
            Err(why) => StateRead::Refused { why },
        },
        Read::Absent => StateRead::Absent { version: 0 },
        Read::Deleted { version } => StateRead::Absent { version },
        Read::Failed(trouble) => StateRead::Failed(trouble),
    }
}
/// The schema is looked at first: what another version wrote is refused in words.
fn parse_state(json: serde_json::Value) -> Result<StateDocument, String> {
    let schema = json.get("schema").and_then(serde_json::Value::as_u64);
    match schema {
        Some(schema) if schema == u64::from(SCHEMA) => {
            let why = |error: serde_json::Error| {
                format!("they are of schema {SCHEMA}, and this version does not understand them: {error}")
            };
            serde_json::from_value(json).map_err(why)
        }
        Some(schema) => Err(format!("they are of schema {schema}, and this version reads schema {SCHEMA}")),
        None => Err("they name no schema".into()),
    }
}

pub async fn promote(tools: &Tools, name: &CredentialName, cas: u64, promotion: &Promotion) -> WriteOutcome {
    let Some((credential, profile)) = tools.config.credentials.get(name).zip(tools.profile(name)) else {
        return refused("the credential is no longer configured");
    };
    // A write is laid over exactly the version that it names.
    let Some(base) = tools.fields(name, cas) else { return WriteOutcome::Mismatch };
    let previous = promotion.previous.map(|fingerprint| key(tools, name, fingerprint)).transpose();
    let (new, previous) = match (key(tools, name, promotion.fingerprint), previous) {
        (Ok(new), Ok(previous)) => (new, previous),
        (Err(why), _) | (_, Err(why)) => return WriteOutcome::Failed(StoreTrouble::Refused(why)),
    };
    let written = layout::Promotion {
        generation: promotion.generation,
        rotated_at: promotion.rotated_at,
        rotation_id: promotion.rotation_id,
        previous_expires_at: promotion.previous_expires_at,
    };
    let fields =
        layout::promoted(&base, &credential.field, &profile.key.prefix, &written, &new, previous.as_ref());
    let (store, _permit) = store_call(tools).await;
    store.write(None, &credential.path, &fields, cas).await
}

pub async fn retire(tools: &Tools, name: &CredentialName, cas: u64) -> WriteOutcome {
    let Some(credential) = tools.config.credentials.get(name) else {
        return refused("the credential is no longer configured");
    };
    let Some(base) = tools.fields(name, cas) else { return WriteOutcome::Mismatch };
    let fields = layout::retired(&base, &credential.field);
    let (store, _permit) = store_call(tools).await;
    let outcome = store.write(None, &credential.path, &fields, cas).await;
    if let WriteOutcome::Written { version } = outcome {
        tools.remember_document(name, Document { version, created_at: clock::now(), fields });
    }
    outcome
}

pub async fn save_state(
    tools: &Tools,
    name: &CredentialName,
    cas: u64,
    document: &StateDocument,
) -> WriteOutcome {
    let fields =
        serde_json::to_value(document).map_err(|error| error.to_string()).and_then(layout::state_fields);
    let fields = match fields {
        Ok(fields) => fields,
        Err(why) => return refused(&format!("the state document: {why}")),
    };
    let (store, _permit) = store_call(tools).await;
    store.write(None, &tools.state_path(name), &fields, cas).await
}

fn refused(why: &str) -> WriteOutcome {
    WriteOutcome::Failed(StoreTrouble::Refused(why.to_owned()))
}
