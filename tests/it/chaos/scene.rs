//! One credential with three consumers between real servers, each reached through a proxy that can be slow or lossy.
//! The scene keeps the books: how many rotations there were, and what each version of the document was.

use crate::world::{Bao, Ca, Config, Daemon, Dovecot, Proxy, Scratch, Smtp, secrets, until};
use keyrelay::{
    demo::{
        consumer::{self, Consumer, Source},
        dns::{self, DnsServer, TxtBehaviour},
        mails::{self, Fields},
        sign::Signer,
        simulator::{AccountId, Kind, Options, Simulator},
    },
    domain::{Key, Timestamp},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

pub const NAME: &str = "leaf7-main";
pub const PATH: &str = "vendors/leaf7/main";
pub const OPERATOR: &str = "ops@example.com";
const SENDER: &str = "security@leaf7.fun";
const PROJECT: &str = "2f0c6f2e-6a55-4c1e-9d0e-000000000001";
const CONSUMERS: [&str; 3] = ["crm", "storefront", "worker"];
/// How long the simulated vendor lets the old key work.
const GRACE: Duration = Duration::from_secs(86_400);

pub struct Scene {
    pub dovecot: Dovecot,
    pub bao: Bao,
    pub smtp: Smtp,
    pub vendor: Simulator,
    pub dns: DnsServer,
    pub account: AccountId,
    /// On the way to the store, to the vendor, to a consumer.
    pub store: Proxy,
    pub api: Proxy,
    pub shop: Proxy,
    pub worker: Consumer,
    pub config: Config,
    pub daemon: Daemon,
    /// Signed Dates have whole seconds; each mail's is later than the one before.
    pub next_date: Timestamp,
    /// Promotions that must have happened.
    pub generation: u64,
    /// Versions that somebody else wrote.
    pub others: Vec<u64>,
    /// Versions of the document whose meaning has been looked at, and the fields of the last.
    versions_seen: u64,
    last_fields: Value,
    spool: PathBuf,
    pub signer: Signer,
    _scratch: Scratch,
    _storefront: Consumer,
    _crm: Consumer,
    _ca: Ca,
}

impl Scene {
    /// All servers, and a configuration; the daemon is not started yet.
    pub async fn build() -> Self {
        let ca = Ca::new();
        let (dovecot, smtp, bao) = tokio::join!(Dovecot::start(&ca), Smtp::start(&ca), Bao::start(&ca));
        let options = Options { limit: None, seed: seed(), ..Options::calm(Kind::Leaf7) };
        let vendor = secrets::vendor(options).await;
        let account = vendor.new_account(NAME, &[PROJECT]);
        let dns = dns::start().await.expect("a name server");
        let signer = Signer::generate("leaf7.fun", "s1").expect("a signing key");
        let (name, record) = signer.txt_record();
        dns.set(&name, TxtBehaviour::Records(vec![record]));
        let scratch = Scratch::new();
        let start = async |name: &str| {
            let source = Source::File { path: key_file(&scratch, name), variable: None };
            let options = consumer::Options::new(name.parse().expect("a name"), source);
            consumer::start(options).await.expect("a consumer")
        };
        let (crm, storefront, worker) = tokio::join!(start("crm"), start("storefront"), start("worker"));
        let store = Proxy::to(&bao.address(), Some(&ca.ca_pem())).await;
        let api = Proxy::to(&vendor.base_url(), None).await;
        let shop = Proxy::to(storefront.url().trim_end_matches("/keyrelay"), None).await;
        let urls = [crm.url(), format!("{}/keyrelay", shop.url()), worker.url()];
        let mut config = Config::new();
        config
            .set("store", bao.store(&["vendors/leaf7/*"]).await)
            .set("store.vault.address", store.url())
            .remove("store.vault.ca_cert")
            .set("mailboxes.vendor-mail", dovecot.mailbox())
            .set("alerts", smtp.alerts(&[OPERATOR]))
            .set("dns.servers", json!([dns.addr().to_string()]))
            .set("vendors.leaf7.base_url", api.url())
            .set("vendors.leaf7.limit", json!({"requests": 60_000, "per": "1m"}))
            .set(&format!("credentials.{NAME}"), credential(&scratch, &urls));
        let daemon = Daemon::new(&mut config);
        let spool = daemon.state_dir().join("spool");
        Self {
            dovecot,
            bao,
            smtp,
            vendor,
            dns,
            account,
            store,
            api,
            shop,
            worker,
            config,
            daemon,
            next_date: (now() - Duration::from_secs(4_000)).whole_secs(),
            generation: 0,
            others: Vec::new(),
            versions_seen: 0,
            last_fields: json!({}),
            spool,
            signer,
            _scratch: scratch,
            _storefront: storefront,
            _crm: crm,
            _ca: ca,
        }
    }
    /// With the daemon running, ready, and a first key in the store.
    pub async fn running() -> Self {
        let mut scene = Self::build().await;
        scene.start().await;
        let key = scene.rotate();
        scene.confirm(&key).await;
        scene.completed(&key).await;
        scene
    }
    /// Writes the configuration and starts the daemon.
    pub async fn start(&mut self) {
        self.daemon.configure(&mut self.config);
        self.daemon.start_up().await;
    }

    /// The vendor makes a new key, of which nobody is told yet.
    pub fn rotate(&mut self) -> Key {
        self.generation += 1;
        self.vendor.rotate(self.account, GRACE)
    }
    /// The vendor's mail with the new key arrives.
    pub async fn confirm(&mut self, key: &Key) {
        self.mail(key, mails::confirmation).await;
    }
    pub async fn warn(&mut self) {
        let key = self.vendor.current_key(self.account);
        self.mail(&key, mails::warning).await;
    }
    /// The confirmation is laid into the mailbox's files, whether the mail server runs or not. Returns the mail.
    pub fn lay_confirmation(&mut self, key: &Key) -> Vec<u8> {
        let mail = self.signed(key, mails::confirmation);
        self.dovecot.deliver_at(&mail, "INBOX", SystemTime::now());
        mail
    }
    async fn mail(&mut self, key: &Key, write: fn(usize, &Fields<'_>) -> Vec<u8>) {
        let mail = self.signed(key, write);
        self.dovecot.deliver(&mail, "INBOX").await;
    }
    fn signed(&mut self, key: &Key, write: fn(usize, &Fields<'_>) -> Vec<u8>) -> Vec<u8> {
        let date = self.next_date;
        self.next_date = date + Duration::from_secs(1);
        let fields = Fields { key, old: key, from: SENDER, to: Dovecot::USER, date };
        self.signer.sign(&write(0, &fields))
    }

    /// Waits for something in the credential's part of the status.
    pub async fn wait<T>(&mut self, what: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        self.daemon.wait_status(what, |status| look(&status["credentials"][0])).await
    }
    /// Waits until an incident of this code is open, of the credential or of nobody.
    pub async fn told(&mut self, code: &str) -> Value {
        let look =
            |status: &Value| open_incidents(status).into_iter().find(|incident| incident["code"] == code);
        self.daemon.wait_status(&format!("the incident {code} is open"), look).await
    }
    /// Waits for the alert mail with this code.
    pub async fn mailed(&self, code: &str) -> String {
        let header = format!("X-Keyrelay-Code: {code}\r\n");
        self.smtp.wait_for(code, |mail| mail.contains(&header)).await
    }
    /// Waits until none of this code is open.
    pub async fn resolved(&mut self, code: &str) {
        let look = |status: &Value| {
            open_incidents(status).iter().all(|incident| incident["code"] != code).then_some(())
        };
        self.daemon.wait_status(&format!("the incident {code} is over"), look).await;
    }
    /// Waits for a line in what the daemon has logged since `len`.
    pub async fn logged(&self, len: u64, line: &str) {
        let what = format!("the log says {line:?}");
        until(&what, async || self.daemon.log_since(len).contains(line).then_some(())).await;
    }

    /// The rotation to this key is complete: current in the store, every consumer tested in use with it, one promotion
    /// for each rotation so far, and nothing left in the spool.
    pub async fn completed(&mut self, key: &Key) {
        let (hex, generation) = (key.fingerprint().hex(), self.generation);
        let what = format!("generation {generation} is complete");
        self.wait(&what, |credential| {
            let consumers = credential["consumers"].as_array()?;
            let names: Vec<_> = consumers.iter().filter_map(|consumer| consumer["name"].as_str()).collect();
            let in_use = |consumer: &Value| consumer["proof"] == "in_use" && consumer["fingerprint"] == hex;
            let settled = credential["phase"] == "steady" && names == CONSUMERS;
            (settled && consumers.iter().all(in_use)).then_some(())
        })
        .await;
        self.audit(key).await;
        self.spool_is_empty().await;
    }
    pub async fn spool_is_empty(&self) {
        until("the spool is empty", async || self.spooled().is_empty().then_some(())).await;
    }
    /// What the document has become since the last look: one promotion, and besides it at most the removal of the key
    /// before.
    pub async fn audit(&mut self, key: &Key) {
        let versions = self.bao.versions(PATH).await;
        for version in self.versions_seen + 1..=versions {
            let path = format!("secret/data/{PATH}?version={version}");
            let (status, answer) = self.bao.must_call(Method::GET, &path, Value::Null).await;
            assert_eq!(status, 200, "version {version} can be read");
            let (fields, before) = (answer["data"]["data"].clone(), self.last_fields.clone());
            let (generation, earlier) = (generation(&fields), generation(&before));
            if self.others.contains(&version) {
                assert_eq!(generation, earlier, "somebody else promotes nothing");
            } else if generation == earlier {
                assert_eq!(
                    fields,
                    retired(before),
                    "version {version} removes the key before, and nothing else"
                );
            } else {
                assert_eq!(generation, earlier + 1, "version {version}");
                assert_eq!(
                    fields["api_key_previous"], before["api_key"],
                    "version {version} keeps the key before"
                );
                assert_ne!(fields["api_key_rotation_id"], before["api_key_rotation_id"]);
            }
            self.last_fields = fields;
        }
        self.versions_seen = versions;
        let (found, wanted) = (generation(&self.last_fields), self.generation);
        assert_eq!(found, wanted, "one promotion for each rotation");
        assert_eq!(self.last_fields["api_key"], key.expose());
        assert_eq!(self.last_fields["api_key_fingerprint"], key.fingerprint().hex());
    }
    /// Whether the document still names the key before the current one.
    pub async fn names_previous(&self) -> bool {
        let document = self.bao.read(PATH).await.expect("a key document");
        !document["api_key_previous"].is_null()
    }
    /// The keys that wait in the spool's folder, as file names.
    pub fn spooled(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.spool) else { return Vec::new() };
        let names = entries.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.ends_with(".key")).collect()
    }
    /// From the next start on.
    pub fn use_spool(&mut self, dir: &Path) {
        self.config.set("spool.dir", dir.display().to_string());
        self.spool = dir.to_owned();
    }
    /// Waits until the key lies in the spool.
    pub async fn in_spool(&self) {
        until("the key is in the spool", async || (!self.spooled().is_empty()).then_some(())).await;
    }
}

/// One consumer with a file and an action, one with a file alone, one with a command; each is challenged.
fn credential(scratch: &Scratch, urls: &[String; 3]) -> Value {
    let keep = keep_command(scratch, &key_file(scratch, "crm"));
    json!({"vendor": "leaf7", "path": PATH, "account": [PROJECT], "consumers": {
        "crm": {"deliver": {"command": {"run": [keep]}}, "prove": {"http": {"url": urls[0]}}},
        "storefront": {"deliver": {"file": {"path": key_file(scratch, "storefront")}, "then": {"exec": ["/bin/true"]}},
            "prove": {"http": {"url": urls[1]}}},
        "worker": {"deliver": {"file": {"path": key_file(scratch, "worker")}}, "prove": {"http": {"url": urls[2]}}},
    }})
}
fn key_file(scratch: &Scratch, name: &str) -> PathBuf {
    scratch.folder(name).join("key")
}

fn open_incidents(status: &Value) -> Vec<Value> {
    let lists = [&status["incidents"], &status["credentials"][0]["incidents"]];
    lists.iter().filter_map(|list| list.as_array()).flatten().cloned().collect()
}

fn generation(fields: &Value) -> u64 {
    fields["api_key_generation"].as_u64().unwrap_or(0)
}
fn retired(mut fields: Value) -> Value {
    let document = fields.as_object_mut().expect("a document");
    document.remove("api_key_previous").expect("a key before");
    document.remove("api_key_previous_expires_at").expect("its end");
    fields
}

/// A command that takes the key on standard input and keeps it in a file.
fn keep_command(scratch: &Scratch, file: &Path) -> PathBuf {
    let text = format!("#!/bin/sh\numask 077; cat > {0}.new && mv {0}.new {0}\n", file.display());
    let path = scratch.write("keep", &text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
    path
}

pub fn now() -> Timestamp {
    SystemTime::now().into()
}

fn seed() -> u64 {
    now().as_millis().unsigned_abs()
}
