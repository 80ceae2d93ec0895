//! A call whose answer did not come, or that nobody can read. What the old key says decides, and not at once: the
//! vendor may still be at it, and one answer may be wrong.

use super::{Ctx, Out, incidents::Seen};
use crate::domain::{Code, Origin, Severity, Timestamp, Verdict};
use crate::rotation::{
    effect::Reply,
    incident::Report,
    state::{Dirty, Rotation},
    wish::{Answer, Fate, Wish},
};

impl Rotation {
    /// What the store's notes say of a wish: another process may have made one, or ended one.
    pub(super) fn wish_read(&mut self, noted: Option<Wish>, scheduled: Option<Timestamp>) {
        self.memory.scheduled = self.memory.scheduled.max(scheduled);
        let noted = noted.filter(|noted| Some(noted.rotation_id) != self.uncalled);
        let newer = |noted: &Wish| self.memory.wish.as_ref().is_none_or(|known| known.at < noted.at);
        if let Some(noted) = noted.filter(newer) {
            (self.memory.wish, self.judged) = (Some(noted), None);
        }
    }

    /// From here on what the old key says counts: the call has ended, also another process's.
    pub(super) fn judged_from(&self, wish: &Wish, ctx: Ctx<'_>) -> Timestamp {
        wish.at + ctx.limits.request_timeout + ctx.limits.rotate_timeout()
    }
    /// The wish whose end is open, once nobody waits for the vendor any more.
    pub(in crate::rotation) fn unanswered_wish(&self) -> Option<&Wish> {
        let wish = self.memory.wish.as_ref()?;
        let current = self.current.as_ref().map(|current| current.fingerprint);
        let at_hand = self.asking.is_some() || self.has_key_of(wish);
        (self.documents.known && !at_hand && current == Some(wish.old)).then_some(wish)
    }
    fn has_key_of(&self, wish: &Wish) -> bool {
        self.candidates.iter().any(|candidate| match &candidate.origin {
            Origin::Api { wish: of, .. } => *of == wish.rotation_id,
            Origin::Mail(_)
            | Origin::Ingest { .. }
            | Origin::Store
            | Origin::Former
            | Origin::Rollback { .. } => false,
        })
    }
    /// The old key's death is this wish's affair.
    pub(super) fn is_waiting_for_answer(&self) -> bool {
        self.unanswered_wish().is_some()
    }

