//! `keyrelay history`.

use super::{
    console::{Console, Exit, Failure},
    work::{self, Work},
};
use crate::{
    daemon::{
        history::{self, Past},
        request::{Outcome, Request, Response},
    },
    domain::CredentialName,
    face,
    rotation::Record,
};
use std::{io, path::Path};

/// Show what has happened to a credential's key, newest first
///
/// Rotations, refusals, rollbacks and keys put in by hand: what began each, how long each phase took, what each consumer
/// showed, and what was left of the time. The last hundred are kept, on the machine that acted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose key
    credential: CredentialName,
    /// As a document, for programs
    #[arg(long)]
    json: bool,
}

pub async fn history(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let work = Work::new(path)?;
    let name = &args.credential;
    let asked = work.ask_daemon(&Request::History { credential: name.clone() }, console).await?;
    let (records, trouble) = match asked {
        Some(answer) => by_daemon(answer, name, &work)?,
        None => here(name, &work)?,
    };
    if !trouble.is_empty() {
        console.tell(&trouble);
    }
    let shown = match args.json {
        true => serde_json::to_string_pretty(&records).expect("names, texts and numbers are JSON"),
        false => face::history::text(name, &records, console.colour, console.width),
    };
    console.say(&shown);
    Ok(Exit::Done)
}

fn by_daemon(
    answer: Response,
    name: &CredentialName,
    work: &Work<'_>,
) -> Result<(Vec<Record>, String), Failure> {
    match (answer.outcome, answer.history) {
        (Outcome::Unknown, _) => Err(unknown(name, work)),
        (_, Some(records)) => Ok((records, answer.message)),
        (_, None) => Err(Failure::unreachable(answer.message)),
    }
}

/// The files of this machine, which need neither a store nor a secret.
fn here(name: &CredentialName, work: &Work<'_>) -> Result<(Vec<Record>, String), Failure> {
    let dir = &work.config.state_dir;
    let past = history::read(dir, name).map_err(|error| {
        let hint = (error.kind() == io::ErrorKind::PermissionDenied).then(|| "use sudo".to_owned());
        let message = format!("the history of {name} in {} cannot be read: {error}", dir.display());
        Failure::unreachable(message).hint(hint)
    })?;
    let Past { records, .. } = &past;
    if records.is_empty() && !work.config.credentials.contains_key(name) {
        return Err(unknown(name, work));
    }
    let trouble = past.trouble();
    Ok((past.records, trouble))
}

/// One that has left the configuration may still have a history; this one has neither.
fn unknown(name: &CredentialName, work: &Work<'_>) -> Failure {
    work::unknown_credential(name, work.config.credentials.keys())
}
