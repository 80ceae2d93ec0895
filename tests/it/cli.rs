//! The built program's commands, with and without a daemon: a local store, a simulated vendor and a consumer, all
//! on loopback.

mod alone;
mod beside_a_daemon;
mod configuration;
mod from_a_script;
mod going_back;
mod history;
mod hostile_mails;
mod needs_nothing;
mod refusals;
pub mod terminal;
mod watch;

use crate::world::{Config, Daemon, Ran, Scratch, secrets};
use keyrelay::{
    demo::{
        consumer::{self, Consumer, Source},
        simulator::{AccountId, Kind, Options, Simulator},
    },
    domain::Key,
};
use serde_json::{Value, json};
use std::fs;

/// A vendor with one customer, who has one consumer that reads a file.
struct Shop {
    vendor: Simulator,
    account: AccountId,
    consumer: Consumer,
    daemon: Daemon,
    dir: Scratch,
}

impl Shop {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// `change` has the last word about the configuration.
    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let vendor = secrets::vendor(Options { limit: None, ..Options::calm(Kind::Leaf7) }).await;
        let account = vendor.new_account("shop", &["p-1", "p-2"]);
        let dir = Scratch::new();
        let source = Source::File { path: dir.join("shop.key"), variable: None };
        let consumer =
            consumer::start(consumer::Options::new("storefront".parse().unwrap(), source)).await.unwrap();
        for folder in ["mail/new", "mail/cur", "mail/tmp"] {
            dir.folder(folder);
        }
        let master = dir.secret("master", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
        let mut config = Config::new();
        config
            .set("store.local", json!({"dir": dir.join("store"), "master_key": {"file": master}}))
            .set("spool.dir", dir.join("spool").display().to_string())
            .set("mailboxes.vendor-mail.maildir.path", dir.join("mail").display().to_string())
            .set("vendors.leaf7.base_url", vendor.base_url())
            .set(
                "credentials.leaf7-main",
                json!({
                    "vendor": "leaf7", "path": "vendors/leaf7/main", "recipient": "rotation@example.com",
                    "account": ["p-1"],
                    "consumers": {"storefront": {
                        "deliver": {"file": {"path": dir.join("shop.key")}},
                        "prove": {"http": {"url": consumer.url()}},
                    }},
                }),
            );
        change(&mut config);
        let daemon = Daemon::new(&mut config);
        Self { vendor, account, consumer, daemon, dir }
    }

    fn key(&self) -> Key {
        self.vendor.current_key(self.account)
    }

    async fn run(&self, args: &[&str]) -> Ran {
        self.daemon.run(args).await
    }

    async fn ingest(&self, key: &Key, args: &[&str]) -> Ran {
        let args = [&["ingest", "leaf7-main"], args].concat();
        self.daemon.run_with(&args, &format!("{}\n", key.expose())).await
    }

    /// The only credential, as `status --json` shows it.
    async fn credential(&self) -> Value {
        let ran = self.run(&["status", "--json"]).await;
        let document: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
        document["credentials"][0].clone()
    }

    fn delivered(&self) -> Option<String> {
        fs::read_to_string(self.dir.join("shop.key")).ok()
    }
}
