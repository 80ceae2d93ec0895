//! Chance that can be had again: the same seed makes the same plan.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub struct Dice(u64);

impl Dice {
    /// From `KEYRELAY_TEST_SEED`, else from the clock; printed, so that a failure can be looked at again.
    pub fn seeded() -> Self {
        let given = std::env::var("KEYRELAY_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
            since.as_secs()
        });
        println!("KEYRELAY_TEST_SEED={seed}");
        Self(seed)
    }
    /// Less than `below` (SplitMix64).
    pub fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(below).expect("a small number")).expect("a small number")
    }
    pub fn millis(&mut self, below: u64) -> Duration {
        let below = usize::try_from(below).expect("a small number");
        Duration::from_millis(u64::try_from(self.below(below)).expect("a small number"))
    }
    pub fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
