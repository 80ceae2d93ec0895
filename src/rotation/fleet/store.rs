//! The store's health, as the last calls showed it: one incident for all credentials, and one call that finds out
//! when it is back.

use super::Fleet;
use crate::domain::{Code, Severity, StoreTrouble, Timestamp};
use crate::rotation::{
    effect::Effect,
    incident::Report,
    state::Rotation,
    task::{Task, salt},
};

/// What the last calls to the store showed.
#[derive(Debug, Clone, Default)]
pub(in crate::rotation) struct StoreHealth {
    pub reachable: bool,
    pub since: Option<Timestamp>,
    pub trouble: Option<StoreTrouble>,
    trouble_since: Option<Timestamp>,
    check: Task,
}

impl Fleet {
    pub(super) fn store_checked(
        &mut self,
        outcome: Result<Option<Timestamp>, StoreTrouble>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.store.check.ended();
        match outcome {
            Ok(time) => {
                if let Some(time) = time {
                    self.compare_clock("the store's", time, now);
                }
                self.store_works(now, effects);
            }
            // It answers: what it refuses is told where it was wanted.
            Err(StoreTrouble::Forbidden(_) | StoreTrouble::Refused(_)) => self.store_works(now, effects),
            Err(trouble @ (StoreTrouble::Unreachable(_) | StoreTrouble::Sealed)) => {
                self.store_fails(trouble, now)
            }
        }
    }
    pub(super) fn store_works(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if !self.store.reachable {
            (self.store.reachable, self.store.since) = (true, Some(now));
        }
        self.store.trouble_since = None;
        if self.store.trouble.take().is_some() {
            self.store.check.succeeded();
            self.rotations.values_mut().for_each(Rotation::store_is_back);
            self.step_all(now, effects);
        }
    }
    pub(super) fn store_fails(&mut self, trouble: StoreTrouble, now: Timestamp) {
        match trouble {
            StoreTrouble::Forbidden(_) | StoreTrouble::Refused(_) => return, // one credential's matter
            StoreTrouble::Unreachable(_) | StoreTrouble::Sealed => {}
        }
        if self.store.reachable || self.store.since.is_none() {
            (self.store.reachable, self.store.since) = (false, Some(now));
        }
        self.store.trouble = Some(trouble);
        self.store.trouble_since.get_or_insert(now);
        if self.store.check.may_start(now) {
            let limits = &self.settings.limits;
            self.store.check.failed(now, limits.backoff_cap_min, salt(&["store"]), limits);
        }
    }
    /// While it is away, it is asked again and again.
    pub(super) fn check_store(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        if self.store.trouble.is_some() && self.store.check.may_start(now) {
            let mut attempts = 0;
            self.store.check.start(&mut attempts);
            effects.push(Effect::CheckStore);
        }
    }
    pub(super) fn next_store_check_at(&self) -> Option<Timestamp> {
        self.store.trouble.as_ref().and(self.store.check.waits_until())
    }

    pub(super) fn report_store(&mut self, now: Timestamp) {
        let long_away = self
            .store
            .trouble_since
            .is_some_and(|since| now.since(since) >= self.settings.limits.backoff_cap_min);
        match self.store.trouble.clone() {
            Some(trouble @ StoreTrouble::Sealed) => {
                self.raise_store(Code::StoreSealed, &trouble, "unseal it:\nbao operator unseal", now);
                self.incidents.clear(Code::StoreUnreachable, "");
            }
            Some(trouble @ StoreTrouble::Unreachable(_)) if long_away => {
                self.raise_store(
                    Code::StoreUnreachable,
                    &trouble,
                    "bring it back, then look:\nbao status",
                    now,
                );
                self.incidents.clear(Code::StoreSealed, "");
            }
            Some(_) => {}
            // After a start nothing is known of it yet.
            None if !self.store.reachable => {}
            None => {
                self.incidents.clear(Code::StoreSealed, "");
                self.incidents.clear(Code::StoreUnreachable, "");
            }
        }
    }
    /// One incident for all credentials; urgent while a new key waits for the store.
    fn raise_store(&mut self, code: Code, trouble: &StoreTrouble, hint: &str, now: Timestamp) {
        let waiting = self.rotations.values().filter(|rotation| rotation.best_candidate().is_some()).count();
        let severity = if waiting > 0 { Severity::Urgent } else { Severity::Warning };
        let doing = match waiting {
            0 => {
                "mailboxes are watched meanwhile, and a new key would be kept safe on this machine".to_owned()
            }
            1 => "1 new key is kept safe on this machine, and goes into the store by itself".to_owned(),
            many => {
                format!("{many} new keys are kept safe on this machine, and go into the store by themselves")
            }
        };
        let report = Report::new(code, severity, trouble.to_string(), hint)
            .breaks("no new key reaches the store or a consumer before it is back")
            .doing(doing);
        self.incidents.raise(now, report);
    }
}
