//! One run: a queue of what comes when, a process that may die between any two of its effects, and a clock that may
//! lie. What a dead process had under way is forgotten; what was on its way to the store may still land there.

mod mailbox;

use super::{
    END, MIN, PROBE_PERIOD, SEC, START,
    fault::Fault,
    happen::Happening,
    oracle::Oracle,
    world::{World, at, number},
};
use crate::{
    domain::{CredentialName, Finding, MailboxName, RotationId, Timestamp},
    rotation::{Action, Effect, Event, Fleet, Input, Schedule, Settings, Ticket},
};
use std::collections::{BTreeMap, BTreeSet};

/// What comes back to the process, and the keys whose values come with it.
#[derive(Debug, Clone)]
pub struct Answer {
    pub event: Event,
    pub keys: Vec<u64>,
}
impl From<Event> for Answer {
    fn from(event: Event) -> Self {
        Self { event, keys: Vec::new() }
    }
}

/// What is on its way; numbers are those of the process that it belongs to.
enum Coming {
    Perform(u64, Effect),
    Arrive(u64, Answer),
    /// These mails of a look are judged.
    Judge(u64, Vec<usize>, bool),
    Wake(u64),
    Die(u64),
    Tick(Schedule),
    Start,
    Happens(Happening),
}

pub struct Process {
    pub fleet: Fleet,
    pub keyring: BTreeSet<u64>,
    watching: bool,
    handed: BTreeSet<usize>,
    wakes_at: Option<i64>,
    /// What its clock said when it was set, and when that was.
    clock_was: Option<(Timestamp, i64)>,
    pub since: i64,
}

pub struct Sim {
    pub world: World,
    pub oracle: Oracle,
    pub process: Option<Process>,
    pub settings: Settings,
    coming: BTreeMap<(i64, u64), Box<Coming>>,
    numbers: u64,
    epoch: u64,
    pub skew: i64,
    suspended_until: i64,
    pub asked: BTreeMap<Ticket, Option<u64>>,
    pub events: u64,
    /// Lines in the journal that are notices.
    journal: u64,
    at_once: (i64, u32),
    pub transcript: Option<Vec<String>>,
}

impl Sim {
    pub fn new(world: World, settings: Settings, tells: bool) -> Self {
        let mut sim = Self {
            world,
            oracle: Oracle::default(),
            process: None,
            settings,
            coming: BTreeMap::new(),
            numbers: 0,
            epoch: 0,
            skew: 0,
            suspended_until: 0,
            asked: BTreeMap::new(),
            events: 0,
            journal: 0,
            at_once: (0, 0),
            transcript: tells.then(Vec::new),
        };
        sim.comes(0, Coming::Start);
        for schedule in [Schedule::MailboxPoll, Schedule::CurrentKeyProbe, Schedule::ConsumerProve] {
            sim.comes(period(schedule), Coming::Tick(schedule));
        }
        sim
    }
    fn comes(&mut self, t: i64, what: Coming) {
        self.numbers += 1;
        self.coming.insert((t, self.numbers), Box::new(what));
    }
    pub fn happens_at(&mut self, t: i64, happening: Happening) {
        self.comes(t, Coming::Happens(happening));
    }
    pub fn tell(&mut self, line: impl FnOnce() -> String) {
        let t = at(self.world.luck.t);
        if let Some(transcript) = &mut self.transcript {
            transcript.push(format!("{t} {}", line()));
        }
    }
    pub fn clock(&self) -> Timestamp {
        Timestamp::from_millis((START.as_millis() + self.world.luck.t + self.skew).max(0))
    }

    /// To the end, or to the first broken promise.
    pub fn run(&mut self) {
        while let Some(((t, _), what)) = self.coming.pop_first().filter(|((t, _), _)| *t <= END) {
            self.world.luck.t = self.world.luck.t.max(t);
            self.take(*what);
            if self.events > 400_000 {
                self.oracle.fail("it never ends: 400,000 events");
            }
            if self.oracle.failure.is_some() {
                return;
            }
        }
        self.world.luck.t = END;
        self.has_come_right();
    }

    fn take(&mut self, what: Coming) {
        let now = self.world.luck.t;
        let sleeps = now < self.suspended_until && !matches!(what, Coming::Happens(_) | Coming::Start);
        if sleeps {
            return self.comes(self.suspended_until, what);
        }
        match what {
            Coming::Start => self.start(),
            Coming::Happens(happening) => self.happen(happening),
            Coming::Tick(schedule) => {
                self.comes(now + period(schedule), Coming::Tick(schedule));
                self.feed(Event::Tick(schedule).into());
                self.tidy_keyring();
            }
            Coming::Perform(epoch, effect) if epoch != self.epoch => self.lands_late(effect),
            Coming::Perform(_, effect) => self.perform_alive(effect),
            Coming::Arrive(epoch, _)
            | Coming::Judge(epoch, ..)
            | Coming::Wake(epoch)
            | Coming::Die(epoch)
                if epoch != self.epoch => {}
            Coming::Arrive(_, answer) => self.feed(answer),
            Coming::Judge(_, mails, all) => self.judge(&mails, all),
            Coming::Wake(_) => self.wake(now),
            Coming::Die(_) => self.die("told to stop, it ends"),
        }
    }

