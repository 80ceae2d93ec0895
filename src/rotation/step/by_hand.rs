//! Where an operator makes the keys: what is to be done in the dashboard, and when the time for it has come.

use super::{Ctx, incidents::Seen};
use crate::domain::{Code, RotatedBy, Severity, Timestamp, spell_duration};
use crate::rotation::{incident::Report, policy::CurrentKey, state::Rotation};
use std::time::Duration;

/// What an operator has still to do when its time is over is told again this often.
pub(super) const REMINDED_EVERY: Duration = Duration::from_secs(86_400);

impl Rotation {
    pub(super) fn is_by_operator(&self) -> bool {
        self.settings.rotated_by == RotatedBy::Operator
    }
    /// An old key works until somebody revokes it.
    pub(super) fn lives_until_revoked(&self) -> bool {
        self.is_by_operator() && self.settings.grace.is_none()
    }
    /// Such a one is asked until it is dead.
    pub(in crate::rotation) fn watches_old_key(&self) -> bool {
        self.lives_until_revoked() && self.previous().is_some()
    }
    /// When consumers' time for this key begins. Where no grace runs at the vendor, that is its promotion.
    pub(super) fn handed_over_from(&self, current: &CurrentKey) -> Timestamp {
        match self.lives_until_revoked() {
            true => current.dated().max(current.stored_at),
            false => current.dated(),
        }
    }

    /// What becomes of the key before one that was made at `from`.
    pub(super) fn old_key_dies(&self, from: Timestamp) -> String {
        match self.lives_until_revoked() {
            true => "nothing while nobody revokes the old key: it works until then".to_owned(),
            false => format!("the old key dies {}", (from + self.settings.hand_over()).minutes()),
        }
    }

    /// Each step in the dashboard, and the command that takes the key.
    pub(super) fn create_hint(&self) -> String {
        let (name, steps) = (&self.settings.name, &self.settings.create_steps);
        match steps.is_empty() {
            true => format!("{}\nkeyrelay ingest {name}", self.settings.dashboard),
            false => format!("{}keyrelay ingest {name}", numbered(steps)),
        }
    }

    /// The time that the operators set for a new key.
    pub(super) fn report_due(&mut self, ctx: Ctx<'_>) {
        let due = self.due().filter(|due| due.0 <= ctx.now && !self.is_expiring(ctx));
        let seen = match due {
            None => Seen::when(self.documents.known, None),
            Some(_) if self.is_coming() || !self.documents.known => Seen::Unknown,
            Some((_, at)) => Seen::So(self.due_report(at, ctx)),
        };
        self.set(Code::RotationDue, ctx, seen);
    }
    /// When it is told first, and when it has come.
    fn due(&self) -> Option<(Timestamp, Timestamp)> {
        let (current, cadence) = (self.current.as_ref()?, self.settings.cadence?);
        let at = current.dated() + cadence;
        let notice = self.settings.notice_before.unwrap_or_default().min(cadence / 2);
        self.is_by_operator().then_some((at - notice, at))
    }
    pub(super) fn next_due_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let (told, at) = self.due()?;
        [told, at].into_iter().find(|at| *at > ctx.now)
    }
    fn due_report(&self, at: Timestamp, ctx: Ctx<'_>) -> Report {
        let vendor = &self.settings.vendor_title;
        let every = self.settings.cadence.map(spell_duration).unwrap_or_default();
        let (severity, message) = match at > ctx.now {
            true => (Severity::Info, format!("a new {vendor} key is due {}", at.minutes())),
            false => (Severity::Warning, format!("a new {vendor} key was due {}", at.minutes())),
        };
        Report::new(Code::RotationDue, severity, message, self.create_hint())
            .breaks(format!("nothing by itself; you wanted a new key every {every}"))
            .doing("the current key stays in use; a new one is proven, and handed over, as soon as you put it in")
            .every(Some(7 * REMINDED_EVERY).filter(|_| severity > Severity::Info))
    }
}

/// One a line, in order.
pub(super) fn numbered(steps: &[std::sync::Arc<str>]) -> String {
    steps.iter().enumerate().map(|(n, step)| format!("{}. {step}\n", n + 1)).collect()
}
