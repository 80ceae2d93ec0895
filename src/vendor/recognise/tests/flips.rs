//! A genuine mail with one byte changed, at every place; and signatures that cover a part of the body.

use super::*;
use crate::demo::{mails::CONFIRMATIONS, sign::Signing};
use std::{collections::BTreeSet, ops::Range};

/// Every single bit, all of them, and those that make a tab of a blank.
const PATTERNS: [u8; 10] = [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff, 0x29];

/// What a mail carries that its sender did not sign.
const UNSIGNED: &str = "Return-Path: <bounces@leaf7.fun>\r\n\
    Delivered-To: rotation@example.com\r\n\
    Received: from mail.leaf7.fun (mail.leaf7.fun [203.0.113.5])\r\n\tby mx.example.com (Postfix) with ESMTPS id 4CcXyz\r\n\t\
    for <rotation@example.com>; Fri, 20 Nov 2026 09:00:05 +0000 (UTC)\r\n\
    Authentication-Results: mx.example.com; dkim=pass header.d=leaf7.fun; dmarc=pass header.from=leaf7.fun\r\n\
    X-Spam-Status: No, score=-0.1\r\n";

/// A mail of the usual size: a text and an HTML part, with what a vendor writes around the key.
fn whole(world: &World) -> Vec<u8> {
    let prose = "You get this mail because an API key of your account was rotated by its schedule. ";
    let (_, template) = CONFIRMATIONS[15];
    let template = template
        .replacen("Keep it secret.\n", &format!("{}\n", format!("{prose}\n").repeat(14)), 1)
        .replacen("Keep it secret.</p>", &format!("{}</p>", prose.repeat(14)), 1);
    [UNSIGNED.as_bytes(), &world.signer.sign(&world.fill(&template))].concat()
}

/// Where the names of the signed fields stand.
fn names(mail: &[u8]) -> BTreeSet<usize> {
    let end = mail.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let mut names = BTreeSet::new();
    let mut at = UNSIGNED.len();
    for line in mail[at..end].split_inclusive(|byte| *byte == b'\n') {
        if !line[0].is_ascii_whitespace() {
            names.extend(at..at + line.iter().position(|byte| *byte == b':').unwrap());
        }
        at += line.len();
    }
    names
}

#[test]
fn m03_r03_one_changed_byte_anywhere_is_refused_where_it_is_signed_and_leads_to_no_other_key_elsewhere() {
    let mut world = World { authserv_ids: vec!["mx.example.com".into()], ..World::new() };
    let mail = whole(&world);
    assert!((3_500..5_000).contains(&mail.len()), "{} bytes", mail.len());
    let genuine = world.recognise(&mail);
    assert!(matches!(genuine.finding, Finding::NewKey(_)), "{:?}", genuine.finding);

    // The last line end is not part of what is signed.
    let signed: Range<usize> = UNSIGNED.len()..mail.len() - 2;
    let signature = UNSIGNED.len()..UNSIGNED.len() + "DKIM-Signature".len();
    let names = names(&mail);
    let (mut taken, mut refused, mut unsigned, mut elsewhere, mut held) = (0, 0, 0, 0, 0);
    for (at, pattern) in (0..mail.len()).flat_map(|at| PATTERNS.map(|pattern| (at, pattern))) {
        // What nobody signed is read to its end each time, which takes long.
        if !signed.contains(&at) && ![0x01, 0x20, 0x80, 0xff].contains(&pattern) {
            continue;
        }
        let mut changed = mail.clone();
        changed[at] ^= pattern;
        for name in crate::mail::authenticity::questions(&changed, &["leaf7.fun".to_owned()]) {
            world.answers.entry(name).or_insert(TxtAnswer::Missing);
        }
        let recognised = world.recognise(&changed);
        let found = outcome(&recognised.finding);
        let shown = || format!("byte {at} ^ {pattern:#x}: {found:?}");
        assert!(recognised.key.as_ref().is_none_or(|key| *key == world.key), "another key: {}", shown());
        match found {
            (Outcome::NewKey, _) if !signed.contains(&at) => elsewhere += 1,
            (Outcome::NewKey, _) => {
                // RFC 6376 §3.4.2 and §3.4.4 let these differ.
                let other_case = names.contains(&at) && mail[at].eq_ignore_ascii_case(&changed[at]);
                let blanks = [mail[at], changed[at]].iter().all(|byte| b" \t".contains(byte));
                assert!(other_case || blanks, "{}", shown());
                taken += 1;
            }
            // A signature by another name is none: the mail is one that nobody signed.
            (Outcome::Held, "nobody signed it") if signature.contains(&at) => unsigned += 1,
            (Outcome::Suspicious | Outcome::NotOurs, _) => {
                assert_eq!(recognised.key, None, "{}", shown());
                refused += 1;
            }
            // What the own server says was changed so that it speaks against the mail.
            (Outcome::Held, why) => {
                assert!(!signed.contains(&at) && why.starts_with("mx.example.com "), "{}", shown());
                held += 1;
            }
            (_, _) => panic!("{}", shown()),
        }
    }
    println!(
        "{} bytes, {} changes: {refused} refused, {unsigned} as if unsigned, {taken} the same when relaxed, \
         {elsewhere} of no account, {held} held by the own server's word",
        mail.len(),
        taken + refused + unsigned + elsewhere + held
    );
    let letters = names.iter().filter(|at| mail[**at].is_ascii_alphabetic()).count();
    assert!(taken >= letters, "capitals in names of fields are no change: {taken}");
    assert!(refused > signed.len() * (PATTERNS.len() - 1), "{refused} of {}", signed.len() * PATTERNS.len());
    assert!(elsewhere > UNSIGNED.len(), "most of what is not signed is of no account: {elsewhere}");
}

