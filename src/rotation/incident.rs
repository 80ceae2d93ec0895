//! Incidents: each has a key, a beginning, steps that are told, and an end. Raising one twice tells it once.

use super::task::salt;
use crate::domain::{Code, Limits, Notice, Severity, Timestamp};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// What is wrong, as the rules see it now; the same incident may be reported over and over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub code: Code,
    /// Tells incidents of one code apart: a consumer's name, a cause. Empty where there can be only one.
    pub subject: String,
    pub severity: Severity,
    pub message: String,
    pub breaks: Option<String>,
    pub doing: Option<String>,
    pub hint: String,
    /// A hand-over time that runs out, from its beginning to its deadline.
    pub ladder: Option<Ladder>,
    /// Without one: told again so long after it was last told.
    pub every: Option<Duration>,
}

impl Report {
    pub fn new(code: Code, severity: Severity, message: impl Into<String>, hint: impl Into<String>) -> Self {
        let (message, hint) = (message.into(), hint.into());
        Self {
            code,
            subject: String::new(),
            severity,
            message,
            breaks: None,
            doing: None,
            hint,
            ladder: None,
            every: None,
        }
    }
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }
    pub fn breaks(mut self, text: impl Into<String>) -> Self {
        self.breaks = Some(text.into());
        self
    }
    pub fn doing(mut self, text: impl Into<String>) -> Self {
        self.doing = Some(text.into());
        self
    }
    pub fn ladder(mut self, ladder: Option<Ladder>) -> Self {
        self.ladder = ladder;
        self
    }
    pub fn every(mut self, every: Option<Duration>) -> Self {
        self.every = every;
        self
    }
}

/// The time in which something must come right. It is told again when 1/2, 1/4, 1/12 and 1/24 of it are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ladder {
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Ladder {
    fn total(&self) -> Duration {
        self.until.since(self.from)
    }
    /// The steps' moments, in order.
    fn steps(&self, limits: &Limits) -> impl Iterator<Item = Timestamp> {
        let (until, total) = (self.until, self.total());
        limits.ladder_parts.into_iter().map(move |part| until - total / part)
    }
    pub fn is_urgent(&self, now: Timestamp, limits: &Limits) -> bool {
        now >= self.until - self.total() / limits.ladder_parts[2]
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub code: Code,
    pub subject: String,
    pub severity: Severity,
    pub since: Timestamp,
    pub message: String,
    pub breaks: Option<String>,
    pub doing: Option<String>,
    pub hint: String,
    /// How often its cause was seen, and when last.
    pub count: u32,
    pub seen_at: Timestamp,
    ladder: Option<Ladder>,
    /// The number of the next mail of this incident, and how many are known to be out.
    next_step: u32,
    #[serde(default)]
    sent: u32,
    told_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    every: Option<Duration>,
}

impl Incident {
    pub fn until(&self) -> Option<Timestamp> {
        self.ladder.map(|ladder| ladder.until)
    }
    pub(super) fn next_told_at(&self, limits: &Limits) -> Option<Timestamp> {
        let told_at = self.told_at?;
        match self.ladder {
            Some(ladder) => ladder.steps(limits).find(|step| *step > told_at),
            None => self.every.map(|every| told_at + every),
        }
    }
}

/// One thing to tell: which incident, and which of its mails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Telling {
    pub incident: Incident,
    pub id: String,
    pub step: u32,
    pub resolved: bool,
    /// It has no end, because nothing is wrong.
    pub good_news: bool,
}

impl Telling {
    /// As one of the fleet.
    pub fn into_notice(self, now: Timestamp, limits: &Limits) -> Notice {
        let Self { incident, id, step, resolved, good_news } = self;
        Notice {
            next_mail_at: incident.next_told_at(limits).filter(|_| !resolved),
            until: incident.until(),
            incident: id,
            step,
            code: incident.code,
            severity: incident.severity,
            resolved,
            good_news,
            credential: None,
            since: incident.since,
            at: now,
            message: incident.message,
            breaks: incident.breaks,
            doing: incident.doing,
            hint: incident.hint,
            sections: Vec::new(),
            consumers: Vec::new(),
            count: incident.count,
            rotation_id: None,
        }
    }
}

