//! Leaf7's key management by the built program: a real OpenBao has the vendor's key, a simulated vendor the customers'.
//! Each test goes its way without a daemon and beside one.

mod generation;
mod operations;
mod refusals;
mod rotation;
mod terminal;

use crate::world::{Bao, Ca, Config, Daemon, Ran, Scratch, secrets};
use keyrelay::{
    demo::simulator::{self, AccountId, Kind, Simulator},
    domain::Key,
};
use serde_json::{Value, json};
use std::{fs, time::Duration};

const PROJECT: &str = "2f0c6f2e-6a55-4c1e-9d0e-000000000001";
const PATH: &str = "vendors/leaf7/main";

/// A vendor with one customer, whose key is in the store.
struct Office {
    bao: Bao,
    vendor: Simulator,
    account: AccountId,
    config: Config,
    daemon: Daemon,
    dir: Scratch,
    _ca: Ca,
}

impl Office {
    async fn new() -> Self {
        Self::with(calm(), |_, _| {}).await
    }

    /// `change` has the last word about the configuration.
    async fn with(options: simulator::Options, change: impl FnOnce(&mut Config, &Simulator)) -> Self {
        let ca = Ca::new();
        let bao = Bao::start(&ca).await;
        let vendor = secrets::vendor(options).await;
        let account = vendor.new_account("shop", &[PROJECT]);
        let dir = Scratch::new();
        for folder in ["mail/new", "mail/cur", "mail/tmp"] {
            dir.folder(folder);
        }
        let mut config = Config::new();
        config
            .set("store", bao.store(&["vendors/leaf7/*"]).await)
            .set("mailboxes.vendor-mail.maildir.path", dir.join("mail").display().to_string())
            .set("vendors.leaf7.base_url", vendor.base_url())
            // The simulator lifts its limit, and keyrelay is told so.
            .set("vendors.leaf7.limit", json!({"requests": 60_000, "per": "1m"}))
            .set("credentials.leaf7-main", credential(PATH, PROJECT));
        change(&mut config, &vendor);
        bao.write(PATH, json!({"api_key": vendor.current_key(account).expose()})).await;
        let daemon = Daemon::new(&mut config);
        Self { bao, vendor, account, config, daemon, dir, _ca: ca }
    }

    fn key(&self) -> Key {
        self.vendor.current_key(self.account)
    }

    /// `keyrelay leaf7 …`
    async fn leaf7(&self, args: &[&str]) -> Ran {
        self.daemon.run(&[&["leaf7"], args].concat()).await
    }
    /// The same; it has to go well.
    async fn done(&self, args: &[&str]) -> String {
        let ran = self.leaf7(args).await;
        assert_eq!(ran.code, Some(0), "{args:?}: {ran:?}");
        ran.stdout
    }
    async fn json(&self, args: &[&str]) -> Value {
        let text = self.done(&[args, &["--json"]].concat()).await;
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
    /// What it says on standard error, without who does it; it ends with this code and says nothing else.
    async fn refused(&self, args: &[&str], code: i32) -> String {
        let ran = self.leaf7(args).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{args:?}: {ran:?}");
        let said = ran.stderr.lines().filter(|line| !line.starts_with("no daemon answers at "));
        said.map(|line| format!("{line}\n")).collect()
    }

    /// The vendor's customer's customers, by the ids of their keys.
    fn buyer_ids(&self) -> Vec<String> {
        ids(&self.vendor.buyer_keys(self.account))
    }

    /// No customer's key is in the log or in the state folder, where what changed something is written down.
    fn no_customers_key_is_written_down(&self) {
        let past = fs::read_to_string(self.history()).unwrap_or_default();
        let log = self.daemon.log();
        for id in self.buyer_ids() {
            assert!(!log.contains(&id) && !past.contains(&id), "{id} is written down");
        }
    }
    fn history(&self) -> std::path::PathBuf {
        self.daemon.state_dir().join("history/leaf7-main.leaf7.jsonl")
    }
    /// Operation, outcome and project of each line.
    fn lines(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.history()).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }
}

/// The vendor as it documents itself, without noise and without a limit.
fn calm() -> simulator::Options {
    simulator::Options { limit: None, ..simulator::Options::calm(Kind::Leaf7) }
}

fn credential(path: &str, project: &str) -> Value {
    json!({
        "vendor": "leaf7", "path": path, "recipient": "rotation@example.com",
        "account": [project], "consumers": {},
    })
}

fn ids(keys: &[Value]) -> Vec<String> {
    keys.iter().map(|key| key["key_id"].as_str().expect("a text").to_owned()).collect()
}

const DAY: Duration = Duration::from_secs(86_400);
