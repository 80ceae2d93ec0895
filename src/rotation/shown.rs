//! What a consumer last showed, of whichever key, and since when it has been showing that.

use crate::domain::{Fingerprint, Instances, ProofLevel, Timestamp};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub fingerprint: Fingerprint,
    pub level: ProofLevel,
    pub instances: Instances,
    pub at: Timestamp,
    /// The first time with this key, without a failed proof since.
    pub since: Timestamp,
}

impl Shown {
    /// A proof after the one before it.
    pub fn after(
        before: Option<Self>,
        fingerprint: Fingerprint,
        level: ProofLevel,
        instances: Instances,
        at: Timestamp,
    ) -> Self {
        let goes_on = |shown: &Self| shown.fingerprint == fingerprint && shown.level > ProofLevel::Unproven;
        let since = before.filter(goes_on).map_or(at, |shown| shown.since);
        Self { fingerprint, level, instances, at, since }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_while_the_same_key_is_shown_without_a_failure_in_between() {
        let (one, two): (Fingerprint, Fingerprint) =
            ("0123456789abcdef".parse().unwrap(), "fedcba9876543210".parse().unwrap());
        let at = Timestamp::from_secs;
        let prove =
            |before, key, level, secs| Shown::after(before, key, level, Instances::default(), at(secs));
        let first = prove(None, one, ProofLevel::InUse, 10);
        let again = prove(Some(first.clone()), one, ProofLevel::Loaded, 20);
        assert_eq!((again.since, again.at), (at(10), at(20)));
        assert_eq!(prove(Some(again), two, ProofLevel::InUse, 30).since, at(30));
        let failed = Shown { level: ProofLevel::Unproven, ..first };
        assert_eq!(prove(Some(failed), one, ProofLevel::InUse, 40).since, at(40));
    }
}
