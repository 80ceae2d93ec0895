//! Effects become calls of adapters, and their outcomes events. There is no `if` about a rotation in here.

mod consumers;
mod documents;
mod notices;
mod rotate;
mod vendor;

use crate::{
    daemon::{tools::Tools, watcher::TidyAnswer},
    domain::{CredentialName, Fingerprint, Key, MailPlace},
    rotation::{Action, Attempt, Event, Input},
    spool::Note,
    store,
};
use std::sync::Arc;
use tokio::sync::oneshot;

pub use notices::{beat, journal, save as save_alerts, send as notice};
pub use rotate::read as read_answer;
pub use vendor::control;

/// Performs one action of one credential. `None`: nothing is to be said of it.
pub async fn action(tools: Arc<Tools>, name: CredentialName, action: Action) -> Option<Event> {
    let input = match action {
        Action::ReadDocuments { attempt, with_state } => {
            documents::read(&tools, &name, attempt, with_state).await
        }
        Action::StoreKey { attempt, cas, promotion } => {
            let outcome = documents::promote(&tools, &name, cas, &promotion).await;
            Input::KeyStored { attempt, outcome }
        }
        Action::RetireKey { attempt, cas } => {
            let outcome = documents::retire(&tools, &name, cas).await;
            Input::KeyRetired { attempt, outcome }
        }
        Action::SaveState { attempt, cas, document } => {
            let outcome = documents::save_state(&tools, &name, cas, &document).await;
            Input::StateSaved { attempt, outcome }
        }
        Action::ProbeKey { attempt, fingerprint, fresh_connection, .. } => {
            let answer = vendor::probe(&tools, &name, fingerprint, fresh_connection).await;
            Input::ProbeFinished { attempt, fingerprint, answer }
        }
        Action::SpoolKey { fingerprint, origin, dated, rotated_at, held } => {
            let spooled_at = crate::daemon::clock::now();
            let note = Note { origin, dated, rotated_at, spooled_at, held };
            let outcome = spool(&tools, &name, fingerprint, note).await;
            Input::Spooled { fingerprint, outcome }
        }
        Action::DropSpooled { fingerprint } => {
            drop_spooled(&tools, &name, fingerprint).await;
            return None;
        }
        Action::CompareCopy { consumer, attempt, fingerprint } => {
            let outcome = consumers::compare(&tools, &name, &consumer, fingerprint).await;
            Input::CopyCompared { consumer, attempt, outcome }
        }
        Action::Deliver { consumer, attempt, fingerprint } => {
            let outcome = consumers::deliver(&tools, &name, &consumer, fingerprint).await;
            Input::Delivered { consumer, attempt, outcome }
        }
        Action::Act { consumer, attempt } => {
            let outcome = consumers::act(&tools, &name, &consumer).await;
            Input::Acted { consumer, attempt, outcome }
        }
        Action::Prove { consumer, attempt, fingerprint } => {
            let outcome = consumers::prove(&tools, &name, &consumer, fingerprint).await;
            Input::Proved { consumer, attempt, outcome }
        }
        Action::Rehearse { consumer, attempt } => {
            let outcome = consumers::rehearse(&tools, &name, &consumer).await;
            Input::Rehearsed { consumer, attempt, outcome }
        }
        Action::Call(action) => Box::pin(rotate::perform(&tools, &name, action)).await?,
    };
    Some(Event::Credential { name, input })
}

/// Waits for what a mailbox's thread made of an order; one that ends meanwhile says nothing more.
pub async fn tidied(
    name: CredentialName,
    attempt: Attempt,
    answer: Option<oneshot::Receiver<TidyAnswer>>,
) -> Event {
    let outcome = match answer {
        Some(answer) => answer.await.unwrap_or_else(|_| Err("the connection has ended".into())),
        None => Err("the mailbox is not open".into()),
    };
    // What is taken out of a mailbox leaves a trace, if only in the journal.
    for (MailPlace { folder, place, .. }, what) in outcome.iter().flatten() {
        tracing::info!(credential = %name, folder, place, "a confirmation was tidied: {what:?}");
    }
    Event::Credential { name, input: Input::MailTidied { attempt, outcome } }
}

/// Asks the store for its health.
pub async fn check_store(tools: Arc<Tools>) -> Event {
    Event::StoreChecked { outcome: tools.store.health().await }
}

/// A key's value, or what to say without it. The core names only keys that were received; one that is not there is a
/// mistake of ours, which must not look like the vendor's or the consumer's.
fn key(tools: &Tools, name: &CredentialName, fingerprint: Fingerprint) -> Result<Key, String> {
    tools
        .keyring
        .get(name, fingerprint)
        .ok_or_else(|| "keyrelay does not hold this key's value (a bug: please report it)".into())
}

async fn spool(
    tools: &Arc<Tools>,
    name: &CredentialName,
    fingerprint: Fingerprint,
    note: Note,
) -> Result<(), String> {
    let key = key(tools, name, fingerprint)?;
    let (spool, name) = (tools.spool.clone(), name.clone());
    blocking(move || spool.put(&name, &key, &note)).await?
}
async fn drop_spooled(tools: &Arc<Tools>, name: &CredentialName, fingerprint: Fingerprint) {
    let (spool, credential) = (tools.spool.clone(), name.clone());
    let removed = blocking(move || spool.remove(&credential, &fingerprint)).await.and_then(|outcome| outcome);
    if let Err(why) = removed {
        tracing::warn!(credential = %name, %fingerprint, "the key stays in the spool: {why}");
    }
}

/// Runs file work off the loop's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| "the work panicked (a bug: please report it)".to_owned())
}

/// One call to the store at a time for each permit.
async fn store_call<'a>(tools: &'a Tools) -> (&'a store::Store, Option<tokio::sync::SemaphorePermit<'a>>) {
    (&tools.store, tools.store_calls.acquire().await.ok())
}
