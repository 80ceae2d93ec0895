//! A credential's history for people: one block for each rotation, newest first. It computes nothing but lengths.

use super::page::{Page, Tone};
use crate::{
    domain::{CredentialName, Origin, ProofLevel, spell_duration},
    rotation::{ConsumerRecord, Observed, PhaseEntered, Record, RecordKind, Trigger},
};
use std::{collections::BTreeMap, time::Duration};

/// Of consumers that have nothing wrong, more than this many are counted and not named.
const CONSUMERS_NAMED: usize = 6;

/// `width` in columns; colour only where the caller knows that it is wanted.
pub fn text(name: &CredentialName, records: &[Record], colour: bool, width: usize) -> String {
    let mut page = Page::new(colour, width);
    if records.is_empty() {
        page.row(0, name.as_str(), Tone::Title, "nothing is written down yet on this machine");
        return page.finish();
    }
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            page.gap();
        }
        block(&mut page, name, record);
    }
    page.finish()
}

fn block(page: &mut Page, name: &CredentialName, record: &Record) {
    let (what, tone) = match record.kind {
        RecordKind::Rotation => ("rotation", Tone::Title),
        RecordKind::Refusal => ("a key was refused", Tone::Warning),
        RecordKind::Ingest => ("a key was let in by hand", Tone::Title),
        RecordKind::Rollback => ("rollback", Tone::Warning),
        RecordKind::Hint => ("a program was refused", Tone::Warning),
    };
    page.column(0);
    page.row(0, &record.at().minutes(), tone, &format!("{name}: {what}, {}", record.rotation_id));
    page.column("consumers".len());
    page.row(2, "from", Tone::Plain, &trigger(record));
    page.row(2, "key", Tone::Plain, &keys(record));
    if let Some(observed) = record.observed {
        page.row(2, "observed", Tone::Plain, &only_observed(observed));
    }
    if let Some(why) = &record.why {
        page.row(2, "why", Tone::Plain, why);
    }
    if let Some(warned) = record.phases.first().filter(|entered| entered.phase == "announced") {
        page.row(2, "announced", Tone::Plain, &warned.at.minutes());
    }
    if let Some(phases) = phases(&record.phases) {
        page.row(2, "phases", Tone::Plain, &phases);
    }
    consumers(page, &record.consumers);
    match record.kind {
        RecordKind::Rotation | RecordKind::Ingest | RecordKind::Rollback => {
            let (margin, tone) = margin(record.margin_secs);
            page.row(2, "margin", tone, &margin);
        }
        RecordKind::Refusal | RecordKind::Hint => {}
    }
}

fn trigger(record: &Record) -> String {
    match &record.trigger {
        Some(Trigger::Hint { uid }) => format!("a program on this machine (uid {uid})"),
        Some(Trigger::Candidate(Origin::Mail(mail))) => format!(
            "the mail {} from {}, signed by {} ({}), in {}",
            mail.id.0, mail.from, mail.signed_by, mail.selector, mail.folder
        ),
        Some(Trigger::Candidate(Origin::Ingest { uid, .. } | Origin::Rollback { uid })) => {
            format!("an operator (uid {uid})")
        }
        Some(Trigger::Candidate(origin @ (Origin::Store | Origin::Former | Origin::Api { .. }))) => {
            origin.to_string()
        }
        None => "taken over from an earlier process, or from another host".into(),
    }
}

fn keys(record: &Record) -> String {
    if record.kind == RecordKind::Hint {
        return record.old_fingerprint.clone().unwrap_or_default();
    }
    let new = record.new_fingerprint.as_deref().unwrap_or("unknown");
    match (record.kind, &record.old_fingerprint) {
        (RecordKind::Refusal, Some(current)) => format!("{new}; {current} stayed the current one"),
        (RecordKind::Refusal, None) => format!("{new}; there was no current one"),
        (RecordKind::Rotation | RecordKind::Ingest | RecordKind::Rollback | RecordKind::Hint, old) => {
            let after = old.as_ref().map(|old| format!(" after {old}")).unwrap_or_default();
            let version = record.store_version.map(|version| format!(", version {version} in the store"));
            format!("{new}{after}, generation {}{}", record.generation, version.unwrap_or_default())
        }
    }
}

fn only_observed(observed: Observed) -> String {
    match (observed.would_promote_at, observed.stored_at) {
        (Some(would), Some(stored)) if stored > would => format!(
            "keyrelay would have promoted it at {}; somebody else did, {} later",
            would.clock(),
            spell_duration(stored.since(would))
        ),
        (_, Some(stored)) => {
            format!("somebody else put it into the store at {}, before keyrelay would have", stored.minutes())
        }
        (Some(would), None) => format!("keyrelay would have promoted it at {}", would.clock()),
        (None, None) => "nothing was changed".into(),
    }
}

/// Each phase with how long it took; the last one goes on, or is the end.
fn phases(phases: &[PhaseEntered]) -> Option<String> {
    let entered = PhaseEntered::after_the_warning(phases);
    let (first, last) = (entered.first()?, entered.last()?);
    let steps = entered
        .windows(2)
        .map(|pair| format!("{} {}", pair[0].phase.replace('_', " "), took(pair[1].at.since(pair[0].at))));
    let steps: Vec<_> =
        steps.chain([format!("{} at {}", last.phase.replace('_', " "), last.at.clock())]).collect();
    let whole = last.at.since(first.at);
    let all = if entered.len() > 2 { format!(" ({} in all)", took(whole)) } else { String::new() };
    Some(format!("{}{all}", steps.join(", ")))
}

fn took(length: Duration) -> String {
    match length.as_millis() {
        millis @ 0..1_000 => format!("{millis} ms"),
        _ => spell_duration(length),
    }
}

/// By level, the worst first; few are named, many are counted.
fn consumers(page: &mut Page, consumers: &[ConsumerRecord]) {
    let mut by_level: BTreeMap<ProofLevel, Vec<&ConsumerRecord>> = BTreeMap::new();
    consumers.iter().for_each(|consumer| by_level.entry(consumer.proof).or_default().push(consumer));
    let mut label = "consumers";
    for (level, consumers) in by_level {
        let tone = if level == ProofLevel::Unproven { Tone::Bad } else { Tone::Plain };
        let named = level == ProofLevel::Unproven || consumers.len() <= CONSUMERS_NAMED;
        let shown = |consumer: &ConsumerRecord| match consumer.at {
            Some(at) => format!("{} {}", consumer.name, at.clock()),
            None => consumer.name.to_string(),
        };
        let body = match named {
            true => consumers.iter().map(|consumer| shown(consumer)).collect::<Vec<_>>().join(", "),
            false => format!("{} of them", consumers.len()),
        };
        page.row(2, label, tone, &format!("{}: {body}", level.words()));
        label = "";
    }
}

fn margin(secs: Option<i64>) -> (String, Tone) {
    let length = |secs: i64| spell_duration(Duration::from_secs(secs.unsigned_abs()));
    match secs {
        None => ("not every consumer was at its level when this was written".into(), Tone::Warning),
        Some(secs) if secs < 0 => (format!("the last consumer was {} late", length(secs)), Tone::Bad),
        Some(secs) => (format!("{} were left when the last consumer was there", length(secs)), Tone::Plain),
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
