//! The watched mailboxes: opened, lost, opened again later and later; a refused login is told at once and tried slowly.

use super::{
    event::MailboxInput,
    incident::{Incidents, Report},
    task::{Task, jitter, salt},
};
use crate::domain::{Code, Limits, MailboxName, Severity, Timestamp, spell_duration};
use std::collections::VecDeque;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub connection: Task,
    pub open: bool,
    pub last_ok_at: Option<Timestamp>,
    pub last_notice_at: Option<Timestamp>,
    lost_since: Option<Timestamp>,
    opened: bool,
    /// When it was last opened again.
    reopened_at: VecDeque<Timestamp>,
    token_ended_at: Option<Timestamp>,
    /// A new refresh token waits for the store.
    unsaved: bool,
    saving: Task,
}

/// A mailbox that is gone for less than this is nobody's business.
const TOLD_AFTER_FAILURES: u32 = 4;

impl Mailbox {
    /// Whether it is to be opened now.
    pub fn opens(&mut self, name: &MailboxName, now: Timestamp, limits: &Limits) -> bool {
        let may = !self.open && self.connection.may_start(now) && self.rests_until(name, now, limits) <= now;
        if may {
            self.open = true;
            self.connection.pause();
            if self.opened {
                self.reopened_at.push_back(now);
                let old = self.reopened_at.len().saturating_sub(limits.mailbox_reopens as usize);
                self.reopened_at.drain(..old);
            }
            self.opened = true;
        }
        may
    }
    /// Whatever the reasons are: no more than so many connections in so much time.
    fn rests_until(&self, name: &MailboxName, now: Timestamp, limits: &Limits) -> Timestamp {
        let (count, span) = (limits.mailbox_reopens as usize, limits.mailbox_reopens_in);
        let first = self.reopened_at.front().filter(|_| self.reopened_at.len() >= count);
        // A clock that was set back must not make it a long rest.
        let rests = first.map(|at| {
            let at = (*at).min(now);
            at + span + jitter(span, salt(&[name.as_str()]), at.as_secs().unsigned_abs())
        });
        rests.unwrap_or(Timestamp::MIN)
    }
    /// Whether its new refresh token is to be written to the store now.
    pub fn saves(&mut self, now: Timestamp) -> bool {
        let may = self.unsaved && self.saving.may_start(now);
        if may {
            self.unsaved = false; // until its outcome says otherwise
        }
        may
    }

    pub fn handle(
        &mut self,
        name: &MailboxName,
        input: MailboxInput,
        incidents: &mut Incidents,
        now: Timestamp,
        limits: &Limits,
    ) {
        let salt = salt(&[name.as_str()]);
        match input {
            MailboxInput::Looked { newest_notice_at } => {
                self.last_notice_at = self.last_notice_at.max(newest_notice_at);
                self.looked(name, incidents, now);
            }
            MailboxInput::Lost { why } => self.lost(name, &why, incidents, now, limits),
            MailboxInput::Busy { why } => {
                self.open = false;
                let since = *self.lost_since.get_or_insert(now);
                let retry = limits.mailbox_busy_retry;
                self.connection.failed(now, retry, salt, limits);
                let spread = jitter(retry, salt, self.connection.failures().into());
                self.connection.wait_until(now + retry + spread);
                incidents.raise(now, busy(name, since, &why, limits));
            }
            MailboxInput::TokenEnded { why } => {
                let ended_at = self.token_ended_at.replace(now);
                // A token that has no life at all is a trouble like any other.
                if ended_at.is_some_and(|at| now.since(at) < limits.token_renew_before) {
                    return self.lost(name, &why, incidents, now, limits);
                }
                self.open = false;
                self.connection.pause();
            }
            MailboxInput::Refused { why } => {
                self.open = false;
                self.connection.failed(now, limits.login_retry, salt, limits);
                self.connection.wait_until(now + limits.login_retry);
                incidents.raise(now, refused(name, &why));
            }
            MailboxInput::TokenSaved => {
                self.unsaved = false;
                self.saving.succeeded();
                incidents.clear(Code::MailboxTokenUnsaved, name.as_str());
            }
            MailboxInput::TokenUnsaved { why, on_disk } => {
                self.unsaved = true;
                self.saving.failed(now, limits.backoff_cap_max, salt, limits);
                incidents.raise(now, unsaved(name, &why, on_disk));
            }
            MailboxInput::Unread { place, why, broken } => {
                incidents.raise_again(now, unread(name, &place, &why, broken));
            }
        }
    }
    fn looked(&mut self, name: &MailboxName, incidents: &mut Incidents, now: Timestamp) {
        self.connection.succeeded();
        self.last_ok_at = Some(now);
        self.lost_since = None;
        incidents.clear(Code::MailboxUnreachable, name.as_str());
        incidents.clear(Code::MailboxRefused, name.as_str());
    }
    fn lost(
        &mut self,
        name: &MailboxName,
        why: &str,
        incidents: &mut Incidents,
        now: Timestamp,
        limits: &Limits,
    ) {
        self.open = false;
        let since = *self.lost_since.get_or_insert(now);
        let cap = limits.backoff_cap_max.min(limits.mailbox_retry_max);
        self.connection.failed(now, cap, salt(&[name.as_str()]), limits);
        if self.connection.failures() >= TOLD_AFTER_FAILURES {
            incidents.raise(now, unreachable(name, since, why));
        }
    }

