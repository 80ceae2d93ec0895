//! A value in the field that this daemon did not put there. A value whose key is alive, of the same account and
//! never seen before is adopted; an earlier key of ours never is; over anything else nothing is written.

use super::{Ctx, Out};
use crate::domain::{Fingerprint, KeyDocument, Origin};
use crate::rotation::{
    candidate::{Candidate, Spool},
    state::Rotation,
};

impl Rotation {
    pub(super) fn foreign_key(&mut self, found: Fingerprint, document: &KeyDocument, ctx: Ctx<'_>) {
        let formerly = self.memory.formers.iter().any(|former| former.fingerprint == found);
        if formerly || document.previous.is_some_and(|previous| previous.fingerprint == found) {
            return self.reverted(found, ctx);
        }
        self.documents.reverted = None;
        let waits = self.candidates.iter().any(|candidate| candidate.fingerprint == found);
        if self.documents.foreign.is_none() || !(waits || self.refused.contains(&found)) {
            self.documents.foreign = Some("another key, which is not proven to be ours".into());
        }
        if let Some(observed) = self.candidate(found).filter(|known| known.would.is_some()) {
            // Whoever rotates here has done it: it is judged anew.
            (observed.would, observed.received_at) = (None, ctx.now);
        }
        if !waits && !self.refused.contains(&found) {
            let rotation_id = self.derived_id(found, document.created_at);
            let mut candidate = Candidate::new(found, Origin::Store, rotation_id, ctx.now);
            candidate.dated = document.created_at.whole_secs();
            candidate.rotated_at = candidate.dated;
            candidate.spool = Spool::Safe; // the store itself holds it
            self.add_candidate(candidate);
        }
    }

    /// The newer key is kept for the operator; meanwhile nobody is given the earlier one.
    fn reverted(&mut self, found: Fingerprint, ctx: Ctx<'_>) {
        self.documents.reverted = Some(found);
        self.documents.foreign = None;
        if let Some(newer) = self.current.as_ref().map(|current| current.fingerprint)
            && self.documents.unheld != Some(newer)
        {
            self.keep_as_held(newer, "an earlier key was put back into the store over it", ctx);
        }
    }

    /// A key that was current and is not in the store any more: into the spool, and held.
    pub(super) fn keep_as_held(&mut self, fingerprint: Fingerprint, why: &str, ctx: Ctx<'_>) {
        // One that was refused since would be refused again with each look at the document.
        let waits = self.candidates.iter().any(|candidate| candidate.fingerprint == fingerprint);
        if waits || self.refused.contains(&fingerprint) {
            return;
        }
        let rotation_id = self.derived_id(fingerprint, ctx.now);
        let mut candidate =
            Candidate::new(fingerprint, Origin::Former, rotation_id, ctx.now).holding(Some(why.to_owned()));
        if let Some(noted) = self.memory.current.filter(|noted| noted.fingerprint == fingerprint) {
            (candidate.dated, candidate.rotated_at) = (noted.dated, noted.dated);
        }
        self.add_candidate(candidate);
    }

    /// A foreign value that was replaced in the store before it was judged is nobody's candidate.
    pub(super) fn forget_what_left_the_store(&mut self, found: Option<Fingerprint>, out: &mut Out) {
        let left = |candidate: &&Candidate| {
            candidate.origin == Origin::Store && Some(candidate.fingerprint) != found
        };
        let left: Vec<_> =
            self.candidates.iter().filter(left).map(|candidate| candidate.fingerprint).collect();
        left.into_iter().for_each(|fingerprint| self.drop_candidate(fingerprint, out));
    }
    /// The process ended between a promotion and the removal of its key from the spool.
    pub(super) fn drop_spooled_formers(&mut self, out: &mut Out) {
        let formers: Vec<_> = self.memory.formers.iter().map(|former| former.fingerprint).collect();
        let over = |candidate: &&Candidate| {
            candidate.from_spool && candidate.held.is_none() && formers.contains(&candidate.fingerprint)
        };
        let over: Vec<_> =
            self.candidates.iter().filter(over).map(|candidate| candidate.fingerprint).collect();
        over.into_iter().for_each(|fingerprint| self.drop_candidate(fingerprint, out));
    }
}
