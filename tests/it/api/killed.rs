//! The process is killed at a system call of its own, one after another, by `strace --inject`. From the moment at which
//! the answer's bytes are in the spool the key arrives after the next start; before it, the loss is told.
//!
//! The tests take a sample. `scripts/kill-every-syscall` takes each call, and waits for each incident.

use super::stage::{Slot, Stage};
use crate::{
    rotation::stage::codes,
    world::{debian, secrets, until},
};
use keyrelay::{demo::simulator::Simulator, domain::Key};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::PathBuf,
};
use tokio::process::Command;

/// What waits, and what asks for the time or for memory: a kill there is one before or after it.
const ASIDE: &str = "!futex,epoll_wait,epoll_pwait,epoll_pwait2,clock_gettime,clock_nanosleep,nanosleep,gettimeofday,\
    mmap,munmap,mprotect,madvise,brk,mremap,sched_yield,restart_syscall,rt_sigprocmask,rt_sigreturn,sigaltstack";
/// Of all calls after the vendor was asked.
const SAMPLE: usize = 10;

/// One call: its name, and how often the thread has made it.
type Point = (String, usize);

/// What a full run has done already, one point a line: it goes on there.
fn done_file() -> Option<PathBuf> {
    env::var_os("KILLED_AT_FILE").map(PathBuf::from)
}

#[tokio::test]
async fn r36_killed_at_any_system_call_after_the_answer_is_in_the_spool_the_key_arrives() {
    let mut stage = Stage::build().await;
    let slot = stage.slot("main").await;
    stage.daemon.configure(&mut stage.config);
    let points = points_after_the_call(&stage).await;
    assert!(points.len() > SAMPLE, "{points:?}");
    let file = done_file();
    let done = file.as_ref().map(|file| fs::read_to_string(file).unwrap_or_default()).unwrap_or_default();
    let done: BTreeSet<_> = done.lines().collect();
    let step = if file.is_some() { 1 } else { points.len().div_ceil(SAMPLE) };
    let mut counts = BTreeMap::new();
    for (name, nth) in points.iter().step_by(step) {
        let label = format!("{name} {nth}");
        if done.contains(label.as_str()) {
            continue;
        }
        let end = killed_at(&mut stage, &slot, name, *nth).await;
        println!("{label}: {end}");
        *counts.entry(end).or_insert(0) += 1;
        if let Some(file) = &file {
            use std::io::Write;
            let mut file =
                fs::File::options().create(true).append(true).open(file).expect("the file of what is done");
            writeln!(file, "{label}").expect("a line");
        }
    }
    println!("{} calls after the vendor was asked; {counts:?}", points.len());
}

/// A whole rotation by the command alone, under strace; `None`: it was killed.
async fn rotate(stage: &Stage, options: &[&str]) -> Option<i32> {
    let mut command = Command::new(debian("strace", "strace"));
    command.args(["-f", "-qq", "-s", "8"]).args(options).arg(env!("CARGO_BIN_EXE_keyrelay"));
    command.arg("--config").arg(stage.daemon.config_path()).args(["rotate", "main"]);
    command.env_clear().envs(stage.daemon.environment()).env("TOKIO_WORKER_THREADS", "1");
    let output = command.output().await.expect("strace");
    secrets::none_in("what a command printed", &[&output.stdout[..], &output.stderr].concat());
    output.status.code()
}

/// The calls of a rotation that goes well, from the request to the vendor on, each once.
async fn points_after_the_call(stage: &Stage) -> Vec<Point> {
    let trace = stage.scratch.folder("trace").join("calls");
    let filter = format!("--trace={ASIDE}");
    let code = rotate(stage, &["-o", &trace.display().to_string(), &filter]).await;
    assert_eq!(code, Some(0), "it goes well");
    let text = fs::read_to_string(&trace).expect("what strace has written");
    fs::remove_file(&trace).expect("it is removed");
    let (mut counts, mut points, mut asked) = (BTreeMap::new(), Vec::new(), false);
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let Some((name, rest)) = call.trim().split_once('(') else { continue };
        if !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_') {
            continue;
        }
        let count = counts.entry((thread.to_owned(), name.to_owned())).or_insert(0);
        *count += 1;
        if asked && !points.contains(&(name.to_owned(), *count)) {
            points.push((name.to_owned(), *count));
        }
        asked |= rest.contains("\"POST /or");
    }
    assert!(asked, "the request to the vendor is not seen");
    points
}

/// Kills it there, starts the daemon, and says how it ended; all is well afterwards.
async fn killed_at(stage: &mut Stage, slot: &Slot, name: &str, nth: usize) -> &'static str {
    let old = stage.vendor.current_key(slot.account);
    let (trace, inject) = (format!("--trace={name}"), format!("--inject={name}:signal=KILL:when={nth}"));
    let code = rotate(stage, &["-o", "/dev/null", &trace, &inject]).await;
    let new = stage.vendor.current_key(slot.account);
    let spooled = stage.spooled();
    if new == old {
        // Another thread made that call first: the vendor was not asked. What is noted of it is another test's affair.
        stage.bao.delete("keyrelay/main").await;
        return "not asked";
    }
    stage.daemon.start_up().await;
    let end = match ends(stage, slot, &new).await {
        true => "arrived",
        false => {
            let safe = spooled.iter().any(|name| name.ends_with(".answer") || name.ends_with(".key"));
            assert!(
                !safe && code.is_none(),
                "{name} {nth}: {spooled:?} was in the spool, and the key is lost"
            );
            is_told(stage, slot, &stage.vendor.clone()).await;
            "lost and told"
        }
    };
    let now = stage.vendor.current_key(slot.account);
    stage.wait_settled(slot, &now).await;
    assert_eq!(stage.daemon.term().await.code(), Some(0));
    end
}

/// Whether the key arrives; `false`: nothing of it is here, and the wish is open.
async fn ends(stage: &mut Stage, slot: &Slot, new: &Key) -> bool {
    let hex = new.fingerprint().hex();
    let look = |found: &serde_json::Value| {
        let waits = found["phase"] == "probing" && found["rotation_asked_at"].is_string();
        let here = found["fingerprint"] == hex;
        (here || (waits && found["last_probe"].is_object())).then_some(here)
    };
    if stage.wait(slot, "it arrives, or is waited for", look).await {
        return true;
    }
    // A key that is being proven looks the same for a moment.
    let spooled = !stage.spooled().is_empty();
    spooled && stage.wait(slot, "it arrives", |found| (found["fingerprint"] == hex).then_some(true)).await
}

/// In a full run the incident is waited for; then its way out is taken.
async fn is_told(stage: &mut Stage, slot: &Slot, vendor: &Simulator) {
    assert_eq!(stage.state(slot).await["wish"]["fate"], "open");
    if done_file().is_some() {
        until("the first answer about the old key", async || {
            let found = stage.daemon.status().await["credentials"][0].clone();
            (found["last_probe"]["verdict"] == "dead").then_some(())
        })
        .await;
        stage.wait(slot, "it is told", |found| (codes(found) == ["key-lost"]).then_some(())).await;
    }
    let another = vendor.create_key(slot.account, None);
    let ran = stage.daemon.run_with(&["ingest", "main", "--yes"], another.expose()).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
}
