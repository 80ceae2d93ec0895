//! Each consumer: its folder can be written, its programs can be run, and it works with the current key now.

mod delivery;
mod program;
mod proof;

use super::{
    Site,
    finding::{Area, Line},
    store::Keys,
};
use crate::{
    consumer::{
        Prove, Settings, Then,
        unit::{UnitName, Units, Verb},
    },
    domain::{ConsumerName, CredentialName, DeliveryOutcome},
    face::status::Status,
    store::Store,
};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Consumers that are asked at once.
const AT_ONCE: usize = 32;

/// Whose consumer it is.
#[derive(Clone)]
struct Whose {
    credential: CredentialName,
    consumer: ConsumerName,
}

impl Whose {
    /// The beginning of each of its lines.
    fn tried(&self, what: &str) -> String {
        format!("{}/{} {what}", self.credential, self.consumer)
    }
    fn prove(&self) -> String {
        format!("keyrelay prove {} --consumer {}", self.credential, self.consumer)
    }
}

pub async fn area(site: &Arc<Site>, keys: &Keys, daemon: Option<&Status>) -> Area {
    let mut area = Area::new("consumers");
    let all = site.credentials().flat_map(|(credential, settings)| {
        let whose = move |consumer: &ConsumerName| Whose {
            credential: credential.clone(),
            consumer: consumer.clone(),
        };
        settings.consumers.iter().map(move |(name, settings)| (whose(name), settings.clone()))
    });
    let prover = Arc::new(proof::Asker::new(site));
    let mut waiting = all.enumerate().collect::<Vec<_>>();
    waiting.reverse();
    let (mut asking, mut answers) = (JoinSet::new(), Vec::new());
    while !waiting.is_empty() || !asking.is_empty() {
        while asking.len() < AT_ONCE
            && let Some((number, (whose, settings))) = waiting.pop()
        {
            let (site, prover) = (site.clone(), prover.clone());
            let (given, store) = (proof::Given::of(&whose, keys, daemon), keys.store.clone());
            asking.spawn(async move {
                (number, one(&site, &prover, &whose, &settings, given, store.as_deref()).await)
            });
        }
        if let Some(Ok(answer)) = asking.join_next().await {
            answers.push(answer);
        }
    }
    answers.sort_by_key(|(number, _)| *number);
    answers.into_iter().flat_map(|(_, lines)| lines).for_each(|line| area.add(line));
    area
}

async fn one(
    site: &Arc<Site>,
    asker: &proof::Asker,
    whose: &Whose,
    settings: &Settings,
    given: proof::Given,
    store: Option<&Store>,
) -> Vec<Line> {
    if let Some(host) = settings.host.as_ref().filter(|host| **host != crate::daemon::host_name()) {
        return vec![Line::skipped(
            whose.tried("on another host"),
            format!("type keyrelay doctor on {host}"),
        )];
    }
    let delivery::Tried { mut lines, is_handed } =
        delivery::tried(site, whose, settings, given.key(), store).await;
    match &settings.then {
        None => {}
        Some(Then::Exec(argv)) => lines.push(program::runs(site, whose.tried("then"), argv).await),
        Some(Then::Unit(verb, unit)) => lines.push(right(site, whose, *verb, unit).await),
    }
    match &settings.prove {
        Some(Prove::Command { run }) => lines.push(program::runs(site, whose.tried("prove"), run).await),
        Some(Prove::Http { .. } | Prove::Report { .. }) | None => {}
    }
    // A program that cannot be run has been told of.
    let can_be_asked = settings.prove.is_some() || settings.unit_to_prove().is_some();
    if can_be_asked && lines.iter().all(|line| !line.level.is_failure()) {
        let line = asker.ask(site, whose, settings, given, store).await;
        // Who was not given the key yet cannot work with it: that is no failure before the daemon's first start.
        lines.push(if is_handed {
            line
        } else {
            line.at_most_warning("it was not handed the current key yet")
        });
    }
    lines
}

/// Whether systemd lets the service do it; nothing is restarted.
async fn right(site: &Arc<Site>, whose: &Whose, verb: Verb, unit: &UnitName) -> Line {
    let tried = whose.tried(&format!("{} of {unit}", verb.as_str()));
    let (unit, limits) = (unit.clone(), site.limits.clone());
    let asked = site.waits_as_service(move || async move { Units::new(&limits).rehearse(verb, &unit).await });
    match asked.await.unwrap_or_else(DeliveryOutcome::Failed) {
        DeliveryOutcome::Done => Line::ok(tried, "systemd would do it"),
        DeliveryOutcome::Failed(why) => Line::failed(tried, why).command("keyrelay policy systemd"),
    }
}
