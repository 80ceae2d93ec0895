//! `keyrelay prove`.

use super::{
    console::{Console, Exit, Failure},
    work::{self, Done, Work},
};
use crate::{
    daemon::request::{Outcome, Request},
    domain::{ConsumerName, CredentialName},
    face::{
        status::{Consumer, Credential},
        text,
    },
};
use serde::Serialize;
use std::path::Path;

/// Test the consumers now
///
/// Each is asked for a proof with the current key. Ends with 1 if one is not at the level that it should reach.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this one's consumers
    credential: Option<CredentialName>,
    /// Only this consumer
    #[arg(long, value_name = "NAME")]
    consumer: Option<ConsumerName>,
    /// As a document, for programs
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    schema: u32,
    credentials: Vec<Proofs<'a>>,
}

#[derive(Debug, Serialize)]
struct Proofs<'a> {
    name: &'a CredentialName,
    consumers: &'a [Consumer],
}

pub async fn prove(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let work = Work::new(path)?;
    work.check_names(args.credential.as_ref(), args.consumer.as_ref())?;
    let request = Request::Prove { credential: args.credential.clone(), consumer: args.consumer.clone() };
    let done = work.ask(request, console).await?;
    let asked = asked(&done, args.credential.as_ref(), args.consumer.as_ref());
    let done = judged(done, &asked);
    if args.json {
        console.say(&json(&asked));
        let exit = done.exit();
        if exit != Exit::Done {
            done.tell(console);
        }
        return Ok(exit);
    }
    show(&asked, console);
    Ok(done.tell(console))
}

/// What was asked about, out of everything.
pub fn asked(
    done: &Done,
    credential: Option<&CredentialName>,
    consumer: Option<&ConsumerName>,
) -> Vec<Credential> {
    let mut credentials = done.status.credentials.clone();
    credentials.retain(|known| credential.is_none_or(|name| known.name == *name));
    for known in &mut credentials {
        known.consumers.retain(|known| consumer.is_none_or(|name| known.name == *name));
    }
    credentials.retain(|known| consumer.is_none() || !known.consumers.is_empty());
    credentials
}

/// What was shown a while ago does not outweigh a test that failed just now.
pub fn judged(mut done: Done, asked: &[Credential]) -> Done {
    let failed = asked.iter().flat_map(|known| &known.consumers).any(|consumer| consumer.error.is_some());
    if failed && done.outcome == Outcome::Done {
        (done.outcome, done.message) = (Outcome::NotProven, "not every consumer is tested".into());
    }
    done
}

pub fn show(credentials: &[Credential], console: &mut Console<'_>) {
    for credential in credentials {
        let shown = text::consumers(credential, console.colour, work::now(), console.width);
        console.say(&shown);
    }
}

/// What came of a key that was to be the current one: its consumers, where it is, and the end.
pub fn told(done: &Done, credential: &CredentialName, console: &mut Console<'_>) -> Exit {
    match done.outcome {
        Outcome::Done | Outcome::NotProven => show(&asked(done, Some(credential), None), console),
        Outcome::Held | Outcome::Refused | Outcome::Spooled | Outcome::Unknown | Outcome::Unreachable => {}
    }
    done.tell(console)
}

fn json(credentials: &[Credential]) -> String {
    let proofs = credentials.iter().map(|known| Proofs { name: &known.name, consumers: &known.consumers });
    let document = Document { schema: 1, credentials: proofs.collect() };
    serde_json::to_string_pretty(&document).expect("names, texts and numbers are JSON")
}

#[cfg(test)]
#[path = "prove_tests.rs"]
mod tests;
