//! Where keys come in: mails. A key that was received is a candidate, or held, or refused and told; it is never just
//! dropped.

use super::{Ctx, Out};
use crate::domain::{
    Code, Confirmation, Finding, Fingerprint, MailRef, Origin, RotationId, Severity, Timestamp, Warning,
};
use crate::rotation::{
    candidate::Candidate,
    incident::{Ladder, Report},
    state::{Dirty, Rotation},
    state_document::Announced,
};

impl Rotation {
    /// All mails of one look, judged. Only the newest key counts; older ones are history.
    pub(super) fn mails_seen(
        &mut self,
        findings: Vec<Finding>,
        first: bool,
        rotation_id: RotationId,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        self.looked |= first;
        let current = self.current.as_ref().map(|current| current.fingerprint);
        let own_dated = findings.iter().filter_map(|finding| confirmed_at(finding, current?)).max();
        let mut found: Vec<(Confirmation, Option<String>)> = Vec::new();
        let mut unjudged = false;
        for finding in findings {
            self.note_copy(&finding);
            match finding {
                Finding::NewKey(confirmation) => {
                    self.genuine_in(&confirmation.mail, ctx);
                    found.push((confirmation, None));
                }
                Finding::Held { confirmation, why } => found.push((confirmation, Some(why))),
                Finding::Warning(warning) => {
                    self.genuine_in(&warning.mail, ctx);
                    self.warned(warning, ctx, out);
                }
                Finding::Known { mail, .. } => self.remember_done(mail.id, ctx),
                Finding::Wait { mail, why } => {
                    unjudged = true;
                    self.mail_waits(mail, why, ctx);
                }
                Finding::Suspicious { mail, why } => self.mail_suspicious(mail, why, ctx),
                Finding::Unparsed { mail, why, dated } => self.mail_unparsed(mail, why, dated, ctx),
                Finding::NotOurs { .. } => {}
            }
        }
        if !unjudged {
            self.incidents.clear(Code::MailWaiting, "");
            self.mail_retry.succeeded();
        }
        self.take_newest(found, own_dated, rotation_id, ctx, out);
    }

    fn take_newest(
        &mut self,
        mut found: Vec<(Confirmation, Option<String>)>,
        own_dated: Option<Timestamp>,
        rotation_id: RotationId,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        found.retain(|(confirmation, _)| !self.refused.contains(&confirmation.fingerprint));
        found.sort_by_key(|(confirmation, _)| (confirmation.dated, confirmation.mail.arrived_at));
        let newest = found.iter().rposition(|(_, held)| held.is_none());
        for (index, (confirmation, held)) in found.into_iter().enumerate() {
            // By the vendor's own dates alone: a mail that was moved or restored arrives anew, and the store dates a key
            // that was pasted by the paste.
            let history = own_dated > Some(confirmation.dated);
            if history {
                self.remember_done(confirmation.mail.id, ctx);
            } else if held.is_none() && newest != Some(index) {
                self.superseded.push(confirmation.mail.id);
            } else {
                self.take_in(Candidate::mailed(confirmation, held, rotation_id, ctx.now), ctx, out);
            }
        }
    }

