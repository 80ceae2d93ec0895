//! The built program: the daemon, and the commands beside it.

use super::{Canary, Config, Leak, Port, Ran, Scratch, Server, debian, install_tls, run, until};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    ffi::OsString,
    fs,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    process::ExitStatus,
};
use tokio::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_keyrelay");

/// One host's keyrelay: its configuration, state folder, log (at TRACE) and, while it runs, its process.
pub struct Daemon {
    server: Option<Server>,
    dir: Scratch,
    port: Port,
    http: reqwest::Client,
}

impl Daemon {
    /// Writes the configuration, with `listen` and `control` of its own; starts nothing.
    pub fn new(config: &mut Config) -> Self {
        install_tls();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let daemon = Self { server: None, dir: Scratch::new(), port: Port::free(), http };
        daemon.dir.folder("state");
        daemon.configure(config);
        daemon
    }

    /// Writes another configuration; [`Daemon::sighup`] makes it known.
    pub fn configure(&self, config: &mut Config) {
        config.set("listen", format!("127.0.0.1:{}", self.port.number));
        config.set("control", self.dir.join("control.sock").display().to_string());
        self.dir.write("config.yaml", &config.yaml());
    }

    pub fn start(&mut self) {
        self.start_logging("trace");
    }
    /// With another `RUST_LOG`: what is written at TRACE takes longer than what is measured.
    pub fn start_logging(&mut self, filter: &str) {
        assert!(self.server.is_none(), "the daemon runs already");
        let args = ["run".into(), "--config".into(), self.config_path().into_os_string()];
        let env = self.environment();
        let mut env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
        env.push(("RUST_LOG", filter.as_ref()));
        self.server = Some(Server::start(Path::new(PROGRAM), args, &env, &self.log_path()));
    }

    /// Starts it and waits until it answers; outside systems may be missing.
    pub async fn start_up(&mut self) {
        self.start();
        self.wait_for_200("healthz").await;
    }
    /// Waits until mailbox, store and alert path work.
    pub async fn wait_ready(&mut self) {
        self.wait_for_200("readyz").await;
    }

    pub fn pid(&self) -> u32 {
        self.running().pid()
    }
    pub fn sighup(&self) {
        self.running().signal(Signal::HUP);
    }
    /// SIGTERM, and waits for the end.
    pub async fn term(&mut self) -> ExitStatus {
        self.running().signal(Signal::TERM);
        let status = self.ended().await;
        self.server = None;
        status
    }
    /// SIGKILL.
    pub fn kill9(&mut self) {
        self.server = None;
    }
    /// Waits for it to end by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        self.server.as_mut().expect("the daemon was started").ended().await
    }

    /// Of its HTTP face, without a path.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number)
    }
    /// `GET` of its HTTP face: status and text. `None`: nobody answers.
    pub async fn get(&self, path: &str) -> Option<(u16, String)> {
        let answer = self.http.get(format!("{}/{path}", self.url())).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }
    /// The status document.
    pub async fn status(&self) -> Value {
        let (status, body) = self.get("api/v1/status").await.expect("the daemon answers");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("a JSON document")
    }
    /// Waits until the status shows something.
    pub async fn wait_status<T>(&mut self, what: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        until(&format!("status: {what}"), async || {
            self.assert_running();
            look(&self.status().await)
        })
        .await
    }

    /// A command with this daemon's configuration, to its end.
    pub async fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "").await
    }
    /// The same, with something on its standard input.
    pub async fn run_with(&self, args: &[&str], stdin: &str) -> Ran {
        let mut command = Command::new(PROGRAM);
        command.arg("--config").arg(self.config_path()).args(args).env_clear().envs(self.environment());
        run(&mut command, stdin.as_bytes()).await
    }

    /// The same, in a process that may have so much writable memory, its stacks included.
    pub async fn run_within(&self, bytes: usize, args: &[&str]) -> Ran {
        let mut command = Command::new(debian("prlimit", "util-linux"));
        command.arg(format!("--data={bytes}")).arg("--core=0").arg(PROGRAM);
        command.arg("--config").arg(self.config_path()).args(args).env_clear().envs(self.environment());
        run(&mut command, b"").await
    }

    /// Everywhere that this daemon leaves traces: log, state folder, and its process while it runs.
    pub fn leaks(&self, canary: &Canary) -> Vec<Leak> {
        let mut leaks = canary.scan(&self.log_path());
        leaks.extend(canary.scan(&self.state_dir()));
        leaks.extend(self.server.iter().flat_map(|server| canary.scan_process(server.pid())));
        leaks
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log_path()).unwrap_or_default()).into_owned()
    }
    /// How long the log is by now, in bytes; for [`Daemon::log_since`].
    pub fn log_len(&self) -> u64 {
        fs::metadata(self.log_path()).map_or(0, |data| data.len())
    }
    /// What was logged after that.
    pub fn log_since(&self, len: u64) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = fs::File::open(self.log_path()) {
            file.seek(SeekFrom::Start(len)).and_then(|_| file.read_to_end(&mut bytes)).expect("the log");
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }
    pub fn dir(&self) -> &Scratch {
        &self.dir
    }
    pub fn config_path(&self) -> PathBuf {
        self.dir.join("config.yaml")
    }
    pub fn state_dir(&self) -> PathBuf {
        self.dir.join("state")
    }
    fn log_path(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// Panics when it runs no more.
    fn assert_running(&mut self) {
        self.server.as_mut().expect("the daemon was started").assert_running();
    }
    fn running(&self) -> &Server {
        self.server.as_ref().expect("the daemon runs")
    }
    /// There is no D-Bus, unless a test starts one there.
    pub fn bus_path(&self) -> PathBuf {
        self.dir.join("bus")
    }
    fn environment(&self) -> [(&'static str, OsString); 4] {
        [
            ("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", self.bus_path().display()).into()),
            ("STATE_DIRECTORY", self.state_dir().into()),
            ("RUNTIME_DIRECTORY", self.dir.path().into()),
            ("PATH", "/usr/bin:/bin".into()),
        ]
    }
    async fn wait_for_200(&mut self, path: &str) {
        until(&format!("the daemon answers 200 at /{path}"), async || {
            self.assert_running();
            self.get(path).await.filter(|(status, _)| *status == 200)
        })
        .await;
    }
}

/// Lines of its story that are shown when a test fails: at TRACE the end of a log is a library's last milliseconds.
const STORY_TAIL: usize = 60;

impl Drop for Daemon {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (log, levels) = (self.log(), [" INFO", " WARN", "ERROR", "DEBUG performing"]);
            let told = |line: &&str| levels.iter().any(|level| line.starts_with(level));
            let story: Vec<_> = log.lines().filter(told).collect();
            let tail = &story[story.len().saturating_sub(STORY_TAIL)..];
            eprintln!("--- what the daemon told\n{}\n---", tail.join("\n"));
        }
    }
}
