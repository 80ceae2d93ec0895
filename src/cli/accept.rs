//! `keyrelay accept`.

use super::{
    console::{Console, Exit, Failure},
    prove,
    work::{self, Work},
};
use crate::{
    daemon::request::Request,
    domain::CredentialName,
    face::{
        status::{Credential, Status},
        text,
    },
};
use std::path::Path;

/// Let in what is held
///
/// Shows where it came from and what was proven, and asks. What the vendor refuses is not let in, whoever asks.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// For whom it is held
    credential: CredentialName,
    /// As status shows it
    fingerprint: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub async fn accept(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let work = Work::new(path)?;
    work.check_names(Some(&args.credential), None)?;
    let before = work.ask(Request::Status, console).await?;
    let mut shown = held(&before.status, &args.credential)?;
    let all = text::held(&shown, console.colour, work::now(), console.width);
    shown.held.retain(|held| held.fingerprint == args.fingerprint);
    if shown.held.is_empty() {
        if !all.is_empty() {
            console.tell(&all);
        }
        return Err(not_held(args, all.is_empty()));
    }
    console.tell(&text::held(&shown, console.colour, work::now(), console.width));
    if !args.yes {
        if !console.asks {
            let command = format!("keyrelay accept {} {} --yes", args.credential, args.fingerprint);
            return Err(Failure::refused("nobody is there to be asked").hint(command));
        }
        if !console.ask("Let it in?") {
            return Ok(Exit::NotHeld);
        }
    }
    let request =
        Request::Accept { credential: args.credential.clone(), fingerprint: args.fingerprint.clone() };
    let done = work.ask(request, console).await?;
    prove::show(&prove::asked(&done, Some(&args.credential), None), console);
    Ok(done.tell(console))
}

fn held(status: &Status, name: &CredentialName) -> Result<Credential, Failure> {
    let known = || status.credentials.iter().map(|credential| &credential.name);
    status.credential(name).cloned().ok_or_else(|| work::unknown_credential(name, known()))
}

fn not_held(args: &Args, nothing: bool) -> Failure {
    let shown: String = args.fingerprint.escape_debug().take(80).collect();
    let also = if nothing { "; nothing is" } else { "; this is" };
    Failure::refused(format!("{shown} is not held for {}{also}", args.credential))
}
