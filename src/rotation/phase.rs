//! How far a rotation is, in one word. Read off the state, and stored nowhere.

use std::fmt;

/// How far a rotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Unseeded,
    Steady,
    Announced,
    Probing,
    Storing,
    HandingOver,
    Parked(Parked),
}

/// Why an operator is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parked {
    /// The documents cannot be read; nothing is known yet.
    StoreUnread,
    /// keyrelay's own notes are of another version.
    StateRefused,
    /// Somebody else's value is in the field.
    StoreForeign,
    /// An earlier key was put back.
    StoreReverted,
    DocumentDeleted,
    /// The vendor calls everything alive.
    ProbeBlind,
    /// The current key is dead, and no other is there.
    KeyDead,
    /// Every candidate waits for the operator's word.
    Held,
    /// The vendor made a new key, and nobody has it.
    KeyLost,
}

impl Phase {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Unseeded => "unseeded",
            Phase::Steady => "steady",
            Phase::Announced => "announced",
            Phase::Probing => "probing",
            Phase::Storing => "storing",
            Phase::HandingOver => "handing_over",
            Phase::Parked(_) => "parked",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phase::Parked(reason) => write!(f, "Parked({reason:?})"),
            Phase::Unseeded
            | Phase::Steady
            | Phase::Announced
            | Phase::Probing
            | Phase::Storing
            | Phase::HandingOver => {
                write!(f, "{self:?}")
            }
        }
    }
}
