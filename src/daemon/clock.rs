//! The one place where the time is read, and ids are drawn.

use crate::domain::{RotationId, Timestamp};
use std::time::SystemTime;

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
