//! Deterministic simulation: the real core and the real rendering in a world of plain structs that hold the truth.
//! One clock, one seed; first chaos, then everything is mended and must come right. `scripts/simulate` runs it.
//!
//! What the core is told of mails are findings as recognition makes them, and not mails: judging each of them again
//! in each run would cost more than all the rest.

mod chance;
mod fault;
mod happen;
#[cfg(test)]
mod kept;
mod life;
mod oracle;
pub mod pair;
mod perform;
pub mod settings;
pub mod world;

pub use fault::Fault;

use crate::{
    domain::Timestamp,
    rotation::{Delivery, Proof, Settings},
};
use chance::Chance;
use life::Sim;
use settings::{consumer, credential};
use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};
use world::{Luck, World};

const SEC: i64 = 1_000;
const MIN: i64 = 60 * SEC;
const HOUR: i64 = 60 * MIN;
/// 2026-11-21T09:00:00Z, a whole hour.
const START: Timestamp = Timestamp::from_secs(1_795_251_600);
/// Until here things go wrong …
const HEAL: i64 = 48 * HOUR;
/// … and here all must be well: hours after the last rotation's grace has ended.
const END: i64 = 84 * HOUR;
const PROBE_PERIOD: i64 = 20 * MIN;

/// What came of one seed.
pub struct Run {
    /// The first promise that was broken.
    pub failure: Option<String>,
    /// How often each fault struck in which phase.
    pub hits: BTreeMap<(Fault, &'static str), u64>,
    pub events: u64,
    pub transcript: Vec<String>,
}

/// `tells`: with a transcript of every event and effect.
pub fn simulate(seed: u64, tells: bool) -> Run {
    let mut chance = Chance::of(seed);
    let plan = happen::plan(&mut chance);
    let luck = Luck { chance, plan, t: 0, chaos: true, phase: "start", hits: BTreeMap::new() };
    let settings = of_one_credential();
    let consumers = settings.credentials.values().flat_map(|one| one.consumers.clone());
    let mut sim = Sim::new(World::new(luck, consumers), settings, tells);
    let plan = format!("{:?}", sim.world.luck.plan);
    sim.tell(|| plan);
    sim.schedule();
    let panicked = catch_unwind(AssertUnwindSafe(|| sim.run())).err();
    let panicked = panicked.map(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or(panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
        format!("panic: {}", words.unwrap_or_default())
    });
    Run {
        failure: panicked.or(sim.oracle.failure),
        hits: sim.world.luck.hits,
        events: sim.events,
        transcript: sim.transcript.unwrap_or_default(),
    }
}

/// A consumer of each kind.
fn of_one_credential() -> Settings {
    let consumers = [
        ("bot", consumer(Delivery::Copy, true, Proof::Asked)),
        ("cron", consumer(Delivery::Copy, false, Proof::ByDelivery)),
        ("job", consumer(Delivery::Command, false, Proof::Asked)),
        ("web", consumer(Delivery::None, false, Proof::Asked)),
    ];
    let probe_period = std::time::Duration::from_millis(PROBE_PERIOD.unsigned_abs());
    Settings { probe_period, ..settings::settings(vec![credential("main", &consumers)]) }
}