/// The open incidents of one credential, or of the fleet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Incidents {
    open: BTreeMap<(Code, String), Incident>,
    /// Left open by an earlier process, and not seen by this one yet: they do not end.
    unseen: BTreeSet<(Code, String)>,
    /// This machine's own notes were there at the start.
    restored: bool,
    tellings: Vec<Telling>,
    owner: String,
}

impl Incidents {
    /// `owner`: the credential's name, or the fleet's; part of every incident's id.
    pub fn new(owner: &str, open: Vec<Incident>) -> Self {
        let open =
            open.into_iter().map(|incident| ((incident.code, incident.subject.clone()), incident)).collect();
        Self { open, owner: owner.to_owned(), ..Self::default() }
    }
    /// What an earlier process on this machine left open: the threads go on from the step that they have reached. What
    /// waits to be told of them is in the outboxes.
    pub fn restore(&mut self, open: Vec<Incident>) {
        self.restored = true;
        for incident in open {
            let key = (incident.code, incident.subject.clone());
            // What the configuration alone shows to be so is so already, and is not told anew.
            self.tellings
                .retain(|telling| (telling.incident.code, &telling.incident.subject) != (key.0, &key.1));
            if self.open.insert(key.clone(), incident).is_none() {
                self.unseen.insert(key);
            }
        }
    }
    /// From now on what is not so is over.
    pub fn everything_is_seen(&mut self) {
        self.unseen.clear();
    }
    pub fn everything_is_seen_but(&mut self, code: Code) {
        self.unseen.retain(|(unseen, _)| *unseen == code);
    }
    /// The store's notes name these as open: their threads go on. What this process has begun stays where they have
    /// none, and where this machine's notes are the later ones. A mail that may not have gone out is told again, with
    /// the same number: nobody reads it twice.
    pub fn take_over(&mut self, open: Vec<Incident>) {
        for mut incident in open {
            let key = (incident.code, incident.subject.clone());
            match self.open.get(&key) {
                Some(known) if known.since == incident.since => {
                    incident.next_step = incident.next_step.max(known.next_step);
                    incident.sent = incident.sent.max(known.sent);
                    incident.told_at = incident.told_at.max(known.told_at);
                    incident.severity = incident.severity.max(known.severity);
                }
                Some(known) if self.restored && known.since > incident.since => continue,
                Some(_) | None => {}
            }
            if let Some(step) = incident.next_step.checked_sub(1).filter(|step| *step >= incident.sent) {
                let (id, incident) = (self.id(&incident), incident.clone());
                self.tellings.push(Telling { incident, id, step, resolved: false, good_news: false });
            }
            self.open.insert(key, incident);
        }
    }
    /// A mail is out; whether its incident is still open.
    pub fn sent(&mut self, id: &str, step: u32) -> bool {
        let key = self.open.iter().find(|(_, incident)| self.id(incident) == id).map(|(key, _)| key.clone());
        let open = key.and_then(|key| self.open.get_mut(&key));
        open.map(|incident| incident.sent = incident.sent.max(step + 1)).is_some()
    }
    pub fn is_open(&self, code: Code, subject: &str) -> bool {
        self.open.contains_key(&(code, subject.to_owned()))
    }