    pub fn clock_went_back(&mut self, now: Timestamp) {
        self.connection.clock_went_back(now);
        self.saving.clock_went_back(now);
        self.reopened_at.iter_mut().for_each(|at| *at = (*at).min(now));
        let moments = [&mut self.lost_since, &mut self.token_ended_at, &mut self.last_ok_at];
        moments.into_iter().flatten().for_each(|at| *at = (*at).min(now));
    }

    pub fn next_deadlines(
        &self,
        name: &MailboxName,
        now: Timestamp,
        limits: &Limits,
    ) -> impl Iterator<Item = Timestamp> {
        let waits_until = self.connection.waits_until().unwrap_or(Timestamp::MIN);
        let opens = waits_until.max(self.rests_until(name, now, limits));
        let saves = self.saving.waits_until().filter(|_| self.unsaved);
        Some(opens).filter(|_| !self.open).into_iter().chain(saves)
    }
}

fn unreachable(name: &MailboxName, since: Timestamp, why: &str) -> Report {
    let message = format!("the mailbox {name} cannot be read since {}: {why}", since.minutes());
    let hint = "bring the mail server back; it is tried again by itself";
    Report::new(Code::MailboxUnreachable, Severity::Warning, message, hint)
        .about(name.as_str())
        .breaks("a rotation's mail is seen only when the mailbox can be read again")
        .doing("it is tried again and again")
}

fn busy(name: &MailboxName, since: Timestamp, why: &str, limits: &Limits) -> Report {
    let message = format!("the mailbox {name} cannot be read since {}: {why}", since.minutes());
    let hint = "keyrelay needs one connection: close others, or wait; it is tried again by itself";
    let retry = spell_duration(limits.mailbox_busy_retry);
    Report::new(Code::MailboxUnreachable, Severity::Warning, message, hint)
        .about(name.as_str())
        .breaks("a rotation's mail is seen only when the mailbox can be read again")
        .doing(format!("it is tried again after {retry}: whoever hurries is locked out for longer"))
}

fn unsaved(name: &MailboxName, why: &str, on_disk: bool) -> Report {
    let (severity, place) = match on_disk {
        true => (Severity::Warning, "on this host alone"),
        false => (Severity::Urgent, "in the memory of this process alone"),
    };
    let message = format!("the new refresh token of the mailbox {name} is {place}: {why}");
    let hint = match on_disk {
        true => "bring the store back, or mend its policy (keyrelay policy vault); it is written by itself",
        false => "bring the store back, or make room in the spool's folder; do not stop keyrelay meanwhile",
    };
    Report::new(Code::MailboxTokenUnsaved, severity, message, hint)
        .about(name.as_str())
        .breaks("if it is lost, the mailbox needs a new login by hand: the provider took the old one back")
        .doing("the mailbox is read with it; writing it to the store is tried again and again")
}

fn refused(name: &MailboxName, why: &str) -> Report {
    let message = format!("the mailbox {name} refuses the login: {why}");
    let hint =
        format!("correct mailboxes.{name} (user, password or oauth2), then:\nsystemctl reload keyrelay");
    Report::new(Code::MailboxRefused, Severity::Urgent, message, hint)
        .about(name.as_str())
        .breaks("no rotation is seen until it is mended")
        .doing("it is tried again only a few times an hour, so that the account is not locked")
}

fn unread(name: &MailboxName, place: &str, why: &str, broken: bool) -> Report {
    let code = if broken { Code::MailBroken } else { Code::MailTooLarge };
    let message = format!("a mail in {name} ({place}) was not read: {why}");
    let hint = "read it yourself; a key in it goes in with: keyrelay ingest NAME";
    Report::new(code, Severity::Warning, message, hint).about(format!("{name}/{place}"))
}
