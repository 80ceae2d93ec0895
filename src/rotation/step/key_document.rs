//! What the key document says: which key is current. It decides; whatever is noted elsewhere follows it. Only a value
//! that is none of ours is not simply believed.

use super::{Ctx, Out};
use crate::domain::{Fingerprint, KeyDocument, KeyRead, Timestamp};
use crate::rotation::{
    policy::CurrentKey,
    settings::Beside,
    state::{Dirty, Rotation},
    state_document::{CurrentNote, Former},
};

impl Rotation {
    pub(super) fn key_read(&mut self, key: KeyRead, ctx: Ctx<'_>, out: &mut Out) {
        match key {
            KeyRead::Present(document) => self.document_present(document, ctx, out),
            KeyRead::Absent => self.document_gone(0, false, ctx, out),
            KeyRead::Deleted { version } => self.document_gone(version, true, ctx, out),
            KeyRead::Failed(_) => {} // handled before: a failed read changes nothing
        }
    }

    /// The key is no longer in the store. If this process still knows it, it is offered to the operator.
    fn document_gone(&mut self, version: u64, deleted: bool, ctx: Ctx<'_>, out: &mut Out) {
        self.forget_what_left_the_store(None, out);
        self.documents.key_version = version;
        self.documents.key = None;
        (self.documents.foreign, self.documents.reverted) = (None, None);
        let unheld = self.documents.unheld.take();
        let lost = self.current.as_ref().map(|current| current.fingerprint);
        self.documents.deleted |= deleted || lost.is_some() || self.memory.current.is_some();
        if let Some(lost) = lost.filter(|lost| unheld != Some(*lost)) {
            self.keep_as_held(lost, "it was the current key when its document was removed", ctx);
        }
        self.current = None;
        self.pending = None;
    }

    fn document_present(&mut self, document: KeyDocument, ctx: Ctx<'_>, out: &mut Out) {
        self.documents.key_version = document.version;
        self.documents.deleted = false;
        let found = document.current;
        let expected = self.current.as_ref().map(|current| current.fingerprint);
        self.documents.key = Some(document.clone());
        self.forget_what_left_the_store(found, out);
        if let Some(promotion) = self.pending.take()
            && found == Some(promotion.fingerprint)
            && (document.as_written && document.generation >= promotion.generation)
        {
            return self.promoted(&document, ctx, out);
        }
        match found {
            None if document.unusable.is_none() && expected.is_none() => self.documents.foreign = None,
            None => {
                let why = document.unusable.unwrap_or("the field with the key is gone".into());
                self.documents.foreign = Some(why);
            }
            Some(found) if expected == Some(found) => self.still_current(found, &document, out),
            Some(found) if self.was_promoted_elsewhere(found, &document) => {
                self.promoted(&document, ctx, out);
            }
            Some(found) if expected.is_none() => self.first_key(found, &document, ctx, out),
            Some(found) => self.foreign_key(found, &document, ctx),
        }
    }

    fn still_current(&mut self, found: Fingerprint, document: &KeyDocument, out: &mut Out) {
        let was_foreign = self.documents.foreign.take().is_some() | self.documents.reverted.take().is_some();
        if was_foreign {
            self.reconsider_held();
        }
        self.refresh_current(document);
        self.drop_candidate(found, out);
    }
    /// Another daemon promoted what waits here, or what followed our own current key.
    fn was_promoted_elsewhere(&self, found: Fingerprint, document: &KeyDocument) -> bool {
        let Some(current) = &self.current else { return false };
        let waits_here = self.candidates.iter().any(|candidate| candidate.fingerprint == found);
        let follows = document.previous.is_some_and(|previous| previous.fingerprint == current.fingerprint);
        let formerly = self.memory.formers.iter().any(|former| former.fingerprint == found);
        let newer = document.ours && document.as_written && document.generation > current.generation;
        // Beside the one that acts, whatever that one has promoted counts, however many keys it was.
        let anothers = self.settings.beside == Beside::TheActive;
        newer && (follows || anothers || (waits_here && !formerly))
    }