#[test]
fn m04_r04_fifty_forms_of_a_length_are_refused_with_and_without_an_appended_part() {
    let world = World::new();
    let mail = world.fill(CONFIRMATIONS[0].1);
    let at = mail.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let whole = mail.len() - at;
    let appended = b"\r\nYour new API key is l7_00000000000000000000000000000bad.\r\n";
    let sign = |tags: Vec<String>| world.signer.sign_with(&mail, &Signing { tags, ..Signing::default() });
    assert!(
        matches!(world.recognise(&sign(vec![])).finding, Finding::NewKey(_)),
        "without a length it is taken"
    );
    // So is a tag that looks like one: names are told apart by case, and by every sign.
    for other in ["L=5", "ll=5", "l_=5", "lx=0"] {
        assert!(matches!(world.recognise(&sign(vec![other.into()])).finding, Finding::NewKey(_)), "{other}");
    }
    let mut forms = 0;
    for length in ["0".to_owned(), "1".into(), whole.to_string(), (whole + 1).to_string(), "9".repeat(76)] {
        for form in
            ["l=N", "l=0N", "l = N", "l=\tN", "l=\r\n\tN", "l\r\n\t=N", "l=+N", "l=-N", "l=N.0", "l=xN"]
        {
            let signed = sign(vec![form.replace('N', &length)]);
            for mail in [signed.clone(), [&signed[..], appended].concat()] {
                let recognised = world.recognise(&mail);
                let why = "the signature of leaf7.fun covers a part of the body only (l=)";
                assert_eq!(outcome(&recognised.finding), (Outcome::Suspicious, why), "{form} of {length}");
                assert_eq!(recognised.key, None);
            }
            forms += 1;
        }
    }
    assert_eq!(forms, 50);
}

#[test]
fn m04_a_length_of_nothing_with_the_whole_body_appended_is_refused() {
    let world = World::new();
    let mail = world.fill(CONFIRMATIONS[0].1);
    let at = mail.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let signed_as = |tags: Vec<String>| {
        let header = world.signer.sign_with(&mail[..at], &Signing { tags, ..Signing::default() });
        [&header[..], &mail[at..]].concat()
    };
    let found = |mail: &[u8]| outcome(&world.recognise(mail).finding).1.to_owned();
    let part = "the signature of leaf7.fun covers a part of the body only (l=)";
    assert_eq!(found(&signed_as(vec!["l=0".into()])), part);
    let changed = "the signature of leaf7.fun does not hold: the body was changed";
    assert_eq!(found(&signed_as(vec![])), changed);
}
