//! Everything around one operator: a store, the alert mails, a vendor with a dashboard, and two consumers.

use crate::rotation::stage::{Alert, OPERATOR, credential};
use crate::world::{Bao, Ca, Config, Daemon, Ran, Scratch, Smtp, secrets, until};
use keyrelay::{
    demo::{
        consumer::{self, Consumer, Source},
        simulator::{AccountId, Faults, Kind, Options, Simulator},
    },
    domain::{Key, Timestamp},
};
use serde_json::{Value, json};
use std::time::SystemTime;

pub const CONSUMERS: [&str; 2] = ["bot", "web"];

pub struct Desk {
    pub kind: Kind,
    pub bao: Bao,
    pub smtp: Smtp,
    pub vendor: Simulator,
    pub account: AccountId,
    pub config: Config,
    pub daemon: Daemon,
    /// Reads its file before each use.
    _bot: Consumer,
    /// Has the key that it was last told.
    pub web: Consumer,
    _scratch: Scratch,
    _ca: Ca,
}

pub fn vendor_name(kind: Kind) -> &'static str {
    match kind {
        Kind::LeafPad => "leafpad",
        Kind::Leadey => "leadey",
        Kind::Leaf7 | Kind::Legba | Kind::Example => panic!("no operator makes its keys"),
    }
}

impl Desk {
    /// All servers, and `main` without a key; the daemon is not started yet. The vendor counts no requests.
    pub async fn build(kind: Kind) -> Self {
        let mut desk = Self::build_with(Options { limit: None, ..Options::calm(kind) }).await;
        let unlimited = json!({"requests": 60_000, "per": "1m", "of": "key"});
        desk.config.set(&format!("vendors.{}.limit", vendor_name(kind)), unlimited);
        desk
    }
    /// The same with the vendor's own limits and faults.
    pub async fn build_with(options: Options) -> Self {
        let (ca, kind) = (Ca::new(), options.kind);
        let (smtp, bao) = tokio::join!(Smtp::start(&ca), Bao::start(&ca));
        let seed = now().as_millis().unsigned_abs();
        let vendor = secrets::vendor(Options { seed, ..options }).await;
        let account = vendor.new_account("main", &[]);
        let scratch = Scratch::new();
        let file = scratch.folder("bot").join("key");
        let source = Source::File { path: file.clone(), variable: None };
        let (bot, web) = (start("bot", source).await, start("web", Source::Told).await);
        let name = vendor_name(kind);
        let mut config = Config::new();
        config
            .set("store", bao.store(&["vendors/*"]).await)
            .set("alerts", smtp.alerts(&[OPERATOR]))
            .set(&format!("vendors.{name}.base_url"), vendor.base_url())
            .set(
                "credentials.main",
                json!({"vendor": name, "path": "vendors/main", "consumers": {
                    "bot": {"deliver": {"file": {"path": file}}, "prove": {"http": {"url": bot.url()}}},
                    "web": {"prove": {"http": {"url": web.url()}}},
                }}),
            );
        let daemon = Daemon::new(&mut config);
        Self { kind, bao, smtp, vendor, account, config, daemon, _bot: bot, web, _scratch: scratch, _ca: ca }
    }

    /// Writes the configuration, starts the daemon and waits until it is ready.
    pub async fn start(&mut self) {
        self.daemon.configure(&mut self.config);
        self.daemon.start_up().await;
        self.daemon.wait_ready().await;
    }
    /// Ends in peace and begins anew.
    pub async fn restart(&mut self) {
        assert_eq!(self.daemon.term().await.code(), Some(0), "the daemon ends in peace");
        self.daemon.start_up().await;
        self.daemon.wait_ready().await;
    }
    pub fn reload(&mut self) {
        self.daemon.configure(&mut self.config);
        self.daemon.sighup();
    }
    /// Ends the daemon in peace; every secret was looked for where its logs and mails are.
    pub async fn end(mut self) {
        assert_eq!(self.daemon.term().await.code(), Some(0), "the daemon ends in peace");
        drop(self);
    }

    /// One more key out of the dashboard; the others work on.
    pub fn new_key(&self) -> Key {
        self.vendor.create_key(self.account, None)
    }
    /// The account's first key is put in, and both consumers work with it.
    pub async fn first_key(&mut self) -> Key {
        let first = self.vendor.current_key(self.account);
        self.take_in(&first, &["--yes"]).await;
        first
    }
    /// This key is put in; it is the current one, and both consumers work with it.
    pub async fn take_in(&mut self, key: &Key, args: &[&str]) {
        self.web.tell(key.clone());
        let ran = self.ingest(key.expose(), args).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        self.wait("both consumers work with it", |found| all_in_use(found, key).then_some(())).await;
    }
    pub async fn ingest(&self, text: &str, args: &[&str]) -> Ran {
        self.daemon.run_with(&[&["ingest", "main"], args].concat(), text).await
    }
    /// A consumer says that the vendor refused it: the current key is asked about at once.
    pub async fn somebody_was_refused(&self) {
        let url = format!("{}/api/v1/credentials/main/unauthorized", self.daemon.url());
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let answer = client.post(url).json(&json!({})).send().await.expect("an answer");
        assert_eq!(answer.status(), 202);
    }
    pub fn set_faults(&self, faults: impl Into<Faults>) {
        self.vendor.set_faults(faults);
    }

    /// How the profile lets keyrelay write a key of this vendor, where its dashboard shows keys at all.
    pub fn label(&self, key: &Key) -> Option<String> {
        let shown = || format!("…{}", &key.expose()[key.expose().len() - 4..]);
        (self.kind == Kind::Leadey).then(shown)
    }
    pub async fn document(&self) -> Option<Value> {
        self.bao.read("vendors/main").await
    }
    pub async fn credential(&self) -> Value {
        credential(&self.daemon.status().await, "main")
    }
    pub async fn wait<T>(&mut self, what: &str, look: impl Fn(&Value) -> Option<T>) -> T {
        self.daemon.wait_status(what, |status| look(&credential(status, "main"))).await
    }
    pub fn alerts(&self) -> Vec<Alert> {
        self.smtp.mails().iter().map(|mail| Alert::read(mail)).collect()
    }
    pub async fn wait_mail(&self, code: &str, resolved: bool) -> Alert {
        let fits =
            |mail: &Alert| mail.code == code && mail.subject.starts_with("[keyrelay] resolved") == resolved;
        until(&format!("a mail: {code}, resolved: {resolved}"), async || self.alerts().into_iter().find(fits))
            .await
    }
    /// The old key is out of the key's document.
    pub async fn wait_retired(&self) {
        until("the old key leaves the document", async || {
            self.document().await.filter(|document| document.get("api_key_previous").is_none())
        })
        .await;
    }
}

pub fn all_in_use(credential: &Value, key: &Key) -> bool {
    crate::rotation::consumers::all_in_use(credential, &CONSUMERS, key)
}

async fn start(name: &str, source: Source) -> Consumer {
    consumer::start(consumer::Options::new(name.parse().expect("a name"), source)).await.expect("a consumer")
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
