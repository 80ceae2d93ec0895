//! Three nodes of OpenBao, of which one is active at a time.

use super::{Bao, Ca, until};

pub struct Cluster {
    pub nodes: Vec<Bao>,
}

impl Cluster {
    pub async fn start(ca: &Ca) -> Self {
        let first = Bao::start(ca).await;
        let (second, third) = tokio::join!(Bao::join(ca, &first), Bao::join(ca, &first));
        Self { nodes: vec![first, second, third] }
    }

    pub fn addresses(&self) -> Vec<String> {
        self.nodes.iter().map(Bao::address).collect()
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
