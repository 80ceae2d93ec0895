//! Where keys come in: mails and the spool. A key that was received is a candidate, or held, or refused and told;
//! it is never just dropped.

use super::{Ctx, Out};
use crate::domain::{
    Code, Confirmation, Finding, Fingerprint, MailRef, Origin, RotationId, Severity, Timestamp, Warning,
};
use crate::rotation::{
    candidate::{Candidate, Spool},
    effect::Action,
    incident::Report,
    state::{Announced, Dirty, Rotation},
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
        let newest_known = findings.iter().filter_map(known_at).max();
        let mut found: Vec<(Confirmation, Option<String>)> = Vec::new();
        let mut unjudged = false;
        for finding in findings {
            match finding {
                Finding::NewKey(confirmation) => found.push((confirmation, None)),
                Finding::Held { confirmation, why } => found.push((confirmation, Some(why))),
                Finding::Warning(warning) => self.warned(warning, ctx, out),
                Finding::Known { mail, .. } => self.remember_done(mail.id, ctx),
                Finding::Wait { mail, why } => {
                    unjudged = true;
                    self.mail_waits(mail, why, ctx);
                }
                Finding::Suspicious { mail, why } => self.mail_incident(Code::MailSuspicious, mail, why, ctx),
                Finding::Unparsed { mail, why, .. } => self.mail_incident(Code::MailUnparsed, mail, why, ctx),
                Finding::NotOurs { .. } => {}
            }
        }
        if !unjudged {
            self.incidents.clear(Code::MailWaiting, "");
            self.mail_retry.succeeded();
        }
        self.take_newest(found, newest_known, rotation_id, ctx);
    }

    fn take_newest(
        &mut self,
        mut found: Vec<(Confirmation, Option<String>)>,
        newest_known: Option<Timestamp>,
        rotation_id: RotationId,
        ctx: Ctx<'_>,
    ) {
        found.sort_by_key(|(confirmation, _)| (confirmation.dated, confirmation.mail.arrived_at));
        let newest = found.iter().rposition(|(_, held)| held.is_none());
        for (index, (confirmation, held)) in found.into_iter().enumerate() {
            let older_than_known = newest_known > Some(confirmation.mail.arrived_at);
            let superseded = held.is_none() && newest != Some(index);
            if superseded || older_than_known {
                self.remember_done(confirmation.mail.id, ctx);
            } else {
                self.take_in(Candidate::mailed(confirmation, held, rotation_id, ctx.now), ctx);
            }
        }
    }

    /// A key is here now. One that is already known changes nothing.
    pub(super) fn take_in(&mut self, candidate: Candidate, ctx: Ctx<'_>) {
        if let Origin::Mail(mail) = &candidate.origin {
            self.remember_done(mail.id.clone(), ctx);
        }
        let fingerprint = candidate.fingerprint;
        let current = self.current.as_ref().is_some_and(|current| current.fingerprint == fingerprint);
        let known = current || self.refused.contains(&fingerprint) || self.candidate(fingerprint).is_some();
        if known {
            return;
        }
        if self.candidates.len() >= ctx.limits.candidates {
            let oldest_held = self
                .candidates
                .iter()
                .filter(|known| known.held.is_some())
                .min_by_key(|known| known.received_at);
            let Some(oldest) = oldest_held.map(|known| known.fingerprint) else { return };
            self.candidates.retain(|known| known.fingerprint != oldest);
        }
        self.candidates.push(candidate);
    }

    fn warned(&mut self, warning: Warning, ctx: Ctx<'_>, out: &mut Out) {
        let Some(notice_before) = self.settings.notice_before else { return };
        self.remember_done(warning.mail.id.clone(), ctx);
        let old = self
            .current
            .as_ref()
            .and_then(|current| current.rotated_at)
            .is_some_and(|at| warning.dated <= at);
        let expected_at = warning.dated + notice_before;
        let late = expected_at + ctx.limits.mailbox_window < ctx.now;
        let known = self.memory.announced.as_ref().is_some_and(|known| known.dated >= warning.dated);
        if old || known || late {
            return;
        }
        self.memory.announced = Some(Announced { mail: warning.mail.id, dated: warning.dated, expected_at });
        self.rehearse(expected_at, ctx, out);
        let message = format!("{} will rotate the key {}", self.settings.vendor_title, expected_at.minutes());
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
    /// Tries everything that the rotation will need, with the current key.
    pub(super) fn rehearse(&mut self, expected_at: Timestamp, ctx: Ctx<'_>, out: &mut Out) {
        self.rehearsed_for = Some(expected_at);
        self.dirty = Dirty::Now;
        out.look_again.get_or_insert(false);
        for consumer in self.consumers.values_mut() {
            consumer.rehearsal.wait_until(ctx.now);
            consumer.restart();
        }
        self.probe_due = Some(ctx.now);
    }

    fn mail_incident(&mut self, code: Code, mail: MailRef, why: String, ctx: Ctx<'_>) {
        if self.memory.done.contains(&mail.id) {
            return;
        }
        self.remember_done(mail.id.clone(), ctx);
        self.dirty = Dirty::Now;
        let name = &self.settings.name;
        let severity = if code == Code::MailUnparsed { Severity::Urgent } else { Severity::Warning };
        let message = format!("a mail from {} in {} was refused: {why}", mail.from, mail.folder);
        let hint = match code {
            Code::MailUnparsed => format!("keyrelay explain --credential {name}\nkeyrelay ingest {name}"),
            _ => format!("keyrelay explain --credential {name}"),
        };
        self.incidents.raise_again(ctx.now, Report::new(code, severity, message, hint).about(why));
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

    pub(super) fn spool_found(
        &mut self,
        fingerprint: Fingerprint,
        origin: Origin,
        (dated, rotated_at): (Timestamp, Timestamp),
        held: Option<String>,
        rotation_id: RotationId,
        ctx: Ctx<'_>,
    ) {
        if let Some(known) = self.candidate(fingerprint) {
            known.spool = Spool::Safe;
            return;
        }
        let mut candidate = Candidate::new(fingerprint, origin, rotation_id, ctx.now).holding(held);
        (candidate.dated, candidate.rotated_at) = (dated, rotated_at);
        (candidate.spool, candidate.from_spool) = (Spool::Safe, true);
        self.candidates.push(candidate);
    }
    pub(super) fn spool_unreadable(&mut self, why: String, ctx: Ctx<'_>) {
        let hint =
            format!("give keyrelay the spool key that wrote it, or: keyrelay ingest {}", self.settings.name);
        let report = Report::new(Code::SpoolLost, Severity::Urgent, why.clone(), hint).about(why);
        self.incidents.raise(ctx.now, report);
    }

    /// Whatever is not promoted in time, and whatever exists nowhere else, is written to the spool.
    pub(super) fn advance_spool(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let stopping = self.stopping;
        for candidate in &mut self.candidates {
            let only_copy = matches!(candidate.origin, Origin::Ingest { .. } | Origin::Former);
            let late = candidate.received_at + ctx.limits.spool_after <= ctx.now;
            let due = match candidate.spool {
                Spool::Outside => only_copy || late || stopping,
                Spool::Failed { again_at } => again_at <= ctx.now,
                Spool::Writing | Spool::Safe => false,
            };
            if due {
                candidate.spool = Spool::Writing;
                out.actions.push(candidate.spool_action());
            }
        }
    }
    pub(super) fn spooled(
        &mut self,
        fingerprint: Fingerprint,
        outcome: Result<(), String>,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        let name = self.settings.name.clone();
        let Some(candidate) = self.candidate(fingerprint) else {
            // Promoted or refused while it was being written.
            out.actions.push(Action::DropSpooled { fingerprint });
            return;
        };
        match outcome {
            Ok(()) => {
                candidate.spool = Spool::Safe;
                self.incidents.clear(Code::SpoolFailed, "");
            }
            Err(why) => {
                candidate.spool = Spool::Failed { again_at: ctx.now + ctx.limits.backoff_cap_min };
                let message = format!("a key could not be written to the spool: {why}");
                let hint = "make room in the spool's folder; do not stop keyrelay and do not delete mails until this is resolved";
                let report = Report::new(Code::SpoolFailed, Severity::Urgent, message, hint)
                    .breaks(format!("if this process ends now, {name}'s new key may be lost"));
                self.incidents.raise(ctx.now, report);
            }
        }
    }
    pub(super) fn next_spooling_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let due = |candidate: &Candidate| match candidate.spool {
            Spool::Outside => Some(candidate.received_at + ctx.limits.spool_after),
            Spool::Failed { again_at } => Some(again_at),
            Spool::Writing | Spool::Safe => None,
        };
        self.candidates.iter().filter_map(due).min()
    }

    /// Takes a candidate away; its copy in the spool goes with it.
    pub(super) fn drop_candidate(&mut self, fingerprint: Fingerprint, out: &mut Out) {
        let Some(index) = self.candidates.iter().position(|candidate| candidate.fingerprint == fingerprint)
        else {
            return;
        };
        let candidate = self.candidates.remove(index);
        if candidate.spool == Spool::Safe && candidate.origin != Origin::Store {
            out.actions.push(Action::DropSpooled { fingerprint });
        }
    }
    /// One became the current key: it and everything older is done with.
    pub(super) fn finish_candidates(&mut self, promoted: Fingerprint, out: &mut Out) {
        let dated = self.candidate(promoted).map(|candidate| candidate.dated);
        let older = |candidate: &&Candidate| candidate.held.is_none() && Some(candidate.dated) <= dated;
        let over: Vec<_> =
            self.candidates.iter().filter(older).map(|candidate| candidate.fingerprint).collect();
        over.into_iter().chain([promoted]).for_each(|fingerprint| self.drop_candidate(fingerprint, out));
    }
}

/// A resolver that hiccups once is nobody's business.
const MAIL_RETRIES_BEFORE_TOLD: u32 = 3;

fn known_at(finding: &Finding) -> Option<Timestamp> {
    match finding {
        Finding::Known { mail, .. } => Some(mail.arrived_at),
        Finding::NewKey(_)
        | Finding::Warning(_)
        | Finding::Wait { .. }
        | Finding::Held { .. }
        | Finding::Suspicious { .. }
        | Finding::Unparsed { .. }
        | Finding::NotOurs { .. } => None,
    }
}
