//! Handing the key to a consumer, and asking what it works with. Thousands wait here for their turn: what each call needs
//! is boxed, so that it is there only while the call is under way.

use super::{blocking, key, store_call};
use crate::{
    consumer::{
        self, Deliver, Prove, Then,
        deliver::{self, command, file},
        prove::{Http, Question, report},
    },
    daemon::{clock, tools::Tools},
    domain::{
        ActionOutcome, ConsumerName, CopyState, CredentialName, DeliveryOutcome, Fingerprint, Key,
        ProofOutcome, WriteOutcome,
    },
    store::{Fields, Read, layout},
};

fn settings<'a>(
    tools: &'a Tools,
    name: &CredentialName,
    consumer: &ConsumerName,
) -> Result<&'a consumer::Settings, String> {
    let credential = tools.config.credentials.get(name);
    let settings = credential.and_then(|credential| credential.consumers.get(consumer));
    settings.ok_or_else(|| "it is no longer configured".to_owned())
}

/// Its turn came too late: another daemon may act by now.
const OVER: &str = "this daemon's lease has ended";

pub async fn compare(
    tools: &Tools,
    name: &CredentialName,
    consumer: &ConsumerName,
    fingerprint: Fingerprint,
) -> CopyState {
    let found =
        settings(tools, name, consumer).and_then(|settings| Ok((settings, key(tools, name, fingerprint)?)));
    let (settings, key) = match found {
        Ok(found) => found,
        Err(why) => return CopyState::Failed(why),
    };
    let _permit = tools.consumer_calls.acquire().await;
    match settings.deliver.clone() {
        None | Some(Deliver::Command { .. }) => CopyState::Unreadable,
        Some(Deliver::File { path, form, mode, group }) => {
            let compared = blocking(move || file::compare(&path, &form, mode, group.as_deref(), &key)).await;
            compared.unwrap_or_else(CopyState::Failed)
        }
        Some(Deliver::Store { path, field, mount }) => {
            let (store, _permit) = store_call(tools).await;
            match store.read(Some(&mount), &path).await {
                Read::Present(document) => deliver::compare_copy(document.fields.get_str(&field), &key),
                Read::Absent | Read::Deleted { .. } => CopyState::Missing,
                Read::Failed(trouble) => CopyState::Failed(trouble.to_string()),
            }
        }
    }
}

pub async fn deliver(
    tools: &Tools,
    name: &CredentialName,
    consumer: &ConsumerName,
    fingerprint: Fingerprint,
) -> DeliveryOutcome {
    let found =
        settings(tools, name, consumer).and_then(|settings| Ok((settings, key(tools, name, fingerprint)?)));
    let (settings, key) = match found {
        Ok(found) => found,
        Err(why) => return DeliveryOutcome::Failed(why),
    };
    let _permit = tools.consumer_calls.acquire().await;
    if !tools.gate.is_open() {
        return DeliveryOutcome::Failed(OVER.into());
    }
    match settings.deliver.clone() {
        None => DeliveryOutcome::Done, // it fetches the key itself
        Some(Deliver::Command { run, env }) => {
            Box::pin(command::deliver(&run, &env, &key, &tools.keyring.all(name), &tools.limits)).await
        }
        Some(Deliver::File { path, form, mode, group }) => {
            let written = blocking(move || file::write(&path, &form, mode, group.as_deref(), &key)).await;
            written.unwrap_or_else(DeliveryOutcome::Failed)
        }
        Some(Deliver::Store { path, field, mount }) => {
            match write_copy(tools, &mount, &path, &field, &key).await {
                Ok(()) => DeliveryOutcome::Done,
                Err(why) => DeliveryOutcome::Failed(why),
            }
        }
    }
}

/// The consumer's own path: its field is set, the others are kept, and it is read back.
async fn write_copy(tools: &Tools, mount: &str, path: &str, field: &str, key: &Key) -> Result<(), String> {
    let (store, _permit) = store_call(tools).await;
    let (base, version) = match store.read(Some(mount), path).await {
        Read::Present(document) => (document.fields, document.version),
        Read::Absent => (Fields::default(), 0),
        Read::Deleted { version } => (Fields::default(), version),
        Read::Failed(trouble) => return Err(trouble.to_string()),
    };
    match store.write(Some(mount), path, &layout::with_copy(&base, field, key), version).await {
        WriteOutcome::Written { .. } | WriteOutcome::Unknown(_) => {}
        WriteOutcome::Mismatch => return Err(format!("somebody else wrote to {path} at the same time")),
        WriteOutcome::Failed(trouble) => return Err(trouble.to_string()),
    }
    match store.read(Some(mount), path).await {
        Read::Present(document)
            if deliver::compare_copy(document.fields.get_str(field), key) == CopyState::Same =>
        {
            Ok(())
        }
        Read::Present(_) | Read::Absent | Read::Deleted { .. } => {
            Err(format!("{path} does not hold the key after it was written"))
        }
        Read::Failed(trouble) => Err(trouble.to_string()),
    }
}

