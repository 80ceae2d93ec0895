//! All the servers around one daemon, and what the vendor does. Every key that occurs is looked
//! for where no key may be, as in every test (`world::secrets`).

use crate::world::{Bao, Ca, Config, Daemon, Dovecot, Ran, Scratch, Smtp, secrets, until};
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
use std::time::{Duration, SystemTime};

pub const OPERATOR: &str = "ops@example.com";
pub const SENDER: &str = "security@leaf7.fun";
/// What the vendor's page says, and the profile with it.
pub const GRACE: Duration = Duration::from_secs(86_400);

pub struct Stage {
    pub dovecot: Dovecot,
    pub bao: Bao,
    pub smtp: Smtp,
    pub vendor: Simulator,
    pub signer: Signer,
    pub dns: DnsServer,
    pub config: Config,
    pub daemon: Daemon,
    /// The consumers' own files, where keys do belong.
    pub scratch: Scratch,
    /// The next mail's Date; signed Dates have whole seconds.
    pub next_date: Timestamp,
    slots: usize,
    pub ca: Ca,
}

/// One credential: an account at the vendor, and a place in the store.
#[derive(Clone)]
pub struct Slot {
    pub name: String,
    pub path: String,
    pub recipient: String,
    pub account: AccountId,
    pub project: String,
}

impl Stage {
    /// All servers, and a configuration without credentials; the daemon is not started yet.
    pub async fn build() -> Self {
        let ca = Ca::new();
        let (dovecot, smtp, bao) = tokio::join!(Dovecot::start(&ca), Smtp::start(&ca), Bao::start(&ca));
        let options =
            Options { limit: None, seed: seed(), key_random_chars: 32, ..Options::calm(Kind::Leaf7) };
        let vendor = secrets::vendor(options).await;
        let dns = dns::start().await.expect("a name server");
        let signer = Signer::generate("leaf7.fun", "s1").expect("a signing key");
        let (name, record) = signer.txt_record();
        dns.set(&name, TxtBehaviour::Records(vec![record]));
        let mut config = Config::new();
        config
            .set("store", bao.store(&["vendors/leaf7/*", "teams/*"]).await)
            .set("mailboxes.vendor-mail", dovecot.mailbox())
            .set("alerts", smtp.alerts(&[OPERATOR]))
            .set("dns.servers", json!([dns.addr().to_string()]))
            .set("vendors.leaf7.base_url", vendor.base_url())
            // The simulator lifts its limit, and keyrelay is told so.
            .set("vendors.leaf7.limit", json!({"requests": 60_000, "per": "1m"}));
        let daemon = Daemon::new(&mut config);
        let next_date = (now() - Duration::from_secs(3_600)).whole_secs();
        let scratch = Scratch::new();
        Self { dovecot, bao, smtp, vendor, signer, dns, config, daemon, scratch, next_date, slots: 0, ca }
    }

    /// A credential with an account of its own and no consumer; the account is not pinned.
    pub fn slot(&mut self, name: &str) -> Slot {
        self.slots += 1;
        let project = format!("2f0c6f2e-6a55-4c1e-9d0e-{:012x}", self.slots);
        let account = self.vendor.new_account(name, &[&project]);
        let (path, recipient) = (format!("vendors/leaf7/{name}"), format!("{name}@example.com"));
        let (name, key) = (name.to_owned(), format!("credentials.{name}"));
        self.config
            .set(&key, json!({"vendor": "leaf7", "path": path, "recipient": [recipient], "consumers": {}}));
        Slot { name, path, recipient, account, project }
    }
    pub fn pin(&mut self, slot: &Slot) {
        self.config.set(&format!("credentials.{}.account", slot.name), json!([slot.project]));
    }
    pub fn consumer(&mut self, slot: &Slot, name: &str, settings: Value) {
        self.config.set(&format!("credentials.{}.consumers.{name}", slot.name), settings);
    }

    /// Writes the configuration, starts the daemon and waits until it is ready.
    pub async fn start(&mut self) {
        self.daemon.configure(&mut self.config);
        self.daemon.start_up().await;
        self.daemon.wait_ready().await;
    }

    /// Ends in peace and begins anew: all that was to be written is written.
    pub async fn restart(&mut self) {
        assert_eq!(self.daemon.term().await.code(), Some(0), "the daemon ends in peace");
        self.daemon.start_up().await;
        self.daemon.wait_ready().await;
    }

