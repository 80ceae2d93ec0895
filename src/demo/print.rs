//! The demo's words on the terminal: what is scaled, then each line of the journal with its time, as it happens.

use super::{
    scale,
    stage::{Stage, now},
};
use crate::face::status::Credential;
use std::fmt;
use tracing::{Event, Level, Subscriber, field::Visit};
use tracing_subscriber::{
    EnvFilter, fmt as journal,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

/// One line for each event that an operator would find in the journal.
pub fn to_terminal() {
    let filter = EnvFilter::new("off,keyrelay=info");
    // A second subscriber in one process is a test's.
    let _ = journal().with_env_filter(filter).with_writer(std::io::stdout).event_format(Line).try_init();
}

struct Line;

impl<S: Subscriber + for<'a> LookupSpan<'a>, N: for<'a> FormatFields<'a> + 'static> FormatEvent<S, N>
    for Line
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut message = Message(String::new());
        event.record(&mut message);
        if message.0 == "history" {
            return Ok(());
        }
        let mark = match *event.metadata().level() {
            Level::ERROR | Level::WARN => "!",
            _ => " ",
        };
        for (index, line) in message.0.lines().enumerate() {
            let time = if index == 0 { now().clock() } else { String::new() };
            writeln!(writer, "{time:12} {mark} {line}")?;
        }
        Ok(())
    }
}

struct Message(String);
impl Visit for Message {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

pub fn opening(stage: &Stage) {
    println!(
        "A rotation, live: a simulated Leaf7, a maildir, a name server, the embedded store, three consumers."
    );
    println!("Mails are signed and no check is relaxed; only time is short:\n");
    for (what, real, here) in scale::table() {
        println!("  {what:46} {real:>6} -> {here}");
    }
    println!("\nA key is never printed; the 16 hex digits in its place are its fingerprint. A line such as");
    println!("  leaf7-main: Announced --MailsSeen(1)--> Probing: ...");
    println!(
        "says what made the credential leaf7-main go from one phase to the next, and what happens there."
    );
    println!(
        "The consumer billing-worker goes on with its old key for {} s: a warning (!) that resolves.",
        scale::LAG.as_secs()
    );
    println!(
        "The vendor is as unreliable as vendors are: of a hundred requests five meet 429, five a 5xx and two"
    );
    println!(
        "a reset; five of a hundred new keys work late; two of a hundred mails come twice, two out of order."
    );
    println!("The same as a page, live: {}", stage.page_url());
    println!("Everything lies in {} and is removed at the end. Ctrl-C ends it.\n", stage.folder().display());
}

pub fn closing(credential: &Credential) {
    let key = credential.fingerprint.as_deref().unwrap_or("none");
    println!(
        "\nOne rotation is complete: {} holds {key} (generation {}).",
        credential.name, credential.generation
    );
    for consumer in &credential.consumers {
        println!("  {:16} {}", consumer.name.to_string(), consumer.proof.words());
    }
}