    /// The thing is so now. Told when it is new, or has become worse.
    pub fn raise(&mut self, now: Timestamp, report: Report) {
        let key = (report.code, report.subject.clone());
        self.unseen.remove(&key);
        match self.open.get_mut(&key) {
            None => {
                self.open.insert(key.clone(), Incident::begin(now, report));
                self.tell(&key, now);
            }
            Some(incident) => {
                let worse = report.severity > incident.severity;
                incident.update(report);
                if worse {
                    self.tell(&key, now);
                }
            }
        }
    }
    /// The thing has happened once more: counted, and told only when it is new.
    pub fn raise_again(&mut self, now: Timestamp, report: Report) {
        let key = (report.code, report.subject.clone());
        if let Some(incident) = self.open.get_mut(&key) {
            (incident.count, incident.seen_at) = (incident.count + 1, now);
        }
        self.raise(now, report);
    }
    /// What was seen and told by a clock that was ahead was so at the latest now.
    pub fn clock_went_back(&mut self, now: Timestamp) {
        for incident in self.open.values_mut() {
            incident.seen_at = incident.seen_at.min(now);
            incident.told_at = incident.told_at.map(|at| at.min(now));
        }
    }
    /// What has not happened again for so long is over.
    pub fn expire(&mut self, code: Code, now: Timestamp, after: Duration) {
        let old = |incident: &&Incident| incident.code == code && now.since(incident.seen_at) >= after;
        let over: Vec<_> = self.open.values().filter(old).map(|incident| incident.subject.clone()).collect();
        over.iter().for_each(|subject| self.clear(code, subject));
    }
    /// The thing is over. Told when its beginning was.
    pub fn clear(&mut self, code: Code, subject: &str) {
        let key = (code, subject.to_owned());
        if self.unseen.contains(&key) {
            return;
        }
        if let Some(incident) = self.open.remove(&key) {
            let (id, step) = (self.id(&incident), incident.next_step);
            self.tellings.push(Telling { incident, id, step, resolved: true, good_news: false });
        }
    }
    /// All of one code but these subjects are over.
    pub fn clear_others(&mut self, code: Code, subjects: &[String]) {
        let over: Vec<_> =
            self.open.keys().filter(|key| key.0 == code && !subjects.contains(&key.1)).cloned().collect();
        over.into_iter().for_each(|(code, subject)| self.clear(code, &subject));
    }
    /// Good news, or something that was mended at once: told, with no end.
    pub fn announce(&mut self, now: Timestamp, report: Report) {
        let incident = Incident::begin(now, report);
        let (id, good_news) = (self.id(&incident), incident.severity == Severity::Info);
        self.tellings.push(Telling { incident, id, step: 0, resolved: false, good_news });
    }
    /// The same of what happens once for ever: whoever finds out again, after a crash, tells the same news.
    pub fn announce_once(&mut self, now: Timestamp, report: Report) {
        let incident = Incident::begin(now, report);
        let id = format!("{:016x}", salt(&[&self.owner, incident.code.as_str(), &incident.subject]));
        let good_news = incident.severity == Severity::Info;
        self.tellings.push(Telling { incident, id, step: 0, resolved: false, good_news });
    }

    /// Tells the ladder's steps that have been reached: the newest, never those that were missed.
    pub fn climb(&mut self, now: Timestamp, limits: &Limits) {
        let due = |incident: &Incident| incident.next_told_at(limits).is_some_and(|at| at <= now);
        let keys: Vec<_> =
            self.open.iter().filter(|(_, incident)| due(incident)).map(|(key, _)| key.clone()).collect();
        for key in keys {
            if let Some(incident) = self.open.get_mut(&key)
                && incident.ladder.is_some_and(|ladder| ladder.is_urgent(now, limits))
            {
                incident.severity = Severity::Urgent;
            }
            self.tell(&key, now);
        }
    }
    pub fn next_deadline(&self, limits: &Limits) -> Option<Timestamp> {
        self.open.values().filter_map(|incident| incident.next_told_at(limits)).min()
    }
    pub fn take_tellings(&mut self) -> Vec<Telling> {
        std::mem::take(&mut self.tellings)
    }
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
    /// For the state document, and for this machine's notes.
    pub fn to_vec(&self) -> Vec<Incident> {
        self.open.values().cloned().collect()
    }

    fn tell(&mut self, key: &(Code, String), now: Timestamp) {
        let Some(incident) = self.open.get_mut(key) else { return };
        let step = incident.next_step;
        incident.next_step += 1;
        incident.told_at = Some(now);
        let incident = incident.clone();
        let id = self.id(&incident);
        self.tellings.push(Telling { incident, id, step, resolved: false, good_news: false });
    }
    fn id(&self, incident: &Incident) -> String {
        let since = incident.since.to_string();
        format!("{:016x}", salt(&[&self.owner, incident.code.as_str(), &incident.subject, &since]))
    }
}

impl Incident {
    fn begin(now: Timestamp, report: Report) -> Self {
        Self {
            code: report.code,
            subject: report.subject,
            severity: report.severity,
            since: now,
            message: report.message,
            breaks: report.breaks,
            doing: report.doing,
            hint: report.hint,
            count: 1,
            seen_at: now,
            ladder: report.ladder,
            next_step: 0,
            sent: 0,
            told_at: None,
            every: report.every,
        }
    }
    /// The words follow the facts; severity only ever rises, until the end.
    fn update(&mut self, report: Report) {
        self.severity = self.severity.max(report.severity);
        self.message = report.message;
        self.breaks = report.breaks;
        self.doing = report.doing;
        self.hint = report.hint;
        self.ladder = report.ladder;
        self.every = report.every;
    }
}

#[cfg(test)]
mod tests;
