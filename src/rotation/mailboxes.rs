//! The watched mailboxes: opened, lost, opened again later and later; a refused login is told at once and tried slowly.

use super::{
    event::MailboxInput,
    incident::{Incidents, Report},
    task::{Task, salt},
};
use crate::domain::{Code, Limits, MailboxName, Severity, Timestamp};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub connection: Task,
    pub open: bool,
    pub last_ok_at: Option<Timestamp>,
    pub last_notice_at: Option<Timestamp>,
    lost_since: Option<Timestamp>,
}

/// A mailbox that is gone for less than this is nobody's business.
const TOLD_AFTER_FAILURES: u32 = 4;

impl Mailbox {
    /// Whether it is to be opened now.
    pub fn opens(&mut self, now: Timestamp) -> bool {
        let may = !self.open && self.connection.may_start(now);
        if may {
            self.open = true;
            self.connection.pause();
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
        match input {
            MailboxInput::Looked { newest_notice_at } => {
                self.connection.succeeded();
                self.last_ok_at = Some(now);
                self.last_notice_at = self.last_notice_at.max(newest_notice_at);
                self.lost_since = None;
                incidents.clear(Code::MailboxUnreachable, name.as_str());
                incidents.clear(Code::MailboxRefused, name.as_str());
            }
            MailboxInput::Lost { why } => {
                self.open = false;
                let since = *self.lost_since.get_or_insert(now);
                let cap = limits.backoff_cap_max.min(limits.mailbox_retry_max);
                self.connection.failed(now, cap, salt(&[name.as_str()]), limits);
                if self.connection.failures() >= TOLD_AFTER_FAILURES {
                    incidents.raise(now, unreachable(name, since, &why));
                }
            }
            MailboxInput::Refused { why } => {
                self.open = false;
                self.connection.failed(now, limits.login_retry, salt(&[name.as_str()]), limits);
                self.connection.wait_until(now + limits.login_retry);
                incidents.raise(now, refused(name, &why));
            }
            MailboxInput::Unread { place, why, broken } => {
                incidents.raise_again(now, unread(name, &place, &why, broken));
            }
        }
    }
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.connection.waits_until().filter(|_| !self.open)
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

fn refused(name: &MailboxName, why: &str) -> Report {
    let message = format!("the mailbox {name} refuses the login: {why}");
    let hint = format!("correct mailboxes.{name} (user, password), then:\nsystemctl reload keyrelay");
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
