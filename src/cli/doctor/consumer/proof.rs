//! A consumer's proof, asked for now and with the current key, and compared with what it should reach.

use super::{
    super::{Site, finding::Line, store::Keys},
    Whose,
};
use crate::{
    cli::work,
    consumer::{
        Prove, Settings,
        prove::{Http, Prover, Question, report},
        unit::{UnitName, Units},
    },
    domain::{Key, ProofOutcome, Timestamp},
    face::status::Status,
    store::{Read, Store},
};
use std::{path::Path, sync::Arc, time::Duration};

/// What a question needs.
pub enum Given {
    Keys {
        current: Key,
        others: Vec<Key>,
        written_at: Timestamp,
    },
    /// The key is the daemon's alone: what it last saw.
    Daemon {
        good: bool,
        words: String,
    },
    Nothing(String),
}

impl Given {
    pub fn key(&self) -> Option<&Key> {
        match self {
            Given::Keys { current, .. } => Some(current),
            Given::Daemon { .. } | Given::Nothing(_) => None,
        }
    }

    pub fn of(whose: &Whose, keys: &Keys, daemon: Option<&Status>) -> Self {
        if let Some(known) = keys.get(&whose.credential) {
            let (current, others) = (known.current.clone(), known.others.clone());
            return Given::Keys { current, others, written_at: known.written_at };
        }
        let credential = daemon.and_then(|status| status.credential(&whose.credential));
        let seen =
            credential.and_then(|it| it.consumers.iter().find(|consumer| consumer.name == whose.consumer));
        match seen {
            Some(consumer) => {
                let at = consumer.at.map(|at| format!(" at {}", at.minutes())).unwrap_or_default();
                let why = consumer.error.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
                let words = format!("{}, as the daemon saw{at}{why}", consumer.proof.words());
                Given::Daemon { good: consumer.is_good(), words }
            }
            None => Given::Nothing(keys.missing().to_owned()),
        }
    }
}

/// Asks all consumers.
pub struct Asker {
    prover: Prover,
}

impl Asker {
    pub fn new(site: &Site) -> Self {
        Self { prover: Prover::new(&site.limits) }
    }

    pub async fn ask(
        &self,
        site: &Arc<Site>,
        whose: &Whose,
        settings: &Settings,
        given: Given,
        store: Option<&Store>,
    ) -> Line {
        let tried = whose.tried("proof");
        let (current, others, written_at) = match given {
            Given::Keys { current, others, written_at } => (current, others, written_at),
            Given::Daemon { good: true, words } => return Line::ok(tried, words),
            Given::Daemon { good: false, words } => return Line::failed(tried, words).command(whose.prove()),
            Given::Nothing(why) => return Line::skipped(tried, why),
        };
        let (credential, consumer) = (&whose.credential, &whose.consumer);
        let question = Question { credential, consumer, key: &current, others: &others, now: work::now() };
        let outcome = match &settings.prove {
            None => match settings.unit_to_prove() {
                Some((unit, file)) => loaded(site, unit, file).await,
                None => return Line::skipped(tried, "there is nothing to ask it by"),
            },
            Some(Prove::Http { urls, instances, ca_cert, bearer }) => {
                let (ca_cert, bearer) = (ca_cert.as_deref(), bearer.as_ref());
                self.prover.http(&Http { urls, instances: *instances, ca_cert, bearer }, &question).await
            }
            Some(Prove::Command { run }) => command(site, whose, run, current.clone(), others.clone()).await,
            Some(Prove::Report { within }) => reported(site, store, &question, *within, written_at).await,
        };
        line(tried, whose, settings, outcome)
    }
}

fn line(tried: String, whose: &Whose, settings: &Settings, outcome: ProofOutcome) -> Line {
    match outcome {
        ProofOutcome::Proven { level, instances, .. } if level >= settings.wanted => {
            let count = match (instances.proven, instances.wanted) {
                (proven, Some(wanted)) => format!(", {proven} of {wanted} instances"),
                (0 | 1, None) => String::new(),
                (proven, None) => format!(", {proven} instances"),
            };
            Line::ok(tried, format!("{}{count}", level.words()))
        }
        ProofOutcome::Proven { level, .. } => {
            let seen = format!("{}, and {} is wanted", level.words(), settings.wanted.words());
            Line::failed(tried, seen).command(whose.prove())
        }
        ProofOutcome::OtherKey(fingerprint) => {
            let which = if fingerprint.is_weak() { String::new() } else { format!(" ({fingerprint})") };
            Line::failed(tried, format!("it works with another key of this credential{which}"))
                .command(format!("keyrelay deliver {} --consumer {}", whose.credential, whose.consumer))
        }
        ProofOutcome::Unproven { why, .. } => Line::failed(tried, why).command(whose.prove()),
        ProofOutcome::Silent(why) => Line::failed(tried, format!("silent: {why}"))
            .advice(format!("see that {} runs, and answers where prove asks it", whose.consumer))
            .command(whose.prove()),
    }
}

/// The operator's program runs as the service would run it, and not as root.
async fn command(
    site: &Arc<Site>,
    whose: &Whose,
    run: &[String],
    key: Key,
    others: Vec<Key>,
) -> ProofOutcome {
    let (whose, run, limits) = (whose.clone(), run.to_vec(), site.limits.clone());
    let asked = site.waits_as_service(|| async move {
        let (credential, consumer) = (&whose.credential, &whose.consumer);
        let question = Question { credential, consumer, key: &key, others: &others, now: work::now() };
        Prover::new(&limits).command(&run, &question).await
    });
    asked.await.unwrap_or_else(ProofOutcome::Silent)
}

/// Whether the unit was started after its file was written.
async fn loaded(site: &Arc<Site>, unit: &UnitName, file: &Path) -> ProofOutcome {
    let (unit, file, limits) = (unit.clone(), file.to_owned(), site.limits.clone());
    let asked =
        site.waits_as_service(|| async move { Units::new(&limits).loaded(&unit, &file, work::now()).await });
    asked.await.unwrap_or_else(ProofOutcome::Silent)
}

async fn reported(
    site: &Site,
    store: Option<&Store>,
    question: &Question<'_>,
    within: Duration,
    since: Timestamp,
) -> ProofOutcome {
    let path = format!("{}/_reports/{}/{}", site.config.state_path, question.credential, question.consumer);
    let Some(store) = store else { return ProofOutcome::Silent("the store is not asked: see store".into()) };
    let report = match store.read(None, &path).await {
        Read::Present(document) => Some(document.fields.to_json()),
        Read::Absent | Read::Deleted { .. } => None,
        Read::Failed(trouble) => return ProofOutcome::Silent(trouble.to_string()),
    };
    report::judge(
        report.as_ref(),
        question,
        &report::Bounds { within, since, clock_skew: site.limits.clock_skew },
    )
}
