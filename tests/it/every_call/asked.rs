//! The rotation by the vendor's API, whose answer is the only copy of the new key: a daemon does it for `keyrelay
//! rotate`, or the command does it alone.

use super::{End, Story};
use crate::{
    api::stage::{Slot, Stage},
    rotation::stage::codes,
    world::{moment, secrets, until},
};
use keyrelay::{
    demo::simulator::{Faults, RotationFault},
    domain::Key,
};
use serde_json::Value;
use std::{fs, process::Stdio, time::Duration};
use tokio::process::{Child, Command};

/// How long the vendor keeps its answer to itself: the command is taken hold of meanwhile.
const PAUSE: Duration = Duration::from_millis(1_500);
/// Looks at a rotation one of whose calls failed: tries with back-off included; and after the command has ended.
const PATIENCE: usize = 3_000;
const AFTERWARDS: usize = 300;

/// Who asks the vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Daemon,
    /// Its calls count from the moment at which the vendor has made the new key.
    Command,
}

pub struct Asked {
    stage: Stage,
    by: By,
    slot: Option<Slot>,
    slots: usize,
    /// The key before, and how many were promoted.
    old: Option<Key>,
    generation: u64,
    command: Option<Child>,
    log: u64,
    /// Whose end takes minutes; with its settings.
    open: Vec<(Slot, Value, Key)>,
}

impl Asked {
    pub async fn build(by: By) -> Self {
        let mut stage = Stage::build().await;
        // The mail that says so is a part of the other story.
        stage.config.set("alerts.email.good_news", "off");
        let (slot, old, command) = (None, None, None);
        Self { stage, by, slot, slots: 0, old, generation: 0, command, log: 0, open: Vec::new() }
    }

    fn slot(&self) -> Slot {
        self.slot.clone().expect("a credential by now")
    }
    fn new_key(&self) -> Option<Key> {
        let key = self.stage.vendor.current_key(self.slot().account);
        (Some(&key) != self.old.as_ref()).then_some(key)
    }
    async fn start(&mut self) {
        self.log = self.stage.daemon.log_len();
        self.stage.daemon.configure(&mut self.stage.config);
        self.stage.daemon.start_logging("info");
        self.stage.daemon.wait_healthy().await;
    }
    fn kill(&mut self) {
        self.stage.daemon.kill9();
        let log = self.stage.daemon.log_since(self.log);
        assert!(!log.contains("panicked"), "{log}");
    }
    /// The key is in use, by as many promotions as there were rotations; a daemon is ready for the next.
    async fn settled(&mut self, key: &Key) {
        let slot = self.slot();
        self.stage.wait_settled(&slot, key).await;
        until("nothing of it is in the spool", async || self.spooled().is_empty().then_some(())).await;
        let document = self.stage.document(&slot).await;
        assert_eq!(document["api_key_generation"].as_u64().unwrap_or(0), self.generation, "{}", slot.name);
        // The removal of the key before, which is dead, is a version of its own.
        let versions = self.stage.bao.versions(&slot.path).await;
        assert!(versions <= 1 + 2 * self.generation, "{}: {versions} versions", slot.name);
        assert!(self.stage.vendor.rotations().values().all(|times| *times == 1), "asked once for each key");
        if self.by == By::Command {
            assert_eq!(self.stage.daemon.term().await.code(), Some(0));
        } else {
            self.stage.daemon.wait_ready().await;
        }
        self.old = Some(key.clone());
    }
    fn command_has_ended(&mut self) -> bool {
        self.command.as_mut().is_some_and(|command| command.try_wait().is_ok_and(|end| end.is_some()))
    }
    /// What the command has printed.
    async fn command_ended(&mut self) {
        let Some(command) = self.command.take() else { return };
        let output = command.wait_with_output().await.expect("its output");
        let printed = [&output.stdout[..], &output.stderr].concat();
        secrets::none_in("what a command printed", &printed);
        let printed = String::from_utf8_lossy(&printed);
        assert!(!printed.contains("panicked"), "{printed}");
    }
    /// After the process has ended: goes on with it, or puts it aside where that takes minutes.
    async fn begun_anew(&mut self) -> End {
        let slot = self.slot();
        let new = self.new_key();
        let whole = |name: &String| name.ends_with(".answer") || name.ends_with(".key");
        let spooled = self.spooled().iter().any(whole);
        let Some(new) = new else {
            if self.stage.state(&slot).await["wish"].is_null() {
                self.start().await;
                let old = self.old.clone().expect("a key");
                self.settled(&old).await;
                return End::Known("nothing was asked".into());
            }
            return self.put_aside();
        };
        let promoted = self.stage.document(&slot).await["api_key"] == new.expose();
        if !spooled && !promoted {
            return self.put_aside();
        }
        self.generation += 1;
        self.start().await;
        self.settled(&new).await;
        End::Known("arrived".into())
    }
    fn put_aside(&mut self) -> End {
        let (slot, old) = (self.slot.take().expect("a credential"), self.old.take().expect("a key"));
        let settings = self.stage.config.take(&format!("credentials.{}", slot.name));
        self.open.push((slot, settings, old));
        End::Open
    }
    /// How the one ends that was put aside.
    async fn closed(&mut self, slot: &Slot, old: &Key) -> String {
        let new = self.stage.vendor.current_key(slot.account);
        if new == *old {
            until("the wish is closed", async || {
                self.stage.state(slot).await["wish"].is_null().then_some(())
            })
            .await;
            let hex = old.fingerprint().hex();
            self.stage.wait(slot, "the old key", |found| (found["fingerprint"] == hex).then_some(())).await;
            return "nothing was asked".into();
        }
        let hex = new.fingerprint().hex();
        let look = |found: &Value| match found["fingerprint"] == hex {
            true => Some(true),
            false => (codes(found) == ["key-lost"]).then_some(false),
        };
        if self.stage.wait(slot, "it arrives, or its loss is told", look).await {
            self.stage.wait_settled(slot, &new).await;
            return "arrived".into();
        }
        let another = self.stage.vendor.create_key(slot.account, None);
        let ran = self.stage.daemon.run_with(&["ingest", &slot.name, "--yes"], another.expose()).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        self.stage.wait_settled(slot, &another).await;
        "lost, and told".into()
    }
    /// Of this credential: an answer of one that was put aside may be whole, and waits for it.
    fn spooled(&self) -> Vec<String> {
        let prefix = format!("{}.", self.slot().name);
        let mut names = self.stage.spooled();
        names.retain(|name| name.starts_with(&prefix));
        names
    }
    /// Nothing is under way any more, whatever came of it.
    async fn is_judged(&mut self) -> bool {
        let arrived = self.is_complete().await;
        let wish = self.stage.state(&self.slot()).await["wish"].take();
        wish.is_null() && self.spooled().is_empty() && (arrived || self.new_key().is_none())
    }
    fn ask(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyrelay"));
        command.arg("--config").arg(self.stage.daemon.config_path()).args(["rotate", &self.slot().name]);
        command.env_clear().envs(self.stage.daemon.environment()).env("TOKIO_WORKER_THREADS", "1");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        self.command = Some(command.spawn().expect("keyrelay"));
    }
}

