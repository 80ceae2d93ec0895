//! Keys that end at a known time, and times at which an operator wants a new one.

use super::{
    bench::*,
    by_operator::{leadey, only, seeded},
    *,
};
use crate::{
    domain::{Code, RotationId, Severity, StoreTrouble, Verdict},
    rotation::{Credential, Input},
};

fn ending(at: Timestamp) -> Credential {
    Credential { expires_at: Some(at), ..leadey() }
}
/// A week before the current key's end.
pub fn expiring() -> Bench {
    let mut bench = seeded(only(ending(START + 30 * DAY)));
    bench.wait(24 * DAY);
    bench
}
/// The configuration speaks of the key before.
pub fn outdated() -> Bench {
    let mut bench = seeded(only(ending(START + 30 * DAY)));
    bench.ingest(key(2), false, 7);
    bench.wait(HOUR);
    bench
}
/// It is time for a new key.
pub fn due() -> Bench {
    let mut bench = seeded(only(Credential { cadence: Some(30 * DAY), ..leadey() }));
    bench.wait(25 * DAY);
    bench
}
impl Bench {
    fn ingest_until(&mut self, n: u64, expires_at: Timestamp, ticket: u64) {
        let rotation_id = RotationId::from_parts(5, u128::from(ticket));
        let expires_at = Some(expires_at);
        self.input(Input::Ingested {
            fingerprint: key(n),
            uid: 1000,
            sure: false,
            expires_at,
            ticket,
            rotation_id,
        });
        self.run();
    }
}

#[test]
fn an_end_is_told_a_week_before_and_then_on_the_ladder_until_a_new_key_is_in() {
    let end = START + 30 * DAY;
    let mut bench = seeded(only(ending(end)));
    assert_eq!(bench.view().next_rotation_expected_at, Some(end));
    bench.wait(22 * DAY);
    bench.expect_mails(&[]);
    bench.passes(DAY);
    bench.expect_mails(&["mail key-expiring 0 warning"]);
    let told = bench.last_notice().clone();
    assert_eq!(
        told.message,
        "the key 0000000000000001 (…0001) ends 2026-12-21 09:00 UTC, and no new one has come"
    );
    assert_eq!(
        told.hint,
        "1. Cockpit, Settings, API Keys, create a key\n2. copy the key\nkeyrelay ingest main"
    );
    assert_eq!(told.until, Some(end - 5 * MIN));
    bench.wait(7 * DAY);
    bench.expect_mails(&[
        "mail key-expiring 1 warning",
        "mail key-expiring 2 warning",
        "mail key-expiring 3 urgent",
        "mail key-expiring 4 urgent",
    ]);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(HOUR);
    bench.expect_mails(&["mail key-dead 0 urgent"]);
    let told = bench.last_notice().clone();
    assert!(told.message.ends_with("; it was to end 2026-12-21 09:00 UTC"), "{}", told.message);
    assert!(told.hint.starts_with("1. Cockpit"), "{}", told.hint);
    bench.ingest_until(2, end + 30 * DAY, 7);
    bench.passes(HOUR);
    let mut mails = bench.take_only("mail");
    mails.sort();
    assert_eq!(
        mails,
        [
            "mail expiry-outdated 0 info",
            "mail key-dead 1 urgent resolved",
            "mail key-expiring 5 urgent resolved",
            "mail rotated 0 info",
        ]
    );
    assert_eq!(bench.view().expires_at, Some(end + 30 * DAY));
}

#[test]
fn an_end_that_was_said_with_a_key_is_that_keys_alone_and_outlives_the_process() {
    let end = START + 10 * DAY;
    let mut bench = seeded(only(leadey()));
    bench.ingest_until(2, end, 7);
    bench.passes(HOUR);
    bench.restart();
    bench.passes(HOUR);
    assert_eq!(bench.view().expires_at, Some(end));
    bench.take();
    bench.wait(6 * DAY);
    assert_eq!(bench.told(Code::KeyExpiring).severity, Severity::Warning);
    bench.world.alive(key(3));
    bench.ingest(key(3), false, 8);
    bench.wait(20 * DAY);
    assert_eq!(bench.view().expires_at, None);
    assert!(bench.told(Code::KeyExpiring).resolved, "the next key inherits nothing");
}

