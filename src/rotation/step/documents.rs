//! Reading both documents: at start, before a promotion, after a lost check-and-set or an outage, and on the
//! schedule. The key document decides which key is current; the state is rebuilt from it where they disagree.

use super::{Ctx, Out};
use crate::domain::{Code, Fingerprint, KeyDocument, KeyRead, Severity, StoreTrouble};
use crate::rotation::{
    effect::Action,
    event::{Attempt, StateRead},
    incident::{Incidents, Report},
    policy::CurrentKey,
    state::{Dirty, Former, Rotation, SCHEMA},
    task::{backoff_cap, salt},
};

impl Rotation {
    pub(super) fn advance_documents(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let wanted = self.documents.key_wanted || self.documents.state_wanted;
        if !wanted || !self.documents.reading.may_start(ctx.now) {
            return;
        }
        let attempt = self.documents.reading.start(&mut self.attempts);
        out.actions.push(Action::ReadDocuments { attempt, with_state: self.documents.state_wanted });
    }

    pub(super) fn documents_read(
        &mut self,
        attempt: Attempt,
        key: KeyRead,
        state: Option<StateRead>,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        if !self.documents.reading.finish(attempt) {
            return;
        }
        let trouble = match &key {
            KeyRead::Failed(trouble) => Some(trouble.clone()),
            KeyRead::Present(_) | KeyRead::Absent | KeyRead::Deleted { .. } => {
                state.as_ref().and_then(StateRead::trouble)
            }
        };
        if let Some(trouble) = trouble {
            return self.reading_failed(trouble, ctx, out);
        }
        out.store = Some(Ok(()));
        self.documents.trouble = None;
        self.documents.reading.succeeded();
        self.documents.key_wanted = false;
        if let Some(state) = state {
            self.documents.state_wanted = false;
            self.state_read(state, &key, ctx);
        }
        self.key_read(key, ctx, out);
        self.documents.known = true;
    }

    fn reading_failed(&mut self, trouble: StoreTrouble, ctx: Ctx<'_>, out: &mut Out) {
        let salt = salt(&[self.settings.name.as_str(), "read"]);
        let left = self.time_left(ctx);
        self.documents.reading.failed(ctx.now, backoff_cap(left, ctx.limits), salt, ctx.limits);
        self.store_failed(trouble, out);
    }
    /// Any call to the store failed: the fleet tells of outages, this credential of refusals.
    pub(super) fn store_failed(&mut self, trouble: StoreTrouble, out: &mut Out) {
        self.documents.trouble = Some(trouble.clone());
        out.store = Some(Err(trouble));
    }
    /// The store answers again: whatever waits for it begins at once, and both documents are read first.
    pub(in crate::rotation) fn store_is_back(&mut self) {
        if self.documents.trouble.take().is_some() {
            self.documents.reading.retry_now();
            self.writing.retry_now();
            self.saving.retry_now();
            self.retire.retry_now();
            (self.documents.key_wanted, self.documents.state_wanted) = (true, true);
        }
    }

    /// Takes over what an earlier process left. Whatever this one has learned meanwhile stays.
    fn state_read(&mut self, state: StateRead, key: &KeyRead, ctx: Ctx<'_>) {
        match state {
            StateRead::Present { version, document } => {
                self.documents.state_version = version;
                self.documents.state_refused = None;
                if self.documents.known && self.memory.lineage == document.lineage {
                    return;
                }
                self.incidents = Incidents::new(self.settings.name.as_str(), document.incidents.clone());
                for (name, note) in &document.consumers {
                    if let Some(consumer) = self.consumers.get_mut(name) {
                        consumer.remember(note);
                    }
                }
                let learned = std::mem::replace(&mut self.memory, *document);
                learned.done.into_iter().for_each(|mail| self.remember_done(mail, ctx));
                self.memory.account = self.memory.account.take().or(learned.account);
                self.memory.announced = self.memory.announced.take().or(learned.announced);
            }
            StateRead::Absent { version } => {
                self.documents.state_version = version;
                self.documents.state_refused = None;
                let ours = matches!(key, KeyRead::Present(document) if document.ours);
                if ours && !self.documents.known {
                    let report = Report::new(
                        Code::StateRebuilt,
                        Severity::Warning,
                        "keyrelay's own notes about this credential were missing; they are rebuilt from the key document",
                        "nothing, unless you did not remove them",
                    );
                    self.incidents.announce(ctx.now, report);
                    self.dirty = self.dirty.max(Dirty::WhenCalm);
                }
            }
            StateRead::Refused { why } => self.documents.state_refused = Some(why),
            StateRead::Failed(_) => {} // handled before: a failed read changes nothing
        }
        if self.memory.lineage.is_empty() {
            self.memory.lineage = self.settings.name.to_string() + "@" + &ctx.now.to_string();
        }
        self.memory.schema = SCHEMA;
    }