    /// The first reading after a start, or after the document was away.
    fn first_key(&mut self, found: Fingerprint, document: &KeyDocument, ctx: Ctx<'_>, out: &mut Out) {
        let noted = self.memory.current;
        if self.is_foreign_at_first(found, noted, document) {
            let formerly = self.memory.formers.iter().any(|former| former.fingerprint == found);
            // The newer key is in the spool, or nowhere; of any other foreign value only the recorded account can be
            // asked.
            self.current = noted.filter(|_| formerly).map(|noted| CurrentKey {
                fingerprint: noted.fingerprint,
                generation: noted.generation,
                rotated_at: Some(noted.dated),
                stored_at: noted.dated,
            });
            let newer = self.current.as_ref().map(|current| current.fingerprint);
            self.documents.unheld = newer.filter(|newer| !self.is_at_hand(*newer));
            return self.foreign_key(found, document, ctx);
        }
        self.note_rollback_of_before(found, noted, document, ctx);
        self.refresh_current(document);
        (self.documents.foreign, self.documents.reverted) = (None, None);
        if let Some(previous) = document.previous.filter(|previous| previous.fingerprint != found) {
            self.remember_former(Former { fingerprint: previous.fingerprint, until: previous.expires_at });
        }
        self.drop_candidate(found, out);
        self.drop_spooled_formers(out);
        self.forget_old_warning();
        self.probe_due = Some(ctx.now);
        self.consumers.values_mut().for_each(|consumer| consumer.restart());
        self.resume_journey(document);
    }
    /// The process that went back ended before it could note so: the documents tell.
    fn note_rollback_of_before(
        &mut self,
        found: Fingerprint,
        noted: Option<CurrentNote>,
        document: &KeyDocument,
        ctx: Ctx<'_>,
    ) {
        let newer = noted.map(|noted| CurrentKey {
            fingerprint: noted.fingerprint,
            generation: noted.generation,
            rotated_at: Some(noted.dated),
            stored_at: noted.dated,
        });
        let back = self.went_back(document, newer.as_ref());
        if back.is_some() {
            self.memory.rolled_back = back;
            self.dirty = self.dirty.max(Dirty::WhenCalm);
        }
        let newer = self.memory.rolled_back.filter(|note| note.to == found);
        newer.into_iter().for_each(|note| self.hold_newer(note, ctx));
    }
    /// A value that is neither what was last noted as current, nor what keyrelay promoted since, nor a first key.
    fn is_foreign_at_first(
        &self,
        found: Fingerprint,
        noted: Option<CurrentNote>,
        document: &KeyDocument,
    ) -> bool {
        let written_by_us = document.ours && document.as_written;
        match noted {
            Some(noted) if noted.fingerprint == found => false,
            Some(noted) => !(written_by_us && document.generation > noted.generation),
            None => document.ours && !document.as_written,
        }
    }
    pub(super) fn refresh_current(&mut self, document: &KeyDocument) {
        let Some(fingerprint) = document.current else { return };
        let written_at = document.created_at.whole_secs();
        let before = self.current.as_ref().filter(|current| current.fingerprint == fingerprint);
        // Another field's change makes a key no younger.
        let stored_at = before.map_or(written_at, |current| current.stored_at.min(written_at));
        // Where somebody else rotates, keyrelay's own fields may still speak of the key before.
        let ours = |_: &Timestamp| document.as_written || !self.settings.observe;
        let current = CurrentKey {
            fingerprint,
            generation: document.generation,
            rotated_at: document.rotated_at.filter(ours),
            stored_at,
        };
        let note = CurrentNote { fingerprint, generation: current.generation, dated: current.dated() };
        if self.memory.current.replace(note).is_none_or(|noted| noted.fingerprint != fingerprint) {
            self.dirty = self.dirty.max(Dirty::WhenCalm);
        }
        (self.current, self.documents.unheld) = (Some(current), None);
    }
    /// Whether the value of a key that was current lies in the document, or waits here.
    pub(super) fn is_at_hand(&self, key: Fingerprint) -> bool {
        let document = self.documents.key.as_ref();
        let previous = document.and_then(|document| document.previous).map(|previous| previous.fingerprint);
        let waits = self.candidates.iter().any(|candidate| candidate.fingerprint == key);
        waits || [document.and_then(|document| document.current), previous].contains(&Some(key))
    }

    /// What is left of the hand-over time, where one runs.
    pub(super) fn time_left(&self, ctx: Ctx<'_>) -> Option<std::time::Duration> {
        self.hand_over_ladder(ctx.limits).map(|ladder| ladder.until.since(ctx.now))
    }
}