    /// A key is here now. One that is already known changes nothing.
    fn take_in(&mut self, candidate: Candidate, ctx: Ctx<'_>, out: &mut Out) {
        let fingerprint = candidate.fingerprint;
        let current = self.current.as_ref().is_some_and(|current| current.fingerprint == fingerprint);
        let known = current || self.candidate(fingerprint).is_some();
        if !known && !self.make_room(candidate.held.is_some(), ctx, out) {
            return; // it stays in the mailbox, and that was told
        }
        if let Origin::Mail(mail) = &candidate.origin {
            self.remember_done(mail.id.clone(), ctx);
        }
        match self.candidate(fingerprint) {
            Some(held) => held.take_better_mail(candidate),
            None if current => {}
            None => self.add_candidate(candidate),
        }
    }
    pub(super) fn add_candidate(&mut self, mut candidate: Candidate) {
        self.numbers += 1;
        candidate.number = self.numbers;
        self.documents.unheld.take_if(|unheld| *unheld == candidate.fingerprint);
        self.candidates.push(candidate);
    }
    /// Keys that are held are kept up to a number; one that is not held takes the place of the oldest that is.
    fn make_room(&mut self, held: bool, ctx: Ctx<'_>, out: &mut Out) -> bool {
        if self.candidates.len() < ctx.limits.candidates {
            return true;
        }
        let (kept, name) = (self.candidates.len(), &self.settings.name);
        let message =
            format!("{kept} keys wait already; one more was not taken in, and is in its mailbox only");
        let hint = format!("keyrelay status {name}\nkeyrelay explain --credential {name}");
        let report = Report::new(Code::CandidateHeld, Severity::Warning, message, hint).about("more");
        self.incidents.raise_again(ctx.now, report);
        let mailed = |known: &&Candidate| known.held.is_some() && matches!(known.origin, Origin::Mail(_));
        let oldest = self.candidates.iter().filter(mailed).min_by_key(|known| known.received_at);
        let Some(oldest) = oldest.map(|known| known.fingerprint).filter(|_| !held) else { return !held };
        self.drop_candidate(oldest, out);
        true
    }

    pub(super) fn warned(&mut self, warning: Warning, ctx: Ctx<'_>, out: &mut Out) {
        let Some(notice_before) = self.settings.notice_before else { return };
        if !self.documents.known {
            return self.early_warnings.push(warning);
        }
        self.remember_done(warning.mail.id.clone(), ctx);
        let old = self.is_old_warning(warning.dated, notice_before);
        let expected_at = warning.dated + notice_before;
        let late = expected_at + ctx.limits.mailbox_window < ctx.now;
        let known = self.memory.announced.as_ref().is_some_and(|known| known.dated >= warning.dated);
        if old || known || late {
            return;
        }
        self.memory.announced = Some(Announced { mail: warning.mail.id, dated: warning.dated, expected_at });
        self.rehearse(expected_at, ctx, out);
        let message =
            format!("{} will rotate the key at {}", self.settings.vendor_title, expected_at.minutes());
        let report = Report::new(
            Code::RotationAnnounced,
            Severity::Info,
            message,
            "nothing: the rehearsal tries everything now, and tells of what fails",
        )
        .doing(
            "the store, the mailbox, every delivery and every consumer are tried with the current key now",
        );
        self.incidents.announce(ctx.now, report);
    }
    /// Whether the rotation that was warned of has been: the current key is younger than the warning, or, where only
    /// its place in the store tells its age, was put there after that rotation.
    fn is_old_warning(&self, dated: Timestamp, notice_before: std::time::Duration) -> bool {
        self.current.as_ref().is_some_and(|current| match current.rotated_at {
            Some(rotated_at) => dated <= self.vendor_rotated_at().unwrap_or(rotated_at),
            None => dated + notice_before <= current.stored_at,
        })
    }
    pub(super) fn forget_old_warning(&mut self) {
        let Some(notice_before) = self.settings.notice_before else { return };
        let old = |announced: &Announced| self.is_old_warning(announced.dated, notice_before);
        if self.memory.announced.as_ref().is_some_and(old) {
            self.memory.announced = None;
        }
    }
    /// Tries everything that the rotation will need, with the current key.
    pub(super) fn rehearse(&mut self, expected_at: Timestamp, ctx: Ctx<'_>, out: &mut Out) {
        self.rehearsed_for = Some(expected_at);
        self.rehearsal_began_at = Some(ctx.now);
        self.dirty = Dirty::Now;
        out.look_again.get_or_insert(false);
        for consumer in self.consumers.values_mut() {
            consumer.rehearse(ctx.now);
        }
        self.probe_due = Some(ctx.now);
    }