    // ---- the process ----

    fn start(&mut self) {
        let (fleet, effects) = Fleet::new(self.settings.clone(), self.clock());
        self.tell(|| "=== the process starts".into());
        let since = self.world.luck.t;
        let (keyring, handed) = (BTreeSet::new(), BTreeSet::new());
        self.process =
            Some(Process { fleet, keyring, watching: false, handed, wakes_at: None, clock_was: None, since });
        (self.oracle.read, self.oracle.sent) = Default::default();
        if let Some(json) = self.world.host.alerts.clone() {
            let outcome = Ok(Box::new(serde_json::from_str(&json).unwrap()));
            self.feed(Event::AlertsFound { outcome }.into());
        }
        for (n, (origin, dated, rotated_at, held)) in self.world.host.spool.clone() {
            let (fingerprint, rotation_id) = (super::world::key(n), self.rotation_id());
            let input = Input::SpoolFound { fingerprint, origin, dated, rotated_at, held, rotation_id };
            self.feed(Answer { event: about_main(input), keys: vec![n] });
        }
        self.emit(effects);
        self.feed(Event::Tick(Schedule::ConsumerProve).into());
    }
    pub fn die(&mut self, why: &str) {
        self.tell(|| format!("=== the process is gone: {why}"));
        (self.process, self.epoch) = (None, self.epoch + 1);
        self.asked.clear();
        self.oracle.key_is_safe(&self.world);
        let luck = &mut self.world.luck;
        let away = luck.chance.pick(&[SEC, 10 * SEC, MIN, 10 * MIN, 60 * MIN, 4 * 60 * MIN]);
        let back = luck.t + 1 + luck.chance.between(0, away);
        self.comes(back, Coming::Start);
    }
    /// What exists nowhere else is spooled, what is under way is given a moment.
    pub fn stop(&mut self) {
        self.feed(Event::Stopping.into());
        let (epoch, t) = (self.epoch, self.world.luck.t + self.world.luck.chance.between(0, 5 * SEC));
        self.comes(t, Coming::Die(epoch));
    }
    pub fn suspend(&mut self, length: i64) {
        self.suspended_until = self.world.luck.t + length;
        self.oracle.jumped_at = Some(self.suspended_until);
    }
    /// The shell looks at the clock every half minute at least.
    pub fn set_clock(&mut self, skew: i64) {
        let before = self.clock();
        self.skew = skew;
        if let Some(process) = &mut self.process {
            process.clock_was.get_or_insert((before, self.world.luck.t));
        }
        self.oracle.jumped_at = Some(self.world.luck.t);
        let t = self.world.luck.t + self.world.luck.chance.between(1, 30 * SEC);
        self.wakes(t);
    }
    fn tidy_keyring(&mut self) {
        let now = self.clock();
        if let Some(process) = &mut self.process {
            let (name, fleet) = (main(), &process.fleet);
            process.keyring.retain(|n| fleet.needs_key(&name, super::world::key(*n), now));
        }
    }

    /// The shell compares its two clocks before anything else.
    fn look_at_clock(&mut self) {
        let (now, t) = (self.clock(), self.world.luck.t);
        let Some(process) = &mut self.process else { return };
        let Some((before, at)) = process.clock_was.take() else { return };
        let before = before + std::time::Duration::from_millis((t - at).unsigned_abs());
        let effects = process.fleet.handle(Event::ClockSet { before }, now);
        self.tell(|| format!("-> ClockSet {{ before: {before} }}"));
        self.stepped(effects, now);
    }
    /// Something reaches the process.
    pub fn feed(&mut self, answer: Answer) {
        if self.process.is_none() {
            return;
        }
        let Answer { event, keys } = answer;
        self.tell(|| format!("-> {event:?}"));
        if let Event::Credential { input: Input::MailsSeen { findings, .. }, .. } = &event {
            let new = |finding: &Finding| match finding {
                Finding::NewKey(confirmation) => Some(number(confirmation.fingerprint)),
                _ => None,
            };
            self.oracle.received.extend(findings.iter().filter_map(new));
        }
        if let Event::NoticeSent { incident, step, outcome: Ok(()), .. } = &event {
            self.oracle.sent.insert((incident.clone(), *step));
        }
        self.look_at_clock();
        let now = self.clock();
        let Some(process) = &mut self.process else { return };
        process.keyring.extend(keys);
        let effects = process.fleet.handle(event, now);
        self.stepped(effects, now);
    }
    fn wake(&mut self, now: i64) {
        self.look_at_clock();
        let clock = self.clock();
        let Some(process) = self.process.as_mut().filter(|process| process.wakes_at == Some(now)) else {
            return;
        };
        process.wakes_at = None;
        let effects = process.fleet.handle_deadline(clock);
        if let Some((due, reason)) = process.fleet.next_deadline().filter(|(due, _)| *due <= clock) {
            self.oracle.fail(format!("{reason:?} is due at {due}, which was handled"));
        }
        if !effects.is_empty() {
            self.tell(|| "-> a deadline".into());
        }
        self.stepped(effects, clock);
    }
    fn stepped(&mut self, effects: Vec<Effect>, now: Timestamp) {
        self.events += 1;
        let t = self.world.luck.t;
        self.at_once = if self.at_once.0 == t { (t, self.at_once.1 + 1) } else { (t, 0) };
        if self.at_once.1 > 2_000 {
            self.oracle.fail("it never rests: 2,000 events at one moment");
        }
        if let Some(rotation) = self.process.as_ref().and_then(|process| process.fleet.credential(&main())) {
            self.world.luck.phase = rotation.phase().as_str();
        }
        self.emit(effects);
        let Some(process) = &self.process else { return };
        if let Some((due, _)) = process.fleet.next_deadline() {
            // A process that sleeps for long looks at the clock meanwhile; here only where the clock jumps.
            let wait = i64::try_from(due.since(now).as_millis()).unwrap_or(END);
            self.wakes(t.saturating_add(wait));
        }
    }
    fn wakes(&mut self, t: i64) {
        let epoch = self.epoch;
        let Some(process) = &mut self.process else { return };
        let sooner = process.wakes_at.is_none_or(|at| t != at);
        if sooner {
            process.wakes_at = Some(t);
            self.comes(t, Coming::Wake(epoch));
        }
    }

