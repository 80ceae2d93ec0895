//! What is well, in few words: of many credentials the calm ones are a line each, and of many consumers those at their
//! level are counted. Whoever asks for one credential sees all of it.

use super::status::{Consumer, Credential, Status};
use super::text::worst;
use crate::domain::{ProofLevel, Severity};
use std::{borrow::Cow, cmp::Reverse, collections::BTreeMap};

/// Up to so many credentials have a block each, whatever they are.
const BLOCKS: usize = 3;
/// Up to so many consumers that are well are named; and up to so many that are not.
const GOOD_NAMED: usize = 4;
const BAD_NAMED: usize = 8;
/// Up to so many lines of an incident's hint.
const HINT_LINES: usize = 4;

/// How much is told of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Of the one that was asked for.
    Whole,
    Block,
    /// Calm ones are a line.
    Brief,
}

impl Detail {
    pub fn of(status: &Status) -> Self {
        match status.credentials.len() {
            0 | 1 => Detail::Whole,
            few if few <= BLOCKS => Detail::Block,
            _ => Detail::Brief,
        }
    }
}

/// There is nothing to do about it.
pub fn is_calm(credential: &Credential) -> bool {
    let told = credential.incidents.iter().any(|incident| incident.severity > Severity::Info);
    let under_way = !matches!(credential.phase.as_str(), "steady" | "announced");
    let shown = credential.consumers.iter().all(|consumer| consumer.is_good() || consumer.elsewhere);
    !told && !under_way && shown && credential.held.is_empty()
}

/// The worst first, the calm last.
pub fn in_order(status: &Status) -> Vec<&Credential> {
    let mut credentials: Vec<&Credential> = status.credentials.iter().collect();
    credentials.sort_by_key(|credential| {
        let calm = is_calm(credential);
        (calm, Reverse(worst(&credential.incidents).filter(|_| !calm)), &credential.name)
    });
    credentials
}

/// A credential's consumers, as they are told.
pub struct Consumers<'a> {
    /// Those that are not as they should be come first.
    pub named: Vec<&'a Consumer>,
    /// How many more are not.
    pub more_bad: usize,
    /// The others, counted by what they showed; empty where they are named.
    pub good: BTreeMap<ProofLevel, usize>,
}

pub fn consumers(credential: &Credential, detail: Detail) -> Consumers<'_> {
    let well = |consumer: &&Consumer| consumer.is_good() || consumer.elsewhere;
    let (good, bad): (Vec<_>, Vec<_>) = credential.consumers.iter().partition(well);
    let most = |few| if detail == Detail::Whole { usize::MAX } else { few };
    let shown = bad.len().min(most(BAD_NAMED));
    let mut told =
        Consumers { named: bad[..shown].to_vec(), more_bad: bad.len() - shown, good: BTreeMap::new() };
    if good.len() <= most(GOOD_NAMED) {
        told.named.extend(good);
    } else {
        good.iter().for_each(|consumer| *told.good.entry(consumer.proof).or_default() += 1);
    }
    told
}

/// `12 in use, 3 loaded`.
pub fn counted(by_level: &BTreeMap<ProofLevel, usize>) -> String {
    let levels = by_level.iter().rev().map(|(level, count)| format!("{count} {}", level.words()));
    levels.collect::<Vec<_>>().join(", ")
}

/// A calm credential's consumers.
pub fn all_counted(credential: &Credential) -> String {
    let mut by_level = BTreeMap::new();
    credential.consumers.iter().for_each(|consumer| *by_level.entry(consumer.proof).or_default() += 1);
    if by_level.is_empty() { "no consumers".into() } else { counted(&by_level) }
}

/// What to type, as far as it is told here; whoever wants all of it asks for the credential.
pub fn hint<'a>(hint: &'a str, name: Option<&str>, detail: Detail) -> Vec<Cow<'a, str>> {
    let lines: Vec<_> = hint.lines().map(Cow::from).collect();
    match name {
        Some(name) if lines.len() > HINT_LINES && detail != Detail::Whole => {
            let first = lines[..HINT_LINES - 1].iter().cloned();
            first.chain([format!("keyrelay status {name}").into()]).collect()
        }
        Some(_) | None => lines,
    }
}
