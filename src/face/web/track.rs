//! What a strip shows of a credential: which moments, over which time, and what each consumer has shown. It knows no
//! picture.

use super::axis::Axis;
use crate::{
    domain::{ConsumerName, ProofLevel, Timestamp},
    face::status::{Consumer, Credential},
    rotation::Record,
};
use std::time::Duration;

/// Lanes of one strip; what more there is, is summed up.
pub const LANES_MAX: usize = 12;

/// One moment with its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub at: Timestamp,
    pub kind: Moment,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    Warning,
    Rotation,
    Deadline,
    GraceEnd,
    NextRotation,
}

impl Moment {
    pub fn words(self) -> &'static str {
        match self {
            Moment::Warning => "warning",
            Moment::Rotation => "rotation",
            Moment::Deadline => "deadline",
            Moment::GraceEnd => "old key dies",
            Moment::NextRotation => "next rotation",
        }
    }
}

#[derive(Debug)]
pub struct Track<'a> {
    pub axis: Axis,
    pub now: Timestamp,
    pub rotated: Option<Timestamp>,
    /// While two keys work.
    pub zone: Option<(Timestamp, Timestamp)>,
    pub marks: Vec<Mark>,
    pub lanes: Vec<Lane<'a>>,
    /// Consumers without a lane, and how many of them are good.
    pub rest: (usize, usize),
}

/// One consumer's way to the current key.
#[derive(Debug)]
pub struct Lane<'a> {
    pub name: &'a ConsumerName,
    pub state: LaneState,
    /// The first and the last time that it was shown to work with the current key.
    pub shown: Option<(Timestamp, Timestamp)>,
    /// The other key that it was last shown to work with.
    pub last_with: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneState {
    /// The running program was shown to work with the key.
    Tested(ProofLevel),
    /// As good as it is wanted, and never tested in use.
    Accepted(ProofLevel),
    Short(ProofLevel),
    Stale(ProofLevel),
    Unproven,
    Elsewhere,
}

impl LaneState {
    pub fn of(consumer: &Consumer) -> Self {
        let level = consumer.proof;
        match (consumer.is_good(), level) {
            _ if consumer.elsewhere => LaneState::Elsewhere,
            (_, ProofLevel::Unproven) => LaneState::Unproven,
            (true, ProofLevel::Loaded | ProofLevel::InUse) => LaneState::Tested(level),
            (true, ProofLevel::Delivered | ProofLevel::WorkingCopy) => LaneState::Accepted(level),
            (false, _) if consumer.stale => LaneState::Stale(level),
            (false, _) => LaneState::Short(level),
        }
    }
    /// Colour alone says nothing to some, and to a printer.
    pub fn sign(self) -> &'static str {
        match self {
            LaneState::Tested(_) => "✓",
            LaneState::Accepted(_) => "○",
            LaneState::Short(_) | LaneState::Stale(_) => "!",
            LaneState::Unproven => "✕",
            LaneState::Elsewhere => "–",
        }
    }
    pub fn class(self) -> &'static str {
        match self {
            LaneState::Tested(_) => "good",
            LaneState::Accepted(_) => "plain",
            LaneState::Short(_) | LaneState::Stale(_) => "warning",
            LaneState::Unproven => "bad",
            LaneState::Elsewhere => "faint",
        }
    }
    pub fn words(self) -> String {
        match self {
            LaneState::Tested(level) | LaneState::Accepted(level) | LaneState::Short(level) => {
                level.words().to_owned()
            }
            LaneState::Stale(level) => format!("{}, long ago", level.words()),
            LaneState::Unproven => "not tested".to_owned(),
            LaneState::Elsewhere => "on another host".to_owned(),
        }
    }
}

