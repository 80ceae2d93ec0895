//! What a shell may do beside another daemon's: what is held back while the lease is not sure, and how one ends whose
//! lease is another's by now.

use super::{
    clock,
    inbox::Asked,
    request::{Outcome, Response},
    shell::{Reach, Shell},
    watcher::Watcher,
    weight::{is_a_standbys, is_outside, keeps_what_is_nowhere_else},
};
use crate::{
    domain::Timestamp,
    rotation::{Effect, Event},
};
use std::time::Duration;

/// While something is held back, the lease is looked at this often.
const HELD_LOOK: Duration = Duration::from_millis(200);

/// How this daemon stands to the other one; alone, nothing of it is set.
#[derive(Default)]
pub struct Standing {
    /// It has no lease, or not yet.
    pub waits: bool,
    /// Since when it is what it is.
    pub since: Option<Timestamp>,
    /// The host of the daemon that acts.
    pub holder: Option<String>,
    /// What keeps it from being ready.
    pub failing: Option<String>,
    /// A key was written to the store, which the other one is to hear of.
    pub key_written: bool,
    /// Another daemon acts: only what exists nowhere else is still kept.
    leaving: bool,
    held: Vec<Effect>,
}

impl Shell {
    pub(super) fn role(&self) -> &'static str {
        match self.reach {
            Reach::Everything if !self.standing.waits => "active",
            Reach::Everything | Reach::Standby => "standby",
            Reach::OneCommand | Reach::LookOnly => "none",
        }
    }

    /// What may be performed now; the rest waits for the lease, or is not done at all.
    pub(super) fn let_through(&mut self, effect: Effect) -> Option<Effect> {
        if self.standing.leaving {
            return Some(effect).filter(is_kept_to_the_end);
        }
        let open = self.tools.gate.is_open();
        match self.reach {
            Reach::OneCommand | Reach::LookOnly => Some(effect),
            Reach::Standby => Some(effect).filter(|effect| open && is_a_standbys(effect)),
            Reach::Everything if open || !is_outside(&effect) => Some(effect),
            Reach::Everything => {
                self.standing.held.push(effect);
                None
            }
        }
    }
    pub(super) fn release_held(&mut self) {
        if !self.standing.held.is_empty() && self.tools.gate.is_open() {
            let held = std::mem::take(&mut self.standing.held);
            self.perform_all(held);
        }
    }
    pub(super) fn held_patience(&self) -> Duration {
        if self.standing.held.is_empty() { Duration::MAX } else { HELD_LOOK }
    }

    /// Another daemon has the lease: what exists nowhere else is spooled, and nothing else is begun.
    pub async fn leave(&mut self) {
        self.tools.gate.set(None);
        self.standing.leaving = true;
        self.handle(Event::Stopping);
        let whose = self.standing.holder.clone().unwrap_or("another host".into());
        let status = serde_json::to_value(self.status(clock::now())).unwrap_or_default();
        self.asks.end(&format!("the daemon on {whose} acts now; what was under way here has ended"), &status);
        let watchers: Vec<Watcher> = std::mem::take(&mut self.watchers).into_values().collect();
        tokio::task::spawn_blocking(move || watchers.into_iter().for_each(Watcher::leave));
        let patience = self.last_patience();
        while (self.spooling > 0 || self.calls > 0)
            && tokio::time::timeout_at(patience, self.turn()).await.is_ok()
        {}
    }

    /// How long whoever ends waits for what is under way.
    pub(super) fn last_patience(&self) -> tokio::time::Instant {
        let call = if self.calls > 0 { self.limits.rotate_timeout() } else { Duration::ZERO };
        tokio::time::Instant::now() + call + self.limits.spool_after
    }

    /// A command that only the daemon that acts can do.
    pub(super) fn refuse(&self, asked: Asked) {
        let host = self.standing.holder.clone();
        let message = match &host {
            Some(host) => format!("refused: this daemon stands by, the one on {host} acts"),
            None => "refused: this daemon stands by, and which one acts is not known now".into(),
        };
        let hint = host.map(|host| format!("type it on {host}"));
        // Who asked has given up: nothing was done.
        let status = serde_json::to_value(self.status(clock::now())).unwrap_or_default();
        let response = Response { hint, status, ..Response::without_status(Outcome::Refused, message) };
        let _ = asked.answer.send(response);
    }
}

fn is_kept_to_the_end(effect: &Effect) -> bool {
    match effect {
        Effect::Credential { action, .. } => keeps_what_is_nowhere_else(action),
        Effect::Journal(_) | Effect::Answer { .. } | Effect::Record { .. } => true,
        Effect::ProbeControl { .. }
        | Effect::OpenMailbox { .. }
        | Effect::LookAtMailbox { .. }
        | Effect::SaveToken { .. }
        | Effect::TidyMail { .. }
        | Effect::CheckStore
        | Effect::Notify { .. }
        | Effect::SaveAlerts(_)
        | Effect::Beat
        | Effect::Call { .. } => false,
    }
}
