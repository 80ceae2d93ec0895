//! Renders a notice as the mail that wakes an operator. Pure: the same notice gives the same mail, byte for byte, so
//! that one sent again after a crash is the same mail. It knows neither the clock nor how a mail travels.

mod consumers;
mod text;
mod times;
mod webhook;

use crate::domain::{Code, Notice, Section, Severity, Timestamp, spell_duration};
pub(super) use text::plain;
use text::{lines, steps, wrap};
use times::{time_left, when};
pub use webhook::webhook;

/// The longest sentence in a subject; the body has it whole.
const SUBJECT_SENTENCE_MAX: usize = 160;

/// What a mail says besides the notice.
pub struct Facts<'a> {
    /// This machine's name.
    pub host: &'a str,
    pub version: &'a str,
    /// The configured addresses, with or without a display name.
    pub from: &'a str,
    pub to: &'a [String],
}

/// One mail, ready for any transport. Nothing in it ends a header early: control characters and line ends are escaped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
    /// Plain text with LF line ends, without one behind the last line.
    pub body: String,
    /// In angle brackets; a function of incident and step only, so that a mail that is sent twice is one mail.
    pub message_id: String,
    /// The incident's first mail: `In-Reply-To` and `References`. `None` for that mail itself.
    pub references: Option<String>,
    pub date: Timestamp,
    /// Further headers; their values are ASCII.
    pub headers: Vec<(&'static str, String)>,
}

/// The notice as a mail, in the order in which an operator needs it: what is wrong and until when, what it breaks,
/// what keyrelay does, what to type, when the next mail comes, the consumers, the particulars.
pub fn mail(notice: &Notice, facts: &Facts<'_>) -> Mail {
    Mail {
        from: plain(facts.from),
        to: facts.to.iter().map(|to| plain(to)).collect(),
        subject: format!("[keyrelay] {}", headline(notice, SUBJECT_SENTENCE_MAX)),
        body: body(notice, facts),
        message_id: message_id(notice, notice.step, facts.from),
        references: (notice.step > 0).then(|| message_id(notice, 0, facts.from)),
        date: notice.at,
        headers: headers(notice),
    }
}

/// The notice for a terminal or a log: the subject's line in full, and below it what to do.
pub fn text(notice: &Notice) -> String {
    let mut text = vec![headline(notice, usize::MAX)];
    let hint = lines(&notice.hint).filter(|_| !notice.resolved);
    text.extend(hint.enumerate().map(|(index, line)| {
        let label = if index == 0 { "to do:" } else { "" };
        format!("  {label:6} {line}")
    }));
    text.join("\n")
}

/// `URGENT leaf7-main: … (until 2026-11-22 08:55 UTC, 23 h left)`.
fn headline(notice: &Notice, max: usize) -> String {
    let weight = match (notice.resolved, notice.severity) {
        (true, _) => Some("resolved:"),
        (false, Severity::Info) => None,
        (false, Severity::Warning) => Some("warning"),
        (false, Severity::Urgent) => Some("URGENT"),
    };
    let who = notice.credential.as_ref().map(|name| name.as_str());
    let about = weight.into_iter().chain(who).collect::<Vec<_>>().join(" ");
    let colon = if about.is_empty() || about.ends_with(':') { "" } else { ":" };
    let left = notice.until.filter(|_| !notice.resolved).map(|until| time_left(until, notice.at));
    let left = left.map(|left| format!(" ({left})")).unwrap_or_default();
    format!("{about}{colon} {}{left}", cut(&sentence(notice), max)).trim_start().into()
}

/// The message without a full stop.
fn sentence(notice: &Notice) -> String {
    plain(notice.message.trim().trim_end_matches('.'))
}

/// The first words of a text, as many as fit.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.into();
    }
    let fits: String = text.chars().take(max).collect();
    let words = fits.rsplit_once(' ').map_or(fits.as_str(), |(words, _)| words);
    format!("{words} ...")
}

