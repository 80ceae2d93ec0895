//! A fleet that is driven through a rotation, as programs and people see it.

use super::{
    line::line,
    status::{About, Consumer, OpenIncident, Status, status},
    text::text,
};
use crate::{
    domain::*,
    rotation::{
        Action, Alerts, CallAction, Channel, Consumer as Policy, Credential, Delivery, Effect, Event, Fleet,
        Input, Proof, Settings, StateRead,
    },
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

const DAY: Duration = Duration::from_secs(86_400);
pub const START: Timestamp = Timestamp::from_secs(1_795_251_600); // 2026-11-21T09:00:00Z

#[test]
fn the_document_of_a_calm_fleet_says_what_was_shown_and_null_where_nothing_was() {
    let fleet = calm();
    let status = status(&fleet, &about(), START + Duration::from_secs(90));
    let json = serde_json::to_string_pretty(&status).unwrap();
    insta::assert_snapshot!(json);
    assert_eq!(serde_json::from_str::<Status>(&json).unwrap(), status);
}

#[test]
fn before_anything_was_read_everything_is_unknown() {
    let (fleet, _) = Fleet::new(settings(), START);
    let needs_restart = ["listen".to_owned()];
    let about = About { needs_restart: &needs_restart, ..about() };
    insta::assert_snapshot!(text(&status(&fleet, &about, START), false, START, 80));
}

#[test]
fn people_read_of_a_calm_fleet_that_nothing_is_wrong() {
    let now = START + Duration::from_secs(90);
    insta::assert_snapshot!(text(&status(&calm(), &about(), now), false, now, 80));
}

#[test]
fn what_was_proven_long_ago_is_no_longer_good() {
    let now = START + Duration::from_secs(3 * 3_600);
    let status = status(&calm(), &about(), now);
    assert!(status.credentials[0].consumers.iter().all(|consumer| consumer.stale && !consumer.is_good()));
    let shown = text(&status, true, now, 80);
    assert!(shown.contains("0 of 2 consumers at their level"), "{shown}");
    assert!(!shown.contains("\u{1b}[32m"), "something is green: {shown}");
}

#[test]
fn the_worst_is_shown_first_and_everything_fits_eighty_columns() {
    let now = START + Duration::from_secs(90);
    let status = troubled(status(&calm(), &about(), now), now);
    let shown = text(&status, false, now, 80);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn of_twenty_credentials_what_is_wrong_comes_first_and_the_calm_ones_are_a_line_each() {
    let now = START + Duration::from_secs(90);
    let mut status = troubled(status(&calm(), &about(), now), now);
    let calm = status.credentials[0].clone();
    let good = calm.consumers[1].clone();
    let consumers = |proof, count: usize| {
        let named =
            |n: usize| Consumer { name: format!("consumer-{n}").parse().unwrap(), proof, ..good.clone() };
        (1..=count).map(named).collect::<Vec<_>>()
    };
    for number in 2..20 {
        let name = format!("credential-with-a-long-name-of-number-{number}").parse().unwrap();
        status.credentials.push(super::status::Credential { name, ..calm.clone() });
    }
    // One with many consumers, all well; one of whose many consumers twelve are wrong.
    status.credentials[5].consumers = consumers(ProofLevel::InUse, 40);
    let wrong = &mut status.credentials[9];
    wrong.consumers = consumers(ProofLevel::InUse, 40);
    wrong.consumers[3..15].iter_mut().for_each(|consumer| consumer.proof = ProofLevel::Unproven);
    let name = wrong.name.clone();
    let hint = (4..16).map(|n| format!("keyrelay prove {name} --consumer consumer-{n}")).collect::<Vec<_>>();
    let incident = incident(Code::ConsumerUnproven, Severity::Warning, &name, "12 of 40 are silent", now);
    wrong.incidents = vec![OpenIncident { hint: hint.join("\n"), ..incident }];
    let shown = text(&status, false, now, 80);
    assert_eq!(status.credentials.len(), 20);
    let commands = |line: &&str| !line.trim_start().starts_with("$ ");
    assert_eq!(shown.lines().filter(commands).find(|line| line.chars().count() > 80), None);
    insta::assert_snapshot!(shown);
    let one = text(&status.only(&name), false, now, 80);
    for n in 1..=40 {
        assert!(one.contains(&format!("\n  consumer-{n} ")), "{one}");
    }
}

#[test]
fn one_credential_is_the_same_document_without_the_others() {
    let now = START + Duration::from_secs(90);
    let whole = troubled(status(&calm(), &about(), now), now);
    let one = whole.clone().only(&"leaf7-two".parse().unwrap());
    assert_eq!(one.credentials, [whole.credentials[1].clone()]);
    assert_eq!(Status { credentials: whole.credentials.clone(), ..one }, whole);
}

#[test]
fn one_line_says_first_what_is_wrong() {
    let now = START + Duration::from_secs(90);
    let mut status = troubled(status(&calm(), &about(), now), now);
    assert_eq!(
        line(&status),
        "1 urgent, 2 warnings: leaf7-two: web-shop was not shown to work with the new key, and the old one dies soon"
    );
    status.credentials.pop();
    assert_eq!(line(&status), "1 warning: alert mails cannot be sent");
    status.incidents[0].message = format!("two\nREADY=1 {}", "lines ".repeat(100));
    let long = line(&status);
    assert!(long.starts_with("1 warning: two READY=1 lines") && long.ends_with("..."), "{long}");
    assert_eq!(long.chars().count(), 240);
}

#[test]
fn one_line_calls_tested_only_what_was_tested() {
    let now = START + Duration::from_secs(90);
    let mut status = status(&calm(), &about(), now);
    assert_eq!(line(&status), "1 credential, 1 of 2 consumers tested");
    status.credentials[0].consumers.retain(|consumer| consumer.proof == ProofLevel::InUse);
    assert_eq!(line(&status), "1 credential, all tested");
    status.credentials[0].consumers[0].stale = true;
    assert_eq!(line(&status), "1 credential, 0 of 1 consumer tested");
    status.credentials[0].consumers.clear();
    assert_eq!(line(&status), "1 credential, no consumers");
}

/// Beside the calm credential one that is handing over, with a held key and every kind of consumer.
pub fn troubled(mut status: Status, now: Timestamp) -> Status {
    let mut second = status.credentials[0].clone();
    second.name = "leaf7-two".parse().unwrap();
    second.phase = "handing_over".into();
    second.retiring = true;
    second.grace_until = Some(now + Duration::from_secs(3 * 3_600 + 300));
    let like = second.consumers[1].clone();
    let named = |name: &str| Consumer { name: name.parse().unwrap(), ..like.clone() };
    second.consumers = vec![
        Consumer { instances: Instances { proven: 2, wanted: Some(3) }, ..named("storefront") },
        Consumer {
            proof: ProofLevel::Unproven,
            instances: Instances::default(),
            fingerprint: Some("fedcba9876543210".into()),
            error: Some("https://shop.internal/keyrelay: no answer within 10 s".into()),
            next_try_at: Some(now + Duration::from_secs(20)),
            ..named("web-shop")
        },
        Consumer { proof: ProofLevel::WorkingCopy, instances: Instances::default(), ..named("copied") },
        Consumer {
            proof: ProofLevel::Unproven,
            instances: Instances::default(),
            at: None,
            elsewhere: true,
            fingerprint: None,
            ..named("far")
        },
    ];
    second.held = vec![super::status::Held {
        fingerprint: "00112233aabbccdd".into(),
        from: OriginKind::Ingest,
        why: "this vendor shows no account, so it cannot be proven to be ours".into(),
        origin: "an operator (uid 1000)".into(),
        last_probe: second.last_probe,
        account: vec!["p-9".into()],
    }];
    second.incidents = vec![
        incident(Code::CandidateHeld, Severity::Warning, &second.name, "a key is held for leaf7-two", now),
        OpenIncident {
            until: second.grace_until,
            count: 3,
            ..incident(
                Code::ConsumerUnproven,
                Severity::Urgent,
                &second.name,
                "web-shop was not shown to work with the new key, and the old one dies soon",
                now,
            )
        },
    ];
    status.incidents = vec![OpenIncident {
        credential: None,
        hint: "mend the SMTP server or its login; they are sent by themselves then".into(),
        ..incident(Code::AlertsFailing, Severity::Warning, &second.name, "alert mails cannot be sent", now)
    }];
    status.mailboxes[0].ok = false;
    status.credentials.push(second);
    status
}

fn incident(
    code: Code,
    severity: Severity,
    credential: &CredentialName,
    message: &str,
    now: Timestamp,
) -> OpenIncident {
    OpenIncident {
        code,
        severity,
        since: now - Duration::from_secs(1_200),
        credential: Some(credential.clone()),
        message: message.into(),
        hint: format!("look at it, then:\nkeyrelay prove {credential}"),
        until: None,
        count: 1,
    }
}

pub fn about() -> About<'static> {
    About {
        version: "0.1.0",
        host: "relay-1",
        role: "active",
        since: Some(START),
        holder: None,
        needs_restart: &[],
    }
}

fn settings() -> Settings {
    let consumer = |proof, delivery, wanted| Policy {
        delivery,
        acts: false,
        proof,
        wanted,
        accepted: false,
        elsewhere: false,
    };
    let consumers = BTreeMap::from([
        ("storefront".parse().unwrap(), consumer(Proof::Asked, Delivery::None, ProofLevel::InUse)),
        ("copied".parse().unwrap(), consumer(Proof::ByDelivery, Delivery::Copy, ProofLevel::WorkingCopy)),
    ]);
    let credential = Credential {
        probe: "GET https://leaf7.fun/api/vendor/projects/".into(),
        name: "leaf7-main".parse().unwrap(),
        vendor: "leaf7".parse().unwrap(),
        vendor_title: "Leaf7".into(),
        dashboard: "Leaf7 dashboard, Settings".into(),
        mailbox: Some("vendor-mail".parse().unwrap()),
        hygiene: crate::domain::Hygiene::default(),
        observe: false,
        beside: Default::default(),
        path: "vendors/leaf7/main".into(),
        account: None,
        has_identity: true,
        rotated_by: RotatedBy::Vendor,
        expires_at: None,
        create_steps: Vec::new(),
        revoke_steps: Vec::new(),
        revoke_within: DAY,
        cadence: Some(7 * DAY),
        notice_before: Some(DAY),
        grace: Some(DAY),
        hand_over_within: DAY,
        origin: "https://api.leaf7.fun".into(),
        limit: (60, Duration::from_secs(60)),
        consumers,
    };
    Settings {
        credentials: BTreeMap::from([(credential.name.clone(), Arc::new(credential))]),
        mailboxes: vec!["vendor-mail".parse().unwrap()],
        limits: Arc::new(Limits::default()),
        alerts: Alerts { channels: [Channel::Mail].into(), ..Alerts::default() },
        prove_period: Duration::from_secs(3_600),
        probe_period: Duration::from_secs(600),
    }
}

/// A fleet whose every wish was granted: its key is in the store and alive, its consumers hold it.
pub fn calm() -> Fleet {
    let (mut fleet, mut effects) = Fleet::new(settings(), START);
    for _ in 0..20 {
        let events: Vec<Event> = effects.drain(..).filter_map(granted).collect();
        for event in events {
            effects.extend(fleet.handle(event, START));
        }
    }
    assert_eq!(effects, [], "the fleet still wishes for something");
    fleet
}

fn granted(effect: Effect) -> Option<Event> {
    match effect {
        Effect::Credential { name, action } => grant(action).map(|input| Event::Credential { name, input }),
        Effect::ProbeControl { origin, .. } => {
            Some(Event::ControlFinished { origin, answer: answer(Verdict::Dead, None) })
        }
        Effect::OpenMailbox { name } | Effect::LookAtMailbox { name, .. } => Some(Event::Mailbox {
            name,
            input: crate::rotation::MailboxInput::Looked { newest_notice_at: Some(START - 6 * DAY) },
        }),
        Effect::SaveToken { name } => {
            Some(Event::Mailbox { name, input: crate::rotation::MailboxInput::TokenSaved })
        }
        Effect::CheckStore => Some(Event::StoreChecked { outcome: Ok(crate::domain::StoreFacts::default()) }),
        Effect::Notify { channel, notice } => {
            let (incident, step) = (notice.incident, notice.step);
            Some(Event::NoticeSent { channel, incident, step, outcome: Ok(()) })
        }
        Effect::SaveAlerts(_) => Some(Event::AlertsSaved { outcome: Ok(()) }),
        Effect::Beat => Some(Event::BeatSent { outcome: Ok(()) }),
        Effect::TidyMail { .. }
        | Effect::Answer { .. }
        | Effect::Call { .. }
        | Effect::Journal(_)
        | Effect::Record { .. } => None,
    }
}

fn grant(action: Action) -> Option<Input> {
    let fingerprint: Fingerprint = "0123456789abcdef".parse().unwrap();
    Some(match action {
        Action::ReadDocuments { attempt, .. } => Input::DocumentsRead {
            attempt,
            key: KeyRead::Present(KeyDocument {
                version: 9,
                created_at: START - DAY,
                current: Some(fingerprint),
                previous: None,
                generation: 7,
                rotated_at: Some(START - DAY),
                rotation_id: Some(RotationId::from_parts(1_795_165_200_000, 7)),
                ours: true,
                as_written: true,
                unusable: None,
            }),
            state: Some(StateRead::Absent { version: 0 }),
        },
        Action::ProbeKey { attempt, fingerprint, .. } => Input::ProbeFinished {
            attempt,
            fingerprint,
            answer: answer(Verdict::Alive, Some(["p-1", "p-2"])),
        },
        Action::SaveState { attempt, .. } => {
            Input::StateSaved { attempt, outcome: WriteOutcome::Written { version: 1 } }
        }
        Action::CompareCopy { consumer, attempt, .. } => {
            Input::CopyCompared { consumer, attempt, outcome: CopyState::Same }
        }
        Action::Prove { consumer, attempt, .. } => Input::Proved {
            consumer,
            attempt,
            outcome: ProofOutcome::Proven {
                level: ProofLevel::InUse,
                instances: Instances { proven: 1, wanted: None },
                at: START,
                last_401_at: None,
            },
        },
        Action::StoreKey { .. }
        | Action::RetireKey { .. }
        | Action::Call(CallAction::TrySpool { .. })
        | Action::Call(CallAction::CallRotation { .. })
        | Action::Call(CallAction::KeepAnswer { .. })
        | Action::Call(CallAction::DropAnswer { .. })
        | Action::SpoolKey { .. }
        | Action::DropSpooled { .. }
        | Action::Deliver { .. }
        | Action::Act { .. }
        | Action::Rehearse { .. } => panic!("a calm fleet does not want {action:?}"),
    })
}

fn answer(verdict: Verdict, account: Option<[&str; 2]>) -> ProbeAnswer {
    let account = account.map(Account::from_iter);
    ProbeAnswer { account, ..ProbeAnswer::new(verdict, "200") }
}
