//! How often keys can be probed: as often as the schedule says, or as the vendor's rate limit allows.

use super::{Schedules, credential::Credential, mistake::Severity, read::Sheet, schedule};
use crate::{
    domain::{CredentialName, Limits, VendorName, spell_duration},
    vendor::{Profile, profile::LimitScope},
};
use std::{collections::BTreeMap, time::Duration};

const DAY: Duration = Duration::from_secs(86_400);
/// The part of the budget that is not reserved for candidates: one in so many.
const CALM_PART: u32 = 2;

/// Warns where a vendor's limit makes the period of the probes longer than the schedule.
pub(super) fn warn_of_rare_probes(
    sheet: &Sheet,
    schedules: &Schedules,
    vendors: &BTreeMap<VendorName, Profile>,
    credentials: &BTreeMap<CredentialName, Credential>,
) {
    for (vendor, profile) in vendors {
        let count = credentials.values().filter(|credential| credential.vendor == *vendor).count();
        let Ok(count @ 1..) = u32::try_from(count) else { continue };
        let sharing = if profile.limit.of == LimitScope::Key { 1 } else { count };
        let period = shortest_period(profile, sharing);
        let per_day = usize::try_from(DAY.as_secs() / period.as_secs().max(1)).unwrap_or(usize::MAX);
        if schedule::is_oftener(&schedules.current_key_probe, DAY, per_day) {
            let rule = format!(
                "{vendor}'s rate limit allows each of its keys here ({count}) one probe in {}",
                spell_duration(period)
            );
            let hint = "they are probed that often, not as the schedule says".to_owned();
            sheet.note(Severity::Warning, "schedules.current_key_probe", rule, Some(hint));
        }
    }
}

/// The time in which every key of a vendor can be probed once.
fn shortest_period(profile: &Profile, keys: u32) -> Duration {
    let parts = Limits::default().vendor_limit_part.saturating_mul(CALM_PART);
    profile.limit.per.0.saturating_mul(parts).saturating_mul(keys) / profile.limit.requests.max(1)
}
