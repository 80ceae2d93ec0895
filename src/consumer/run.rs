//! Runs one command of a consumer safely: no shell, an empty environment but PATH and what is given, the folder `/`,
//! a process group of its own that is killed at the end whatever happens, and a limit on time and output. It does
//! not know what the command is for.
//!
//! A command gets its three streams and no other descriptor: what this program opens closes on exec, and what it was
//! started with is made to. A program that leaves its group on purpose (`setsid`) is a daemon of the operator's, and is left alone.

use super::output::Output;
use crate::domain::{Key, Limits};
use rustix::{
    fd::BorrowedFd,
    io::{FdFlags, fcntl_setfd},
    process::{Pid, Signal, kill_process_group},
};
use std::{
    convert::Infallible,
    future::pending,
    io,
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::Once,
};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, ChildStdin, Command},
    time::timeout,
};
use zeroize::Zeroizing;

/// PATH where this program has none itself.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Of standard error only the end is kept: its last line is shown.
const ERRORS_KEPT: usize = 4096;

/// One command to run.
pub(super) struct Run<'a> {
    pub argv: &'a [String],
    /// All of the environment but PATH.
    pub env: Vec<(&'a str, &'a str)>,
    /// What it reads on standard input, without a newline; `None`: nothing.
    pub key: Option<&'a Key>,
    pub limits: &'a Limits,
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Exit(i32),
    Signal(i32),
    TimedOut,
    /// It did not run, and why.
    Not(String),
}

/// What is left of a command that ended. The bytes are foreign: they may hold anything, a key too.
pub(super) struct Ended {
    pub end: End,
    /// `None`: more than `answer_bytes_max`.
    pub stdout: Option<Zeroizing<Vec<u8>>>,
    /// The last line of standard error that is not blank.
    pub last_error: Option<Zeroizing<String>>,
}

/// Runs a command to its end, or to the end of `command_timeout`.
pub(super) async fn run(run: Run<'_>) -> Ended {
    match start(&run) {
        Ok(running) => running.watch(&run).await,
        Err(why) => Ended { end: End::Not(why), stdout: None, last_error: None },
    }
}

fn start(run: &Run) -> Result<Running, String> {
    static FOUND_CLEAN: Once = Once::new();
    FOUND_CLEAN.call_once(keep_inherited_descriptors);
    let (program, arguments) = run.argv.split_first().ok_or("it names no program")?;
    let path = std::env::var_os("PATH").filter(|path| !path.is_empty());
    let child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", path.unwrap_or_else(|| PATH.into()))
        .envs(run.env.iter().copied())
        .current_dir("/")
        .stdin(if run.key.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| start_error(&error))?;
    let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    Ok(Running { group: Group(leader.ok_or("it has no process id")?), child })
}

/// Whoever started this program may have left descriptors open in it. They are kept from the commands.
#[expect(unsafe_code, reason = "nobody in this process owns a descriptor that was inherited")]
fn keep_inherited_descriptors() {
    // Without /proc nothing is known of them.
    let entries = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    for number in numbers.filter(|number| *number > 2) {
        // SAFETY: the number is only used to set a flag. Had another thread closed it meanwhile, nothing would be
        // set; had it opened another, that has the flag already.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let _ = fcntl_setfd(descriptor, FdFlags::CLOEXEC);
    }
}

fn start_error(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such program, or none that its #! line names".into(),
        io::ErrorKind::PermissionDenied => "it is not executable for the user that keyrelay runs as".into(),
        _ => error.to_string(),
    }
}

/// A command that runs. Dropped at any moment, it is killed, the group first.
struct Running {
    group: Group,
    child: Child,
}

impl Running {
    async fn watch(mut self, run: &Run<'_>) -> Ended {
        let mut stdout = Output::head(self.child.stdout.take(), run.limits.answer_bytes_max);
        let mut stderr = Output::tail(self.child.stderr.take(), ERRORS_KEPT);
        let stdin = self.child.stdin.take();
        let ended = {
            let streams = async {
                tokio::join!(feed(stdin, run.key), stdout.fill(), stderr.fill());
                pending::<Infallible>().await
            };
            tokio::select! {
                ended = timeout(run.limits.command_timeout, self.child.wait()) => ended,
                never = streams => match never {},
            }
        };
        drop(self.group);
        let end = match ended {
            Err(_elapsed) => End::TimedOut,
            Ok(Err(error)) => End::Not(format!("its end is not known: {error}")),
            Ok(Ok(status)) => end_of(status),
        };
        Ended { end, stdout: stdout.whole(), last_error: stderr.last_line() }
    }
}

fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exit(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

/// A command that ends without reading its input is no error of the input's: its exit code tells.
async fn feed(stdin: Option<ChildStdin>, key: Option<&Key>) {
    if let (Some(mut stdin), Some(key)) = (stdin, key) {
        let _ = stdin.write_all(key.expose().as_bytes()).await;
    }
}

/// A process group, named by its leader's number; killed when dropped. While one process is left in it the number is
/// its own; right after the last has gone the system has not yet given it to anybody else.
struct Group(Pid);

impl Drop for Group {
    fn drop(&mut self) {
        // There may be nobody left to kill.
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
