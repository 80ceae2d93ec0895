//! When a vendor's API is asked for a new key: a credential's `rotate_at`, and the window that it keeps to.

use crate::{
    config::{Config, Window as Rule},
    domain::{CredentialName, Timestamp},
    rotation::{CallInput, Input, Window},
};
use chrono::{DateTime, Utc};
use croner::{Cron, parser::CronParser, parser::Seconds};

/// A schedule of six fields; the configuration has refused what is none.
pub fn parse(schedule: &str) -> Option<Cron> {
    CronParser::builder().seconds(Seconds::Required).build().parse(schedule).ok()
}

/// The last moment of the schedule up to now, as the core must hear of it; `None` where there is none.
pub fn due(config: &Config, name: &CredentialName, host: &str, now: Timestamp) -> Option<Input> {
    let cron = parse(config.credentials.get(name)?.rotating.rotate_at.as_deref()?)?;
    let at = before(&cron, now)?;
    let window = window(config, name, at);
    Some(Input::Call(CallInput::RotationDue { at, next: after(&cron, now), host: host.to_owned(), window }))
}

/// The window that is open at this moment, or the next one.
pub fn window(config: &Config, name: &CredentialName, at: Timestamp) -> Option<Window> {
    let rule = config.credentials.get(name)?.rotating.window.as_ref()?;
    let cron = parse(&rule.opens)?;
    let opened = before(&cron, at).map(|opens| lasting(opens, rule)).filter(|window| at < window.closes);
    opened.or_else(|| after(&cron, at).map(|opens| lasting(opens, rule)))
}
fn lasting(opens: Timestamp, rule: &Rule) -> Window {
    Window { opens, closes: opens + rule.lasts }
}

fn before(cron: &Cron, at: Timestamp) -> Option<Timestamp> {
    cron.find_previous_occurrence(&utc(at)?, true).ok().map(of)
}
fn after(cron: &Cron, at: Timestamp) -> Option<Timestamp> {
    cron.find_next_occurrence(&utc(at)?, false).ok().map(of)
}
fn utc(at: Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(at.as_millis())
}
fn of(moment: DateTime<Utc>) -> Timestamp {
    Timestamp::from_millis(moment.timestamp_millis())
}