    fn key_read(&mut self, key: KeyRead, ctx: Ctx<'_>, out: &mut Out) {
        self.documents.deleted = false;
        match key {
            KeyRead::Present(document) => self.document_present(document, ctx, out),
            KeyRead::Absent => {
                self.documents.key_version = 0;
                self.document_gone(ctx);
            }
            KeyRead::Deleted { version } => {
                self.documents.key_version = version;
                self.documents.deleted = true;
                self.document_gone(ctx);
            }
            KeyRead::Failed(_) => {} // handled before
        }
    }
    /// The key is no longer in the store. If this process still knows it, it is offered to the operator.
    fn document_gone(&mut self, ctx: Ctx<'_>) {
        self.documents.key = None;
        self.documents.foreign = None;
        if let Some(current) = self.current.take() {
            self.documents.deleted = true;
            self.keep_as_held(
                current.fingerprint,
                "it was the current key when its document was removed",
                ctx,
            );
        }
        if self.pending.take().is_some() {
            self.writing.succeeded();
        }
    }

    fn document_present(&mut self, document: KeyDocument, ctx: Ctx<'_>, out: &mut Out) {
        self.documents.key_version = document.version;
        let found = document.current;
        let expected = self.current.as_ref().map(|current| current.fingerprint);
        self.documents.key = Some(document.clone());
        if let Some(promotion) = self.pending.take() {
            self.writing.succeeded();
            if found == Some(promotion.fingerprint) {
                return self.promoted(&document, ctx, out);
            }
        }
        match found {
            None if document.unusable.is_none() && expected.is_none() => {}
            None => self.foreign_value(document.unusable.clone().unwrap_or("the field is gone".into())),
            Some(found) if expected == Some(found) => {
                self.documents.foreign = None;
                self.documents.reverted = None;
                self.refresh_current(&document);
                self.drop_candidate(found, out);
            }
            // Another daemon promoted what waits here, or a kill came between the write and the record of it.
            Some(found)
                if document.ours
                    && document.generation > self.generation()
                    && self.is_ours_to_take(found) =>
            {
                self.promoted(&document, ctx, out);
            }
            Some(_) if expected.is_none() => self.first_key(&document, ctx, out),
            Some(found) => self.foreign_key(found, &document, ctx),
        }
    }
    /// A key that keyrelay wrote: its fields say so, and it is a candidate here, or nothing is known here yet.
    fn is_ours_to_take(&self, found: Fingerprint) -> bool {
        self.candidates.iter().any(|candidate| candidate.fingerprint == found)
    }

    /// The first reading after a start.
    fn first_key(&mut self, document: &KeyDocument, ctx: Ctx<'_>, out: &mut Out) {
        self.refresh_current(document);
        self.documents.foreign = None;
        if let (Some(current), Some(previous)) = (&self.current, document.previous)
            && previous.fingerprint != current.fingerprint
        {
            self.remember_former(Former { fingerprint: previous.fingerprint, until: previous.expires_at });
        }
        if let Some(current) = &self.current {
            let fingerprint = current.fingerprint;
            self.drop_candidate(fingerprint, out);
        }
        self.probe_due = Some(ctx.now);
        self.consumers.values_mut().for_each(|consumer| consumer.restart());
    }
    fn refresh_current(&mut self, document: &KeyDocument) {
        self.current = document.current.map(|fingerprint| CurrentKey {
            fingerprint,
            generation: document.generation,
            rotated_at: document.rotated_at,
            stored_at: document.created_at.whole_secs(),
        });
    }

    /// What is left of the hand-over time, where one runs.
    pub(super) fn time_left(&self, ctx: Ctx<'_>) -> Option<std::time::Duration> {
        self.hand_over_ladder(ctx.limits).map(|ladder| ladder.until.since(ctx.now))
    }
}
