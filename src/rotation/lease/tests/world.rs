//! Several leases against one store: calls are late, answers are lost, processes are stopped and started. Whatever
//! happens, no two may act at once; and when nothing happens any more, one acts soon.

use super::{super::*, SEC};
use crate::domain::{LeaseRead, StoreTrouble};
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

#[derive(Debug, Clone)]
enum Happening {
    /// Time passes, in which this daemon is stopped.
    Pause(usize, u32),
    Pass(u32),
    /// This daemon's call reaches the store.
    Arrive(usize),
    /// The answer reaches it …
    Answer(usize),
    /// … or nobody waits for it any more, wherever the call is.
    Lose(usize),
    /// A write that nobody waits for reaches the store after all.
    Stray,
    Fail(usize),
    Kill(usize),
    Stop(usize),
}

fn happening() -> impl Strategy<Value = Happening> {
    use Happening::*;
    let who = 0..3usize;
    prop_oneof![
        2 => (who.clone(), 100..60_000u32).prop_map(|(who, millis)| Pause(who, millis)),
        6 => (1..4_000u32).prop_map(Pass),
        8 => who.clone().prop_map(Arrive),
        8 => who.clone().prop_map(Answer),
        2 => who.clone().prop_map(Lose),
        1 => Just(Stray),
        1 => who.clone().prop_map(Fail),
        1 => who.clone().prop_map(Kill),
        1 => who.prop_map(Stop),
    ]
}

struct Daemon {
    lease: Lease,
    /// Its clock began then, and runs by so many thousandths too fast.
    booted: Duration,
    drift: u32,
    /// On its way to the store, or back.
    call: Option<LeaseOrder>,
    answer: Option<LeaseEvent>,
}

#[derive(Default)]
struct World {
    now: Duration,
    version: u64,
    document: Option<LeaseDocument>,
    daemons: Vec<Daemon>,
    strays: Vec<LeaseOrder>,
    runs: u64,
    terms: Vec<(u64, RotationId)>,
}

impl World {
    fn new() -> Self {
        let mut world = Self { now: 10_000 * SEC, ..Self::default() };
        for number in 0..3 {
            let daemon = world.start(number);
            world.daemons.push(daemon);
        }
        world
    }
    fn start(&mut self, number: u32) -> Daemon {
        self.runs += 1;
        let run = RotationId::from_parts(self.runs, 0);
        let me = Holder { run, host: format!("host-{number}"), configuration: "same".into() };
        let (booted, drift) = (SEC * 1_000 * number, number);
        let lease = Lease::new(me, &Limits::default(), boot(self.now, booted, drift));
        Daemon { lease, booted, drift, call: None, answer: None }
    }
    fn boot(&self, who: usize) -> Boot {
        boot(self.now, self.daemons[who].booted, self.daemons[who].drift)
    }

    /// Each daemon that runs does what is due.
    fn work(&mut self, stopped: Option<usize>) {
        for who in (0..self.daemons.len()).filter(|who| Some(*who) != stopped) {
            let now = self.boot(who);
            while self.daemons[who].lease.next_deadline().is_some_and(|at| at <= now) {
                let orders = self.daemons[who].lease.handle_deadline(now);
                assert!(!orders.is_empty(), "a deadline that has come does something");
                self.carry_out(who, orders);
            }
        }
    }
    fn carry_out(&mut self, who: usize, orders: Vec<LeaseOrder>) {
        for order in orders {
            match order {
                LeaseOrder::Read | LeaseOrder::Write { .. } => {
                    let daemon = &mut self.daemons[who];
                    assert!(daemon.call.is_none() && daemon.answer.is_none(), "one call at a time");
                    daemon.call = Some(order);
                }
                LeaseOrder::BecomeActive { term, .. } => {
                    let run = self.daemons[who].lease.me.run;
                    let other = self.terms.iter().find(|(known, by)| *known == term && *by != run);
                    assert_eq!(other, None, "one term, one holder");
                    self.terms.push((term, run));
                }
                LeaseOrder::BecomeStandby => {}
                LeaseOrder::Refuse(why) => panic!("nobody is to be refused: {why:?}"),
            }
        }
    }
    fn pass(&mut self, time: Duration, stopped: Option<usize>) {
        let until = self.now + time;
        while self.now < until {
            self.now = (self.now + 500 * MS).min(until);
            self.work(stopped);
            self.check();
        }
    }
    fn check(&self) {
        let acting = (0..self.daemons.len()).filter(|who| self.daemons[*who].lease.may_act(self.boot(*who)));
        assert!(acting.count() <= 1, "two may act at once");
    }

