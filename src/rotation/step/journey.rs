//! What is written down of a rotation as it goes: for the history, the journal and the good news.

use super::{Ctx, Out};
use crate::domain::{
    Code, Fingerprint, KeyDocument, Origin, RotationId, Severity, Timestamp, spell_duration,
};
use crate::rotation::{
    candidate::Candidate,
    history::{ConsumerRecord, PhaseEntered, Record, RecordKind, Trigger},
    incident::Report,
    state::{Journey, Rotation},
    task::salt,
};
use std::time::Duration;

/// How far from its deadline it was.
fn margin(secs: Option<i64>) -> String {
    let Some(secs) = secs else { return String::new() };
    let length = spell_duration(Duration::from_secs(secs.unsigned_abs()));
    if secs < 0 { format!(", {length} too late") } else { format!(" and ended {length} before its deadline") }
}

impl Rotation {
    /// A candidate sets out. The store is read beside the probes, so that the promotion need not wait for it.
    pub(super) fn begin_journey(&mut self, fingerprint: Fingerprint, ctx: Ctx<'_>) {
        if self.journey.as_ref().is_some_and(|journey| journey.new == fingerprint) {
            return;
        }
        let old = self.current.as_ref().map(|current| current.fingerprint);
        // A new input is tried at once, whatever earlier ones came to.
        for key in old.into_iter().chain([fingerprint]) {
            self.keys.entry(key).or_default().ask_anew(ctx.now);
        }
        self.writing.retry_now();
        let announced = self.memory.announced.as_ref().map(|announced| announced.dated);
        let asked = self.memory.wish.as_ref().map(|wish| (wish.rotation_id, wish.at));
        let Some(candidate) = self.candidate(fingerprint) else { return };
        let asked = asked.filter(|(id, _)| *id == candidate.rotation_id);
        let asked = asked.map(|(_, at)| PhaseEntered { phase: "asked".into(), at });
        let (kind, began_at) = match (&candidate.origin, candidate.word) {
            (Origin::Rollback { .. }, _) => (RecordKind::Rollback, candidate.received_at),
            (
                Origin::Mail(_) | Origin::Ingest { .. } | Origin::Store | Origin::Former | Origin::Api { .. },
                word,
            ) => (word.map_or(RecordKind::Rotation, |_| RecordKind::Ingest), ctx.now),
        };
        let announced = announced
            .filter(|_| kind != RecordKind::Rollback)
            .map(|at| PhaseEntered { phase: "announced".into(), at });
        let probing = PhaseEntered { phase: "probing".into(), at: began_at };
        let phases = announced.into_iter().chain(asked).chain([probing]).collect();
        let (rotation_id, trigger) =
            (candidate.rotation_id, Some(Trigger::Candidate(candidate.origin.clone())));
        let beside = candidate.beside.clone();
        let observed = self.memory.observed.filter(|note| note.fingerprint == fingerprint);
        let rotation_id = observed.map_or(rotation_id, |note| note.rotation_id);
        let handing_over = |journey: &Journey| Some(journey.new) == old;
        self.resting_journey = self.journey.take().filter(handing_over).or(self.resting_journey.take());
        self.journey = Some(Journey { rotation_id, kind, trigger, old, new: fingerprint, phases, beside });
        self.documents.key_wanted = true;
    }
    /// This candidate comes to nothing: the hand-over that it stood before is told on.
    pub(super) fn end_journey(&mut self, fingerprint: Fingerprint) {
        let current = self.current.as_ref().map(|current| current.fingerprint);
        if self.journey.as_ref().is_none_or(|journey| journey.new == fingerprint) {
            self.journey = self.resting_journey.take().filter(|journey| Some(journey.new) == current);
        }
    }
    pub(super) fn note_phase(&mut self, now: Timestamp) {
        self.note_in_journey(self.phase().as_str(), now);
    }
    pub(super) fn note_in_journey(&mut self, phase: &str, now: Timestamp) {
        if let Some(journey) = &mut self.journey
            && journey.phases.last().is_none_or(|entered| entered.phase != phase)
        {
            journey.phases.push(PhaseEntered { phase: phase.to_owned(), at: now });
        }
    }

    pub(super) fn record_promotion(&mut self, document: &KeyDocument, now: Timestamp, out: &mut Out) {
        let Some(new) = document.current else { return };
        let known = self.journey.take().filter(|journey| journey.new == new);
        self.journey = Some(known.unwrap_or_else(|| Journey {
            rotation_id: document.rotation_id.unwrap_or_else(|| self.derived_id(new, document.created_at)),
            kind: self.kind_of(new),
            trigger: None,
            old: document.previous.map(|previous| previous.fingerprint),
            new,
            phases: Vec::new(),
            beside: None,
        }));
        self.resting_journey = None;
        self.note_phase(now);
        out.records.extend(self.record(None));
    }
    /// Of a promotion that this process did not begin.
    fn kind_of(&self, new: Fingerprint) -> RecordKind {
        let back = self.memory.rolled_back.is_some_and(|note| note.to == new);
        if back { RecordKind::Rollback } else { RecordKind::Rotation }
    }

