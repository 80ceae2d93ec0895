//! Delivery by a command of the operator's, and the command that follows a delivery (`then: {exec: […]}`).

use crate::{
    consumer::{
        output::shown,
        run::{End, Ended, Run, run},
    },
    domain::{ActionOutcome, DeliveryOutcome, Key, Limits, Secret, spell_duration},
};
use std::collections::BTreeMap;

/// Runs the command with the key on its standard input, without a newline, and `env` as its environment. `known` are
/// the credential's other keys: what the command says is not shown where it holds one of them.
pub async fn deliver(
    argv: &[String],
    env: &BTreeMap<String, Secret>,
    key: &Key,
    known: &[Key],
    limits: &Limits,
) -> DeliveryOutcome {
    let given = env.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    let ended = run(Run { argv, env: given, key: Some(key), limits }).await;
    let keys = known.iter().chain([key]).map(Key::expose);
    let secrets = keys.chain(env.values().map(Secret::expose));
    match failure(argv, ended, secrets, limits) {
        None => DeliveryOutcome::Done,
        Some(why) => DeliveryOutcome::Failed(why),
    }
}

/// Runs the action. It is given nothing; `known` are all of the credential's keys, as for [`deliver`].
pub async fn act(argv: &[String], known: &[Key], limits: &Limits) -> ActionOutcome {
    let ended = run(Run { argv, env: Vec::new(), key: None, limits }).await;
    match failure(argv, ended, known.iter().map(Key::expose), limits) {
        None => ActionOutcome::Done,
        Some(why) => ActionOutcome::Failed(why),
    }
}

/// Why a command did not do it; only exit code 0 says that it did.
fn failure<'a>(
    argv: &[String],
    ended: Ended,
    secrets: impl IntoIterator<Item = &'a str>,
    limits: &Limits,
) -> Option<String> {
    let how = match ended.end {
        End::Exit(0) => return None,
        End::Exit(code) => format!("ended with exit code {code}"),
        End::Signal(number) => format!("was ended by signal {number}"),
        End::TimedOut => {
            format!("was killed: it did not end within {}", spell_duration(limits.command_timeout))
        }
        End::Not(why) => format!("could not be run: {why}"),
    };
    let said =
        ended.last_error.map(|line| format!("; it said: {}", shown(&line, secrets))).unwrap_or_default();
    Some(format!("the command {} {how}{said}", argv.first().map_or("", String::as_str)))
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
