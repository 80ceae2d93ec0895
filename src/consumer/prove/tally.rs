//! Adds up what several requests to one consumer showed. Pure.

use crate::domain::{Fingerprint, Instances, ProofLevel, ProofOutcome, Timestamp};
use std::collections::BTreeSet;

/// So many requests for each instance that is wanted: a load balancer may choose the same one again.
const REQUESTS_PER_INSTANCE: usize = 4;

/// What one request showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    Holds {
        instances: Vec<Option<String>>,
        last_401_at: Option<Timestamp>,
    },
    HoldsOther(Fingerprint),
    /// It answered, and that proves nothing.
    Nothing(String),
    Silence(String),
}

/// The state of asking one consumer at one or more addresses.
pub(super) struct Tally {
    /// Each must prove.
    urls: usize,
    /// So many distinct instances behind them must prove.
    wanted: Option<u32>,
    requests: usize,
    /// The addresses that proved, and the instances behind them, distinct by address and name.
    proven: BTreeSet<(usize, Option<String>)>,
    last_401_at: Option<Timestamp>,
    other: Option<Fingerprint>,
    nothing: Option<String>,
    silence: Option<String>,
    answered: bool,
}

impl Tally {
    pub fn new(urls: usize, wanted: Option<u32>) -> Self {
        Self {
            urls,
            wanted,
            requests: 0,
            proven: BTreeSet::new(),
            last_401_at: None,
            other: None,
            nothing: None,
            silence: None,
            answered: false,
        }
    }

    /// Whether another round is allowed and could change the outcome. Where nobody has answered so often as an
    /// answer was wanted, nobody is there.
    pub fn wants_more(&self) -> bool {
        let nobody_there = !self.answered && self.requests >= self.target();
        self.room() > 0 && !nobody_there && self.other.is_none() && !self.is_enough()
    }

    /// How many requests are left.
    pub fn room(&self) -> usize {
        let most = match self.wanted {
            _ if self.urls == 0 => 0,
            None => self.urls,
            Some(_) => self.urls.max(self.target() * REQUESTS_PER_INSTANCE),
        };
        most.saturating_sub(self.requests)
    }

    pub fn add(&mut self, url: usize, finding: Finding) {
        self.requests += 1;
        self.answered |= !matches!(finding, Finding::Silence(_));
        match finding {
            Finding::Holds { instances, last_401_at } => {
                if self.wanted.is_some_and(|wanted| wanted > 1) && instances.contains(&None) {
                    self.nothing = Some("the answer names no instance".into());
                }
                self.last_401_at = self.last_401_at.max(last_401_at);
                self.proven.extend(instances.into_iter().map(|instance| (url, instance)));
            }
            Finding::HoldsOther(fingerprint) => self.other = Some(fingerprint),
            Finding::Nothing(why) => self.nothing = Some(why),
            Finding::Silence(why) => self.silence = Some(why),
        }
    }

    /// `at`: when the consumer was asked.
    pub fn outcome(self, at: Timestamp) -> ProofOutcome {
        if let Some(fingerprint) = self.other {
            return ProofOutcome::OtherKey(fingerprint);
        }
        let instances = self.instances();
        if self.is_enough() {
            return ProofOutcome::Proven {
                level: ProofLevel::InUse,
                instances,
                at,
                last_401_at: self.last_401_at,
            };
        }
        let why = self.nothing.or(self.silence);
        if !self.answered {
            return ProofOutcome::Silent(why.unwrap_or_else(|| "no address is named".into()));
        }
        let counted =
            instances.wanted.map(|wanted| format!("{} of {wanted} instances proven", instances.proven));
        let why = counted.into_iter().chain(why).collect::<Vec<_>>().join("; ");
        ProofOutcome::Unproven { why, instances }
    }

    fn is_enough(&self) -> bool {
        let urls: BTreeSet<_> = self.proven.iter().map(|(url, _)| url).collect();
        !urls.is_empty() && urls.len() == self.urls && self.proven.len() >= self.target()
    }

    fn target(&self) -> usize {
        self.wanted.map_or(self.urls, |wanted| wanted.max(1) as usize)
    }

    fn instances(&self) -> Instances {
        let several = u32::try_from(self.urls).ok().filter(|urls| *urls > 1);
        Instances {
            proven: u32::try_from(self.proven.len()).unwrap_or(u32::MAX),
            wanted: self.wanted.or(several),
        }
    }
}

#[cfg(test)]
#[path = "tally_tests.rs"]
mod tests;
