//! Pauses longer than the lease, kills and step-downs, one after the other, with a rotation in each round. A few with
//! every run of the tests; scripts/two-daemons does as many as one likes, and goes on where it was ended.

use super::{
    pair::Pair,
    register::{Register, holders, rotations},
};
use crate::{
    chaos::dice::Dice,
    rotation::stage::Stage,
    world::{Bao, Cluster, moment, until},
};
use keyrelay::domain::Key;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    time::{Duration, Instant},
};

/// Longer than the lease, and than the time in which another daemon takes over.
const PAUSE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Blow {
    Pause,
    Kill,
    StepDown,
}

/// How many of each are still to come.
struct Plan {
    left: BTreeMap<Blow, u32>,
    notes: Option<String>,
}

impl Plan {
    fn read() -> Self {
        let number = |name: &str, sample: u32| {
            std::env::var(name).map_or(sample, |text| text.parse().expect("a number"))
        };
        let asked = [
            (Blow::Pause, number("TWO_DAEMONS_PAUSES", 1)),
            (Blow::Kill, number("TWO_DAEMONS_KILLS", 1)),
            (Blow::StepDown, number("TWO_DAEMONS_STEP_DOWNS", 1)),
        ];
        let notes = std::env::var("TWO_DAEMONS_FILE").ok();
        let done = notes.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let already =
            |blow: Blow| done.lines().filter(|line| line.starts_with(&format!("{blow:?} "))).count();
        let left = asked
            .map(|(blow, all)| (blow, all.saturating_sub(u32::try_from(already(blow)).expect("a count"))));
        Self { left: left.into_iter().collect(), notes }
    }
    /// Any of those that are left.
    fn next(&mut self, dice: &mut Dice) -> Option<Blow> {
        let left: Vec<_> = self.left.iter().filter(|(_, count)| **count > 0).map(|(blow, _)| *blow).collect();
        let blow = *left.get(dice.below(left.len().max(1)))?;
        self.left.entry(blow).and_modify(|count| *count -= 1);
        Some(blow)
    }
    fn note(&self, line: &str) {
        println!("{line}");
        if let Some(file) = &self.notes {
            let mut file = fs::File::options().create(true).append(true).open(file).expect("the notes");
            writeln!(file, "{line}").expect("a line");
        }
    }
}

struct Chaos {
    pair: Pair,
    others: [Bao; 2],
    key: Register,
    lease: Register,
    rounds: u64,
    /// The daemon on `host-a` acts.
    a: bool,
}

impl Chaos {
    async fn begin() -> Self {
        let mut stage = Stage::build().await;
        let others = Cluster::join_two(&stage.ca, &mut stage.bao).await;
        let nodes = [stage.bao.address(), others[0].address(), others[1].address()];
        stage.config.set("store.vault.address", nodes.to_vec());
        let pair = Pair::on_nodes(stage, &nodes).await;
        let (key, lease) = (Register::default(), Register::default());
        let mut chaos = Self { pair, others, key, lease, rounds: 0, a: true };
        chaos.look_at_store().await;
        chaos
    }

    /// One rotation, and one blow at some moment of it.
    async fn round(&mut self, blow: Blow, dice: &mut Dice) -> String {
        self.rounds += 1;
        let mails = self.pair.stage.alerts().len();
        let key = self.pair.rotate().await;
        let wait = dice.below(400);
        moment(Duration::from_millis(u64::try_from(wait).expect("milliseconds"))).await;
        let at_the_active = dice.below(4) > 0;
        let since = Instant::now();
        match blow {
            Blow::StepDown => self.step_down().await,
            Blow::Kill => self.kill(at_the_active).await,
            Blow::Pause => self.pause(at_the_active).await,
        }
        let struck = since.elapsed();
        self.complete(&key).await;
        self.look_at_mails(mails);
        let whom = match (blow, at_the_active) {
            (Blow::StepDown, _) => "the leader",
            (_, true) => "the one that acts",
            (_, false) => "the one that stands by",
        };
        format!("{blow:?} {wait} ms after the mail, of {whom}: {} ms", struck.as_millis())
    }

