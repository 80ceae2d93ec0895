//! `observe`: everything is watched, proven and told, and nothing is written but keyrelay's own notes. A key that
//! would be promoted is kept aside with the moment; when whoever rotates here puts it into the store, it is taken for
//! the current one, and how much later that was is written down.

use super::{Ctx, Out};
use crate::domain::{Code, Fingerprint, KeyDocument, Severity, Timestamp, spell_duration};
use crate::rotation::{
    candidate::Candidate,
    effect::Reply,
    history::Observed,
    incident::Report,
    settings::Credential,
    state::{Dirty, Rotation},
    state_document::ObservedNote,
};
use std::sync::Arc;

impl Rotation {
    /// What operators may not have done here.
    pub(super) fn is_only_observed(&self) -> Option<Reply> {
        let why = "this credential is only observed (observe: true in the configuration)".to_owned();
        self.settings.observe.then_some(Reply::Refused { why })
    }

    /// A brake works at once; what was kept from being done is done when it is let go.
    pub(super) fn take_observe(&mut self, settings: &Credential) {
        let observe = settings.observe;
        if observe == self.settings.observe {
            return;
        }
        self.settings = Arc::new(Credential { observe, ..(*self.settings).clone() });
        for candidate in &mut self.candidates {
            (candidate.would, candidate.ready) = (None, false);
        }
        self.consumers.values_mut().for_each(|consumer| consumer.restart());
    }

    /// A key that is fit: what is in the store already is the current one, of any other it is said what would be.
    pub(super) fn would_promote(&mut self, fingerprint: Fingerprint, ctx: Ctx<'_>, out: &mut Out) {
        let document = self.documents.key.clone();
        if let Some(document) = document.filter(|document| document.current == Some(fingerprint)) {
            return self.take_for_current(fingerprint, &document, ctx, out);
        }
        let Some(candidate) = self.candidate(fingerprint) else { return };
        (candidate.would, candidate.ready) = (Some(ctx.now), false);
        let (order, rotation_id) = (candidate.order(), candidate.rotation_id);
        let known = self.memory.observed.is_some_and(|note| note.fingerprint == fingerprint);
        if !known {
            let would_at = Some(ctx.now);
            self.memory.observed = Some(ObservedNote { fingerprint, rotation_id, would_at, stored_at: None });
            self.dirty = self.dirty.max(Dirty::WhenCalm);
            self.note_in_journey("would_promote", ctx.now);
            out.records.extend(self.record(None));
        }
        self.end_journey(fingerprint);
        self.drop_older(order, None, &[], ctx, out);
    }

    /// Whoever rotates here has done it.
    fn take_for_current(
        &mut self,
        fingerprint: Fingerprint,
        document: &KeyDocument,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        let Some(candidate) = self.candidate(fingerprint) else { return };
        let (rotation_id, rotated_at) = (candidate.rotation_id, candidate.rotated_at);
        let until = self.settings.grace.map(|grace| rotated_at + grace);
        let noted = self.memory.observed.filter(|note| note.fingerprint == fingerprint);
        let mut note =
            noted.unwrap_or(ObservedNote { fingerprint, rotation_id, would_at: None, stored_at: None });
        note.stored_at = Some(document.created_at);
        self.announce_taken(fingerprint, note, ctx);
        (self.memory.observed, self.documents.foreign) = (Some(note), None);
        let old = self.current.as_ref().map(|current| current.fingerprint);
        self.promoted(document, ctx, out);
        if let Some(former) = self.memory.formers.iter_mut().find(|former| Some(former.fingerprint) == old) {
            former.until = former.until.or(until);
        }
        self.consumers.values_mut().for_each(|consumer| consumer.key_came_from_elsewhere());
    }
    fn announce_taken(&mut self, fingerprint: Fingerprint, note: ObservedNote, ctx: Ctx<'_>) {
        let label = self.label(fingerprint);
        let when = match note.would_at.zip(note.stored_at) {
            Some((would, stored)) if stored > would => {
                format!("{} after keyrelay would have", spell_duration(stored.since(would)))
            }
            Some(_) | None => "before keyrelay would have".into(),
        };
        let message =
            format!("somebody else put the new key {label} into the store at {}, {when}", self.settings.path);
        let hint = "nothing, if that was whoever rotates here";
        let report = Report::new(Code::StoreAdopted, Severity::Info, message, hint)
            .doing("nothing was written; each consumer is tested with it");
        self.incidents.announce(ctx.now, report);
    }

    /// For the history.
    pub(super) fn observed_of(&self, fingerprint: Fingerprint) -> Option<Observed> {
        let note = self.memory.observed.filter(|note| note.fingerprint == fingerprint)?;
        Some(Observed { would_promote_at: note.would_at, stored_at: note.stored_at })
    }
    fn observed_candidate(&self) -> Option<(&Candidate, Timestamp)> {
        let would = self.candidates.iter().filter_map(|known| Some((known, known.would?)));
        would.max_by_key(|(known, _)| known.order())
    }
    /// A new key has come, and waits for whoever rotates here.
    pub(super) fn is_waiting_for_others(&self) -> bool {
        self.observed_candidate().is_some()
    }

    /// Whether a key that was told of is being judged again: after a restart, or because it is in the store now.
    pub(super) fn may_be_observed(&self) -> bool {
        let told = self.memory.observed.filter(|note| note.stored_at.is_none());
        let waits =
            |key| self.candidates.iter().any(|known| known.fingerprint == key && known.held.is_none());
        let unknown = !self.documents.known || !self.looked;
        self.settings.observe && (unknown || told.is_some_and(|note| waits(note.fingerprint)))
    }

    pub(super) fn observed_report(&self, ctx: Ctx<'_>) -> Option<Report> {
        let (candidate, would_at) = self.observed_candidate()?;
        let name = &self.settings.name;
        let label = self.label(candidate.fingerprint);
        let consumers: Vec<_> = self.consumers.keys().map(ToString::to_string).collect();
        let handed = match consumers.len() {
            0 => String::new(),
            1..=3 => format!(", and brought {} to it", consumers.join(", ")),
            many => format!(", and brought {many} consumers to it"),
        };
        let message = format!(
            "keyrelay would have made the new key {label} the current one at {}{handed}; it only observes",
            would_at.minutes()
        );
        let hint = format!(
            "whoever rotates here must put it into the store; or set observe: false for {name}, then:\n\
             systemctl reload keyrelay"
        );
        let ladder = self.ladder_from(candidate.rotated_at, ctx);
        let severity = match self.observed_warning_at(candidate, ctx) <= ctx.now {
            true if ladder.is_urgent(ctx.now, ctx.limits) => Severity::Urgent,
            true => Severity::Warning,
            false => Severity::Info,
        };
        let report = Report::new(Code::RotationObserved, severity, message, hint)
            .breaks(self.old_key_dies(candidate.rotated_at))
            .doing("the key is kept in the spool, and nothing is changed")
            .ladder(Some(ladder));
        Some(report)
    }
    /// Whoever rotates here has a while for it.
    fn observed_warning_at(&self, candidate: &Candidate, ctx: Ctx<'_>) -> Timestamp {
        candidate.rotated_at + self.settings.hand_over() / ctx.limits.silent_part
    }
    pub(super) fn next_observed_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        self.observed_candidate().map(|(candidate, _)| self.observed_warning_at(candidate, ctx))
    }
}
