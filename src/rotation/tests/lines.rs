//! Effects as lines that a test can say.

use super::{bench::Bench, name_of};
use crate::{
    domain::{ConsumerName, Fingerprint, Settled},
    rotation::{Action, CallAction, Channel, Effect, Reply},
};

/// One effect as one line. The credential is named where it is not `main`. What goes with every notice has none.
pub fn line(effect: &Effect) -> Option<String> {
    Some(match effect {
        Effect::Journal(_) | Effect::SaveAlerts(_) => return None,
        Effect::Credential { name, action } if name.as_str() == "main" => action_line(action),
        Effect::Credential { name, action } => format!("{name}: {}", action_line(action)),
        Effect::ProbeControl { .. } => "control".into(),
        Effect::OpenMailbox { name } => format!("open {name}"),
        Effect::LookAtMailbox { afresh, .. } => if *afresh { "look afresh" } else { "look" }.into(),
        Effect::SaveToken { name } => format!("save token of {name}"),
        Effect::TidyMail { mails, settled, .. } => {
            let mails: Vec<_> = mails.iter().map(|mail| format!("{} {}", mail.folder, mail.place)).collect();
            match settled {
                Settled::Keep => format!("count {}", mails.join(", ")),
                Settled::Delete => format!("delete {}", mails.join(", ")),
                Settled::Move(folder) => format!("move to {folder}: {}", mails.join(", ")),
            }
        }
        Effect::CheckStore => "check store".into(),
        Effect::Notify { channel, notice } => {
            let end = if notice.resolved { " resolved" } else { "" };
            let way = match channel {
                Channel::Mail => "mail",
                Channel::Webhook => "post",
            };
            format!("{way} {} {} {}{end}", notice.code, notice.step, notice.severity)
        }
        Effect::Beat => "beat".into(),
        Effect::Answer { ticket, reply } => format!("answer {ticket}: {}", reply_line(reply)),
        Effect::Call { ticket } => format!("call {ticket}"),
        Effect::Record { record, .. } => format!("record {:?}", record.kind).to_lowercase(),
    })
}
fn action_line(action: &Action) -> String {
    let named = |fingerprint: &Fingerprint| name_of(*fingerprint);
    let about = |verb: &str, consumer: &ConsumerName, key: &Fingerprint| {
        format!("{verb} {consumer} {}", name_of(*key))
    };
    match action {
        Action::ReadDocuments { with_state: true, .. } => "read both".into(),
        Action::ReadDocuments { with_state: false, .. } => "read key".into(),
        Action::ProbeKey { fingerprint, .. } => format!("probe {}", named(fingerprint)),
        Action::StoreKey { cas, promotion, .. } => {
            let previous = promotion.previous.as_ref().map_or("nothing".into(), named);
            format!(
                "store {} after {previous} as {} over {cas}",
                named(&promotion.fingerprint),
                promotion.generation
            )
        }
        Action::RetireKey { cas, .. } => format!("retire over {cas}"),
        Action::SaveState { .. } => "save".into(),
        Action::SpoolKey { fingerprint, .. } => format!("spool {}", named(fingerprint)),
        Action::DropSpooled { fingerprint } => format!("unspool {}", named(fingerprint)),
        Action::CompareCopy { consumer, fingerprint, .. } => about("compare", consumer, fingerprint),
        Action::Deliver { consumer, fingerprint, .. } => about("deliver", consumer, fingerprint),
        Action::Act { consumer, .. } => format!("act {consumer}"),
        Action::Prove { consumer, fingerprint, .. } => about("prove", consumer, fingerprint),
        Action::Rehearse { consumer, .. } => format!("rehearse {consumer}"),
        Action::Call(CallAction::TrySpool { .. }) => "try spool".into(),
        Action::Call(CallAction::CallRotation { fingerprint, .. }) => {
            format!("call with {}", named(fingerprint))
        }
        Action::Call(CallAction::KeepAnswer { .. }) => "keep answer".into(),
        Action::Call(CallAction::DropAnswer { .. }) => "drop answer".into(),
    }
}
fn reply_line(reply: &Reply) -> String {
    match reply {
        Reply::Promoted { generation, proven, beside } => {
            let beside = beside.as_ref().map(|text| format!("; {text}")).unwrap_or_default();
            format!("promoted as {generation}, proven: {proven}{beside}")
        }
        Reply::Spooled { why } => format!("spooled: {why}"),
        Reply::Held { why } => format!("held: {why}"),
        Reply::Refused { why } => format!("refused: {why}"),
        Reply::Unreachable { why } => format!("unreachable: {why}"),
        Reply::RollbackPossible { key, until } => {
            let until = until.map_or("nobody knows when".into(), |until| until.minutes());
            format!("possible: {key} until {until}")
        }
        Reply::Consumers { proven } => format!("proven: {proven}"),
        Reply::Later { at } => format!("not before {at}"),
    }
}

impl Bench {
    /// The lines that begin so, since the last time.
    pub fn take_only(&mut self, prefix: &str) -> Vec<String> {
        self.take().into_iter().filter(|line| line.starts_with(prefix)).collect()
    }
}
