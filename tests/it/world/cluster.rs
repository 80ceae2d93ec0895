//! Three nodes of OpenBao, of which one is active at a time.

use super::{Bao, Ca, Tap, until};
use reqwest::Method;
use serde_json::{Value, json};

pub struct Cluster {
    pub nodes: Vec<Bao>,
}

impl Cluster {
    pub async fn start(ca: &Ca) -> Self {
        let first = Self::first(ca).await;
        let (second, third) = tokio::join!(Bao::join(ca, &first), Bao::join(ca, &first));
        Self::voting(vec![first, second, third]).await
    }
    /// With a wire on the others' way to the third node.
    pub async fn start_tapped(ca: &Ca) -> (Self, Tap) {
        let first = Self::first(ca).await;
        let (second, (third, tap)) = tokio::join!(Bao::join(ca, &first), Bao::join_tapped(ca, &first));
        (Self::voting(vec![first, second, third]).await, tap)
    }
    async fn first(ca: &Ca) -> Bao {
        let mut first = Bao::start(ca).await;
        Self::expecting_others(&mut first).await;
        first
    }
    /// Two more nodes beside one that stood alone.
    pub async fn join_two(ca: &Ca, first: &mut Bao) -> [Bao; 2] {
        Self::expecting_others(first).await;
        let (second, third) = tokio::join!(Bao::join(ca, first), Bao::join(ca, first));
        Self::all_may_vote(first).await;
        [second, third]
    }
    async fn expecting_others(first: &mut Bao) {
        first.has_peers = true;
        // A node that joins may not vote before it has been steady for a while.
        let autopilot = json!({"server_stabilization_time": "1s"});
        first.must_call(Method::POST, "sys/storage/raft/autopilot/configuration", autopilot).await;
    }
    async fn voting(nodes: Vec<Bao>) -> Self {
        Self::all_may_vote(&nodes[0]).await;
        Self { nodes }
    }
    async fn all_may_vote(first: &Bao) {
        until("all three may vote", async || {
            let path = "sys/storage/raft/configuration";
            let (_, raft) = first.must_call(Method::GET, path, Value::Null).await;
            let servers = raft.pointer("/data/config/servers")?.as_array()?;
            let voters = servers.iter().filter(|server| server["voter"] == true);
            (voters.count() == 3).then_some(())
        })
        .await;
    }

    pub fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(Bao::address).collect()
    }

    /// The active node: what it reads is never old.
    pub async fn leader(&self) -> &Bao {
        &self.nodes[self.active().await]
    }

    /// Waits until one node is active, and says which.
    pub async fn active(&self) -> usize {
        until("a node is active", async || {
            for (at, node) in self.nodes.iter().enumerate() {
                if node.is_active().await {
                    return Some(at);
                }
            }
            None
        })
        .await
    }

    /// The active node steps down, and another one takes over; says which.
    pub async fn step_down(&self) -> usize {
        let before = self.active().await;
        self.nodes[before].step_down().await;
        until("another node is active", async || {
            let now = self.active().await;
            (now != before).then_some(now)
        })
        .await
    }
}