    async fn step_down(&mut self) {
        for node in [&self.pair.stage.bao, &self.others[0], &self.others[1]] {
            if node.is_active().await {
                node.step_down().await;
                return;
            }
        }
    }
    async fn kill(&mut self, at_the_active: bool) {
        match (self.a, at_the_active) {
            (true, true) => {
                self.pair.stage.daemon.kill9();
                self.pair.b_acts().await;
                self.pair.start_again_a().await;
                self.a = false;
            }
            (false, true) => {
                self.pair.b.kill9();
                self.pair.a_acts().await;
                self.pair.start_again_b().await;
                self.a = true;
            }
            (true, false) => {
                self.pair.b.kill9();
                self.pair.start_again_b().await;
            }
            (false, false) => {
                self.pair.stage.daemon.kill9();
                self.pair.start_again_a().await;
            }
        }
    }
    async fn pause(&mut self, at_the_active: bool) {
        let is_a = self.a == at_the_active;
        let daemon = if is_a { &self.pair.stage.daemon } else { &self.pair.b };
        daemon.freeze();
        moment(PAUSE).await;
        match (is_a, at_the_active) {
            (true, true) => self.pair.b_acts().await,
            (false, true) => self.pair.a_acts().await,
            (_, false) => {}
        }
        if is_a {
            self.pair.stage.daemon.thaw()
        } else {
            self.pair.b.thaw()
        }
        self.a ^= at_the_active;
    }

    /// Everybody has the key, one daemon acts, and the other one stands by.
    async fn complete(&mut self, key: &Key) {
        let generation = self.rounds;
        until("the rotation is complete on both hosts", async || {
            self.look_at_store().await;
            let stored = self.key.seen().last()?;
            let is_stored = stored["api_key"] == key.expose() && stored["api_key_generation"] == generation;
            (is_stored && self.pair.on_a.holds(key) && self.pair.on_b.holds(key)).then_some(())
        })
        .await;
        match self.a {
            true => {
                self.pair.a_acts().await;
                self.pair.b_stands_by().await;
            }
            false => {
                self.pair.b_acts().await;
                self.pair.a_stands_by().await;
            }
        }
        self.look_at_store().await;
        assert_eq!(rotations(&self.key).len() as u64, generation + 1, "one promotion for each rotation");
        holders(&self.lease);
    }
    async fn look_at_store(&mut self) {
        for node in [&self.pair.stage.bao, &self.others[0], &self.others[1]] {
            self.key.read(node, &self.pair.slot.path).await;
            self.lease.read(node, "keyrelay/_lease").await;
        }
    }
    /// What was said since has one name each.
    fn look_at_mails(&self, from: usize) {
        let mut ids: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for mail in self.pair.stage.alerts().into_iter().skip(from) {
            ids.entry(format!("{}: {}", mail.code, mail.subject)).or_default().insert(mail.message_id);
        }
        for (what, ids) in &ids {
            assert_eq!(ids.len(), 1, "one Message-ID for {what}");
        }
    }
}

#[tokio::test]
async fn c08_through_pauses_kills_and_step_downs_each_rotation_is_promoted_once_and_told_under_one_name() {
    let mut plan = Plan::read();
    let mut dice = Dice::seeded();
    let mut chaos = Chaos::begin().await;
    while let Some(blow) = plan.next(&mut dice) {
        let line = chaos.round(blow, &mut dice).await;
        plan.note(&line);
    }
    let (key, lease) = (&chaos.key, &chaos.lease);
    println!(
        "{} rotations, {} promotions, {} terms; {} readings of the key document, {} of the lease; {} mails",
        chaos.rounds,
        rotations(key).len() - 1,
        holders(lease).len(),
        key.reads,
        lease.reads,
        chaos.pair.stage.alerts().len()
    );
}
