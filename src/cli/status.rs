//! `keyrelay status`.

use super::{
    console::{Console, Exit, Failure},
    watch,
    work::{self, Work},
};
use crate::{
    daemon::request::{Outcome, Request},
    domain::{CredentialName, Severity},
    face::{status::Status, text::text},
};
use std::path::Path;

/// Show what is wrong, and how every credential and consumer is
///
/// Ends with 1 while a warning or an urgent incident is open. Without a daemon it looks for itself, and ends with 0.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this one
    credential: Option<CredentialName>,
    /// As a document, for programs
    #[arg(long)]
    json: bool,
    /// Show it again whenever it changes, until Ctrl-C; needs the daemon
    #[arg(long)]
    watch: bool,
}

pub async fn status(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let work = Work::new(path)?;
    if args.watch {
        return watch::watch(args, &work.config.control, console).await;
    }
    let done = work.ask(Request::Status, console).await?;
    let unreached = done.alone && done.outcome == Outcome::Unreachable;
    if unreached {
        console.tell(&done.message);
    }
    let status = args.asked(done.status)?;
    console.say(&args.shown(&status, console));
    Ok(if done.alone { Exit::Done } else { open(&status) })
}

impl Args {
    /// What was asked about, out of everything.
    pub fn asked(&self, status: Status) -> Result<Status, Failure> {
        let Some(name) = &self.credential else { return Ok(status) };
        if status.credential(name).is_none() {
            let known = status.credentials.iter().map(|credential| &credential.name);
            return Err(work::unknown_credential(name, known));
        }
        Ok(status.only(name))
    }
    pub fn shown(&self, status: &Status, console: &Console<'_>) -> String {
        match self.json {
            true => json(status),
            false => text(status, console.colour, work::now(), console.width),
        }
    }
    /// A person at a terminal reads it.
    pub fn is_for_people(&self) -> bool {
        !self.json
    }
}

/// Whether something that somebody must look at is open.
pub fn open(status: &Status) -> Exit {
    let matters = |severity: Severity| match severity {
        Severity::Info => false,
        Severity::Warning | Severity::Urgent => true,
    };
    if status.open().any(|incident| matters(incident.severity)) { Exit::NotHeld } else { Exit::Done }
}

fn json(document: &Status) -> String {
    serde_json::to_string_pretty(document).expect("names, texts and numbers are JSON")
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
