use super::*;
use crate::domain::{MailHash, MailId, MailRef, RotationId, Timestamp};

const START: Timestamp = Timestamp::from_secs(1_795_251_600); // 2026-11-21T09:00:00Z

#[test]
fn people_read_what_happened_newest_first_in_eighty_columns() {
    let records = [hinted(), gone_back(), refused(), handed_over()];
    let shown = text(&"leaf7-main".parse().unwrap(), &records, false, 80);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn nothing_is_said_to_be_nothing() {
    let shown = text(&"leaf7-main".parse().unwrap(), &[], false, 80);
    assert_eq!(shown, "leaf7-main nothing is written down yet on this machine\n");
}

#[test]
fn programs_read_the_records_as_agreed() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&[hinted(), handed_over()]).unwrap());
}

fn handed_over() -> Record {
    let phase =
        |phase: &str, millis| PhaseEntered { phase: phase.into(), at: START + Duration::from_millis(millis) };
    let consumer = |name: String, proof, millis| ConsumerRecord {
        name: name.parse().unwrap(),
        proof,
        at: Some(START + Duration::from_millis(millis)),
    };
    let mut consumers: Vec<_> =
        (1..=12).map(|n| consumer(format!("shop-{n}"), ProofLevel::InUse, 400 + n)).collect();
    consumers.push(consumer("copied".into(), ProofLevel::WorkingCopy, 300));
    Record {
        rotation_id: RotationId::from_parts(1_795_251_600_000, 7),
        kind: RecordKind::Rotation,
        trigger: Some(Trigger::Candidate(Origin::Mail(MailRef {
            id: MailId("<20261121090000.4711@mail.leaf7.fun>".into()),
            from: "security@leaf7.fun".into(),
            signed_by: "leaf7.fun".into(),
            selector: "s1".into(),
            arrived_at: START,
            folder: "INBOX".into(),
            junk: false,
            place: String::new(),
            hash: MailHash::default(),
        }))),
        phases: vec![
            phase("probing", 0),
            phase("storing", 210),
            phase("handing_over", 240),
            phase("steady", 75_000),
        ],
        old_fingerprint: Some("0123456789abcdef".into()),
        new_fingerprint: Some("fedcba9876543210".into()),
        generation: 7,
        store_version: Some(9),
        consumers,
        margin_secs: Some(86_000),
        observed: None,
        why: None,
    }
}

fn refused() -> Record {
    Record {
        kind: RecordKind::Refusal,
        trigger: Some(Trigger::Candidate(Origin::Ingest { uid: 1000, expires_at: None })),
        phases: vec![PhaseEntered { phase: "refused".into(), at: START + Duration::from_secs(3_600) }],
        new_fingerprint: Some("c1".into()),
        consumers: Vec::new(),
        store_version: None,
        margin_secs: None,
        why: Some("it is of another account than the current key".into()),
        ..handed_over()
    }
}

/// A process ended before every consumer was there.
fn gone_back() -> Record {
    let mut record = handed_over();
    record.consumers.truncate(1);
    record.consumers[0].proof = ProofLevel::Unproven;
    record.consumers[0].at = None;
    record.phases.truncate(3);
    Record { kind: RecordKind::Rollback, trigger: None, generation: 8, margin_secs: None, ..record }
}

fn hinted() -> Record {
    let at = |secs| START + Duration::from_secs(secs);
    Record {
        rotation_id: RotationId::from_parts(1_795_262_400_000, 11),
        kind: RecordKind::Hint,
        trigger: Some(Trigger::Hint { uid: 1001 }),
        phases: [("hinted", at(10_800)), ("alive", at(10_801))]
            .map(|(phase, at)| PhaseEntered { phase: phase.into(), at })
            .into(),
        old_fingerprint: Some("fedcba9876543210".into()),
        new_fingerprint: None,
        store_version: None,
        consumers: Vec::new(),
        margin_secs: None,
        why: Some("the vendor was asked at once: alive".into()),
        ..handed_over()
    }
}
