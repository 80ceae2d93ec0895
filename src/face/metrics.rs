//! `GET /metrics`: the status document and what was counted, as OpenMetrics text. Its labels are names out of the
//! configuration and words of ours, so that there are only so many series; no key is in it, and no fingerprint, which
//! would make new series with each rotation.

mod counted;
mod sheet;

pub use counted::Counted;

use super::status::{Consumer, Credential, Status};
use crate::domain::{ProofLevel, Severity, Timestamp, Verdict};
use sheet::{Labels, Series, Sheet, labels};
use std::collections::BTreeMap;

/// OpenMetrics 1.0, section "Overall Structure".
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

const PHASES: [&str; 7] = ["unseeded", "steady", "announced", "probing", "storing", "handing_over", "parked"];
const LEVELS: [ProofLevel; 5] = [
    ProofLevel::Unproven,
    ProofLevel::Delivered,
    ProofLevel::WorkingCopy,
    ProofLevel::Loaded,
    ProofLevel::InUse,
];
const VERDICTS: [Verdict; 3] = [Verdict::Alive, Verdict::Dead, Verdict::Unclear];

/// The whole text, as of the status' own moment.
pub fn exposition(status: &Status, counted: &Counted) -> String {
    let mut sheet = Sheet::new();
    sheet.info("keyrelay_build", "What runs here", labels([("version", &status.daemon.version)]));
    let since = status.daemon.since.map(secs);
    sheet.one_seconds("process_start_time", "When this process began, since 1970", since);
    let waits = flag(!status.daemon.needs_restart.is_empty());
    let help = "1: the configuration has changes that wait for a restart";
    sheet.one("keyrelay_restart_needed", help, waits);
    surroundings(&mut sheet, status);
    incidents(&mut sheet, status);
    credentials(&mut sheet, status);
    moments(&mut sheet, status);
    consumers(&mut sheet, status);
    counted.write(&mut sheet, status);
    sheet.text()
}

fn surroundings(sheet: &mut Sheet, status: &Status) {
    let store = &status.store;
    sheet.one("keyrelay_store_up", "1: the store answers", flag(store.reachable));
    let last_ok = store.last_ok_at.map(secs);
    sheet.one_seconds("keyrelay_store_last_ok_timestamp", "When the store last answered", last_ok);
    let mailbox = |value: fn(&super::status::Mailbox) -> Option<f64>| -> Series {
        let found = status.mailboxes.iter().filter_map(|mailbox| Some((mailbox, value(mailbox)?)));
        found.map(|(mailbox, value)| (labels([("mailbox", mailbox.name.as_str())]), value)).collect()
    };
    sheet.gauge("keyrelay_mailbox_up", "1: the mailbox can be read", mailbox(|found| Some(flag(found.ok))));
    let last_ok = mailbox(|found| found.last_ok_at.map(secs));
    sheet.gauge_seconds("keyrelay_mailbox_last_ok_timestamp", "When the mailbox was last read", last_ok);
    let notice = mailbox(|found| found.last_notice_at.map(secs));
    let help = "When the newest genuine mail of a vendor came into the mailbox";
    sheet.gauge_seconds("keyrelay_mailbox_last_notice_timestamp", help, notice);
    let queued = wide(status.alerts.queued);
    sheet.one("keyrelay_alerts_queued", "Alerts that wait to be sent", queued);
    let sent = status.alerts.last_sent_at.map(secs);
    sheet.one_seconds("keyrelay_alerts_last_sent_timestamp", "When an alert last went out", sent);
}

/// One series for each open incident's credential, code and severity; `credential` is empty where it has none.
fn incidents(sheet: &mut Sheet, status: &Status) {
    let mut open: BTreeMap<Labels, f64> = BTreeMap::new();
    for incident in status.open() {
        let credential = incident.credential.as_ref().map_or("", |name| name.as_str());
        let (code, severity) = (incident.code.as_str(), incident.severity.to_string());
        let labels = labels([("code", code), ("credential", credential), ("severity", &severity)]);
        *open.entry(labels).or_default() += 1.0;
    }
    sheet.gauge("keyrelay_open_incidents", "Open incidents, as keyrelay status shows them", open);
    let severities = [Severity::Info, Severity::Warning, Severity::Urgent].map(|severity| {
        let count = status.open().filter(|incident| incident.severity == severity).count();
        (labels([("severity", &severity.to_string())]), wide(count))
    });
    sheet.gauge("keyrelay_incidents", "How many incidents of a severity are open", severities);
}

