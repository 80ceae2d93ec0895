use super::*;
use crate::domain::{ConsumerName, CredentialName, Key};
use serde_json::json;

const NEW: &str = "new-key-0123456789-ABCDEF";
const OLD: &str = "old-key-0123456789-ABCDEF";
const NOW: &str = "2026-11-21T12:00:00Z";

#[test]
fn a_report_in_time_that_names_the_key_is_in_use_as_of_its_own_time() {
    assert_eq!(report(NEW, "2026-11-21T11:00:00Z"), in_use("2026-11-21T11:00:00Z"));
    assert_eq!(
        report(NEW, "2026-11-21T02:00:00+01:00"),
        in_use("2026-11-21T01:00:00Z"),
        "from before the delivery"
    );
    assert_eq!(report(NEW, "2026-11-20T16:00:00Z"), in_use("2026-11-20T16:00:00Z"), "just within 20 h");
}

#[test]
fn a_report_that_is_too_old_or_missing_says_nothing() {
    let silent = |why: &str| ProofOutcome::Silent(why.into());
    let stale = "its last report is 20 h 1 min old; one within 20 h is wanted";
    assert_eq!(report(NEW, "2026-11-20T15:59:00Z"), silent(stale));
    assert_eq!(report(OLD, "2026-11-20T15:59:00Z"), silent(stale));
    assert_eq!(judged(None), silent("it has not reported yet"));
}

#[test]
fn a_report_of_another_key_tells_once_it_is_younger_than_the_delivery() {
    assert_eq!(report(OLD, "2026-11-21T10:00:00Z"), ProofOutcome::OtherKey(key(OLD).fingerprint()));
    let before = "its last report, of 2026-11-21T09:59:59Z, is older than the key";
    assert_eq!(report(OLD, "2026-11-21T09:59:59Z"), ProofOutcome::Silent(before.into()));
    let stranger = unproven("its report names a key that is none of this credential's".into());
    assert_eq!(report("stranger-0123456789-ABCDEF", "2026-11-21T10:00:00Z"), stranger);
}

#[test]
fn a_report_from_the_future_is_refused_but_for_what_clocks_differ() {
    assert_eq!(report(NEW, "2026-11-21T12:05:00Z"), in_use(NOW), "counted as of now");
    let why = "its report is of 2026-11-21T12:05:01Z, which is still to come: set its clock";
    assert_eq!(report(NEW, "2026-11-21T12:05:01Z"), unproven(why.into()));
}

#[test]
fn what_is_no_report_is_refused_with_what_one_looks_like() {
    let fingerprint = key(NEW).fingerprint().hex();
    for value in [
        json!(null),
        json!("ok"),
        json!([{"fingerprint": fingerprint, "at": NOW}]),
        json!({"fingerprint": fingerprint}),
        json!({"at": NOW}),
        json!({"fingerprint": fingerprint, "at": 1_795_251_600}),
        json!({"fingerprint": fingerprint, "at": "today"}),
        json!({"fingerprint": NEW, "at": NOW}),
    ] {
        let why = r#"its report is not {"fingerprint": "16 hex digits", "at": "RFC 3339 time"}"#;
        assert_eq!(judged(Some(&value)), unproven(why.into()), "{value}");
    }
}

#[test]
fn a_weak_keys_report_counts_though_its_fingerprint_is_never_shown() {
    let pin = Key::parse("1234567890123456").unwrap();
    assert!(pin.fingerprint().is_weak());
    let value = json!({"fingerprint": pin.fingerprint().hex(), "at": "2026-11-21T11:00:00Z"});
    assert_eq!(judged_for(&pin, Some(&value)), in_use("2026-11-21T11:00:00Z"));
}

fn report(key_text: &str, at: &str) -> ProofOutcome {
    judged(Some(&json!({"fingerprint": key(key_text).fingerprint(), "at": at})))
}

fn judged(report: Option<&Value>) -> ProofOutcome {
    judged_for(&key(NEW), report)
}

fn judged_for(key_wanted: &Key, report: Option<&Value>) -> ProofOutcome {
    let question = Question {
        credential: &"leaf7-main".parse::<CredentialName>().unwrap(),
        consumer: &"nightly-ci".parse::<ConsumerName>().unwrap(),
        key: key_wanted,
        others: &[key(OLD)],
        now: NOW.parse().unwrap(),
    };
    let hours = |count: u64| Duration::from_secs(count * 3_600);
    let since = "2026-11-21T10:00:00Z".parse().unwrap();
    judge(report, &question, &Bounds { within: hours(20), since, clock_skew: Duration::from_secs(300) })
}

fn in_use(at: &str) -> ProofOutcome {
    let instances = Instances { proven: 1, wanted: None };
    ProofOutcome::Proven { level: ProofLevel::InUse, instances, at: at.parse().unwrap(), last_401_at: None }
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}
