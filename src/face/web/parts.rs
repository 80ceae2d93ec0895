//! The parts of the page. Everything in them is said by the status document and the history.

use super::{
    Past,
    axis::Axis,
    fleet::{axis_of_all, bar, scale},
    strip::strip,
    track::{LaneState, Track, last_with},
};
use crate::{
    domain::{Severity, Timestamp, Verdict},
    face::{
        status::{Consumer, Credential, OpenIncident, Status},
        text::{by_severity, length, when, worst},
    },
    rotation::Record,
};
use maud::{Markup, html};
use std::cmp::Reverse;

/// So many credentials are shown whole, also while nothing happens.
const WHOLE_WHEN_CALM: usize = 4;
/// Lines of calm credentials beyond these do not open: the page of a fleet of a thousand stays small.
const OPENING_ROWS: usize = 50;
/// Rotations that are summed up below a strip.
const PAST_MAX: usize = 3;

pub fn masthead(status: &Status) -> Markup {
    let now = status.generated_at;
    let all = status.credentials.iter().flat_map(|credential| &credential.consumers);
    let good = all.clone().filter(|consumer| consumer.is_good()).count();
    let role = match status.daemon.role.as_str() {
        "none" => "computed without a daemon".to_owned(),
        "standby" => format!("standby; {}", status.daemon.who_acts()),
        role => role.to_owned(),
    };
    html! {
        header.masthead {
            p.where { strong { "keyrelay" } " on " (status.daemon.host) span.role { (role) } }
            p.asof {
                span.pulse aria-hidden="true" {}
                span.live { "live" } span.still { "as of" } " "
                @let (date, time) = now.minutes().split_once(' ').map(|(date, time)| (date.to_owned(), time.to_owned())).unwrap_or_default();
                time datetime=(now) { span.minor { (date) " " } (time) }
            }
            h1 class=(headline_class(status)) { (headline(status)) }
            p.sum {
                (count(status.credentials.len(), "credential")) " · "
                (good) " of " (count(all.count(), "consumer")) " at their level"
                @if let Some((name, at)) = next_rotation(status) {
                    " · next rotation " (when(at, now)) " (" (name) ")"
                }
            }
        }
    }
}

fn headline(status: &Status) -> String {
    let of = |severity| status.open().filter(|incident| incident.severity == severity).count();
    let unproven = status.credentials.iter().flat_map(|credential| &credential.consumers);
    let unproven = unproven.filter(|consumer| !consumer.is_good() && !consumer.elsewhere).count();
    match (of(Severity::Urgent), of(Severity::Warning), unproven) {
        (0, 0, 0) if status.credentials.is_empty() => "No credential is configured.".into(),
        (0, 0, 0) => "Every consumer works with its current key.".into(),
        (0, 0, 1) => "Nothing is wrong; one consumer is being tested.".into(),
        (0, 0, some) => format!("Nothing is wrong; {some} consumers are being tested."),
        (0, warnings, _) => format!("{} to look at.", count(warnings, "warning")),
        (1, _, _) => "One thing is urgent.".into(),
        (urgent, _, _) => format!("{urgent} things are urgent."),
    }
}
fn headline_class(status: &Status) -> &'static str {
    match status.open().map(|incident| incident.severity).max() {
        Some(Severity::Urgent) => "bad",
        Some(Severity::Warning) => "warning",
        Some(Severity::Info) | None => "good",
    }
}
fn next_rotation(status: &Status) -> Option<(&str, Timestamp)> {
    let expected = |credential: &Credential| credential.next_rotation_expected_at;
    let all = status.credentials.iter().filter_map(|each| Some((each.name.as_str(), expected(each)?)));
    all.filter(|(_, at)| *at > status.generated_at).min_by_key(|(_, at)| *at)
}

