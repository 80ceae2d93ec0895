//! The time axis of a strip: where a moment lies, in hundredths of the width, and where the ticks are.

use crate::domain::Timestamp;
use std::time::Duration;

const SEC: u64 = 1;
const MIN: u64 = 60;
const HOUR: u64 = 60 * MIN;
const DAY: u64 = 24 * HOUR;

/// What may lie between two ticks, in seconds.
const STEPS: [u64; 21] = [
    SEC,
    2 * SEC,
    5 * SEC,
    10 * SEC,
    15 * SEC,
    30 * SEC,
    MIN,
    2 * MIN,
    5 * MIN,
    10 * MIN,
    15 * MIN,
    30 * MIN,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    3 * DAY,
    7 * DAY,
];
/// A phone has room for so many.
const TICKS_MAX: u64 = 6;
/// What happens at its very end is not cut off: room on both sides, as one part in so many.
const EDGE_PART: u32 = 25;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Axis {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Axis {
    /// From the earlier to the later moment, with some room.
    pub fn around(from: Timestamp, to: Timestamp) -> Self {
        let span = to.since(from).max(Duration::from_secs(1));
        let edge = span / EDGE_PART;
        Self { from: from - edge, to: from + span + edge }
    }

    /// 0 to 100; what lies outside is at the edge.
    pub fn at(&self, moment: Timestamp) -> f64 {
        let (span, along) = (self.to.since(self.from).as_secs_f64(), moment.since(self.from).as_secs_f64());
        (along / span * 100.0).min(100.0)
    }
    pub fn shows(&self, moment: Timestamp) -> bool {
        (self.from..=self.to).contains(&moment)
    }

    /// Whole hours, days and the like, and what is written below them.
    pub fn ticks(&self) -> Vec<(Timestamp, String)> {
        let span = self.to.since(self.from).as_secs();
        let fits = STEPS.into_iter().find(|step| span / step <= TICKS_MAX);
        // Of longer times every so many weeks.
        let step = fits.unwrap_or_else(|| span.div_ceil(TICKS_MAX).next_multiple_of(7 * DAY));
        let step_secs = i64::try_from(step).unwrap_or(i64::MAX);
        let first = self.from.as_secs().div_euclid(step_secs) + 1;
        let moments = (first..).map(|number| Timestamp::from_secs(number.saturating_mul(step_secs)));
        moments.take_while(|moment| *moment < self.to).map(|moment| (moment, label(moment, step))).collect()
    }
}

/// `22 Nov` at midnight, else `09:00`, or `09:00:05` where ticks are seconds.
fn label(moment: Timestamp, step_secs: u64) -> String {
    let text = moment.to_string(); // 2026-11-21T09:00:00Z
    let midnight = text.get(11..19) == Some("00:00:00");
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default().to_owned();
    match step_secs {
        step if step >= DAY || midnight => day(moment),
        step if step >= MIN => part(11, 16),
        _ => part(11, 19),
    }
}

/// `22 Nov`.
pub fn day(moment: Timestamp) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = moment.to_string();
    let number = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse::<usize>().ok());
    let month = number(5, 7).and_then(|month| MONTHS.get(month.checked_sub(1)?)).copied().unwrap_or_default();
    format!("{} {month}", number(8, 10).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_795_251_600); // 2026-11-21T09:00:00Z

    fn labels(secs: u64) -> Vec<String> {
        let axis = Axis { from: START, to: START + Duration::from_secs(secs) };
        axis.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_whole_units_and_at_most_seven() {
        assert_eq!(labels(30), ["09:00:05", "09:00:10", "09:00:15", "09:00:20", "09:00:25"]);
        assert_eq!(labels(3 * HOUR), ["09:30", "10:00", "10:30", "11:00", "11:30"]);
        assert_eq!(labels(DAY), ["12:00", "18:00", "22 Nov", "06:00"]);
        assert_eq!(labels(5 * DAY), ["22 Nov", "23 Nov", "24 Nov", "25 Nov", "26 Nov"]);
        for secs in [1, 59, HOUR, 7 * DAY, 90 * DAY, 3_650 * DAY] {
            assert!((1..=7).contains(&labels(secs).len()) || secs < 2, "{secs}: {:?}", labels(secs));
        }
    }

    #[test]
    fn a_moment_lies_between_the_edges_and_what_is_outside_at_one() {
        let axis = Axis::around(START, START + Duration::from_secs(50));
        assert!((axis.at(START) - 3.7).abs() < 0.01, "{}", axis.at(START));
        assert!((axis.at(START + Duration::from_secs(25)) - 50.0).abs() < 0.01);
        let hour = Duration::from_secs(HOUR);
        assert_eq!((axis.at(START - hour), axis.at(START + hour)), (0.0, 100.0));
        assert!(axis.shows(START) && !axis.shows(START - hour));
    }

    #[test]
    fn an_axis_without_length_still_has_one() {
        let axis = Axis::around(START, START);
        assert!(axis.to > axis.from);
        assert!(axis.at(START).is_finite());
    }
}
