//! What kind of thing an event or an effect is, as far as the shell must know to hold it back, or to wait for it.

use crate::{
    domain::{Code, Notice, WriteOutcome},
    rotation::{Action, CallAction, CallInput, Effect, Event, Input},
};

/// What a call for a new key came to.
pub(super) fn is_answer(event: &Event) -> bool {
    matches!(event, Event::Credential { input: Input::Call(CallInput::RotationAnswered { .. }), .. })
}

/// Whether an action writes, tells or runs anything.
pub(super) fn changes_something(action: &Action) -> bool {
    match action {
        Action::ReadDocuments { .. }
        | Action::ProbeKey { .. }
        | Action::CompareCopy { .. }
        | Action::Prove { .. } => false,
        Action::StoreKey { .. }
        | Action::RetireKey { .. }
        | Action::SaveState { .. }
        | Action::SpoolKey { .. }
        | Action::DropSpooled { .. }
        | Action::Deliver { .. }
        | Action::Act { .. }
        | Action::Rehearse { .. }
        | Action::Call(CallAction::TrySpool { .. })
        | Action::Call(CallAction::CallRotation { .. })
        | Action::Call(CallAction::KeepAnswer { .. })
        | Action::Call(CallAction::DropAnswer { .. }) => true,
    }
}

/// What brings the only copy of something into the spool, and its end.
pub(super) fn keeps_what_is_nowhere_else(action: &Action) -> bool {
    matches!(action, Action::SpoolKey { .. } | Action::Call(CallAction::KeepAnswer { .. }))
}
pub(super) fn is_kept(event: &Event) -> bool {
    let Event::Credential { input, .. } = event else { return false };
    matches!(input, Input::Spooled { .. } | Input::Call(CallInput::AnswerKept { .. }))
}

/// A key is in the store.
pub(super) fn is_promotion(event: &Event) -> bool {
    let Event::Credential { input: Input::KeyStored { outcome, .. }, .. } = event else { return false };
    matches!(outcome, WriteOutcome::Written { .. } | WriteOutcome::Unknown(_))
}

/// What the daemon that stands by may do: read, and look after this host's consumers.
pub(super) fn is_a_standbys(effect: &Effect) -> bool {
    match effect {
        Effect::Credential { action, .. } => match action {
            Action::ReadDocuments { .. }
            | Action::ProbeKey { .. }
            | Action::CompareCopy { .. }
            | Action::Deliver { .. }
            | Action::Act { .. }
            | Action::Prove { .. }
            | Action::Rehearse { .. } => true,
            Action::StoreKey { .. }
            | Action::RetireKey { .. }
            | Action::SaveState { .. }
            | Action::SpoolKey { .. }
            | Action::DropSpooled { .. }
            | Action::Call(_) => false,
        },
        Effect::CheckStore | Effect::Journal(_) | Effect::Answer { .. } => true,
        Effect::ProbeControl { .. }
        | Effect::OpenMailbox { .. }
        | Effect::LookAtMailbox { .. }
        | Effect::SaveToken { .. }
        | Effect::TidyMail { .. }
        | Effect::Notify { .. }
        | Effect::SaveAlerts(_)
        | Effect::Beat
        | Effect::Call { .. }
        | Effect::Record { .. } => false,
    }
}

/// Whether it happens outside the store, where no check-and-set would keep two daemons apart. What only this host has
/// (the spool, the journal, the history, who waits for an answer) is nobody else's.
pub(super) fn is_outside(effect: &Effect) -> bool {
    match effect {
        Effect::Credential { action, .. } => match action {
            Action::ReadDocuments { .. }
            | Action::StoreKey { .. }
            | Action::RetireKey { .. }
            | Action::SaveState { .. }
            | Action::SpoolKey { .. }
            | Action::DropSpooled { .. }
            | Action::Call(
                CallAction::TrySpool { .. } | CallAction::KeepAnswer { .. } | CallAction::DropAnswer { .. },
            ) => false,
            Action::ProbeKey { .. }
            | Action::CompareCopy { .. }
            | Action::Deliver { .. }
            | Action::Act { .. }
            | Action::Prove { .. }
            | Action::Rehearse { .. }
            | Action::Call(CallAction::CallRotation { .. }) => true,
        },
        // That the store is away keeps the lease from being renewed: whoever held it says so all the same.
        Effect::Notify { notice, .. } => !is_about_store(notice),
        Effect::ProbeControl { .. }
        | Effect::OpenMailbox { .. }
        | Effect::TidyMail { .. }
        | Effect::SaveAlerts(_)
        | Effect::Beat
        | Effect::Call { .. } => true,
        Effect::LookAtMailbox { .. }
        | Effect::SaveToken { .. }
        | Effect::CheckStore
        | Effect::Journal(_)
        | Effect::Answer { .. }
        | Effect::Record { .. } => false,
    }
}

fn is_about_store(notice: &Notice) -> bool {
    let away = [Code::StoreSealed, Code::StoreUnreachable, Code::StoreLoginRefused];
    notice.credential.is_none() && away.contains(&notice.code)
}