/// What is wrong, the worst first, each with what to type.
pub fn problems(status: &Status) -> Markup {
    let open: Vec<OpenIncident> = status.open().cloned().collect();
    let restart = &status.daemon.needs_restart;
    html! {
        @if !open.is_empty() || !restart.is_empty() {
            section.problems aria-label="What is wrong" {
                @for incident in by_severity(&open) { (problem(incident, status.generated_at)) }
                @if !restart.is_empty() {
                    article.problem.info {
                        p.what { span.severity { "restart" } "changed and not yet in force: " (restart.join(", ")) }
                    }
                }
            }
        }
    }
}

fn problem(incident: &OpenIncident, now: Timestamp) -> Markup {
    let severity = incident.severity.to_string();
    html! {
        article class={ "problem " (severity) } {
            p.what { span.severity { (severity) } (incident.message) }
            p.about {
                @if let Some(name) = &incident.credential { a href={ "#" (name) } { (name) } " · " }
                (incident.code) " · open for " (length(now.since(incident.since)))
                @if incident.count > 1 { " · " (incident.count) " times" }
                @if let Some(until) = incident.until {
                    " · "
                    strong { @if until > now { (length(until.since(now))) " left" } @else { "its time is over" } }
                }
            }
            @for line in incident.hint.lines() {
                @if is_command(line) { pre { code { (line) } } } @else { p.hint { (line) } }
            }
        }
    }
}
/// A line to be typed, not a sentence to be read.
fn is_command(line: &str) -> bool {
    const PROGRAMS: [&str; 6] = ["keyrelay", "systemctl", "journalctl", "pkill", "bao", "vault"];
    line.split_whitespace().next().is_some_and(|first| PROGRAMS.contains(&first))
}

/// What is under way or wrong in full, the worst first; of a larger fleet the calm ones as one picture, the next
/// rotation on top.
pub fn credentials(status: &Status, past: &Past) -> Markup {
    let now = status.generated_at;
    let mut all: Vec<&Credential> = status.credentials.iter().collect();
    all.sort_by_key(|each| (Reverse(worst(&each.incidents)), &each.name));
    let (mut calm, busy): (Vec<&Credential>, Vec<_>) = all.iter().partition(|each| is_calm(each, now));
    calm.sort_by_key(|each| each.next_rotation_expected_at.map_or((true, now), |at| (false, at)));
    let (whole, rows) = if all.len() <= WHOLE_WHEN_CALM { (all, Vec::new()) } else { (busy, calm) };
    let of = |credential: &Credential| past.get(&credential.name).map_or(&[][..], Vec::as_slice);
    html! {
        @if !whole.is_empty() {
            section.credentials aria-label="Credentials" {
                @for credential in whole { (block(credential, of(credential), now)) }
            }
        }
        @if !rows.is_empty() {
            @let axis = axis_of_all(&rows, now);
            section.fleet aria-labelledby="calm" {
                h2 id="calm" { (count(rows.len(), "credential")) " in order" }
                div.scale aria-hidden="true" { (scale(&axis, now)) }
                @for (number, credential) in rows.iter().enumerate() {
                    @let opens = number < OPENING_ROWS;
                    (row_of_fleet(credential, of(credential), &axis, now, opens))
                }
            }
        }
    }
}

/// Nothing is wrong and nothing is under way.
fn is_calm(credential: &Credential, now: Timestamp) -> bool {
    let grace = credential.grace_until.is_some_and(|until| until > now);
    let good = credential.consumers.iter().all(|consumer| consumer.is_good() || consumer.elsewhere);
    credential.incidents.is_empty() && credential.phase == "steady" && good && !grace
}

/// A line that opens to all that is known; of a very large fleet only the first do.
fn row_of_fleet(
    credential: &Credential,
    past: &[Record],
    axis: &Axis,
    now: Timestamp,
    opens: bool,
) -> Markup {
    let (value, _, _) = left(credential, now);
    let good = credential.consumers.iter().filter(|consumer| consumer.is_good()).count();
    let line = html! {
        span.name { (credential.name) span.about { (good) " of " (credential.consumers.len()) } }
        (bar(credential, axis, now))
        span.value { (value) }
    };
    html! {
        @if opens {
            details.row id={ "calm-" (credential.name) } { summary { (line) } (block(credential, past, now)) }
        } @else {
            div.row { (line) }
        }
    }
}

