//! What of the login to the store ends, told while there is time to put another in its place.

use super::Fleet;
use crate::domain::{Code, Ending, Limits, LoginPart, Severity, Timestamp, spell_duration};
use crate::rotation::incident::{Ladder, Report};
use std::time::Duration;

impl Fleet {
    pub(super) fn report_endings(&mut self, now: Timestamp) {
        let limits = self.settings.limits.clone();
        let reports: Vec<_> =
            self.store.endings.iter().filter_map(|ending| report(ending, now, &limits)).collect();
        let subjects: Vec<_> = reports.iter().map(|report| report.subject.clone()).collect();
        self.incidents.clear_others(Code::StoreLoginExpiring, &subjects);
        reports.into_iter().for_each(|report| self.incidents.raise(now, report));
    }

    /// When an ending that is not told of yet is to be.
    pub(super) fn next_ending_told_at(&self) -> Option<Timestamp> {
        let limits = &self.settings.limits;
        let told = |ending: &Ending| self.incidents.is_open(Code::StoreLoginExpiring, ending.part.as_str());
        let quiet = self.store.endings.iter().filter(|ending| !told(ending));
        quiet.filter_map(|ending| Some(ending.until? - told_left(ending, limits))).min()
    }
}

fn report(ending: &Ending, now: Timestamp, limits: &Limits) -> Option<Report> {
    let few = ending.uses_left.is_some_and(|uses| uses <= limits.login_told_uses);
    let near = ending.until.is_some_and(|until| until.since(now) <= told_left(ending, limits));
    if !(few || near || ending.lost.is_some()) {
        return None;
    }
    let ladder = ending.until.map(|until| Ladder { from: until - life(ending, limits), until });
    let urgent = ladder.is_some_and(|ladder| ladder.is_urgent(now, limits));
    let severity = if urgent { Severity::Urgent } else { Severity::Warning };
    let report = Report::new(
        Code::StoreLoginExpiring,
        severity,
        message(ending, few, now),
        hint(ending.part),
    )
    .about(ending.part.as_str())
    .breaks("after that no key reaches the store; new ones wait on this machine, and consumers keep the old")
    .doing("it looks again and again whether another one was put in its place")
    .ladder(ladder);
    Some(report)
}

/// Of a life that nobody knows, the longest is taken.
fn life(ending: &Ending, limits: &Limits) -> Duration {
    let known = ending.until.zip(ending.from).map(|(until, from)| until.since(from));
    known.unwrap_or(limits.login_life_max).min(limits.login_life_max)
}

/// A quarter of its life, or a day if that is more and no more than half of its life: what is made anew by others all
/// the time, as by an agent, is not told of each time.
fn told_left(ending: &Ending, limits: &Limits) -> Duration {
    let life = life(ending, limits);
    let part = life / limits.login_told_part;
    if limits.login_told_left <= life / 2 { part.max(limits.login_told_left) } else { part }
}

fn message(ending: &Ending, few: bool, now: Timestamp) -> String {
    let part = ending.part.as_str();
    let until = ending.until.map(|until| {
        let left = Duration::from_secs(until.since(now).as_secs());
        format!("{} (in {})", until.minutes(), spell_duration(left))
    });
    match (&ending.lost, ending.uses_left.filter(|_| few), until) {
        (Some(why), _, Some(until)) => {
            format!("the {part} to the store will not do, and what it once gave ends {until}: {why}")
        }
        (Some(why), _, None) => format!("the {part} to the store will not do: {why}"),
        (None, Some(1), _) => format!("the {part} to the store is good for 1 more login"),
        (None, Some(uses), _) => format!("the {part} to the store is good for {uses} more logins"),
        (None, None, Some(until)) => format!("the {part} to the store ends {until}, and cannot be renewed"),
        (None, None, None) => format!("the {part} to the store ends"),
    }
}

fn hint(part: LoginPart) -> String {
    let make = match part {
        LoginPart::Token => {
            "make one, and put it where store.vault.auth.token says:\nbao token create -policy=keyrelay -period=768h"
        }
        LoginPart::SecretId => {
            "make one, and put it where store.vault.auth.approle.secret_id says:\n\
             bao write -f auth/approle/role/keyrelay/secret-id"
        }
        LoginPart::Certificate => {
            "put a new certificate and its key where store.vault.auth.cert says; they are read at the next login"
        }
        LoginPart::Login => {
            "mend what the store says, or put a login that works in place of the one in store.vault.auth"
        }
    };
    format!("{make}\nthen, if it is not read from a file:\nsystemctl reload keyrelay")
}
