//! The search for the node to ask.

use super::{
    super::{
        answer::{self, Condition},
        client::CONNECT_TIMEOUT,
        failure::NoAnswer,
    },
    Transport,
};
use tokio::task::JoinSet;

impl Transport {
    /// The node to ask, but none of those.
    pub(super) async fn node(&self, but: &[usize]) -> Result<usize, NoAnswer> {
        let nodes = &self.0.nodes;
        if let Some(active) = nodes.active().filter(|node| !but.contains(node)) {
            return Ok(active);
        }
        let _one_at_a_time = self.0.search.lock().await;
        match nodes.active().filter(|node| !but.contains(node)) {
            Some(found_by_another) => Ok(found_by_another),
            None => self.search(but).await,
        }
    }
    pub(super) async fn other_than(&self, tried: &[usize]) -> Option<usize> {
        match self.0.nodes.count() > tried.len() {
            true => self.node(tried).await.ok(),
            false => None,
        }
    }

    /// Asks all at once. Where none is active a standby has to do: it hands on what it is asked, or says to whom.
    async fn search(&self, but: &[usize]) -> Result<usize, NoAnswer> {
        let mut asked = JoinSet::new();
        for node in (0..self.0.nodes.count()).filter(|node| !but.contains(node)) {
            let inner = self.0.clone();
            asked.spawn(async move {
                let answer = inner.ask_health(node, CONNECT_TIMEOUT.min(inner.timeout)).await;
                (node, answer.map(|answer| answer::condition(&answer)))
            });
        }
        let (mut standby, mut reasons) = (None, Reasons::default());
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok((node, Ok(Condition::Active))) => {
                    self.0.nodes.found_active(node);
                    return Ok(node);
                }
                Ok((node, Ok(Condition::Standby))) => standby = standby.min(Some(node)).or(Some(node)),
                Ok((_, Ok(Condition::Sealed))) => reasons.sealed = true,
                Ok((node, Ok(Condition::Strange))) => {
                    reasons.away.push(format!("{}: it does not say how it is", self.0.nodes.name(node)));
                }
                Ok((_, Err(NoAnswer::NotSent(why) | NoAnswer::Lost(why)))) => reasons.away.push(why),
                Ok((_, Err(NoAnswer::Untrusted(why)))) => reasons.untrusted.push(why),
                Ok((_, Err(NoAnswer::Sealed))) => reasons.sealed = true,
                Err(_) => reasons.away.push("a question was cut off".to_owned()),
            }
        }
        standby.ok_or_else(|| reasons.into_no_answer())
    }
}

/// Why no node can be asked.
#[derive(Default)]
struct Reasons {
    sealed: bool,
    untrusted: Vec<String>,
    away: Vec<String>,
}

impl Reasons {
    fn into_no_answer(mut self) -> NoAnswer {
        self.away.sort();
        self.untrusted.sort();
        match (self.sealed, self.untrusted.is_empty()) {
            (true, _) => NoAnswer::Sealed,
            (false, false) => NoAnswer::Untrusted([self.untrusted, self.away].concat().join("; ")),
            (false, true) => NoAnswer::NotSent(self.away.join("; ")),
        }
    }
}
