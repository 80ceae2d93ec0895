//! The servers around one daemon, and one credential for each test's story.

use crate::{
    rotation::{consumers, stage::credential},
    world::{Bao, Ca, Config, Daemon, Ran, Scratch, Smtp, secrets, until},
};
use keyrelay::{
    demo::{
        consumer::{Consumer, Source},
        simulator::{AccountId, Kind, Options, Simulator},
    },
    domain::{Key, Timestamp},
};
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, time::SystemTime};

pub struct Stage {
    pub bao: Bao,
    pub smtp: Smtp,
    pub vendor: Simulator,
    pub config: Config,
    pub daemon: Daemon,
    pub scratch: Scratch,
    _ca: Ca,
}

/// One credential with one consumer, which reads its key from a file before each use.
#[derive(Clone)]
pub struct Slot {
    pub name: String,
    pub path: String,
    pub account: AccountId,
    pub shop: Consumer,
    file: PathBuf,
}

impl Stage {
    /// All servers, and a configuration without credentials; the daemon is not started yet.
    pub async fn build() -> Self {
        Self::with(Kind::Legba).await
    }
    /// The same with another vendor.
    pub async fn with(kind: Kind) -> Self {
        let ca = Ca::new();
        let (smtp, bao) = tokio::join!(Smtp::start(&ca), Bao::start(&ca));
        // Keys differ from run to run: a leak of an earlier one is not taken for one of this.
        let seed = Timestamp::from(SystemTime::now()).as_millis().unsigned_abs();
        let options = Options { limit: None, seed, ..Options::calm(kind) };
        let vendor = secrets::vendor(options).await;
        let mut config = Config::new();
        config
            .set("store", bao.store(&["vendors/legba/*"]).await)
            .set("alerts", smtp.alerts(&["ops@example.com"]))
            .set("vendors.legba.base_url", "http://{host}")
            .set("vendors.legba.limit", json!({"requests": 60_000, "per": "1m"}));
        let daemon = Daemon::new(&mut config);
        Self { bao, smtp, vendor, config, daemon, scratch: Scratch::new(), _ca: ca }
    }

    /// A credential with an account of its own, whose first key is in the store and in the consumer's file.
    pub async fn slot(&mut self, name: &str) -> Slot {
        let slot = self.empty_slot(name).await;
        let key = self.vendor.current_key(slot.account);
        self.bao.write(&slot.path, json!({"api_key": key.expose()})).await;
        slot.put(&key);
        slot
    }
    /// The same without a key anywhere but at the vendor.
    pub async fn empty_slot(&mut self, name: &str) -> Slot {
        let account = self.vendor.new_account(name, &[]);
        let organization = self.vendor.organization(account);
        let host = self.vendor.base_url().replace("http://", "");
        let file = self.scratch.folder(name).join("legba.env");
        let source = Source::File { path: file.clone(), variable: Some("LEGBA_KEY".into()) };
        let shop = consumers::start("shop", source).await;
        let path = format!("vendors/legba/{name}");
        let consumer = json!({"deliver": {"file": {"path": file, "env": "LEGBA_KEY"}},
            "prove": {"http": {"url": shop.url()}}});
        self.config.set(
            &format!("credentials.{name}"),
            json!({"vendor": "legba", "path": path, "params": {"host": host, "org_uuid": organization},
                "consumers": {"shop": consumer}}),
        );
        Slot { name: name.into(), path, account, shop, file }
    }

    /// Writes the configuration, starts the daemon and waits until it is ready.
    pub async fn start(&mut self) {
        self.daemon.configure(&mut self.config);
        self.daemon.start_up().await;
        self.daemon.wait_ready().await;
    }
    /// A command with the daemon's configuration.
    pub async fn keyrelay(&self, args: &[&str]) -> Ran {
        self.daemon.run(args).await
    }
    /// The key document.
    pub async fn document(&self, slot: &Slot) -> Value {
        self.bao.read(&slot.path).await.expect("a key document")
    }
    /// The state document.
    pub async fn state(&self, slot: &Slot) -> Value {
        self.bao.read(&format!("keyrelay/{}", slot.name)).await.unwrap_or_default()
    }
    /// Waits for something of the credential.
    pub async fn wait<T>(&mut self, slot: &Slot, what: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        let what = format!("{}: {what}", slot.name);
        self.daemon.wait_status(&what, |status| look(&credential(status, &slot.name))).await
    }
    /// Waits until it is calm, with this key in use everywhere.
    pub async fn wait_settled(&mut self, slot: &Slot, key: &Key) {
        self.wait(slot, "all is well with the key", |found| {
            let current = found["fingerprint"] == key.fingerprint().hex();
            let calm = found["phase"] == "steady" && found["incidents"] == json!([]);
            (current && calm && consumers::all_in_use(found, &["shop"], key)).then_some(())
        })
        .await;
        assert!(slot.holds(key), "the consumer's file");
        assert_eq!(self.document(slot).await["api_key"], json!(key.expose()));
    }
    /// What lies in the spool beside its own files.
    pub fn spooled(&self) -> Vec<String> {
        let names = fs::read_dir(self.daemon.state_dir().join("spool")).into_iter().flatten();
        let names = names.map(|entry| entry.expect("a name").file_name().to_string_lossy().into_owned());
        let mut names: Vec<_> =
            names.filter(|name| name.ends_with(".key") || name.contains(".answer")).collect();
        names.sort();
        names
    }

    /// Ends the daemon in peace; every secret was looked for where its logs and mails are.
    pub async fn end(mut self) {
        assert_eq!(self.daemon.term().await.code(), Some(0), "the daemon ends in peace");
    }
}

impl Slot {
    /// As somebody else would write it.
    pub fn put(&self, key: &Key) {
        fs::write(&self.file, format!("LEGBA_KEY={}\n", key.expose())).expect("the consumer's file");
        fs::set_permissions(&self.file, fs::Permissions::from_mode(0o600)).expect("its mode");
    }
    pub fn holds(&self, key: &Key) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|text| text == format!("LEGBA_KEY={}\n", key.expose()))
    }
}

/// Waits until the vendor has rotated so often.
pub async fn rotated(vendor: &Simulator, times: u64) {
    until("the vendor has rotated", async || {
        (vendor.rotations().values().sum::<u64>() == times).then_some(())
    })
    .await;
}
