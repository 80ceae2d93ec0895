//! The page as text: what comes first, what is said, and that nobody else's words become markup.

use super::*;
use crate::{
    domain::*,
    face::{
        status::status,
        tests::{START, about, calm, troubled},
    },
    rotation::{PhaseEntered, RecordKind},
};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_secs(START.as_secs() + 90);
const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn a_calm_fleet_is_one_sentence_and_nothing_is_wrong() {
    let page = page(&status(&calm(), &about(), NOW), &Past::new());
    assert!(page.contains("<h1 class=\"good\">Every consumer works with its current key.</h1>"), "{page}");
    assert!(page.contains("<title>keyrelay on relay-1</title>"));
    assert!(!page.contains("class=\"problems\""));
    for said in [
        "0123456789abcdef",
        "generation 7",
        "until the next rotation",
        "✓ in use",
        "○ copy works, use not tested",
    ] {
        assert!(page.contains(said), "{said}\n{page}");
    }
}

#[test]
fn what_is_wrong_comes_first_the_worst_on_top_each_with_what_to_type() {
    let page = page(&troubled(status(&calm(), &about(), NOW), NOW), &Past::new());
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is missing in {page}"));
    let order = [
        "One thing is urgent.",
        "web-shop was not shown to work with the new key, and the old one dies soon",
        "<pre><code>keyrelay prove leaf7-two</code></pre>",
        "alert mails cannot be sent",
        "mend the SMTP server or its login",
        "<article id=\"leaf7-two\" class=\"credential urgent\">",
        "<article id=\"leaf7-main\" class=\"credential \">",
    ];
    let places: Vec<usize> = order.iter().map(|text| at(text)).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(page.contains("<title>1 urgent · keyrelay on relay-1</title>"));
    assert!(page.contains("<pre><code>keyrelay accept leaf7-two 00112233aabbccdd</code></pre>"));
    assert!(page.contains("3 h 5 min left"), "{page}");
}

#[test]
fn a_credential_that_is_only_observed_says_so() {
    let mut status = status(&calm(), &about(), NOW);
    status.credentials[0].observing = true;
    assert!(page(&status, &Past::new()).contains("<span class=\"phase\">steady, only observed</span>"));
}

