//! A value in the field that this daemon did not put there. A value whose key is alive, of the same account and
//! never seen before is adopted; an earlier key of ours never is; over anything else nothing is written.

use super::Ctx;
use crate::domain::{Fingerprint, KeyDocument, Origin};
use crate::rotation::{
    candidate::{Candidate, Spool},
    state::Rotation,
};

impl Rotation {
    /// What is in the field cannot be a key.
    pub(super) fn foreign_value(&mut self, why: String) {
        self.documents.foreign = Some(why);
    }

    pub(super) fn foreign_key(&mut self, found: Fingerprint, document: &KeyDocument, ctx: Ctx<'_>) {
        let formerly = self.memory.formers.iter().any(|former| former.fingerprint == found);
        if formerly || self.previous().is_some_and(|previous| previous.fingerprint == found) {
            return self.reverted(found, ctx);
        }
        self.documents.foreign = Some("another key, which is not proven to be ours".into());
        if self.candidates.iter().all(|candidate| candidate.fingerprint != found) {
            let rotation_id = self.derived_id(found, document.created_at);
            let mut candidate = Candidate::new(found, Origin::Store, rotation_id, ctx.now);
            candidate.dated = document.created_at.whole_secs();
            candidate.rotated_at = candidate.dated;
            candidate.spool = Spool::Safe; // the store itself holds it
            self.candidates.push(candidate);
        }
    }

    /// The newer key is kept for the operator; meanwhile the store says which one consumers get: nobody is given the
    /// earlier one again.
    fn reverted(&mut self, found: Fingerprint, ctx: Ctx<'_>) {
        self.documents.reverted = Some(found);
        self.documents.foreign = None;
        if let Some(current) = &self.current {
            let newer = current.fingerprint;
            self.keep_as_held(newer, "an earlier key was put back into the store over it", ctx);
        }
    }

    /// A key that was current and is not in the store any more: into the spool, and held.
    pub(super) fn keep_as_held(&mut self, fingerprint: Fingerprint, why: &str, ctx: Ctx<'_>) {
        if self.candidates.iter().any(|candidate| candidate.fingerprint == fingerprint) {
            return;
        }
        let rotation_id = self.derived_id(fingerprint, ctx.now);
        let candidate =
            Candidate::new(fingerprint, Origin::Former, rotation_id, ctx.now).holding(Some(why.to_owned()));
        self.candidates.push(candidate);
    }
}
