//! What is written down of each rotation, for `keyrelay history` and the journal.

use crate::domain::{ConsumerName, Fingerprint, Origin, ProofLevel, RotationId, Timestamp};
use serde::{Deserialize, Serialize};

/// One line of a credential's history. A rotation is written at its promotion and again when it has settled; the
/// later line of the same `rotation_id` replaces the earlier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub rotation_id: RotationId,
    pub kind: RecordKind,
    /// `None`: the rotation was taken over from an earlier process, whose line names it.
    pub trigger: Option<Trigger>,
    pub phases: Vec<PhaseEntered>,
    pub old_fingerprint: Option<String>,
    pub new_fingerprint: Option<String>,
    pub generation: u64,
    /// The KV version of the promotion.
    pub store_version: Option<u64>,
    pub consumers: Vec<ConsumerRecord>,
    /// What was left of the hand-over time when the last consumer was proven; negative: late.
    pub margin_secs: Option<i64>,
    /// Where keyrelay only observed: what it would have done, and when somebody else did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed: Option<Observed>,
    /// Why, of a refusal; what came of it, of a hint; else what it met under way, and what became of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// `None`: the key was in the store before keyrelay knew it.
    pub would_promote_at: Option<Timestamp>,
    /// `None`: it is not there yet.
    pub stored_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    Rotation,
    Refusal,
    Ingest,
    Rollback,
    /// No rotation: a program said that the vendor had refused it.
    Hint,
}

/// What set it off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Trigger {
    /// A program on this machine, by the uid that the kernel names.
    Hint { uid: u32 },
    /// A key that was new, from there.
    #[serde(untagged)]
    Candidate(Origin),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseEntered {
    pub phase: String,
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsumerRecord {
    pub name: ConsumerName,
    pub proof: ProofLevel,
    pub at: Option<Timestamp>,
}

/// The lines of one credential, oldest first, as records, newest first. Lines of one rotation are one record: what the
/// later of them does not know, because its process did not see it, the earlier says.
pub fn merged(lines: impl IntoIterator<Item = Record>) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for line in lines {
        match records.iter_mut().rev().find(|known| known.is_about(&line)) {
            Some(known) => known.replace_by(line),
            None => records.push(line),
        }
    }
    records.reverse();
    records
}

impl Record {
    /// Without anything that only some have.
    pub(super) fn bare(rotation_id: RotationId, kind: RecordKind, generation: u64) -> Self {
        Self {
            rotation_id,
            kind,
            trigger: None,
            phases: Vec::new(),
            old_fingerprint: None,
            new_fingerprint: None,
            generation,
            store_version: None,
            consumers: Vec::new(),
            margin_secs: None,
            observed: None,
            why: None,
        }
    }
    /// When it began, the warning aside.
    pub fn at(&self) -> Timestamp {
        let named = i64::try_from(self.rotation_id.timestamp_ms()).unwrap_or_default();
        let began = PhaseEntered::after_the_warning(&self.phases).first();
        began.map_or(Timestamp::from_millis(named), |entered| entered.at)
    }
    fn is_about(&self, other: &Self) -> bool {
        let refusal = |record: &Self| record.kind == RecordKind::Refusal;
        // Several keys of one look at the mailbox share an id.
        self.rotation_id == other.rotation_id
            && self.new_fingerprint == other.new_fingerprint
            && refusal(self) == refusal(other)
    }
    fn replace_by(&mut self, later: Self) {
        let earlier = std::mem::replace(self, later);
        if self.trigger.is_none() {
            (self.trigger, self.kind) = (earlier.trigger, earlier.kind);
        }
        self.old_fingerprint = self.old_fingerprint.take().or(earlier.old_fingerprint);
        let mut phases = earlier.phases;
        let new: Vec<_> = self.phases.drain(..).filter(|entered| !phases.contains(entered)).collect();
        phases.extend(new);
        phases.sort_by_key(|entered| entered.at);
        self.phases = phases;
    }
}

impl PhaseEntered {
    /// The vendor's warning, a day before there is anything to do.
    pub fn is_warning(&self) -> bool {
        self.phase == "announced"
    }
    pub fn after_the_warning(phases: &[Self]) -> &[Self] {
        let warned = phases.first().is_some_and(Self::is_warning);
        &phases[usize::from(warned)..]
    }
}

/// The fingerprint as it may be shown: a weak one by its generation.
pub fn shown(fingerprint: Fingerprint, generation: u64) -> String {
    if fingerprint.is_weak() { format!("g{generation}") } else { fingerprint.hex() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_that_a_second_process_saw_through_is_one_record_with_both_halves() {
        let first = Record {
            trigger: Some(Trigger::Candidate(Origin::Ingest { uid: 1000, expires_at: None })),
            kind: RecordKind::Ingest,
            phases: phases(&["probing", "storing", "handing_over"], 0),
            old_fingerprint: Some("g1".into()),
            ..line(7, "g2")
        };
        let second = Record { margin_secs: Some(60), phases: phases(&["steady"], 9), ..line(7, "g2") };
        let whole = Record {
            margin_secs: Some(60),
            phases: [first.phases.clone(), second.phases.clone()].concat(),
            ..first.clone()
        };
        assert_eq!(merged([first, line(8, "g3"), second]), [line(8, "g3"), whole]);
    }

    #[test]
    fn keys_of_one_look_at_the_mailbox_stay_apart() {
        let refused = Record { kind: RecordKind::Refusal, ..line(7, "c1") };
        assert_eq!(merged([refused.clone(), line(7, "g2")]), [line(7, "g2"), refused]);
    }

    #[test]
    fn a_record_without_phases_began_when_its_id_says() {
        assert_eq!(line(7, "g2").at(), Timestamp::from_millis(7));
        let warned = Record { phases: phases(&["announced", "probing", "storing"], 60), ..line(7, "g2") };
        assert_eq!(warned.at(), Timestamp::from_secs(61), "a warning is no beginning");
    }

    fn phases(names: &[&str], from: i64) -> Vec<PhaseEntered> {
        let entered = |(at, name): (i64, &&str)| PhaseEntered {
            phase: (*name).to_owned(),
            at: Timestamp::from_secs(from + at),
        };
        (0..).zip(names).map(entered).collect()
    }

    fn line(id: u64, new: &str) -> Record {
        Record {
            rotation_id: RotationId::from_parts(id, 1),
            kind: RecordKind::Rotation,
            trigger: None,
            phases: Vec::new(),
            old_fingerprint: None,
            new_fingerprint: Some(new.into()),
            generation: 2,
            store_version: None,
            consumers: Vec::new(),
            margin_secs: None,
            observed: None,
            why: None,
        }
    }
}
