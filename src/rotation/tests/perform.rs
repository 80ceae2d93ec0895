//! The world answers an action, as the shell and its adapters would.

use super::world::World;
use crate::{
    domain::{CredentialName, Timestamp},
    rotation::{Action, CallAction, CallInput, Input},
};

pub fn perform(world: &mut World, name: &CredentialName, action: Action, now: Timestamp) -> Option<Input> {
    Some(match action {
        Action::ReadDocuments { attempt, with_state } => {
            let (key, state) = world.read(name, with_state);
            Input::DocumentsRead { attempt, key, state }
        }
        Action::ProbeKey { attempt, fingerprint, .. } => {
            Input::ProbeFinished { attempt, fingerprint, answer: world.probe(fingerprint) }
        }
        Action::StoreKey { attempt, cas, promotion } => {
            Input::KeyStored { attempt, outcome: world.promote(name, cas, &promotion, now) }
        }
        Action::RetireKey { attempt, cas } => Input::KeyRetired { attempt, outcome: world.retire(name, cas) },
        Action::SaveState { attempt, cas, document } => {
            Input::StateSaved { attempt, outcome: world.save(name, cas, &document) }
        }
        Action::SpoolKey { fingerprint, origin, dated, rotated_at, held } => {
            let outcome = world.spool_trouble.clone().map_or(Ok(()), Err);
            if outcome.is_ok() {
                world.spool.insert(fingerprint, (name.clone(), origin, dated, rotated_at, held));
            }
            Input::Spooled { fingerprint, outcome }
        }
        Action::DropSpooled { fingerprint } => {
            world.spool.remove(&fingerprint);
            return None;
        }
        Action::CompareCopy { consumer, attempt, fingerprint } => {
            let outcome = world.compare(&consumer, fingerprint);
            Input::CopyCompared { consumer, attempt, outcome }
        }
        Action::Deliver { consumer, attempt, fingerprint } => {
            let outcome = world.deliver(&consumer, fingerprint);
            Input::Delivered { consumer, attempt, outcome }
        }
        Action::Act { consumer, attempt } => {
            let outcome = world.act(&consumer);
            Input::Acted { consumer, attempt, outcome }
        }
        Action::Prove { consumer, attempt, fingerprint } => {
            let outcome = world.prove(name, &consumer, fingerprint, now);
            Input::Proved { consumer, attempt, outcome }
        }
        Action::Rehearse { consumer, attempt } => {
            let outcome = world.rehearse(&consumer);
            Input::Rehearsed { consumer, attempt, outcome }
        }
        Action::Call(action) => return call(world, action, now),
    })
}

fn call(world: &mut World, action: CallAction, now: Timestamp) -> Option<Input> {
    let spool = world.spool_trouble.clone().map_or(Ok(()), Err);
    Some(match action {
        CallAction::TrySpool { wish } => Input::Call(CallInput::SpoolTried { wish, outcome: spool }),
        CallAction::CallRotation { wish, fingerprint, by } => world.api.call(wish, fingerprint, by, now)?,
        CallAction::KeepAnswer { attempt, wish } => {
            Input::Call(CallInput::AnswerKept { wish, attempt, outcome: spool })
        }
        CallAction::DropAnswer { wish } => {
            world.api.answers.remove(&wish);
            return None;
        }
    })
}
