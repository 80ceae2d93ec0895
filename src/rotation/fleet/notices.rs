//! The way out for notices: the fleet's own and everybody's, each to whom it concerns, through the outboxes.

use super::Fleet;
use crate::domain::{Code, GoodNews, Notice, Severity, Timestamp};
use crate::rotation::{
    effect::Effect,
    event::NoticeFailure,
    incident::Report,
    outbox::{Channel, Pushed, Told},
};

/// A receiver that fails so often in a row is told of, in the status at least.
pub(super) const TOLD_AFTER_FAILURES: u32 = 3;

impl Fleet {
    pub(super) fn tell(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let limits = self.settings.limits.clone();
        for code in [Code::MailTooLarge, Code::MailBroken, Code::AlertsDropped] {
            self.incidents.expire(code, now, limits.control_every);
        }
        self.tell_of_dropped(now);
        self.incidents.climb(self.passed(now), &limits);
        for telling in self.incidents.take_tellings() {
            self.route(telling.into_notice(now, &limits), effects);
        }
        self.tell_of_the_week(now);
        let mut next = Vec::new();
        let rotations = &self.rotations;
        let is_noted = |notice: &Notice| {
            let rotation = notice.credential.as_ref().and_then(|name| rotations.get(name));
            rotation.is_none_or(|rotation| rotation.is_noted())
        };
        for (channel, outbox) in &mut self.outboxes {
            let notice = outbox.next(now, &limits, is_noted).map(Box::new);
            next.extend(notice.map(|notice| Effect::Notify { channel: *channel, notice }));
        }
        // Several may have become one.
        self.keeping.dirty |= !next.is_empty();
        self.save_alerts(now, effects);
        effects.extend(next);
    }

    /// To the journal, and to every way out that wants it; each once.
    pub(super) fn route(&mut self, notice: Notice, effects: &mut Vec<Effect>) {
        if self.settings.alerts.silent {
            return;
        }
        let limits = self.settings.limits.clone();
        let (mut is_new, mut was_told) = (self.outboxes.is_empty(), self.outboxes.is_empty());
        for (channel, outbox) in &mut self.outboxes {
            let pushed = match (channel, self.settings.alerts.good_news) {
                (Channel::Mail, GoodNews::Off) if notice.good_news => Pushed::New,
                (Channel::Mail, GoodNews::Weekly) if notice.good_news => {
                    if self.digest.add(&notice, &limits) { Pushed::New } else { Pushed::Waits }
                }
                (Channel::Mail | Channel::Webhook, _) => outbox.push(notice.clone(), &limits),
            };
            is_new |= pushed == Pushed::New;
            was_told |= pushed == Pushed::Told;
        }
        self.keeping.dirty |= is_new;
        if was_told {
            self.is_told(&Told::of(&notice));
        }
        if is_new {
            effects.push(Effect::Journal(Box::new(notice)));
        }
    }

    pub(super) fn notice_sent(
        &mut self,
        channel: Channel,
        (incident, step): (&str, u32),
        outcome: Result<(), NoticeFailure>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let limits = self.settings.limits.clone();
        let Some(outbox) = self.outboxes.get_mut(&channel) else { return };
        let code = failing_code(channel);
        let told = match outcome {
            Ok(()) => {
                self.incidents.clear(code, "");
                outbox.sent(incident, step, now, &limits)
            }
            Err(NoticeFailure::Later(why)) => {
                outbox.failed(incident, step, now, &limits);
                if outbox.failures() >= TOLD_AFTER_FAILURES {
                    self.incidents.raise(now, failing(channel, &why));
                }
                return;
            }
            Err(NoticeFailure::Never(why)) => {
                self.incidents.raise(now, failing(channel, &why));
                outbox.refused(incident, step, now, &limits)
            }
        };
        self.keeping.dirty = true;
        for told in told {
            self.is_told(&told);
            told.credential.iter().for_each(|name| self.step(name, None, now, effects));
        }
    }
    /// Somebody knows of it now: a restart does not tell it again.
    fn is_told(&mut self, told: &Told) {
        match &told.credential {
            Some(name) => {
                let rotation = self.rotations.get_mut(name);
                rotation.into_iter().for_each(|rotation| rotation.was_told(told));
            }
            None => _ = self.incidents.sent(&told.incident, told.step),
        }
    }

    fn tell_of_dropped(&mut self, now: Timestamp) {
        for (channel, outbox) in &mut self.outboxes {
            for _ in 0..outbox.take_dropped() {
                let whose = match channel {
                    Channel::Mail => "mailed",
                    Channel::Webhook => "posted",
                };
                let message =
                    format!("a notice that was to be {whose} was given up: too many wait, or it was refused");
                let report = Report::new(Code::AlertsDropped, Severity::Warning, message, "keyrelay status")
                    .about(whose)
                    .breaks("operators did not hear of everything; the journal has it all")
                    .doing("the least urgent ones are given up first, the oldest before the others");
                self.incidents.raise_again(now, report);
            }
        }
    }
}

fn failing_code(channel: Channel) -> Code {
    match channel {
        Channel::Mail => Code::AlertsFailing,
        Channel::Webhook => Code::WebhookFailing,
    }
}

fn failing(channel: Channel, why: &str) -> Report {
    let (message, key, severity) = match channel {
        Channel::Mail => (format!("alert mails cannot be sent: {why}"), "alerts.email", Severity::Urgent),
        Channel::Webhook => {
            (format!("the webhook does not take the notices: {why}"), "alerts.webhook", Severity::Warning)
        }
    };
    let hint = format!("keyrelay check\nmend {key} or its receiver, then:\nsystemctl reload keyrelay");
    Report::new(failing_code(channel), severity, message, hint)
        .breaks("nobody hears of anything on this way")
        .doing("what is to be told waits, also through a restart, and goes out by itself")
}