    /// An earlier process promoted this key: its hand-over is seen through, written down and told here.
    pub(super) fn resume_journey(&mut self, document: &KeyDocument) {
        let unfinished = document.ours && document.generation > self.memory.settled;
        let Some((rotation_id, new)) = document.rotation_id.zip(document.current).filter(|_| unfinished)
        else {
            return;
        };
        let old = document.previous.map(|previous| previous.fingerprint);
        let (kind, trigger, phases) = (self.kind_of(new), None, Vec::new());
        self.journey = Some(Journey { rotation_id, kind, trigger, old, new, phases, beside: None });
    }

    /// Every consumer is at the new key: written down with what was left of the time, and told.
    pub(super) fn record_settled(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        self.note_phase(ctx.now);
        let deadline = self.current.as_ref().map(|current| {
            let from = self.handed_over_from(current);
            let end = self.hand_over_end(from);
            end - ctx.limits.margin(end.since(from))
        });
        let margin_secs = deadline.map(|deadline| deadline.as_secs() - ctx.now.as_secs());
        out.records.extend(self.record(margin_secs));
        let Some(journey) = self.journey.take() else { return };
        let began = PhaseEntered::after_the_warning(&journey.phases).first();
        let took = ctx.now.since(began.map_or(ctx.now, |entered| entered.at));
        self.announce_rotated(&journey, took, margin_secs, ctx);
    }
    fn announce_rotated(
        &mut self,
        journey: &Journey,
        took: Duration,
        margin_secs: Option<i64>,
        ctx: Ctx<'_>,
    ) {
        let new = journey.new;
        let count = self.consumers.len();
        let in_use = self
            .consumers
            .values()
            .filter(|consumer| consumer.level(new) >= crate::domain::ProofLevel::Loaded)
            .count();
        let tested = match (count, count - in_use) {
            (0, _) => "there are no consumers".to_owned(),
            (1, 0) => "its one consumer was tested with it".to_owned(),
            (_, 0) => format!("all {count} consumers were tested with it"),
            (_, rest) => {
                format!("{in_use} of {count} consumers were tested with it, of {rest} only the copy")
            }
        };
        let label = self.label(new);
        let key = match journey.kind {
            RecordKind::Rollback => "the earlier key",
            RecordKind::Rotation | RecordKind::Ingest | RecordKind::Refusal | RecordKind::Hint => {
                "the new key"
            }
        };
        let message = format!("{key} {label} is in the store, and {tested}");
        let report = Report::new(Code::Rotated, Severity::Info, message, "nothing")
            .about(journey.rotation_id.to_string())
            .doing(format!("the hand-over took {}{}", spell_duration(took), margin(margin_secs)));
        self.incidents.announce_once(ctx.now, report);
    }

    pub(super) fn record_refusal(&mut self, candidate: &Candidate, why: &str, now: Timestamp, out: &mut Out) {
        out.records.push(Record {
            trigger: Some(Trigger::Candidate(candidate.origin.clone())),
            phases: vec![PhaseEntered { phase: "refused".into(), at: now }],
            old_fingerprint: self.current.as_ref().map(|current| self.label(current.fingerprint)),
            new_fingerprint: Some(self.label(candidate.fingerprint)),
            why: Some(why.to_owned()),
            ..Record::bare(candidate.rotation_id, RecordKind::Refusal, self.generation())
        });
    }
    pub(super) fn record(&self, margin_secs: Option<i64>) -> Option<Record> {
        let journey = self.journey.as_ref()?;
        let consumers = self.consumers.iter().map(|(name, consumer)| {
            let at = consumer
                .shown
                .as_ref()
                .filter(|shown| shown.fingerprint == journey.new)
                .map(|shown| shown.at);
            ConsumerRecord { name: name.clone(), proof: consumer.level(journey.new), at }
        });
        Some(Record {
            rotation_id: journey.rotation_id,
            kind: journey.kind,
            trigger: journey.trigger.clone(),
            phases: journey.phases.clone(),
            old_fingerprint: journey.old.map(|old| self.label(old)),
            new_fingerprint: Some(self.label(journey.new)),
            generation: self.generation(),
            store_version: self.documents.key.as_ref().map(|document| document.version),
            consumers: consumers.collect(),
            margin_secs,
            observed: self.observed_of(journey.new),
            why: journey.beside.clone(),
        })
    }

    /// An id for what began without a signal: the same again after a restart.
    pub(super) fn derived_id(&self, fingerprint: Fingerprint, at: Timestamp) -> RotationId {
        let random = salt(&[self.settings.name.as_str(), &fingerprint.hex()]);
        RotationId::from_parts(u64::try_from(at.as_millis()).unwrap_or(0), u128::from(random))
    }
}
