//! A new configuration: credentials and mailboxes come, change and go.

use super::Fleet;
use crate::domain::{Code, Severity, Timestamp};
use crate::rotation::{
    budget::Meter,
    effect::{Effect, Reply},
    incident::Report,
    settings::Settings,
    state::Rotation,
};

/// Of credentials that are only observed.
const OBSERVED_NAMED: usize = 5;

impl Fleet {
    pub(super) fn configured(&mut self, settings: Settings, now: Timestamp, effects: &mut Vec<Effect>) {
        for (name, credential) in &settings.credentials {
            self.meters.entry(credential.origin.clone()).or_insert_with(|| Meter::new(credential.limit));
            match self.rotations.get_mut(name) {
                Some(rotation) => rotation.reconfigure(credential.clone(), now),
                None => {
                    self.rotations.insert(name.clone(), Box::new(Rotation::new(credential.clone())));
                }
            }
        }
        self.remove_credentials(&settings, effects);
        self.mailboxes.retain(|name, _| settings.mailboxes.contains(name));
        self.close_what_is_gone(&settings);
        for name in &settings.mailboxes {
            self.mailboxes.entry(name.clone()).or_default().connection.retry_now();
        }
        self.settings = settings;
        self.report_observed(now);
        self.configure_alerts(now);
        self.share_budgets();
        self.step_all(now, effects);
    }

    /// What was wrong with a mailbox that is no longer there, or with the configuration before this one, is over.
    pub(super) fn close_what_is_gone(&mut self, settings: &Settings) {
        self.incidents.clear(Code::ConfigRefused, "");
        let names: Vec<_> = settings.mailboxes.iter().map(ToString::to_string).collect();
        for code in [Code::MailboxUnreachable, Code::MailboxRefused, Code::MailboxTokenUnsaved] {
            self.incidents.clear_others(code, &names);
        }
    }

    /// What is no longer configured is let go of. Its keys stay where they are; its operators hear it.
    fn remove_credentials(&mut self, settings: &Settings, effects: &mut Vec<Effect>) {
        let gone: Vec<_> =
            self.rotations.keys().filter(|name| !settings.credentials.contains_key(*name)).cloned().collect();
        for name in gone {
            let rotation = self.rotations.remove(&name);
            for waiting in rotation.into_iter().flat_map(|rotation| rotation.waiting) {
                let why = format!("{name} is no longer configured");
                effects.push(Effect::Answer { ticket: waiting.ticket, reply: Reply::Refused { why } });
            }
            self.set_due(&name, None);
            self.taken.retain(|_, owner| *owner != name);
        }
    }

    /// So that nobody forgets it.
    pub(super) fn report_observed(&mut self, now: Timestamp) {
        let observed = self.settings.credentials.values().filter(|credential| credential.observe);
        let names: Vec<_> = observed.map(|credential| credential.name.to_string()).collect();
        let message = match &names[..] {
            [] => return self.incidents.clear(Code::Observing, ""),
            [one] => format!("{one} is only observed"),
            few if few.len() <= OBSERVED_NAMED => format!("{} are only observed", few.join(", ")),
            many => {
                let rest = many.len() - OBSERVED_NAMED;
                format!("{} and {rest} more are only observed", many[..OBSERVED_NAMED].join(", "))
            }
        };
        let hint = "when keyrelay is to act, set observe: false, then:\nsystemctl reload keyrelay";
        let report = Report::new(Code::Observing, Severity::Info, message, hint).doing(
            "mails, keys and consumers are watched and tested; nothing is promoted, delivered or healed",
        );
        self.incidents.raise(now, report);
    }

    /// Where many credentials share a vendor's limit, each is asked less often.
    fn share_budgets(&mut self) {
        for (origin, meter) in &mut self.meters {
            let here = self.settings.credentials.values().filter(|credential| credential.origin == *origin);
            meter.share(u32::try_from(here.count()).unwrap_or(u32::MAX), &self.settings.limits);
        }
    }

    pub(super) fn config_refused(&mut self, mistakes: String, now: Timestamp) {
        let message = format!("the new configuration has mistakes: {mistakes}");
        let hint = "keyrelay check\nsystemctl reload keyrelay";
        let report = Report::new(Code::ConfigRefused, Severity::Warning, message, hint)
            .doing("the old configuration stays in force");
        self.incidents.raise(now, report);
    }
}