impl Story for Asked {
    async fn begin(&mut self) -> u32 {
        if self.slot.is_none() {
            if self.stage.daemon.is_running() {
                self.kill();
            }
            self.slots += 1;
            self.slot = Some(self.stage.slot(&format!("slot-{}", self.slots)).await);
            self.generation = 0;
            let key = self.stage.vendor.current_key(self.slot().account);
            self.start().await;
            self.settled(&key).await;
        }
        if self.by == By::Daemon {
            return self.stage.daemon.pid();
        }
        self.stage.vendor.set_faults(RotationFault::Late(PAUSE));
        self.ask();
        until("the vendor makes a key", async || self.new_key()).await;
        self.stage.vendor.set_faults(Faults::none());
        self.command.as_ref().and_then(Child::id).expect("it runs")
    }
    async fn go(&mut self) {
        if self.by == By::Daemon {
            self.ask();
        }
    }
    async fn is_complete(&mut self) -> bool {
        match (self.by, self.new_key()) {
            (By::Daemon, Some(new)) => {
                self.slot().holds(&new) && self.stage.document(&self.slot()).await["api_key"] == new.expose()
            }
            (By::Daemon, None) | (By::Command, _) => false,
        }
    }
    async fn after_nothing(&mut self) {
        self.command_ended().await;
        self.generation += 1;
        if self.by == By::Command {
            self.start().await;
        }
        let new = self.new_key().expect("a new key");
        self.settled(&new).await;
    }
    async fn after_kill(&mut self) -> End {
        if self.by == By::Daemon {
            self.kill();
        }
        self.command_ended().await;
        self.begun_anew().await
    }
    async fn after_failure(&mut self) -> End {
        let (mut looks, mut left) = (PATIENCE, AFTERWARDS);
        while looks > 0 && left > 0 && self.stage.daemon.is_running() {
            looks -= 1;
            if self.command_has_ended() {
                left = if self.is_judged().await { 0 } else { left - 1 };
            }
            moment(Duration::from_millis(10)).await;
        }
        let silent = if looks == 0 { "; the command had no answer" } else { "" };
        if let Some(command) = self.command.as_mut().filter(|_| looks == 0) {
            let _ = command.start_kill();
        }
        let ended = if self.stage.daemon.is_running() { "" } else { "; the daemon had ended" };
        self.command_ended().await;
        let goes_on = self.stage.daemon.is_running() && self.is_judged().await;
        let new = self.new_key().filter(|_| goes_on);
        let end = match new {
            Some(new) => {
                self.generation += 1;
                self.settled(&new).await;
                End::Known("arrived".into())
            }
            None => {
                self.kill();
                self.begun_anew().await
            }
        };
        match end {
            End::Known(end) => End::Known(format!("{end}{ended}{silent}")),
            End::Open => End::Open,
        }
    }
    async fn close(&mut self) -> Vec<String> {
        let open = std::mem::take(&mut self.open);
        if open.is_empty() {
            return Vec::new();
        }
        if self.stage.daemon.is_running() {
            self.kill();
        }
        self.slot = None;
        self.stage.config.set("credentials", serde_json::json!({}));
        for (slot, settings, _) in &open {
            self.stage.config.set(&format!("credentials.{}", slot.name), settings.clone());
        }
        self.start().await;
        let mut ends = Vec::new();
        for (slot, _, old) in &open {
            ends.push(self.closed(slot, old).await);
        }
        self.kill();
        // More than twenty an hour would wait, and be told while the next calls are counted.
        let _ = fs::remove_file(self.stage.daemon.state_dir().join("alerts.json"));
        self.stage.config.set("credentials", serde_json::json!({}));
        ends
    }
}
