//! All credentials together: routes events, merges deadlines, and owns what they share: the store's health, the
//! mailboxes, the vendors' budgets, the clock's trustworthiness, and the way out for notices.

mod alerts;
mod clock;
mod configured;
mod login;
mod notices;
mod schedules;
mod shared;
mod store;

use super::{
    budget::Meter,
    digest::Digest,
    effect::Effect,
    event::{Event, Input},
    heartbeat::Heartbeat,
    incident::Incidents,
    mailboxes::Mailbox,
    outbox::{Channel, Outbox},
    settings::Settings,
    state::Rotation,
    state_document::ProbeOff,
    step::{Ctx, Out, Reason},
};
use crate::domain::{CredentialName, Fingerprint, MailboxName, Timestamp};
use alerts::Keeping;
use clock::Clock;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use store::StoreHealth;

/// The core's whole state.
#[derive(Debug, Clone)]
pub struct Fleet {
    pub(super) settings: Settings,
    /// Boxed: a map keeps room for twice as many as it holds.
    pub(super) rotations: BTreeMap<CredentialName, Box<Rotation>>,
    pub(super) meters: BTreeMap<String, Meter>,
    pub(super) mailboxes: BTreeMap<MailboxName, Mailbox>,
    /// The ways out that are configured.
    pub(super) outboxes: BTreeMap<Channel, Outbox>,
    pub(super) heartbeat: Heartbeat,
    digest: Digest,
    keeping: Keeping,
    pub(super) incidents: Incidents,
    pub(super) store: StoreHealth,
    /// Which credential came by which key first: no other may have it.
    taken: BTreeMap<Fingerprint, CredentialName>,
    /// When each credential has something to do next; read off its state after each step.
    due: BTreeSet<(Timestamp, CredentialName)>,
    due_by_name: BTreeMap<CredentialName, (Timestamp, Reason)>,
    /// Requests that were let through where they must be refused, in words: none of them is sent again.
    probes_off: BTreeMap<String, ProbeOff>,
    clock: Clock,
    /// Everything that was due at this moment is done.
    handled_at: Timestamp,
    /// The last moment that was told.
    latest: Timestamp,
    /// Nothing is told before what an earlier process told is known.
    starting: bool,
}

impl Fleet {
    pub fn new(settings: Settings, now: Timestamp) -> (Self, Vec<Effect>) {
        let mut fleet = Self {
            settings: Settings { credentials: BTreeMap::new(), ..settings.clone() },
            rotations: BTreeMap::new(),
            meters: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            outboxes: BTreeMap::new(),
            heartbeat: Heartbeat::default(),
            digest: Digest::default(),
            keeping: Keeping::default(),
            incidents: Incidents::new("keyrelay", Vec::new()),
            store: StoreHealth::default(),
            taken: BTreeMap::new(),
            due: BTreeSet::new(),
            due_by_name: BTreeMap::new(),
            probes_off: BTreeMap::new(),
            clock: Clock::default(),
            handled_at: now,
            latest: now,
            starting: true,
        };
        let effects = fleet.handle(Event::Configured(Box::new(settings)), now);
        fleet.starting = false;
        (fleet, effects)
    }