fn credentials(sheet: &mut Sheet, status: &Status) {
    let vendors = status.credentials.iter().map(|credential| {
        let (name, vendor) = (credential.name.as_str(), credential.vendor.as_str());
        (labels([("credential", name), ("vendor", vendor)]), 1.0)
    });
    sheet.gauge("keyrelay_credential_info", "1: whose key the credential is", vendors);
    let phases = status.credentials.iter().flat_map(|credential| {
        PHASES.map(|phase| {
            (
                labels([("credential", credential.name.as_str()), ("phase", phase)]),
                flag(credential.phase == phase),
            )
        })
    });
    sheet.gauge("keyrelay_credential_phase", "1: the credential is in this phase", phases);
    let verdicts = status.credentials.iter().flat_map(|credential| {
        let last = credential.last_probe.map(|probe| probe.verdict);
        VERDICTS.map(|verdict| {
            let name = verdict.to_string();
            (
                labels([("credential", credential.name.as_str()), ("verdict", &name)]),
                flag(last == Some(verdict)),
            )
        })
    });
    let help = "1: what the vendor last said of the current key";
    sheet.gauge("keyrelay_credential_last_probe_verdict", help, verdicts);
    let generation = each(status, |credential| Some(credential.generation as f64));
    let help = "The generation of the current key, one more with each promotion";
    sheet.gauge("keyrelay_credential_generation", help, generation);
    let held = each(status, |credential| Some(wide(credential.held.len())));
    sheet.gauge("keyrelay_credential_held_keys", "Keys that wait for an operator's word", held);
}

/// Of the credentials; a moment that is not known has no series.
fn moments(sheet: &mut Sheet, status: &Status) {
    let now = status.generated_at;
    let at = |moment: fn(&Credential) -> Option<Timestamp>| each(status, |found| moment(found).map(secs));
    let deadline = each(status, |found| found.deadline_at.map(|deadline| secs(deadline) - secs(now)));
    let help = "What is left until every consumer must have come to the new key, below zero when it is over; \
        no series while no rotation is under way";
    sheet.gauge_seconds("keyrelay_credential_deadline", help, deadline);
    let signal = each(status, |found| found.last_signal_at.map(|at| secs(now) - secs(at)));
    let help =
        "How long ago the newest evidence of a rotation came: a warning, a confirmation, a paste, a 401";
    sheet.gauge_seconds("keyrelay_credential_last_signal_age", help, signal);
    let help = "When the vendor made the current key";
    let name = "keyrelay_credential_rotated_timestamp";
    sheet.gauge_seconds(name, help, at(|credential| credential.rotated_at));
    let help = "Until when the old key works";
    let name = "keyrelay_credential_grace_end_timestamp";
    sheet.gauge_seconds(name, help, at(|credential| credential.grace_until));
    let help = "When the vendor is expected to rotate next";
    let name = "keyrelay_credential_next_rotation_timestamp";
    sheet.gauge_seconds(name, help, at(|credential| credential.next_rotation_expected_at));
    let help = "When the vendor was last asked about the current key";
    let name = "keyrelay_credential_last_probe_timestamp";
    sheet.gauge_seconds(name, help, at(|credential| credential.last_probe.map(|probe| probe.at)));
}

fn consumers(sheet: &mut Sheet, status: &Status) {
    let by_level = |level_of: fn(&Consumer) -> ProofLevel| -> Series {
        let counts = status.credentials.iter().flat_map(|credential| {
            LEVELS.map(|level| {
                let of_level = credential.consumers.iter().filter(|consumer| level_of(consumer) == level);
                (
                    labels([("credential", credential.name.as_str()), ("level", level.as_str())]),
                    wide(of_level.count()),
                )
            })
        });
        counts.collect()
    };
    let help = "How many consumers were shown to be at a level with the current key";
    sheet.gauge("keyrelay_consumers", help, by_level(|consumer| consumer.proof));
    let help = "How many consumers are wanted at a level";
    sheet.gauge("keyrelay_consumers_wanted", help, by_level(|consumer| consumer.wanted));
    let each_one = |value: fn(&Consumer) -> Option<f64>| -> Series {
        let all = status.credentials.iter().flat_map(|credential| {
            let values =
                credential.consumers.iter().filter_map(move |consumer| Some((consumer, value(consumer)?)));
            values.map(|(consumer, value)| {
                let names = [("consumer", consumer.name.as_str()), ("credential", credential.name.as_str())];
                (labels(names), value)
            })
        });
        all.collect()
    };
    let help = "1: the consumer was shown to be at its wanted level with the current key, however long ago";
    sheet.gauge("keyrelay_consumer_proven", help, each_one(|found| Some(flag(found.proof >= found.wanted))));
    let help = "1: what was shown of the consumer is too long ago to count";
    sheet.gauge("keyrelay_consumer_stale", help, each_one(|found| Some(flag(found.stale))));
    let help = "When the consumer last showed that it works with a key";
    let shown = each_one(|found| found.at.map(secs));
    sheet.gauge_seconds("keyrelay_consumer_last_proof_timestamp", help, shown);
}

/// One series for each credential that has such a value.
fn each(status: &Status, value: impl Fn(&Credential) -> Option<f64>) -> Series {
    let found = status.credentials.iter().filter_map(|credential| Some((credential, value(credential)?)));
    found.map(|(credential, value)| (labels([("credential", credential.name.as_str())]), value)).collect()
}

fn flag(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
fn secs(at: Timestamp) -> f64 {
    at.as_millis() as f64 / 1000.0
}
fn wide(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
