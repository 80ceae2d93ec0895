//! What the alerts need besides the way out: this machine's notes of them, the weekly digest, the sign of life.

use super::{Fleet, notices::TOLD_AFTER_FAILURES};
use crate::domain::{Code, GoodNews, Severity, Timestamp, Verdict};
use crate::rotation::{
    alerts_state::{ALERTS_SCHEMA, AlertsState},
    digest::Outlook,
    effect::Effect,
    incident::Report,
    outbox::{Channel, Outbox},
    state::Rotation,
    task::{Task, salt},
};

/// How far this machine's notes are.
#[derive(Debug, Clone, Default)]
pub(super) struct Keeping {
    /// Something has changed since they were last written.
    pub dirty: bool,
    writing: bool,
    task: Task,
    /// They wait for the notes: the store never says that something is settled whose news could still be lost.
    held: Vec<Effect>,
}

impl Keeping {
    pub(super) fn clock_went_back(&mut self, now: Timestamp) {
        self.task.clock_went_back(now);
    }
}

impl Fleet {
    pub(super) fn configure_alerts(&mut self, now: Timestamp) {
        let alerts = self.settings.alerts.clone();
        self.outboxes.retain(|channel, _| alerts.channels.contains(channel));
        for channel in alerts.channels {
            let outbox = || Outbox::new(channel, Default::default());
            self.outboxes.entry(channel).or_insert_with(outbox).retry_now();
        }
        match alerts.good_news {
            GoodNews::Weekly => self.digest.begin(now),
            GoodNews::Each | GoodNews::Off => self.digest.end(),
        }
        self.heartbeat.configure(alerts.heartbeat, now);
    }

    /// An earlier process's notes, or why they cannot be read.
    pub(super) fn alerts_found(&mut self, outcome: Result<Box<AlertsState>, String>, now: Timestamp) {
        let mut found = match outcome {
            Ok(found) => *found,
            Err(why) => return self.incidents.announce(now, lost(&why)),
        };
        for (channel, outbox) in &mut self.outboxes {
            if let Some(mut kept) = found.channels.remove(channel) {
                kept.clock_went_back(now, self.settings.limits.refused_retry);
                *outbox = Outbox::new(*channel, kept);
            }
        }
        if self.settings.alerts.good_news == GoodNews::Weekly {
            self.digest = found.digest;
            self.digest.begin(now);
        }
        self.incidents.restore(found.fleet);
        // These end when something is seen; the store's login ends, or does not, when the store is asked.
        self.incidents.everything_is_seen_but(Code::StoreLoginExpiring);
        for (name, open) in found.credentials {
            let rotation = self.rotations.get_mut(&name);
            rotation.into_iter().for_each(|rotation| rotation.incidents.restore(open.clone()));
        }
        self.incidents.clock_went_back(now);
        self.rotations.values_mut().for_each(|rotation| rotation.incidents.clock_went_back(now));
        self.close_what_is_gone(&self.settings.clone());
        self.report_observed(now);
    }

    fn are_alerts_kept(&self) -> bool {
        !self.outboxes.is_empty() && !self.settings.alerts.silent
    }
    pub(super) fn save_alerts(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let due = self.keeping.dirty && !self.keeping.writing && self.keeping.task.may_start(now);
        if due && self.are_alerts_kept() {
            (self.keeping.dirty, self.keeping.writing) = (false, true);
            effects.push(Effect::SaveAlerts(Box::new(self.alerts_state())));
        }
    }
    fn alerts_state(&self) -> AlertsState {
        let open = |rotation: &&Rotation| !rotation.incidents.is_empty();
        let noted = |rotation: &Rotation| (rotation.name().clone(), rotation.incidents.to_vec());
        AlertsState {
            schema: ALERTS_SCHEMA,
            channels: self
                .outboxes
                .iter()
                .map(|(channel, outbox)| (*channel, outbox.kept().clone()))
                .collect(),
            digest: self.digest.clone(),
            fleet: self.incidents.to_vec(),
            credentials: self.credentials().filter(open).map(noted).collect(),
            run: None, // the shell's to say
        }
    }
    pub(super) fn alerts_saved(
        &mut self,
        outcome: Result<(), String>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.keeping.writing = false;
        match outcome {
            Ok(()) => {
                self.keeping.task.succeeded();
                self.incidents.clear(Code::AlertsUnsaved, "");
            }
            Err(why) => {
                let limits = self.settings.limits.clone();
                self.keeping.dirty = true;
                self.keeping.task.failed(now, limits.backoff_cap_max, salt(&["keeping"]), &limits);
                self.incidents.raise(now, unsaved(&why));
            }
        }
        // A disk that takes nothing must not hold up what the store would take.
        if !self.keeping.dirty || self.keeping.task.failures() > 0 {
            effects.append(&mut self.keeping.held);
        }
    }
    /// Writes to the store that follow from what was told wait until that is noted here.
    pub(super) fn save_after_alerts(&mut self, saves: Vec<Effect>, effects: &mut Vec<Effect>) {
        match self.alerts_wait_for_disk() {
            true => self.keeping.held.extend(saves),
            false => effects.extend(saves),
        }
    }
    pub(super) fn alerts_wait_for_disk(&self) -> bool {
        let unsaved = self.keeping.dirty || self.keeping.writing;
        unsaved && self.keeping.task.failures() == 0 && self.are_alerts_kept()
    }

