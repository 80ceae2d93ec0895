//! This host's clock: kept in step, and the same as the others'. Deadlines are wall-clock.

use super::{
    finding::{Area, Line},
    systemd,
};
use crate::{
    cli::work,
    domain::{Timestamp, spell_duration},
};
use std::time::Duration;

/// Somebody's `Date`, and our own time when it came.
#[derive(Debug, Clone)]
pub struct Dated {
    pub who: String,
    pub theirs: Timestamp,
    pub ours: Timestamp,
}

impl Dated {
    pub fn now(who: impl Into<String>, theirs: Option<Timestamp>) -> Option<Self> {
        theirs.map(|theirs| Self { who: who.into(), theirs, ours: work::now() })
    }
}

pub async fn add(host: &mut Area, skew: Duration, store: Option<Dated>, vendors: &[Dated]) {
    host.add(match systemd::clock_is_synchronised().await {
        Ok(true) => Line::ok("clock", "synchronised"),
        Ok(false) => {
            Line::warning("clock", "nobody keeps it in step").command("sudo timedatectl set-ntp true")
        }
        Err(why) => Line::ok("clock", format!("whether it is synchronised cannot be told ({why})")),
    });
    for dated in store.iter().chain(vendors) {
        host.add(compared(dated, skew));
    }
}

/// A `Date` has whole seconds, and was said a moment ago.
fn compared(dated: &Dated, skew: Duration) -> Line {
    let tried = format!("clock, by the Date of {}", dated.who);
    let (late, early) = (dated.theirs.since(dated.ours), dated.ours.since(dated.theirs));
    let off = late.max(early);
    if off <= skew {
        let seen = if off < Duration::from_secs(5) {
            "the same".into()
        } else {
            format!("{} apart", spell_duration(off))
        };
        return Line::ok(tried, seen);
    }
    let word = if late > early { "behind" } else { "ahead of" };
    let seen = format!("ours is {} {word} it: deadlines would be missed", spell_duration(off));
    Line::failed(tried, seen).command("timedatectl status")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::finding::Level;

    #[test]
    fn five_minutes_apart_is_a_failure_and_less_is_not() {
        let (skew, ours) = (Duration::from_secs(300), Timestamp::from_secs(1_795_251_600));
        let seen = |secs: i64| {
            let theirs = Timestamp::from_secs(ours.as_secs() + secs);
            compared(&Dated { who: "leaf7".into(), theirs, ours }, skew)
        };
        let tried = "clock, by the Date of leaf7";
        assert_eq!(seen(-2), Line::ok(tried, "the same"));
        assert_eq!(seen(90), Line::ok(tried, "1 min 30 s apart"));
        assert_eq!(seen(300).level, Level::Ok);
        let told = |words: &str| Line::failed(tried, words).command("timedatectl status");
        assert_eq!(seen(600), told("ours is 10 min behind it: deadlines would be missed"));
        assert_eq!(seen(-600), told("ours is 10 min ahead of it: deadlines would be missed"));
    }
}
