//! Going back: the key before the current one becomes the current one again, by an operator's hand and only while it
//! is proven alive. It happens while the operator waits for it, or not at all: a wish that is older is forgotten.

use super::{Ctx, Out};
use crate::domain::{Code, Fingerprint, KeyDocument, Origin, RotationId, Severity, Timestamp, Verdict};
use crate::rotation::{
    candidate::{Candidate, OperatorsWord},
    effect::Reply,
    event::Ticket,
    incident::{Ladder, Report},
    keys::KeyFacts,
    policy::{self, CurrentKey, Judgement, Need},
    state::{Awaits, Rollback, Rotation},
    state_document::RolledBack,
};

const MEANWHILE: &str = "another key has become the current one meanwhile";

impl Rotation {
    /// Both keys are asked at the vendor now, whatever was known of them before.
    pub(super) fn rollback_asked(
        &mut self,
        (uid, check, ticket): (u32, bool, Ticket),
        rotation_id: RotationId,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        match self.rollback_keys() {
            Err(reply) => out.replies.push((ticket, reply)),
            Ok((from, to)) => {
                for key in [from, to] {
                    self.keys.entry(key).or_default().ask_anew(ctx.now);
                }
                let asked_at = ctx.now;
                let wish = Rollback { from, to, uid, check, rotation_id, asked_at };
                self.answer_later(ticket, Awaits::Rollback(wish), ctx);
            }
        }
    }

    /// From which key to which; or why that cannot be.
    fn rollback_keys(&self) -> Result<(Fingerprint, Fingerprint), Reply> {
        let documents = &self.documents;
        let refused = |why: &str| Err(Reply::Refused { why: why.to_owned() });
        if let Some(reply) = self.is_only_observed() {
            return Err(reply);
        }
        if let Some(trouble) = self.store_trouble() {
            return Err(Reply::Unreachable { why: trouble.to_string() });
        }
        if !documents.known {
            return Err(Reply::Unreachable { why: "the store was not read yet".into() });
        }
        if documents.state_refused.is_some() || documents.foreign.is_some() || documents.deleted {
            return refused(
                "nothing is written while what the status says of this credential's document is open",
            );
        }
        if self.pending.is_some() {
            return refused("a key is being written to the store right now");
        }
        let Some(current) = &self.current else { return refused("there is no key in the store yet") };
        match documents.reverted.or(self.previous().map(|previous| previous.fingerprint)) {
            Some(to) if to != current.fingerprint => Ok((current.fingerprint, to)),
            Some(_) | None if self.memory.formers.is_empty() => {
                refused("there is no key before the current one")
            }
            Some(_) | None => {
                refused("the key before the current one is dead, and was removed from the store")
            }
        }
    }

    /// Wishes are granted, refused, or wait for the vendor's answers.
    pub(super) fn advance_rollbacks(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        self.rollback_wanted = None;
        for (ticket, wish) in self.rollbacks_asked() {
            match self.judge_rollback(&wish, ctx, out) {
                Ok(Judgement::Promote) if wish.check => {
                    let (key, until) = (self.label(wish.to), self.end_of(wish.to));
                    self.answer(ticket, Reply::RollbackPossible { key, until }, out);
                }
                Ok(Judgement::Promote) => self.set_out_back(ticket, wish, ctx),
                Ok(Judgement::Ask(_) | Judgement::Wait(_)) => {}
                Ok(Judgement::Hold(why) | Judgement::Refuse(why)) => {
                    if !wish.check {
                        self.record_refusal(&going_back(&wish, None), &why, ctx.now, out);
                    }
                    self.answer(ticket, Reply::Refused { why }, out);
                }
                Err(reply) => self.answer(ticket, reply, out),
            }
        }
    }
    fn rollbacks_asked(&self) -> Vec<(Ticket, Rollback)> {
        let wish = |awaits: &Awaits| match awaits {
            Awaits::Rollback(wish) => Some(*wish),
            Awaits::Rotation(_) | Awaits::Promotion(_) | Awaits::Consumers(_) | Awaits::Passes(_) => None,
        };
        self.waiting.iter().filter_map(|waiting| Some((waiting.ticket, wish(&waiting.awaits)?))).collect()
    }
    fn answer(&mut self, ticket: Ticket, reply: Reply, out: &mut Out) {
        self.waiting.retain(|waiting| waiting.ticket != ticket);
        out.replies.push((ticket, reply));
    }

