//! So many mails an hour: most of the hour's room is for notices that go alone, the rest for mails that sum up what
//! came up beside them. Steps of the ladder go past all of it.

use super::{Channel, HOUR, Outbox, queue::Waiting};
use crate::{
    domain::{Code, Limits, Notice, Section, Severity, Timestamp},
    rotation::task::salt,
};
use std::collections::BTreeMap;

impl Outbox {
    /// Whether the hour's room counts for it: a step of a ladder must be read in time.
    pub(super) fn is_limited(&self, waiting: &Waiting) -> bool {
        let notice = &waiting.notice;
        self.channel == Channel::Mail
            && (notice.step == 0 || notice.resolved)
            && notice.code != Code::NoticesSummedUp
    }
    /// When there is room for one more; `None`: now.
    pub(super) fn room_at(&self, now: Timestamp, limits: &Limits) -> Option<Timestamp> {
        if self.kept.sent.len() < alone(limits) {
            return None;
        }
        let alone_at = self.kept.sent.front().map(|at| *at + HOUR);
        let together_at = self.together_at(limits).filter(|at| *at > now);
        alone_at.min(together_at)
    }
    /// When the next mail that sums up may go.
    fn together_at(&self, limits: &Limits) -> Option<Timestamp> {
        Some(self.kept.summed_up_at? + HOUR / summaries(limits))
    }
    pub(super) fn note_sent(&mut self, now: Timestamp, limits: &Limits) {
        match self.kept.sent.len() < alone(limits) {
            true => self.kept.sent.push_back(now),
            false => self.kept.summed_up_at = Some(now),
        }
    }

    /// Where several wait that have no room of their own, one takes their place.
    pub(super) fn sum_up(&mut self, now: Timestamp, limits: &Limits) {
        let full = self.kept.sent.len() >= alone(limits);
        if !full || self.room_at(now, limits).is_some() {
            return;
        }
        let joins = |waiting: &Waiting| self.is_limited(waiting) && waiting.refusals == 0;
        let (joined, rest): (Vec<_>, Vec<_>) = self.kept.queue.iter().cloned().partition(joins);
        if joined.len() < 2 {
            return;
        }
        let sums_up = joined.iter().flat_map(Waiting::told).collect();
        let notices: Vec<_> = joined.into_iter().map(|waiting| waiting.notice).collect();
        let notice = summary(&notices, now, limits);
        self.kept.queue = [Waiting { sums_up, ..Waiting::new(notice) }].into_iter().chain(rest).collect();
        self.kept.summed_up_at = Some(now);
    }
}

fn summaries(limits: &Limits) -> u32 {
    (limits.notices_per_hour / limits.summaries_part).max(1)
}
fn alone(limits: &Limits) -> usize {
    limits.notices_per_hour.saturating_sub(summaries(limits)) as usize
}

/// The worst first; each as its own subject would have said it.
fn summary(notices: &[Notice], now: Timestamp, limits: &Limits) -> Notice {
    let open = || notices.iter().filter(|notice| !notice.resolved);
    let mut counts_by_code: BTreeMap<Code, u32> = BTreeMap::new();
    open().for_each(|notice| *counts_by_code.entry(notice.code).or_default() += 1);
    let mut kinds: Vec<_> = counts_by_code.iter().map(|(code, count)| format!("{count} {code}")).collect();
    let resolved = notices.len() - open().count();
    kinds.extend((resolved > 0).then(|| format!("{resolved} resolved")));
    let mut sorted: Vec<_> = notices.iter().collect();
    sorted.sort_by_key(|notice| (notice.resolved, std::cmp::Reverse(notice.severity)));
    let mut lines: Vec<_> = sorted.iter().take(limits.listed).map(|notice| line(notice)).collect();
    if sorted.len() > limits.listed {
        lines.push(format!(
            "and {} more: keyrelay status shows all that is open",
            sorted.len() - limits.listed
        ));
    }
    let first = notices.first().map(|notice| notice.incident.as_str()).unwrap_or_default();
    Notice {
        incident: format!("{:016x}", salt(&["summary", first, &now.to_string()])),
        step: 0,
        code: Code::NoticesSummedUp,
        severity: open().map(|notice| notice.severity).max().unwrap_or(Severity::Info),
        resolved: false,
        good_news: false,
        credential: None,
        since: notices.iter().map(|notice| notice.since).min().unwrap_or(now),
        at: now,
        until: open().filter_map(|notice| notice.until).min(),
        message: format!("{} notices at once: {}", notices.len(), kinds.join(", ")),
        breaks: None,
        doing: Some("each of them is told by itself again when it gets worse".into()),
        hint: "keyrelay status".into(),
        next_mail_at: None,
        sections: vec![Section { heading: "The notices".into(), lines }],
        consumers: Vec::new(),
        count: 1,
        rotation_id: None,
    }
}

fn line(notice: &Notice) -> String {
    let weight = match (notice.resolved, notice.severity) {
        (true, _) => "resolved",
        (false, Severity::Info) => "info",
        (false, Severity::Warning) => "warning",
        (false, Severity::Urgent) => "URGENT",
    };
    let who = notice.credential.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
    format!("{weight}{who}: {} ({})", notice.message, notice.code)
}
