//! Forgeries by the million, and genuine variants beside them: `scripts/forgeries` runs it. Counts by family and
//! verdict; exit code 1 when a forgery gets in, when a variant does not, or when a forgery would have been refused for
//! another reason than its forging.

use keyrelay::demo::forge::{self, Family, Forgery, Mailroom};
use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

/// Of so many forgeries one is looked at without its forging.
const LOOKED_AT_WITHOUT: u64 = 16;
/// Mails that one thread takes at a time.
const PORTION: u64 = 500;

#[derive(Default)]
struct Counts {
    by_verdict: BTreeMap<(Family, &'static str), u64>,
    /// Without their forging: looked at, and accepted.
    near: (u64, u64),
    bad: Vec<String>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |name: &str, default: u64| {
        let at = arguments.iter().position(|argument| argument == name);
        at.and_then(|at| arguments.get(at + 1)?.parse().ok()).unwrap_or(default)
    };
    let room = Mailroom::new().expect("the program is whole");
    if arguments.iter().any(|argument| argument == "--seed") {
        return tell(&room, number("--seed", 0));
    }
    let (count, from, variants) =
        (number("--count", 1_000_000), number("--from", 0), number("--variants", 500));
    let began = Instant::now();
    let mut counts = forgeries(&room, from, count);
    print(&counts, count);
    let refused = (from..from + variants).filter(|seed| !is_taken(&room, *seed)).collect::<Vec<_>>();
    println!(
        "{variants} genuine variants, {} refused; {:.0} s in all",
        refused.len(),
        began.elapsed().as_secs_f64()
    );
    counts.bad.extend(refused.iter().map(|seed| format!("genuine variant refused: --seed {seed}")));
    counts.bad.iter().take(50).for_each(|bad| println!("{bad}"));
    if counts.bad.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn forgeries(room: &Mailroom, from: u64, count: u64) -> Counts {
    let (next, all) = (AtomicU64::new(from), Mutex::new(Counts::default()));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut counts = Counts::default();
                loop {
                    let begin = next.fetch_add(PORTION, Ordering::Relaxed);
                    if begin >= from + count {
                        break;
                    }
                    (begin..(begin + PORTION).min(from + count)).for_each(|seed| counts.take(room, seed));
                }
                all.lock().expect("no thread panics").merge(counts);
            });
        }
    });
    all.into_inner().expect("no thread panics")
}

impl Counts {
    fn take(&mut self, room: &Mailroom, seed: u64) {
        let Forgery { family, genuine, forged, steps } = forge::forgery(seed);
        let recognised = room.judge(&forged.mail(room), &forged);
        *self.by_verdict.entry((family, forge::verdict(&recognised.finding))).or_default() += 1;
        if forge::is_accepted(&recognised) {
            self.bad.push(format!("forgery accepted: --seed {seed}: {steps:?}"));
        }
        if seed.is_multiple_of(LOOKED_AT_WITHOUT) {
            self.near.0 += 1;
            if forge::is_accepted(&room.judge(&genuine.mail(room), &genuine)) {
                self.near.1 += 1;
            } else {
                self.bad.push(format!("refused without its forging too: --seed {seed}: {steps:?}"));
            }
        }
    }

    fn merge(&mut self, other: Counts) {
        for (place, count) in other.by_verdict {
            *self.by_verdict.entry(place).or_default() += count;
        }
        self.near = (self.near.0 + other.near.0, self.near.1 + other.near.1);
        self.bad.extend(other.bad);
    }
}

fn is_taken(room: &Mailroom, seed: u64) -> bool {
    let draft = forge::genuine(seed);
    let recognised = room.judge(&draft.mail(room), &draft);
    forge::is_accepted(&recognised) && recognised.key.as_ref() == Some(&draft.key)
}

fn print(counts: &Counts, count: u64) {
    let verdicts: std::collections::BTreeSet<_> =
        counts.by_verdict.keys().map(|(_, verdict)| *verdict).collect();
    let row = |name: &str, cells: Vec<String>| {
        println!("{name:<28}{}", cells.iter().map(|cell| format!("{cell:>12}")).collect::<String>());
    };
    row("", verdicts.iter().map(|verdict| (*verdict).to_owned()).chain(["all".into()]).collect());
    for family in Family::ALL {
        let of = |verdict: &str| counts.by_verdict.get(&(family, verdict)).copied().unwrap_or_default();
        let all: u64 = verdicts.iter().map(|verdict| of(verdict)).sum();
        row(
            family.name(),
            verdicts.iter().map(|verdict| of(verdict)).chain([all]).map(|n| n.to_string()).collect(),
        );
    }
    let accepted = counts.by_verdict.iter().filter(|((_, verdict), _)| *verdict == "NewKey").map(|(_, n)| n);
    println!("{count} forgeries, {} accepted", accepted.sum::<u64>());
    println!("{} of them without their forging: {} accepted", counts.near.0, counts.near.1);
}

/// The forgery and the variant of one seed, whole.
fn tell(room: &Mailroom, seed: u64) -> ExitCode {
    let forgery = forge::forgery(seed);
    for (name, draft) in [
        ("FORGERY", forgery.forged),
        ("WITHOUT ITS FORGING", forgery.genuine),
        ("VARIANT", forge::genuine(seed)),
    ] {
        let recognised = room.judge(&draft.mail(room), &draft);
        println!("== {name} {seed}: {:?}\n{}\n", recognised.finding, draft.transcript(room));
    }
    ExitCode::SUCCESS
}
