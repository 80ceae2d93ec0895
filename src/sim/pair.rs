//! Two daemons and one store: pauses that are longer than the lease, partitions, kills, late calls. Which of the two acts
//! is decided by the real lease; what they do is as plain as can be. No two act at once, nothing is promoted twice, and
//! when all is well again one of them acts soon.

use super::{MIN, SEC, chance::Chance};
use crate::{
    domain::{Holder, LeaseDocument, LeaseRead, Limits, RotationId, WriteOutcome},
    rotation::{Boot, Lease, LeaseEvent, LeaseOrder},
};
use std::collections::BTreeMap;

/// Until here things go wrong …
const HEAL: i64 = 60 * MIN;
/// … and so soon after it one of them acts.
const SOON: i64 = 20 * SEC;
/// An effect outside the store takes this long at most; the rest of the lease's margin is for the clocks.
const EFFECT_MAX: i64 = 4 * SEC;

/// What went wrong in one run, by kind, and what came of it.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pair {
    pub failure: Option<String>,
    /// Longer than the lease.
    pub pauses: u64,
    pub partitions: u64,
    pub kills: u64,
    pub terms: u64,
    pub promotions: u64,
}

enum Coming {
    Wake,
    /// It reaches the store.
    Call(LeaseOrder),
    Answer(LeaseEvent),
    /// A key document's write, over this version.
    Promote {
        over: u64,
        key: u64,
    },
    Promoted,
    /// It hands the key to a consumer: begun, and done.
    Begin(u64),
    Done(u64),
    Fault,
    Rotates,
    Check,
}

struct Daemon {
    lease: Option<Lease>,
    run: u64,
    booted: i64,
    /// Its clock runs by so many in ten thousand too fast.
    drift: i64,
    paused_until: i64,
    cut_off_until: i64,
    busy: bool,
}

struct World {
    chance: Chance,
    t: i64,
    numbers: u64,
    coming: BTreeMap<(i64, u64), (usize, u64, Coming)>,
    daemons: [Daemon; 2],
    runs: u64,
    lease: (u64, Option<LeaseDocument>),
    /// The key document: its version, and its key.
    stored: (u64, u64),
    newest: u64,
    given: u64,
    promoted: BTreeMap<u64, u64>,
    acted_at: i64,
    pair: Pair,
}

pub fn pair(seed: u64) -> Pair {
    let daemon = || Daemon {
        lease: None,
        run: 0,
        booted: 0,
        drift: 0,
        paused_until: 0,
        cut_off_until: 0,
        busy: false,
    };
    let mut world = World {
        chance: Chance::of(seed),
        t: 0,
        numbers: 0,
        coming: BTreeMap::new(),
        daemons: [daemon(), daemon()],
        runs: 0,
        lease: (0, None),
        stored: (1, 1),
        newest: 1,
        given: 1,
        promoted: BTreeMap::new(),
        acted_at: 0,
        pair: Pair::default(),
    };
    for who in [0, 1] {
        world.daemons[who].booted = -world.chance.between(0, 1_000 * MIN);
        world.daemons[who].drift = world.chance.between(-3, 4);
        world.start(who);
    }
    for t in 1..(HEAL / (20 * SEC)) {
        world.comes(t * 20 * SEC + i64::from(t % 7 == 0), 0, Coming::Fault);
    }
    for t in 1..((HEAL + MIN) / (30 * SEC)) {
        world.comes(t * 30 * SEC, 0, Coming::Rotates);
    }
    world.comes(HEAL + SOON, 0, Coming::Check);
    world.run();
    world.pair
}

impl World {
    fn comes(&mut self, t: i64, who: usize, what: Coming) {
        self.numbers += 1;
        let run = self.daemons[who].run;
        self.coming.insert((t, self.numbers), (who, run, what));
    }
    fn fail(&mut self, what: String) {
        self.pair.failure.get_or_insert(what);
    }
    fn boot(&self, who: usize) -> Boot {
        let daemon = &self.daemons[who];
        let passed = self.t - daemon.booted;
        Boot::from_millis((passed + passed * daemon.drift / 10_000).unsigned_abs())
    }
    fn latency(&mut self) -> i64 {
        let most = if self.chance.one_in(40) && self.t < HEAL { 9 * SEC } else { 30 };
        self.chance.between(1, most)
    }