fn block(credential: &Credential, past: &[Record], now: Timestamp) -> Markup {
    let (value, caption, tone) = left(credential, now);
    let severity = worst(&credential.incidents).map(|worst| worst.to_string()).unwrap_or_default();
    let track = Track::of(credential, past, now);
    html! {
        article id=(credential.name) class={ "credential " (severity) } {
            header {
                div {
                    h2 { (credential.name) }
                    p.about { (credential.vendor) " · " span.phase { (phase(credential)) } }
                }
                p class={ "left " (tone) } { strong { (value) } " " span { (caption) } }
            }
            p.key { (key(credential, now)) }
            @if let Some(track) = &track {
                (strip(track, &format!("strip-{}", credential.name), &format!("{}: its keys over time", credential.name)))
            }
            (held(credential))
            (table(credential, now))
            (history(past, now))
        }
    }
}

fn phase(credential: &Credential) -> String {
    let parked = credential.parked.iter().map(|reason| format!(": {}", reason.replace('_', " ")));
    let phase = credential.phase.replace('_', " ") + &parked.collect::<String>();
    let retiring = if credential.retiring { ", the old key retires" } else { "" };
    let observing = if credential.observing { ", only observed" } else { "" };
    format!("{phase}{retiring}{observing}")
}

/// How long is left, until what, and how that is to be taken.
fn left(credential: &Credential, now: Timestamp) -> (String, &'static str, &'static str) {
    let ahead = |at: Option<Timestamp>| at.filter(|at| *at > now).map(|at| length(at.since(now)));
    if credential.deadline_at.is_some() {
        let tone = match worst(&credential.incidents) {
            Some(Severity::Urgent) => "bad",
            Some(Severity::Warning) => "warning",
            Some(Severity::Info) | None => "plain",
        };
        return match ahead(credential.deadline_at) {
            Some(left) => (left, "left to reach every consumer", tone),
            None => ("over".into(), "is the time to reach every consumer", "bad"),
        };
    }
    if let Some(left) = ahead(credential.grace_until) {
        return (left, "until the old key dies", "plain");
    }
    match (credential.next_rotation_expected_at, ahead(credential.next_rotation_expected_at)) {
        (Some(_), Some(left)) => (left, "until the next rotation", "plain"),
        (Some(at), None) => (length(now.since(at)), "past the expected rotation", "warning"),
        (None, _) => ("–".into(), "no rotation is expected", "faint"),
    }
}

fn key(credential: &Credential, now: Timestamp) -> Markup {
    let Some(fingerprint) = &credential.fingerprint else { return html! { "No key is known yet." } };
    html! {
        span.swatch aria-hidden="true" {} "key " code { (fingerprint) }
        @if credential.generation > 0 { " · generation " (credential.generation) }
        " · "
        @match credential.last_probe {
            None => { "not asked yet" }
            Some(probe) => {
                @match probe.verdict {
                    Verdict::Alive => { "alive " }
                    Verdict::Dead => { strong.bad { "refused by the vendor " } }
                    Verdict::Unclear => { strong.warning { "the vendor's answer was unclear " } }
                }
                (when(probe.at, now))
            }
        }
        @if let Some(since) = credential.probe_off_since {
            " · " strong.warning { "nobody is asked since " (since.minutes()) }
        }
        @if let Some(ends) = credential.expires_at { " · ends " (ends.minutes()) " (" (when(ends, now)) ")" }
    }
}

fn held(credential: &Credential) -> Markup {
    html! {
        @for held in &credential.held {
            div.held {
                p { span.severity { "held" } code { (held.fingerprint) } " from " (held.origin) ": " (held.why) }
                pre { code { "keyrelay accept " (credential.name) " " (held.fingerprint) } }
            }
        }
    }
}

