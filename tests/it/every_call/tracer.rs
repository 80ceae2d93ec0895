//! Holds a running process by ptrace(2): counts what its threads call, and kills it at one of the calls, or lets that one
//! fail. Threads of the same name are counted as one: which of them takes the next piece of work differs from run to
//! run, what they do together does not.

use super::calls::{self, Errno};
use nix::{
    errno::Errno as Failed,
    sys::{
        ptrace::{self, Options},
        signal::{Signal, kill},
        wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    },
    unistd::Pid,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

/// One call: the name of its thread, its own, and how often threads of that name have made it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    pub thread: String,
    pub call: String,
    pub nth: usize,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.thread, self.call, self.nth)
    }
}

/// What is done to the process when it makes a certain call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// SIGKILL; the call is not made any more.
    Kill,
    /// The call is not made, and says this.
    Fail(Errno),
}

/// What was seen since [`Tracer::count`].
#[derive(Debug, Default, Clone)]
pub struct Seen {
    /// Each call, and what it was about.
    pub calls: Vec<(Point, String)>,
    /// What the call was about at which the deed was done.
    pub hit: Option<String>,
    /// The process is gone.
    pub gone: bool,
}

pub struct Tracer {
    pid: Pid,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    counts: AtomicBool,
    lets_go: AtomicBool,
    seen: Mutex<Seen>,
}

impl Tracer {
    /// Returns when it has taken hold of each thread.
    pub fn attach(pid: u32, aim: Option<(Point, Deed)>) -> Self {
        let pid = Pid::from_raw(pid.try_into().expect("a process's number"));
        let shared = Arc::new(Shared::default());
        let (ready, waits) = mpsc::channel();
        let theirs = shared.clone();
        // Only the thread that takes hold may do anything to the process.
        let work = move || {
            let mut hold =
                Hold { pid, aim, shared: theirs, counts: BTreeMap::new(), within: BTreeMap::new() };
            hold.take();
            ready.send(()).expect("somebody waits for it");
            hold.follow();
        };
        let thread = Some(thread::spawn(work));
        waits.recv().expect("strangers may be traced here (ptrace_scope)");
        Self { pid, shared, thread }
    }

    /// From now on calls are counted, and the deed is done.
    pub fn count(&self) {
        self.shared.counts.store(true, Ordering::SeqCst);
    }
    pub fn seen(&self) -> Seen {
        self.shared.seen().clone()
    }
    pub fn is_hit(&self) -> bool {
        self.shared.seen().hit.is_some()
    }
    pub fn is_gone(&self) -> bool {
        self.shared.seen().gone
    }
    /// How many calls were counted by now.
    pub fn calls(&self) -> usize {
        self.shared.seen().calls.len()
    }
    /// Lets the process go on alone, if it is still there.
    pub fn let_go(mut self) -> Seen {
        self.end();
        self.seen()
    }
    fn end(&mut self) {
        self.shared.lets_go.store(true, Ordering::SeqCst);
        // Something has to happen in it; this is a signal that nobody heeds.
        let _ = kill(self.pid, Signal::SIGURG);
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the thread that traces");
        }
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.end();
        }
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Hold {
    pid: Pid,
    aim: Option<(Point, Deed)>,
    shared: Arc<Shared>,
    counts: BTreeMap<(String, String), usize>,
    /// Threads within a call, with what that is to say.
    within: BTreeMap<Pid, Option<Errno>>,
}

impl Hold {
    fn take(&self) {
        let options = Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE;
        let mut held = BTreeSet::new();
        // One may be made while the others are taken.
        loop {
            let new: Vec<_> = threads(self.pid).into_iter().filter(|thread| !held.contains(thread)).collect();
            if new.is_empty() {
                return;
            }
            for thread in new {
                // One that is gone by now needs no holding; one that another made is held already.
                if ptrace::seize(thread, options).is_ok() {
                    let _ = ptrace::interrupt(thread);
                }
                held.insert(thread);
            }
        }
    }

