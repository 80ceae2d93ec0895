//! A whole site: mail server, store, name server, vendor, and a daemon that is about to be configured.

use super::proxy::Proxy;
use crate::world::{Bao, Ca, Config, Daemon, Dovecot, secrets, until};
use keyrelay::{
    demo::{
        dns::{self, DnsServer, TxtBehaviour},
        mails::{self, Fields},
        sign::Signer,
        simulator::{AccountId, Kind, Options, Simulator},
    },
    domain::{Key, Timestamp},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime};

pub const PATH: &str = "vendors/leaf7/main";
const DAY: Duration = Duration::from_secs(86_400);

pub struct Site {
    pub ca: Ca,
    pub dovecot: Dovecot,
    pub bao: Bao,
    pub dns: DnsServer,
    pub signer: Signer,
    pub vendor: Simulator,
    pub account: AccountId,
    /// Before the mail server.
    pub mail: Proxy,
    /// Before the store.
    pub store: Proxy,
    /// Of the mail that was signed last.
    dated: Timestamp,
}

impl Site {
    /// The store holds the vendor's current key, and the mailbox is empty. The vendor answers at once, and as documented.
    pub async fn build() -> Self {
        Self::beside(Options::calm(Kind::Leaf7)).await
    }

    /// The same beside such a vendor, whose limit is lifted.
    pub async fn beside(options: Options) -> Self {
        let ca = Ca::new();
        let (dovecot, bao) = (Dovecot::start(&ca).await, Bao::start(&ca).await);
        let dns = dns::start().await.expect("a name server");
        let signer = Signer::generate("leaf7.fun", "bench").expect("a signing key");
        let (name, record) = signer.txt_record();
        dns.set(&name, TxtBehaviour::Records(vec![record]));
        let vendor = secrets::vendor(Options { limit: None, ..options }).await;
        let account = vendor.new_account("ours", &["2f0c6f2e-6a55-4c1e-9d0e-5a3c1f0d7b11"]);
        bao.write(PATH, json!({"api_key": vendor.current_key(account).expose()})).await;
        let mail = Proxy::start(dovecot.imap.number).await;
        let store = Proxy::start(bao.port()).await;
        Self { ca, dovecot, bao, dns, signer, vendor, account, mail, store, dated: Timestamp::MIN }
    }

    /// One credential with these consumers; mail server and store through their proxies, IMAP without TLS, so that the
    /// proxy can read it; the vendor's limit lifted, of which keyrelay uses a tenth.
    pub async fn config(&self, consumers: Value) -> Config {
        let mut mailbox = self.dovecot.mailbox();
        mailbox["imap"]["host"] = "127.0.0.1".into();
        mailbox["imap"]["port"] = self.mail.port().into();
        mailbox["imap"]["tls"] = "none".into();
        mailbox["imap"]["ca_cert"] = Value::Null;
        let mut store = self.bao.store(&["vendors/*"]).await;
        store["vault"]["address"] = format!("https://127.0.0.1:{}", self.store.port()).into();
        let mut config = Config::new();
        config
            .set("store", store)
            .set("mailboxes.vendor-mail", mailbox)
            .set("dns.servers", json!([self.dns.addr().to_string()]))
            .set("vendors.leaf7.base_url", self.vendor.base_url())
            .set("vendors.leaf7.limit", json!({"requests": 1_000_000, "per": "1m"}))
            .set("credentials.leaf7-main", json!({"vendor": "leaf7", "path": PATH, "consumers": consumers}));
        config
    }

    /// Rotates the key, and lays the confirmation into the mailbox. Signed dates have whole seconds: it waits for the
    /// next one.
    pub async fn rotate(&mut self, round: usize) -> Key {
        let last = self.dated.as_secs();
        self.dated = until("the next second", async || {
            let now = Timestamp::from(SystemTime::now());
            (now.as_secs() > last).then_some(now)
        })
        .await;
        let old = self.vendor.current_key(self.account);
        let new = self.vendor.rotate(self.account, DAY);
        let mail = self.confirmation(round, &new, &old, self.dated);
        self.dovecot.deliver_at(&mail, "INBOX", SystemTime::now());
        new
    }

    pub fn confirmation(&self, round: usize, key: &Key, old: &Key, date: Timestamp) -> Vec<u8> {
        let fields = Fields { key, old, from: "security@leaf7.fun", to: Dovecot::USER, date };
        self.signer.sign(&mails::confirmation(round, &fields))
    }

    /// When the answer to the write of the store's newest version passed: from then on the key can be read. The
    /// second moment is when the store says that it was busy with it.
    pub async fn promoted(&self) -> (Instant, Timestamp) {
        let metadata = self.bao.metadata(PATH).await.expect("a document");
        let version = metadata["current_version"].to_string();
        let created = metadata["versions"][&version]["created_time"].as_str().expect("a time").to_owned();
        let created = chrono::DateTime::parse_from_rfc3339(&created).expect("RFC 3339").timestamp_millis();
        let created = Timestamp::from_millis(created);
        (self.store.answered(created).expect("the write passed"), created)
    }
}

/// Starts the daemon without its trace, and waits until it has seeded the credential.
pub async fn start(daemon: &mut Daemon) {
    daemon.start_logging("warn");
    until("the daemon is ready", async || daemon.get("readyz").await.filter(|(status, _)| *status == 200))
        .await;
    settled(daemon, 0).await;
}

/// Waits until the rotation to this generation is over.
pub async fn settled(daemon: &mut Daemon, generation: usize) -> Value {
    daemon
        .wait_status(&format!("generation {generation} is settled"), |status| {
            let credential = &status["credentials"][0];
            let over = credential["phase"] == "steady" && credential["generation"] == generation;
            over.then(|| credential.clone())
        })
        .await
}
