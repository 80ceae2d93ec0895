//! `keyrelay rotate` is killed at a system call of its own, one after another, by `strace --inject`: at each that one
//! of its threads makes from the moment at which the vendor has made the new key. Once the answer's bytes are in the
//! spool the key arrives after the next start; before it, the loss is told.
//!
//! The tests take a sample. `scripts/kill-every-syscall` takes each call, and waits for each incident.

mod strace;

use super::stage::{Slot, Stage};
use crate::{
    rotation::stage::codes,
    world::{secrets, until},
};
use keyrelay::{
    demo::simulator::{Faults, RotationFault},
    domain::Key,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::Output,
    time::Duration,
};
use strace::{Point, Strace};
use tokio::process::{Child, Command};

/// How long the vendor keeps its answer to itself: strace takes hold of the process meanwhile.
const PAUSE: Duration = Duration::from_secs(2);
/// Of all calls.
const SAMPLE: usize = 10;
/// So many are killed before the daemon is started, which finds out about all of them side by side.
const SLOTS: usize = 24;

/// What a full run has done already, one point a line: it goes on there.
fn done_file() -> Option<PathBuf> {
    env::var_os("KILLED_AT_FILE").map(PathBuf::from)
}

#[tokio::test]
async fn r36_killed_at_any_system_call_after_the_answer_is_in_the_spool_the_key_arrives() {
    let mut stage = Stage::build().await;
    let full = done_file();
    let mut slots = Vec::new();
    for n in 0..full.as_ref().map_or(SAMPLE, |_| SLOTS) {
        slots.push(stage.slot(&format!("slot-{n}")).await);
    }
    stage.daemon.configure(&mut stage.config);
    let points = points(&stage, &slots[0]).await;
    assert!(points.len() > SAMPLE, "{points:?}");
    let done = full.as_ref().map(|file| fs::read_to_string(file).unwrap_or_default()).unwrap_or_default();
    let done: BTreeSet<_> = done.lines().collect();
    let step = if full.is_some() { 1 } else { points.len().div_ceil(SAMPLE) };
    let todo = points.iter().step_by(step).filter(|point| !done.contains(point.to_string().as_str()));
    let todo: Vec<_> = todo.collect();
    let mut counts = BTreeMap::new();
    for batch in todo.chunks(slots.len()) {
        for (point, end) in killed_at(&mut stage, &slots, batch).await {
            println!("{point}: {end}");
            *counts.entry(end).or_insert(0) += 1;
            // What was not reached is tried again by the next run: which thread does what differs.
            if let Some(file) = full.as_ref().filter(|_| end != "not reached") {
                let file = File::options().create(true).append(true).open(file);
                writeln!(file.expect("the file of what is done"), "{point}").expect("a line");
            }
        }
    }
    println!("{} calls since the vendor made the key; {counts:?}", points.len());
}

/// `keyrelay rotate` for one credential, without a daemon, up to the moment at which the vendor has made the new key.
async fn begin(stage: &Stage, slot: &Slot) -> Child {
    let old = stage.vendor.current_key(slot.account).fingerprint();
    stage.vendor.set_faults(RotationFault::Late(PAUSE));
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyrelay"));
    command.arg("--config").arg(stage.daemon.config_path()).args(["rotate", &slot.name]);
    command.env_clear().envs(stage.daemon.environment()).env("TOKIO_WORKER_THREADS", "1");
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("keyrelay");
    until("the vendor makes a key", async || stage.vendor.rotations().contains_key(&old).then_some(())).await;
    child
}
async fn end(child: Child) -> Output {
    let output = child.wait_with_output().await.expect("its output");
    secrets::none_in("what a command printed", &[&output.stdout[..], &output.stderr].concat());
    output
}

/// The calls of a rotation that goes well.
async fn points(stage: &Stage, slot: &Slot) -> Vec<Point> {
    let child = begin(stage, slot).await;
    let trace = stage.scratch.folder("trace").join("calls");
    let strace = Strace::record(child.id().expect("it runs"), &trace).await;
    let output = end(child).await;
    assert_eq!(output.status.code(), Some(0), "it goes well: {output:?}");
    strace.points(&trace).await
}

/// One process that was killed.
struct Killed<'a> {
    slot: &'a Slot,
    point: &'a Point,
    new: Key,
    /// Its call was reached.
    hit: bool,
    /// What was in the spool then.
    safe: bool,
}

/// Kills one after the other, starts the daemon, and says how each ended; all is well afterwards.
async fn killed_at<'a>(
    stage: &mut Stage,
    slots: &'a [Slot],
    points: &[&'a Point],
) -> Vec<(&'a Point, &'static str)> {
    let mut all = Vec::new();
    for (slot, point) in slots.iter().zip(points) {
        let child = begin(stage, slot).await;
        let strace = Strace::kill(child.id().expect("it runs"), point).await;
        let hit = end(child).await.status.code().is_none();
        strace.ended().await;
        let (new, spooled) = (stage.vendor.current_key(slot.account), stage.spooled());
        // One that was cut off while it was written may be whole, or nothing.
        let whole = |name: &&String| name.ends_with(".answer") || name.ends_with(".key");
        let mut whole = spooled.iter().filter(whole);
        let safe = whole.any(|name| name.starts_with(&format!("{}.", slot.name)));
        all.push(Killed { slot, point, new, hit, safe });
    }
    stage.vendor.set_faults(Faults::none());
    stage.daemon.start_up().await;
    let mut ends = Vec::new();
    for killed in &all {
        ends.push((killed.point, how_it_ends(stage, killed).await));
    }
    assert_eq!(stage.daemon.term().await.code(), Some(0));
    ends
}

async fn how_it_ends(stage: &mut Stage, killed: &Killed<'_>) -> &'static str {
    let Killed { slot, point, new, hit, safe } = killed;
    let hex = new.fingerprint().hex();
    let waits = done_file().is_some();
    let look = |found: &serde_json::Value| match found["fingerprint"] == hex {
        true => Some(true),
        // Two answers about the old key, a minute apart; a sample does not wait for that.
        false if waits && !safe => (codes(found) == ["key-lost"]).then_some(false),
        false => (!safe && found["last_probe"].is_object()).then_some(false),
    };
    if stage.wait(slot, "it arrives, or its loss is told", look).await {
        stage.wait_settled(slot, new).await;
        return if *hit { "arrived" } else { "not reached" };
    }
    assert!(*hit && !safe, "{point}: it was in the spool, and is lost");
    let fate = if waits { "lost" } else { "open" };
    until("it is noted", async || (stage.state(slot).await["wish"]["fate"] == fate).then_some(())).await;
    let another = stage.vendor.create_key(slot.account, None);
    let ran = stage.daemon.run_with(&["ingest", &slot.name, "--yes"], another.expose()).await;
    assert_eq!(ran.code, Some(0), "{point}: {ran:?}");
    stage.wait_settled(slot, &another).await;
    "lost and told"
}