    /// The vendor makes a new key. Returns the old one and the new one.
    pub fn rotate(&mut self, slot: &Slot) -> (Key, Key) {
        let old = self.vendor.current_key(slot.account);
        let new = self.vendor.rotate(slot.account, GRACE);
        (old, new)
    }
    /// Puts the account's current key into the store, as somebody did before keyrelay came.
    pub async fn seed(&self, slot: &Slot) -> Key {
        let key = self.vendor.current_key(slot.account);
        self.bao.write(&slot.path, json!({"api_key": key.expose()})).await;
        key
    }
    /// The fields of a mail to the slot's recipient, dated a second after the one before.
    pub fn fields<'a>(&mut self, slot: &'a Slot, old: &'a Key, key: &'a Key) -> Fields<'a> {
        let date = self.next_date;
        self.next_date = date + Duration::from_secs(1);
        Fields { key, old, from: SENDER, to: &slot.recipient, date }
    }
    /// Mails are dated from now on: graces begin now.
    pub fn date_from_now(&mut self) {
        self.next_date = now().whole_secs();
    }
    /// A confirmation, signed by the vendor.
    pub fn confirmation(&mut self, slot: &Slot, wording: usize, old: &Key, new: &Key) -> Vec<u8> {
        let fields = self.fields(slot, old, new);
        self.signer.sign(&mails::confirmation(wording, &fields))
    }
    /// One in INBOX; returns its Date.
    pub async fn confirm(&mut self, slot: &Slot, wording: usize, old: &Key, new: &Key) -> Timestamp {
        let date = self.next_date;
        let mail = self.confirmation(slot, wording, old, new);
        self.dovecot.deliver(&mail, "INBOX").await;
        date
    }
    /// A signed warning in INBOX; returns its Date.
    pub async fn warn(&mut self, slot: &Slot, wording: usize) -> Timestamp {
        let key = self.vendor.current_key(slot.account);
        let fields = self.fields(slot, &key, &key);
        let mail = self.signer.sign(&mails::warning(wording, &fields));
        self.dovecot.deliver(&mail, "INBOX").await;
        fields.date
    }

    /// Waits for an alert mail.
    pub async fn wait_mail(&self, what: &str, fits: impl Fn(&Alert) -> bool) -> Alert {
        until(&format!("a mail: {what}"), async || self.alerts().into_iter().find(|mail| fits(mail))).await
    }
    pub fn alerts(&self) -> Vec<Alert> {
        self.smtp.mails().iter().map(|mail| Alert::read(mail)).collect()
    }

    /// A command with the daemon's configuration.
    pub async fn keyrelay(&self, args: &[&str], stdin: &str) -> Ran {
        self.daemon.run_with(args, stdin).await
    }

    /// The credential in the status document.
    pub async fn credential(&self, slot: &Slot) -> Value {
        credential(&self.daemon.status().await, &slot.name)
    }
    /// Waits for something of the credential.
    pub async fn wait<T>(&mut self, slot: &Slot, what: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        let what = format!("{}: {what}", slot.name);
        self.daemon.wait_status(&what, |status| look(&credential(status, &slot.name))).await
    }
    /// Waits until this key is the current one.
    pub async fn wait_promoted(&mut self, slot: &Slot, key: &Key) {
        let hex = key.fingerprint().hex();
        self.wait(slot, "the new key is promoted", |credential| {
            (credential["fingerprint"] == hex).then_some(())
        })
        .await;
    }
    /// The key document.
    pub async fn document(&self, slot: &Slot) -> Option<Value> {
        self.bao.read(&slot.path).await
    }
    /// Versions ever written of key document and state document.
    pub async fn versions(&self, slot: &Slot) -> (u64, u64) {
        let state = format!("keyrelay/{}", slot.name);
        (self.bao.versions(&slot.path).await, self.bao.versions(&state).await)
    }

    /// Ends the daemon in peace; every secret was looked for where its logs and mails are.
    pub async fn end(mut self) {
        let status = self.daemon.term().await;
        assert_eq!(status.code(), Some(0), "the daemon ends in peace");
        let log = self.daemon.log();
        assert!(log.contains("TRACE"), "the log is written at TRACE");
        let (log, mails) = (log.len(), self.smtp.mails().len());
        drop(self);
        println!("{} secrets: none in {log} bytes of log, {mails} mails", secrets::count());
    }
}

/// An alert mail as its reader sees it.
#[derive(Debug, Clone)]
pub struct Alert {
    pub subject: String,
    pub text: String,
    pub code: String,
    pub message_id: String,
    pub references: Vec<String>,
}

impl Alert {
    pub fn read(mail: &str) -> Self {
        let mail = mail_parser::MessageParser::default().parse(mail.as_bytes()).expect("a mail");
        let text =
            |name: &str| mail.header(name).and_then(|value| value.as_text()).unwrap_or_default().to_owned();
        let ids = mail.references().as_text_list().unwrap_or_default();
        Self {
            subject: mail.subject().expect("a subject").to_owned(),
            text: mail.body_text(0).expect("a text").into_owned(),
            code: text("X-Keyrelay-Code").trim().to_owned(),
            message_id: mail.message_id().expect("a Message-ID").to_owned(),
            references: ids.iter().map(ToString::to_string).collect(),
        }
    }
}

pub fn now() -> Timestamp {
    SystemTime::now().into()
}

pub fn credential(status: &Value, name: &str) -> Value {
    let all = status["credentials"].as_array().expect("a list of credentials");
    all.iter().find(|credential| credential["name"] == name).cloned().unwrap_or_default()
}

/// The codes of its open incidents.
pub fn codes(credential: &Value) -> Vec<String> {
    let incidents = credential["incidents"].as_array().expect("a list of incidents");
    incidents.iter().map(|incident| incident["code"].as_str().expect("a code").to_owned()).collect()
}

/// Keys differ from run to run: a leak of an earlier one is not taken for one of this.
fn seed() -> u64 {
    now().as_millis().unsigned_abs()
}
