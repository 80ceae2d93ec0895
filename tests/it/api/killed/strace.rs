//! strace, attached to a process that runs: it writes down what each thread calls, or kills at one of the calls.

use crate::world::{debian, until};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::Path,
};
use tokio::process::{Child, Command};

/// What waits, and what asks for the time or for memory: a kill there is one before or after it.
const ASIDE: &str = "!futex,epoll_wait,epoll_pwait,epoll_pwait2,clock_gettime,clock_nanosleep,nanosleep,gettimeofday,\
    mmap,munmap,mprotect,madvise,brk,mremap,sched_yield,restart_syscall,rt_sigprocmask,rt_sigreturn,sigaltstack";

/// One call: the thread, counted from the process's first (`None`: whichever is the first to make it); the call's
/// name; how often that thread has made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    thread: Option<usize>,
    name: String,
    nth: usize,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.thread {
            Some(thread) => write!(f, "thread {thread} {} {}", self.name, self.nth),
            None => write!(f, "any thread {} {}", self.name, self.nth),
        }
    }
}

pub struct Strace {
    child: Child,
    threads: Vec<u32>,
}

impl Strace {
    /// Everything that all threads call from now on.
    pub async fn record(pid: u32, trace: &Path) -> Self {
        let trace = trace.display().to_string();
        let (pid_text, filter) = (pid.to_string(), format!("--trace={ASIDE}"));
        Self::attach(pid, &["-f", "-s", "8", "-o", &trace, &filter, "-p", &pid_text], None).await
    }

    /// Kills the process when that thread makes that call.
    pub async fn kill(pid: u32, point: &Point) -> Self {
        let thread = point.thread.map(|thread| threads(pid).get(thread).copied().unwrap_or(pid));
        let filter = format!("--trace={}", point.name);
        let inject = format!("--inject={}:signal=KILL:when={}", point.name, point.nth);
        let (id, all) = (thread.unwrap_or(pid).to_string(), if thread.is_none() { "-f" } else { "-qq" });
        Self::attach(pid, &["-o", "/dev/null", all, &filter, &inject, "-p", &id], thread).await
    }

    /// Returns when it has taken hold of the thread, or of all; or when the process is gone.
    async fn attach(pid: u32, args: &[&str], thread: Option<u32>) -> Self {
        let threads = threads(pid);
        let mut command = Command::new(debian("strace", "strace"));
        command.arg("-qq").args(args).stderr(std::process::Stdio::null()).kill_on_drop(true);
        let child = command.spawn().expect("strace");
        let held = thread.map_or_else(|| threads.clone(), |thread| vec![thread]);
        until("strace takes hold", async || held.iter().all(|thread| is_traced(pid, *thread)).then_some(()))
            .await;
        Self { child, threads }
    }

    pub async fn ended(mut self) {
        self.child.wait().await.expect("strace ends with the process");
    }

    /// The first call of each name by whichever thread: which one writes to the spool differs from run to run. Then the
    /// calls of the threads that were there from the beginning, each once.
    pub async fn points(self, trace: &Path) -> Vec<Point> {
        let threads = self.threads.clone();
        self.ended().await;
        let text = fs::read_to_string(trace).expect("what strace has written");
        let (mut counts, mut points, mut later) = (BTreeMap::new(), Vec::new(), 0);
        for line in text.lines() {
            let Some((thread, call)) = line.split_once(' ') else { continue };
            let Some((name, _)) = call.trim().split_once('(') else { continue };
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if name.is_empty() || !name.bytes().all(plain) {
                continue;
            }
            let thread = thread.parse().ok().and_then(|id: u32| threads.iter().position(|one| *one == id));
            let Some(thread) = thread else {
                later += 1;
                continue;
            };
            let nth = counts.entry((thread, name.to_owned())).or_insert(0);
            *nth += 1;
            points.push(Point { thread: Some(thread), name: name.to_owned(), nth: *nth });
        }
        let names: BTreeSet<String> = points.iter().map(|point| point.name.clone()).collect();
        let firsts = names.into_iter().map(|name| Point { thread: None, name, nth: 1 });
        let points: Vec<_> = firsts.chain(points).collect();
        println!("{} calls of {} threads; {later} of threads that came later", points.len(), threads.len());
        points
    }
}

/// In the order of their making.
fn threads(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut threads: Vec<u32> = names.collect();
    threads.sort_unstable();
    threads
}

/// A thread that is gone is held by nobody any more.
fn is_traced(pid: u32, thread: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/task/{thread}/status")).unwrap_or_default();
    !status.contains("TracerPid:\t0\n")
}
