//! What a finding says of a mail can be printed anywhere: no mail, however it is made, gets a sign into it that moves a
//! terminal's cursor or turns its letters round.

use super::*;
use crate::demo::sign::{SIGNED, Signing};

/// What would steer a terminal or a reader's eye: escapes of both kinds, a title, a bell, a blank line, overrides.
const STEERING: [&str; 12] = [
    "\u{1b}[2J",
    "\u{1b}]0;title\u{7}",
    "\u{9b}31m",
    "\u{90}q",
    "\u{8}\u{8}\u{8}",
    "\r",
    "\u{7f}",
    "\u{202e}txet",
    "\u{2066}\u{2067}",
    "\u{200b}\u{feff}",
    "\u{e0061}",
    "%s%n\u{85}",
];

/// Where a mail may hold it. `%` is the place.
const PLACES: [&str; 16] = [
    "From: % <noreply@leaf7.fun>",
    "From: \"%\" <noreply@leaf7.fun>",
    "From: <noreply%@leaf7.fun>",
    "From: <noreply@leaf7.fun%>",
    "From: noreply@leaf7.fun (%)",
    "To: <rotation%@example.com>",
    "To: \"%\" <rotation@example.com>",
    "Subject: Your Leaf7 API key has been rotated%",
    "Date: Fri, 20 Nov 2026 09:00:00 +0000 (%)",
    "Message-ID: <1%@leaf7.fun>",
    "Content-Type: text/%plain",
    "Content-Type: text/plain; charset=\"%\"",
    "Content-Type: multipart/mixed; boundary=\"%\"",
    "Content-Transfer-Encoding: %",
    "X-%: x",
    "Content-Disposition: attachment; filename=\"%\"",
];

/// Every text of a finding.
fn texts(finding: &Finding) -> Vec<String> {
    let (mail, why) = match finding {
        Finding::NewKey(confirmation) => (&confirmation.mail, ""),
        Finding::Warning(warning) => (&warning.mail, ""),
        Finding::Known { mail, .. } => (mail, ""),
        Finding::Held { confirmation, why } => (&confirmation.mail, why.as_str()),
        Finding::Wait { mail, why }
        | Finding::Suspicious { mail, why }
        | Finding::Unparsed { mail, why, .. }
        | Finding::NotOurs { mail, why } => (mail, why.as_str()),
    };
    let origin = crate::domain::Origin::Mail(mail.clone()).to_string();
    vec![
        mail.id.0.clone(),
        mail.from.clone(),
        mail.signed_by.clone(),
        mail.selector.clone(),
        origin,
        why.into(),
    ]
}

fn mail(field: &str) -> Vec<u8> {
    let name = field.split(':').next().unwrap_or_default();
    let usual = [
        "From: Leaf7 <noreply@leaf7.fun>",
        "To: rotation@example.com",
        "Subject: Your Leaf7 API key has been rotated",
        "Date: Fri, 20 Nov 2026 09:00:00 +0000",
        "Message-ID: <1@leaf7.fun>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain",
    ];
    let others = usual.iter().filter(|line| !line.starts_with(&format!("{name}:")));
    let header = others.map(|line| format!("{line}\r\n")).collect::<String>();
    format!("{header}{field}\r\n\r\nYour new API key is l7_f9e8d7c6b5a493827160f5e4d3c2b1a0.\r\n")
        .into_bytes()
}

#[test]
fn s22_no_text_of_a_finding_steers_a_terminal_whatever_the_mail_holds() {
    let world = World::new();
    let (mut looked_at, mut names) = (0, BTreeSet::new());
    for place in PLACES {
        for steering in STEERING.into_iter().chain(["x"]) {
            let mail = mail(&place.replace('%', steering));
            for mail in [world.signer.sign(&mail), mail] {
                let finding = world.recognise(&mail).finding;
                for text in texts(&finding) {
                    let plain = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
                    assert!(plain, "{place:?} {steering:?}: {text:?}");
                    looked_at += 1;
                }
                names.insert(texts(&finding).remove(0));
            }
        }
    }
    assert_eq!(looked_at, PLACES.len() * 13 * 2 * 6);
    assert!(names.contains("<1x@leaf7.fun>"), "what a Message-ID may hold is shown: {names:?}");
    assert!(names.iter().any(|name| name.contains('?')), "and what it may not is replaced: {names:?}");
}

#[test]
fn s22_m15_no_name_of_a_signature_reaches_a_text_or_the_dns_unless_it_is_a_host_s() {
    let world = World::new();
    for steering in STEERING.into_iter().chain(["'", "(x)", "a/b", "a b", "..", "\u{0}"]) {
        for (domain, selector) in
            [(format!("leaf7.fun{steering}"), "s1".to_owned()), ("leaf7.fun".into(), steering.into())]
        {
            let signer = Signer::generate(&domain, &selector).unwrap();
            let headers = SIGNED.to_vec();
            let signed = signer.sign_with(&mail("X: y"), &Signing { headers, ..Signing::default() });
            let questions = crate::mail::authenticity::questions(&signed, &["leaf7.fun".to_owned()]);
            assert_eq!(questions, [""; 0], "{domain:?} {selector:?}");
            for text in texts(&world.recognise(&signed).finding) {
                assert!(text.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{steering:?}: {text:?}");
            }
        }
    }
    let signed = world.signer.sign(&mail("X: y"));
    assert_eq!(
        crate::mail::authenticity::questions(&signed, &["leaf7.fun".to_owned()]),
        ["s1._domainkey.leaf7.fun"],
        "the same with a host's name"
    );
}
