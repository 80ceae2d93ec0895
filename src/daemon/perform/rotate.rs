//! The call that makes a new key. Its answer goes to the spool before anybody reads it.

use super::{blocking, key};
use crate::{
    daemon::{clock, tools::Tools},
    domain::{Asker, CallOutcome, CredentialName, Fingerprint, IssuedKey, RotationId},
    rotate::Called,
    rotation::{Attempt, CallAction, CallInput, Input},
    spool::Answer,
    vendor::{Issued, issued},
};
use std::sync::Arc;

/// `None`: nothing is to be said of it.
pub async fn perform(tools: &Arc<Tools>, name: &CredentialName, action: CallAction) -> Option<Input> {
    Some(match action {
        CallAction::TrySpool { wish } => try_spool(tools, wish).await,
        CallAction::CallRotation { wish, fingerprint, by } => call(tools, name, wish, fingerprint, by).await,
        CallAction::KeepAnswer { attempt, wish } => keep_answer(tools, name, attempt, wish).await,
        CallAction::DropAnswer { wish } => {
            drop_answer(tools, name, wish).await;
            return None;
        }
    })
}

/// Asks once. Nothing ends this early: whoever stops waits for it.
async fn call(
    tools: &Arc<Tools>,
    name: &CredentialName,
    wish: RotationId,
    with: Fingerprint,
    by: Asker,
) -> Input {
    let unsent = |why: String| answered(wish, by, CallOutcome::Unsent { why });
    let Some(profile) = tools.profile(name) else {
        return unsent("the credential is no longer configured".into());
    };
    let key = match key(tools, name, with) {
        Ok(key) => key,
        Err(why) => return unsent(why),
    };
    tracing::info!("{name}: {} is asked for a new key, as {by} wanted ({wish})", profile.title);
    match tools.rotator.call(profile, &key).await {
        Called::Unsent(why) => unsent(why),
        Called::Lost(why) => {
            tracing::warn!("{name}: the answer to {wish} was lost: {why}");
            answered(wish, by, CallOutcome::Lost { why })
        }
        Called::Answered { status, body } => {
            let answer = Answer { credential: name.clone(), wish, by, at: clock::now(), status, body };
            let kept = put(tools, &answer).await;
            tracing::info!("{name}: the answer to {wish} is here ({status})");
            read(tools, &answer, kept)
        }
    }
}
fn answered(wish: RotationId, by: Asker, outcome: CallOutcome) -> Input {
    Input::Call(CallInput::RotationAnswered { wish, by, at: clock::now(), outcome, kept: Ok(()) })
}

async fn put(tools: &Tools, answer: &Answer) -> Result<(), String> {
    let (spool, kept) = (tools.spool.clone(), answer.clone());
    let outcome = blocking(move || spool.put_answer(&kept)).await.and_then(|outcome| outcome);
    match outcome {
        Ok(()) => tools.unkept.remove(&answer.credential, answer.wish),
        Err(_) => tools.unkept.insert(answer.clone()),
    }
    outcome
}

/// What the answer says, by the profile as it is now; its key is in the keyring afterwards.
pub fn read(tools: &Tools, answer: &Answer, kept: Result<(), String>) -> Input {
    let Answer { credential, wish, by, at, status, body } = answer;
    let outcome = match tools.profile(credential) {
        None => CallOutcome::Unread { why: "the credential is no longer configured".into(), success: true },
        Some(profile) => match issued(profile, *status, body) {
            Issued::Key(new) => {
                let fingerprint = new.key.fingerprint_without(&profile.key.prefix);
                tools.keyring.insert(credential, fingerprint, new.key);
                let (key_id, rotated_at, old_until) = (new.key_id, new.rotated_at, new.old_until);
                CallOutcome::Issued(IssuedKey { fingerprint, key_id, rotated_at, old_until })
            }
            Issued::Refused { why } => CallOutcome::Refused { why },
            Issued::Unclear { why } => CallOutcome::Unread { why, success: may_hold_key(*status, body) },
        },
    };
    Input::Call(CallInput::RotationAnswered { wish: *wish, by: *by, at: *at, outcome, kept })
}

/// A web page, or a vendor's excuse, holds none.
fn may_hold_key(status: u16, body: &[u8]) -> bool {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    (200..300).contains(&status) && first.is_some_and(|byte| b"{[\"".contains(byte))
}

/// Tries the spool as an answer will need it.
async fn try_spool(tools: &Tools, wish: RotationId) -> Input {
    let spool = tools.spool.clone();
    let outcome = blocking(move || spool.try_out()).await.and_then(|outcome| outcome);
    Input::Call(CallInput::SpoolTried { wish, outcome })
}

async fn keep_answer(tools: &Tools, name: &CredentialName, attempt: Attempt, wish: RotationId) -> Input {
    let outcome = match tools.unkept.get(name, wish) {
        Some(answer) => put(tools, &answer).await,
        None => Ok(()),
    };
    Input::Call(CallInput::AnswerKept { wish, attempt, outcome })
}

async fn drop_answer(tools: &Tools, name: &CredentialName, wish: RotationId) {
    tools.unkept.remove(name, wish);
    let (spool, credential) = (tools.spool.clone(), name.clone());
    let removed = blocking(move || spool.remove_answer(&credential, wish)).await.and_then(|outcome| outcome);
    if let Err(why) = removed {
        tracing::warn!(credential = %name, "the answer to {wish} stays in the spool: {why}");
    }
}
