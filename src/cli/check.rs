//! `keyrelay check`.

use super::{
    console::{Console, Exit, Failure},
    work,
};
use crate::config::{Config, Need, schema};
use std::path::Path;

/// Validate the configuration: all mistakes at once
///
/// It connects to nothing and needs no secrets. Warnings alone do not fail it.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print every key with what holds there, and who said so; fed back, it means the same
    #[arg(long)]
    print: bool,

    /// Print the JSON Schema of the configuration, for editors; it reads no configuration
    #[arg(long, conflicts_with = "print")]
    schema: bool,
}

pub fn check(args: &Args, path: &Path, console: &mut Console<'_>) -> Result<Exit, Failure> {
    if args.schema {
        console.say(schema::schema().trim_end());
        return Ok(Exit::Done);
    }
    let (loaded, resolved) = match args.print {
        true => work::load_and_print(path).map(|(loaded, text)| (loaded, Some(text)))?,
        false => (work::load(path, Need::Check)?, None),
    };
    loaded.warnings.iter().for_each(|warning| console.tell(&format!("warning: {warning}")));
    match resolved {
        Some(text) => console.say(text.trim_end()),
        None => console.say(&summary(&loaded.config, loaded.warnings.len())),
    }
    Ok(Exit::Done)
}

/// What it amounts to, and what can be shown of each consumer.
fn summary(config: &Config, warnings: usize) -> String {
    let consumers = config.credentials.values().map(|credential| credential.consumers.len()).sum();
    let mut text = format!(
        "configuration is good: {}, {}, {}",
        counted(config.credentials.len(), "credential"),
        counted(consumers, "consumer"),
        match config.mailboxes.len() {
            1 => "1 mailbox".into(),
            several => format!("{several} mailboxes"),
        },
    );
    if warnings > 0 {
        text += &format!(", {}", counted(warnings, "warning"));
    }
    for (name, credential) in &config.credentials {
        let observed = if credential.observe { ", only observed" } else { "" };
        text += &format!("\n{name} ({}{observed})", credential.vendor);
        let width = credential.consumers.keys().map(|name| name.as_str().len()).max().unwrap_or(0);
        for (name, consumer) in &credential.consumers {
            text += &format!("\n  {name:width$}  {}", consumer.wanted.words());
        }
    }
    text
}

pub fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