#[test]
fn nobody_elses_words_become_markup_or_turn_the_text() {
    let mut status = status(&calm(), &about(), NOW);
    let hostile = "</pre></svg><script>alert(1)</script>\" onload=\"x\r\u{202e}\u{1b}[2J";
    let consumer = &mut status.credentials[0].consumers[0];
    consumer.error = Some(hostile.into());
    status.credentials[0].account = vec![hostile.into()];
    status.incidents = vec![crate::face::status::OpenIncident {
        code: Code::Bug,
        severity: Severity::Urgent,
        since: NOW,
        credential: None,
        message: hostile.into(),
        hint: format!("keyrelay prove\n{hostile}"),
        until: None,
        count: 1,
    }];
    status.daemon.host = hostile.into();
    let page = page(&status, &Past::new());
    assert_eq!(page.matches("<script").count(), 1, "our own alone: {page}");
    assert!(!page.contains("\" onload"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)"));
    let fragment = fragment(&status, &Past::new());
    assert!(!fragment.contains(['\r', '\u{202e}', '\u{1b}']), "{fragment}");
}

#[test]
fn the_policy_names_exactly_the_style_and_the_script_that_are_in_the_page() {
    let page = page(&status(&calm(), &about(), NOW), &Past::new());
    let inner = |tag: &str| {
        let (_, rest) = page.split_once(&format!("<{tag}>")).unwrap();
        rest.split_once(&format!("</{tag}>")).unwrap().0
    };
    for (tag, directive) in [("style", "style-src"), ("script", "script-src")] {
        let hash = STANDARD.encode(Sha256::digest(inner(tag)));
        assert!(CONTENT_SECURITY_POLICY.contains(&format!("{directive} 'sha256-{hash}';")), "{tag}");
    }
    for outside in [" style=\"", "onclick", "src=\"http", "href=\"http", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn the_strip_of_a_hand_over_says_in_words_what_it_draws() {
    let mut status = troubled(status(&calm(), &about(), NOW), NOW);
    let credential = &mut status.credentials[1];
    credential.rotated_at = Some(NOW - 20 * HOUR);
    credential.grace_until = Some(NOW + 4 * HOUR);
    credential.deadline_at = Some(NOW + 4 * HOUR - Duration::from_secs(300));
    let id = credential.rotation_id.unwrap();
    let record = crate::rotation::Record {
        rotation_id: id,
        kind: RecordKind::Rotation,
        trigger: None,
        phases: vec![PhaseEntered { phase: "announced".into(), at: NOW - 44 * HOUR }],
        old_fingerprint: None,
        new_fingerprint: None,
        generation: 7,
        store_version: None,
        consumers: Vec::new(),
        margin_secs: Some(86_000),
        observed: None,
        why: None,
    };
    let past = Past::from([(credential.name.clone(), vec![record])]);
    let page = page(&status, &past);
    let (_, desc) = page.split_once("<desc id=\"strip-leaf7-two-desc\">").unwrap();
    assert_eq!(
        desc.split_once("</desc>").unwrap().0,
        "2 d 3 h in 2026-11-19 11:06 UTC. warning: 2026-11-19 13:01 UTC; rotation: 2026-11-20 13:01 UTC; \
         deadline: 2026-11-21 12:56 UTC; old key dies: 2026-11-21 13:01 UTC; \
         storefront: in use since 2026-11-21 09:00 UTC; web-shop: not tested; \
         copied: copy works, use not tested since 2026-11-21 09:00 UTC; far: on another host."
    );
    assert!(page.contains("left to reach every consumer"), "{page}");
    assert!(page.contains("Last rotations: 1 d 20 h ago, 23 h 53 min to spare"), "{page}");
}

#[test]
fn a_key_that_ends_and_one_that_nobody_is_asked_about_are_shown_as_such() {
    let mut status = status(&calm(), &about(), NOW);
    status.credentials[0].expires_at = Some(NOW + 30 * HOUR);
    status.credentials[0].probe_off_since = Some(NOW - HOUR);
    let page = page(&status, &Past::new());
    assert!(page.contains("nobody is asked since 2026-11-21 08:01 UTC"), "{page}");
    assert!(page.contains(" · ends 2026-11-22 15:01 UTC (in 1 d 6 h)"), "{page}");
}

#[test]
fn of_a_large_fleet_the_calm_are_a_line_each_on_one_axis() {
    let mut status = status(&calm(), &about(), NOW);
    let one = status.credentials[0].clone();
    status.credentials = (0..200)
        .map(|number| crate::face::status::Credential {
            name: format!("credential-{number:03}").parse().unwrap(),
            ..one.clone()
        })
        .collect();
    status.credentials[150].phase = "handing_over".into();
    let page = page(&status, &Past::new());
    assert_eq!(page.matches("<svg class=\"bar\"").count(), 199, "a line each");
    assert_eq!(page.matches("<svg class=\"strip\"").count(), 51, "what is under way, and what opens");
    assert!(page.contains("199 credentials in order"), "{page}");
    assert!(
        page.contains("<article id=\"credential-150\" class=\"credential \">"),
        "what is under way has one"
    );
    for number in 0..200 {
        assert!(page.contains(&format!("credential-{number:03}")), "{number}");
    }
}

#[test]
fn twenty_consumers_are_twelve_lanes_and_a_sum() {
    let mut status = status(&calm(), &about(), NOW);
    let like = status.credentials[0].consumers[0].clone();
    status.credentials[0].consumers = (0..20)
        .map(|number| crate::face::status::Consumer {
            name: format!("c-{number}").parse().unwrap(),
            ..like.clone()
        })
        .collect();
    status.credentials[0].consumers[19].proof = ProofLevel::Unproven;
    let page = page(&status, &Past::new());
    assert_eq!(page.matches("<text class=\"name\"").count(), 12);
    assert!(page.contains("and 8 more consumers, 8 of them at their level"), "{page}");
    assert!(page.contains("✕ not tested"), "the one that is not tested has a lane");
}
