//! Keys that are not yet the current one: on their way, or held.

use super::effect::Action;
use crate::domain::{Confirmation, Fingerprint, MailId, Origin, RotationId, Timestamp};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub fingerprint: Fingerprint,
    pub origin: Origin,
    /// What orders candidates: the signed Date, or when it was pasted or found.
    pub dated: Timestamp,
    /// Where its rotation's grace begins.
    pub rotated_at: Timestamp,
    pub received_at: Timestamp,
    pub rotation_id: RotationId,
    /// Counts the candidates of this process: a weak one is shown as `c<number>`.
    pub number: u32,
    /// Why only an operator may let it in.
    pub held: Option<String>,
    /// It is held for want of a proof, which may still come (and not for what its mail was).
    pub unprovable: bool,
    /// Judged fit: it waits for the store only.
    pub ready: bool,
    /// Judged fit at this moment, and only observed.
    pub would: Option<Timestamp>,
    /// The vendor has refused it since.
    pub dead_since: Option<Timestamp>,
    pub spool: Spool,
    /// Why it could not be spooled.
    pub spool_error: Option<String>,
    pub word: Option<OperatorsWord>,
    /// The held key that an operator goes back to stands aside for this wish.
    pub in_place_of: Option<Box<Candidate>>,
    /// Found in the spool at start: shown as such.
    pub from_spool: bool,
    /// What an operator's key met under way, and what becomes of that.
    pub beside: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spool {
    /// Only in memory, and in the mailbox or the store it came from.
    Outside,
    Writing,
    Safe,
    /// It did not work; tried again from this moment on.
    Failed {
        again_at: Timestamp,
    },
}

impl Spool {
    /// It is not known yet whether it is there.
    pub fn is_unsettled(self) -> bool {
        matches!(self, Spool::Outside | Spool::Writing)
    }
}

/// What an operator said of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OperatorsWord {
    pub uid: u32,
    /// When it was given: the later one counts.
    pub at: Timestamp,
    /// The operator vouches for what cannot be proven: account and order.
    pub sure: bool,
}

impl Candidate {
    pub fn waits_for_better_mail(&self) -> bool {
        self.held.is_some() && matches!(self.origin, Origin::Mail(_))
    }
    /// A key that is held for what its mail was came again in a mail that lets it in: the better mail counts.
    pub fn take_better_mail(&mut self, other: Self) {
        if self.waits_for_better_mail() && other.held.is_none() {
            (self.origin, self.dated, self.rotated_at) = (other.origin, other.dated, other.rotated_at);
            (self.rotation_id, self.held, self.unprovable) = (other.rotation_id, None, false);
        }
    }

    pub fn mailed(
        confirmation: Confirmation,
        held: Option<String>,
        rotation_id: RotationId,
        now: Timestamp,
    ) -> Self {
        Self {
            fingerprint: confirmation.fingerprint,
            dated: confirmation.dated,
            rotated_at: confirmation.rotated_at,
            ..Self::new(confirmation.fingerprint, Origin::Mail(confirmation.mail), rotation_id, now)
        }
        .holding(held)
    }
    /// One whose time is now: pasted, or found in the store.
    pub fn new(fingerprint: Fingerprint, origin: Origin, rotation_id: RotationId, now: Timestamp) -> Self {
        Self {
            fingerprint,
            origin,
            dated: now.whole_secs(),
            rotated_at: now.whole_secs(),
            received_at: now,
            rotation_id,
            number: 0,
            held: None,
            unprovable: false,
            ready: false,
            would: None,
            dead_since: None,
            spool: Spool::Outside,
            spool_error: None,
            word: None,
            in_place_of: None,
            from_spool: false,
            beside: None,
        }
    }
    pub fn holding(mut self, held: Option<String>) -> Self {
        self.held = held;
        self
    }
    /// It was found in the spool.
    pub fn spooled(mut self, dated: Timestamp, rotated_at: Timestamp) -> Self {
        (self.dated, self.rotated_at) = (dated, rotated_at);
        (self.spool, self.from_spool) = (Spool::Safe, true);
        self
    }
    /// Its date is the vendor's, and not that of somebody's hand.
    pub fn is_dated_by_vendor(&self) -> bool {
        match self.origin {
            Origin::Mail(_) | Origin::Api { .. } | Origin::Former => true,
            Origin::Ingest { .. } | Origin::Store | Origin::Rollback { .. } => false,
        }
    }
    pub fn is_vouched_for(&self) -> bool {
        self.word.is_some_and(|word| word.sure)
    }
    /// The mail it came in, while that may be the key's only other place.
    pub fn mail_not_done(&self) -> Option<&MailId> {
        match &self.origin {
            Origin::Mail(mail) if self.spool != Spool::Safe => Some(&mail.id),
            Origin::Mail(_)
            | Origin::Ingest { .. }
            | Origin::Store
            | Origin::Former
            | Origin::Rollback { .. }
            | Origin::Api { .. } => None,
        }
    }
    /// An operator's word outranks a mail, and the later word the earlier one; then the later key wins, and of equals the
    /// one that arrived later.
    pub fn rank(&self) -> impl Ord + use<> {
        (self.word.map(|word| word.at), self.order())
    }
    /// When it was dated, and when it arrived.
    pub fn order(&self) -> (Timestamp, Timestamp) {
        let arrived = match &self.origin {
            Origin::Mail(mail) => mail.arrived_at,
            Origin::Ingest { .. }
            | Origin::Store
            | Origin::Former
            | Origin::Rollback { .. }
            | Origin::Api { .. } => self.received_at,
        };
        (self.dated, arrived)
    }
    pub fn spool_action(&self) -> Action {
        Action::SpoolKey {
            fingerprint: self.fingerprint,
            origin: self.origin.clone(),
            dated: self.dated,
            rotated_at: self.rotated_at,
            held: self.held.clone(),
        }
    }
}
