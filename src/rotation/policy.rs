//! Whether a candidate may become the current key: named pure checks, asked in order. Each passes, or says what is
//! missing, or why not.

use super::{candidate::Candidate, keys::KeyFacts};
use crate::domain::{Account, CredentialName, Fingerprint, Limits, Origin, Timestamp, Verdict};

/// Everything a judgement rests on.
pub(super) struct Case<'a> {
    pub candidate: &'a Candidate,
    pub facts: &'a KeyFacts,
    /// The current key and what is known of it; `None` where the store holds none.
    pub current: Option<(&'a CurrentKey, &'a KeyFacts)>,
    /// The current key's value lies nowhere that it could be asked from.
    pub unheld: bool,
    /// The date of the last key that was current, also of one that has left the store.
    pub newest: Option<Timestamp>,
    pub pin: Option<&'a Account>,
    /// The account that was recorded while the current key was alive.
    pub recorded: Option<&'a Account>,
    pub has_identity: bool,
    /// Nobody may be asked: the vendor's probe is switched off.
    pub probe_off: bool,
    /// Keys of this slot that were current before.
    pub formers: &'a [Fingerprint],
    pub taken_by: Option<&'a CredentialName>,
    /// The last answer to a random key at this origin.
    pub control: Option<(Verdict, Timestamp)>,
    pub now: Timestamp,
    pub limits: &'a Limits,
}

/// The key that the store's document calls current.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CurrentKey {
    pub fingerprint: Fingerprint,
    pub generation: u64,
    /// The vendor's time, where keyrelay wrote it.
    pub rotated_at: Option<Timestamp>,
    /// When that version of the document was written, in whole seconds.
    pub stored_at: Timestamp,
}