/// The strip's lanes for who does not see them, and what they have no room for. Open while something is not right.
fn table(credential: &Credential, now: Timestamp) -> Markup {
    let good = credential.consumers.iter().filter(|consumer| consumer.is_good()).count();
    let all = credential.consumers.len();
    let open = credential.consumers.iter().any(|consumer| consumer.error.is_some());
    html! {
        @if all == 0 { p.faint { "No consumer is configured." } } @else {
            details id={ "consumers-" (credential.name) } open[open] {
                summary { (good) " of " (count(all, "consumer")) " at " @if all == 1 { "its" } @else { "their" } " level" }
                table {
                    thead { tr { th scope="col" { "consumer" } th scope="col" { "shown" } th scope="col" { "tested" } } }
                    tbody { @for consumer in &credential.consumers { (row(credential, consumer, now)) } }
                }
            }
        }
    }
}

fn row(credential: &Credential, consumer: &Consumer, now: Timestamp) -> Markup {
    let state = LaneState::of(consumer);
    html! {
        tr class=(state.class()) {
            th scope="row" { (consumer.name) }
            td {
                span.state { (state.sign()) " " (state.words()) }
                @match (consumer.instances.wanted, consumer.instances.proven) {
                    (Some(wanted), proven) => { " (" (proven) " of " (wanted) " instances)" }
                    (None, 0 | 1) => {}
                    (None, proven) => { " (" (proven) " instances)" }
                }
                @if let Some(key) = last_with(credential, consumer) { " · last seen with " code { (key) } }
                @if consumer.proof < consumer.wanted { " · wanted: " (consumer.wanted.words()) }
                @if let Some(error) = &consumer.error { br; span.error { (error) } }
            }
            td {
                @match consumer.at { Some(at) => { (when(at, now)) } None => { "never" } }
                @if let Some(next) = consumer.next_try_at { br; span.faint { "again " (when(next, now)) } }
            }
        }
    }
}

/// The last rotations, newest first, each with what was left of its time.
fn history(past: &[Record], now: Timestamp) -> Markup {
    let settled = past.iter().filter_map(|record| Some((record, record.margin_secs?)));
    let told: Vec<_> = settled.take(PAST_MAX).collect();
    html! {
        @if !told.is_empty() {
            p.past {
                "Last rotations: "
                @for (number, (record, margin_secs)) in told.iter().enumerate() {
                    @if number > 0 { "; " }
                    @let at = record.phases.last().map_or(now, |entered| entered.at);
                    (when(at, now))
                    @match u64::try_from(*margin_secs) {
                        Ok(left) => { ", " (length(std::time::Duration::from_secs(left))) " to spare" }
                        Err(_) => { ", " strong.bad { (length(std::time::Duration::from_secs(margin_secs.unsigned_abs()))) " late" } }
                    }
                }
            }
        }
    }
}

pub fn surroundings(status: &Status) -> Markup {
    let now = status.generated_at;
    let ago = |at: Option<Timestamp>| at.map_or("never".into(), |at| when(at, now));
    html! {
        section.surroundings aria-label="What keyrelay needs" {
            dl {
                (fact("store", status.store.reachable, "reachable", "not reached", &ago(status.store.last_ok_at)))
                @for mailbox in &status.mailboxes {
                    (fact(&format!("mailbox {}", mailbox.name), mailbox.ok, "read", "cannot be read; read", &ago(mailbox.last_ok_at)))
                }
                div {
                    dt { "alerts" }
                    dd {
                        @match status.alerts.last_sent_at { Some(at) => { "last sent " (when(at, now)) } None => { "none sent yet" } }
                        @if status.alerts.queued > 0 { strong.warning { " · " (status.alerts.queued) " waiting" } }
                    }
                }
            }
        }
    }
}
fn fact(name: &str, ok: bool, good: &str, bad: &str, last: &str) -> Markup {
    html! {
        div {
            dt { (name) }
            @if ok { dd { (good) " " (last) } } @else { dd.bad { "✕ " (bad) " " (last) } }
        }
    }
}

fn count(number: usize, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}
