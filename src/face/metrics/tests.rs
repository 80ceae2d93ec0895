//! The whole text, and what must never be in it.

use super::*;
use crate::{
    domain::*,
    face::{
        status::status,
        tests::{START, about, calm, troubled},
    },
    rotation::{Event, Input, Record, RecordKind},
};
use std::{collections::BTreeSet, time::Duration};

const NOW: Timestamp = Timestamp::from_secs(START.as_secs() + 90);

#[test]
fn the_text_of_a_calm_fleet() {
    let counted = Counted::default();
    counted.count(&probed(Verdict::Alive));
    counted.record(&name(), &settled(Some(85_000)));
    let text = exposition(&status(&calm(), &about(), NOW), &counted);
    insta::assert_snapshot!(sorted(&text));
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[test]
fn what_is_wrong_and_what_is_left_are_numbers() {
    let mut status = troubled(status(&calm(), &about(), NOW), NOW);
    status.credentials[1].deadline_at = Some(NOW + Duration::from_secs(600));
    let text = exposition(&status, &Counted::default());
    for line in [
        r#"keyrelay_open_incidents{code="consumer-unproven",credential="leaf7-two",severity="urgent"} 1.0"#,
        r#"keyrelay_open_incidents{code="alerts-failing",credential="",severity="warning"} 1.0"#,
        r#"keyrelay_incidents{severity="warning"} 2.0"#,
        r#"keyrelay_incidents{severity="info"} 0.0"#,
        r#"keyrelay_credential_deadline_seconds{credential="leaf7-two"} 600.0"#,
        r#"keyrelay_consumers{credential="leaf7-two",level="unproven"} 2.0"#,
        r#"keyrelay_consumer_proven{consumer="web-shop",credential="leaf7-two"} 0.0"#,
        r#"keyrelay_mailbox_up{mailbox="vendor-mail"} 0.0"#,
    ] {
        assert!(text.lines().any(|each| each == line), "{line}\n{text}");
    }
    assert!(!text.contains("keyrelay_credential_deadline_seconds{credential=\"leaf7-main\"}"));
}

#[test]
fn no_fingerprint_is_in_it_and_a_rotation_makes_no_new_series() {
    let counted = Counted::default();
    let mut status = troubled(status(&calm(), &about(), NOW), NOW);
    let before = exposition(&status, &counted);
    let credential = &mut status.credentials[0];
    (credential.fingerprint, credential.generation) = (Some("ffffeeeeddddcccc".into()), 8);
    credential.rotation_id = Some(RotationId::from_parts(1_795_251_600_000, 8));
    let text = exposition(&status, &counted);
    assert_eq!(series(&text), series(&before));
    for fingerprint in ["0123456789abcdef", "ffffeeeeddddcccc", "fedcba9876543210", "00112233aabbccdd"] {
        assert!(!text.contains(fingerprint), "{fingerprint}");
    }
}

#[test]
fn a_rotation_that_was_late_is_below_zero_and_counts_as_nothing_left() {
    let counted = Counted::default();
    counted.record(&name(), &settled(Some(-30)));
    counted.record(&name(), &settled(None));
    let text = exposition(&status(&calm(), &about(), NOW), &counted);
    for line in [
        r#"keyrelay_credential_last_margin_seconds{credential="leaf7-main"} -30.0"#,
        r#"keyrelay_rotation_margin_seconds_bucket{le="0.0"} 1"#,
        r#"keyrelay_rotations_total{credential="leaf7-main"} 1"#,
    ] {
        assert!(text.lines().any(|each| each == line), "{line}\n{text}");
    }
}

#[test]
fn a_credential_that_is_gone_leaves_no_series() {
    let counted = Counted::default();
    counted.count(&probed(Verdict::Dead));
    counted.record(&name(), &settled(Some(1)));
    let mut status = status(&calm(), &about(), NOW);
    assert!(exposition(&status, &counted).contains("leaf7-main"));
    counted.forget(&name());
    status.credentials.clear();
    let text = exposition(&status, &counted);
    assert!(!text.contains("leaf7-main"), "{text}");
}

#[test]
fn every_word_of_a_phase_is_known() {
    let fleet = calm();
    for rotation in fleet.credentials() {
        assert!(PHASES.contains(&rotation.phase().as_str()), "{}", rotation.phase());
    }
    let mut status = status(&fleet, &about(), NOW);
    for phase in PHASES {
        status.credentials[0].phase = phase.into();
        let text = exposition(&status, &Counted::default());
        let on: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with("keyrelay_credential_phase") && line.ends_with(" 1.0"))
            .collect();
        assert_eq!(
            on,
            [format!(r#"keyrelay_credential_phase{{credential="leaf7-main",phase="{phase}"}} 1.0"#)]
        );
    }
}

fn name() -> CredentialName {
    "leaf7-main".parse().unwrap()
}

fn probed(verdict: Verdict) -> Event {
    let answer = ProbeAnswer::new(verdict, "200");
    let input = Input::ProbeFinished { attempt: 1, fingerprint: "0123456789abcdef".parse().unwrap(), answer };
    Event::Credential { name: name(), input }
}

fn settled(margin_secs: Option<i64>) -> Record {
    Record {
        rotation_id: RotationId::from_parts(1_795_251_600_000, 7),
        kind: RecordKind::Rotation,
        trigger: None,
        phases: Vec::new(),
        old_fingerprint: None,
        new_fingerprint: None,
        generation: 7,
        store_version: None,
        consumers: Vec::new(),
        margin_secs,
        observed: None,
        why: None,
    }
}

/// Families come in their order, the series of one in any.
fn sorted(text: &str) -> String {
    let mut blocks: Vec<Vec<&str>> = Vec::new();
    for line in text.lines() {
        let begins = line.starts_with("# HELP") || line == "# EOF";
        match blocks.last_mut() {
            Some(block) if !begins => block.push(line),
            Some(_) | None => blocks.push(vec![line]),
        }
    }
    blocks
        .iter_mut()
        .filter(|block| !block[0].contains("margin"))
        .for_each(|block| block[1..].sort_unstable());
    blocks.concat().join("\n")
}

fn series(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| Some(line.rsplit_once(' ')?.0))
        .collect()
}