#[test]
fn an_end_that_was_said_of_a_key_in_the_spool_is_not_lost_with_the_process() {
    let end = START + 30 * DAY;
    let mut bench = seeded(only(leadey()));
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.ingest_until(2, end, 7);
    bench.restart();
    bench.run();
    bench.world.store_trouble = None;
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    assert_eq!(bench.view().expires_at, Some(end));
}

#[test]
fn an_end_in_the_configuration_is_not_the_next_keys_until_it_is_corrected() {
    let end = START + 10 * DAY;
    let mut bench = seeded(only(ending(end)));
    bench.ingest(key(2), false, 7);
    bench.passes(HOUR);
    let told = bench.told(Code::ExpiryOutdated).clone();
    assert_eq!(told.severity, Severity::Warning);
    assert_eq!(
        told.message,
        "credentials.main.expires_at (2026-12-01T09:00:00Z) is that of an earlier key; nobody has said when the \
         current one ends"
    );
    assert_eq!(bench.view().expires_at, None);
    bench.world.says(key(1), Verdict::Dead);
    bench.take();
    bench.restart();
    bench.wait(20 * DAY);
    bench.expect_mails(&["mail revoke-old-key 1 info resolved"]);
    let corrected = START + 60 * DAY;
    bench.reload(only(ending(corrected)));
    bench.passes(HOUR);
    bench.expect_mails(&["mail expiry-outdated 1 warning resolved"]);
    assert_eq!(bench.view().expires_at, Some(corrected));
}

#[test]
fn a_correction_of_the_current_keys_end_counts_at_once_and_so_does_its_removal() {
    let mut bench = seeded(only(ending(START + 3 * DAY)));
    bench.passes(DAY);
    assert_eq!(bench.told(Code::KeyExpiring).severity, Severity::Warning);
    let later = START + 90 * DAY;
    bench.reload(only(ending(later)));
    bench.passes(HOUR);
    assert!(bench.told(Code::KeyExpiring).resolved);
    assert_eq!(bench.view().expires_at, Some(later));
    bench.reload(only(leadey()));
    bench.passes(HOUR);
    assert_eq!(bench.view().expires_at, None);
}

#[test]
fn a_key_that_is_gone_back_to_ends_when_it_ends() {
    let end = START + 10 * DAY;
    let mut bench = seeded(only(ending(end)));
    bench.ingest(key(2), false, 7);
    bench.passes(HOUR);
    bench.rollback(false, 8);
    bench.passes(HOUR);
    assert_eq!(bench.view().expires_at, Some(end));
    assert!(bench.told(Code::ExpiryOutdated).resolved);
}

#[test]
fn a_key_of_a_day_is_told_of_in_its_second_half() {
    let mut bench = seeded(only(leadey()));
    bench.ingest_until(2, bench.now + DAY, 7);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(11 * HOUR);
    assert!(bench.notices.iter().all(|notice| notice.code != Code::KeyExpiring));
    bench.passes(2 * HOUR);
    assert_eq!(bench.told(Code::KeyExpiring).severity, Severity::Warning);
}

#[test]
fn a_new_key_is_due_by_the_operators_own_calendar() {
    let mut bench = seeded(only(Credential { cadence: Some(90 * DAY), ..leadey() }));
    let due = START - DAY + 90 * DAY;
    assert_eq!(bench.view().next_rotation_expected_at, Some(due));
    bench.wait(82 * DAY - HOUR);
    bench.expect_mails(&[]);
    bench.wait(2 * HOUR);
    bench.expect_mails(&["mail rotation-due 0 info"]);
    assert_eq!(bench.last_notice().message, format!("a new Leadey key is due {}", due.minutes()));
    bench.wait(7 * DAY);
    bench.expect_mails(&["mail rotation-due 1 warning"]);
    bench.wait(8 * DAY);
    bench.expect_mails(&["mail rotation-due 2 warning"]);
    bench.ingest(key(2), false, 7);
    bench.passes(HOUR);
    bench.expect_mails(&[
        "mail rotation-due 3 warning resolved",
        "mail rotated 0 info",
        "mail revoke-old-key 0 info",
    ]);
}

#[test]
fn when_the_current_key_ends_is_not_said_by_putting_it_in_again() {
    let mut bench = seeded(only(ending(START + 30 * DAY)));
    bench.ingest_until(1, START + 60 * DAY, 7);
    assert_eq!(
        bench.take_only("answer"),
        [
            "answer 7: refused: it is the current key already; when it ends is said by credentials.main.expires_at"
        ]
    );
    assert_eq!(bench.view().next_rotation_expected_at, Some(START + 30 * DAY));
}
