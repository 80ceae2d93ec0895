//! All credentials together: routes events, merges deadlines, and owns what they share: the store's health, the
//! mailboxes, the vendors' budgets, the clock's trustworthiness, and the way out for notices.

use super::{
    budget::{Meter, Waiting},
    effect::{Action, Effect},
    event::{Event, Input, NoticeFailure, Schedule},
    incident::{Incidents, Report},
    mailboxes::Mailbox,
    outbox::Outbox,
    settings::Settings,
    state::Rotation,
    step::{Ctx, Out, Reason},
    task::{Task, backoff_cap, salt, unit},
};
use crate::domain::{
    Code, CredentialName, Fingerprint, MailboxName, Notice, ProbeAnswer, Severity, StoreTrouble, Timestamp,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The core's whole state.
#[derive(Debug, Clone)]
pub struct Fleet {
    pub(super) settings: Settings,
    pub(super) rotations: BTreeMap<CredentialName, Rotation>,
    pub(super) meters: BTreeMap<String, Meter>,
    pub(super) mailboxes: BTreeMap<MailboxName, Mailbox>,
    pub(super) outbox: Outbox,
    pub(super) incidents: Incidents,
    pub(super) store: StoreHealth,
    taken: BTreeMap<Fingerprint, CredentialName>,
    /// When each credential has something to do next; read off its state after each step.
    due: BTreeSet<(Timestamp, CredentialName)>,
    due_by_name: BTreeMap<CredentialName, Timestamp>,
    /// This machine's clock and the others' differ by minutes.
    clock_differs: Option<String>,
}

/// What the last calls to the store showed.
#[derive(Debug, Clone, Default)]
pub(super) struct StoreHealth {
    pub reachable: bool,
    pub since: Option<Timestamp>,
    pub trouble: Option<StoreTrouble>,
    trouble_since: Option<Timestamp>,
    check: Task,
}

impl Fleet {
    pub fn new(settings: Settings, now: Timestamp) -> (Self, Vec<Effect>) {
        let mut fleet = Self {
            settings: Settings { credentials: BTreeMap::new(), ..settings.clone() },
            rotations: BTreeMap::new(),
            meters: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            outbox: Outbox::default(),
            incidents: Incidents::new("keyrelay", Vec::new()),
            store: StoreHealth::default(),
            taken: BTreeMap::new(),
            due: BTreeSet::new(),
            due_by_name: BTreeMap::new(),
            clock_differs: None,
        };
        let effects = fleet.handle(Event::Configured(Box::new(settings)), now);
        (fleet, effects)
    }

    /// Something happened: what is to be done about it.
    pub fn handle(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::Configured(settings) => self.configured(*settings, now, &mut effects),
            Event::ConfigRefused { mistakes } => {
                let report = Report::new(
                    Code::ConfigRefused,
                    Severity::Warning,
                    mistakes,
                    "keyrelay check\nsystemctl reload keyrelay",
                )
                .doing("the old configuration stays in force");
                self.incidents.raise(now, report);
            }
            Event::Credential { name, input } => self.step(&name, Some(input), now, &mut effects),
            Event::Mailbox { name, input } => {
                let limits = self.settings.limits.clone();
                if let Some(mailbox) = self.mailboxes.get_mut(&name) {
                    mailbox.handle(&name, input, &mut self.incidents, now, &limits);
                }
            }
            Event::StoreChecked { outcome } => self.store_checked(outcome, now, &mut effects),
            Event::ControlFinished { origin, answer } => {
                self.control_finished(&origin, answer, now, &mut effects)
            }
            Event::NoticeSent { incident, step, outcome } => self.notice_sent(&incident, step, outcome, now),
            Event::Tick(schedule) => self.tick(schedule, now, &mut effects),
            Event::Stopping => {
                self.rotations.values_mut().for_each(|rotation| rotation.stopping = true);
                self.step_all(now, &mut effects);
            }
        }
        self.advance(now, &mut effects);
        effects
    }

    /// A deadline has come: what is to be done about it.
    pub fn handle_deadline(&mut self, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some((_, name)) = self.due.first().filter(|(at, _)| *at <= now).cloned() {
            self.step(&name, None, now, &mut effects);
        }
        self.advance(now, &mut effects);
        effects
    }

    /// The earliest moment at which something is to be done, and why.
    pub fn next_deadline(&self, now: Timestamp) -> Option<(Timestamp, Reason)> {
        let limits = &self.settings.limits;
        let credential = self.due.first().and_then(|(at, name)| {
            let reason = self
                .rotations
                .get(name)?
                .next_deadline(self.ctx(name, now))
                .map_or(Reason::Fleet, |(_, reason)| reason);
            Some((*at, reason))
        });
        let mailboxes = self.mailboxes.values().filter_map(Mailbox::next_deadline);
        let meters = self
            .meters
            .values()
            .flat_map(|meter| [meter.next_release_at(now), meter.next_control_at(limits)]);
        let own = mailboxes
            .chain(meters.flatten())
            .chain(self.outbox.next_deadline())
            .chain(self.store.check.waits_until());
        own.map(|at| (at, Reason::Fleet)).chain(credential).min_by_key(|(at, _)| *at)
    }

    fn ctx<'a>(&'a self, name: &CredentialName, now: Timestamp) -> Ctx<'a> {
        let origin =
            self.rotations.get(name).map(|rotation| rotation.settings.origin.as_str()).unwrap_or_default();
        Ctx {
            now,
            limits: &self.settings.limits,
            taken: &self.taken,
            control: self.meters.get(origin).and_then(|meter| meter.control),
            clock_agrees: self.clock_differs.is_none(),
            probe_period: self.settings.probe_period,
        }
    }

    /// One step of one credential, and what it means for the others.
    fn step(
        &mut self,
        name: &CredentialName,
        input: Option<Input>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(mut rotation) = self.rotations.remove(name) else { return };
        let origin = rotation.settings.origin.clone();
        let before = rotation.known_fingerprints();
        let ctx =
            Ctx { control: self.meters.get(&origin).and_then(|meter| meter.control), ..self.ctx(name, now) };
        let mut out = Out::default();
        match input {
            Some(input) => rotation.handle(input, ctx, &mut out),
            None => rotation.advance(ctx, &mut out),
        }
        let due =
            rotation.next_deadline(ctx).map(|(at, _)| at.max(now + self.settings.limits.backoff_min / 10));
        let after = rotation.known_fingerprints();
        self.rotations.insert(name.clone(), rotation);
        self.set_due(name, due);
        if before != after {
            self.taken.retain(|_, owner| owner != name);
            self.taken.extend(after.into_iter().map(|key| (key, name.clone())));
        }
        self.collect(name, &origin, out, now, effects);
    }
    fn step_all(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let names: Vec<_> = self.rotations.keys().cloned().collect();
        names.iter().for_each(|name| self.step(name, None, now, effects));
    }
    fn set_due(&mut self, name: &CredentialName, due: Option<Timestamp>) {
        if let Some(at) = self.due_by_name.remove(name) {
            self.due.remove(&(at, name.clone()));
        }
        if let Some(at) = due {
            self.due.insert((at, name.clone()));
            self.due_by_name.insert(name.clone(), at);
        }
    }

    fn collect(
        &mut self,
        name: &CredentialName,
        origin: &str,
        out: Out,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        for action in out.actions {
            match action {
                Action::ProbeKey { attempt, fingerprint, purpose, fresh_connection } => {
                    let probe =
                        Waiting { name: name.clone(), attempt, fingerprint, purpose, fresh_connection };
                    self.meters.get_mut(origin).into_iter().for_each(|meter| meter.enqueue(probe.clone()));
                }
                action => effects.push(Effect::Credential { name: name.clone(), action }),
            }
        }
        let limits = self.settings.limits.clone();
        if let Some(meter) = self.meters.get_mut(origin).filter(|_| out.control_wanted)
            && meter.may_control(now, &limits)
        {
            effects.push(Effect::ProbeControl { origin: origin.to_owned(), name: name.clone() });
        }
        let mailbox = self.rotations.get(name).and_then(|rotation| rotation.settings.mailbox.clone());
        if let (Some(afresh), Some(mailbox)) = (out.look_again, mailbox) {
            effects.push(Effect::LookAtMailbox { name: mailbox, afresh });
        }
        effects.extend(out.replies.into_iter().map(|(ticket, reply)| Effect::Answer { ticket, reply }));
        let records = out
            .records
            .into_iter()
            .map(|record| Effect::Record { name: name.clone(), record: Box::new(record) });
        effects.extend(records);
        out.notices.into_iter().for_each(|notice| self.outbox.push(notice));
        if let Some(time) = out.vendor_time {
            self.compare_clock("the vendor's", time, now);
        }
        match out.store {
            Some(Ok(())) => self.store_works(now, effects),
            Some(Err(trouble)) => self.store_fails(trouble, now),
            None => {}
        }
    }

    /// What is due and belongs to no single credential.
    fn advance(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let limits = self.settings.limits.clone();
        for (name, mailbox) in &mut self.mailboxes {
            if mailbox.opens(now) {
                effects.push(Effect::OpenMailbox { name: name.clone() });
            }
        }
        let blind: Vec<_> = self
            .meters
            .iter()
            .filter(|(_, meter)| meter.next_control_at(&limits).is_some_and(|at| at <= now))
            .map(|(origin, _)| origin.clone())
            .collect();
        blind.iter().for_each(|origin| self.step_origin(origin, now, effects));
        for meter in self.meters.values_mut() {
            for Waiting { name, attempt, fingerprint, purpose, fresh_connection } in
                meter.release(now, &limits)
            {
                let action = Action::ProbeKey { attempt, fingerprint, purpose, fresh_connection };
                effects.push(Effect::Credential { name, action });
            }
        }
        if self.store.trouble.is_some() && self.store.check.may_start(now) {
            let mut attempts = 0;
            self.store.check.start(&mut attempts);
            effects.push(Effect::CheckStore);
        }
        self.report_store(now);
        self.incidents.climb(now, &limits);
        for telling in self.incidents.take_tellings() {
            self.outbox.push(fleet_notice(telling, now, &limits));
        }
        effects.extend(self.outbox.next(now, &limits).map(|notice| Effect::Notify(Box::new(notice))));
    }

    fn tick(&mut self, schedule: Schedule, now: Timestamp, effects: &mut Vec<Effect>) {
        match schedule {
            Schedule::MailboxPoll => {
                let open = self.mailboxes.iter().filter(|(_, mailbox)| mailbox.open);
                effects.extend(
                    open.map(|(name, _)| Effect::LookAtMailbox { name: name.clone(), afresh: false }),
                );
                effects.push(Effect::CheckStore);
            }
            Schedule::CurrentKeyProbe => {
                let fits = self.probe_fits(now);
                let period = self.settings.probe_period;
                for (name, rotation) in self.rotations.iter_mut().filter(|(name, _)| fits.contains(*name)) {
                    rotation.probe_due = Some(now + spread(name, period));
                }
                self.step_all(now, effects);
            }
            Schedule::ConsumerProve => {
                let period = self.settings.prove_period;
                for (name, rotation) in &mut self.rotations {
                    rotation.prove_due = Some(now + spread(name, period));
                }
                self.step_all(now, effects);
            }
        }
    }
    /// The credentials whose turn it is: where many share a budget, each is asked less often.
    fn probe_fits(&self, now: Timestamp) -> BTreeSet<CredentialName> {
        let mut count_by_origin = BTreeMap::<&str, u32>::new();
        self.rotations
            .values()
            .for_each(|rotation| *count_by_origin.entry(&rotation.settings.origin).or_default() += 1);
        let turn = |(name, rotation): (&CredentialName, &Rotation)| {
            let origin = rotation.settings.origin.as_str();
            let demanded =
                self.meters.get(origin)?.routine_period(*count_by_origin.get(origin)?, &self.settings.limits);
            let asked_at = rotation.current_facts().and_then(|facts| facts.last_probe_at());
            let rested = asked_at.is_none_or(|at| now.since(at) + self.settings.probe_period / 2 >= demanded);
            rested.then(|| name.clone())
        };
        self.rotations.iter().filter_map(turn).collect()
    }

    fn configured(&mut self, settings: Settings, now: Timestamp, effects: &mut Vec<Effect>) {
        self.incidents.clear(Code::ConfigRefused, "");
        for (name, credential) in &settings.credentials {
            self.meters.entry(credential.origin.clone()).or_insert_with(|| Meter::new(credential.limit));
            match self.rotations.get_mut(name) {
                Some(rotation) => rotation.reconfigure(credential.clone()),
                None => {
                    self.rotations.insert(name.clone(), Rotation::new(credential.clone()));
                }
            }
        }
        self.rotations.retain(|name, _| settings.credentials.contains_key(name));
        let removed: Vec<_> = self
            .due_by_name
            .keys()
            .filter(|name| !settings.credentials.contains_key(*name))
            .cloned()
            .collect();
        removed.iter().for_each(|name| self.set_due(name, None));
        self.taken.retain(|_, owner| settings.credentials.contains_key(owner));
        self.mailboxes.retain(|name, _| settings.mailboxes.contains(name));
        for name in &settings.mailboxes {
            let mailbox = self.mailboxes.entry(name.clone()).or_default();
            mailbox.connection.retry_now();
        }
        self.settings = settings;
        self.step_all(now, effects);
    }

    fn control_finished(
        &mut self,
        origin: &str,
        answer: ProbeAnswer,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(meter) = self.meters.get_mut(origin) else { return };
        meter.control = Some((answer.verdict, now));
        meter.control_in_flight = false;
        self.step_origin(origin, now, effects);
    }
    fn step_origin(&mut self, origin: &str, now: Timestamp, effects: &mut Vec<Effect>) {
        let here = self.rotations.iter().filter(|(_, rotation)| rotation.settings.origin == origin);
        let names: Vec<_> = here.map(|(name, _)| name.clone()).collect();
        names.iter().for_each(|name| self.step(name, None, now, effects));
    }

    fn notice_sent(&mut self, incident: &str, step: u32, outcome: Result<(), NoticeFailure>, now: Timestamp) {
        const TOLD_AFTER_FAILURES: u32 = 3;
        let failing = |why: &str| {
            Report::new(
                Code::AlertsFailing,
                Severity::Urgent,
                format!("alert mails cannot be sent: {why}"),
                "mend alerts.email (keyrelay check), then: systemctl reload keyrelay",
            )
            .breaks("operators do not hear of anything")
            .doing("the mails wait and are sent by themselves")
        };
        match outcome {
            Ok(()) => {
                self.outbox.done(incident, step, now);
                self.incidents.clear(Code::AlertsFailing, "");
            }
            Err(NoticeFailure::Later(why)) => {
                self.outbox.failed(incident, step, now, &self.settings.limits);
                if self.outbox.failures() >= TOLD_AFTER_FAILURES {
                    self.incidents.raise(now, failing(&why));
                }
            }
            Err(NoticeFailure::Never(why)) => {
                self.outbox.done(incident, step, now);
                self.incidents.raise(now, failing(&why));
            }
        }
    }

    fn store_checked(
        &mut self,
        outcome: Result<Option<Timestamp>, StoreTrouble>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        match outcome {
            Ok(time) => {
                if let Some(time) = time {
                    self.compare_clock("the store's", time, now);
                }
                self.store_works(now, effects);
            }
            Err(trouble) => self.store_fails(trouble, now),
        }
    }
    fn store_works(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let was_away = self.store.trouble.is_some();
        if !self.store.reachable {
            (self.store.reachable, self.store.since) = (true, Some(now));
        }
        (self.store.trouble, self.store.trouble_since) = (None, None);
        self.store.check.succeeded();
        if was_away {
            self.rotations.values_mut().for_each(Rotation::store_is_back);
            self.step_all(now, effects);
        }
    }
    fn store_fails(&mut self, trouble: StoreTrouble, now: Timestamp) {
        match trouble {
            StoreTrouble::Forbidden(_) | StoreTrouble::Refused(_) => return, // one credential's matter
            StoreTrouble::Unreachable(_) | StoreTrouble::Sealed => {}
        }
        if self.store.reachable || self.store.since.is_none() {
            (self.store.reachable, self.store.since) = (false, Some(now));
        }
        self.store.trouble = Some(trouble);
        self.store.trouble_since.get_or_insert(now);
        let limits = self.settings.limits.clone();
        self.store.check.failed(
            now,
            backoff_cap(None, &limits).min(limits.backoff_cap_min),
            salt(&["store"]),
            &limits,
        );
    }
    /// One incident for all credentials.
    fn report_store(&mut self, now: Timestamp) {
        let waiting = self.rotations.values().filter(|rotation| rotation.best_candidate().is_some()).count();
        let severity = if waiting > 0 { Severity::Urgent } else { Severity::Warning };
        let long = self
            .store
            .trouble_since
            .is_some_and(|since| now.since(since) >= self.settings.limits.backoff_cap_min);
        let report = |code, text: &StoreTrouble, hint: &str| {
            let doing = match waiting {
                0 => "mailboxes are watched meanwhile, and a new key would be spooled".to_owned(),
                1 => "1 new key is kept safe on this machine, and goes into the store by itself".to_owned(),
                many => format!(
                    "{many} new keys are kept safe on this machine, and go into the store by themselves"
                ),
            };
            Report::new(code, severity, text.to_string(), hint)
                .breaks("no key can be promoted, and none is handed over")
                .doing(doing)
        };
        match &self.store.trouble {
            Some(trouble @ StoreTrouble::Sealed) => {
                let report = report(Code::StoreSealed, trouble, "unseal it: bao operator unseal");
                self.incidents.raise(now, report);
                self.incidents.clear(Code::StoreUnreachable, "");
            }
            Some(trouble @ StoreTrouble::Unreachable(_)) if long => {
                let report = report(Code::StoreUnreachable, trouble, "bring it back, then look: bao status");
                self.incidents.raise(now, report);
                self.incidents.clear(Code::StoreSealed, "");
            }
            Some(_) => {}
            None => {
                self.incidents.clear(Code::StoreSealed, "");
                self.incidents.clear(Code::StoreUnreachable, "");
            }
        }
    }

    fn compare_clock(&mut self, whose: &str, theirs: Timestamp, now: Timestamp) {
        let apart = now.since(theirs).max(theirs.since(now));
        self.clock_differs = (apart > self.settings.limits.clock_skew).then(|| whose.to_owned());
        match &self.clock_differs {
            None => self.incidents.clear(Code::ClockSkewed, ""),
            Some(whose) => {
                let message = format!("this machine's clock ({now}) and {whose} ({theirs}) differ");
                let report = Report::new(Code::ClockSkewed, Severity::Warning, message, "timedatectl status")
                    .doing("no deadline is declared passed meanwhile, and no old key is removed");
                self.incidents.raise(now, report);
            }
        }
    }
}

/// Work on a tick is spread over a tenth of its period, by the credential's name.
fn spread(name: &CredentialName, period: Duration) -> Duration {
    (period / 10).mul_f64(unit(salt(&[name.as_str()])))
}

fn fleet_notice(telling: super::incident::Telling, now: Timestamp, limits: &crate::domain::Limits) -> Notice {
    let super::incident::Telling { incident, id, step, resolved } = telling;
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
