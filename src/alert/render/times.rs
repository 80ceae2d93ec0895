//! Moments as an operator reads them: the time in UTC, and how far away it is.

use crate::domain::{Timestamp, spell_duration};
use std::{cmp::Ordering, time::Duration};

/// `2026-11-22 08:55 UTC (in 23 h)`, `… (5 min ago)`, `… (now)`.
pub(super) fn when(moment: Timestamp, at: Timestamp) -> String {
    format!("{} ({})", moment.minutes(), ago(moment, at))
}

/// `in 23 h 10 min`, `5 min ago`, `now`.
pub(super) fn ago(moment: Timestamp, at: Timestamp) -> String {
    relative(moment, at, spell_duration)
}

/// As [`ago`], in the largest unit only: `in 23 h`.
pub(super) fn roughly(moment: Timestamp, at: Timestamp) -> String {
    relative(moment, at, |length| spell_duration(length).split(' ').take(2).collect::<Vec<_>>().join(" "))
}

fn relative(moment: Timestamp, at: Timestamp, spell: fn(Duration) -> String) -> String {
    match moment.cmp(&at) {
        Ordering::Greater => format!("in {}", spell(moment.since(at))),
        Ordering::Less => format!("{} ago", spell(at.since(moment))),
        Ordering::Equal => "now".into(),
    }
}

/// Until when something can be done: `until 2026-11-22 08:55 UTC, 23 h left`, or when it ran out.
pub(super) fn time_left(until: Timestamp, at: Timestamp) -> String {
    if until > at {
        format!("until {}, {} left", until.minutes(), spell_duration(until.since(at)))
    } else {
        format!("time ran out {}, {}", until.minutes(), ago(until, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_from_the_mails_own_time() {
        let at = Timestamp::from_secs(1_795_251_600);
        let near = Duration::from_secs(3_900);
        assert_eq!(when(at + near, at), "2026-11-21 10:05 UTC (in 1 h 5 min)");
        assert_eq!(when(at - near, at), "2026-11-21 07:55 UTC (1 h 5 min ago)");
        assert_eq!(when(at, at), "2026-11-21 09:00 UTC (now)");
        assert_eq!(roughly(at - near, at), "1 h ago");
        assert_eq!(time_left(at + near, at), "until 2026-11-21 10:05 UTC, 1 h 5 min left");
        assert_eq!(time_left(at, at), "time ran out 2026-11-21 09:00 UTC, now");
    }
}
