//! The schedule: a rotation that is due and cannot go is told, and tried again for an hour, or as long as its window
//! is open; then the next moment of the schedule counts. So does one that came while nobody ran.

use super::{Ctx, Out};
use crate::domain::{Asker, Code, Severity, Timestamp};
use crate::rotation::{
    effect::Reply,
    incident::Report,
    state::{Dirty, Rotation},
    task::{Task, backoff_cap, salt},
    wish::{Due, Occasion, Window},
};

impl Rotation {
    pub(super) fn rotation_due(
        &mut self,
        at: Timestamp,
        next: Option<Timestamp>,
        host: String,
        window: Option<Window>,
    ) {
        self.next_due = next;
        if self.due.as_ref().is_none_or(|due| due.at < at) {
            self.due = Some(Due { at, host, window, retry: Task::default() });
        }
    }

    pub(super) fn advance_due(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let Some(due) = self.due.clone().filter(|_| self.documents.known && self.asking.is_none()) else {
            return;
        };
        let Some(scheduled) = self.memory.scheduled else {
            // The first moment that is seen at all lies before the schedule was written.
            return self.is_served(&due);
        };
        let rotated = self.current.as_ref().is_some_and(|current| current.dated() >= due.at);
        if due.at <= scheduled || rotated {
            return self.is_served(&due);
        }
        if due.at > ctx.passed {
            return;
        }
        if gives_up_at(&due, ctx) < ctx.passed {
            self.missed(&due, ctx);
            return self.is_served(&due);
        }
        if !due.retry.may_start(ctx.now) {
            return;
        }
        match self.may_ask(Asker::Schedule, due.window, ctx) {
            Err(reply) => self.postpone(&reply, ctx),
            Ok(()) => {
                let Some(current) = self.current.as_ref().map(|current| current.fingerprint) else { return };
                let rotation_id = self.derived_id(current, ctx.now);
                let occasion = Occasion { rotation_id, host: due.host, window: due.window };
                self.begin_asking(Asker::Schedule, occasion, ctx, out);
            }
        }
    }
    fn is_served(&mut self, due: &Due) {
        self.due = None;
        if self.memory.scheduled < Some(due.at) {
            self.memory.scheduled = Some(due.at);
            self.dirty = self.dirty.max(Dirty::WhenCalm);
        }
    }

    /// Told, and tried again a little later.
    pub(super) fn postpone(&mut self, reply: &Reply, ctx: Ctx<'_>) {
        let Some(mut due) = self.due.clone() else { return };
        let salt = salt(&[self.settings.name.as_str(), "due"]);
        due.retry.failed(ctx.now, backoff_cap(None, ctx.limits), salt, ctx.limits);
        let opens = due.window.map(|window| window.opens).filter(|opens| *opens > ctx.now);
        opens.into_iter().for_each(|opens| due.retry.wait_until(opens));
        let until = gives_up_at(&due, ctx);
        let why = words(reply);
        let message = format!("the rotation that was due {} cannot begin: {why}", due.at.minutes());
        let doing =
            format!("nothing was called; it is tried again until {}, {}", until.minutes(), self.then());
        self.due = Some(due);
        // A window that is about to open is no trouble.
        if opens.is_none() {
            let report = self.blocked(message).doing(doing);
            self.incidents.raise(ctx.now, report);
        }
    }
    fn missed(&mut self, due: &Due, ctx: Ctx<'_>) {
        if self.incidents.is_open(Code::RotationBlocked, "") {
            return;
        }
        let message =
            format!("the rotation that was due {} was missed: keyrelay was not there", due.at.minutes());
        let report = self.blocked(message).doing(format!("nothing was called; it goes on {}", self.then()));
        self.incidents.raise(ctx.now, report);
    }
    fn blocked(&self, message: String) -> Report {
        let hint =
            format!("mend what it says; then, if it is not to wait:\nkeyrelay rotate {}", self.settings.name);
        Report::new(Code::RotationBlocked, Severity::Warning, message, hint)
            .breaks("the current key stays in use for longer than it was meant to")
    }
    fn then(&self) -> String {
        self.next_due.map_or("then never again".into(), |next| format!("then {}", next.minutes()))
    }

    pub(super) fn next_moment_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let due = self.due.as_ref().filter(|_| self.documents.known && self.asking.is_none())?;
        let over = gives_up_at(due, ctx) + std::time::Duration::from_millis(1);
        [due.retry.waits_until(), Some(over)].into_iter().flatten().filter(|at| *at > ctx.now).min()
    }
}

fn gives_up_at(due: &Due, ctx: Ctx<'_>) -> Timestamp {
    due.window.map_or(due.at + ctx.limits.unconfirmed_after, |window| window.closes)
}

fn words(reply: &Reply) -> String {
    match reply {
        Reply::Refused { why }
        | Reply::Unreachable { why }
        | Reply::Held { why }
        | Reply::Spooled { why } => why.clone(),
        Reply::Promoted { .. }
        | Reply::RollbackPossible { .. }
        | Reply::Consumers { .. }
        | Reply::Later { .. } => String::new(),
    }
}