    pub(super) fn tell_of_the_week(&mut self, now: Timestamp) {
        let limits = self.settings.limits.clone();
        if !self.digest.is_due(self.passed(now), &limits) || !self.outboxes.contains_key(&Channel::Mail) {
            return;
        }
        let outlook = self.outlook(now);
        let digest = self.digest.take(outlook, now, &limits);
        let mail = self.outboxes.get_mut(&Channel::Mail);
        mail.into_iter().for_each(|outbox| _ = outbox.push(digest.clone(), &limits));
        self.keeping.dirty = true;
    }
    fn outlook(&self, now: Timestamp) -> Outlook {
        let ahead = self.rotations.values().filter_map(|rotation| {
            let at = rotation.expected_at().filter(|at| *at > now)?;
            Some((at, format!("{} is expected to rotate", rotation.name())))
        });
        let mut ahead: Vec<_> = ahead.collect();
        ahead.sort();
        let views = self.rotations.values().map(|rotation| self.view(rotation, now));
        let consumers: Vec<_> = views.flat_map(|view| view.consumers).collect();
        let good = consumers.iter().filter(|view| view.proof >= view.wanted && !view.stale).count();
        let open = self.rotations.values().map(|rotation| rotation.incidents.to_vec().len());
        Outlook {
            ahead,
            open: open.sum::<usize>() + self.incidents.to_vec().len(),
            good: (good, consumers.len()),
        }
    }

    /// A sign of life while all is well.
    pub(super) fn beat(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if !self.heartbeat.is_due(now) {
            return;
        }
        match self.is_well(now) {
            true => {
                self.heartbeat.beats(now);
                effects.push(Effect::Beat);
            }
            false => self.heartbeat.waits(now),
        }
    }
    /// The store answers, each mailbox can be read, no vendor refuses a current key or has been unclear about it for
    /// long, and of the ways to tell people at least one works.
    pub(in crate::rotation) fn is_well(&self, now: Timestamp) -> bool {
        let store = self.store.reachable && self.store.trouble.is_none();
        let mailboxes = self.mailbox_views().iter().all(|mailbox| mailbox.ok);
        let mute = [Code::AlertsFailing, Code::WebhookFailing];
        let mute = mute.iter().filter(|code| self.incidents.is_open(**code, "")).count();
        let told = self.outboxes.is_empty() || mute < self.outboxes.len();
        store
            && mailboxes
            && told
            && self.rotations.values().all(|rotation| self.is_probed_well(rotation, now))
    }
    fn is_probed_well(&self, rotation: &Rotation, now: Timestamp) -> bool {
        let limits = &self.settings.limits;
        if rotation.current_fingerprint().is_none() {
            return rotation.is_known();
        }
        rotation.current_facts().is_some_and(|facts| match facts.verdict {
            Some((Verdict::Alive, _)) => true,
            Some((Verdict::Unclear, _)) => {
                facts.alive_at.is_some()
                    && facts.unclear_since().is_some_and(|since| now.since(since) < limits.unclear_told_after)
            }
            Some((Verdict::Dead, _)) | None => false,
        })
    }
    pub(super) fn beat_sent(&mut self, outcome: Result<(), String>, now: Timestamp) {
        self.heartbeat.ended(outcome.is_ok(), now);
        match outcome {
            Ok(()) => self.incidents.clear(Code::HeartbeatFailing, ""),
            Err(why) if self.heartbeat.failures() >= TOLD_AFTER_FAILURES => {
                self.incidents.raise(now, mute(&why));
            }
            Err(_) => {}
        }
    }

    pub(super) fn alert_deadlines(&self) -> impl Iterator<Item = Timestamp> {
        let unwritten = self.keeping.task.waits_until().filter(|_| self.keeping.dirty);
        let digest = self.digest.next_at(&self.settings.limits);
        [unwritten, digest, self.heartbeat.next_deadline()].into_iter().flatten()
    }
}

fn lost(why: &str) -> Report {
    let message = format!("the file with the notices that waited was not read: {why}");
    Report::new(Code::AlertsLost, Severity::Warning, message, "keyrelay status")
        .breaks("what waited in it is not told by mail; what is open still is")
        .doing("it was set aside, and another one is written")
}

fn unsaved(why: &str) -> Report {
    let hint = "df -h\nit is tried again by itself";
    Report::new(
        Code::AlertsUnsaved,
        Severity::Warning,
        format!("the notices that wait cannot be kept: {why}"),
        hint,
    )
    .breaks("a crash of this machine or of keyrelay would lose them")
    .doing("they are told all the same, and writing is tried again and again")
}

fn mute(why: &str) -> Report {
    let hint = "keyrelay check\nmend alerts.heartbeat or its receiver, then:\nsystemctl reload keyrelay";
    Report::new(Code::HeartbeatFailing, Severity::Warning, format!("the heartbeat is not taken: {why}"), hint)
        .breaks("whoever listens for it raises an alarm, though keyrelay works")
        .doing("it is tried again each time that it is due")
}