impl CurrentKey {
    /// What a newer key must not be dated before.
    pub fn dated(&self) -> Timestamp {
        self.rotated_at.unwrap_or(self.stored_at)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    Promote,
    /// These must be asked first.
    Ask(Need),
    /// The vendor does not say what is needed yet; its next answer may.
    Wait(String),
    Hold(String),
    Refuse(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Candidate,
    Current,
    Control,
}

type Check = fn(&Case<'_>) -> Option<Judgement>;

const CHECKS: [Check; 7] =
    [not_anothers, not_a_former_key, newer, alive, of_another_account, probe_can_see, same_account];

/// The first check that does not pass decides.
pub(super) fn judge(case: &Case<'_>) -> Judgement {
    CHECKS.iter().find_map(|check| check(case)).unwrap_or(Judgement::Promote)
}

/// Everything that a judgement will need, to be asked for at once and not one after the other.
pub(super) fn needs(case: &Case<'_>) -> Vec<Need> {
    if case.probe_off {
        return Vec::new();
    }
    let stale =
        |facts: &KeyFacts| facts.verdict.is_none_or(|(_, at)| case.now.since(at) > case.limits.verdict_fresh);
    let (mut candidate, mut current) =
        (stale(case.facts), case.current.is_some_and(|(_, facts)| stale(facts)));
    // Both accounts are asked for together; of two that were not, the one that was asked for longer ago is due.
    if let Some((_, facts)) =
        case.current.filter(|(_, facts)| !facts.looks_dead() && !case.facts.looks_dead())
    {
        let asked_at =
            |wanted, facts: &KeyFacts| if wanted { Some(case.now) } else { facts.account_asked_at() };
        let (mine, theirs) = (asked_at(candidate, case.facts), asked_at(current, facts));
        let apart = mine.zip(theirs).is_none_or(|(mine, theirs)| {
            mine.since(theirs).max(theirs.since(mine)) > case.limits.account_together
        });
        candidate |= apart && mine < theirs;
        current |= apart && mine >= theirs;
    }
    current &= !is_asked_for(case) && !case.unheld;
    // A blind vendor is asked again and again, for as long as something depends on it.
    let control = match case.control {
        Some((Verdict::Dead | Verdict::Unclear, at)) => case.now.since(at) > case.limits.control_every,
        Some((Verdict::Alive, _)) | None => true,
    };
    [(candidate, Need::Candidate), (current, Need::Current), (control, Need::Control)]
        .into_iter()
        .filter_map(|(wanted, need)| wanted.then_some(need))
        .collect()
}

/// The answer to our own call, made with the current key: it is of the same account, unless it shows another.
fn is_asked_for(case: &Case<'_>) -> bool {
    matches!(case.candidate.origin, Origin::Api { .. })
}

fn not_anothers(case: &Case<'_>) -> Option<Judgement> {
    case.taken_by.map(|slot| Judgement::Refuse(format!("the credential {slot} holds this key")))
}

fn not_a_former_key(case: &Case<'_>) -> Option<Judgement> {
    let former = case.formers.contains(&case.candidate.fingerprint) && !case.candidate.is_vouched_for();
    former.then(|| Judgement::Hold("it was the current key before".into()))
}

/// Equal counts as after: a Date has whole seconds.
fn newer(case: &Case<'_>) -> Option<Judgement> {
    let newest = case.newest?;
    let older = case.candidate.dated < newest && case.candidate.word.is_none();
    older.then(|| {
        Judgement::Hold(format!("it is dated {}, before the current key ({newest})", case.candidate.dated))
    })
}

fn alive(case: &Case<'_>) -> Option<Judgement> {
    if case.probe_off {
        return unasked(case);
    }
    match case.facts.verdict {
        Some((Verdict::Alive, at)) if case.now.since(at) <= case.limits.verdict_fresh => None,
        Some((Verdict::Dead, _)) => Some(Judgement::Wait("the vendor refuses it".into())),
        Some((Verdict::Unclear, _)) => {
            Some(Judgement::Wait(format!("the vendor's answer is unclear ({})", case.facts.why)))
        }
        Some((Verdict::Alive, _)) | None => Some(Judgement::Ask(Need::Candidate)),
    }
}

/// Nothing can be proven: only a key that an operator vouches for goes on, and none is gone back to.
fn unasked(case: &Case<'_>) -> Option<Judgement> {
    let off = "the vendor's probe is switched off";
    if matches!(case.candidate.origin, Origin::Rollback { .. }) {
        return Some(Judgement::Refuse(format!("{off}, so nobody can say whether the earlier key works")));
    }
    match case.facts.verdict {
        Some((Verdict::Dead, _)) => Some(Judgement::Wait("the vendor refused it".into())),
        Some((Verdict::Alive | Verdict::Unclear, _)) | None => (!case.candidate.is_vouched_for())
            .then(|| Judgement::Hold(format!("{off}, so nobody can say whether it works"))),
    }
}

/// An operator's word does not stand against the pin: the pin is the operator's word, too.
fn of_another_account(case: &Case<'_>) -> Option<Judgement> {
    if case.facts.foreign {
        return Some(Judgement::Refuse("the vendor says that it is of another account".into()));
    }
    let (pin, account) = (case.pin?, case.facts.account.as_ref()?);
    let foreign = !account.is_empty() && !account.shares_with(pin);
    foreign.then(|| Judgement::Refuse("it is of another account than the one that is pinned".into()))
}

/// A vendor that calls everything alive proves nothing. Of an unclear answer the account is the better proof.
fn probe_can_see(case: &Case<'_>) -> Option<Judgement> {
    if case.probe_off {
        return None;
    }
    match case.control {
        Some((Verdict::Dead | Verdict::Unclear, at)) if case.now.since(at) <= case.limits.control_every => {
            None
        }
        Some((Verdict::Alive, _)) => Some(Judgement::Wait("the vendor calls a random key alive".into())),
        Some(_) | None => Some(Judgement::Ask(Need::Control)),
    }
}

fn same_account(case: &Case<'_>) -> Option<Judgement> {
    // A key that was the current one has been proven to be ours before.
    let asked_for = is_asked_for(case);
    let vouched = case.candidate.is_vouched_for() || case.candidate.origin == Origin::Former || asked_for;
    let unprovable = |why: &str| (!vouched).then(|| Judgement::Hold(why.to_owned()));
    if !case.has_identity {
        return unprovable("this vendor shows no account, so it cannot be proven to be ours");
    }
    let mine = case.facts.account.clone().unwrap_or_default();
    if mine.is_empty() {
        return unprovable("its account shows nothing to compare, so it cannot be proven to be ours");
    }
    if case.probe_off {
        return compare(&mine, case.pin.or(case.recorded), vouched, "its account cannot be compared now");
    }
    if asked_for {
        // The old key may have died of the call: what it showed before stands in for it.
        let shown = case.current.and_then(|(_, facts)| facts.account.as_ref());
        let shown = shown.filter(|account| !account.is_empty());
        return compare(&mine, shown.or(case.pin).or(case.recorded), vouched, "");
    }
    let Some((_, facts)) = case.current.filter(|_| !case.unheld) else {
        return compare(
            &mine,
            case.pin.or(case.recorded),
            vouched,
            "there is no key to compare it with, and no account is pinned",
        );
    };
    match facts.verdict {
        Some((Verdict::Alive, _))
            if facts.account_was_asked_with(case.facts, case.limits.account_together) =>
        {
            let shown = facts.account.as_ref().filter(|account| !account.is_empty());
            compare(
                &mine,
                shown.or(case.pin).or(case.recorded),
                vouched,
                "the current key's account shows nothing to compare",
            )
        }
        Some((Verdict::Dead, _)) => {
            let known = case.pin.or(case.recorded);
            compare(
                &mine,
                known,
                vouched,
                "the current key is dead, no account was recorded, and none is pinned",
            )
        }
        Some((Verdict::Unclear, _)) if !vouched => Some(Judgement::Wait(format!(
            "the vendor's answer for the current key is unclear ({})",
            facts.why
        ))),
        Some((Verdict::Unclear, _)) => compare(&mine, case.pin.or(case.recorded), vouched, ""),
        Some((Verdict::Alive, _)) | None => Some(Judgement::Ask(Need::Current)),
    }
}

fn compare(mine: &Account, other: Option<&Account>, vouched: bool, unprovable: &str) -> Option<Judgement> {
    match other.filter(|other| !other.is_empty()) {
        Some(other) if mine.shares_with(other) => None,
        Some(_) => Some(Judgement::Refuse("it is of another account than the current key".into())),
        None => (!vouched).then(|| Judgement::Hold(unprovable.to_owned())),
    }
}
