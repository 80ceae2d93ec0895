//! Whole mails, as an operator reads them: `snapshots/` holds one file for each.

use super::*;
use crate::domain::{Code, ConsumerLine, ProofLevel, RotationId};
use proptest::prelude::*;
use std::time::Duration;

/// 2026-11-21 09:00 UTC: the vendor rotates; its grace ends a day later.
const ROTATED: Timestamp = Timestamp::from_secs(1_795_251_600);
const MIN: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_silent_consumer_is_told_of_on_the_first_day() {
    let mail = whole(&unproven(0, ROTATED + HOUR));
    insta::assert_snapshot!(mail);
}

#[test]
fn the_last_step_of_the_ladder_is_urgent() {
    let mut notice = unproven(4, ROTATED + 23 * HOUR);
    notice.severity = Severity::Urgent;
    notice.next_mail_at = None;
    notice.breaks =
        Some("storefront gets 401 from the vendor when the old key dies, in 55 minutes at most".into());
    let mail = whole(&notice);
    insta::assert_snapshot!(mail);
}

#[test]
fn after_the_deadline_the_mail_says_that_the_time_ran_out() {
    let mut notice = unproven(5, ROTATED + 24 * HOUR);
    notice.severity = Severity::Urgent;
    let mail = mail(&notice, &facts());
    assert_eq!(
        mail.subject,
        "[keyrelay] URGENT leaf7-main: storefront was not shown to work with the current key \
         (time ran out 2026-11-22 08:55 UTC, 5 min ago)"
    );
    assert_eq!(
        mail.body.lines().nth(1),
        Some("Time left: none; it ran out at 2026-11-22 08:55 UTC (5 min ago).")
    );
}

#[test]
fn a_consumer_that_is_proven_at_last_closes_the_incident() {
    let mut notice = unproven(2, ROTATED + 3 * HOUR);
    notice.resolved = true;
    notice.message = "storefront works with the current key".into();
    notice.breaks = None;
    notice.doing = Some("It was asked every 5 minutes, and answered with the current key at last.".into());
    notice.hint = "nothing".into();
    notice.next_mail_at = None;
    notice.consumers[0] = consumer("storefront", ProofLevel::InUse, Some(notice.at - MIN), None);
    let mail = whole(&notice);
    insta::assert_snapshot!(mail);
}

#[test]
fn a_dead_key_is_urgent_and_says_where_to_get_another() {
    let at = ROTATED + 26 * HOUR;
    let mail = whole(&Notice {
        breaks: Some("every consumer of leaf7-main: discord-bot, storefront".into()),
        doing: Some(
            "The vendor said 401 three times over 60 s on two connections, while it calls no other key of ours \
             alive: it is dead, or the vendor refuses everybody. The mailbox is searched every minute."
                .into()
        ),
        hint: "fetch the key from the vendor's dashboard, then:\nkeyrelay ingest leaf7-main".into(),
        next_mail_at: Some(at + HOUR),
        consumers: vec![
            consumer("discord-bot", ProofLevel::WorkingCopy, Some(at - 40 * HOUR), None),
            consumer("storefront", ProofLevel::Unproven, None, Some("it reports a 401 since 10:58")),
        ],
        ..notice(Code::KeyDead, Severity::Urgent, at, "the vendor refuses the current key")
    });
    insta::assert_snapshot!(mail);
}

#[test]
fn a_sealed_store_says_that_the_new_key_is_safe() {
    let at = ROTATED + 10 * MIN;
    let mail = whole(&Notice {
        credential: None,
        rotation_id: None,
        since: ROTATED,
        until: Some(ROTATED + 24 * HOUR - 5 * MIN),
        breaks: Some("the new key of leaf7-main cannot reach its consumers; the old one works until then".into()),
        doing: Some(
            "The new key of leaf7-main (0123456789abcdef) is in the spool, encrypted and synced. It is promoted by \
             itself as soon as the store is unsealed."
                .into()
        ),
        hint: "unseal it, on its host:\nbao operator unseal".into(),
        next_mail_at: Some(ROTATED + 12 * HOUR),
        ..notice(Code::StoreSealed, Severity::Warning, at, "the store is sealed")
    });
    insta::assert_snapshot!(mail);
}