    fn emit(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.tell(|| format!("   {effect:?}"));
            if let Some(process) = &self.process {
                self.oracle.emitted(&effect, &process.keyring, &self.world);
            }
            match effect {
                Effect::Answer { ticket, reply } => match self.asked.remove(&ticket) {
                    Some(n) => self.oracle.answered(n, &reply, &self.world),
                    None => self.oracle.fail(format!("{ticket} is answered twice, or was not asked")),
                },
                Effect::Journal(notice) => {
                    self.journal += 1;
                    self.oracle.shown(&notice);
                    if self.journal > 3_000 {
                        self.oracle.fail(format!("P8: 3,000 notices, the last one {}", notice.code));
                    }
                    if notice.code == crate::domain::Code::Bug {
                        self.oracle.fail(notice.message);
                    }
                }
                Effect::Record { .. } => {}
                effect => {
                    let (t, epoch) = (self.world.luck.t + self.latency(), self.epoch);
                    self.comes(t, Coming::Perform(epoch, effect));
                }
            }
        }
    }
    /// One way, in milliseconds.
    fn latency(&mut self) -> i64 {
        let slow = self.world.luck.strikes(Fault::SlowAnswer);
        let most = if slow { 5 * SEC } else { 20 };
        self.world.luck.chance.between(1, most)
    }
    fn perform_alive(&mut self, effect: Effect) {
        let killed = self.world.luck.strikes(Fault::Kill);
        if killed && self.world.luck.chance.one_in(2) {
            return self.die("killed before an effect");
        }
        let answer = self.perform(effect);
        if killed {
            return self.die("killed after an effect");
        }
        if let Some(answer) = answer {
            let (t, epoch) = (self.world.luck.t + self.latency(), self.epoch);
            self.comes(t, Coming::Arrive(epoch, answer));
        }
    }
    /// A write that was on the network when its process died.
    fn lands_late(&mut self, effect: Effect) {
        let Effect::Credential { action, .. } = &effect else { return };
        let writes =
            matches!(action, Action::StoreKey { .. } | Action::RetireKey { .. } | Action::SaveState { .. });
        if writes && self.world.luck.strikes(Fault::LateWrite) {
            self.tell(|| format!("   lands late: {effect:?}"));
            let _ = self.perform(effect);
        }
    }

    pub fn rotation_id(&mut self) -> RotationId {
        self.numbers += 1;
        RotationId::from_parts(u64::try_from(self.clock().as_millis()).unwrap_or(0), self.numbers.into())
    }
    pub fn ask(&mut self, n: Option<u64>, input: impl FnOnce(Ticket, RotationId) -> Input) {
        if self.process.is_none() {
            return;
        }
        self.numbers += 1;
        let (ticket, rotation_id) = (self.numbers, self.rotation_id());
        self.asked.insert(ticket, n);
        let event = about_main(input(ticket, rotation_id));
        self.feed(Answer { event, keys: n.into_iter().collect() });
    }
}

pub fn main() -> CredentialName {
    "main".parse().unwrap()
}
pub fn mailbox() -> MailboxName {
    "mail".parse().unwrap()
}
pub fn about_main(input: Input) -> Event {
    Event::Credential { name: main(), input }
}
/// Rarer than by default: what a schedule finds it finds later here, and a run takes a third of the time.
fn period(schedule: Schedule) -> i64 {
    match schedule {
        Schedule::MailboxPoll => 30 * MIN,
        Schedule::CurrentKeyProbe => PROBE_PERIOD,
        Schedule::ConsumerProve => 60 * MIN,
    }
}