impl<'a> Track<'a> {
    /// `None`: nothing is known that could be drawn. `past`: the credential's history.
    pub fn of(credential: &'a Credential, past: &[Record], now: Timestamp) -> Option<Self> {
        let rotated = credential.rotated_at;
        let until = credential.grace_until.filter(|until| Some(*until) > rotated);
        let marks = marks(credential, warned_at(credential, past), until);
        let axis = axis(credential, &marks, now)?;
        let marks: Vec<Mark> = marks.into_iter().filter(|mark| axis.shows(mark.at)).collect();
        let mut consumers: Vec<&Consumer> = credential.consumers.iter().collect();
        if consumers.len() > LANES_MAX {
            consumers.sort_by_key(|consumer| consumer.is_good());
        }
        let shown = consumers.len().min(LANES_MAX);
        let (lanes, rest) = consumers.split_at(shown);
        let good = rest.iter().filter(|consumer| consumer.is_good()).count();
        Some(Self {
            axis,
            now,
            rotated,
            zone: rotated.zip(until),
            marks,
            lanes: lanes.iter().map(|consumer| lane(credential, consumer)).collect(),
            rest: (rest.len(), good),
        })
    }
}

/// The key that it was last seen with, where that is another than the current one.
pub fn last_with<'a>(credential: &Credential, consumer: &'a Consumer) -> Option<&'a str> {
    let unproven = consumer.proof == ProofLevel::Unproven && !consumer.elsewhere;
    consumer.fingerprint.as_deref().filter(|key| unproven && credential.fingerprint.as_deref() != Some(*key))
}

fn lane<'a>(credential: &Credential, consumer: &'a Consumer) -> Lane<'a> {
    let first = consumer.since.or(consumer.at);
    let shown = first.zip(consumer.at).filter(|_| consumer.proof > ProofLevel::Unproven);
    let last_with = last_with(credential, consumer);
    Lane { name: &consumer.name, state: LaneState::of(consumer), shown, last_with }
}

/// When the vendor warned of the rotation that the current key came with.
fn warned_at(credential: &Credential, past: &[Record]) -> Option<Timestamp> {
    let id = credential.rotation_id?;
    let mut phases = past.iter().filter(|record| record.rotation_id == id).flat_map(|record| &record.phases);
    phases.find(|entered| entered.is_warning()).map(|entered| entered.at)
}

fn marks(credential: &Credential, warned: Option<Timestamp>, until: Option<Timestamp>) -> Vec<Mark> {
    let found = [
        (Moment::Warning, warned),
        (Moment::Rotation, credential.rotated_at),
        (Moment::Deadline, credential.deadline_at),
        (Moment::GraceEnd, until),
        (Moment::Warning, credential.announced_at),
        (Moment::NextRotation, credential.next_rotation_expected_at),
    ];
    found.into_iter().filter_map(|(kind, at)| Some(Mark { at: at?, kind })).collect()
}

/// While two keys work: from the warning to the end of the old one. Else: from the rotation to the next one. A
/// rotation that is announced: the time around it.
fn axis(credential: &Credential, marks: &[Mark], now: Timestamp) -> Option<Axis> {
    let of = |kind| marks.iter().filter(move |mark: &&Mark| mark.kind == kind).map(|mark| mark.at);
    let until = of(Moment::GraceEnd).chain(of(Moment::Deadline)).max();
    let under_way = credential.deadline_at.is_some() || until.is_some_and(|until| until > now);
    if let Some(until) = until.filter(|_| under_way) {
        let begin = of(Moment::Warning).chain(of(Moment::Rotation)).filter(|at| *at < until).min();
        let begin = credential.announced_at.or(begin).unwrap_or(now);
        return Some(Axis::around(begin.min(now), until.max(now)));
    }
    if let Some((warned, expected)) = credential.announced_at.zip(credential.next_rotation_expected_at) {
        let after = expected.since(warned) / 4;
        return Some(Axis::around(warned.min(now), expected.max(now) + after));
    }
    let first = credential.consumers.iter().filter_map(|consumer| consumer.since).min();
    let begin = credential.rotated_at.or(first)?;
    let whole_day = now + Duration::from_secs(86_400);
    Some(Axis::around(begin.min(now), credential.next_rotation_expected_at.unwrap_or(whole_day).max(now)))
}
