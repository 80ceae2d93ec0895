//! The round trips that a rotation cannot do without, each as bare as it can be, over connections that are open; to the
//! mail server and the store through proxies of their own, as the daemon's are.

use super::{
    proxy::Proxy,
    site::{PATH, Site},
};
use crate::world::Imap;
use keyrelay::domain::Key;
use mail_auth::hickory_resolver::proto::{
    op::{Message, Query},
    rr::{Name, RecordType},
};
use reqwest::Method;
use serde_json::{Value, json};
use std::{
    net::Ipv4Addr,
    str::FromStr,
    time::{Duration, Instant},
};
use tokio::net::UdpSocket;

pub struct Bare {
    imap: Imap,
    dns: UdpSocket,
    question: Vec<u8>,
    http: reqwest::Client,
    _mail: Proxy,
    store: Proxy,
    /// Trusts the store's certificate.
    https: reqwest::Client,
    /// Versions written for comparison.
    written: u64,
}

impl Bare {
    pub async fn open(site: &Site) -> Self {
        let dns = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
        dns.connect(site.dns.addr()).await.expect("an address");
        let name = Name::from_str(&format!("{}.", site.signer.txt_record().0)).expect("a name");
        let mut question = Message::query();
        question.add_query(Query::query(name, RecordType::TXT));
        let (mail, store) =
            (Proxy::start(site.dovecot.imap.number).await, Proxy::start(site.bao.port()).await);
        let trusted = reqwest::Certificate::from_pem(site.ca.ca_pem().as_bytes()).expect("a certificate");
        let https = reqwest::Client::builder().tls_certs_only([trusted]).no_proxy().build();
        Self {
            imap: session(mail.port()).await,
            _mail: mail,
            store,
            https: https.expect("a client"),
            dns,
            question: question.to_vec().expect("a question"),
            http: reqwest::Client::builder().no_proxy().build().expect("a client"),
            written: 0,
        }
    }

    /// Fetch, DKIM look-up, both probes, read, write, read back: one after the other.
    pub async fn round_trips(&mut self, site: &Site, old: &Key, new: &Key) -> Duration {
        self.imap.command("NOOP").await;
        let start = Instant::now();
        self.imap.command("UID FETCH * (UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.65536>)").await;
        self.look_up().await;
        for key in [old, new] {
            self.probe(site, key).await;
        }
        let document = self.call(site, Method::GET, PATH, &Value::Null).await;
        let (write, path) =
            (json!({"data": document["data"]["data"], "options": {"cas": self.written}}), "bench/bare");
        self.call(site, Method::POST, path, &write).await;
        self.call(site, Method::GET, path, &Value::Null).await;
        self.written += 1;
        start.elapsed()
    }

    async fn call(&self, site: &Site, method: Method, path: &str, body: &Value) -> Value {
        let url = format!("https://127.0.0.1:{}/v1/secret/data/{path}", self.store.port());
        let mut request = self.https.request(method, url).header("X-Vault-Token", site.bao.root_token());
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        serde_json::from_slice(&answer.bytes().await.expect("its body")).expect("JSON")
    }

    async fn look_up(&self) {
        self.dns.send(&self.question).await.expect("a question sent");
        let mut answer = [0; 4096];
        self.dns.recv(&mut answer).await.expect("an answer");
    }

    pub async fn probe(&self, site: &Site, key: &Key) {
        let url = format!("{}/api/vendor/projects/", site.vendor.base_url());
        let answer = self.http.get(url).bearer_auth(key.expose()).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.bytes().await.expect("its body");
    }
}

/// A logged-in session with INBOX open.
pub async fn session(port: u16) -> Imap {
    let mut imap = Imap::login(port).await;
    imap.command("EXAMINE INBOX").await;
    imap
}