#[test]
fn a_complete_rotation_is_good_news() {
    let at = ROTATED + Duration::from_secs(42);
    let mail = whole(&Notice {
        doing: Some("The old key dies on 2026-11-22 at 09:00 UTC; it is removed from the store then.".into()),
        hint: "nothing".into(),
        consumers: vec![
            consumer("discord-bot", ProofLevel::InUse, Some(at - MIN / 4), None),
            consumer("nightly-ci", ProofLevel::InUse, Some(at - MIN / 2), None),
        ],
        ..notice(
            Code::Rotated,
            Severity::Info,
            at,
            "the new key is in the store and 2 of 2 consumers were tested with it",
        )
    });
    insta::assert_snapshot!(mail);
}

#[test]
fn a_held_candidate_comes_with_the_command_that_lets_it_in() {
    let at = ROTATED + MIN;
    let mail = whole(&Notice {
        until: Some(ROTATED + 24 * HOUR - 5 * MIN),
        breaks: Some("all consumers, when the old key dies".into()),
        doing: Some(
            "The key 0123456789abcdef from the mail <1@leaf7.fun> of noreply@leaf7.fun is alive. Its account cannot \
             be compared, because neither key sees a project. It is kept, and nobody gets it before you say so."
                .into()
        ),
        hint: "compare it with the dashboard, then let it in:\n\
               keyrelay accept leaf7-main 0123456789abcdef"
            .into(),
        next_mail_at: Some(ROTATED + 12 * HOUR),
        ..notice(Code::CandidateHeld, Severity::Warning, at, "a new key is held: its account cannot be proven")
    });
    insta::assert_snapshot!(mail);
}

#[test]
fn refused_mails_of_one_cause_are_one_mail_with_a_count() {
    let at = ROTATED + 6 * HOUR;
    let mail = whole(&Notice {
        count: 37,
        step: 1,
        since: ROTATED,
        rotation_id: None,
        doing: Some("None of them was used. The signature of leaf7.fun does not fit their text.".into()),
        hint: "nothing, unless you expected one: keyrelay explain --credential leaf7-main".into(),
        ..notice(Code::MailSuspicious, Severity::Warning, at, "mails pretend to come from noreply@leaf7.fun")
    });
    insta::assert_snapshot!(mail);
}

#[test]
fn what_belongs_to_no_credential_names_none() {
    let at = ROTATED;
    let mail = whole(&Notice {
        credential: None,
        rotation_id: None,
        resolved: true,
        step: 1,
        since: ROTATED - 7 * HOUR,
        doing: Some("3 mails waited and are sent now.".into()),
        hint: "nothing".into(),
        ..notice(Code::AlertsFailing, Severity::Urgent, at, "alert mails can be sent again")
    });
    insta::assert_snapshot!(mail);
}

#[test]
fn one_incident_is_one_thread_and_a_mail_sent_twice_is_one_mail() {
    let mail_of = |step, at| mail(&unproven(step, at), &facts());
    let (first, again) = (mail_of(0, ROTATED), mail_of(0, ROTATED + HOUR));
    assert_eq!(first.message_id, "<3f9c2a71d04be865.0@example.com>");
    assert_eq!((first.references, &first.message_id), (None, &again.message_id));
    let second = mail_of(1, ROTATED);
    assert_eq!(second.message_id, "<3f9c2a71d04be865.1@example.com>");
    assert_eq!(second.references, Some(first.message_id));
}

#[test]
fn a_message_id_is_built_of_a_display_names_address_too() {
    let notice = unproven(0, ROTATED);
    let id = |from| mail(&notice, &Facts { from, ..facts() }).message_id;
    assert_eq!(id("Key Relay <keyrelay@mail.example.com>"), "<3f9c2a71d04be865.0@mail.example.com>");
    assert_eq!(id("keyrelay"), "<3f9c2a71d04be865.0@keyrelay.invalid>");
}

#[test]
fn a_line_end_in_a_message_starts_no_header() {
    let mut notice = unproven(0, ROTATED);
    notice.message = "first\r\nBcc: thief@example.net\u{202e}".into();
    notice.until = None;
    assert_eq!(
        mail(&notice, &facts()).subject,
        r"[keyrelay] warning leaf7-main: first\r\nBcc: thief@example.net\u{202e}"
    );
}

#[test]
fn a_long_sentence_is_cut_in_the_subject_and_whole_in_the_body() {
    let mut notice = unproven(0, ROTATED);
    notice.message = "why ".repeat(100);
    let mail = mail(&notice, &facts());
    assert!(
        mail.subject.ends_with("why why ... (until 2026-11-22 08:55 UTC, 23 h 55 min left)"),
        "{}",
        mail.subject
    );
    assert_eq!(mail.body.matches("why").count(), 100);
}

