//! The figures of the README: measured on real servers, side by side with the bare round trips and with `bao agent`,
//! and printed as a table. Nothing here is asserted but that things happen: how long they take depends on the machine.
//! `scripts/bench` runs it; the default filter of .config/nextest.toml leaves it out of the tests.

mod agent;
mod backlog;
mod bare;
mod consumers;
mod idle;
mod mailbox;
mod many;
mod noise;
mod proxy;
mod rotation;
mod site;

use std::time::{Duration, Instant};
use tokio::time::interval;

/// `--full`: the large mailbox, the thousand credentials and the ten thousand keys, which take minutes to prepare.
fn full() -> bool {
    std::env::var_os("KEYRELAY_BENCH_FULL").is_some()
}

const PARTS: [&str; 6] = ["rotation", "consumers", "mailbox", "idle", "many", "backlog"];
/// They take minutes.
const FULL_PARTS: [&str; 2] = ["many", "backlog"];

/// Those that are named, or all, without the long ones unless it is to be everything.
fn is_wanted(part: &str) -> bool {
    match std::env::var("KEYRELAY_BENCH_PARTS").unwrap_or_default().split_whitespace().collect::<Vec<_>>()[..]
    {
        [] => full() || !FULL_PARTS.contains(&part),
        ref named => named.contains(&part),
    }
}

/// One line of the table: what, the goal, what was measured, and beside what.
struct Row(&'static str, &'static str, String, String);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn measured() {
    let mut rows = Vec::new();
    for part in PARTS.iter().filter(|part| is_wanted(part)) {
        rows.extend(match *part {
            "rotation" => rotation::rows().await,
            "consumers" => consumers::rows().await,
            "mailbox" => mailbox::rows().await,
            "idle" => idle::rows().await,
            "many" => many::rows().await,
            _ => backlog::rows().await,
        });
    }
    println!("\n| | goal | measured | beside |\n| --- | --- | --- | --- |");
    for Row(what, goal, measured, beside) in rows {
        println!("| {what} | {goal} | {measured} | {beside} |");
    }
}

/// Looks once a millisecond until there is something to see. Panics after a minute, saying what was waited for.
async fn watch<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    look_every(Duration::from_millis(1), Duration::from_secs(60), what, look).await
}

/// The same of what takes minutes, and is disturbed by being looked at.
async fn watch_for<T>(what: &str, patience: Duration, look: impl AsyncFnMut() -> Option<T>) -> T {
    look_every(Duration::from_secs(1), patience, what, look).await
}

async fn look_every<T>(
    every: Duration,
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    let mut looks = interval(every);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(start.elapsed() < patience, "watched in vain: {what}");
    }
}

/// Times of the same thing.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn add(&mut self, time: Duration) {
        self.0.push(time);
    }
    /// The smallest time that at least `percent` of the times do not exceed.
    fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted[rank - 1]
    }
    fn p50(&self) -> Duration {
        self.percentile(50)
    }
    fn p99(&self) -> Duration {
        self.percentile(99)
    }
    fn max(&self) -> Duration {
        self.percentile(100)
    }
    fn p50_and_p99(&self) -> String {
        format!("p50 {}, p99 {}", ms(self.p50()), ms(self.p99()))
    }
}

fn ms(time: Duration) -> String {
    let millis = time.as_secs_f64() * 1000.0;
    if millis < 100.0 { format!("{millis:.1} ms") } else { format!("{millis:.0} ms") }
}

fn ratio(one: Duration, other: Duration) -> String {
    format!("{:.2} ×", one.as_secs_f64() / other.as_secs_f64())
}

/// A line of `/proc/PID/status`: `VmRSS` now, `VmHWM` at most, `RssFile` what other processes share.
fn memory(pid: u32, line: &str) -> String {
    format!("{:.1} MiB", kib(pid, line) as f64 / 1024.0)
}

fn kib(pid: u32, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process that runs");
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    let kib = value.and_then(|value| value.trim().strip_suffix(" kB")?.parse().ok());
    kib.unwrap_or_else(|| panic!("no {line} of {pid}"))
}

/// The processor time that a process has taken by now, its threads' included; in hundredths of a second.
fn processor_time(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("a process that runs");
    // Behind the name, which stands in parentheses and may hold anything: the 12th and the 13th are user's and system's.
    let (_, behind) = stat.rsplit_once(')').expect("a name");
    let fields: Vec<&str> = behind.split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number")).sum();
    Duration::from_millis(10 * ticks)
}