/// `<INCIDENT.STEP@DOMAIN>`, of characters that need no quoting.
fn message_id(notice: &Notice, step: u32, from: &str) -> String {
    let atom = |text: &str| {
        text.chars().filter(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect::<String>()
    };
    let domain = from.rsplit_once('@').map(|(_, domain)| atom(domain)).filter(|domain| !domain.is_empty());
    format!("<{}.{step}@{}>", atom(&notice.incident), domain.as_deref().unwrap_or("keyrelay.invalid"))
}

/// For filters and pagers, and so that no automatic answer comes back (RFC 3834 and what Exchange reads in its place).
fn headers(notice: &Notice) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Auto-Response-Suppress", "OOF, AutoReply".to_owned()),
        ("X-Keyrelay-Code", notice.code.to_string()),
        ("X-Keyrelay-Severity", notice.severity.to_string()),
    ];
    if notice.severity == Severity::Urgent && !notice.resolved {
        headers.push(("Importance", "high".to_owned()));
        headers.push(("X-Priority", "1 (Highest)".to_owned()));
    }
    headers
}

fn body(notice: &Notice, facts: &Facts<'_>) -> String {
    let mut body = what(notice);
    for Section { heading, lines: rows } in &notice.sections {
        body.extend([String::new(), format!("{}:", plain(heading))]);
        body.extend(rows.iter().flat_map(|row| wrap(&plain(row), 2, 2)));
    }
    let prose = |text: &str| lines(text).flat_map(|line| wrap(&line, 2, 0)).collect::<Vec<_>>();
    let doing = if notice.resolved { "What keyrelay did:" } else { "What keyrelay did and will do:" };
    // What was still to come when the incident was opened is over.
    let breaks = notice.breaks.as_deref().filter(|_| !notice.resolved);
    let hint = if notice.resolved { "nothing" } else { &notice.hint };
    for (heading, section) in [
        ("What it will break:", breaks.map(prose).unwrap_or_default()),
        (doing, notice.doing.as_deref().map(prose).unwrap_or_default()),
        ("What to do:", steps(hint)),
        ("Next mail:", wrap(&next_mail(notice), 2, 0)),
        ("Consumers:", consumers::table(&notice.consumers, notice.at)),
        ("About this mail:", particulars(notice, facts)),
    ] {
        if !section.is_empty() {
            body.push(String::new());
            body.push(heading.into());
            body.extend(section);
        }
    }
    body.join("\n")
}

/// What is wrong, and until when.
fn what(notice: &Notice) -> Vec<String> {
    let sentence = sentence(notice);
    let lasted = when(notice.since, notice.at);
    let mut what = wrap(&format!("{}{sentence}.", if notice.resolved { "Resolved: " } else { "" }), 0, 0);
    if notice.resolved {
        what.push(format!("It was open since {lasted}."));
    } else if let Some(until) = notice.until {
        what.push(match until > notice.at {
            true => {
                format!("Time left: {}, until {}.", spell_duration(until.since(notice.at)), until.minutes())
            }
            false => format!("Time left: none; it ran out at {}.", when(until, notice.at)),
        });
    }
    if notice.count > 1 {
        what.push(format!("Seen {} times since {lasted}.", notice.count));
    }
    what
}

fn next_mail(notice: &Notice) -> String {
    match (notice.resolved, notice.severity, notice.next_mail_at) {
        (true, _, _) => "none: this is closed.".into(),
        (false, _, Some(next)) => {
            format!("{}, or when it is resolved.", when(next, notice.at))
        }
        // Nobody is there to see it resolved.
        (false, _, None) if notice.code == Code::DaemonDown => "when it is down again.".into(),
        (false, Severity::Info, None) => "none: this is for your information.".into(),
        (false, Severity::Warning | Severity::Urgent, None) => "when it is resolved.".into(),
    }
}

/// What a colleague, a filter or a report of a bug needs.
fn particulars(notice: &Notice, facts: &Facts<'_>) -> Vec<String> {
    let rotation = notice.rotation_id.map(|id| id.to_string());
    let rows = [
        ("code", Some(notice.code.to_string())),
        ("explained by", Some(format!("keyrelay explain {}", notice.code))),
        ("severity", Some(notice.severity.to_string())),
        ("since", Some(when(notice.since, notice.at))),
        ("written", Some(notice.at.minutes())),
        ("rotation", rotation),
        ("incident", Some(format!("{}, mail {}", plain(&notice.incident), notice.step.saturating_add(1)))),
        ("host", Some(plain(facts.host))),
        ("version", Some(format!("keyrelay {}", plain(facts.version)))),
    ];
    rows.into_iter().filter_map(|(name, value)| Some(format!("  {name:12}  {}", value?))).collect()
}

#[cfg(test)]
mod tests;
