//! `keyrelay ingest`.

use super::{
    console::{Console, Exit, Failure},
    prove,
    work::{Done, Work},
};
use crate::{
    daemon::request::{Outcome, Pasted, Request},
    domain::{CredentialName, Key, Secret},
};
use std::{
    io::{self, Read},
    path::Path,
};
use zeroize::Zeroizing;

/// Far more than a key has, and little enough to be read at once.
const INPUT_MAX: u64 = 4 << 10;

/// Put a new key in by hand
///
/// It is typed at a hidden prompt, or comes as one line on standard input, and goes through the same proofs as a
/// mailed one. Ends with 0 when it is the current key and every consumer is tested, with 1 when it is refused or a
/// consumer is not tested yet, and with 3 when it waits in the spool.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Whose key
    credential: CredentialName,
    /// Let it in though its account cannot be proven
    #[arg(long)]
    yes: bool,
}

pub async fn ingest(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let work = Work::new(path)?;
    work.check_names(Some(&args.credential), None)?;
    let key = if console.asks { prompt(&args.credential)? } else { line(&mut io::stdin().lock())? };
    check(&key)?;
    let request =
        |sure| Request::Ingest { credential: args.credential.clone(), key: Pasted(key.clone()), sure };
    let mut done = work.ask(request(args.yes), console).await?;
    if done.outcome == Outcome::Held && console.asks {
        console.tell(&done.message);
        if !console.ask("Let it in all the same?") {
            console.tell(&waits(&args.credential));
            return Ok(Exit::NotHeld);
        }
        // The same key once more, and this time the operator vouches for it.
        done = work.ask(request(true), console).await?;
    }
    Ok(tell(&done, &args.credential, console))
}

fn tell(done: &Done, credential: &CredentialName, console: &mut Console<'_>) -> Exit {
    match done.outcome {
        Outcome::Done | Outcome::NotProven => {
            prove::show(&prove::asked(done, Some(credential), None), console)
        }
        Outcome::Held | Outcome::Refused | Outcome::Spooled | Outcome::Unknown | Outcome::Unreachable => {}
    }
    done.tell(console)
}

fn waits(credential: &CredentialName) -> String {
    format!("it is held until somebody decides: keyrelay status {credential}")
}

fn prompt(credential: &CredentialName) -> Result<Secret, Failure> {
    let typed = rpassword::prompt_password(format!("The new key of {credential} (not shown): "));
    let typed = typed.map(Zeroizing::new).map_err(|error| unread(&error))?;
    Ok(Secret::new(&typed))
}

/// One line and nothing else: of two keys nobody can say which was meant.
fn line(input: &mut dyn Read) -> Result<Secret, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(INPUT_MAX as usize + 1));
    input.take(INPUT_MAX + 1).read_to_end(&mut bytes).map_err(|error| unread(&error))?;
    if bytes.len() as u64 > INPUT_MAX {
        return Err(refused("it is longer than any key: more than 4096 bytes"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| refused("it is no text"))?;
    let rest = text.split_once('\n').map_or("", |(_, rest)| rest);
    if !rest.trim().is_empty() {
        return Err(refused("there is more than one line"));
    }
    let first = text.split('\n').next().unwrap_or_default();
    Ok(Secret::new(first.strip_suffix('\r').unwrap_or(first)))
}

/// What can be no key is not sent anywhere.
fn check(typed: &Secret) -> Result<(), Failure> {
    Key::parse(typed.expose()).map(|_| ()).map_err(|error| refused(&error.to_string()))
}

fn refused(why: &str) -> Failure {
    Failure::refused(format!("this is no key: {why}"))
        .hint("give the key alone, without quotes or blanks".to_owned())
}

fn unread(error: &io::Error) -> Failure {
    Failure::refused(format!("the key cannot be read: {error}"))
}

#[cfg(test)]
#[path = "ingest_tests.rs"]
mod tests;
