//! The way out for notices: the fleet's own, and everybody's through the outbox.

use super::Fleet;
use crate::domain::{Code, Limits, Notice, Severity, Timestamp};
use crate::rotation::{
    effect::Effect,
    event::NoticeFailure,
    incident::{Report, Telling},
};

/// A mail server that fails so often in a row is told of, in the status at least.
const TOLD_AFTER_FAILURES: u32 = 3;

impl Fleet {
    pub(super) fn tell(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let limits = self.settings.limits.clone();
        for code in [Code::MailTooLarge, Code::MailBroken] {
            self.incidents.expire(code, now, limits.control_every);
        }
        self.incidents.climb(now, &limits);
        for telling in self.incidents.take_tellings() {
            self.outbox.push(fleet_notice(telling, now, &limits));
        }
        effects.extend(self.outbox.next(now, &limits).map(|notice| Effect::Notify(Box::new(notice))));
    }

    pub(super) fn notice_sent(
        &mut self,
        incident: &str,
        step: u32,
        outcome: Result<(), NoticeFailure>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let over = match outcome {
            Ok(()) => {
                self.incidents.clear(Code::AlertsFailing, "");
                self.outbox.sent(incident, step, now)
            }
            Err(NoticeFailure::Later(why)) => {
                self.outbox.failed(incident, step, now, &self.settings.limits);
                if self.outbox.failures() >= TOLD_AFTER_FAILURES {
                    self.incidents.raise(now, failing(&why));
                }
                None
            }
            Err(NoticeFailure::Never(why)) => {
                self.incidents.raise(now, failing(&why));
                self.outbox.given_up(incident, step)
            }
        };
        let Some((notice, name)) = over.and_then(|notice| Some((notice.clone(), notice.credential?))) else {
            return;
        };
        if let Some(rotation) = self.rotations.get_mut(&name) {
            rotation.was_told(&notice);
        }
        self.step(&name, None, now, effects);
    }
}

fn failing(why: &str) -> Report {
    let message = format!("alert mails cannot be sent: {why}");
    let hint = "keyrelay check\nmend alerts.email, then:\nsystemctl reload keyrelay";
    Report::new(Code::AlertsFailing, Severity::Urgent, message, hint)
        .breaks("operators do not hear of anything")
        .doing("the mails wait, and are sent by themselves")
}

fn fleet_notice(telling: Telling, now: Timestamp, limits: &Limits) -> Notice {
    let Telling { incident, id, step, resolved } = telling;
    Notice {
        next_mail_at: incident.next_told_at(limits).filter(|_| !resolved),
        until: incident.until(),
        incident: id,
        step,
        code: incident.code,
        severity: incident.severity,
        resolved,
        credential: None,
        since: incident.since,
        at: now,
        message: incident.message,
        breaks: incident.breaks,
        doing: incident.doing,
        hint: incident.hint,
        consumers: Vec::new(),
        count: incident.count,
        rotation_id: None,
    }
}
