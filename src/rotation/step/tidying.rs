//! What becomes of a confirmation once its rotation is over. The mailbox held the key's only copy when it came in; this
//! is the one place that takes something away there, and it would rather leave a mail for ever than take it too early.
//!
//! A mail may go when all of this holds at once:
//!
//! - Its key was promoted: it is the current key, or was. (A key that was passed over, refused or is held never was,
//!   and its mail stays: it may be the only copy.)
//! - The rotation to the *current* key has settled, every consumer is as good as it is wanted, and that is on record.
//! - The key document was read once more, just now, and holds the current key as keyrelay wrote it: nobody else's
//!   value, no earlier key put back, not deleted, not generation 0, which somebody else wrote.
//! - Nothing is under way that could change this: no candidate, no write, no rollback in force.
//!
//! The end of the old key is not waited for. Until it has come an operator may go back to it; then the newer key is in
//! the document as the previous one, and in the spool, and needs no mail. While a rollback is in force nothing is
//! touched at all: what was not taken away before waits until the newer key is let in again, or another has settled.
//! A rotation that was superseded before it settled is tidied together with the one that took its place.
//!
//! Genuine copies in other watched folders hold the same key and are treated likewise, and so are confirmations of
//! earlier keys that are still there; what is not genuine is not ours, and stays as evidence. Everything is idempotent:
//! a mail that is gone is done, whoever took it.

use super::{Ctx, Out};
use crate::domain::{
    Code, Finding, Fingerprint, KeyDocument, MailPlace, MailRef, Origin, Settled, Severity, Tidied,
};
use crate::rotation::{
    event::Attempt,
    incident::Report,
    state::{Dirty, Rotation},
    state_document::MailCopy,
    task::{backoff_cap, salt},
};
use std::collections::BTreeMap;

/// So many are noted at a time; further ones are found again when these are dealt with.
const COPIES_MAX: usize = 32;
/// A mailbox that hiccups is nobody's business.
const TOLD_AFTER_FAILURES: u32 = 4;

impl Rotation {
    /// A mail with one of our keys lies in the mailbox.
    pub(super) fn note_copy(&mut self, finding: &Finding) {
        match finding {
            Finding::NewKey(confirmation) => self.note(confirmation.fingerprint, &confirmation.mail),
            // A copy may come while the first one's key is still on its way.
            Finding::Known { mail, fingerprint, genuine: true, .. }
                if self.known_fingerprints().contains(fingerprint) =>
            {
                self.note(*fingerprint, mail);
            }
            Finding::Known { .. }
            | Finding::Held { .. }
            | Finding::Warning(_)
            | Finding::Wait { .. }
            | Finding::Suspicious { .. }
            | Finding::Unparsed { .. }
            | Finding::NotOurs { .. } => {}
        }
    }
    /// What an operator let in may have come by a mail that nothing but his word made genuine.
    pub(super) fn note_accepted(&mut self, promoted: Fingerprint) {
        let origin = self.candidate(promoted).map(|candidate| candidate.origin.clone());
        if let Some(Origin::Mail(mail)) = origin {
            self.note(promoted, &mail);
        }
    }
    fn note(&mut self, fingerprint: Fingerprint, mail: &MailRef) {
        let Some(at) = mail.lies_at().filter(|_| self.tidies()) else { return };
        self.keep_copy(MailCopy { fingerprint, at, dealt_with: false });
    }
    pub(super) fn keep_copy(&mut self, copy: MailCopy) {
        if self.memory.copies.iter().any(|known| known.at == copy.at) {
            return;
        }
        if self.memory.copies.len() >= COPIES_MAX && !self.make_room_for_copy() {
            return;
        }
        self.memory.copies.push_back(copy);
        self.dirty = self.dirty.max(Dirty::WhenCalm);
    }

    /// What was taken away need not be noted; what is only counted is counted up to the limit.
    fn make_room_for_copy(&mut self) -> bool {
        let taken_away = |copy: &MailCopy| copy.dealt_with && !self.looks_only();
        let index = self.memory.copies.iter().position(taken_away);
        self.copies_left_out |= index.is_none() && !self.looks_only();
        index.and_then(|index| self.memory.copies.remove(index)).is_some()
    }

