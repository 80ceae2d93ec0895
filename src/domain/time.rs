//! Moments and lengths of time. The shell reads the clock; everybody else is told what time it is.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    ops::{Add, Sub},
    str::FromStr,
    time::{Duration, SystemTime},
};

/// A moment of wall-clock time in UTC, to the millisecond. Written as RFC 3339 with `Z`, without a fraction
/// where there is none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(i64);

impl Timestamp {
    pub const MIN: Self = Self(0);

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }
    /// Seconds since 1970-01-01T00:00:00Z.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }
    pub const fn as_millis(self) -> i64 {
        self.0
    }
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }
    /// The same moment in whole seconds, rounded down: what a mail's `Date` can say.
    pub const fn whole_secs(self) -> Self {
        Self::from_secs(self.as_secs())
    }
    /// How long after `earlier` this is; zero when it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
    /// `2026-11-21 09:00 UTC`, for people.
    pub fn minutes(self) -> String {
        self.utc().format("%Y-%m-%d %H:%M UTC").to_string()
    }
    /// `09:00:00.123`, for a story told live.
    pub fn clock(self) -> String {
        self.utc().format("%H:%M:%S%.3f").to_string()
    }
    fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, length: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)))
    }
}
impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, length: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(length.as_millis()).unwrap_or(i64::MAX)))
    }
}
impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self::MIN + since_epoch
    }
}
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.utc().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}
impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl FromStr for Timestamp {
    type Err = chrono::ParseError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let time = DateTime::parse_from_rfc3339(text).map(|time| Self(time.timestamp_millis()))?;
        // At the calendar's ends a zone leads into a year that is written and cannot be read: a document would be lost.
        DateTime::parse_from_rfc3339(&time.to_string()).map(|_| time)
    }
}
impl TryFrom<String> for Timestamp {
    type Error = chrono::ParseError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
impl From<Timestamp> for String {
    fn from(time: Timestamp) -> String {
        time.to_string()
    }
}

/// Why some text is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a duration is one whole number and s, m, h or d, as in 90s, 15m, 24h or 7d")]
pub struct DurationError;

/// The units of a written duration, longest first.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// `90s`, `15m`, `24h` or `7d`; more than zero, at most 9,999 days.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let unit = text.chars().next_back().ok_or(DurationError)?;
    let (_, secs) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or(DurationError)?;
    let digits = &text[..text.len() - 1];
    if digits.is_empty() || digits.len() > 9 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(DurationError);
    }
    let total = digits.parse::<u64>().map_err(|_| DurationError)?.saturating_mul(secs);
    if total == 0 || total > 9_999 * 86_400 { Err(DurationError) } else { Ok(Duration::from_secs(total)) }
}

/// As [`parse_duration`] reads it, in the largest unit that leaves no rest; less than a second is lost.
pub fn write_duration(length: Duration) -> String {
    let secs = length.as_secs();
    let unit = UNITS.into_iter().find(|(_, size)| secs.is_multiple_of(*size));
    unit.map(|(name, size)| format!("{}{name}", secs / size)).unwrap_or_default()
}

/// For people: the two largest units that matter, as in `6 d 23 h`, `1 h 5 min`, `40 s`, `0.5 s`.
pub fn spell_duration(length: Duration) -> String {
    let secs = length.as_secs();
    if secs < 10 && length.subsec_millis() > 0 {
        return format!("{:.1} s", length.as_secs_f64());
    }
    let (mut rest, mut words) = (secs, Vec::new());
    for ((_, size), unit) in UNITS.into_iter().zip(["d", "h", "min", "s"]) {
        if rest >= size && words.len() < 2 {
            words.push(format!("{} {unit}", rest / size));
        } else if !words.is_empty() {
            break;
        }
        rest %= size;
    }
    if words.is_empty() { "0 s".into() } else { words.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c04_a_moment_is_written_in_utc_with_z() {
        let time = Timestamp::from_secs(1_795_251_600);
        assert_eq!(time.to_string(), "2026-11-21T09:00:00Z");
        assert_eq!("2026-11-21T10:00:00+01:00".parse(), Ok(time));
        assert_eq!((time + Duration::from_millis(5)).to_string(), "2026-11-21T09:00:00.005Z");
    }

    /// Whatever the calendar has that others stumbled over; and no zone of this machine's plays a part.
    #[test]
    fn c04_odd_days_are_moments_like_any_other() {
        for (text, shown) in [
            ("2026-10-25T01:30:00+02:00", "2026-10-24T23:30:00Z"),
            ("2026-10-25T01:30:00+01:00", "2026-10-25T00:30:00Z"),
            ("2028-02-29T12:00:00Z", "2028-02-29T12:00:00Z"),
            ("2038-01-19T03:14:08Z", "2038-01-19T03:14:08Z"),
            ("2106-02-07T06:28:16Z", "2106-02-07T06:28:16Z"),
            // A leap second is the one after it.
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z"),
        ] {
            let time: Timestamp = text.parse().expect(text);
            assert_eq!(time.to_string(), shown, "{text}");
            assert_eq!(shown.parse(), Ok(time), "{text}");
        }
        let (last, leap): (Timestamp, Timestamp) =
            ("2028-02-28T23:59:59Z".parse().unwrap(), "2028-02-29T00:00:00Z".parse().unwrap());
        assert_eq!(leap.since(last), Duration::from_secs(1));
        for none in ["2026-02-29T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T09:00:00"] {
            assert!(none.parse::<Timestamp>().is_err(), "{none}");
        }
    }

    /// A zone once led out of the calendar: the moment was taken, written as year +10000, and never read again.
    #[test]
    fn c06_a_moment_that_could_not_be_read_again_is_none() {
        for (text, good) in [
            ("9999-12-31T23:59:59Z", true),
            ("9999-12-31T23:59:59-01:00", false),
            ("0000-01-01T00:00:00Z", true),
            ("0000-01-01T00:00:00+01:00", false),
        ] {
            let time = text.parse::<Timestamp>();
            assert_eq!(time.is_ok(), good, "{text}");
            time.into_iter().for_each(|time| assert_eq!(time.to_string().parse(), Ok(time)));
        }
    }

    #[test]
    fn a_duration_is_one_number_and_one_unit() {
        for (text, secs) in [("90s", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        for bad in ["", "s", "0s", "1", "1.5h", "-1h", "1h30m", "1 h", "1w", "99999d", "9999999999s", "٣h"] {
            assert_eq!(parse_duration(bad), Err(DurationError), "{bad}");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for (secs, text) in [(90, "90s"), (900, "15m"), (86_400, "1d"), (90_000, "25h"), (5_400, "90m")] {
            let length = Duration::from_secs(secs);
            assert_eq!(write_duration(length), text);
            assert_eq!(parse_duration(text), Ok(length));
        }
    }

    #[test]
    fn people_read_the_two_largest_units() {
        let spelled = |secs: f64| spell_duration(Duration::from_secs_f64(secs));
        assert_eq!(spelled(0.0), "0 s");
        assert_eq!(spelled(0.5), "0.5 s");
        assert_eq!(spelled(40.0), "40 s");
        assert_eq!(spelled(3_900.0), "1 h 5 min");
        assert_eq!(spelled(86_399.0), "23 h 59 min");
        assert_eq!(spelled(86_400.0 + 60.0), "1 d");
        assert_eq!(spelled(604_799.0), "6 d 23 h");
    }
}
