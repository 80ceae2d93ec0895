//! Many rotations beside a vendor that does everything wrong that vendors do: what the process holds must not grow.
//! `scripts/noise` runs it.

use super::{kib, site, site::Site};
use crate::world::{Daemon, Scratch};
use keyrelay::demo::simulator::{Kind, Options};
use serde_json::json;
use std::{fs, time::Duration};
use tokio::time::interval;

/// The demo's vendor rotates every thirty seconds; signed dates allow no more than this.
const EVERY: Duration = Duration::from_secs(3);
/// Of a tenth's medians, what the last may have more than the first.
const MORE_KIB: u64 = 1_024;
const MORE_HANDLES: u64 = 2;

/// What the process holds once a rotation is over.
struct Sample {
    resident_kib: u64,
    handles: u64,
    threads: u64,
}

impl Sample {
    fn of(pid: u32) -> Self {
        let count =
            |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).expect("a process").count() as u64;
        Self { resident_kib: kib(pid, "VmRSS"), handles: count("fd"), threads: count("task") }
    }
    /// Of each, by itself.
    fn medians(samples: &[Self]) -> Self {
        let median = |of: fn(&Self) -> u64| {
            let mut all: Vec<_> = samples.iter().map(of).collect();
            all.sort_unstable();
            all[all.len() / 2]
        };
        Self {
            resident_kib: median(|sample| sample.resident_kib),
            handles: median(|sample| sample.handles),
            threads: median(|sample| sample.threads),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_process_holds_does_not_grow() {
    let wanted = std::env::var("KEYRELAY_NOISE").ok().and_then(|count| count.parse().ok());
    let rotations: usize = wanted.unwrap_or(2_000);
    let mut site = Site::beside(Options::of(Kind::Leaf7)).await;
    let copy = Scratch::new();
    let file = json!({"deliver": {"file": {"path": copy.join("leaf7.key")}}, "prove": "none"});
    let mut daemon = Daemon::new(&mut site.config(json!({"storefront": file})).await);
    site::start(&mut daemon).await;
    let (mut samples, mut turns) = (Vec::new(), interval(EVERY));
    let tenth = (rotations / 10).max(1);
    for round in 0..rotations {
        turns.tick().await;
        site.rotate(round).await;
        // Every rotation is one promotion: the generation counts them.
        site::settled(&mut daemon, round + 1).await;
        samples.push(Sample::of(daemon.pid()));
        if samples.len() % tenth == 0 {
            let Sample { resident_kib, handles, threads } =
                Sample::medians(&samples[samples.len() - tenth..]);
            println!("{} rotations: {resident_kib} KiB, {handles} handles, {threads} threads", samples.len());
        }
    }
    let first = Sample::medians(&samples[..tenth]);
    let last = Sample::medians(&samples[samples.len() - tenth..]);
    assert!(last.resident_kib <= first.resident_kib + MORE_KIB, "memory drifts");
    assert!(last.handles <= first.handles + MORE_HANDLES, "handles drift");
    assert!(last.threads <= first.threads + MORE_HANDLES, "threads drift");
}
