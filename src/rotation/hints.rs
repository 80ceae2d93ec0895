//! Programs that say they were refused: who they are, until the vendor has answered for the key. Each is written down
//! once for each answer, however often it says so: the history holds a hundred records, and is about rotations.

use super::history::{PhaseEntered, Record, RecordKind, Trigger};
use crate::domain::{Fingerprint, RotationId, Timestamp, Verdict};
use std::collections::BTreeSet;

/// So many users and answers are written down of one key: somebody who can change his uid cannot flood the history.
const TOLD_MAX: usize = 8;

/// Whose program it is, by the Unix socket that it came over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HintFrom {
    pub uid: u32,
    /// The record's.
    pub rotation_id: RotationId,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Hints {
    /// When one last led to a probe.
    pub last_at: Option<Timestamp>,
    /// Led to a probe whose answer is not here yet.
    asking: Option<(HintFrom, Timestamp)>,
    /// Of this key, these are written down.
    told: Option<(Fingerprint, BTreeSet<(u32, String)>)>,
}

impl Hints {
    pub(super) fn ask(&mut self, from: Option<HintFrom>, now: Timestamp) {
        self.last_at = Some(now);
        self.asking = from.map(|from| (from, now));
    }

    /// The vendor has answered for the current key: what is to be written down.
    pub(super) fn answered(
        &mut self,
        key: Fingerprint,
        label: String,
        generation: u64,
        verdict: Verdict,
        now: Timestamp,
    ) -> Option<Record> {
        let (from, at) = self.asking.take()?;
        let (of, told) = self.told.get_or_insert((key, BTreeSet::new()));
        if *of != key {
            (*of, *told) = (key, BTreeSet::new());
        }
        let said = verdict.to_string();
        if told.len() >= TOLD_MAX || !told.insert((from.uid, said.clone())) {
            return None;
        }
        let entered = |phase: &str, at| PhaseEntered { phase: phase.to_owned(), at };
        Some(Record {
            trigger: Some(Trigger::Hint { uid: from.uid }),
            phases: vec![entered("hinted", at), entered(&said, now)],
            old_fingerprint: Some(label),
            why: Some(format!("the vendor was asked at once: {said}")),
            ..Record::bare(from.rotation_id, RecordKind::Hint, generation)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 2] = [1, 2];

    fn key(number: u8) -> Fingerprint {
        format!("000000000000000{number}").parse().unwrap()
    }

    /// Whose hints are written down, each with the answer; hints come a minute apart.
    fn told(hints: &[(u32, u8, Verdict)]) -> Vec<String> {
        let mut kept = Hints::default();
        let mut told = |(minute, (uid, of, verdict)): (i64, &(u32, u8, Verdict))| {
            let at = Timestamp::from_secs(60 * minute);
            let rotation_id = RotationId::from_parts(60_000 * minute as u64, 1);
            kept.ask(Some(HintFrom { uid: *uid, rotation_id }), at);
            let record = kept.answered(key(*of), format!("K{of}"), 1, *verdict, at)?;
            let phases: Vec<_> = record.phases.iter().map(|entered| entered.phase.as_str()).collect();
            Some(format!("{uid} {} {}", record.old_fingerprint.unwrap_or_default(), phases.join(" ")))
        };
        (1..).zip(hints).filter_map(&mut told).collect()
    }

    #[test]
    fn each_user_is_written_down_once_for_each_answer_and_again_for_the_next_key() {
        let [first, second] = KEY;
        let (alive, dead) = (Verdict::Alive, Verdict::Dead);
        let hints = [
            (1001, first, alive),
            (1001, first, alive),
            (1002, first, alive),
            (1001, first, dead),
            (1001, first, alive),
            (1001, second, alive),
        ];
        let expected =
            ["1001 K1 hinted alive", "1002 K1 hinted alive", "1001 K1 hinted dead", "1001 K2 hinted alive"];
        assert_eq!(told(&hints), expected);
    }

    #[test]
    fn the_history_is_not_flooded_by_however_many_users() {
        let hints: Vec<_> = (0..1_000).map(|uid| (uid, 1, Verdict::Alive)).collect();
        assert_eq!(told(&hints).len(), TOLD_MAX);
    }

    #[test]
    fn an_answer_that_no_hint_asked_for_is_nobodys() {
        let mut hints = Hints::default();
        hints.ask(None, Timestamp::from_secs(60));
        let at = Timestamp::from_secs(61);
        assert_eq!(hints.answered(key(1), "K1".into(), 1, Verdict::Alive, at), None);
    }
}
