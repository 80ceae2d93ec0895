//! The journal's story of a rotation: one line for each change that an operator would want to have seen.

use crate::{
    domain::{ProofLevel, Timestamp},
    rotation::{CredentialView, Event, Fleet, Input, Phase, Rotation},
};

/// What may change in one step of one credential.
pub struct Before {
    phase: Phase,
    view: CredentialView,
}

pub fn before(fleet: &Fleet, rotation: &Rotation, now: Timestamp) -> Before {
    Before { phase: rotation.phase(), view: fleet.view(rotation, now) }
}

/// Tells what changed; `event` is the short name of what made it change.
pub fn tell(before: &Before, fleet: &Fleet, rotation: &Rotation, event: &str, now: Timestamp) {
    let (name, after) = (rotation.name(), fleet.view(rotation, now));
    let phase = rotation.phase();
    if before.phase != phase {
        tracing::info!("{name}: {} --{event}--> {phase}: {}", before.phase, meaning(phase));
    }
    if before.view.generation != after.generation && before.view.fingerprint.is_some() {
        let key = after.fingerprint.as_deref().unwrap_or("none");
        tracing::info!("{name}: {key} is the current key (generation {})", after.generation);
    }
    for consumer in &after.consumers {
        let known = before.view.consumers.iter().find(|known| known.name == consumer.name);
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
    let Event::Credential { input, .. } = event else { return "Deadline".into() };
    match input {
        Input::DocumentsRead { .. } => "DocumentsRead".into(),
        Input::MailsSeen { findings, .. } => format!("MailsSeen({})", findings.len()),
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
        Input::DeliverAsked { .. } => "DeliverAsked".into(),
        Input::ProveAsked { .. } => "ProveAsked".into(),
        Input::Unauthorized { .. } => "Unauthorized".into(),
    }
}