#[test]
fn a_terminal_gets_the_headline_and_what_to_type() {
    assert_eq!(
        text(&unproven(0, ROTATED + HOUR)),
        "warning leaf7-main: storefront was not shown to work with the current key \
         (until 2026-11-22 08:55 UTC, 22 h 55 min left)\n  to do: look at the consumer, then:\n         \
         keyrelay prove leaf7-main --consumer storefront"
    );
}

proptest! {
    #[test]
    fn no_text_reaches_a_mail_with_a_control_character_or_too_wide_a_line(
        message in any::<String>(), doing in any::<String>(), hint in any::<String>(), error in any::<String>(),
    ) {
        let mut notice = unproven(0, ROTATED);
        (notice.message, notice.doing, notice.hint) = (message, Some(doing), hint);
        notice.consumers[0].error = Some(error);
        let mail = mail(&notice, &facts());
        prop_assert!(!mail.subject.contains(char::is_control));
        for line in mail.body.split('\n') {
            prop_assert!(!line.contains(char::is_control) && line.chars().count() <= 78, "{line:?}");
        }
    }
}

fn facts() -> Facts<'static> {
    static TO: std::sync::LazyLock<Vec<String>> =
        std::sync::LazyLock::new(|| vec!["ops@example.com".into(), "night@example.com".into()]);
    Facts { host: "web1", version: "0.1.0", from: "keyrelay@example.com", to: &TO }
}

fn notice(code: Code, severity: Severity, at: Timestamp, message: &str) -> Notice {
    Notice {
        incident: "3f9c2a71d04be865".into(),
        step: 0,
        code,
        severity,
        resolved: false,
        good_news: false,
        credential: Some("leaf7-main".parse().unwrap()),
        since: at,
        at,
        until: None,
        message: message.into(),
        breaks: None,
        doing: None,
        hint: String::new(),
        next_mail_at: None,
        sections: Vec::new(),
        consumers: Vec::new(),
        count: 1,
        rotation_id: Some(RotationId::from_parts(ROTATED.as_millis().unsigned_abs(), 7)),
    }
}

/// The silent consumer's incident, open since the first hour, at one of its steps.
fn unproven(step: u32, at: Timestamp) -> Notice {
    Notice {
        step,
        since: ROTATED + HOUR.min(at.since(ROTATED)),
        until: Some(ROTATED + 24 * HOUR - 5 * MIN),
        breaks: Some("storefront stops working when the old key dies".into()),
        doing: Some(
            "The current key was delivered at 2026-11-21 09:00 UTC and read back. storefront is asked again every 5 \
             minutes, also after the deadline."
                .into(),
        ),
        hint: "look at the consumer, then:\nkeyrelay prove leaf7-main --consumer storefront".into(),
        next_mail_at: Some(ROTATED + 12 * HOUR),
        consumers: vec![
            consumer(
                "storefront",
                ProofLevel::Unproven,
                None,
                Some("http://127.0.0.1:7001/keyrelay: no answer within 10 s, nor on the 4 other connections that were tried"),
            ),
            consumer("discord-bot", ProofLevel::InUse, Some(ROTATED + 5 * MIN), None),
        ],
        ..notice(
            Code::ConsumerUnproven,
            Severity::Warning,
            at,
            "storefront was not shown to work with the current key",
        )
    }
}

fn consumer(name: &str, level: ProofLevel, at: Option<Timestamp>, error: Option<&str>) -> ConsumerLine {
    let error = error.map(String::from);
    ConsumerLine { name: name.parse().unwrap(), level, wanted: ProofLevel::InUse, at, error }
}

/// Headers as they will stand in the mail, an empty line, the body.
fn whole(notice: &Notice) -> String {
    let mail = mail(notice, &facts());
    let mut whole = vec![
        format!("From: {}", mail.from),
        format!("To: {}", mail.to.join(", ")),
        format!("Date: {}", mail.date),
        format!("Subject: {}", mail.subject),
        format!("Message-ID: {}", mail.message_id),
    ];
    whole.extend(mail.references.map(|first| format!("References: {first}")));
    whole.extend(mail.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    whole.extend([String::new(), mail.body]);
    whole.join("\n")
}
