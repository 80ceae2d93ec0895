//! A machine with keyrelay, an embedded store, and services that use the key.

use crate::{
    systemd::site::INSTALL,
    world::{Sandbox, secrets, until},
};
use keyrelay::{
    demo::simulator::{AccountId, Kind, Options, Simulator},
    domain::{Key, Timestamp},
};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const PROJECT: &str = "2f0c6f2e-6a55-4c1e-9d0e-000000000001";

pub struct Host {
    pub sandbox: Sandbox,
    vendor: Simulator,
    account: AccountId,
}

impl Host {
    /// Nothing but systemd, keyrelay's files and the secret of its store.
    pub async fn boot() -> Option<Self> {
        let sandbox = Sandbox::boot().await?;
        let seed = Timestamp::from(SystemTime::now()).as_millis().unsigned_abs();
        let options = Options { limit: None, seed, key_random_chars: 32, ..Options::calm(Kind::Leaf7) };
        let vendor = secrets::vendor(options).await;
        let account = vendor.new_account("main", &[PROJECT]);
        sandbox.sh(INSTALL).await;
        sandbox
            .sh("head -c 32 /dev/urandom | base64 | install -D -m 600 /dev/stdin /etc/credstore/master-key
                 install -d -o keyrelay /var/mail/rotation /var/mail/rotation/new /var/mail/rotation/cur")
            .await;
        Some(Self { sandbox, vendor, account })
    }

    /// A service with these lines in its `[Service]`.
    pub async fn service(&self, name: &str, lines: &str) {
        let path = format!("/etc/systemd/system/{name}.service");
        self.sandbox.write(&path, "644", &format!("[Service]\n{lines}\n")).await;
        self.sandbox.sh("systemctl daemon-reload").await;
    }

    /// Writes the configuration, installs what `keyrelay policy systemd` prints for it, and has the daemon run.
    pub async fn configure(&self, consumers: Value, policy: &str) {
        self.write_configuration(consumers).await;
        self.sandbox.sh(&format!("keyrelay policy systemd {policy} | sh")).await;
        self.sandbox.sh("systemctl restart keyrelay").await;
    }
    pub async fn write_configuration(&self, consumers: Value) {
        let config = json!({
            "store": {"local": {"master_key": {"credential": "master-key"}}},
            "mailboxes": {"mail": {"maildir": {"path": "/var/mail/rotation"}}},
            "listen": "off",
            "vendors": {"leaf7": {"base_url": self.vendor.base_url(), "limit": {"requests": 60_000, "per": "1m"}}},
            "credentials": {"main": {"vendor": "leaf7", "path": "vendors/leaf7/main", "account": [PROJECT],
                "recipient": ["rotation@example.com"], "consumers": consumers}},
        });
        let config = yaml_serde::to_string(&config).expect("a configuration");
        self.sandbox.write("/etc/keyrelay/config.yaml", "644", &config).await;
    }

    /// The vendor's current key, or one that it makes now, goes in by hand.
    pub async fn ingest(&self, new: bool) -> Key {
        let key = match new {
            true => self.vendor.rotate(self.account, Duration::from_secs(86_400)),
            false => self.vendor.current_key(self.account),
        };
        // It waits for the consumers, which the tests do by themselves.
        let script = "keyrelay ingest main --yes <&0 >/dev/null 2>&1 &";
        self.sandbox.sh_with(script, key.expose().as_bytes()).await;
        let hex = key.fingerprint().hex();
        until("the key is the current one", async || {
            let status = self.status().await;
            (status["credentials"][0]["fingerprint"] == hex).then_some(())
        })
        .await;
        key
    }

    pub async fn status(&self) -> Value {
        let ran = self.sandbox.run(&["keyrelay", "status", "--json"]).await;
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }
    /// A consumer in the status document.
    pub async fn consumer(&self, name: &str) -> Value {
        let status = self.status().await;
        let consumers = status["credentials"][0]["consumers"].as_array().expect("consumers").clone();
        consumers.into_iter().find(|consumer| consumer["name"] == name).expect("the consumer")
    }
    /// Waits until a consumer shows this level with this key, and nothing is wrong with it.
    pub async fn shows(&self, name: &str, level: &str, key: &Key) {
        until(&format!("{name} shows {level}"), async || {
            let consumer = self.consumer(name).await;
            let is_it = consumer["proof"] == level && consumer["fingerprint"] == key.fingerprint().hex();
            (is_it && consumer["error"].is_null()).then_some(())
        })
        .await;
    }
    /// Waits until this is what is wrong with a consumer.
    pub async fn fails(&self, name: &str, why: &str) {
        until(&format!("{name}: {why}"), async || {
            let consumer = self.consumer(name).await;
            consumer["error"].as_str().is_some_and(|error| error.contains(why)).then_some(())
        })
        .await;
    }

    pub async fn pid(&self, unit: &str) -> String {
        self.sandbox.show(unit, "MainPID").await
    }
    /// What a process of the service has in its environment.
    pub async fn variable(&self, unit: &str, name: &str) -> String {
        let pid = self.pid(unit).await;
        let script = format!("tr '\\0' '\\n' </proc/{pid}/environ | sed -n 's/^{name}=//p'");
        self.sandbox.sh(&script).await.trim_end().to_owned()
    }
}