    pub(super) fn advance_lost(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        self.forget_wish_of_before();
        let Some(wish) = self.unanswered_wish().cloned() else { return };
        let (from, apart) = (self.judged_from(&wish, ctx), ctx.limits.dead_over);
        let facts = self.facts(wish.old);
        let verdict = facts.and_then(|facts| facts.verdict).filter(|(_, at)| *at >= from);
        match (wish.fate, verdict) {
            (Fate::Open, Some((verdict @ (Verdict::Alive | Verdict::Dead), at))) => match self.judged {
                Some((first, since)) if first == verdict && at >= since + apart => {
                    self.wish_is_judged(&wish, verdict, ctx, out)
                }
                Some((first, _)) if first == verdict => {}
                Some(_) | None => self.judged = Some((verdict, at)),
            },
            (Fate::Unsure, Some((Verdict::Dead, _)))
                if facts.is_some_and(|facts| facts.is_dead(ctx.limits)) =>
            {
                self.wish_is_judged(&wish, Verdict::Dead, ctx, out)
            }
            (Fate::Lost, Some((Verdict::Alive, at))) => {
                self.judged = Some((Verdict::Alive, at));
                self.set_fate(Fate::Open);
            }
            (Fate::Open | Fate::Unsure | Fate::Lost, _) => {}
        }
        self.ask_for_judgement(from, ctx);
    }
    /// The key that it asked with is the current one no more.
    fn forget_wish_of_before(&mut self) {
        let Some(current) = self.current.as_ref().map(|current| current.fingerprint) else { return };
        let settled = self.documents.known && self.documents.foreign.is_none() && self.asking.is_none();
        if settled && self.memory.wish.take_if(|wish| wish.old != current).is_some() {
            self.dirty = self.dirty.max(Dirty::WhenCalm);
        }
    }
    fn ask_for_judgement(&mut self, from: Timestamp, ctx: Ctx<'_>) {
        let Some(wish) = self.unanswered_wish().filter(|wish| wish.fate == Fate::Open) else { return };
        let again = self.judged.map_or(from, |(_, since)| since + ctx.limits.dead_over);
        let last = self.facts(wish.old).and_then(|facts| facts.verdict);
        let said = last.is_some_and(|(verdict, at)| at >= again && verdict != Verdict::Unclear);
        self.current_wanted |= again <= ctx.now && !said;
    }
    pub(super) fn next_judgement_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let wish = self.unanswered_wish().filter(|wish| wish.fate == Fate::Open)?;
        let from = self.judged_from(wish, ctx);
        Some(self.judged.map_or(from, |(_, since)| since + ctx.limits.dead_over))
    }
    fn set_fate(&mut self, fate: Fate) {
        if let Some(wish) = &mut self.memory.wish {
            wish.fate = fate;
        }
        self.dirty = Dirty::Now;
    }

    fn wish_is_judged(&mut self, wish: &Wish, verdict: Verdict, ctx: Ctx<'_>, out: &mut Out) {
        let vendor = self.settings.vendor_title.clone();
        let lost = self.unanswered.clone().unwrap_or("the process that asked was gone".into());
        match (verdict, self.settings.grace) {
            (Verdict::Alive, None) => {
                self.drop_answer(wish.rotation_id, out);
                self.unanswered = Some(lost.clone());
                let why = format!("there was no answer that tells ({lost}), and the old key still works");
                self.ended_without_key(wish.rotation_id, &why, ctx, out);
            }
            (Verdict::Alive, Some(_)) => {
                self.set_fate(Fate::Unsure);
                let why = format!(
                    "whether {vendor} made a new key is not known ({lost}): the old one works on, as it would after a \
                     rotation; look at the dashboard"
                );
                self.answer_rotation(wish.rotation_id, Reply::Unreachable { why }, out);
            }
            (Verdict::Dead | Verdict::Unclear, _) => {
                self.set_fate(Fate::Lost);
                self.incidents.clear(Code::RotationFailed, "");
                let why = format!("its answer was lost ({lost}), and the old key is dead");
                self.record_wish(wish, &why, ctx.now, out);
                let why =
                    format!("{vendor} made a new key, {why}; see: keyrelay status {}", self.settings.name);
                self.answer_rotation(wish.rotation_id, Reply::Unreachable { why }, out);
            }
        }
    }

    pub(super) fn report_wish(&mut self, ctx: Ctx<'_>) {
        let known = self.documents.known;
        let lost = Seen::when(known, self.lost_report());
        let unread = match self.unread_report() {
            Some(report) => Seen::So(report),
            None => Seen::when(known, None),
        };
        self.set(Code::KeyLost, ctx, lost);
        self.set(Code::AnswerUnreadable, ctx, unread);
        if let Some(report) = self.unsure_report() {
            self.incidents.raise(ctx.now, report);
        }
    }
    fn lost_report(&self) -> Option<Report> {
        let wish = self.unanswered_wish().filter(|wish| wish.fate == Fate::Lost)?;
        let at_hand = self.answers.get(&wish.rotation_id).is_some_and(may_hold_key);
        let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
        let message = format!(
            "{vendor} was asked for a new key {} by {} on {}; the answer was lost, and the old key is dead: the new \
             key was issued, and nobody has it",
            wish.at.minutes(),
            wish.by,
            wish.host
        );
        let hint = format!("{}\nkeyrelay ingest {name}\nrevoke the key that was lost", self.create_steps());
        let report = Report::new(Code::KeyLost, Severity::Urgent, message, hint)
            .breaks("every consumer that uses the old key is refused by the vendor")
            .doing("the vendor is not asked for another key; the old one is tried again on every schedule");
        Some(report).filter(|_| !at_hand)
    }
    fn create_steps(&self) -> String {
        match &self.settings.create_steps[..] {
            [] => self.settings.dashboard.clone(),
            steps => steps.join("\n"),
        }
    }
    /// The newest answer that may hold a key.
    fn unread_report(&self) -> Option<Report> {
        let answer =
            self.answers.values().filter(|answer| may_hold_key(answer)).max_by_key(|answer| answer.at)?;
        let why = answer.key.as_ref().err()?;
        let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
        let message = format!(
            "{vendor}'s answer {} to the call for a new key cannot be read: {why}",
            answer.at.minutes()
        );
        let hint = format!(
            "correct rotation.call of the vendor {} (issued, key), then:\nsystemctl reload keyrelay\nor else:\n{}\n\
             keyrelay ingest {name}",
            self.settings.vendor,
            self.create_steps()
        );
        let kept = match &answer.unkept {
            None => "the answer is kept in the spool, and read again at each reload".to_owned(),
            Some(why) => format!(
                "the answer is in this process only, because the spool cannot be written ({why}): do not stop keyrelay"
            ),
        };
        let report = Report::new(Code::AnswerUnreadable, Severity::Urgent, message, hint)
            .breaks("it may hold the only copy of the new key, and the old key may be dead")
            .doing(kept);
        Some(report)
    }
    fn unsure_report(&self) -> Option<Report> {
        let wish = self.unanswered_wish().filter(|wish| wish.fate == Fate::Unsure)?;
        let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
        let message = format!(
            "{vendor} was asked for a new key {} by {} on {}; the answer was lost, and the old key still works, as it \
             would after a rotation",
            wish.at.minutes(),
            wish.by,
            wish.host
        );
        let hint = format!(
            "look at the dashboard whether a new key was made; if so:\n{}\nkeyrelay ingest {name}\nelse:\n\
             keyrelay rotate {name}",
            self.create_steps()
        );
        let report = Report::new(Code::RotationFailed, Severity::Warning, message, hint)
            .breaks("if a key was made, the old one ends with its grace")
            .doing("the vendor is not asked again by itself");
        Some(report)
    }
}

fn may_hold_key(answer: &Answer) -> bool {
    answer.key.is_err() && answer.success
}
