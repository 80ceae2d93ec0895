//! `keyrelay status`.

use super::{
    console::{Console, Exit, Failure},
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
}

pub async fn status(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let done = Work::new(path)?.ask(Request::Status, console).await?;
    let mut exit = match (done.alone, done.outcome) {
        (true, Outcome::Unreachable) => {
            console.tell(&done.message);
            Exit::Done
        }
        (true, _) => Exit::Done,
        (false, _) => open(&done.status),
    };
    let mut status = done.status;
    if let Some(name) = &args.credential {
        if status.credential(name).is_none() {
            return Err(work::unknown_credential(
                name,
                status.credentials.iter().map(|credential| &credential.name),
            ));
        }
        status = status.only(name);
        exit = if done.alone { Exit::Done } else { open(&status) };
    }
    if args.json {
        console.say(&json(&status));
    } else {
        console.say(&text(&status, console.colour, work::now(), console.width));
    }
    Ok(exit)
}

/// Whether something that somebody must look at is open.
fn open(status: &Status) -> Exit {
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
