//! Everything that came up in a step becomes a notice.

use super::{Ctx, Out};
use crate::domain::{ConsumerLine, ConsumerName, Notice, ProofLevel, Severity};
use crate::rotation::{
    consumer::ConsumerState,
    incident::Telling,
    outbox::Told,
    settings::Beside,
    state::{Dirty, Rotation},
};

impl Rotation {
    /// What was told is noted when it is out, so that a restart tells it neither twice nor never. Good news are told
    /// once at most.
    pub(in crate::rotation) fn was_told(&mut self, told: &Told) {
        let noted = self.incidents.sent(&told.incident, told.step) || told.resolved;
        if noted && told.severity > Severity::Info {
            self.dirty = Dirty::Now;
        }
    }
    pub(super) fn tell(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let tellings = self.incidents.take_tellings();
        let to_note = tellings.iter().any(|telling| telling.incident.severity > Severity::Info);
        if to_note && self.settings.beside == Beside::AStandby {
            self.dirty = Dirty::Now;
        }
        out.notices.extend(tellings.into_iter().map(|telling| self.notice(telling, ctx)));
    }

    /// Whether another daemon that takes over finds in the state document what was told. Without the store nobody waits.
    pub(in crate::rotation) fn is_noted(&self) -> bool {
        let waits = self.dirty == Dirty::Now || !self.saving.is_idle();
        let hopeless = self.saving.failures() > 0
            || !self.documents.known
            || self.documents.state_refused.is_some()
            || self.store_trouble().is_some();
        self.settings.beside != Beside::AStandby || !waits || hopeless
    }

    fn notice(&self, telling: Telling, ctx: Ctx<'_>) -> Notice {
        let written = self.documents.key.as_ref().and_then(|document| document.rotation_id);
        Notice {
            credential: Some(self.settings.name.clone()),
            consumers: self.consumers.iter().map(|(name, state)| self.line(name, state)).collect(),
            rotation_id: self.journey.as_ref().map(|journey| journey.rotation_id).or(written),
            ..telling.into_notice(ctx.now, ctx.limits)
        }
    }
    fn line(&self, name: &ConsumerName, state: &ConsumerState) -> ConsumerLine {
        let current = self.current.as_ref().map(|current| current.fingerprint);
        ConsumerLine {
            name: name.clone(),
            level: current.map_or(ProofLevel::Unproven, |key| state.level(key)),
            wanted: state.policy.wanted,
            at: state.shown.as_ref().filter(|shown| Some(shown.fingerprint) == current).map(|shown| shown.at),
            error: state.error.clone(),
        }
    }
}
