//! One credential with a local store, an empty mailbox, a simulated vendor and a mail server for the alerts. The store
//! holds no key at first, and operators are told so: `unseeded`.

use crate::world::{Ca, Config, Daemon, Scratch, Smtp, SmtpOptions, SmtpTls, secrets, until};
use keyrelay::demo::simulator::{AccountId, Kind, Options, Simulator};
use serde_json::{Value, json};
use std::fs;

pub struct Scene {
    pub smtp: Smtp,
    pub daemon: Daemon,
    pub config: Config,
    pub dir: Scratch,
    vendor: Simulator,
    account: AccountId,
    _ca: Ca,
}

impl Scene {
    /// Nothing is started but the servers.
    pub async fn build() -> Self {
        let ca = Ca::new();
        let smtp = Smtp::start_with(&ca, SmtpOptions { tls: SmtpTls::None, login: false }).await;
        let options = Options { limit: None, ..Options::calm(Kind::Leaf7) };
        let vendor = secrets::vendor(options).await;
        let account = vendor.new_account("shop", &["p-1"]);
        let dir = Scratch::new();
        for folder in ["mail/new", "mail/cur", "mail/tmp"] {
            dir.folder(folder);
        }
        let master = dir.secret("master", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
        let mut config = Config::new();
        config
            .set("store.local", json!({"dir": dir.join("store"), "master_key": {"file": master}}))
            .set("spool.dir", dir.join("spool").display().to_string())
            .set("mailboxes.vendor-mail.maildir.path", dir.join("mail").display().to_string())
            .set("alerts", smtp.alerts(&["ops@example.com"]))
            .set("vendors.leaf7.base_url", vendor.base_url())
            .set("schedules.mailbox_poll", "* * * * * *")
            .set("schedules.current_key_probe", "* * * * * *")
            .set("vendors.leaf7.limit", json!({"requests": 60_000, "per": "1m"}))
            .set(
                "credentials.main",
                json!({"vendor": "leaf7", "path": "vendors/leaf7/main", "recipient": "rotation@example.com",
                    "account": ["p-1"], "consumers": {}}),
            );
        let daemon = Daemon::new(&mut config);
        Self { smtp, daemon, config, dir, vendor, account, _ca: ca }
    }
    pub async fn start(&mut self) {
        self.daemon.configure(&mut self.config);
        self.daemon.start_up().await;
    }
    /// SIGKILL, and another process.
    pub async fn kill_and_start(&mut self) {
        self.daemon.kill9();
        self.daemon.start_up().await;
    }
    /// The key goes in by hand: what was wrong is over.
    pub async fn ingest(&self) {
        let key = self.vendor.current_key(self.account);
        let ran = self.daemon.run_with(&["ingest", "main", "--yes"], &format!("{}\n", key.expose())).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    /// Waits until this many notices wait on the way, and returns the file that keeps them.
    pub async fn kept(&self, channel: &str, count: usize) -> Value {
        let path = self.daemon.state_dir().join("alerts.json");
        until(&format!("{count} notices wait on {channel}"), async || {
            let file: Value = serde_json::from_str(&fs::read_to_string(&path).ok()?).expect("a whole file");
            let queue = file["channels"][channel]["queue"].as_array()?.len();
            (queue == count).then_some(file)
        })
        .await
    }
    /// Waits for a line in the log.
    pub async fn logged(&self, line: &str) {
        until(&format!("the log says {line:?}"), async || self.daemon.log().contains(line).then_some(()))
            .await;
    }
    /// Of the mails that have come, the code and the Message-ID of each.
    pub fn mails(&self) -> Vec<(String, String)> {
        let header = |mail: &str, name: &str| {
            let line = mail.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
            line.trim().to_owned()
        };
        let mails = self.smtp.mails();
        mails.iter().map(|mail| (header(mail, "X-Keyrelay-Code:"), header(mail, "Message-ID:"))).collect()
    }
    pub async fn wait_mails(&self, codes: &[&str]) {
        until(&format!("the mails {codes:?}"), async || {
            let came: Vec<_> = self.mails().into_iter().map(|(code, _)| code).collect();
            (came == codes).then_some(())
        })
        .await;
    }
}

/// The Message-ID of the first notice that waits for a mail.
pub fn first_id(kept: &Value) -> String {
    let notice = &kept["channels"]["mail"]["queue"][0]["notice"];
    format!("<{}.{}@example.com>", notice["incident"].as_str().expect("an incident"), notice["step"])
}
