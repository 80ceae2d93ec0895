//! The store's health, as the last calls showed it: one incident for all credentials, and one call that finds out
//! when it is back.

use super::Fleet;
use crate::domain::{Code, Ending, Severity, StoreFacts, StoreTrouble, Timestamp};
use crate::rotation::{
    effect::Effect,
    incident::Report,
    task::{Task, salt},
};

/// What the last calls to the store showed.
#[derive(Debug, Clone, Default)]
pub(in crate::rotation) struct StoreHealth {
    pub reachable: bool,
    pub since: Option<Timestamp>,
    pub last_ok_at: Option<Timestamp>,
    pub trouble: Option<StoreTrouble>,
    trouble_since: Option<Timestamp>,
    check: Task,
    /// When the token is to be renewed, which a look at the store does.
    renew_at: Option<Timestamp>,
    /// What of the login ends, as it was last seen.
    pub(super) endings: Vec<Ending>,
}

/// The codes of an outage; one at a time.
const OUTAGES: [Code; 3] = [Code::StoreSealed, Code::StoreLoginRefused, Code::StoreUnreachable];

impl StoreHealth {
    pub(super) fn clock_went_back(&mut self, now: Timestamp) {
        self.check.clock_went_back(now);
        let moments = [&mut self.since, &mut self.last_ok_at, &mut self.trouble_since, &mut self.renew_at];
        moments.into_iter().flatten().for_each(|at| *at = (*at).min(now));
    }
}

impl Fleet {
    pub(super) fn store_checked(
        &mut self,
        outcome: Result<StoreFacts, StoreTrouble>,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        self.store.check.ended();
        match outcome {
            Ok(StoreFacts { time, renew_in, endings }) => {
                if let Some(time) = time {
                    self.compare_clock("the store's", time, now);
                }
                let pause = self.settings.limits.backoff_min;
                self.store.renew_at = renew_in.map(|renew_in| now + renew_in.max(pause));
                self.store.endings = endings;
                self.incidents.everything_is_seen();
                self.store_works(now, effects);
            }
            // It answers: what it refuses is told where it was wanted.
            Err(StoreTrouble::Forbidden(_) | StoreTrouble::Refused(_)) => self.store_works(now, effects),
            Err(
                trouble @ (StoreTrouble::Unreachable(_)
                | StoreTrouble::Untrusted(_)
                | StoreTrouble::Sealed
                | StoreTrouble::LoggedOut(_)),
            ) => self.store_fails(trouble, now),
        }
    }
    pub(super) fn store_works(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.store.last_ok_at = Some(now);
        if !self.store.reachable {
            (self.store.reachable, self.store.since) = (true, Some(now));
        }
        self.store.trouble_since = None;
        if self.store.trouble.take().is_some() {
            self.store.check.succeeded();
            self.rotations.values_mut().for_each(|rotation| rotation.store_is_back());
            self.step_all(now, effects);
        }
    }
    pub(super) fn store_fails(&mut self, trouble: StoreTrouble, now: Timestamp) {
        match trouble {
            StoreTrouble::Forbidden(_) | StoreTrouble::Refused(_) => return, // one credential's matter
            StoreTrouble::Unreachable(_)
            | StoreTrouble::Untrusted(_)
            | StoreTrouble::Sealed
            | StoreTrouble::LoggedOut(_) => {}
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
    /// While it is away, it is asked again and again; while it is well, when the token is to be renewed.
    pub(super) fn check_store(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let is_away = self.store.trouble.is_some();
        let is_due = is_away || self.store.renew_at.is_some_and(|at| at <= now);
        if is_due && self.store.check.may_start(now) {
            self.store.renew_at = None;
            let mut attempts = 0;
            self.store.check.start(&mut attempts);
            effects.push(Effect::CheckStore);
        }
    }
    pub(super) fn next_store_check_at(&self) -> Option<Timestamp> {
        match self.store.trouble {
            Some(_) => self.store.check.waits_until(),
            None => self.store.renew_at,
        }
    }

    pub(super) fn report_store(&mut self, now: Timestamp) {
        let Some(trouble) = self.store.trouble.clone() else {
            // After a start nothing is known of it yet, and what was open stays so.
            if self.store.reachable {
                OUTAGES.into_iter().for_each(|code| self.incidents.clear(code, ""));
            }
            return self.report_endings(self.passed(now));
        };
        let long_away = self
            .store
            .trouble_since
            .is_some_and(|since| now.since(since) >= self.settings.limits.backoff_cap_min);
        let (code, hint) = match trouble {
            StoreTrouble::Sealed => (Code::StoreSealed, "unseal it:\nbao operator unseal"),
            StoreTrouble::LoggedOut(_) => (Code::StoreLoginRefused, LOGIN_HINT),
            StoreTrouble::Untrusted(_) => (Code::StoreUnreachable, TRUST_HINT),
            StoreTrouble::Unreachable(_) if long_away => {
                (Code::StoreUnreachable, "bring it back, then look:\nbao status")
            }
            // No outage; or one that may be over in a moment.
            StoreTrouble::Forbidden(_) | StoreTrouble::Refused(_) | StoreTrouble::Unreachable(_) => return,
        };
        self.raise_store(code, &trouble, hint, now);
        let others = OUTAGES.into_iter().filter(|other| *other != code);
        others.for_each(|code| self.incidents.clear(code, ""));
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

const LOGIN_HINT: &str = "put a login that works in place of the one in store.vault.auth, then:\n\
    keyrelay check\n\
    systemctl reload keyrelay";
const TRUST_HINT: &str = "if it is the right server, name its authority's PEM file in store.vault.ca_cert, then:\n\
    keyrelay check\n\
    systemctl reload keyrelay";
