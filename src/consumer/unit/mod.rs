//! Consumers that are systemd services: restarting or reloading one and watching what becomes of it, and showing
//! that it was started after its file was written. It asks systemd over D-Bus, once; whether to try again, and what
//! the answer means for a rotation, is the core's.

mod bus;
mod file;
mod find;
mod name;
mod reads;
mod state;

pub use bus::Verb;
pub use file::UnitFile;
pub use find::{Found, UnitFiles};
pub use name::{UnitName, UnitNameError};
pub use reads::{ReadAs, Reads};

use crate::domain::{
    ActionOutcome, DeliveryOutcome, Instances, Limits, ProofLevel, ProofOutcome, Timestamp, spell_duration,
};
use bus::{Bus, Mode, Refusal, Unit};
use state::State;
use std::{
    collections::BTreeMap,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// Asks systemd. One is enough for all consumers.
pub struct Units {
    bus: Bus,
    limits: Limits,
    /// Who acts on a unit. Two credentials may share one: the second restart would break the watch over the first.
    turns: Mutex<BTreeMap<UnitName, Arc<tokio::sync::Mutex<()>>>>,
}

impl Units {
    /// Makes no connection.
    pub fn new(limits: &Limits) -> Self {
        Self { bus: Bus::new(limits.request_timeout), limits: limits.clone(), turns: Mutex::default() }
    }

    /// Restarts or reloads the unit, and watches it for `unit_watch`: done when it is active with the same main
    /// process by then. One that fails is told at once.
    pub async fn act(&self, verb: Verb, name: &UnitName) -> ActionOutcome {
        let turn = self.turn(name);
        let _turn = turn.lock().await;
        match self.carry_out(verb, name).await {
            Ok(()) => ActionOutcome::Done,
            Err(why) => ActionOutcome::Failed(why),
        }
    }

    /// Whether [`Units::act`] would be allowed, without doing it.
    pub async fn rehearse(&self, verb: Verb, name: &UnitName) -> DeliveryOutcome {
        let asked = async {
            match self.bus.unit(name).await?.queue(verb, Mode::Refused).await {
                Ok(_) | Err(Refusal::Mode) => Ok(()),
                Err(Refusal::Other(why)) => Err(why),
            }
        };
        match asked.await {
            Ok(()) => DeliveryOutcome::Done,
            Err(why) => DeliveryOutcome::Failed(why),
        }
    }

    /// Whether the unit reads this file at its start, was started after the file was last changed, and stays up. One
    /// that was started just now is watched until it is `unit_watch` old: it may crash with what it has read.
    pub async fn loaded(&self, name: &UnitName, file: &Path, now: Timestamp) -> ProofOutcome {
        let instances = Instances::default();
        match self.look(name, file, now).await {
            Err(why) => ProofOutcome::Silent(why),
            Ok(Some(why)) => ProofOutcome::Unproven { why, instances },
            Ok(None) => {
                ProofOutcome::Proven { level: ProofLevel::Loaded, instances, at: now, last_401_at: None }
            }
        }
    }

    /// Why the file is not shown to be loaded; `None`: it is.
    async fn look(&self, name: &UnitName, file: &Path, now: Timestamp) -> Result<Option<String>, String> {
        let unit = self.bus.unit(name).await?;
        let shown = file.display();
        if unit.reads().await?.file(file).is_none() {
            let missing = format!("{name} names {shown} neither in EnvironmentFile= nor in LoadCredential=");
            return Ok(Some(format!("{missing} (after a change: systemctl daemon-reload)")));
        }
        let state = unit.state().await?;
        if !state.is_up() {
            return Ok(Some(format!("{name} does not run: {} ({})", state.what_happened(), hint(name))));
        }
        let started = unit.started_at().await?;
        // The file is looked at last: one that is written in between is too new, never too old.
        let changed = changed_at(file).map_err(|error| format!("{shown} cannot be looked at: {error}"))?;
        let (since, changed_at) = (moment(started), moment(changed));
        if started < changed {
            let late = format!("{shown} was changed after that, at {changed_at}");
            return Ok(Some(format!("{name} runs since {since}, and {late}")));
        }
        let young = self.limits.unit_watch.saturating_sub(now.since(since));
        match young.is_zero() {
            true => Ok(None),
            false => Ok(watch(&unit, name, &state, young).await.err()),
        }
    }

    async fn carry_out(&self, verb: Verb, name: &UnitName) -> Result<(), String> {
        let unit = self.bus.unit(name).await?;
        let before = unit.state().await?;
        let mut ends = unit.job_ends().await?;
        let job = unit.queue(verb, Mode::Replace).await.map_err(|refusal| match refusal {
            Refusal::Mode => format!("systemd does not {} {name}: it refuses the wish", verb.as_str()),
            Refusal::Other(why) => why,
        })?;
        let result = timeout(self.limits.unit_job, ends.of(&job)).await.map_err(|_| {
            let limit = spell_duration(self.limits.unit_job);
            format!("the {verb} of {name} has not ended within {limit} ({})", hint(name))
        })??;
        drop(ends);
        let after = unit.state().await?;
        match result.as_str() {
            "done" if after.is_done() => Ok(()),
            "done" => {
                let restarts = match verb {
                    Verb::Restart => 0, // systemd counts anew
                    Verb::Reload => before.restarts,
                };
                let expected = State { restarts, ..after };
                watch(&unit, name, &expected, self.limits.unit_watch).await
            }
            result => Err(format!("the {verb} of {name} {} ({})", ended(result, &after), hint(name))),
        }
    }

    fn turn(&self, name: &UnitName) -> Arc<tokio::sync::Mutex<()>> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(name.clone()).or_default().clone()
    }
}

/// Still the run that is expected, for so long.
async fn watch(unit: &Unit<'_>, name: &UnitName, expected: &State, patience: Duration) -> Result<(), String> {
    let mut changes = unit.changes().await?;
    let look = async || match unit.state().await? {
        state if state.is_same_run(expected) => Ok(()),
        state => Err(format!("{name} did not stay up: {} ({})", state.what_happened(), hint(name))),
    };
    // What happened before the changes were listened to.
    look().await?;
    let fails = async {
        loop {
            changes.next().await?;
            look().await?;
        }
    };
    match timeout(patience, fails).await {
        Ok(failed) => failed,
        Err(_) => look().await,
    }
}

/// How a job ended that did not end well.
fn ended(result: &str, state: &State) -> String {
    match result {
        "failed" | "timeout" => format!("failed: {}", state.what_happened()),
        "dependency" => "failed: a unit that it needs did not start".into(),
        "invalid" => format!("failed: it does not run: {}", state.what_happened()),
        "canceled" => "was cancelled by somebody else".into(),
        "skipped" => format!("was skipped: it is {}", state.active),
        other => format!("failed: {other}"),
    }
}

fn hint(name: &UnitName) -> String {
    format!("journalctl -u {name}")
}

/// The last change of what the file holds, or of the file itself, in microseconds since 1970. A file that is moved
/// into its place keeps the time of its content.
fn changed_at(file: &Path) -> std::io::Result<u64> {
    let data = std::fs::symlink_metadata(file)?;
    let micros = |secs: i64, nanos: i64| u64::try_from(secs * 1_000_000 + nanos / 1_000).unwrap_or(0);
    Ok(micros(data.mtime(), data.mtime_nsec()).max(micros(data.ctime(), data.ctime_nsec())))
}

fn moment(micros: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(micros / 1_000).unwrap_or(i64::MAX))
}
