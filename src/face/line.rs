//! The status in one line, for those who show no more: what is wrong first. It computes nothing that the document
//! does not say.

use super::status::{Consumer, OpenIncident, Status};
use crate::domain::{ProofLevel, Severity};
use std::cmp::Reverse;

/// Longer lines are cut, and end in `...`; the document has them whole.
const CHARS_MAX: usize = 240;

/// `1 urgent, 2 warnings: leaf7-main: the vendor refuses the current key`, or `2 credentials, all tested`. Without
/// line breaks or other control characters.
pub fn line(status: &Status) -> String {
    let line = of_active(status);
    match status.daemon.role.as_str() {
        "standby" => fit(&format!("standby, {}: {line}", status.daemon.who_acts())),
        _ => line,
    }
}

fn of_active(status: &Status) -> String {
    let count = |severity| status.open().filter(|incident| incident.severity == severity).count();
    let counts = match (count(Severity::Urgent), count(Severity::Warning)) {
        (0, 0) => return fit(&calm(status)),
        (0, 1) => "1 warning".to_owned(),
        (0, warnings) => format!("{warnings} warnings"),
        (urgent, 0) => format!("{urgent} urgent"),
        (urgent, 1) => format!("{urgent} urgent, 1 warning"),
        (urgent, warnings) => format!("{urgent} urgent, {warnings} warnings"),
    };
    let worst = status.open().max_by_key(|incident| (incident.severity, Reverse(incident.since)));
    fit(&format!("{counts}: {}", worst.map(told).unwrap_or_default()))
}

fn told(incident: &OpenIncident) -> String {
    let about = incident.credential.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    format!("{about}{}", incident.message)
}

fn calm(status: &Status) -> String {
    let credentials = counted(status.credentials.len(), "credential");
    let consumers: Vec<&Consumer> =
        status.credentials.iter().flat_map(|credential| &credential.consumers).collect();
    let tested = consumers.iter().filter(|consumer| is_tested(consumer)).count();
    match consumers.len() {
        0 => format!("{credentials}, no consumers"),
        all if all == tested => format!("{credentials}, all tested"),
        all => format!("{credentials}, {tested} of {} tested", counted(all, "consumer")),
    }
}

/// A copy that works is accepted by some operators, and still is no test.
fn is_tested(consumer: &Consumer) -> bool {
    match consumer.proof {
        ProofLevel::InUse | ProofLevel::Loaded => consumer.is_good(),
        ProofLevel::WorkingCopy | ProofLevel::Delivered | ProofLevel::Unproven => false,
    }
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn fit(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if plain.chars().count() <= CHARS_MAX {
        return plain;
    }
    let kept: String = plain.chars().take(CHARS_MAX - 3).collect();
    format!("{kept}...")
}
