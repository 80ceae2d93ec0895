//! A machine with keyrelay installed, and all the servers around it. Secrets are systemd's: they lie in
//! `/etc/credstore`, and the configuration names them.

use crate::world::{Bao, Ca, Config, Dovecot, Ran, Sandbox, Scratch, Smtp, until};
use keyrelay::{
    demo::{
        consumer::{self, Consumer, Source},
        dns::{self, DnsServer, TxtBehaviour},
        mails::{self, Fields},
        sign::Signer,
        simulator::{self, AccountId, Simulator},
    },
    domain::{Key, Timestamp},
};
use serde_json::{Value, json};
use std::{
    fs,
    time::{Duration, SystemTime},
};

pub const NAME: &str = "leaf7-main";
pub const PATH: &str = "vendors/leaf7/main";
pub const UNIT: &str = "keyrelay.service";
const CONFIG: &str = "/etc/keyrelay/config.yaml";
const PROJECT: &str = "2f0c6f2e-6a55-4c1e-9d0e-000000000001";
const KEY_FILE: &str = "/etc/shop/keyrelay/leaf7.key";

pub struct Site {
    pub sandbox: Sandbox,
    pub bao: Bao,
    pub smtp: Smtp,
    pub dovecot: Dovecot,
    pub config: Config,
    vendor: Simulator,
    account: AccountId,
    signer: Signer,
    next_date: Timestamp,
    _consumer: Consumer,
    _dns: DnsServer,
    _scratch: Scratch,
    _ca: Ca,
}

impl Site {
    /// Everything is installed and configured, the store holds a key, and the daemon is not started yet.
    pub async fn build() -> Option<Self> {
        Some(Self::in_box(Sandbox::boot().await?).await)
    }

    pub async fn in_box(sandbox: Sandbox) -> Self {
        let (ca, scratch) = (Ca::new(), Scratch::new());
        let (dovecot, smtp, bao) = tokio::join!(Dovecot::start(&ca), Smtp::start(&ca), Bao::start(&ca));
        let options =
            simulator::Options { limit: None, seed: seed(), key_random_chars: 32, ..Default::default() };
        let vendor = simulator::start(options).await.expect("a simulated vendor");
        let account = vendor.new_account(NAME, &[PROJECT]);
        let dns = dns::start().await.expect("a name server");
        let signer = Signer::generate("leaf7.fun", "s1").expect("a signing key");
        let (name, record) = signer.txt_record();
        dns.set(&name, TxtBehaviour::Records(vec![record]));
        sandbox.sh("PREFIX=/usr /srv/keyrelay/scripts/install --binary /srv/built/keyrelay").await;
        let source = Source::File { path: sandbox.outside(KEY_FILE).await, variable: None };
        let shop = consumer::Options::new("shop".parse().expect("a name"), source);
        let consumer = consumer::start(shop).await.expect("a consumer");
        let mut config = Config::new();
        config
            .set("store", bao.store(&["vendors/leaf7/*"]).await)
            .set("mailboxes.vendor-mail", dovecot.mailbox())
            .set("alerts", smtp.alerts(&["ops@example.com"]))
            .set("dns.servers", json!([dns.addr().to_string()]))
            .set("vendors.leaf7.base_url", vendor.base_url())
            .set("vendors.leaf7.limit", json!({"requests": 60_000, "per": "1m"}))
            .set("listen", "unix:/run/keyrelay/face.sock")
            .set(&format!("credentials.{NAME}"), credential(&consumer.url()));
        let key = vendor.current_key(account);
        bao.write(PATH, json!({"api_key": key.expose()})).await;
        let site = Self {
            sandbox,
            bao,
            smtp,
            dovecot,
            config,
            vendor,
            account,
            signer,
            next_date: Timestamp::from(SystemTime::now()).whole_secs(),
            _consumer: consumer,
            _dns: dns,
            _scratch: scratch,
            _ca: ca,
        };
        site.sandbox.write("/etc/keyrelay/ca.pem", "644", &site._ca.ca_pem()).await;
        site.sandbox.sh("install -d -o keyrelay -g keyrelay -m 750 /etc/shop/keyrelay").await;
        site.sandbox.drop_in(UNIT, "folders", "[Service]\nReadWritePaths=/etc/shop/keyrelay\n").await;
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
        self.sandbox.write(CONFIG, "644", &yaml_serde::to_string(&tree).expect("a configuration")).await;
        for (name, secret) in secrets {
            self.sandbox.write(&format!("/etc/credstore/{name}"), "600", &secret).await;
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

    /// The vendor makes a new key, and mails it.
    pub async fn rotate(&mut self) -> Key {
        let old = self.vendor.current_key(self.account);
        let key = self.vendor.rotate(self.account, Duration::from_secs(86_400));
        let (date, to) = (self.next_date, Dovecot::USER);
        self.next_date = date + Duration::from_secs(1);
        let fields = Fields { key: &key, old: &old, from: "security@leaf7.fun", to, date };
        let mail = self.signer.sign(&mails::confirmation(0, &fields));
        self.dovecot.deliver(&mail, "INBOX").await;
        key
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

fn seed() -> u64 {
    Timestamp::from(SystemTime::now()).as_millis().unsigned_abs()
}