    /// What the store makes of a call.
    fn store(&mut self, call: LeaseOrder) -> LeaseEvent {
        match (call, &self.document) {
            (LeaseOrder::Read, None) => LeaseEvent::Read(LeaseRead::Absent { version: 0 }),
            (LeaseOrder::Read, Some(document)) => {
                LeaseEvent::Read(LeaseRead::Present { version: self.version, document: document.clone() })
            }
            (LeaseOrder::Write { cas, document }, _) if cas == self.version => {
                (self.version, self.document) = (cas + 1, Some(document));
                LeaseEvent::Written(WriteOutcome::Written { version: cas + 1 })
            }
            _ => LeaseEvent::Written(WriteOutcome::Mismatch),
        }
    }
    fn arrive(&mut self, who: usize) {
        let call = self.daemons[who].call.take();
        if let Some(answer) = call.map(|call| self.store(call)) {
            self.daemons[who].answer = Some(answer);
        }
    }
    fn answer(&mut self, who: usize) {
        let Some(event) = self.daemons[who].answer.take() else { return };
        let now = self.boot(who);
        let orders = self.daemons[who].lease.handle(event, now);
        self.carry_out(who, orders);
    }
    fn lose(&mut self, who: usize) {
        let daemon = &mut self.daemons[who];
        let was_read = match (&daemon.call, &daemon.answer) {
            (None, None) => return,
            (call, answer) => call == &Some(LeaseOrder::Read) || matches!(answer, Some(LeaseEvent::Read(_))),
        };
        let stray = daemon.call.take();
        self.strays.extend(stray);
        self.daemons[who].answer = Some(match was_read {
            true => LeaseEvent::Read(LeaseRead::Failed),
            false => LeaseEvent::Written(WriteOutcome::Unknown("lost".into())),
        });
        self.answer(who);
    }
    fn fail(&mut self, who: usize) {
        let Some(call) = self.daemons[who].call.take() else { return };
        self.daemons[who].answer = Some(match call {
            LeaseOrder::Read => LeaseEvent::Read(LeaseRead::Failed),
            _ => LeaseEvent::Written(WriteOutcome::Failed(StoreTrouble::Sealed)),
        });
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Pass(millis) => self.pass(MS * millis, None),
            Happening::Pause(who, millis) => self.pass(MS * millis, Some(who)),
            Happening::Arrive(who) => self.arrive(who),
            Happening::Answer(who) => self.answer(who),
            Happening::Lose(who) => self.lose(who),
            Happening::Stray => {
                let stray = self.strays.pop();
                stray.into_iter().for_each(|call| _ = self.store(call));
            }
            Happening::Fail(who) => self.fail(who),
            Happening::Kill(who) => {
                let call = self.daemons[who].call.take();
                self.strays.extend(call);
                self.daemons[who] = self.start(u32::try_from(who).unwrap());
            }
            Happening::Stop(who) => {
                let now = self.boot(who);
                let orders = self.daemons[who].lease.handle(LeaseEvent::Stopping, now);
                self.carry_out(who, orders);
            }
        }
        self.work(None);
        self.check();
    }
    /// Who was stopped is started; nothing is late or lost any more.
    fn heal(&mut self) {
        self.strays.clear();
        for who in 0..self.daemons.len() {
            if self.daemons[who].lease.stopping {
                self.happen(Happening::Kill(who));
            }
        }
        for _ in 0..300 {
            self.pass(100 * MS, None);
            for who in 0..self.daemons.len() {
                self.arrive(who);
                self.answer(who);
                self.check();
            }
        }
    }
}

fn boot(now: Duration, booted: Duration, drift: u32) -> Boot {
    let ran = now.saturating_sub(booted);
    ran + ran * drift / 1_000
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]
    #[test]
    fn no_two_may_act_at_once_and_in_the_end_one_does(
        happenings in proptest::collection::vec(happening(), 1..200),
    ) {
        let mut world = World::new();
        world.work(None);
        for happening in happenings {
            world.happen(happening);
        }
        world.heal();
        let acting = (0..3).filter(|who| world.daemons[*who].lease.may_act(world.boot(*who))).count();
        prop_assert_eq!(acting, 1, "somebody acts when all is well");
    }
}
