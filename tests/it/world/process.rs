//! One server process with everything it starts.

use super::{debian, secrets, until};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::{
    ffi::OsStr,
    fs::{self, File},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};
use tokio::io::AsyncWriteExt;

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a command to its end with `stdin` on its standard input. keyrelay's commands print no secret of this test's.
pub async fn run(command: &mut tokio::process::Command, stdin: &[u8]) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let mut input = child.stdin.take().expect("a pipe");
    let feed = async move {
        // A command that reads nothing closes it early; what it says is what counts.
        let _ = input.write_all(stdin).await;
    };
    let (output, ()) = tokio::join!(child.wait_with_output(), feed);
    let output = output.expect("a child's output");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if Path::new(command.as_std().get_program()).file_name() == Some("keyrelay".as_ref()) {
        secrets::none_in("what a command printed", &[&output.stdout[..], &output.stderr].concat());
    }
    Ran { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// Lines of a log that are shown when a test fails.
const LOG_TAIL: usize = 60;

/// In a process group of its own, with an empty environment but `PATH`; what it prints goes to its log, where no secret
/// of this test's may be in the end.
pub struct Server {
    child: Child,
    log: PathBuf,
    /// How long the log was before.
    began_at: u64,
}

impl Server {
    /// Starts `program`; `log` is appended to, so that it survives a restart.
    pub fn start<A: AsRef<OsStr>>(
        program: &Path,
        args: impl IntoIterator<Item = A>,
        env: &[(&str, &OsStr)],
        log: &Path,
    ) -> Self {
        let out = File::options().create(true).append(true).open(log).expect("a server's log");
        let began_at = out.metadata().expect("a file").len();
        let child = Command::new(debian("setpriv", "util-linux"))
            .args(["--pdeathsig", "KILL"])
            .arg(program)
            .args(args)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .envs(env.iter().copied())
            .process_group(0)
            .stdin(Stdio::null())
            .stderr(out.try_clone().expect("a second handle"))
            .stdout(out)
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        Self { child, log: log.into(), began_at }
    }

    /// The same for one that changes its user, which makes the kernel forget whose death it is to follow: a shell stays
    /// between, and a second one ends everything when the first is killed.
    pub fn start_between<A: AsRef<OsStr>>(
        program: &Path,
        args: impl IntoIterator<Item = A>,
        env: &[(&str, &OsStr)],
        log: &Path,
    ) -> Self {
        let guard =
            "setpriv --pdeathsig TERM sh -c 'trap \"kill -KILL 0\" TERM; sleep infinity & wait' & \"$@\"";
        let shell: [&OsStr; 4] = ["-c".as_ref(), guard.as_ref(), "sh".as_ref(), program.as_ref()];
        let args: Vec<_> = args.into_iter().map(|arg| arg.as_ref().to_owned()).collect();
        let all = shell.into_iter().chain(args.iter().map(AsRef::as_ref));
        Self::start(Path::new("/bin/sh"), all, env, log)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }
    /// Panics when the process has ended: nobody then waits for it in vain.
    pub fn assert_running(&mut self) {
        if let Some(status) = self.child.try_wait().expect("a child's status") {
            panic!("{} ended: {status}", self.log.display());
        }
    }
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child's status").is_none()
    }
    /// To the process alone.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.id(), signal).expect("a process that runs");
    }
    /// To the process and everything it started.
    pub fn signal_all(&self, signal: Signal) {
        kill_process_group(self.id(), signal).expect("a process that runs");
    }
    /// Waits for the process to end by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let what = format!("{} ends", self.log.display());
        until(&what, async || self.child.try_wait().expect("a child's status")).await
    }
    /// SIGKILL, to the process and everything it started.
    pub fn kill(&mut self) {
        let _ = kill_process_group(self.id(), Signal::KILL);
        let _ = self.child.wait();
    }

    fn id(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        let log = fs::read(&self.log).unwrap_or_default();
        let since = &log[usize::try_from(self.began_at).map_or(0, |from| from.min(log.len()))..];
        secrets::none_in(&self.log.display().to_string(), since);
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<_> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(LOG_TAIL)..];
            eprintln!("--- the end of {}\n{}\n---", self.log.display(), tail.join("\n"));
        }
    }
}