    fn looks_only(&self) -> bool {
        self.settings.hygiene.settled == Settled::Keep
    }
    fn tidies(&self) -> bool {
        let wanted = !self.looks_only() || self.settings.hygiene.report_copies;
        wanted && !self.settings.observe && self.settings.mailbox.is_some()
    }
    fn was_promoted(&self, fingerprint: Fingerprint) -> bool {
        self.is_current(fingerprint)
            || self.memory.formers.iter().any(|former| former.fingerprint == fingerprint)
    }
    fn is_current(&self, fingerprint: Fingerprint) -> bool {
        self.current.as_ref().is_some_and(|current| current.fingerprint == fingerprint)
    }

    /// Notes of keys that came to nothing, and of former ones whose mails are dealt with or are not to be.
    fn forget_copies(&mut self) {
        if !self.documents.known || self.memory.copies.is_empty() {
            return;
        }
        let noted = std::mem::take(&mut self.memory.copies);
        let count = noted.len();
        self.memory.copies =
            noted.into_iter().filter(|copy| self.tidies() && self.is_awaited(copy)).collect();
        if self.memory.copies.len() != count {
            self.dirty = self.dirty.max(Dirty::WhenCalm);
        }
    }
    fn is_awaited(&self, copy: &MailCopy) -> bool {
        let may_come = self.candidates.iter().any(|candidate| candidate.fingerprint == copy.fingerprint);
        let waits = self.was_promoted(copy.fingerprint) && !copy.dealt_with && !self.looks_only();
        may_come || waits || self.is_current(copy.fingerprint)
    }

    pub(super) fn advance_tidying(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        self.forget_copies();
        let over = self.is_over();
        let due = if over { self.copies_due() } else { Vec::new() };
        if due.is_empty() {
            self.tidying_checked = false;
            if over && std::mem::take(&mut self.copies_left_out) {
                out.look_again = Some(true);
            }
            if over || self.memory.copies.is_empty() {
                self.incidents.clear(Code::MailNotTidied, "");
            }
            return;
        }
        let fresh = !self.documents.key_wanted && self.documents.reading.is_idle();
        if !fresh || !self.tidying.may_start(ctx.now) {
            return;
        }
        if !std::mem::replace(&mut self.tidying_checked, true) {
            self.documents.key_wanted = true;
            return self.advance_documents(ctx, out);
        }
        self.tidying_checked = false;
        let attempt = self.tidying.start(&mut self.attempts);
        out.tidy = Some((attempt, due));
    }

    /// The rotation to the current key is over, and nothing can take it back unseen.
    fn is_over(&self) -> bool {
        let Some(current) = self.current.as_ref().filter(|_| self.tidies() && self.may_deliver()) else {
            return false;
        };
        let as_written =
            |document: &KeyDocument| document.as_written && document.current == Some(current.fingerprint);
        let in_store = self.documents.key.as_ref().is_some_and(as_written) && self.store_trouble().is_none();
        let settled = current.generation > 0 && current.generation <= self.memory.settled;
        let on_record = self.dirty == Dirty::No && self.saving.is_idle() && !self.documents.state_wanted;
        let good = self.consumers.values().all(|consumer| consumer.is_good(current.fingerprint));
        let quiet = self.pending.is_none() && self.best_candidate().is_none() && self.rolled_back().is_none();
        in_store && settled && on_record && good && quiet && !self.stopping
    }

    fn copies_due(&self) -> Vec<MailPlace> {
        let copies = self.memory.copies.iter().filter(|copy| self.was_promoted(copy.fingerprint));
        let counted = copies.clone().filter(|copy| self.is_current(copy.fingerprint)).count();
        // Where nothing is taken away, one mail is as it should be.
        let due = |copy: &&MailCopy| {
            !copy.dealt_with && (!self.looks_only() || (counted > 1 && self.is_current(copy.fingerprint)))
        };
        copies.filter(due).map(|copy| copy.at.clone()).collect()
    }

