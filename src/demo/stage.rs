//! Everything that the demo needs, in one process and one temporary folder: vendor, name server, mailbox, store,
//! consumers, and a configuration that an operator could have written.

use super::{
    consumer::{self, Consumer, Source},
    dns::{self, DnsServer, TxtBehaviour},
    post::Post,
    scale,
    sign::Signer,
    simulator::{self, AccountId},
    vendor::Vendor,
};
use crate::{
    alert,
    config::{Config, Credential, Listen, Rotating, Schedules},
    consumer::{Deliver, FileForm, Prove, Settings},
    daemon,
    domain::{ConsumerName, Key, Limits, ProofLevel, Secret, Timestamp},
    mail::{MailboxSettings, dns as resolver, maildir},
    spool, store,
    store::{Fields, Store},
    vendor,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    time::SystemTime,
};

pub const RECIPIENT: &str = "rotation@example.com";
const SENDER_DOMAIN: &str = "leaf7.fun";
const PATH: &str = "vendors/leaf7/main";
/// Where a daemon that is not told otherwise listens, too.
const PAGE_PORT: u16 = 7718;
/// Name, and how long it goes on with its key after another one came.
const CONSUMERS: [(&str, u64); 3] =
    [("storefront", 0), ("nightly-report", 0), ("billing-worker", scale::LAG.as_secs())];

pub struct Stage {
    folder: Folder,
    vendor: Vendor,
    account: AccountId,
    dns: DnsServer,
    master_key: Secret,
    consumers: Vec<(ConsumerName, Consumer)>,
    /// Where its page is served.
    page: SocketAddr,
}

