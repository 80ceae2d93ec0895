//! `keyrelay explain`.

mod code;
mod file;
mod learn;
mod mailbox;
pub mod verdict;

use super::{
    console::{Console, Exit, Failure},
    work,
};
use crate::{
    config::{Config, Credential, Need, did_you_mean},
    domain::{Code, CredentialName, Limits},
    mail::{RawMail, TxtAnswers, authenticity, dns::Resolver},
    vendor::Profile,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Say what would be done with a mail and why, or what a notice means
///
/// With a file: that mail, for each credential; 0 whatever the verdict. With a notice's code: what it means and what
/// to do. With neither: each of the vendor's mails in the credential's mailbox, newest first. No key is ever shown.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A mail as it was received, with its header; or a notice's code, as in candidate-held
    #[arg(value_name = "FILE.eml | CODE")]
    about: Option<String>,
    /// Only for this one
    #[arg(long, value_name = "NAME")]
    credential: Option<CredentialName>,
    /// How far back to look in the mailbox
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// Print the rule that a mail in a file teaches: who sends and signs it, its subject, what stands before the key
    #[arg(long, requires = "about")]
    learn: bool,
    /// The line that holds the key, as --learn numbers them; else it is asked for
    #[arg(long, value_name = "N", requires = "learn")]
    key_line: Option<usize>,
}

pub async fn explain(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let Some(about) = &args.about else {
        let config = work::load(path, Need::Run)?.config;
        let cases = cases(&config, args.credential.as_ref())?;
        return mailbox::explain(&config, &cases, args.days, console).await;
    };
    if let (Ok(code), false) = (about.parse::<Code>(), args.learn) {
        console.say(&code::explained(code));
        return Ok(Exit::Done);
    }
    let file = PathBuf::from(about);
    if !file.exists() {
        return Err(neither(about));
    }
    let config = work::load(path, Need::Check)?.config;
    let cases = cases(&config, args.credential.as_ref())?;
    if args.learn {
        return learn::learn(&config, &cases, &file, args.key_line, console).await;
    }
    file::explain(&config, &cases, &file, console).await
}

fn neither(about: &str) -> Failure {
    let shown: String = about.escape_debug().take(120).collect();
    let near = did_you_mean(about, Code::ALL.iter().map(|code| code.as_str()));
    Failure::mistake(format!("{shown} is neither a file nor a notice's code")).hint(near)
}

/// A credential whose mails are to be judged.
pub struct Case<'a> {
    pub name: &'a CredentialName,
    pub credential: &'a Credential,
    pub profile: &'a Profile,
    pub others: Vec<String>,
    pub authserv_ids: &'a [String],
}

pub fn cases<'a>(config: &'a Config, only: Option<&CredentialName>) -> Result<Vec<Case<'a>>, Failure> {
    if let Some(name) = only.filter(|name| !config.credentials.contains_key(*name)) {
        return Err(work::unknown_credential(name, config.credentials.keys()));
    }
    let asked = config.credentials.iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
    let case = |(name, credential): (&'a CredentialName, &'a Credential)| {
        let (others, authserv_ids) = (config.other_recipients(name), config.authserv_ids(credential));
        // The configuration names no vendor that it does not have.
        let profile = config.profile(name)?;
        Some(Case { name, credential, profile, others, authserv_ids })
    };
    Ok(asked.filter_map(case).collect())
}

/// The DKIM keys that the mails name, each asked for once.
async fn answers(config: &Config, cases: &[Case<'_>], mails: &[RawMail]) -> Result<TxtAnswers, Failure> {
    let pinned: Vec<String> = cases
        .iter()
        .filter_map(|case| case.profile.mail.as_ref())
        .flat_map(|rules| rules.signed_by.clone())
        .collect();
    let names = mails.iter().flat_map(|mail| authenticity::questions(&mail.bytes, &pinned)).collect();
    look_up(config, names).await
}

async fn look_up(config: &Config, names: BTreeSet<String>) -> Result<TxtAnswers, Failure> {
    let resolver =
        Resolver::new(&config.dns, Limits::default().request_timeout).map_err(Failure::unreachable)?;
    let mut answers = TxtAnswers::new();
    for name in names {
        let answer = resolver.txt(&name).await;
        answers.insert(name, answer);
    }
    Ok(answers)
}

/// Said with every verdict: what the daemon knows and this command does not.
const NOT_KNOWN: &str = "this command does not know the current key: a key that is in use already shows as new, and a \
    mail that names the old one too as unreadable";

/// Runs what parses strangers' bytes on a thread with room for deep nesting; a panic there is `None`.
pub fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    const STACK_BYTES: usize = 16 << 20;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("explain".into()).stack_size(STACK_BYTES);
        thread.spawn_scoped(scope, work).ok()?.join().ok()
    })
}

#[cfg(test)]
mod tests;