    /// The same checks as a new key's, but for the order; and the verdict must be younger than the wish.
    fn judge_rollback(&mut self, wish: &Rollback, ctx: Ctx<'_>, out: &mut Out) -> Result<Judgement, Reply> {
        if self.rollback_keys()? != (wish.from, wish.to) {
            return Ok(Judgement::Refuse(MEANWHILE.into()));
        }
        let asked = |facts: &&KeyFacts| facts.last_probe_at() >= Some(wish.asked_at);
        let facts = self.facts(wish.to).filter(asked).cloned().unwrap_or_default();
        if let Some((Verdict::Dead, _)) = facts.verdict {
            return Ok(Judgement::Refuse(format!("the vendor refuses the earlier key ({})", facts.why)));
        }
        let candidate = going_back(wish, None);
        let formers = self.former_fingerprints();
        let case = self.case(&candidate, &facts, &formers, ctx);
        let (judgement, needs) = (policy::judge(&case), policy::needs(&case));
        if matches!(judgement, Judgement::Ask(_) | Judgement::Wait(_)) {
            self.rollback_wanted = needs.contains(&Need::Candidate).then_some(wish.to);
            self.current_wanted |= needs.contains(&Need::Current);
            out.control_wanted |= needs.contains(&Need::Control);
        }
        Ok(judgement)
    }
    /// Why a wish is not granted yet, when its time is over.
    pub(super) fn rollback_hangs(&self, wish: &Rollback, ctx: Ctx<'_>) -> Reply {
        let why = |key: Fingerprint| self.facts(key).map(|facts| facts.why.clone()).unwrap_or_default();
        let why = match ctx.control {
            Some((Verdict::Alive, _)) => "the vendor calls a random key alive".to_owned(),
            Some((Verdict::Dead | Verdict::Unclear, _)) | None => {
                format!("the vendor does not say whether the earlier key works ({})", why(wish.to))
            }
        };
        Reply::Unreachable { why }
    }