pub async fn act(tools: &Tools, name: &CredentialName, consumer: &ConsumerName) -> ActionOutcome {
    let settings = match settings(tools, name, consumer) {
        Ok(settings) => settings,
        Err(why) => return ActionOutcome::Failed(why),
    };
    match &settings.then {
        None => ActionOutcome::Done, // the configuration has changed
        Some(_) if !tools.gate.is_open() => ActionOutcome::Failed(OVER.into()),
        Some(Then::Exec(argv)) => {
            let _permit = tools.consumer_calls.acquire().await;
            Box::pin(command::act(argv, &tools.keyring.all(name), &tools.limits)).await
        }
        // Almost all of it is waiting, which must not keep the others from their keys.
        Some(Then::Unit(verb, unit)) => Box::pin(tools.units.act(*verb, unit)).await,
    }
}

pub async fn prove(
    tools: &Tools,
    name: &CredentialName,
    consumer: &ConsumerName,
    fingerprint: Fingerprint,
) -> ProofOutcome {
    let found =
        settings(tools, name, consumer).and_then(|settings| Ok((settings, key(tools, name, fingerprint)?)));
    let (settings, key) = match found {
        Ok(found) => found,
        Err(why) => return ProofOutcome::Silent(why),
    };
    let others: Vec<Key> = tools.keyring.all(name).into_iter().filter(|other| *other != key).collect();
    let question = Question { credential: name, consumer, key: &key, others: &others, now: clock::now() };
    if let Some((unit, file)) = settings.unit_to_prove() {
        return Box::pin(tools.units.loaded(unit, file, question.now)).await;
    }
    let _permit = tools.consumer_calls.acquire().await;
    match &settings.prove {
        None => ProofOutcome::Silent("there is nothing to ask it by".into()),
        Some(Prove::Http { urls, instances, ca_cert, bearer }) => {
            let (ca_cert, bearer) = (ca_cert.as_deref(), bearer.as_ref());
            let http = Http { urls, instances: *instances, ca_cert, bearer };
            Box::pin(tools.consumers.http(&http, &question)).await
        }
        Some(Prove::Command { run }) => Box::pin(tools.consumers.command(run, &question)).await,
        Some(Prove::Report { within }) => report(tools, &question, *within).await,
    }
}

async fn report(tools: &Tools, question: &Question<'_>, within: std::time::Duration) -> ProofOutcome {
    let (credential, consumer) = (question.credential, question.consumer);
    let path = format!("{}/_reports/{credential}/{consumer}", tools.config.state_path);
    let (store, _permit) = store_call(tools).await;
    let report = match store.read(None, &path).await {
        Read::Present(document) => Some(document.fields.to_json()),
        Read::Absent | Read::Deleted { .. } => None,
        Read::Failed(trouble) => return ProofOutcome::Silent(trouble.to_string()),
    };
    let since = tools.written_at(credential);
    let bounds = report::Bounds { within, since, clock_skew: tools.limits.clock_skew };
    report::judge(report.as_ref(), question, &bounds)
}

/// Whether the delivery could be written, and the unit be acted on, without changing anything.
pub async fn rehearse(tools: &Tools, name: &CredentialName, consumer: &ConsumerName) -> DeliveryOutcome {
    let settings = match settings(tools, name, consumer) {
        Ok(settings) => settings,
        Err(why) => return DeliveryOutcome::Failed(why),
    };
    let tried = match settings.deliver.clone() {
        None | Some(Deliver::Command { .. } | Deliver::Store { .. }) => DeliveryOutcome::Done, // nothing to try without doing it
        Some(Deliver::File { path, mode, group, .. }) => {
            let tried = blocking(move || file::rehearse(&path, mode, group.as_deref())).await;
            tried.unwrap_or_else(DeliveryOutcome::Failed)
        }
    };
    match (tried, &settings.then) {
        (DeliveryOutcome::Done, Some(Then::Unit(verb, unit))) => {
            Box::pin(tools.units.rehearse(*verb, unit)).await
        }
        (tried, Some(Then::Unit(..) | Then::Exec(_)) | None) => tried,
    }
}