    pub(super) fn mail_tidied(
        &mut self,
        attempt: Attempt,
        outcome: Result<Vec<(MailPlace, Tidied)>, String>,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        if !self.tidying.finish(attempt) {
            return;
        }
        let tidied = match outcome {
            Ok(tidied) => tidied,
            Err(why) => return self.tidying_failed(why, TOLD_AFTER_FAILURES, ctx),
        };
        let (mut refused, mut elsewhere, mut counted) = (None, false, false);
        for (at, outcome) in tidied {
            let Some(index) = self.memory.copies.iter().position(|copy| copy.at == at) else { continue };
            match outcome {
                Tidied::Done => {
                    counted |= self.is_current(self.memory.copies[index].fingerprint);
                    self.memory.copies[index].dealt_with = true;
                }
                Tidied::Gone => _ = self.memory.copies.remove(index),
                Tidied::Elsewhere => {
                    self.memory.copies.remove(index);
                    elsewhere = true;
                }
                Tidied::Refused(why) => refused = Some(why),
            }
            self.dirty = self.dirty.max(Dirty::WhenCalm);
        }
        if counted {
            self.tell_of_copies(ctx);
        }
        // Whatever has another place now is found there.
        if elsewhere {
            out.look_again = Some(true);
        }
        match refused {
            Some(why) => self.tidying_failed(why, 0, ctx),
            None if elsewhere => self.tidy_later(ctx),
            None => self.tidying.succeeded(),
        }
    }

    fn tidying_failed(&mut self, why: String, told_after: u32, ctx: Ctx<'_>) {
        self.tidy_later(ctx);
        if self.tidying.failures() < told_after {
            return;
        }
        let mailbox = self.settings.mailbox.as_ref().map(ToString::to_string).unwrap_or_default();
        let done = match &self.settings.hygiene.settled {
            Settled::Keep => "looked for",
            Settled::Delete => "deleted",
            Settled::Move(_) => "moved",
        };
        let message = format!(
            "the confirmation of a finished rotation could not be {done} in the mailbox {mailbox}: {why}"
        );
        let hint = format!(
            "keyrelay doctor\nmend what it says on the mail server, or correct mailboxes.{mailbox}.settled, then:\nsystemctl reload keyrelay"
        );
        let report = Report::new(Code::MailNotTidied, Severity::Warning, message, hint)
            .breaks("the mailbox goes on holding the key; the rotation itself is complete")
            .doing("the mail is left as it is, and it is tried again and again");
        self.incidents.raise(ctx.now, report);
    }
    fn tidy_later(&mut self, ctx: Ctx<'_>) {
        let salt = salt(&[self.settings.name.as_str(), "tidy"]);
        self.tidying.failed(ctx.now, backoff_cap(None, ctx.limits), salt, ctx.limits);
    }

    /// The current key's confirmation was there more than once: once told for each number of copies.
    fn tell_of_copies(&mut self, ctx: Ctx<'_>) {
        let current = self.memory.copies.iter().filter(|copy| self.is_current(copy.fingerprint));
        let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
        for copy in current.filter(|copy| copy.dealt_with) {
            *folders.entry(copy.at.folder.as_str()).or_default() += 1;
        }
        let count: usize = folders.values().sum();
        if count < 2 || !self.settings.hygiene.report_copies {
            return;
        }
        let places: Vec<_> = folders.iter().map(|(folder, count)| format!("{count} in {folder}")).collect();
        let doing = match &self.settings.hygiene.settled {
            Settled::Keep => "they are genuine, and were left where they are".to_owned(),
            Settled::Delete => "they are genuine, and were deleted like the first".to_owned(),
            Settled::Move(folder) => format!("they are genuine, and were moved to {folder} like the first"),
        };
        let (generation, mailbox) = (self.generation(), self.settings.mailbox.as_ref());
        let mailbox = mailbox.map(ToString::to_string).unwrap_or_default();
        let message = format!(
            "the confirmation of the current key lay in the mailbox {mailbox} {count} times: {}",
            places.join(", ")
        );
        let hint = "nothing, unless a filter or a forwarding that you do not know of makes the copies";
        let report = Report::new(Code::MailCopies, Severity::Info, message, hint)
            .doing(doing)
            .about(format!("{generation}/{count}"));
        self.incidents.announce_once(ctx.now, report);
    }
}