/// A folder that goes with the demo.
struct Folder(PathBuf);
impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies in the system's temporary folder, which is emptied by the system.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Stage {
    pub async fn build() -> Result<Self, String> {
        let folder = Folder(std::env::temp_dir().join(format!("keyrelay-demo-{}", std::process::id())));
        let maildir = folder.0.join("mail");
        for part in ["mail/new", "mail/cur", "mail/tmp", "consumers", "state"] {
            private_dir(&folder.0.join(part))?;
        }
        let dns = dns::start().await.map_err(|error| format!("the name server: {error}"))?;
        let signer = Signer::generate(SENDER_DOMAIN, "demo")?;
        let (name, record) = signer.txt_record();
        dns.set(&name, TxtBehaviour::Records(vec![record]));
        let seed = random_seed()?;
        let options = simulator::Options { seed, ..simulator::Options::default() };
        let simulator = simulator::start(options).await.map_err(|error| format!("the vendor: {error}"))?;
        let account = simulator.new_account("ours", &["2f0c6f2e-6a55-4c1e-9d0e-5a3c1f0d7b11"]);
        let mut stage = Self {
            vendor: Vendor {
                simulator,
                account,
                signer: std::sync::Arc::new(signer),
                maildir,
                post: Post::nasty(seed),
            },
            folder,
            account,
            dns,
            master_key: random_master_key()?,
            consumers: Vec::new(),
            page: free_address()?,
        };
        stage.seed_store().await?;
        stage.start_consumers().await?;
        Ok(stage)
    }

    /// The key that was in use before keyrelay came.
    fn first_key(&self) -> Key {
        self.vendor.simulator.current_key(self.account)
    }
    async fn seed_store(&self) -> Result<(), String> {
        let store = Store::open(&self.store_settings(), &Limits::default())?;
        let mut fields = Fields::default();
        fields.set("api_key", self.first_key().expose());
        match store.write(None, PATH, &fields, 0).await {
            crate::domain::WriteOutcome::Written { .. } => Ok(()),
            outcome => Err(format!("the store: {outcome:?}")),
        }
    }
    async fn start_consumers(&mut self) -> Result<(), String> {
        for (name, lag) in CONSUMERS {
            let name: ConsumerName = name.parse().map_err(|error| format!("{error}"))?;
            let path = self.env_file(name.as_str());
            write_private(&path, &format!("LEAF7_API_KEY={}\n", self.first_key().expose()))?;
            let source = Source::File { path, variable: Some("LEAF7_API_KEY".into()) };
            let mut options = consumer::Options::new(name.clone(), source);
            options.lags = vec![std::time::Duration::from_secs(lag)];
            let running =
                consumer::start(options).await.map_err(|error| format!("the consumer {name}: {error}"))?;
            self.consumers.push((name, running));
        }
        Ok(())
    }
    fn env_file(&self, consumer: &str) -> PathBuf {
        self.folder.0.join("consumers").join(format!("{consumer}.env"))
    }
    fn store_settings(&self) -> store::Settings {
        let dir = self.folder.0.join("store");
        store::Settings::Local(store::local::Settings { dir, master_key: self.master_key.clone() })
    }
    pub fn vendor(&self) -> Vendor {
        self.vendor.clone()
    }
    pub fn page_url(&self) -> String {
        format!("http://{}/", self.page)
    }
    pub fn control(&self) -> PathBuf {
        self.folder.0.join("control.sock")
    }
    pub fn folder(&self) -> &Path {
        &self.folder.0
    }

    /// What an operator would have written, as the reader would have read it.
    pub fn config(&self) -> Config {
        let overrides = serde_json::json!({
            "base_url": self.vendor.simulator.base_url(),
            "cadence": format!("{}s", scale::CADENCE.as_secs()),
            "notice_before": format!("{}s", scale::NOTICE_BEFORE.as_secs()),
            "grace": format!("{}s", scale::GRACE.as_secs()),
        });
        let names = || "leaf7".parse().ok();
        let overrides: BTreeMap<_, _> = names().map(|name| (name, overrides)).into_iter().collect();
        let vendors = vendor::resolve(&overrides).unwrap_or_default();
        let mailbox = "vendor-mail".parse().ok();
        let maildir = MailboxSettings::Maildir(maildir::Settings { path: self.vendor.maildir.clone() });
        let credential = names().map(|vendor| Credential {
            vendor,
            mailbox: mailbox.clone(),
            recipients: vec![RECIPIENT.into()],
            account: None,
            rotating: Rotating::default(),
            path: PATH.into(),
            field: "api_key".into(),
            hand_over_within: scale::GRACE,
            observe: false,
            consumers: self
                .consumers
                .iter()
                .map(|(name, running)| (name.clone(), self.settings(name, running)))
                .collect(),
        });
        Config {
            store: self.store_settings(),
            state_path: "keyrelay".into(),
            spool: spool::Settings { dir: self.folder.0.join("spool"), key: None },
            mailboxes: mailbox.map(|name| (name, maildir)).into_iter().collect(),
            authserv_ids: BTreeMap::new(),
            hygiene: BTreeMap::new(),
            dns: resolver::Settings { servers: vec![self.dns.addr()] },
            email: None,
            alerts: alert::Settings::default(),
            standby: false,
            written: Default::default(),
            listen: vec![Listen::Tcp(self.page)],
            control: self.control(),
            schedules: Schedules {
                mailbox_poll: "* * * * * *".into(),
                current_key_probe: "*/5 * * * * *".into(),
                consumer_prove: "*/10 * * * * *".into(),
            },
            vendors,
            credentials: "leaf7-main".parse().ok().zip(credential).into_iter().collect(),
            filled: BTreeMap::new(),
            state_dir: self.folder.0.join("state"),
            source: self.folder.0.join("config.yaml"),
        }
    }
    fn settings(&self, name: &ConsumerName, running: &Consumer) -> Settings {
        Settings {
            deliver: Some(Deliver::File {
                path: self.env_file(name.as_str()),
                form: FileForm::Env("LEAF7_API_KEY".into()),
                mode: 0o600,
                group: None,
            }),
            then: None,
            prove: Some(Prove::Http {
                urls: vec![running.url()],
                instances: None,
                ca_cert: None,
                bearer: None,
            }),
            wanted: ProofLevel::InUse,
            accepted: false,
            host: Some(daemon::host_name()),
        }
    }
}

/// The daemon's own port where it is free, else any.
fn free_address() -> Result<SocketAddr, String> {
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, PAGE_PORT));
    let listener = TcpListener::bind(usual).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let address = listener.and_then(|listener| listener.local_addr());
    address.map_err(|error| format!("no free port: {error}"))
}

fn private_dir(path: &Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|error| format!("{}: {error}", path.display()))
}
fn write_private(path: &Path, text: &str) -> Result<(), String> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| format!("{}: {error}", path.display()))
}
fn random_master_key() -> Result<Secret, String> {
    let mut bytes = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).map_err(|error| format!("no random bytes: {error}"))?;
    Ok(Secret::new(&STANDARD.encode(bytes.as_ref())))
}
fn random_seed() -> Result<u64, String> {
    getrandom::u64().map_err(|error| format!("no random bytes: {error}"))
}

/// The demo's clock is the machine's.
pub fn now() -> Timestamp {
    SystemTime::now().into()
}
