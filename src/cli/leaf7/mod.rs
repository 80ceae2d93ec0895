//! `keyrelay leaf7`: one file for each group of operations. A command says what it wants done; the desk has it done
//! with the current key; what comes back is shown here.

mod active;
mod buyer;
mod csv_file;
mod desk;
mod generate;
mod tables;
mod written;

#[cfg(test)]
mod tests;

use super::{
    console::{Console, Exit, Failure},
    work::Work,
};
use crate::{
    domain::CredentialName,
    leaf7::{Answer, Body, Operation},
};
use clap::Subcommand;
use desk::Desk;
use std::path::Path;

/// The vendor of these operations.
const VENDOR: &str = "leaf7";

/// Manage the licence keys of your customers at Leaf7
///
/// Always with the current API key, which is read from the store for each request and never shown. Buyer keys are
/// generated and handed to customers; when one is redeemed an active key appears, bound to a Discord ID and a machine
/// (HWID). Requests use at most half of the vendor's limit of 60 a minute, 30 of them generating; what has to wait for
/// it says so. The daemon does the work where one runs.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose API key, where there are several of Leaf7
    #[arg(long, global = true, value_name = "NAME")]
    credential: Option<CredentialName>,
    /// The vendor's own answer, for programs
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    group: Group,
}

#[derive(Debug, Subcommand)]
enum Group {
    /// Keys that are generated and handed to customers
    #[command(subcommand)]
    Buyer(buyer::Command),
    /// Keys that customers have redeemed
    #[command(subcommand)]
    Active(active::Command),
}

/// How results are wanted.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    json: bool,
}

pub async fn leaf7(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let work = Work::new(path)?;
    let name = credential(args.credential.as_ref(), &work)?;
    let mut desk = Desk::new(&work, name)?;
    let wanted = Wanted { json: args.json };
    match &args.group {
        Group::Buyer(command) => buyer::run(command, wanted, &mut desk, console).await,
        Group::Active(command) => active::run(command, wanted, &mut desk, console).await,
    }
}

/// The one that is named, or the only one.
fn credential(asked: Option<&CredentialName>, work: &Work<'_>) -> Result<CredentialName, Failure> {
    work.check_names(asked, None)?;
    let of_leaf7 =
        work.config.credentials.iter().filter(|(_, credential)| credential.vendor.as_str() == VENDOR);
    let names: Vec<_> = of_leaf7.map(|(name, _)| name).collect();
    let listed = || names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match (asked, &names[..]) {
        (_, []) => Err(Failure::mistake("no credential is of the vendor leaf7")
            .hint("add one to the configuration, with vendor: leaf7".to_owned())),
        (Some(name), _) if names.contains(&name) => Ok(name.clone()),
        (Some(name), _) => {
            Err(Failure::mistake(format!("{name} is not of the vendor leaf7; these are: {}", listed())))
        }
        (None, [name]) => Ok((*name).clone()),
        (None, [first, ..]) => {
            Err(Failure::mistake(format!("several credentials are of the vendor leaf7: {}", listed()))
                .hint(format!("say which one: --credential {first}")))
        }
    }
}

/// What is hard to take back is asked for.
fn confirm(yes: bool, question: &str, console: &mut Console<'_>) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !console.asks {
        return Err(Failure::refused("nobody is there to be asked")
            .hint("to do it without a question, add --yes".to_owned()));
    }
    Ok(console.ask(question))
}

/// One operation on one key: what it came to.
async fn one(
    operation: Operation,
    done: &str,
    wanted: Wanted,
    desk: &mut Desk<'_>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let body = answered(desk.ask(&operation, console).await?, &operation, desk)?;
    match wanted.json {
        true => console.say(&pretty(&body)),
        false => console.say(done),
    }
    Ok(Exit::Done)
}

/// What the vendor said, or why there is nothing.
fn answered(answer: Answer, operation: &Operation, desk: &Desk<'_>) -> Result<Body, Failure> {
    let name = &desk.name;
    match answer {
        Answer::Done { body } => Ok(body),
        Answer::Unclear { why } if operation.changes_something() => {
            let list = if operation.name().starts_with("buyer") { "buyer" } else { "active" };
            Err(Failure::unreachable(format!("it may have been done, and the answer was lost: {why}"))
                .hint(format!("keyrelay leaf7 {list} list --credential {name}")))
        }
        other => Err(not_done(other, name)),
    }
}

/// In words; nothing was done.
fn not_done(answer: Answer, name: &CredentialName) -> Failure {
    match answer {
        Answer::Refused { status, detail } => {
            Failure::refused(format!("the vendor refuses it ({status}): {detail}"))
        }
        Answer::KeyRefused { status, detail } => {
            Failure::refused(format!("the vendor refuses the key that is in the store ({status}): {detail}"))
                .hint(format!("keyrelay status {name}"))
        }
        Answer::Busy { detail, retry_after } => {
            let hint = match retry_after {
                Some(wait) => format!("try again in {} s, as the vendor says", wait.as_secs()),
                None => "try again in a minute; the vendor does not say when".to_owned(),
            };
            Failure::unreachable(format!("the vendor's rate limit is used up (429): {detail}")).hint(hint)
        }
        Answer::NotDone { why } => Failure::unreachable(format!("nothing was done: {why}")),
        Answer::Unclear { why } => Failure::unreachable(why),
        Answer::Done { .. } => Failure::unreachable("it was done"),
    }
}

/// The vendor's JSON as people can read it; what is in it is as it was.
fn pretty(body: &Body) -> String {
    serde_json::to_string_pretty(&body.json()).unwrap_or_default()
}
