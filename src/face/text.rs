//! The status for people: what is wrong first, then one block for each credential, the worst on top. It computes
//! nothing that the document does not say.

use super::brief::{self, Detail};
use super::page::{Page, Tone};
use super::status::{Consumer, Credential, Held, OpenIncident, Probe, Status};
use crate::domain::{ProofLevel, Severity, Timestamp, Verdict, spell_duration};
use std::{cmp::Reverse, time::Duration};

/// `width` in columns; colour only where the caller knows that it is wanted.
pub fn text(status: &Status, colour: bool, now: Timestamp, width: usize) -> String {
    let mut page = Page::new(colour, width);
    headline(&mut page, status);
    let detail = Detail::of(status);
    for incident in by_severity(&status.incidents) {
        page.gap();
        told(&mut page, 0, incident, detail, now);
    }
    let in_order = brief::in_order(status);
    let calm = |credential: &&Credential| detail == Detail::Brief && brief::is_calm(credential);
    let (calm, others): (Vec<_>, Vec<_>) = in_order.into_iter().partition(calm);
    for credential in others {
        page.gap();
        block(&mut page, credential, detail, now);
    }
    calm_rows(&mut page, &calm, now);
    page.gap();
    surroundings(&mut page, status, now);
    page.finish()
}

/// The consumers of one credential alone: what `prove` and `deliver` show.
pub fn consumers(credential: &Credential, colour: bool, now: Timestamp, width: usize) -> String {
    let mut page = Page::new(colour, width);
    page.row(0, credential.name.as_str(), Tone::Title, "");
    align(&mut page, credential);
    consumer_rows(&mut page, credential, Detail::Whole, now);
    page.finish()
}

/// What is held for a credential, each with where it came from, what was proven and what lets it in.
pub fn held(credential: &Credential, colour: bool, now: Timestamp, width: usize) -> String {
    let mut page = Page::new(colour, width);
    credential.held.iter().for_each(|held| held_row(&mut page, 0, credential, held, now));
    page.finish()
}

