//! Two daemons between the same servers, each on a host of its own name, with one consumer on each host and one that
//! both can reach.

use crate::{
    rotation::{
        consumers::FileConsumer,
        stage::{Slot, Stage, credential},
    },
    world::{Daemon, Forward, Port, until},
};
use keyrelay::domain::Key;
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddrV4},
    time::Instant,
};

pub struct Pair {
    /// Its daemon is the one on `host-a`, which acts first.
    pub stage: Stage,
    pub b: Daemon,
    /// The way to the store of the one on `host-a`.
    pub way: Forward,
    /// What each configuration names as the store's address.
    ways: [Value; 2],
    pub slot: Slot,
    pub on_a: FileConsumer,
    pub on_b: FileConsumer,
    pub key: Key,
}

impl Pair {
    /// The one on `host-a` acts, the one on `host-b` stands by, and every consumer has the key.
    pub async fn running() -> Self {
        let stage = Stage::build().await;
        Self::on(stage).await
    }
    pub async fn on(stage: Stage) -> Self {
        let near = SocketAddrV4::new(Ipv4Addr::LOCALHOST, Port::free().number);
        let way = Forward::start(near, stage.bao.port()).await;
        let (a, b) = (json!(way.url()), json!(stage.bao.address()));
        Self::between(stage, way, [a, b]).await
    }
    /// Both reach these nodes of the store.
    pub async fn on_nodes(stage: Stage, nodes: &[String]) -> Self {
        let near = SocketAddrV4::new(Ipv4Addr::LOCALHOST, Port::free().number);
        let way = Forward::start(near, stage.bao.port()).await;
        Self::between(stage, way, [json!(nodes), json!(nodes)]).await
    }
    async fn between(mut stage: Stage, way: Forward, ways: [Value; 2]) -> Self {
        let slot = stage.slot("main");
        stage.pin(&slot);
        let key = stage.seed(&slot).await;
        stage.date_from_now();
        let on_a = FileConsumer::add(&mut stage, &slot, "on-a").await;
        let on_b = FileConsumer::add(&mut stage, &slot, "on-b").await;
        for (consumer, host) in [("on-a", "host-a"), ("on-b", "host-b")] {
            stage.config.set(&format!("credentials.main.consumers.{consumer}.host"), host);
        }
        stage.consumer(&slot, "copy", json!({"deliver": {"store": {"path": "teams/copy"}}, "prove": "none"}));
        stage.config.set("standby", true);
        let mut b = Daemon::new(&mut stage.config);
        (stage.daemon.host, b.host) = (Some("host-a"), Some("host-b"));
        let mut pair = Self { stage, b, way, ways, slot, on_a, on_b, key };
        pair.start_a().await;
        pair.a_acts().await;
        pair.start_b().await;
        pair.b_stands_by().await;
        pair.everybody_has(&pair.key.clone()).await;
        pair
    }

    pub async fn start_a(&mut self) {
        self.stage.config.set("store.vault.address", self.ways[0].clone());
        self.stage.daemon.configure(&mut self.stage.config);
        self.start_again_a().await;
    }
    pub async fn start_again_a(&mut self) {
        self.stage.daemon.start_up().await;
    }
    pub async fn start_b(&mut self) {
        self.stage.config.set("store.vault.address", self.ways[1].clone());
        self.b.configure(&mut self.stage.config);
        self.start_again_b().await;
    }
    pub async fn start_again_b(&mut self) {
        self.b.start_up().await;
    }

    pub async fn a_acts(&mut self) {
        self.stage.daemon.wait_status("host-a acts", acts).await;
    }
    pub async fn b_acts(&mut self) {
        self.b.wait_status("host-b acts", acts).await;
    }
    pub async fn a_stands_by(&mut self) {
        self.stage.daemon.wait_status("host-a stands by", |status| stands_by(status, "host-b")).await;
    }
    pub async fn b_stands_by(&mut self) {
        self.b.wait_status("host-b stands by", |status| stands_by(status, "host-a")).await;
    }
    /// Waits until the other one has taken over, and says how long that took.
    pub async fn b_takes_over(&mut self, what: &str) {
        let since = Instant::now();
        self.b_acts().await;
        println!("{what}: the other daemon acts after {} ms", since.elapsed().as_millis());
    }

    /// A new key by mail. Returns it.
    pub async fn rotate(&mut self) -> Key {
        let (old, new) = self.stage.rotate(&self.slot);
        self.stage.confirm(&self.slot, 1, &old, &new).await;
        self.key = new.clone();
        new
    }
    /// The key is in the store, in the copy, and with the consumers of both hosts.
    pub async fn everybody_has(&self, key: &Key) {
        until("everybody has the key", async || {
            let copy = self.stage.bao.read("teams/copy").await?;
            let document = self.stage.document(&self.slot).await?;
            let stored = [copy, document].iter().all(|found| found["api_key"] == key.expose());
            (stored && self.on_a.holds(key) && self.on_b.holds(key)).then_some(())
        })
        .await;
    }
    pub async fn generation(&self) -> u64 {
        let document = self.stage.document(&self.slot).await.expect("a key document");
        document["api_key_generation"].as_u64().unwrap_or(0)
    }
    pub async fn b_credential(&self) -> Value {
        credential(&self.b.status().await, "main")
    }
    /// No mail was sent twice, and no incident's step under two names.
    pub fn nobody_is_told_twice(&self) {
        let mails = self.stage.alerts();
        let ids: BTreeSet<_> = mails.iter().map(|mail| mail.message_id.clone()).collect();
        let subjects: BTreeSet<_> = mails.iter().map(|mail| mail.subject.clone()).collect();
        assert_eq!((ids.len(), subjects.len()), (mails.len(), mails.len()), "{mails:#?}");
    }
}

fn acts(status: &Value) -> Option<()> {
    (status["daemon"]["role"] == "active").then_some(())
}
fn stands_by(status: &Value, holder: &str) -> Option<()> {
    let daemon = &status["daemon"];
    (daemon["role"] == "standby" && daemon["holder"] == holder).then_some(())
}
