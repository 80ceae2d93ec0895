//! `keyrelay leaf7 buyer generate`: many keys are several requests, and what each of them gives is written before the
//! next is sent. A request whose answer was lost is not sent again: it would generate twice.

use super::{Wanted, confirm, csv_file::CsvFile, desk::Desk, not_done, written::Written};
use crate::{
    cli::console::{Console, Exit, Failure},
    leaf7::{Answer, Batch, Id, Lifetime, Operation, PER_REQUEST},
};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::path::PathBuf;

/// After so many answers in a row that say "too many requests" somebody else uses the limit up.
const BUSY_MAX: u32 = 5;

/// Generate keys for customers
///
/// They are printed as they arrive, or written to --output. A hundred are asked for in one request, and fifteen requests
/// are sent in a minute; a longer generation shows how far it is. An answer that is lost ends it: the request may have
/// generated keys, so it is not sent again, and what is known is said.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The project that they are for
    #[arg(long, value_name = "ID")]
    project: Id,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    amount: u32,
    /// How long a key works from its redemption on; without days, hours and minutes 30 days. All zero: for ever
    #[arg(long, value_name = "N")]
    days: Option<u32>,
    /// Added to the days
    #[arg(long, value_name = "N")]
    hours: Option<u32>,
    /// Added to the hours
    #[arg(long, value_name = "N")]
    minutes: Option<u32>,
    /// A new CSV file, readable for you alone, in place of standard output; a cell that a spreadsheet would take for a
    /// formula begins with '
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Do not ask whether keys that work for ever are meant
    #[arg(long)]
    yes: bool,
}

impl Args {
    /// What is not said is none of it, once something is said.
    fn lifetime(&self) -> Option<Lifetime> {
        let said = [self.days, self.hours, self.minutes];
        let [days, hours, minutes] = said.map(Option::unwrap_or_default);
        said.iter().any(Option::is_some).then_some(Lifetime { days, hours, minutes })
    }
}

pub async fn generate(
    args: &Args,
    wanted: Wanted,
    desk: &mut Desk<'_>,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let endless = args.lifetime().is_some_and(|lifetime| lifetime.is_endless());
    if endless && !confirm(args.yes, "These keys work for ever. Generate them?", console)? {
        return Ok(Exit::NotHeld);
    }
    let file = args.output.as_deref().map(CsvFile::create).transpose()?;
    let bar = bar(args.amount);
    desk.bar = Some(bar.clone());
    let mut written = Written::new(file, wanted.json, bar.clone());
    let ended = all(args, desk, &mut written, console).await;
    bar.finish_and_clear();
    let (keys, place) = written.finish(console);
    let of = if keys == u64::from(args.amount) { String::new() } else { format!(" of {}", args.amount) };
    let were = if keys == 1 { "key was" } else { "keys were" };
    console.tell(&format!("{keys}{of} {were} generated{place}"));
    ended?;
    Ok(if of.is_empty() { Exit::Done } else { Exit::NotHeld })
}

async fn all(
    args: &Args,
    desk: &mut Desk<'_>,
    written: &mut Written,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let (mut left, mut busy) = (args.amount, 0);
    while left > 0 {
        let amount = left.min(PER_REQUEST);
        let batch = Batch { project: args.project.clone(), amount, lifetime: args.lifetime() };
        match desk.ask(&Operation::GenerateBuyer(batch), console).await? {
            Answer::Done { body } => {
                written.add(&body, console)?;
                (left, busy) = (left - amount, 0);
                if left > 0 && desk.is_to_end().await {
                    return Err(Failure::refused("interrupted; nothing more is generated"));
                }
            }
            Answer::Busy { detail, retry_after } if args.amount > PER_REQUEST && busy < BUSY_MAX => {
                busy += 1;
                let wait = retry_after.unwrap_or_else(|| desk.window());
                if desk.wait(wait, &format!("the vendor says (429): {detail}"), console).await {
                    return Err(Failure::refused("interrupted; nothing more is generated"));
                }
            }
            Answer::Unclear { why } => return Err(lost(&why, amount, args, desk)),
            other => return Err(not_done(other, &desk.name)),
        }
    }
    Ok(())
}

fn lost(why: &str, amount: u32, args: &Args, desk: &Desk<'_>) -> Failure {
    let keys = if amount == 1 { "a key".to_owned() } else { format!("up to {amount} keys") };
    let message = format!(
        "the answer to one request is lost ({why}): it may have generated {keys} more, and is not sent again"
    );
    let project = args.project.as_str();
    Failure::unreachable(message)
        .hint(format!("keyrelay leaf7 buyer list --project {project} --credential {}", desk.name))
}

/// On a terminal, and where there is something to wait for.
fn bar(amount: u32) -> ProgressBar {
    if amount <= PER_REQUEST {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(amount.into()), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{bar:30} {pos} of {len} keys {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.tick();
    bar
}
