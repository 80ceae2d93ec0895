//! The journal's story of a rotation: one line for each change that an operator would want to have seen.

use crate::{
    domain::{CallOutcome, CredentialName, ProofLevel, Timestamp},
    rotation::{CallInput, CredentialView, Event, Fleet, Input, Phase, Rotation},
};
use std::collections::BTreeMap;

/// The phase that was last told of each credential: what changes it is not always an event of its own.
#[derive(Default)]
pub struct Phases(BTreeMap<CredentialName, Phase>);

impl Phases {
    /// Of a credential that an event concerned, or that effects came out for.
    pub fn tell(&mut self, rotation: &Rotation, event: &str) {
        let (name, phase) = (rotation.name(), rotation.phase());
        let before = self.0.insert(name.clone(), phase).unwrap_or(Phase::Unseeded);
        if before != phase {
            tracing::info!("{name}: {before} --{event}--> {phase}: {}", meaning(phase));
        }
    }
}

/// What else may change in one step of one credential.
pub struct Before(CredentialView);

pub fn before(fleet: &Fleet, rotation: &Rotation, now: Timestamp) -> Before {
    Before(fleet.view(rotation, now))
}

/// Tells what changed.
pub fn tell(Before(before): &Before, fleet: &Fleet, rotation: &Rotation, now: Timestamp) {
    let (name, after) = (rotation.name(), fleet.view(rotation, now));
    if before.generation != after.generation && before.fingerprint.is_some() {
        let key = after.fingerprint.as_deref().unwrap_or("none");
        tracing::info!("{name}: {key} is the current key (generation {})", after.generation);
    }
    for consumer in &after.consumers {
        let known = before.consumers.iter().find(|known| known.name == consumer.name);
        let changed = known
            .is_none_or(|known| (known.proof, &known.fingerprint) != (consumer.proof, &consumer.fingerprint));
        if changed
            && consumer.proof > ProofLevel::Unproven
            && let Some(key) = &consumer.fingerprint
        {
            tracing::info!("{name}: {} works with {key}: {}", consumer.name, consumer.proof.words());
        }
        if known.map(|known| &known.error) != Some(&consumer.error)
            && let Some(error) = &consumer.error
        {
            tracing::info!("{name}: {}: {error}", consumer.name);
        }
    }
}

/// What happens in a phase, for who does not know its name.
fn meaning(phase: Phase) -> &'static str {
    match phase {
        Phase::Unseeded => "there is no key yet",
        Phase::Steady => "no rotation is under way",
        Phase::Announced => "a new key is coming; all that its rotation needs is tried now",
        Phase::Probing => "a new key is here; the vendor is asked whether it works, and whose it is",
        Phase::Storing => "the new key works and is ours; it is written to the store",
        Phase::HandingOver => "the store has the new key; the consumers get it, and each is tested",
        Phase::Parked(_) => "an operator is needed",
    }
}

/// The event as a past participle with its fingerprint: all that the journal says of it.
pub fn name_of(event: &Event) -> String {
    let input = match event {
        Event::Credential { input, .. } => input,
        Event::Configured(_) => return "Configured".into(),
        Event::ConfigRefused { .. } => return "ConfigRefused".into(),
        Event::Mailbox { name, .. } => return format!("Mailbox({name})"),
        Event::StoreChecked { outcome: Ok(_) } => return "StoreChecked".into(),
        Event::StoreChecked { outcome: Err(_) } => return "StoreChecked(failed)".into(),
        Event::ControlFinished { answer, .. } => return format!("ControlFinished({})", answer.verdict),
        Event::AlertsFound { .. } => return "AlertsFound".into(),
        Event::AlertsSaved { .. } => return "AlertsSaved".into(),
        Event::BeatSent { .. } => return "BeatSent".into(),
        Event::NoticeSent { .. } => return "NoticeSent".into(),
        Event::KeysChanged => return "KeysChanged".into(),
        Event::Tick(schedule) => return format!("Tick({schedule:?})"),
        Event::ClockSet { before } => return format!("ClockSet({before})"),
        Event::CallAsked { name, .. } => return format!("CallAsked({name})"),
        Event::Stopping => return "Stopping".into(),
    };
    match input {
        Input::DocumentsRead { .. } => "DocumentsRead".into(),
        Input::MailsSeen { findings, .. } => format!("MailsSeen({})", findings.len()),
        Input::MailTidied { .. } => "MailTidied".into(),
        Input::ProbeFinished { fingerprint, answer, .. } => {
            format!("ProbeFinished({fingerprint} {})", answer.verdict)
        }
        Input::KeyStored { .. } => "KeyStored".into(),
        Input::KeyRetired { .. } => "KeyRetired".into(),
        Input::StateSaved { .. } => "StateSaved".into(),
        Input::Spooled { fingerprint, .. } => format!("Spooled({fingerprint})"),
        Input::SpoolFound { fingerprint, .. } => format!("SpoolFound({fingerprint})"),
        Input::SpoolUnreadable { .. } => "SpoolUnreadable".into(),
        Input::CopyCompared { consumer, .. } => format!("CopyCompared({consumer})"),
        Input::Delivered { consumer, .. } => format!("Delivered({consumer})"),
        Input::Acted { consumer, .. } => format!("Acted({consumer})"),
        Input::Proved { consumer, .. } => format!("Proved({consumer})"),
        Input::Rehearsed { consumer, .. } => format!("Rehearsed({consumer})"),
        Input::Ingested { fingerprint, .. } => format!("Ingested({fingerprint})"),
        Input::Accepted { fingerprint, .. } => format!("Accepted({fingerprint})"),
        Input::RollbackAsked { .. } => "RollbackAsked".into(),
        Input::DeliverAsked { .. } => "DeliverAsked".into(),
        Input::ProveAsked { .. } => "ProveAsked".into(),
        Input::Unauthorized { .. } => "Unauthorized".into(),
        Input::Call(CallInput::RotateAsked { .. }) => "RotateAsked".into(),
        Input::Call(CallInput::RotationDue { .. }) => "RotationDue".into(),
        Input::Call(CallInput::SpoolTried { .. }) => "SpoolTried".into(),
        Input::Call(CallInput::RotationAnswered { outcome, .. }) => match outcome {
            CallOutcome::Issued(key) => format!("RotationAnswered({})", key.fingerprint),
            CallOutcome::Refused { .. } => "RotationAnswered(refused)".into(),
            CallOutcome::Unread { .. } => "RotationAnswered(unread)".into(),
            CallOutcome::Lost { .. } => "RotationAnswered(lost)".into(),
            CallOutcome::Unsent { .. } => "RotationAnswered(unsent)".into(),
        },
        Input::Call(CallInput::AnswerKept { .. }) => "AnswerKept".into(),
    }
}
