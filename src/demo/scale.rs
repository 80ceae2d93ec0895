//! A week in half a minute: what the demo runs with in place of the documented numbers.

use crate::domain::Limits;
use std::time::Duration;

/// The vendor rotates this often …
pub const CADENCE: Duration = Duration::from_secs(30);
/// … warns so long before …
pub const NOTICE_BEFORE: Duration = Duration::from_secs(10);
/// … and lets the old key work for so long.
pub const GRACE: Duration = Duration::from_secs(18);
/// The first warning comes so long after the start.
pub const FIRST_WARNING: Duration = Duration::from_secs(5);
/// One consumer goes on with the old key for so long.
pub const LAG: Duration = Duration::from_secs(7);

/// Seconds where the real ones are minutes or hours. Signed dates have whole seconds, so nothing can be shorter.
pub fn limits() -> Limits {
    let millis = Duration::from_millis;
    Limits {
        deadline_margin: millis(1_000),
        spool_after: millis(2_000),
        verdict_fresh: millis(10_000),
        account_together: millis(5_000),
        dead_over: millis(2_000),
        control_every: Duration::from_secs(60),
        vendor_limit_part: 1,
        old_key_probe: millis(3_000),
        unclear_told_after: millis(5_000),
        unconfirmed_after: millis(4_000),
        wrong_key_after: millis(3_000),
        backoff_min: millis(250),
        backoff_cap_min: millis(1_000),
        backoff_cap_max: millis(2_000),
        notices_per_hour: 2_000,
        ..Limits::default()
    }
}

/// What is scaled, for the first lines of the demo: name, real, here.
pub fn table() -> Vec<(&'static str, &'static str, String)> {
    let secs = |length: Duration| format!("{} s", length.as_secs());
    let limits = limits();
    vec![
        ("the vendor rotates every", "7 d", secs(CADENCE)),
        ("it warns before that by", "24 h", secs(NOTICE_BEFORE)),
        ("the old key works on for", "24 h", secs(GRACE)),
        ("a consumer on another key is reported after", "5 min", secs(limits.wrong_key_after)),
        ("longest wait between two tries", "5 min", secs(limits.backoff_cap_max)),
        ("share of the vendor's rate limit it may use", "1/10", "all of it".into()),
    ]
}
