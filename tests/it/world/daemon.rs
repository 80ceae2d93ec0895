//! The built program: the daemon, and the commands beside it.

use super::{Config, Port, Ran, Scratch, Server, debian, install_tls, run, secrets, until};
use rustix::process::Signal;
use serde_json::Value;
use std::{
    ffi::{OsStr, OsString},
    fs,
    io::{Read, Seek, SeekFrom, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::ExitStatus,
    time::Duration,
};
use tokio::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_keyrelay");

/// One host's keyrelay: its configuration, state folder, log (at TRACE) and, while it runs, its process.
pub struct Daemon {
    server: Option<Server>,
    dir: Scratch,
    port: Port,
    http: reqwest::Client,
    /// Its environment calls this a proxy.
    trap: TcpListener,
    /// Where it listens besides.
    pub also_listen: Vec<String>,
    /// What else stands in its environment.
    pub also_environment: Vec<(&'static str, OsString)>,
    /// What `uname -n` says to it; `None`: what it says to everybody here.
    pub host: Option<&'static str>,
}

impl Daemon {
    /// Writes the configuration, with `listen` and `control` of its own; starts nothing.
    pub fn new(config: &mut Config) -> Self {
        install_tls();
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let daemon = Self {
            server: None,
            dir: Scratch::new(),
            port: Port::free(),
            http,
            trap: trap(),
            also_listen: Vec::new(),
            also_environment: Vec::new(),
            host: None,
        };
        daemon.dir.folder("state");
        daemon.configure(config);
        daemon
    }

    /// Writes another configuration; [`Daemon::sighup`] makes it known.
    pub fn configure(&self, config: &mut Config) {
        let port = format!("127.0.0.1:{}", self.port.number);
        config.set("listen", [&[port], &self.also_listen[..]].concat());
        config.set("control", self.dir.join("control.sock").display().to_string());
        self.dir.write("config.yaml", &config.yaml());
    }

    pub fn start(&mut self) {
        self.start_logging("trace");
    }
    /// With another `RUST_LOG`: what is written at TRACE takes longer than what is measured.
    pub fn start_logging(&mut self, filter: &str) {
        assert!(self.server.is_none(), "the daemon runs already");
        let path = self.config_path();
        let run: [&OsStr; 4] = [PROGRAM.as_ref(), "run".as_ref(), "--config".as_ref(), path.as_os_str()];
        let set = "hostname \"$0\" && exec \"$@\"";
        let named = |host: &'static str| ["unshare", "--uts", "sh", "-c", set, host].map(OsStr::new);
        let args: Vec<_> = self.host.map(named).into_iter().flatten().chain(run).collect();
        let program = debian("env", "coreutils");
        let env = self.environment();
        let mut env: Vec<_> = env.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
        env.push(("RUST_LOG", filter.as_ref()));
        self.server = Some(Server::start(&program, args, &env, &self.log_path()));
    }

    /// Starts it and waits until it answers; outside systems may be missing.
    pub async fn start_up(&mut self) {
        self.start();
        self.wait_healthy().await;
    }
    /// Waits until its process answers; for [`Daemon::start_logging`].
    pub async fn wait_healthy(&mut self) {
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
    /// SIGSTOP: it does nothing, and time passes.
    pub fn freeze(&self) {
        self.running().signal(Signal::STOP);
    }
    pub fn thaw(&self) {
        self.running().signal(Signal::CONT);
    }
    /// SIGTERM, and waits for the end.
    pub async fn term(&mut self) -> ExitStatus {
        self.look_at_it_alive();
        self.running().signal(Signal::TERM);
        let status = self.ended().await;
        self.server = None;
        status
    }
    /// SIGKILL, at this very moment: it is not looked at before.
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
    /// The same, with something on its standard input: a key, where it asks for one.
    pub async fn run_with(&self, args: &[&str], stdin: &str) -> Ran {
        secrets::note(stdin);
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

    /// Whether its process is there.
    pub fn is_running(&mut self) -> bool {
        self.server.as_mut().is_some_and(Server::is_running)
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
    /// What may stand in a host's environment and must lead nothing astray is always there.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        let proxy = format!("http://{}", self.trap.local_addr().expect("a port"));
        let mut environment = PROXIES.map(|name| (name, OsString::from(&proxy))).to_vec();
        environment.extend([
            ("SSLKEYLOGFILE", self.tls_keys_path().into()),
            ("DBUS_SYSTEM_BUS_ADDRESS", format!("unix:path={}", self.bus_path().display()).into()),
            ("STATE_DIRECTORY", self.state_dir().into()),
            ("RUNTIME_DIRECTORY", self.dir.path().into()),
            ("PATH", "/usr/bin:/bin".into()),
        ]);
        environment.extend(self.also_environment.clone());
        environment
    }
    /// Whoever heeds `SSLKEYLOGFILE` writes the keys of his connections there.
    fn tls_keys_path(&self) -> PathBuf {
        self.dir.join("tls-keys")
    }
    /// No secret is in its arguments and environment, in those of what it has started, or on its face.
    fn look_at_it_alive(&mut self) {
        let port = self.port.number;
        let Some(server) = &mut self.server else { return };
        if !server.is_running() {
            return;
        }
        let canary = secrets::canary();
        let mut leaks = canary.scan_process(server.pid());
        // Where one has no answer the loop hangs, and nobody waits for the others.
        let paths = ["/", "/api/v1/status", "/metrics", "/readyz"].into_iter();
        for (path, shown) in paths.map_while(|path| Some((path, face(port, path)?))) {
            leaks.extend(canary.scan_bytes(path, &shown));
        }
        secrets::found(&leaks);
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

/// What stands at a path of a daemon's face, where it answers.
fn face(port: u16, path: &str) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut shown = Vec::new();
    stream.read_to_end(&mut shown).ok().map(|_| shown)
}

/// What libraries look for when nobody forbids it.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

/// Somebody who must hear nothing.
fn trap() -> TcpListener {
    let trap = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    trap.set_nonblocking(true).expect("a listener that can be asked");
    trap
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.look_at_it_alive();
        // Its log is looked at by whom it belongs to.
        self.server = None;
        secrets::found(&secrets::canary().scan(&self.state_dir()));
        if !std::thread::panicking() {
            assert!(!self.tls_keys_path().exists(), "the keys of TLS connections are written down");
            assert!(self.trap.accept().is_err(), "a proxy of the environment is asked");
        }
        if std::thread::panicking() {
            let (log, levels) = (self.log(), [" INFO", " WARN", "ERROR", "DEBUG performing"]);
            let told = |line: &&str| levels.iter().any(|level| line.starts_with(level));
            let story: Vec<_> = log.lines().filter(told).collect();
            let tail = &story[story.len().saturating_sub(STORY_TAIL)..];
            eprintln!("--- what the daemon told\n{}\n---", tail.join("\n"));
        }
    }
}
