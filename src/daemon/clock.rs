//! The one place where the time is read, and ids are drawn.

use crate::domain::{RotationId, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime};

pub fn now() -> Timestamp {
    SystemTime::now().into()
}

/// A new rotation's id: the moment, and chance.
pub fn rotation_id() -> RotationId {
    let mut random = [0; 16];
    // Without chance the moment alone names it: an id is no secret.
    let _ = getrandom::fill(&mut random);
    RotationId::from_parts(u64::try_from(now().as_millis()).unwrap_or(0), u128::from_le_bytes(random))
}

/// After a suspend the clock may come back a second off.
const SET_MIN: Duration = Duration::from_secs(2);

/// Sees when this machine's clock is set: it moves then by more than the time since boot does, which suspends count
/// in, and nobody sets.
pub struct Watch {
    wall: Timestamp,
    boot: Duration,
}

impl Watch {
    pub fn begin() -> Self {
        Self { wall: now(), boot: since_boot() }
    }
    /// What the clock would say now if it had not been set since the last look; `None` where it was not.
    pub fn look(&mut self) -> Option<Timestamp> {
        let looked = Self::begin();
        let before = self.wall + looked.boot.saturating_sub(self.boot);
        let off = looked.wall.since(before).max(before.since(looked.wall));
        *self = looked;
        (off > SET_MIN).then_some(before)
    }
}

/// The time since this machine was booted, sleep included.
pub fn since_boot() -> Duration {
    let boot = clock_gettime(ClockId::Boottime);
    Duration::new(u64::try_from(boot.tv_sec).unwrap_or(0), u32::try_from(boot.tv_nsec).unwrap_or(0))
}