fn headline(page: &mut Page, status: &Status) {
    let daemon = &status.daemon;
    let since = daemon.since.map(|since| format!(" since {}", since.minutes())).unwrap_or_default();
    let role = match daemon.role.as_str() {
        "none" => "no daemon answers: computed by this command".to_owned(),
        "standby" => format!("standby{since}; {}", daemon.who_acts()),
        role => format!("{role}{since}"),
    };
    page.row(0, &format!("keyrelay {} on {}:", daemon.version, daemon.host), Tone::Title, &role);
    let count = |severity| status.open().filter(|incident| incident.severity == severity).count();
    let counts = [Severity::Urgent, Severity::Warning, Severity::Info].into_iter().filter_map(|severity| {
        match (count(severity), severity) {
            (0, _) => None,
            (1, severity) => Some(format!("1 {severity}")),
            (several, Severity::Warning) => Some(format!("{several} warnings")),
            (several, severity) => Some(format!("{several} {severity}")),
        }
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    let open = if counts.is_empty() { "no open incident;".into() } else { format!("open: {counts};") };
    let tone = tone(status.open().map(|incident| incident.severity).max().unwrap_or(Severity::Info));
    let consumers: Vec<&Consumer> =
        status.credentials.iter().flat_map(|credential| &credential.consumers).collect();
    let good = consumers.iter().filter(|consumer| consumer.is_good()).count();
    let good = format!("{good} of {} consumers at their level", consumers.len());
    page.row(0, &open, tone, &good);
    if !daemon.needs_restart.is_empty() {
        let keys = daemon.needs_restart.join(", ");
        page.row(0, "restart needed:", Tone::Warning, &format!("changed and not yet in force: {keys}"));
    }
}

fn block(page: &mut Page, credential: &Credential, detail: Detail, now: Timestamp) {
    let parked = credential.parked.iter().map(|reason| format!(": {}", reason.replace('_', " ")));
    let phase = credential.phase.replace('_', " ") + &parked.collect::<String>();
    let retiring = if credential.retiring { ", the old key retires" } else { "" };
    let observing = if credential.observing { ", only observed" } else { "" };
    let title = format!("{} ({})", credential.name, credential.vendor);
    page.row(0, &title, Tone::Title, &format!("{phase}{retiring}{observing}"));
    for incident in by_severity(&credential.incidents) {
        told(page, 2, incident, detail, now);
    }
    align(page, credential);
    page.row(2, "key", Tone::Plain, &key(credential, now));
    if let Some(until) = credential.grace_until {
        let left = match until > now {
            true => {
                format!("the old key works for {} more, until {}", length(until.since(now)), until.minutes())
            }
            false => format!("over since {}", until.minutes()),
        };
        page.row(2, "grace", Tone::Plain, &left);
    }
    if let Some(asked) = credential.rotation_asked_at {
        let since =
            format!("the vendor's API was asked for a new key {} ({})", asked.minutes(), when(asked, now));
        page.row(2, "asked", Tone::Plain, &since);
    }
    if let Some(expected) = credential.next_rotation_expected_at {
        page.row(
            2,
            "next",
            Tone::Plain,
            &format!("rotation expected {} ({})", expected.minutes(), when(expected, now)),
        );
    }
    if !credential.account.is_empty() {
        page.row(2, "account", Tone::Plain, &credential.account.join(", "));
    }
    consumer_rows(page, credential, detail, now);
    credential.held.iter().for_each(|held| held_row(page, 2, credential, held, now));
    page.column(0);
}

/// The block's texts begin below each other.
fn align(page: &mut Page, credential: &Credential) {
    let names = credential.consumers.iter().map(|consumer| consumer.name.as_str().len());
    page.column(names.max().unwrap_or(0).max("account".len()));
}

fn key(credential: &Credential, now: Timestamp) -> String {
    let Some(fingerprint) = &credential.fingerprint else { return "none is known".into() };
    let rotated = credential.rotated_at.map(|at| format!(", rotated {}", when(at, now))).unwrap_or_default();
    let probe = match credential.last_probe {
        Some(probe) => probed(probe, now),
        None => "not asked yet".into(),
    };
    let off = credential.probe_off_since.map(|at| format!(" (nobody is asked since {})", at.minutes()));
    let ends = credential.expires_at.map(|at| format!("; ends {} ({})", at.minutes(), when(at, now)));
    let (off, ends) = (off.unwrap_or_default(), ends.unwrap_or_default());
    format!("{fingerprint}, generation {}{rotated}; {probe}{off}{ends}", credential.generation)
}

fn probed(probe: Probe, now: Timestamp) -> String {
    let verdict = match probe.verdict {
        Verdict::Alive => "alive",
        Verdict::Dead => "refused by the vendor",
        Verdict::Unclear => "the vendor's answer was unclear",
    };
    format!("{verdict} {}", when(probe.at, now))
}

fn consumer_rows(page: &mut Page, credential: &Credential, detail: Detail, now: Timestamp) {
    let consumers = brief::consumers(credential, detail);
    for consumer in consumers.named {
        let tone = match (consumer.is_good(), consumer.proof) {
            (false, ProofLevel::Unproven) => Tone::Bad,
            (
                false,
                ProofLevel::Delivered | ProofLevel::WorkingCopy | ProofLevel::Loaded | ProofLevel::InUse,
            ) => Tone::Warning,
            (true, ProofLevel::Loaded | ProofLevel::InUse) => Tone::Good,
            // Accepted by the operator, and still not tested: never green.
            (true, ProofLevel::Unproven | ProofLevel::Delivered | ProofLevel::WorkingCopy) => Tone::Plain,
        };
        page.row(2, consumer.name.as_str(), tone, &shown(consumer, credential, now));
    }
    if consumers.more_bad > 0 {
        let more = format!("{} more are not at their level", consumers.more_bad);
        page.row(2, "consumers", Tone::Bad, &more);
    }
    if !consumers.good.is_empty() {
        page.row(2, "consumers", Tone::Plain, &brief::counted(&consumers.good));
    }
}

/// Nothing is to be done about them: a line each.
fn calm_rows(page: &mut Page, credentials: &[&Credential], now: Timestamp) {
    if credentials.is_empty() {
        return;
    }
    page.gap();
    page.column(credentials.iter().map(|credential| credential.name.as_str().len()).max().unwrap_or(0));
    for credential in credentials {
        let observing = if credential.observing { ", only observed" } else { "" };
        let next = credential.next_rotation_expected_at.map(|at| format!("; rotation {}", when(at, now)));
        let consumers = brief::all_counted(credential);
        let body = format!("{}{observing}; {consumers}{}", credential.phase, next.unwrap_or_default());
        page.row(0, credential.name.as_str(), Tone::Title, &body);
    }
    page.column(0);
}

/// The level in words, since when, and what stands in the way.
fn shown(consumer: &Consumer, credential: &Credential, now: Timestamp) -> String {
    let mut words = consumer.proof.words().to_owned();
    match (consumer.instances.wanted, consumer.instances.proven) {
        (Some(wanted), proven) => words += &format!(" ({proven} of {wanted} instances)"),
        (None, 0) => {}
        (None, 1) => words += " (one instance)",
        (None, proven) => words += &format!(" ({proven} instances)"),
    }
    match (consumer.at, consumer.proof) {
        (Some(at), ProofLevel::Unproven) => {
            let key =
                consumer.fingerprint.as_deref().filter(|key| credential.fingerprint.as_deref() != Some(*key));
            words += &match key {
                Some(key) => format!("; last seen with {key} {}", when(at, now)),
                None => format!("; last seen {}", when(at, now)),
            };
        }
        (
            Some(at),
            ProofLevel::Delivered | ProofLevel::WorkingCopy | ProofLevel::Loaded | ProofLevel::InUse,
        ) => {
            words += &format!(", {}", when(at, now));
        }
        (None, _) => {}
    }
    if consumer.stale {
        words += " (stale)";
    }
    if consumer.proof < consumer.wanted && consumer.proof > ProofLevel::Unproven {
        words += &format!("; wanted: {}", consumer.wanted.words());
    }
    if consumer.elsewhere {
        words += "; lives on another host, not tested from here";
    }
    if let Some(error) = &consumer.error {
        words += &format!("; {error}");
    }
    if let Some(next) = consumer.next_try_at {
        words += &format!("; tried again {}", when(next, now));
    }
    words
}

fn held_row(page: &mut Page, indent: usize, credential: &Credential, held: &Held, now: Timestamp) {
    let probe = held.last_probe.map_or("the vendor was not asked".into(), |probe| probed(probe, now));
    let account = match &held.account[..] {
        [] => String::new(),
        ids => format!("; account {}", ids.join(", ")),
    };
    let body = format!("{} from {}: {}; {probe}{account}", held.fingerprint, held.origin, held.why);
    page.row(indent, "held", Tone::Warning, &body);
    page.command(indent + 2, &format!("keyrelay accept {} {}", credential.name, held.fingerprint));
}

fn told(page: &mut Page, indent: usize, incident: &OpenIncident, detail: Detail, now: Timestamp) {
    let times = if incident.count > 1 { format!(" ({} times)", incident.count) } else { String::new() };
    let until = incident.until.map_or(String::new(), |until| {
        if until > now { format!("; {} left", length(until.since(now))) } else { "; its time is over".into() }
    });
    let body =
        format!("{}{times}, {}{until}: {}", incident.code, when(incident.since, now), incident.message);
    page.row(indent, &incident.severity.to_string(), tone(incident.severity), &body);
    let name = incident.credential.as_ref().map(|name| name.as_str());
    brief::hint(&incident.hint, name, detail).iter().for_each(|line| page.command(indent + 2, line));
}

fn surroundings(page: &mut Page, status: &Status, now: Timestamp) {
    let since = |at: Option<Timestamp>| at.map(|at| format!(" since {}", at.minutes())).unwrap_or_default();
    let (word, tone) =
        if status.store.reachable { ("reachable", Tone::Plain) } else { ("not reached", Tone::Bad) };
    page.row(0, "store", tone, &format!("{word}{}", since(status.store.since)));
    for mailbox in &status.mailboxes {
        let read = mailbox.last_ok_at.map_or("never read".into(), |at| format!("read {}", when(at, now)));
        let notice = mailbox.last_notice_at.map(|at| format!(", last notice {}", when(at, now)));
        let (word, tone) = if mailbox.ok { ("", Tone::Plain) } else { ("cannot be read now; ", Tone::Bad) };
        let body = format!("{word}{read}{}", notice.unwrap_or_default());
        page.row(0, &format!("mailbox {}", mailbox.name), tone, &body);
    }
    let sent = status
        .alerts
        .last_sent_at
        .map_or("none sent yet".into(), |at| format!("last sent {}", when(at, now)));
    let waiting = match status.alerts.queued {
        0 => String::new(),
        waiting => format!(", {waiting} waiting"),
    };
    page.row(0, "alerts", Tone::Plain, &format!("{sent}{waiting}"));
}

pub(super) fn by_severity(incidents: &[OpenIncident]) -> Vec<&OpenIncident> {
    let mut sorted: Vec<&OpenIncident> = incidents.iter().collect();
    sorted.sort_by_key(|incident| (Reverse(incident.severity), incident.since));
    sorted
}

pub(super) fn worst(incidents: &[OpenIncident]) -> Option<Severity> {
    incidents.iter().map(|incident| incident.severity).max()
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Info => Tone::Plain,
        Severity::Warning => Tone::Warning,
        Severity::Urgent => Tone::Bad,
    }
}

/// `3 min ago`, `in 2 d`, `now`.
pub(super) fn when(at: Timestamp, now: Timestamp) -> String {
    let (past, ahead) = (length(now.since(at)), length(at.since(now)));
    match (now.since(at).as_secs(), at.since(now).as_secs()) {
        (0, 0) => "now".into(),
        (0, _) => format!("in {ahead}"),
        (_, _) => format!("{past} ago"),
    }
}

/// Seconds only where there are no minutes.
pub(super) fn length(length: Duration) -> String {
    const MINUTE: u64 = 60;
    let secs = length.as_secs();
    spell_duration(Duration::from_secs(if secs < MINUTE { secs } else { secs - secs % MINUTE }))
}
