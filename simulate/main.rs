//! Runs seeds, one after the other or many at once: `scripts/simulate` says how.

mod alert;
#[path = "../src/domain/mod.rs"]
mod domain;
#[path = "../src/rotation/mod.rs"]
mod rotation;
#[path = "../src/sim/mod.rs"]
mod sim;

use sim::{Fault, simulate};
use std::{
    collections::{BTreeMap, BTreeSet},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

/// Seeds that one thread takes at a time.
const PORTION: u64 = 50;

#[derive(Default)]
struct Sum {
    hits: BTreeMap<(Fault, &'static str), u64>,
    events: u64,
    failures: BTreeMap<u64, String>,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.failures.extend(other.failures);
        other.hits.into_iter().for_each(|(place, n)| *self.hits.entry(place).or_default() += n);
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str| -> Option<u64> {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse().ok()
    };
    // What fails is told below, with its seed.
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(seed) = number("--seed") {
        let run = simulate(seed, true);
        run.transcript.iter().for_each(|line| println!("{line}"));
        println!("seed {seed}, {} events: {}", run.events, run.failure.as_deref().unwrap_or("all is well"));
        return if run.failure.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if let Some(seeds) = number("--pairs") {
        return pairs(seeds);
    }
    let (from, to) = (number("--from").unwrap_or(0), number("--to").unwrap_or(10_000));
    let is_said = |name: &str| arguments.iter().any(|argument| argument == name);
    let first = is_said("--first");
    let began = Instant::now();
    let sum = match is_said("--resume") {
        true => run_on(from, to, number("--threads")),
        false => run_all(from, to, number("--threads"), first),
    };
    if !first {
        print(&sum);
        let secs = began.elapsed().as_secs_f64();
        println!("seeds {from} to {to}: {} events in {secs:.1} s", sum.events);
    }
    for (seed, failure) in sum.failures.iter().take(20) {
        println!("seed {seed}: {failure}");
    }
    println!("{} of {} seeds failed", sum.failures.len(), to - from);
    if sum.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Two daemons on one store, an hour each.
fn pairs(seeds: u64) -> ExitCode {
    let (mut sum, mut failed) = (sim::pair::Pair::default(), 0);
    for seed in 0..seeds {
        let one = sim::pair::pair(seed);
        (sum.pauses, sum.partitions) = (sum.pauses + one.pauses, sum.partitions + one.partitions);
        (sum.kills, sum.terms) = (sum.kills + one.kills, sum.terms + one.terms);
        sum.promotions += one.promotions;
        if let Some(failure) = one.failure {
            println!("pair {seed}: {failure}");
            failed += 1;
        }
    }
    println!(
        "{seeds} hours of two daemons: {} pauses longer than the lease, {} partitions, {} kills; {} times one took over, \
         {} promotions; {failed} hours failed",
        sum.pauses, sum.partitions, sum.kills, sum.terms, sum.promotions
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Where a long run notes how far it has come: the next seed, and every failure so far.
const REACHED: &str = "target/simulate/reached";
/// Seeds between two notes.
const LEG: u64 = 10_000;

/// In legs, each noted; a run that was broken off goes on where it was.
fn run_on(from: u64, to: u64, threads: Option<u64>) -> Sum {
    let noted = std::fs::read_to_string(REACHED).unwrap_or_default();
    let mut lines = noted.lines();
    let of_this_run = lines.next() == Some(&format!("{from} {to}"));
    let reached = lines.next().and_then(|line| line.parse().ok()).filter(|_| of_this_run);
    let failure = |line: &str| line.split_once(' ').and_then(|(seed, why)| Some((seed.parse().ok()?, why.to_owned())));
    let mut all = Sum::default();
    if reached.is_some() {
        all.failures.extend(lines.filter_map(failure));
    }
    let mut next = reached.unwrap_or(from);
    while next < to {
        let end = (next + LEG).min(to);
        let leg = run_all(next, end, threads, false);
        all.add(leg);
        next = end;
        let failures = all.failures.iter().map(|(seed, why)| format!("{seed} {why}\n")).collect::<String>();
        std::fs::write(REACHED, format!("{from} {to}\n{next}\n{failures}")).expect("target/ can be written");
        println!("{next} reached, {} failed", all.failures.len());
    }
    all
}

/// `first`: only to the first that fails.
fn run_all(from: u64, to: u64, threads: Option<u64>, first: bool) -> Sum {
    let (next, all, over) = (AtomicU64::new(from), Mutex::new(Sum::default()), AtomicBool::new(false));
    let threads = threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, |n| n.get() as u64));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut sum = Sum::default();
                while !over.load(Ordering::Relaxed) {
                    let begin = next.fetch_add(PORTION, Ordering::Relaxed);
                    if begin >= to {
                        break;
                    }
                    for seed in begin..(begin + PORTION).min(to) {
                        let run = simulate(seed, false);
                        sum.events += run.events;
                        run.hits.into_iter().for_each(|(place, n)| *sum.hits.entry(place).or_default() += n);
                        if let Some(failure) = run.failure {
                            sum.failures.insert(seed, failure);
                            if first {
                                over.store(true, Ordering::Relaxed);
                                break;
                            }
                        }
                    }
                }
                all.lock().expect("no thread panics").add(sum);
            });
        }
    });
    all.into_inner().expect("no thread panics")
}

/// How often each fault struck in each phase.
fn print(sum: &Sum) {
    let phases: BTreeSet<_> = sum.hits.keys().map(|(_, phase)| *phase).collect();
    let row = |name: &str, cells: Vec<String>| {
        println!("{name:<32}{}", cells.iter().map(|cell| format!("{cell:>14}")).collect::<String>());
    };
    row("", phases.iter().map(|phase| (*phase).to_owned()).collect());
    for fault in Fault::ALL {
        let of = |phase: &str| sum.hits.get(&(*fault, phase)).copied().unwrap_or_default();
        row(fault.words(), phases.iter().map(|phase| of(phase).to_string()).collect());
    }
}
