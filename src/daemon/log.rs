//! What the journal gets: lines on standard error, without times (the journal has its own), never a secret.

use std::{io::IsTerminal, panic};
use tracing_subscriber::{EnvFilter, fmt};

/// Libraries are quiet by default: what they say of an error, the line that handles it says better.
const FILTER: &str = "info,vaultrs=off,rustify=off,tokio_cron_scheduler=warn,hyper=warn,reqwest=warn";

/// For `keyrelay run`. `RUST_LOG` overrides the filter.
pub fn to_journal() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    let terminal = std::io::stderr().is_terminal();
    let lines =
        fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(terminal).with_target(false);
    // A second subscriber in one process is a test's.
    let _ = if terminal { lines.try_init() } else { lines.without_time().try_init() };
}

/// A panic's message may hold anything: only its place is told.
pub fn forget_panics() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
        eprintln!("keyrelay: the thread {thread} panicked at {place} (a bug: please report it)");
    }));
}
