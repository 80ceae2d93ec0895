//! `keyrelay ingest`.

use super::{
    console::{Console, Exit, Failure},
    expiry, prove,
    work::{Work, now},
};
use crate::{
    daemon::request::{Outcome, Pasted, Request},
    domain::{CredentialName, Key, Secret},
};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    os::fd::AsFd,
    path::Path,
};
use zeroize::Zeroizing;

/// Far more than a key has, and little enough to be read at once.
const INPUT_MAX: usize = 4 << 10;

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
    /// When it ends: 2027-03-01, 2027-03-01T12:00:00Z, or 30d from now; it is asked for at a terminal
    #[arg(long, value_name = "WHEN")]
    expires_at: Option<String>,
}

pub async fn ingest(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let work = Work::new(path)?;
    work.check_names(Some(&args.credential), None)?;
    let profile = work.config.profile(&args.credential);
    let stated = args.expires_at.as_ref().map(|text| expiry::given(text, profile, now())).transpose()?;
    let key = given(&args.credential, console)?;
    check(&key)?;
    let expires_at = match stated {
        None if console.asks && profile.is_some_and(expiry::may_end) => expiry::asked(console, now())?,
        stated => stated,
    };
    let request = |sure| Request::Ingest {
        credential: args.credential.clone(),
        key: Pasted(key.clone()),
        sure,
        expires_at,
    };
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
    Ok(prove::told(&done, &args.credential, console))
}

fn waits(credential: &CredentialName) -> String {
    format!("it is held until somebody decides: keyrelay status {credential}")
}

/// Read without a buffer of its own, which nobody would wipe.
fn given(credential: &CredentialName, console: &mut Console<'_>) -> Result<Secret, Failure> {
    let stdin = io::stdin();
    let input = stdin.as_fd().try_clone_to_owned().map(File::from).map_err(|error| unread(&error))?;
    // Typed into a terminal it must not be seen, wherever the other streams go.
    if !stdin.is_terminal() {
        let text = read(&mut &input, false)?;
        return line(&text);
    }
    let hidden = Hidden::new(&input).map_err(|error| unread(&error))?;
    console.prompt(&format!("The new key of {credential} (not shown): "));
    let text = read(&mut &input, true)?;
    drop(hidden);
    line(&text)
}

/// A terminal that does not show what is typed, from before the prompt until it is dropped.
struct Hidden<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Hidden<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut hiding = before.clone();
        hiding.local_modes.remove(LocalModes::ECHO);
        // The line's end is shown, or what comes next stands behind the prompt.
        hiding.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(terminal, OptionalActions::Now, &hiding)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // Where this fails there is no terminal any more.
        let _ = tcsetattr(self.terminal, OptionalActions::Now, &self.before);
    }
}

/// Everything that comes, or the first line of it.
fn read(input: &mut dyn Read, one_line: bool) -> Result<Zeroizing<Vec<u8>>, Failure> {
    // Room for all of it from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(vec![0; INPUT_MAX + 1]);
    let mut len = 0;
    while len < bytes.len() {
        match input.read(&mut bytes[len..]) {
            Ok(0) => break,
            Ok(more) => len += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unread(&error)),
        }
        if one_line && bytes[..len].contains(&b'\n') {
            break;
        }
    }
    bytes.truncate(len);
    Ok(bytes)
}

/// One line and nothing else: of two keys nobody can say which was meant.
fn line(bytes: &[u8]) -> Result<Secret, Failure> {
    if bytes.len() > INPUT_MAX {
        return Err(refused("it is longer than any key: more than 4096 bytes"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refused("it is no text"))?;
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if !rest.trim().is_empty() {
        return Err(refused("there is more than one line"));
    }
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