    /// It is proven: it goes to the store as a new version.
    fn set_out_back(&mut self, ticket: Ticket, wish: Rollback, ctx: Ctx<'_>) {
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.ticket == ticket) {
            waiting.awaits = Awaits::Promotion(wish.to);
        }
        let held = self.candidates.iter().position(|candidate| candidate.fingerprint == wish.to);
        let held = held.map(|index| self.candidates.remove(index));
        if held.as_ref().is_some_and(|held| matches!(held.origin, Origin::Rollback { .. })) {
            return self.candidates.extend(held); // another operator's wish is on its way already
        }
        let mut candidate = going_back(&wish, held);
        if let Some(note) = self.rolled_back().filter(|note| note.from == wish.to) {
            candidate.rotated_at = note.from_dated;
        }
        self.add_candidate(candidate);
        self.begin_journey(wish.to, ctx);
    }
    /// Whoever wished for it was answered: it is not done later, when nobody expects it.
    pub(super) fn forget_rollbacks(&mut self) {
        let pending = self.pending.as_ref().map(|promotion| promotion.fingerprint);
        let forgotten = |candidate: &Candidate| {
            let awaited = Awaits::Promotion(candidate.fingerprint);
            matches!(candidate.origin, Origin::Rollback { .. })
                && pending != Some(candidate.fingerprint)
                && self.waiting.iter().all(|waiting| waiting.awaits != awaited)
        };
        let Some(index) = self.candidates.iter().position(forgotten) else { return };
        let candidate = self.candidates.remove(index);
        self.end_journey(candidate.fingerprint);
        if let Some(held) = candidate.in_place_of {
            self.candidates.push(Candidate { spool: candidate.spool, ..*held });
        }
    }

    /// What the state document notes, while it is so.
    pub(in crate::rotation) fn rolled_back(&self) -> Option<RolledBack> {
        let current = self.current.as_ref()?.fingerprint;
        self.memory.rolled_back.filter(|note| note.to == current)
    }
    /// The vendor's time of its own last rotation: that of the newer key, while an earlier one is in use.
    pub(in crate::rotation) fn vendor_rotated_at(&self) -> Option<Timestamp> {
        let back = self.rolled_back().map(|note| note.from_dated);
        back.or(Some(self.current.as_ref()?.dated()))
    }
    /// Until when a key that is not the vendor's newest works.
    fn end_of(&self, key: Fingerprint) -> Option<Timestamp> {
        let previous = self.previous().filter(|previous| previous.fingerprint == key);
        let former = || self.memory.formers.iter().find(|former| former.fingerprint == key).copied();
        previous.and_then(|previous| previous.until).or_else(|| former()?.until)
    }

    /// The end of the grace that a promotion gives to the key that it replaces. One that was gone back to dies when
    /// it would have died all the same; one that is gone back from is the vendor's newest, and has no end.
    pub(super) fn end_of_replaced(&self, candidate: &Candidate) -> Option<Timestamp> {
        let said = match &candidate.origin {
            Origin::Api { old_until, .. } => *old_until,
            Origin::Mail(_)
            | Origin::Ingest { .. }
            | Origin::Store
            | Origin::Former
            | Origin::Rollback { .. } => None,
        };
        let usual = said.or(self.settings.grace.map(|grace| candidate.rotated_at + grace));
        match self.rolled_back() {
            Some(note) => [usual, note.until].into_iter().flatten().min(),
            None if matches!(candidate.origin, Origin::Rollback { .. }) => None,
            None => usual,
        }
    }

    /// What a promotion that was just read back means: whether it went back, before anything else is changed.
    pub(super) fn went_back(&self, document: &KeyDocument, old: Option<&CurrentKey>) -> Option<RolledBack> {
        let to = document.current?;
        let by_hand = self
            .candidates
            .iter()
            .find(|candidate| candidate.fingerprint == to)
            .map(|candidate| matches!(candidate.origin, Origin::Rollback { .. }));
        // Another process's promotion of an earlier key is one, too.
        let back = by_hand.unwrap_or(self.memory.formers.iter().any(|former| former.fingerprint == to));
        let returned = self.memory.rolled_back.is_some_and(|note| note.from == to);
        let from = old.filter(|old| back && !returned && old.fingerprint != to)?;
        let until = self.end_of(to);
        Some(RolledBack { from: from.fingerprint, from_dated: from.dated(), to, until })
    }
    /// The newer key stays at hand, for an operator to let in again.
    pub(super) fn hold_newer(&mut self, note: RolledBack, ctx: Ctx<'_>) {
        let why = "an operator went back to the key before it";
        self.keep_as_held(note.from, why, ctx);
        if let Some(newer) = self.candidate(note.from) {
            (newer.dated, newer.rotated_at) = (note.from_dated, note.from_dated);
            (newer.held, newer.unprovable) = (Some(why.into()), false);
        }
    }

    pub(super) fn rolled_back_report(&self, ctx: Ctx<'_>) -> Option<Report> {
        let note = self.rolled_back()?;
        let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
        let (earlier, newer) = (self.label(note.to), self.label(note.from));
        let message =
            format!("an operator went back to the earlier key {earlier}; the newer key {newer} is held");
        let hint = format!("when the newer key can be used:\nkeyrelay accept {name} {newer}");
        let from = self.current.as_ref().map(|current| current.dated());
        let time = from.zip(note.until).filter(|(from, until)| from < until);
        let ladder =
            time.map(|(from, until)| Ladder { from, until: until - ctx.limits.margin(until.since(from)) });
        let breaks = match note.until {
            Some(until) => format!(
                "{vendor} ends the earlier key at {}; whoever uses it then is refused",
                until.minutes()
            ),
            None if self.lives_until_revoked() => {
                format!(
                    "whoever uses the earlier key is refused once somebody revokes it at {vendor}: nobody must"
                )
            }
            None => format!("{vendor} may end the earlier key at any time"),
        };
        let urgent = ladder.is_some_and(|ladder| ladder.is_urgent(ctx.now, ctx.limits));
        let severity = if urgent { Severity::Urgent } else { Severity::Warning };
        let report = Report::new(Code::RolledBack, severity, message, hint)
            .breaks(breaks)
            .doing(
                "every consumer is brought to the earlier key; the newer one is kept, and not used by itself",
            )
            .ladder(ladder);
        Some(report)
    }
}

fn going_back(wish: &Rollback, held: Option<Candidate>) -> Candidate {
    let origin = Origin::Rollback { uid: wish.uid };
    let word = Some(OperatorsWord { uid: wish.uid, at: wish.asked_at, sure: true });
    let candidate = Candidate::new(wish.to, origin, wish.rotation_id, wish.asked_at);
    let spool = held.as_ref().map_or(candidate.spool, |held| held.spool);
    Candidate { word, spool, in_place_of: held.map(Box::new), ..candidate }
}
