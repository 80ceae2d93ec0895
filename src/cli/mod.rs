//! The commands: one file each, whose doc comments are the help text. A command asks, shows and ends with an exit
//! code; what it asks for is done by the daemon, or by the same core in its absence.

mod accept;
mod admission;
mod alone;
mod check;
mod completions;
mod console;
mod deliver;
mod demo;
mod doctor;
mod ends;
mod expiry;
mod explain;
mod history;
mod identity;
mod ingest;
mod leaf7;
mod mail_failure;
mod man;
mod policy;
mod prove;
mod rollback;
mod rotate;
mod run;
mod status;
mod vendors;
mod watch;
mod work;

#[cfg(test)]
mod tests;

use clap::{Parser, Subcommand};
use console::{Console, Exit, Failure};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Threads for work on files and for name look-ups: the consumers that are worked on at once, and half as many again.
const BLOCKING_MAX: usize = 96;

/// Where the configuration is when nobody says otherwise.
const CONFIG: &str = "/etc/keyrelay/config.yaml";

/// Keeps third-party API keys alive while they rotate, and every consumer in sync with them.
///
/// It takes the new key out of the vendor's mail, proves it, stores it, hands it to every consumer, and tests that
/// each of them works with it before the old key dies.
#[derive(Debug, Parser)]
#[command(name = "keyrelay", version, after_help = exit_codes(), max_term_width = 100, subcommand_value_name = "COMMAND")]
struct Cli {
    /// The configuration (default: /etc/keyrelay/config.yaml)
    #[arg(long, global = true, value_name = "PATH", env = "KEYRELAY_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

/// In the order of their numbers.
const EXITS: [(Exit, &str); 4] = [
    (Exit::Done, "done"),
    (Exit::NotHeld, "it did not hold: a consumer is not tested, an incident is open, a key was refused"),
    (Exit::Mistake, "a mistake in the command line or in the configuration"),
    (Exit::Unreachable, "an outside system could not be reached"),
];

fn exit_codes() -> String {
    let lines = EXITS.map(|(exit, words)| format!("\n  {}  {words}", exit.code()));
    format!("Exit codes:{}", lines.concat())
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Demo(demo::Args),
    Check(check::Args),
    Doctor(doctor::Args),
    Status(status::Args),
    #[command(visible_alias = "test")]
    Prove(prove::Args),
    Deliver(deliver::Args),
    #[command(visible_alias = "put")]
    Ingest(ingest::Args),
    Accept(accept::Args),
    Rotate(rotate::Args),
    Rollback(rollback::Args),
    Explain(explain::Args),
    History(history::Args),
    Leaf7(leaf7::Args),
    Vendors(vendors::Args),
    #[command(hide = true)]
    MailFailure(mail_failure::Args),
    Completions(completions::Args),
    Man(man::Args),
    Policy(policy::Args),
}

impl Cli {
    fn path(&self) -> &Path {
        self.config.as_deref().unwrap_or(Path::new(CONFIG))
    }
}

/// The whole program: from the command line to the exit code.
pub fn main() -> ExitCode {
    let hardened = crate::hardening::harden();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and the version are no mistakes; whoever closes the pipe early does not want the rest of them.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Exit::Mistake.code()));
        }
    };
    crate::tls::install();
    crate::daemon::memory::share();
    let (mut results, mut errors) = (std::io::stdout(), std::io::stderr());
    let console = &mut Console::of_process(&mut results, &mut errors);
    if let Err(why) = hardened {
        console.tell(&why);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_MAX)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return Failure::unreachable(format!("no threads can be started: {error}")).tell(console).into();
        }
    };
    let ended = runtime.block_on(dispatch(&cli, console));
    let exit = ended.unwrap_or_else(|failure| failure.tell(console));
    let exit = console.finish(exit);
    // A look-up or a write that nobody waits for any more must not keep the process.
    runtime.shutdown_background();
    exit.into()
}

async fn dispatch(cli: &Cli, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let path = cli.path();
    match &cli.command {
        Command::Run(_) => run::run(path).await,
        Command::Demo(args) => demo::demo(args).await,
        Command::Check(args) => check::check(args, path, console),
        Command::Doctor(args) => doctor::doctor(args, path, console).await,
        Command::Status(args) => status::status(args, path, console).await,
        Command::Prove(args) => prove::prove(args, path, console).await,
        Command::Deliver(args) => deliver::deliver(args, path, console).await,
        Command::Ingest(args) => ingest::ingest(args, path, console).await,
        Command::Accept(args) => accept::accept(args, path, console).await,
        Command::Rotate(args) => rotate::rotate(args, path, console).await,
        Command::Rollback(args) => rollback::rollback(args, path, console).await,
        Command::Explain(args) => explain::explain(args, path, console).await,
        Command::Policy(args) => policy::policy(args, path, console),
        Command::History(args) => history::history(args, path, console).await,
        Command::Leaf7(args) => leaf7::leaf7(args, path, console).await,
        Command::MailFailure(args) => mail_failure::mail_failure(args, path, console).await,
        Command::Vendors(args) => vendors::vendors(args, cli.config.as_deref(), console),
        Command::Completions(args) => Ok(completions::completions(args, console)),
        Command::Man(_) => Ok(man::man(console)),
    }
}
