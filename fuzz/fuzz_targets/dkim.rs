//! The tags of a signature and of a key record, parted by a NUL: what is asked of the DNS is a name below the pinned
//! domain, and what counts as genuine is so by the letter.
#![no_main]

use keyrelay::{
    domain::Limits,
    mail::{
        TxtAnswer, TxtAnswers,
        authenticity::{Judgement, Pins, judge, questions, strength},
        parse::Text,
    },
};
use keyrelay_fuzz::{arrived_at, assert_printable};
use libfuzzer_sys::fuzz_target;

const MAIL: &[u8] = include_bytes!("../dkim-mail.eml");

fuzz_target!(|data: &[u8]| {
    let mut halves = data.splitn(2, |b| *b == 0);
    let (tags, record) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
    let record = String::from_utf8_lossy(record).into_owned();
    match strength(std::slice::from_ref(&record)) {
        Ok(strength) => {
            let bits =
                strength.strip_prefix("RSA, ").and_then(|rest| rest.strip_suffix(" bits")?.parse().ok());
            assert!(strength == "Ed25519" || bits.is_some_and(|bits: u32| bits >= 2048), "{strength:?}");
        }
        Err(why) => assert_printable(&why),
    }

    let pinned = ["leaf7.fun".to_owned()];
    let raw = [b"DKIM-Signature:", tags, b"\r\n", MAIL].concat();
    let names = questions(&raw, &pinned);
    assert!(names.len() <= 10);
    let mut answers = TxtAnswers::new();
    for name in names {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        assert!(name.ends_with("._domainkey.leaf7.fun") && name.bytes().all(legal), "{name:?}");
        answers.insert(name, TxtAnswer::Found(vec![record.clone()]));
    }

    let Ok(text) = Text::new(&raw) else { return };
    let Ok(mail) = text.mail() else { return };
    let Ok(from) = mail.sender() else { return };
    let pins = Pins { domains: &pinned, selectors: &[], aligned: true };
    match judge(&mail, &from, arrived_at(), &pins, &answers, &Limits::default()) {
        Judgement::Genuine(by) => {
            let tags = String::from_utf8_lossy(tags).to_lowercase();
            let tag = |name: &str| {
                let tags = tags.split(';').filter_map(|tag| tag.split_once('='));
                tags.filter(|(found, _)| found.trim() == name)
                    .map(|(_, value)| value.trim())
                    .collect::<Vec<_>>()
            };
            assert!(
                tag("l").is_empty() && matches!(tag("a")[..], ["rsa-sha256" | "ed25519-sha256"]),
                "{tags}"
            );
            let [signed] = tag("h")[..] else { panic!("{tags}") };
            let signs = |name: &str| signed.split(':').any(|signed| signed.trim() == name);
            assert!(["from", "to", "subject", "date"].into_iter().all(signs), "{tags}");
            assert_eq!((by.domain.as_str(), by.covers_id), ("leaf7.fun", signs("message-id")));
        }
        Judgement::Weak { why, .. } | Judgement::Unknown { why } | Judgement::False { why } => {
            assert_printable(&why)
        }
    }
});
