//! `keyrelay leaf7 buyer`.

use super::{Wanted, answered, confirm, desk::Desk, generate, one, pretty, tables};
use crate::{
    cli::console::{Console, Exit, Failure},
    leaf7::{Id, Operation},
};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Generate(generate::Args),
    /// List the keys that were generated: whether they are redeemed, and how long they work
    ///
    /// Times are shown as the vendor writes them, which is without a zone.
    List {
        /// Only of this project
        #[arg(long, value_name = "ID")]
        project: Option<Id>,
    },
    /// Delete a key that nobody has redeemed
    Delete {
        /// As list shows it
        key_id: Id,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub async fn run(
    command: &Command,
    wanted: Wanted,
    desk: &mut Desk<'_>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    match command {
        Command::Generate(args) => generate::generate(args, wanted, desk, console).await,
        Command::List { project } => {
            let operation = Operation::ListBuyer { project: project.clone() };
            let body = answered(desk.ask(&operation, console).await?, &operation, desk)?;
            let shown = if wanted.json { pretty(&body) } else { tables::buyer(&body)? };
            console.say(&shown);
            Ok(Exit::Done)
        }
        Command::Delete { key_id, yes } => {
            if !confirm(*yes, "Whoever has this key cannot redeem it any more. Delete it?", console)? {
                return Ok(Exit::NotHeld);
            }
            one(Operation::DeleteBuyer { key: key_id.clone() }, "the key is deleted", wanted, desk, console)
                .await
        }
    }
}
