//! One consumer of each kind, and what each does by itself: read its file, read the store, report.

use super::stage::{Slot, Stage, now};
use crate::world::tool;
use keyrelay::{
    demo::consumer::{self, Consumer, Source},
    domain::{Key, ProofLevel},
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

/// `storefront`: a file, an action and a challenge; `web-shop`: reads the store by itself; `payments`: a copy in the
/// store; `crm`: a command that takes the key and one that proves it; `nightly-ci`: reports.
pub const NAMES: [&str; 5] = ["crm", "nightly-ci", "payments", "storefront", "web-shop"];

pub struct Consumers {
    pub storefront: FileConsumer,
    web_shop: Consumer,
    payments: Consumer,
    slot: Slot,
}

impl Consumers {
    pub async fn add(stage: &mut Stage, slot: &Slot) -> Self {
        let storefront = FileConsumer::add(stage, slot, "storefront").await;
        let (web_shop, payments) =
            (start("web-shop", Source::Told).await, start("payments", Source::Told).await);
        stage.consumer(slot, "web-shop", json!({"prove": {"http": {"url": web_shop.url()}}}));
        stage.consumer(
            slot,
            "payments",
            json!({"deliver": {"store": {"path": format!("teams/payments/{}", slot.name)}},
                "prove": {"http": {"url": payments.url()}}}),
        );
        stage.consumer(slot, "nightly-ci", json!({"prove": {"report": {"within": "20h"}}}));
        let (set, prove) = crm(stage, slot);
        stage.consumer(
            slot,
            "crm",
            json!({"deliver": {"command": {"run": [set]}}, "prove": {"command": {"run": [prove]}}}),
        );
        Self { storefront, web_shop, payments, slot: slot.clone() }
    }

    /// What those do that nobody hands the key to: they find it in the store, and the job reports.
    pub async fn read_the_store(&self, stage: &Stage) {
        let field = |document: Option<Value>| {
            document.and_then(|document| Key::parse(document["api_key"].as_str()?).ok())
        };
        if let Some(key) = field(stage.document(&self.slot).await) {
            let report = json!({"fingerprint": key.fingerprint().hex(), "at": now()});
            if self.web_shop.key().as_ref() != Some(&key) {
                let path = format!("keyrelay/_reports/{}/nightly-ci", self.slot.name);
                stage.bao.write(&path, report).await;
            }
            self.web_shop.tell(key);
        }
        if let Some(key) = field(stage.bao.read(&format!("teams/payments/{}", self.slot.name)).await) {
            self.payments.tell(key);
        }
    }
}

/// Reads its key from a file before each use; each time that it is told of a new one is counted.
pub struct FileConsumer {
    pub consumer: Consumer,
    pub file: PathBuf,
    actions: PathBuf,
}

impl FileConsumer {
    pub async fn add(stage: &mut Stage, slot: &Slot, name: &str) -> Self {
        let folder = stage.scratch.folder(&format!("{}/{name}", slot.name));
        let (file, actions) = (folder.join("leaf7.env"), folder.join("actions"));
        let source = Source::File { path: file.clone(), variable: Some("LEAF7_API_KEY".into()) };
        let consumer = start(name, source).await;
        let action = script(
            stage,
            &format!("{}/{name}/act", slot.name),
            &format!("echo acted >> {}", actions.display()),
        );
        stage.consumer(
            slot,
            name,
            json!({"deliver": {"file": {"path": file, "env": "LEAF7_API_KEY"}, "then": {"exec": [action]}},
                "prove": {"http": {"url": consumer.url()}}}),
        );
        Self { consumer, file, actions }
    }
    /// As somebody else would write it.
    pub fn put(&self, key: &Key) {
        let text = format!("LEAF7_API_KEY={}\n", key.expose());
        fs::write(&self.file, text).expect("the consumer's file");
        fs::set_permissions(&self.file, fs::Permissions::from_mode(0o600)).expect("its mode");
    }
    pub fn holds(&self, key: &Key) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|text| text == format!("LEAF7_API_KEY={}\n", key.expose()))
    }
    pub fn times_acted(&self) -> usize {
        fs::read_to_string(&self.actions).unwrap_or_default().lines().count()
    }
}

/// Whether all of these consumers were tested in use with this key.
pub fn all_in_use(credential: &Value, names: &[&str], key: &Key) -> bool {
    let consumers = credential["consumers"].as_array().expect("a list of consumers");
    let shown: Vec<_> = consumers.iter().map(|consumer| consumer["name"].as_str().expect("a name")).collect();
    assert_eq!(shown, names);
    let in_use = json!(ProofLevel::InUse);
    consumers.iter().all(|consumer| {
        consumer["proof"] == in_use
            && consumer["fingerprint"] == key.fingerprint().hex()
            && consumer["stale"] == false
    })
}

pub async fn start(name: &str, source: Source) -> Consumer {
    let name = name.parse().expect("a consumer's name");
    consumer::start(consumer::Options::new(name, source)).await.expect("a consumer")
}

pub fn script(stage: &Stage, name: &str, body: &str) -> PathBuf {
    program(stage, name, &format!("#!/bin/sh\n{body}\n"))
}
fn program(stage: &Stage, name: &str, text: &str) -> PathBuf {
    let path = stage.scratch.write(name, text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
    path
}

/// A command that keeps the key, and one that answers the challenge with it, as a consumer's author would write them.
fn crm(stage: &Stage, slot: &Slot) -> (PathBuf, PathBuf) {
    let key = stage.scratch.folder(&format!("{}/crm", slot.name)).join("key");
    let set = script(
        stage,
        &format!("{}/crm/set", slot.name),
        &format!("umask 077; cat > {0}.new && mv {0}.new {0}", key.display()),
    );
    let text = format!(
        r#"#!{python}
import hashlib, hmac, json, os
key = open("{key}", "rb").read()
lines = ["keyrelay-proof-v1", os.environ["KEYRELAY_CONSUMER"], os.environ["KEYRELAY_CHALLENGE"]]
print(json.dumps({{"proof": hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()}}))
"#,
        python = tool("python").display(),
        key = key.display(),
    );
    (set, program(stage, &format!("{}/crm/prove", slot.name), &text))
}
