//! What the journal gets: lines on standard error, without times (the journal has its own), never a secret.

use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, filter::filter_fn, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Libraries are quiet by default: what they say of an error, the line that handles it says better.
const FILTER: &str = "info,vaultrs=off,rustify=off,tokio_cron_scheduler=warn,hyper=warn,reqwest=warn";

/// Libraries that write down what they read, as texts or piece by piece: mails, secrets, whole requests. No filter of
/// anybody's lets them speak.
const SILENT: [&str; 8] =
    ["html5ever", "imap", "imap_proto", "lettre", "mail_auth", "mail_parser", "rustify", "vaultrs"];

/// For `keyrelay run`. `RUST_LOG` overrides the filter, but for what is silent.
pub fn to_journal() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(FILTER));
    let terminal = std::io::stderr().is_terminal();
    let lines =
        fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(terminal).with_target(false);
    let harmless = filter_fn(|event| may_speak(event.target()));
    // A second subscriber in one process is a test's.
    let _ = if terminal {
        lines.finish().with(harmless).try_init()
    } else {
        lines.without_time().finish().with(harmless).try_init()
    };
}

fn may_speak(target: &str) -> bool {
    !SILENT.contains(&target.split("::").next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s02_who_prints_what_it_reads_is_silent_whatever_is_asked_for() {
        for target in ["html5ever", "html5ever::tokenizer", "vaultrs::api", "imap::client"] {
            assert!(!may_speak(target), "{target}");
        }
        for target in ["keyrelay::mail::imap", "keyrelay", "html5ever_more", ""] {
            assert!(may_speak(target), "{target}");
        }
    }
}