    /// Until the process is gone, or is to be let go: it is when this thread ends.
    fn follow(&mut self) {
        while let Some(status) = self.next() {
            let (thread, signal) = match status {
                WaitStatus::PtraceSyscall(thread) => {
                    self.at_call(thread);
                    (thread, None)
                }
                WaitStatus::PtraceEvent(thread, ..) => (thread, None),
                WaitStatus::Stopped(thread, Signal::SIGURG) => (thread, None),
                WaitStatus::Stopped(thread, signal) => (thread, Some(signal)),
                WaitStatus::Exited(..)
                | WaitStatus::Signaled(..)
                | WaitStatus::Continued(_)
                | WaitStatus::StillAlive => continue,
            };
            if self.shared.lets_go.load(Ordering::SeqCst) && self.within.values().all(Option::is_none) {
                return;
            }
            // One that is killed meanwhile cannot be told anything.
            let _ = ptrace::syscall(thread, signal);
        }
        self.shared.seen().gone = true;
    }

    /// What one of its threads has come to. `None`: the process is gone; its parent wants to hear of that.
    fn next(&self) -> Option<WaitStatus> {
        let ours = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let look = ours | WaitPidFlag::WEXITED | WaitPidFlag::WSTOPPED | WaitPidFlag::WNOWAIT;
        loop {
            let thread = match waitid(Id::All, look) {
                Err(Failed::EINTR) => continue,
                Ok(WaitStatus::Exited(thread, _) | WaitStatus::Signaled(thread, ..))
                    if thread == self.pid =>
                {
                    return None;
                }
                other => other.ok()?.pid()?,
            };
            return waitpid(thread, Some(ours)).ok();
        }
    }

    fn at_call(&mut self, thread: Pid) {
        let Ok(mut registers) = ptrace::getregs(thread) else { return };
        if let Some(says) = self.within.remove(&thread) {
            if let Some(errno) = says {
                registers.rax = errno.as_result();
                let _ = ptrace::setregs(thread, registers);
            }
            return;
        }
        let mut says = None;
        if let Some(deed) = self.counted(thread, registers.orig_rax, registers.rdi) {
            match deed {
                Deed::Kill => _ = kill(self.pid, Signal::SIGKILL),
                Deed::Fail(errno) => {
                    // No call has this number.
                    registers.orig_rax = u64::MAX;
                    let _ = ptrace::setregs(thread, registers);
                    says = Some(errno);
                }
            }
        }
        self.within.insert(thread, says);
    }

    /// Counts a call that begins; what is to be done to it, if it is the one.
    fn counted(&mut self, thread: Pid, number: u64, first: u64) -> Option<Deed> {
        let call = calls::name(number);
        if !self.shared.counts.load(Ordering::SeqCst) || calls::is_aside(&call) {
            return None;
        }
        let about = about(self.pid, &call, first);
        if about == "eventfd" {
            // One thread wakes another, as with a futex.
            return None;
        }
        let name = fs::read_to_string(format!("/proc/{}/task/{thread}/comm", self.pid)).ok()?;
        let name = name.trim().to_owned();
        let nth = self.counts.entry((name.clone(), call.clone())).or_insert(0);
        *nth += 1;
        let point = Point { thread: name, call, nth: *nth };
        let deed = self.aim.as_ref().filter(|(aim, _)| *aim == point).map(|(_, deed)| *deed);
        let mut seen = self.shared.seen();
        if deed.is_some() {
            seen.hit = Some(about.clone());
        }
        seen.calls.push((point, about));
        deed
    }
}

fn threads(pid: Pid) -> Vec<Pid> {
    let entries = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers.map(Pid::from_raw).collect()
}

/// The file's name, or what the descriptor is; nothing for a call without one.
fn about(pid: Pid, call: &str, descriptor: u64) -> String {
    if !calls::takes_descriptor(call) {
        return String::new();
    }
    let link = fs::read_link(format!("/proc/{pid}/fd/{descriptor}")).unwrap_or_default();
    let link = link.to_string_lossy().into_owned();
    match link.split_once(":[") {
        Some(("anon_inode", kind)) => kind.trim_end_matches(']').to_owned(),
        Some((kind, _)) => kind.to_owned(),
        None => link.rsplit('/').next().unwrap_or_default().to_owned(),
    }
}