    fn run(&mut self) {
        while let Some(((t, _), (who, run, what))) = self.coming.pop_first() {
            if t > HEAL + 3 * MIN || self.pair.failure.is_some() {
                break;
            }
            self.t = self.t.max(t);
            let everybodys = matches!(what, Coming::Fault | Coming::Rotates | Coming::Check);
            let paused = self.daemons[who].paused_until;
            // What is on its way arrives, whatever has become of its sender.
            let on_its_way = matches!(what, Coming::Call(_) | Coming::Promote { .. } | Coming::Done(_));
            if !everybodys && !on_its_way && paused > self.t {
                self.numbers += 1;
                self.coming.insert((paused, self.numbers), (who, run, what));
                continue;
            }
            if everybodys || on_its_way || run == self.daemons[who].run {
                self.take(who, run, what);
            }
            self.check();
        }
        let ends_well = self.stored.1 == self.newest && self.given == self.newest;
        if !ends_well {
            let (stored, given, newest) = (self.stored.1, self.given, self.newest);
            self.fail(format!("the end: K{stored} is stored, K{given} is given, K{newest} is the newest"));
        }
    }
    /// No two may begin something at once.
    fn check(&mut self) {
        let acts = |who: usize| {
            let daemon = &self.daemons[who];
            daemon.lease.as_ref().is_some_and(|lease| lease.may_act(self.boot(who)))
        };
        match (acts(0), acts(1)) {
            (true, true) => self.fail(format!("both may act at {}", self.t)),
            (false, false) => {}
            (true, false) | (false, true) => self.acted_at = self.t,
        }
    }

    fn take(&mut self, who: usize, run: u64, what: Coming) {
        match what {
            Coming::Wake => self.wake(who),
            Coming::Call(order) => self.call(who, run, order),
            Coming::Answer(event) => self.event(who, event),
            Coming::Promote { over, key } => self.promote(who, run, over, key),
            Coming::Promoted => {
                self.daemons[who].busy = false;
                self.work(who);
            }
            Coming::Begin(key) => self.begin(who, key),
            Coming::Done(key) => {
                let other = 1 - who;
                let lease = self.daemons[other].lease.as_ref();
                let given_before = self.given > key;
                if given_before || lease.is_some_and(|lease| lease.may_act(self.boot(other))) {
                    let (t, given) = (self.t, self.given);
                    self.fail(format!(
                        "at {t} daemon {who} hands out K{key} after K{given}, when the other acts"
                    ));
                }
                self.given = key;
                if run == self.daemons[who].run {
                    self.daemons[who].busy = false;
                }
            }
            Coming::Fault if self.t < HEAL => self.fault(),
            Coming::Fault => {}
            Coming::Rotates => self.newest += 1,
            Coming::Check if self.acted_at < HEAL => {
                self.fail("nobody acts twenty seconds after all is well".into())
            }
            Coming::Check => {}
        }
    }

    // ---- a daemon ----

