//! Everything outside of the machine: store, mail servers, name server, and a vendor that rotates its key.

use crate::world::{Bao, Ca, Dovecot, Smtp, secrets};
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

pub const NAME: &str = "leaf7-main";
pub const PATH: &str = "vendors/leaf7/main";
pub const PROJECT: &str = "2f0c6f2e-6a55-4c1e-9d0e-000000000001";
const GRACE: Duration = Duration::from_secs(86_400);

pub struct Servers {
    pub bao: Bao,
    pub smtp: Smtp,
    pub dovecot: Dovecot,
    pub ca: Ca,
    vendor: Simulator,
    account: AccountId,
    signer: Signer,
    next_date: Timestamp,
    dns: DnsServer,
}

impl Servers {
    pub async fn start() -> Self {
        let ca = Ca::new();
        let (dovecot, smtp, bao) = tokio::join!(Dovecot::start(&ca), Smtp::start(&ca), Bao::start(&ca));
        let seed = now().as_millis().unsigned_abs();
        let options = Options { limit: None, seed, key_random_chars: 32, ..Options::calm(Kind::Leaf7) };
        let vendor = secrets::vendor(options).await;
        let account = vendor.new_account(NAME, &[PROJECT]);
        let dns = dns::start().await.expect("a name server");
        let signer = Signer::generate("leaf7.fun", "s1").expect("a signing key");
        let (name, record) = signer.txt_record();
        dns.set(&name, TxtBehaviour::Records(vec![record]));
        Self { bao, smtp, dovecot, ca, vendor, account, signer, next_date: now().whole_secs(), dns }
    }

    /// What a configuration of the tests has besides: the vendor and the name server with its DKIM key, which nobody has a
    /// second time, and a face that needs no port, as boxes share them.
    pub fn simulated(&self) -> Value {
        json!({
            "listen": "unix:/run/keyrelay/face.sock",
            "dns": {"servers": [self.dns.addr().to_string()]},
            "vendors": {"leaf7": {"base_url": self.vendor.base_url(), "limit": {"requests": 60_000, "per": "1m"}}},
        })
    }

    pub fn key(&self) -> Key {
        self.vendor.current_key(self.account)
    }
    /// The vendor makes a new key, of which nobody is told.
    pub fn replace_key(&self) -> Key {
        self.vendor.rotate(self.account, GRACE)
    }
    /// The vendor makes a new key, and mails it.
    pub async fn rotate(&mut self) -> Key {
        let old = self.key();
        let key = self.replace_key();
        let (date, to) = (self.next_date.max(now().whole_secs()), Dovecot::USER);
        self.next_date = date + Duration::from_secs(1);
        let fields = Fields { key: &key, old: &old, from: "security@leaf7.fun", to, date };
        let mail = self.signer.sign(&mails::confirmation(0, &fields));
        self.dovecot.deliver(&mail, "INBOX").await;
        key
    }
    /// Waits for the alert mail with this code.
    pub async fn mailed(&self, code: &str) -> String {
        let header = format!("X-Keyrelay-Code: {code}\r\n");
        self.smtp.wait_for(code, |mail| mail.contains(&header)).await
    }
}

fn now() -> Timestamp {
    SystemTime::now().into()
}