    /// Something happened: what is to be done about it.
    pub fn handle(&mut self, event: Event, now: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.follow_clock(now, &mut effects);
        match event {
            Event::Configured(settings) => self.configured(*settings, now, &mut effects),
            Event::ConfigRefused { mistakes } => self.config_refused(mistakes, now),
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
            Event::AlertsFound { outcome } => self.alerts_found(outcome, now),
            Event::AlertsSaved { outcome } => self.alerts_saved(outcome, now, &mut effects),
            Event::BeatSent { outcome } => self.beat_sent(outcome, now),
            Event::NoticeSent { channel, incident, step, outcome } => {
                self.notice_sent(channel, (&incident, step), outcome, now, &mut effects)
            }
            Event::CallAsked { name, weight, ticket } => {
                effects.push(self.call_asked(&name, weight, ticket, now));
            }
            Event::KeysChanged => {
                self.rotations.values_mut().for_each(|rotation| rotation.read_due = Some(now));
                self.step_all(now, &mut effects);
            }
            Event::Tick(schedule) => self.tick(schedule, now, &mut effects),
            Event::ClockSet { before } => self.clock_was_set(before, now, &mut effects),
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
        self.follow_clock(now, &mut effects);
        while let Some((_, name)) = self.due.first().filter(|(at, _)| *at <= now).cloned() {
            self.step(&name, None, now, &mut effects);
        }
        self.advance(now, &mut effects);
        effects
    }

    /// The earliest moment at which something is to be done, and why. It lies after the last moment that was handled:
    /// what was due then is done.
    pub fn next_deadline(&self) -> Option<(Timestamp, Reason)> {
        let credential = self.due.first().and_then(|(_, name)| self.due_by_name.get(name).copied());
        let own = self.own_deadlines().filter(|at| *at > self.handled_at);
        own.map(|at| (at, Reason::Fleet)).chain(credential).min_by_key(|(at, _)| *at)
    }

    /// How often a current key is asked: by the schedule, or less often where many share the vendor's limit.
    pub(super) fn probe_period(&self, origin: &str) -> Duration {
        probe_period(&self.settings, self.meters.get(origin))
    }

    /// One step of one credential, and what it means for the others.
    fn step(
        &mut self,
        name: &CredentialName,
        input: Option<Input>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(rotation) = self.rotations.get_mut(name) else { return };
        let own = rotation.settings.clone();
        let meter = self.meters.get(&own.origin);
        let patience = self.settings.limits.unconfirmed_after;
        let ctx = Ctx {
            now,
            limits: &self.settings.limits,
            taken: &self.taken,
            control: meter.and_then(|meter| meter.control),
            passed: self.clock.passed(now, patience),
            clock_agrees: self.clock.agrees(now, patience),
            probe_period: probe_period(&self.settings, meter),
            budget_period: meter.map(|meter| meter.routine_period).unwrap_or_default(),
            probe_off: self.probes_off.get(&*own.probe),
        };
        let before: Vec<_> = rotation.known_keys().collect();
        let mut out = Out::default();
        match input {
            Some(input) => rotation.handle(input, ctx, &mut out),
            None => rotation.advance(ctx, &mut out),
        }
        let due = rotation.next_deadline(ctx);
        let after: Vec<_> = rotation.known_keys().collect();
        let new = |off: &&ProbeOff| !self.probes_off.contains_key(&off.probe);
        let probe_off = rotation.probe_off().filter(new).cloned();
        self.set_due(name, due);
        if before != after {
            for key in before.into_iter().filter(|key| !after.contains(key)) {
                if self.taken.get(&key) == Some(name) {
                    self.taken.remove(&key);
                }
            }
            for key in after {
                self.taken.entry(key).or_insert_with(|| name.clone());
            }
        }
        self.collect(name, &own.origin, out, now, effects);
        probe_off.into_iter().for_each(|off| self.switch_probe_off(off, now, effects));
    }
    fn step_all(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let names: Vec<_> = self.rotations.keys().cloned().collect();
        names.iter().for_each(|name| self.step(name, None, now, effects));
    }
    fn set_due(&mut self, name: &CredentialName, due: Option<(Timestamp, Reason)>) {
        if self.due_by_name.get(name).copied() == due {
            return;
        }
        if let Some((at, _)) = self.due_by_name.remove(name) {
            self.due.remove(&(at, name.clone()));
        }
        if let Some(due) = due {
            self.due.insert((due.0, name.clone()));
            self.due_by_name.insert(name.clone(), due);
        }
    }
}

fn probe_period(settings: &Settings, meter: Option<&Meter>) -> Duration {
    meter.map(|meter| meter.routine_period).unwrap_or_default().max(settings.probe_period)
}
