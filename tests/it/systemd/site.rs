//! A machine with keyrelay installed. Secrets are systemd's: they lie in `/etc/credstore`, and the configuration names
//! them. The one consumer is a shop that answers challenges with the key in its file.

use super::servers::{NAME, PATH, PROJECT, Servers};
use crate::world::{Config, Ran, Sandbox, until};
use keyrelay::{
    demo::consumer::{self, Consumer, Source},
    domain::Key,
};
use serde_json::{Value, json};
use std::fs;

pub const UNIT: &str = "keyrelay.service";
pub const CONFIG: &str = "/etc/keyrelay/config.yaml";
/// As the README's block does it, with the program that was built for the tests.
pub const INSTALL: &str = "CARGO_TARGET_DIR=/srv/target /srv/keyrelay/scripts/install";
const KEY_FILE: &str = "/etc/shop/keyrelay/leaf7.key";

pub struct Site {
    pub sandbox: Sandbox,
    pub servers: Servers,
    pub config: Config,
    _shop: Consumer,
}

impl Site {
    /// Everything is installed and configured, the store holds a key, and the daemon is not started yet.
    pub async fn build() -> Option<Self> {
        let sandbox = Sandbox::boot().await?;
        sandbox.sh(INSTALL).await;
        Some(Self::in_box(sandbox).await)
    }

    /// The same in a box where keyrelay is installed.
    pub async fn in_box(sandbox: Sandbox) -> Self {
        let servers = Servers::start().await;
        let source = Source::File { path: sandbox.outside(KEY_FILE).await, variable: None };
        let shop = consumer::Options::new("shop".parse().expect("a name"), source);
        let shop = consumer::start(shop).await.expect("a consumer");
        let simulated = servers.simulated();
        let mut config = Config::new();
        config
            .set("store", servers.bao.store(&["vendors/leaf7/*"]).await)
            .set("mailboxes.vendor-mail", servers.dovecot.mailbox())
            .set("alerts", servers.smtp.alerts(&["ops@example.com"]))
            .set("dns", simulated["dns"].clone())
            .set("vendors", simulated["vendors"].clone())
            .set("listen", simulated["listen"].clone())
            .set(&format!("credentials.{NAME}"), credential(&shop.url()));
        servers.bao.write(PATH, json!({"api_key": servers.key().expose()})).await;
        sandbox.write("/etc/keyrelay/ca.pem", "644", servers.ca.ca_pem()).await;
        sandbox.sh("install -d -o keyrelay -g keyrelay -m 750 /etc/shop/keyrelay").await;
        sandbox.drop_in(UNIT, "folders", "[Service]\nReadWritePaths=/etc/shop/keyrelay\n").await;
        let site = Self { sandbox, servers, config, _shop: shop };
        site.configure().await;
        site
    }

    /// Started, ready, and the shop tested.
    pub async fn running() -> Option<Self> {
        let site = Self::build().await?;
        site.start().await;
        site.wait_status("1 credential, all tested").await;
        Some(site)
    }

    /// Writes the configuration, and the secrets that it names.
    pub async fn configure(&self) {
        let mut tree: Value = yaml_serde::from_str(&self.config.yaml()).expect("a configuration");
        let mut secrets = Vec::new();
        for (place, name) in [
            ("/store/vault/auth/approle/secret_id", "vault-secret-id"),
            ("/mailboxes/vendor-mail/imap/password", "imap-password"),
            ("/alerts/email/smtp/password", "smtp-password"),
        ] {
            let reference = tree.pointer_mut(place).expect("a secret");
            let file = reference["file"].as_str().expect("a file").to_owned();
            *reference = json!({"credential": name});
            secrets.push((name, fs::read_to_string(file).expect("a secret")));
        }
        for place in ["/store/vault", "/mailboxes/vendor-mail/imap", "/alerts/email/smtp"] {
            tree.pointer_mut(place).expect("a server")["ca_cert"] = "/etc/keyrelay/ca.pem".into();
        }
        self.sandbox.write(CONFIG, "644", yaml_serde::to_string(&tree).expect("a configuration")).await;
        for (name, secret) in secrets {
            self.sandbox.write(&format!("/etc/credstore/{name}"), "600", secret).await;
        }
    }

    /// Returns when systemd calls it started.
    pub async fn start(&self) {
        self.sandbox.sh("systemctl start keyrelay").await;
    }
    pub async fn stop(&self) {
        self.sandbox.sh("systemctl stop keyrelay").await;
    }
    /// Waits until `systemctl status` shows this line.
    pub async fn wait_status(&self, line: &str) {
        self.sandbox.wait_show(UNIT, "StatusText", |shown| shown.contains(line)).await;
    }
    pub async fn show(&self, property: &str) -> String {
        self.sandbox.show(UNIT, property).await
    }
    pub async fn pid(&self) -> String {
        self.show("MainPID").await
    }
    pub async fn keyrelay(&self, args: &[&str]) -> Ran {
        self.sandbox.run(&[&["keyrelay"], args].concat()).await
    }
    /// The status document of the daemon that runs.
    pub async fn status(&self) -> Value {
        let ran = self.keyrelay(&["status", "--json"]).await;
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }
    /// Waits until this key is the current one and the shop is tested with it.
    pub async fn in_use(&self, key: &Key) {
        let hex = key.fingerprint().hex();
        until("the key is in use", async || {
            let shop = &self.status().await["credentials"][0]["consumers"][0];
            (shop["proof"] == "in_use" && shop["fingerprint"] == hex).then_some(())
        })
        .await;
    }
}

fn credential(url: &str) -> Value {
    json!({"vendor": "leaf7", "path": PATH, "account": [PROJECT], "consumers": {
        "shop": {"deliver": {"file": {"path": KEY_FILE}}, "prove": {"http": {"url": url}}}}})
}
