//! When a key ends, as an operator types it.

use super::console::{Console, Failure};
use crate::{
    domain::{RotatedBy, Timestamp, parse_duration},
    vendor::Profile,
};

const EXAMPLES: &str = "2027-03-01, 2027-03-01T12:00:00Z or 30d";
/// Whoever mistypes a date three times has no date.
const TRIES: usize = 3;

/// A date (its first moment, UTC), a moment, or a time from now.
pub fn parse(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let moment = text.parse().or_else(|_| format!("{text}T00:00:00Z").parse());
    let moment = moment.or_else(|_| parse_duration(text).map(|length| now + length));
    match moment {
        Ok(moment) if moment > now => Ok(moment),
        Ok(moment) => Err(format!("{} is over already", moment.minutes())),
        Err(_) => Err(format!("\"{}\" is no moment in time; write it like {EXAMPLES}", shown(text))),
    }
}

/// What stands on the command line.
pub fn given(text: &str, profile: Option<&Profile>, now: Timestamp) -> Result<Timestamp, Failure> {
    if let Some(profile) = profile.filter(|profile| !may_end(profile)) {
        let message = format!("{} makes new keys by itself: nobody says when one ends", profile.title);
        return Err(Failure::mistake(message).hint("leave --expires-at out".to_owned()));
    }
    parse(text, now).map_err(|why| Failure::mistake(format!("--expires-at: {why}")))
}

/// Asked of whoever sits there; nothing is an answer, too.
pub fn asked(console: &mut Console<'_>, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    for _ in 0..TRIES {
        let answer = console.answer(&format!("When does it expire? ({EXAMPLES}; empty: never, or unknown) "));
        match answer.trim() {
            "" => return Ok(None),
            text => match parse(text, now) {
                Ok(moment) => return Ok(Some(moment)),
                Err(why) => console.tell(&why),
            },
        }
    }
    Err(Failure::mistake("nothing was done: there is no moment at which the key ends"))
}

/// A vendor that rotates by itself says so by itself.
pub fn may_end(profile: &Profile) -> bool {
    match profile.rotation.by {
        RotatedBy::Operator | RotatedBy::Api => true,
        RotatedBy::Vendor => false,
    }
}

/// It may be anything, a key by mistake too.
fn shown(text: &str) -> String {
    const SHOWN_MAX: usize = 10;
    let cut: String = text.chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect();
    if text.chars().count() > SHOWN_MAX { format!("{cut}…") } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T09:00:00Z.
    const NOW: Timestamp = Timestamp::from_secs(1_795_251_600);

    #[test]
    fn a_date_a_moment_and_a_time_from_now_are_moments() {
        let read = |text: &str| parse(text, NOW).map(|moment| moment.minutes());
        assert_eq!(read("2027-03-01"), Ok("2027-03-01 00:00 UTC".into()));
        assert_eq!(read("2027-03-01T12:30:00+01:00"), Ok("2027-03-01 11:30 UTC".into()));
        assert_eq!(read("30d"), Ok("2026-12-21 09:00 UTC".into()));
    }

    #[test]
    fn what_is_over_or_is_no_moment_is_refused_and_a_key_is_not_repeated() {
        assert_eq!(parse("2026-11-20", NOW), Err("2026-11-20 00:00 UTC is over already".into()));
        assert_eq!(parse("0s", NOW).map_err(|why| why.contains("over") || why.contains("moment")), Err(true));
        let key = "leadey_sk_live_0123456789abcdef";
        let why = parse(key, NOW).unwrap_err();
        assert!(why.starts_with("\"leadey_sk_…\" is no moment"), "{why}");
        assert!(!why.contains("0123"), "{why}");
    }
}