    fn start(&mut self, who: usize) {
        self.runs += 1;
        let run = RotationId::from_parts(self.runs, 0);
        let me = Holder { run, host: format!("host-{who}"), configuration: "same".into() };
        let lease = Lease::new(me, &Limits::default(), self.boot(who));
        let daemon = &mut self.daemons[who];
        (daemon.lease, daemon.run, daemon.busy) = (Some(lease), self.runs, false);
        self.comes(self.t, who, Coming::Wake);
    }
    fn wake(&mut self, who: usize) {
        let now = self.boot(who);
        if let Some(lease) = &mut self.daemons[who].lease
            && lease.next_deadline().is_some_and(|at| at <= now)
        {
            let orders = lease.handle_deadline(now);
            self.carry_out(who, orders);
        }
        self.work(who);
        self.comes(self.t + 250, who, Coming::Wake);
    }
    fn event(&mut self, who: usize, event: LeaseEvent) {
        let now = self.boot(who);
        let Some(lease) = &mut self.daemons[who].lease else { return };
        let orders = lease.handle(event, now);
        self.carry_out(who, orders);
    }
    fn carry_out(&mut self, who: usize, orders: Vec<LeaseOrder>) {
        for order in orders {
            match order {
                LeaseOrder::Read | LeaseOrder::Write { .. } => {
                    let at = self.t + self.latency();
                    self.comes(at, who, Coming::Call(order));
                }
                LeaseOrder::BecomeActive { .. } => {
                    self.pair.terms += 1;
                    self.daemons[who].busy = false;
                }
                LeaseOrder::BecomeStandby => self.daemons[who].busy = false,
                LeaseOrder::Refuse(why) => self.fail(format!("nobody is to be refused: {why:?}")),
            }
        }
    }
    /// Promotes what is new, and hands out what is promoted; one thing at a time.
    fn work(&mut self, who: usize) {
        let now = self.boot(who);
        let daemon = &self.daemons[who];
        let acts = daemon.lease.as_ref().is_some_and(|lease| lease.may_act(now));
        if !acts || daemon.busy || daemon.cut_off_until > self.t {
            return;
        }
        let (over, stored) = self.stored;
        let next = match stored < self.newest {
            true => Coming::Promote { over, key: self.newest },
            false if self.given < stored => Coming::Begin(stored),
            false => return,
        };
        self.daemons[who].busy = true;
        let at = self.t + self.latency();
        self.comes(at, who, next);
    }
    /// Asked once more at the moment at which it begins.
    fn begin(&mut self, who: usize, key: u64) {
        let now = self.boot(who);
        if !self.daemons[who].lease.as_ref().is_some_and(|lease| lease.may_act(now)) {
            self.daemons[who].busy = false;
            return;
        }
        let at = self.t + self.chance.between(10, EFFECT_MAX);
        self.comes(at, who, Coming::Done(key));
    }

    // ---- the store ----

    fn call(&mut self, who: usize, run: u64, order: LeaseOrder) {
        let cut_off = self.daemons[who].cut_off_until > self.t;
        let lost = cut_off || (self.t < HEAL && self.chance.one_in(30));
        let arrives = !cut_off || self.chance.one_in(2);
        let written = |version| LeaseEvent::Written(WriteOutcome::Written { version });
        let answer = match (order, &self.lease) {
            (LeaseOrder::Read, (version, None)) => LeaseEvent::Read(LeaseRead::Absent { version: *version }),
            (LeaseOrder::Read, (version, Some(document))) => {
                LeaseEvent::Read(LeaseRead::Present { version: *version, document: document.clone() })
            }
            (LeaseOrder::Write { cas, document }, (version, _)) if cas == *version && arrives => {
                self.lease = (cas + 1, Some(document));
                written(cas + 1)
            }
            _ => LeaseEvent::Written(WriteOutcome::Mismatch),
        };
        let answer = match answer {
            LeaseEvent::Read(_) if lost => LeaseEvent::Read(LeaseRead::Failed),
            LeaseEvent::Written(_) if lost => LeaseEvent::Written(WriteOutcome::Unknown("no answer".into())),
            answer => answer,
        };
        if run == self.daemons[who].run {
            let at = self.t + if lost { 3 * SEC } else { self.chance.between(1, 30) };
            self.comes(at, who, Coming::Answer(answer));
        }
    }
    fn promote(&mut self, who: usize, run: u64, over: u64, key: u64) {
        if over == self.stored.0 {
            let times = self.promoted.entry(key).or_default();
            *times += 1;
            self.pair.promotions += 1;
            if *times > 1 {
                self.fail(format!("K{key} is promoted twice"));
            }
            self.stored = (over + 1, key);
        }
        if run == self.daemons[who].run {
            let at = self.t + self.latency();
            self.comes(at, who, Coming::Promoted);
        }
    }

    fn fault(&mut self) {
        let who = usize::from(self.chance.one_in(2));
        let t = self.t;
        match self.chance.below(4) {
            0 => {
                self.pair.pauses += 1;
                let length = self.chance.between(16 * SEC, 3 * MIN);
                self.daemons[who].paused_until = (t + length).min(HEAL);
            }
            1 => {
                self.pair.partitions += 1;
                self.daemons[who].cut_off_until = (t + self.chance.between(SEC, 2 * MIN)).min(HEAL);
            }
            2 => {
                self.pair.kills += 1;
                self.start(who);
            }
            _ => {}
        }
    }
}
