//! Cron schedules, in UTC: five fields, or six with seconds first.

use super::{
    read::{Item, Table},
    values::{shown, text},
};
use chrono::{DateTime, TimeZone, Utc};
use croner::{
    Cron,
    errors::CronError,
    parser::{CronParser, Seconds, Year},
};
use std::time::Duration;

/// A schedule's fields and what may stand there.
const FIELDS: [(&str, &str); 6] = [
    ("second", "0-59"),
    ("minute", "0-59"),
    ("hour", "0-23"),
    ("day of month", "1-31"),
    ("month", "1-12"),
    ("day of week", "0-7 (0 and 7 are Sunday)"),
];

/// When to look, each in six fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedules {
    /// A look at each mailbox, whatever IDLE says.
    pub mailbox_poll: String,
    pub current_key_probe: String,
    /// Every consumer's copy and proof are compared with the current key.
    pub consumer_prove: String,
}

impl Default for Schedules {
    fn default() -> Self {
        Self {
            mailbox_poll: "0 * * * * *".into(),
            current_key_probe: "0 */10 * * * *".into(),
            consumer_prove: "0 17 * * * *".into(),
        }
    }
}

pub(super) fn schedules(table: &mut Table) -> Option<Schedules> {
    let default = Schedules::default();
    table.default("mailbox_poll", default.mailbox_poll.as_str());
    table.default("current_key_probe", default.current_key_probe.as_str());
    table.default("consumer_prove", default.consumer_prove.as_str());
    Some(Schedules {
        mailbox_poll: table.get("mailbox_poll", cron).unwrap_or(default.mailbox_poll),
        current_key_probe: table.get("current_key_probe", cron).unwrap_or(default.current_key_probe),
        consumer_prove: table.get("consumer_prove", cron).unwrap_or(default.consumer_prove),
    })
}

pub(super) fn cron(item: &Item) -> Option<String> {
    const HINT: &str = "write five fields (minute hour day month weekday), or six with seconds first";
    let text = text(item)?;
    let fields: Vec<&str> = match text.split_whitespace().collect::<Vec<_>>() {
        fields if fields.len() == 5 => [vec!["0"], fields].concat(),
        fields if fields.len() == 6 => fields,
        _ => return item.refuse_with(format!("\"{}\" is no cron schedule", shown(&text)), HINT),
    };
    for (at, (name, numbers)) in FIELDS.into_iter().enumerate() {
        let mut alone = ["*"; 6];
        alone[at] = fields[at];
        if let Err(error) = parse(&alone.join(" ")) {
            let rule = format!("{name} \"{}\": {}", shown(fields[at]), reason(&error));
            return item.refuse_with(rule, format!("write {numbers}, *, or a list, range or step of them"));
        }
    }
    let schedule = fields.join(" ");
    match parse(&schedule).and_then(|cron| cron.find_next_occurrence(&any_day(), false)) {
        Ok(_) => Some(schedule),
        Err(_) => {
            item.refuse_with(format!("\"{}\" never comes", shown(&text)), "there is no such day in any year")
        }
    }
}

/// Like the scheduler that will run it, which wants seconds.
fn parse(schedule: &str) -> Result<Cron, CronError> {
    CronParser::builder().seconds(Seconds::Required).year(Year::Disallowed).build().parse(schedule)
}

/// Whether the schedule comes more than `times` in some time from midnight on.
pub(super) fn is_oftener(schedule: &str, within: Duration, times: usize) -> bool {
    let end = any_day() + within;
    let coming = parse(schedule)
        .ok()
        .map(|cron| cron.iter_after(any_day()).take_while(|at| *at < end).nth(times).is_some());
    coming.unwrap_or(false)
}

/// A day to look forward from; a schedule that comes at all comes after any day.
fn any_day() -> DateTime<Utc> {
    Utc.timestamp_opt(1_767_225_600, 0).single().unwrap_or_default()
}

/// croner's sentence in our manner: lower case, no full stop.
fn reason(error: &CronError) -> String {
    let text = match error {
        CronError::InvalidPattern(text)
        | CronError::IllegalCharacters(text)
        | CronError::ComponentError(text) => text.clone(),
        other => other.to_string(),
    };
    let text = text.trim_end_matches('.').replace("CronPattern contains", "it contains");
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
