//! `keyrelay leaf7 active`.

use super::{Wanted, answered, confirm, desk::Desk, one, pretty, tables};
use crate::{
    cli::console::{Console, Exit, Failure},
    leaf7::{Hwid, Id, Operation},
};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// List redeemed keys: whose, on which machine, until when
    ///
    /// Times are shown as the vendor writes them, which is without a zone.
    List {
        /// Only of this project
        #[arg(long, value_name = "ID")]
        project: Option<Id>,
    },
    /// Block a key and its machine, at once
    Ban(Key),
    /// Let a banned key work again
    Unban {
        /// As list shows it
        key_id: Id,
    },
    /// Let a key be bound to another machine, without the project's cool-down
    ResetHwid(Key),
    /// Bind a key to a machine, or to none
    SetHwid {
        #[command(flatten)]
        key: Key,
        /// The machine
        #[arg(required_unless_present = "clear", conflicts_with = "clear")]
        hwid: Option<Hwid>,
        /// Bind it to none: the next machine that runs the script gets it
        #[arg(long)]
        clear: bool,
    },
}

#[derive(Debug, clap::Args)]
pub struct Key {
    /// As list shows it
    key_id: Id,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub async fn run(
    command: &Command,
    wanted: Wanted,
    desk: &mut Desk<'_>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let (question, yes, operation, done) = match command {
        Command::List { project } => return list(project.clone(), wanted, desk, console).await,
        Command::Ban(Key { key_id, yes }) => (
            "The customer's script stops working at once. Ban the key?",
            *yes,
            Operation::Ban { key: key_id.clone() },
            "the key is banned",
        ),
        Command::Unban { key_id } => {
            ("", true, Operation::Unban { key: key_id.clone() }, "the key is no longer banned")
        }
        Command::ResetHwid(Key { key_id, yes }) => (
            "The machine that the key is bound to is forgotten. Reset it?",
            *yes,
            Operation::ResetHwid { key: key_id.clone() },
            "the key is bound to no machine; the next one that runs the script gets it",
        ),
        Command::SetHwid { key: Key { key_id, yes }, hwid, .. } => (
            "The key stops working on the machine that it is bound to now. Change it?",
            *yes,
            Operation::SetHwid { key: key_id.clone(), hwid: hwid.clone() },
            if hwid.is_some() {
                "the key is bound to this machine"
            } else {
                "the key is bound to no machine"
            },
        ),
    };
    if !confirm(yes, question, console)? {
        return Ok(Exit::NotHeld);
    }
    one(operation, done, wanted, desk, console).await
}

async fn list(
    project: Option<Id>,
    wanted: Wanted,
    desk: &mut Desk<'_>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let operation = Operation::ListActive { project };
    let body = answered(desk.ask(&operation, console).await?, &operation, desk)?;
    let shown = if wanted.json { pretty(&body) } else { tables::active(&body)? };
    console.say(&shown);
    Ok(Exit::Done)
}