    /// Where a genuine mail was filed. Junk is read too, but not for ever: other servers' junk is deleted.
    fn genuine_in(&mut self, mail: &MailRef, ctx: Ctx<'_>) {
        if !mail.junk {
            self.incidents.clear(Code::MailInJunk, "");
        } else if !self.memory.done.contains(&mail.id) {
            let message = format!("a genuine mail from {} was filed as junk ({})", mail.from, mail.folder);
            let hint = format!("tell the mail server that mails from {} are wanted", mail.from);
            let report = Report::new(Code::MailInJunk, Severity::Warning, message, hint)
                .breaks("nothing yet; a server that deletes its junk deletes a key with it")
                .doing("it is used as if it had arrived in the inbox");
            self.incidents.raise_again(ctx.now, report);
        }
    }
    fn mail_suspicious(&mut self, mail: MailRef, why: String, ctx: Ctx<'_>) {
        if self.is_done_now(&mail, ctx) {
            let message = format!("a mail from {} in {} was not used: {why}", mail.from, mail.folder);
            let hint = format!("keyrelay explain --credential {}", self.settings.name);
            let report = Report::new(Code::MailSuspicious, Severity::Warning, message, hint)
                .doing("nothing was taken out of it")
                .about(why);
            self.incidents.raise_again(ctx.now, report);
        }
    }
    fn mail_unparsed(&mut self, mail: MailRef, why: String, dated: Timestamp, ctx: Ctx<'_>) {
        // One of a rotation that is over is history. When a key that somebody else put there was made is not known.
        let over =
            self.current.as_ref().is_some_and(|current| current.generation > 0 && dated <= current.dated());
        if self.is_done_now(&mail, ctx) && !over {
            let (name, whole) = (&self.settings.name, self.settings.hand_over());
            let message = format!(
                "no key could be taken out of a confirmation from {} in {}: {why}",
                mail.from, mail.folder
            );
            let hint = format!("keyrelay explain --credential {name}\nkeyrelay ingest {name}");
            let report = Report::new(Code::MailUnparsed, Severity::Urgent, message, hint)
                .breaks(format!("the old key dies {}", (dated + whole).minutes()))
                .doing("the current key stays in use meanwhile")
                .ladder(Some(Ladder { from: dated, until: dated + whole - ctx.limits.margin(whole) }))
                .about(why);
            self.incidents.raise_again(ctx.now, report);
        }
    }
    /// True once for each mail.
    fn is_done_now(&mut self, mail: &MailRef, ctx: Ctx<'_>) -> bool {
        let new = !self.memory.done.contains(&mail.id);
        if new {
            self.remember_done(mail.id.clone(), ctx);
        }
        new
    }
    fn mail_waits(&mut self, mail: MailRef, why: String, ctx: Ctx<'_>) {
        let salt = crate::rotation::task::salt(&[self.settings.name.as_str(), "mail"]);
        if self.mail_retry.may_start(ctx.now) {
            self.mail_retry.failed(ctx.now, ctx.limits.backoff_cap_max, salt, ctx.limits);
        }
        let message = format!("a mail from {} cannot be judged: {why}", mail.from);
        let hint =
            "mend the resolver (dns.servers in the configuration); the mail is looked at again by itself";
        let report = Report::new(Code::MailWaiting, Severity::Warning, message, hint);
        if self.mail_retry.failures() > MAIL_RETRIES_BEFORE_TOLD {
            self.incidents.raise(ctx.now, report);
        }
    }
    /// A mail that could not be judged is looked at again.
    pub(super) fn advance_mail_retry(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        if self.mail_retry.waits_until().is_some_and(|at| at <= ctx.now) {
            self.mail_retry.pause();
            out.look_again = Some(true);
        }
    }
}

/// A resolver that hiccups once is nobody's business.
const MAIL_RETRIES_BEFORE_TOLD: u32 = 3;

/// The date of this key's own genuine confirmation.
fn confirmed_at(finding: &Finding, key: Fingerprint) -> Option<Timestamp> {
    match finding {
        Finding::Known { fingerprint, dated, genuine: true, .. } if *fingerprint == key => Some(*dated),
        Finding::Known { .. }
        | Finding::NewKey(_)
        | Finding::Warning(_)
        | Finding::Wait { .. }
        | Finding::Held { .. }
        | Finding::Suspicious { .. }
        | Finding::Unparsed { .. }
        | Finding::NotOurs { .. } => None,
    }
}
