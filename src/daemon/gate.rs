//! Whether something outside the store may begin: alone, always; where there are two daemons, while the lease lets it.

use super::clock;
use crate::rotation::Boot;
use std::{
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    time::Duration,
};

/// Open until a moment since boot, in nanoseconds.
#[derive(Debug)]
pub struct Gate(AtomicU64);

const FOR_GOOD: u64 = u64::MAX;
const SHUT: u64 = 0;

impl Gate {
    pub fn open() -> Self {
        Self(AtomicU64::new(FOR_GOOD))
    }
    pub fn shut() -> Self {
        Self(AtomicU64::new(SHUT))
    }
    /// `None`: shut.
    pub fn set(&self, until: Option<Boot>) {
        let nanos = until.map_or(SHUT, |until| u64::try_from(until.as_nanos()).unwrap_or(FOR_GOOD));
        self.0.store(nanos, SeqCst);
    }
    pub fn open_for_good(&self) {
        self.0.store(FOR_GOOD, SeqCst);
    }
    pub fn is_open(&self) -> bool {
        match self.0.load(SeqCst) {
            FOR_GOOD => true,
            until => clock::since_boot() <= Duration::from_nanos(until),
        }
    }
}
