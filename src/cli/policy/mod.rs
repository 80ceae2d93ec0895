//! `keyrelay policy`.

mod secrets;
mod site;
mod systemd;
mod vault;

use super::{
    console::{Console, Exit, Failure},
    work::Work,
};
use crate::{
    config::rights::{consumer_rights, store_rights},
    domain::ConsumerName,
};
use site::Site;
use std::path::Path;

/// Print the least rights that this configuration needs, ready to install
///
/// Without an argument both parts are printed, each under its heading. It needs neither a daemon nor secrets, and
/// changes nothing.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this part: the store's policy, or what systemd and the file system must allow
    part: Option<Part>,
    /// What this consumer needs of the store, in place of what keyrelay needs
    #[arg(long, value_name = "NAME")]
    consumer: Option<ConsumerName>,
    /// Let units of root's restart the consumers when their files change, so that keyrelay needs no right to
    #[arg(long)]
    without_polkit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Vault,
    Systemd,
}

pub fn policy(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let work = Work::new(path)?;
    work.check_names(None, args.consumer.as_ref())?;
    let config = &work.config;
    let store = match &args.consumer {
        Some(name) => vault::consumer(config, name, &consumer_rights(config, name)),
        None => vault::daemon(config, &store_rights(config)),
    };
    match (args.part, &args.consumer) {
        (Some(Part::Systemd), Some(name)) => {
            let message = format!("of systemd the consumer {name} needs nothing");
            return Err(Failure::mistake(message).hint(format!("keyrelay policy vault --consumer {name}")));
        }
        (Some(Part::Vault) | None, Some(_)) | (Some(Part::Vault), None) => {
            console.say(&store);
            return Ok(Exit::Done);
        }
        (Some(Part::Systemd) | None, None) => {}
    }
    let site = Site::look(config, &work.references);
    let systemd = systemd::script(&site, args.without_polkit);
    match args.part {
        Some(_) => console.say(&systemd),
        None => {
            console.say(&format!("### The store (alone: keyrelay policy vault)\n\n{store}"));
            console.say(&format!("### systemd (alone: keyrelay policy systemd)\n\n{systemd}"));
        }
    }
    let findings = site.findings();
    findings.iter().for_each(|finding| console.tell(finding));
    Ok(if findings.is_empty() { Exit::Done } else { Exit::NotHeld })
}

#[cfg(test)]
mod tests;
