//! The rate limit: counts requests, and is told what time it is.

use super::kind::Counting;
use crate::domain::{Fingerprint, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub(super) struct Meter {
    /// So many in each window; `None`: no limit.
    limit: Option<(u32, Duration)>,
    counting: Counting,
    /// Of each key; under `None` of all together, or of those who showed no key.
    windows: BTreeMap<Option<Fingerprint>, Window>,
}

/// The requests that were let in, oldest first.
type Window = VecDeque<Timestamp>;

impl Meter {
    pub(super) fn new(limit: Option<(u32, Duration)>, counting: Counting) -> Self {
        Self { limit, counting, windows: BTreeMap::new() }
    }

    /// Counts a request. An error: it is one too many, and how long it takes until the next one is not. What is refused
    /// does not count.
    pub(super) fn admit(&mut self, key: Option<Fingerprint>, now: Timestamp) -> Result<(), Duration> {
        let Some((requests, per)) = self.limit else { return Ok(()) };
        let window = self.windows.entry(key.filter(|_| self.counting.per_key)).or_default();
        while window.front().is_some_and(|oldest| now.since(*oldest) >= per) {
            match self.counting.rolling {
                true => drop(window.pop_front()),
                false => window.clear(),
            }
        }
        match window.front() {
            Some(oldest) if window.len() >= requests as usize => Err((*oldest + per).since(now)),
            Some(_) | None => {
                window.push_back(now);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::simulator::Kind;
    use crate::domain::Key;

    /// How each of these requests fared: whose, and when, in seconds. A refusal says for how long.
    fn outcomes(kind: Kind, limit: u32, requests: &[(char, i64)]) -> Vec<Option<u64>> {
        let mut meter = Meter::new(Some((limit, Duration::from_secs(60))), kind.counting());
        let mut admit = |(who, at): &(char, i64)| {
            let key = Key::parse(&format!("key-{}", who.to_string().repeat(20))).unwrap().fingerprint();
            meter.admit(Some(key), Timestamp::from_secs(1_000 + at)).err().map(|wait| wait.as_secs())
        };
        requests.iter().map(&mut admit).collect()
    }

    #[test]
    fn leaf7_counts_everybody_and_begins_anew_when_the_window_ends() {
        let requests = [('a', 0), ('b', 59), ('a', 59), ('b', 60), ('a', 61), ('a', 62)];
        assert_eq!(outcomes(Kind::Leaf7, 2, &requests), [None, None, Some(1), None, None, Some(58)]);
    }

    #[test]
    fn leafpad_counts_each_key_by_itself() {
        let requests = [('a', 0), ('a', 1), ('b', 1), ('a', 60)];
        assert_eq!(outcomes(Kind::LeafPad, 1, &requests), [None, Some(59), None, None]);
    }

    #[test]
    fn leadeys_minute_rolls() {
        let requests = [('a', 0), ('a', 50), ('a', 55), ('b', 55), ('a', 60), ('a', 61), ('a', 110)];
        let expected = [None, None, Some(5), None, None, Some(49), None];
        assert_eq!(outcomes(Kind::Leadey, 2, &requests), expected);
    }

    #[test]
    fn the_documented_limits_are_the_default() {
        let limits = Kind::ALL.map(|kind| kind.limit().map(|(requests, per)| (requests, per.as_secs())));
        assert_eq!(limits, [Some((60, 60)), Some((2_000, 86_400)), Some((120, 60)), None, Some((100, 60))]);
    }
}
