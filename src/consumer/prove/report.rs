//! A consumer's own report of a call that worked: `{"fingerprint": "…", "at": "…"}`, which the shell reads from
//! `<state_path>/_reports/<credential>/<consumer>`. Pure.

use super::Question;
use crate::domain::{Fingerprint, Instances, ProofLevel, ProofOutcome, Timestamp, spell_duration};
use serde_json::Value;
use std::time::Duration;

/// What bounds a report's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// A report that is older proves nothing any more.
    pub within: Duration,
    /// Since when the consumer could have had the key. A report of another key from before says nothing of today.
    pub since: Timestamp,
    /// So far may the consumer's clock be ahead (`Limits::clock_skew`).
    pub clock_skew: Duration,
}

/// Judges the report as it lies in the store; `None`: there is none.
pub fn judge(report: Option<&Value>, question: &Question, bounds: &Bounds) -> ProofOutcome {
    let Some(report) = report else {
        return ProofOutcome::Silent("it has not reported yet".into());
    };
    let text = |name: &str| report.get(name).and_then(Value::as_str);
    let fingerprint = text("fingerprint").and_then(|text| text.parse::<Fingerprint>().ok());
    let at = text("at").and_then(|text| text.parse::<Timestamp>().ok());
    let (Some(fingerprint), Some(at)) = (fingerprint, at) else {
        return unproven(
            r#"its report is not {"fingerprint": "16 hex digits", "at": "RFC 3339 time"}"#.into(),
        );
    };
    judge_time(at, question.now, bounds).unwrap_or_else(|| {
        let names = |key: &crate::domain::Key| key.fingerprint().hex() == fingerprint.hex();
        if names(question.key) {
            let instances = Instances { proven: 1, wanted: None };
            let at = at.min(question.now);
            return ProofOutcome::Proven { level: ProofLevel::InUse, instances, at, last_401_at: None };
        }
        if at < bounds.since {
            return ProofOutcome::Silent(format!("its last report, of {at}, is older than the key"));
        }
        match question.others.iter().find(|key| names(key)) {
            Some(other) => ProofOutcome::OtherKey(other.fingerprint()),
            None => unproven("its report names a key that is none of this credential's".into()),
        }
    })
}

/// Why a report of that time counts for nothing, whatever it says.
fn judge_time(at: Timestamp, now: Timestamp, bounds: &Bounds) -> Option<ProofOutcome> {
    if at > now + bounds.clock_skew {
        return Some(unproven(format!("its report is of {at}, which is still to come: set its clock")));
    }
    let age = now.since(at);
    let stale = || {
        let (age, within) = (spell_duration(age), spell_duration(bounds.within));
        ProofOutcome::Silent(format!("its last report is {age} old; one within {within} is wanted"))
    };
    (age > bounds.within).then(stale)
}

fn unproven(why: String) -> ProofOutcome {
    ProofOutcome::Unproven { why, instances: Instances::default() }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
