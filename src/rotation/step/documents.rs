//! Reading both documents: at start, before a promotion, after a lost check-and-set or an outage, and on the
//! schedule. What the key document says is judged next door.

use super::{Ctx, Out};
use crate::domain::{Code, KeyRead, Severity, StoreTrouble};
use crate::rotation::{
    candidate::Spool,
    effect::Action,
    event::{Attempt, StateRead},
    incident::{Incident, Report},
    settings::Beside,
    state::{Call, Dirty, Rotation},
    state_document::{SCHEMA, StateDocument},
    task::{backoff_cap, salt},
};

/// A node that answers with an older version is told of when it goes on doing so.
const STALE_READS_BEFORE_TOLD: u32 = 3;

fn stale() -> StoreTrouble {
    StoreTrouble::Refused("a node answers with an older version of the key document".into())
}

impl Rotation {
    pub(super) fn advance_documents(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        if self.read_due.take_if(|at| *at <= ctx.now).is_some() {
            self.documents.key_wanted = true;
            // The version that wrote refused notes may have put them right.
            self.documents.state_wanted |= self.documents.state_refused.is_some();
            self.documents.state_wanted |= self.settings.beside == Beside::TheActive;
        }
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
        let trouble = trouble.or_else(|| self.is_stale(&key).then(stale));
        if let Some(trouble) = trouble {
            let salt = salt(&[self.settings.name.as_str(), "read"]);
            let left = self.time_left(ctx);
            self.documents.reading.failed(ctx.now, backoff_cap(left, ctx.limits), salt, ctx.limits);
            // One that lags behind for a moment is nobody's business.
            if trouble != stale() || self.documents.reading.failures() > STALE_READS_BEFORE_TOLD {
                self.store_failed(Call::Read, trouble, out);
            }
            return;
        }
        self.store_worked(Call::Read, out);
        self.documents.reading.succeeded();
        self.documents.key_wanted = false;
        if let Some(state) = state {
            self.documents.state_wanted = false;
            self.state_read(state, &key, ctx, out);
        }
        self.key_read(key, ctx, out);
        self.documents.known = true;
        let early = std::mem::take(&mut self.early_warnings);
        early.into_iter().for_each(|warning| self.warned(warning, ctx, out));
    }

    /// An older version than one that was read before: a standby's answer. Where the versions were begun anew, they were
    /// written later.
    fn is_stale(&mut self, key: &KeyRead) -> bool {
        let KeyRead::Present(document) = key else { return false };
        let read = (document.version, document.created_at);
        let stale = self.documents.newest.is_some_and(|(version, at)| read.0 < version && read.1 < at);
        if !stale {
            self.documents.newest = Some(read);
        }
        stale
    }
    /// The fleet tells of outages; of what is refused, this credential.
    pub(super) fn store_failed(&mut self, call: Call, trouble: StoreTrouble, out: &mut Out) {
        match &trouble {
            StoreTrouble::Unreachable(_)
            | StoreTrouble::Untrusted(_)
            | StoreTrouble::Sealed
            | StoreTrouble::LoggedOut(_) => {
                self.documents.trouble = Some(trouble.clone());
            }
            StoreTrouble::Forbidden(_) | StoreTrouble::Refused(_) => {
                self.documents.refusals.insert(call, trouble.clone());
            }
        }
        out.store = Some(Err(trouble));
    }
    pub(super) fn store_worked(&mut self, call: Call, out: &mut Out) {
        self.documents.refusals.remove(&call);
        self.store_is_back();
        out.store = Some(Ok(()));
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

    fn state_read(&mut self, state: StateRead, key: &KeyRead, ctx: Ctx<'_>, out: &mut Out) {
        match state {
            StateRead::Present { version, document } => {
                self.documents.state_version = version;
                self.documents.state_refused = None;
                if !self.documents.known || self.memory.lineage != document.lineage {
                    self.take_over(*document, ctx, out);
                } else if self.settings.beside == Beside::TheActive {
                    self.memory = *document;
                } else {
                    // What only a later version knows is that one's to change.
                    self.memory.other = document.other;
                    self.wish_read(document.wish, document.scheduled);
                }
            }
            StateRead::Absent { version } => {
                self.documents.state_version = version;
                self.documents.state_refused = None;
                let ours = matches!(key, KeyRead::Present(document) if document.ours);
                if ours && !self.documents.known {
                    let message = "keyrelay's own notes about this credential were missing; they are rebuilt \
                                   from the key document and the mailbox";
                    let hint = "nothing, unless it was not you who removed them";
                    let report = Report::new(Code::StateRebuilt, Severity::Warning, message, hint);
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

    /// Without those about consumers of another host: when they are over is not seen from here.
    fn what_can_be_seen_here(&self, open: &[Incident]) -> Vec<Incident> {
        let elsewhere = |subject: &str| {
            let named = self.consumers.iter().find(|(name, _)| name.as_str() == subject);
            named.is_some_and(|(_, consumer)| consumer.policy.elsewhere)
        };
        open.iter().filter(|incident| !elsewhere(&incident.subject)).cloned().collect()
    }

    /// Takes over what an earlier process left. Whatever this one has learned meanwhile stays.
    fn take_over(&mut self, document: StateDocument, ctx: Ctx<'_>, out: &mut Out) {
        // What is wrong is told by the one that acts, and so is what is right again; what only another host can see
        // is not known here.
        if self.settings.beside != Beside::TheActive {
            self.incidents.take_over(self.what_can_be_seen_here(&document.incidents.known));
            self.incidents.clock_went_back(ctx.now);
        }
        for (name, note) in &document.consumers {
            if let Some(consumer) = self.consumers.get_mut(name) {
                consumer.remember(note);
            }
        }
        let learned = std::mem::replace(&mut self.memory, document.clone());
        // Noted by a clock that was ahead, it would keep the schedule from asking until then.
        self.memory.scheduled = self.memory.scheduled.map(|at| at.min(ctx.now));
        // A mail that an earlier process was done with: its key was promoted, refused, or is in the spool.
        let done = |mail: &&crate::domain::MailId| self.memory.done.contains(*mail);
        let again: Vec<_> = self.candidates.iter().filter(|known| known.spool != Spool::Safe).collect();
        let again: Vec<_> = again
            .into_iter()
            .filter(|known| known.mail_not_done().as_ref().is_some_and(done))
            .map(|known| known.fingerprint)
            .collect();
        again.into_iter().for_each(|fingerprint| self.drop_candidate(fingerprint, out));
        learned.done.into_iter().for_each(|mail| self.remember_done(mail, ctx));
        learned.copies.into_iter().for_each(|copy| self.keep_copy(copy));
        self.memory.account = self.memory.account.take().or(learned.account);
        let known = |note: &crate::rotation::KeyNote| self.note_of(note.fingerprint).is_some();
        let new: Vec<_> = learned.notes.into_iter().filter(|note| !known(note)).collect();
        self.memory.notes.extend(new);
        self.memory.probe_off = self.memory.probe_off.take().or(learned.probe_off);
        let newer = |one: &crate::rotation::Announced| one.dated;
        self.memory.announced =
            [self.memory.announced.take(), learned.announced].into_iter().flatten().max_by_key(newer);
        // Mails that were seen before are nothing new, and a restart writes nothing for them.
        if self.dirty == Dirty::WhenCalm && self.memory == document {
            self.dirty = Dirty::No;
        }
    }
}
