//! One mail a week in place of many good ones: what rotated, what comes next, and that mails go out at all.

use super::task::salt;
use crate::domain::{Code, Limits, Notice, Section, Severity, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Good news since the last digest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    #[serde(default)]
    since: Option<Timestamp>,
    #[serde(default)]
    news: Vec<News>,
    /// Beyond the limit.
    #[serde(default)]
    more: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct News {
    incident: String,
    line: String,
}

/// What a digest says of the fleet as it is.
pub(super) struct Outlook {
    /// What comes next, the earliest first.
    pub ahead: Vec<(Timestamp, String)>,
    pub open: usize,
    /// Consumers at the level that was asked for, and all of them.
    pub good: (usize, usize),
}

/// 1970-01-01 was a Thursday.
const FIRST_MONDAY: Duration = Duration::from_secs(4 * 86_400);

impl Digest {
    /// From now on good news are collected.
    pub fn begin(&mut self, now: Timestamp) {
        self.since.get_or_insert(now);
    }
    pub fn clock_went_back(&mut self, now: Timestamp) {
        self.since = self.since.map(|since| since.min(now));
    }
    /// Nobody wants one any more.
    pub fn end(&mut self) {
        *self = Self::default();
    }
    /// Whether it is news.
    pub fn add(&mut self, notice: &Notice, limits: &Limits) -> bool {
        if self.news.iter().any(|news| news.incident == notice.incident) {
            return false;
        }
        if self.news.len() >= limits.listed {
            self.more += 1;
            return true;
        }
        let who = notice.credential.as_ref().map(|name| format!(" {name}:")).unwrap_or_default();
        let how = notice.doing.as_ref().map(|doing| format!("; {doing}")).unwrap_or_default();
        let line = format!("{}{who} {}{how}", notice.at.minutes(), notice.message);
        self.news.push(News { incident: notice.incident.clone(), line });
        true
    }
    pub fn next_at(&self, limits: &Limits) -> Option<Timestamp> {
        let first = Timestamp::MIN + FIRST_MONDAY + limits.digest_at;
        let every = i64::try_from(limits.digest_every.as_millis()).unwrap_or(i64::MAX).max(1);
        let gone = (self.since?.as_millis() - first.as_millis()).div_euclid(every);
        Some(Timestamp::from_millis(first.as_millis() + (gone + 1) * every))
    }
    pub fn is_due(&self, now: Timestamp, limits: &Limits) -> bool {
        self.next_at(limits).is_some_and(|at| at <= now)
    }

    /// The mail; the next one begins.
    pub(super) fn take(&mut self, outlook: Outlook, now: Timestamp, limits: &Limits) -> Notice {
        let Self { since, news, more } =
            std::mem::replace(self, Self { since: Some(now), ..Self::default() });
        let count = news.len() + more;
        let since = since.unwrap_or(now);
        let mut happened: Vec<_> = news.into_iter().map(|news| news.line).collect();
        happened.extend((more > 0).then(|| format!("and {more} more: keyrelay history NAME shows each")));
        let coming = outlook.ahead.len().saturating_sub(limits.listed);
        let ahead = outlook.ahead.into_iter().take(limits.listed);
        let mut ahead: Vec<_> = ahead.map(|(at, what)| format!("{} {what}", at.minutes())).collect();
        ahead.extend((coming > 0).then(|| format!("and {coming} more: keyrelay status")));
        let sections = [("What went well", happened), ("What comes next", ahead)];
        let sections = sections.into_iter().filter(|(_, lines)| !lines.is_empty());
        let (good, all) = outlook.good;
        Notice {
            incident: format!(
                "{:016x}",
                salt(&["keyrelay", Code::WeeklyDigest.as_str(), &since.to_string()])
            ),
            step: 0,
            code: Code::WeeklyDigest,
            severity: Severity::Info,
            resolved: false,
            good_news: true,
            credential: None,
            since,
            at: now,
            until: None,
            message: format!(
                "weekly digest: {}, {good} of {all} consumers at their level, {}",
                counted(count),
                open(outlook.open)
            ),
            breaks: None,
            doing: None,
            hint: if outlook.open == 0 { "nothing".into() } else { "keyrelay status".into() },
            next_mail_at: self.next_at(limits),
            sections: sections.map(|(heading, lines)| Section { heading: heading.into(), lines }).collect(),
            consumers: Vec::new(),
            count: 1,
            rotation_id: None,
        }
    }
}

fn counted(count: usize) -> String {
    match count {
        0 => "nothing happened".into(),
        1 => "1 thing went well".into(),
        many => format!("{many} things went well"),
    }
}
fn open(count: usize) -> String {
    match count {
        0 => "nothing is open".into(),
        1 => "1 incident is open".into(),
        many => format!("{many} incidents are open"),
    }
}
