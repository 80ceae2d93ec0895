//! The mailed rotation: from the mail's arrival, over the store and three consumers, to the mail that says so.

use super::{End, Story};
use crate::{
    chaos::scene::{NAME, PATH, Scene},
    rotation::consumers,
    world::{Scratch, moment},
};
use keyrelay::{
    demo::consumer::{Consumer, Source},
    domain::Key,
};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};

/// Rotations in one mailbox and on one count of alerts: a failed call may be told, be resolved and be followed by good
/// news.
const FRESH_FOR: usize = 4;
/// What a failure may cost at most, tries with back-off included.
const PATIENCE: usize = 9_000;
const SLOW: usize = 200;

pub struct Mailed {
    scene: Scene,
    /// Reads its key when the action tells it to.
    shop: Consumer,
    actions: PathBuf,
    key: Option<Key>,
    acted: usize,
    log: u64,
    fresh_for: usize,
    _scratch: Scratch,
}

impl Mailed {
    pub async fn build() -> Self {
        let mut scene = Scene::build().await;
        let scratch = Scratch::new();
        let file = scratch.folder("shop").join("key");
        let source = Source::FileOnDemand { path: file.clone(), variable: None };
        let shop = consumers::start("storefront", source).await;
        let actions = scratch.join("actions");
        let act = reload(&scratch, &actions, &shop.reload_url());
        scene
            .config
            .set("store", scene.bao.store(&["vendors/leaf7/*"]).await)
            .set("vendors.leaf7.base_url", scene.vendor.base_url())
            // Nothing happens by the clock alone while calls are counted.
            .set("schedules", json!({"mailbox_poll": "0 0 1 1 *", "current_key_probe": "0 0 1 1 *", "consumer_prove": "0 0 1 1 *"}))
            .set(
                &format!("credentials.{NAME}.consumers.storefront"),
                json!({"deliver": {"file": {"path": file}, "then": {"exec": [act]}},
                    "prove": {"http": {"url": shop.url()}}}),
            );
        Self { scene, shop, actions, key: None, acted: 0, log: 0, fresh_for: 0, _scratch: scratch }
    }

    async fn start(&mut self) {
        self.log = self.scene.daemon.log_len();
        self.scene.daemon.configure(&mut self.scene.config);
        self.scene.daemon.start_logging("info");
        self.scene.daemon.wait_healthy().await;
    }
    /// An empty mailbox, and alerts uncounted: more than twenty an hour are not sent.
    async fn refresh(&mut self) {
        self.fresh_for = FRESH_FOR;
        self.scene.daemon.kill9();
        self.scene.dovecot.expunge("INBOX").await;
        let _ = fs::remove_file(self.scene.daemon.state_dir().join("alerts.json"));
        self.start().await;
        if self.key.is_none() {
            let key = self.scene.rotate();
            self.scene.lay_confirmation(&key);
            self.key = Some(key);
        }
        self.settled().await;
    }
    /// The last key is in use everywhere, by one promotion.
    async fn settled(&mut self) {
        let key = self.key.clone().expect("a key by now");
        self.scene.completed(&key).await;
        self.scene.daemon.wait_ready().await;
        self.scene.daemon.wait_status("nothing is left to be told", nothing_queued).await;
    }
    /// One action for each key; a second one only where the first one's end was not on record.
    fn actions(&mut self) -> &'static str {
        let now = fs::read_to_string(&self.actions).unwrap_or_default().lines().count();
        let acted = now - std::mem::replace(&mut self.acted, now);
        match acted {
            1 => "",
            2 => ", acted twice",
            other => panic!("the consumer was told {other} times of one key"),
        }
    }
    fn no_panic(&self) {
        let log = self.scene.daemon.log_since(self.log);
        assert!(!log.contains("panicked"), "{log}");
    }
    /// Whether the rotation came to its end without anybody's help.
    async fn came_right(&mut self) -> bool {
        let hex = self.key.as_ref().expect("a key by now").fingerprint().hex();
        for look in 0..PATIENCE {
            if look == SLOW {
                // A connection that breaks again and again is opened less and less often, until the next start.
                self.fresh_for = 0;
            }
            if !self.scene.daemon.is_running() {
                return false;
            }
            if let Some((200, text)) = self.scene.daemon.get("api/v1/status").await {
                let status: Value = serde_json::from_str(&text).expect("a JSON document");
                if is_settled(&status["credentials"][0], &hex) {
                    return true;
                }
            }
            moment(Duration::from_millis(10)).await;
        }
        false
    }
}

impl Story for Mailed {
    async fn begin(&mut self) -> u32 {
        if self.fresh_for == 0 {
            self.refresh().await;
            self.acted = fs::read_to_string(&self.actions).unwrap_or_default().lines().count();
        }
        self.fresh_for -= 1;
        self.scene.daemon.pid()
    }
    async fn go(&mut self) {
        let key = self.scene.rotate();
        self.scene.lay_confirmation(&key);
        self.key = Some(key);
    }
    async fn is_complete(&mut self) -> bool {
        let key = self.key.as_ref();
        self.shop.key().as_ref() == key
            && self.scene.worker.key().as_ref() == key
            && self
                .scene
                .bao
                .read(PATH)
                .await
                .is_some_and(|found| key.is_some_and(|key| found["api_key"] == key.expose()))
    }
    async fn after_nothing(&mut self) {
        self.settled().await;
        assert_eq!(self.actions(), "");
    }
    async fn after_kill(&mut self) -> End {
        self.scene.daemon.kill9();
        self.start().await;
        self.settled().await;
        self.no_panic();
        End::Known(format!("arrived{}", self.actions()))
    }
    async fn after_failure(&mut self) -> End {
        let by_itself = self.came_right().await;
        self.no_panic();
        let end = match (by_itself, self.scene.daemon.is_running()) {
            (true, _) => "arrived",
            (false, true) => "arrived after a restart",
            (false, false) => "it ended, and the key arrived after a restart",
        };
        if !by_itself {
            self.scene.daemon.kill9();
            self.start().await;
        }
        self.settled().await;
        self.no_panic();
        End::Known(format!("{end}{}", self.actions()))
    }
    async fn close(&mut self) -> Vec<String> {
        if self.key.is_none() {
            return Vec::new();
        }
        self.settled().await;
        Vec::new()
    }
}

/// What is told of one rotation is no part of the next.
pub fn nothing_queued(status: &Value) -> Option<()> {
    (status["alerts"]["queued"] == 0).then_some(())
}

fn is_settled(credential: &Value, hex: &str) -> bool {
    let consumers = credential["consumers"].as_array().cloned().unwrap_or_default();
    let in_use = |consumer: &Value| consumer["proof"] == "in_use" && consumer["fingerprint"] == hex;
    credential["phase"] == "steady" && consumers.len() == 3 && consumers.iter().all(in_use)
}

/// An action that is counted, and tells the consumer to read its file.
fn reload(scratch: &Scratch, actions: &Path, url: &str) -> PathBuf {
    let (host, path) = url.trim_start_matches("http://").split_once('/').expect("an address and a path");
    let (address, port) = host.split_once(':').expect("a port");
    let text = format!(
        "#!/bin/bash\necho acted >> {}\nexec 3<>/dev/tcp/{address}/{port}\n\
        printf 'POST /{path} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\n\\r\\n' >&3\n\
        cat <&3 >/dev/null\n",
        actions.display()
    );
    let path = scratch.write("act", &text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
    path
}
