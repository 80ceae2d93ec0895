use super::*;
use crate::{
    demo::sign::{SIGNED, Signer, Signing},
    domain::Limits,
};
use std::collections::BTreeMap;

const FROM: &str = "noreply@leaf7.fun";
const MAIL: &[u8] = b"From: noreply@leaf7.fun\r\nTo: rotation@example.com\r\nSubject: New key\r\n\
    Date: Fri, 20 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@leaf7.fun>\r\n\r\nYour new key.\r\n";

/// A mail that dkimpy signed, with the public keys that it was signed with.
fn fixture(name: &str) -> (Vec<u8>, TxtAnswers) {
    let folder = format!("{}/src/mail/authenticity/fixtures", env!("CARGO_MANIFEST_DIR"));
    let keys = std::fs::read_to_string(format!("{folder}/keys.yaml")).unwrap();
    let keys: BTreeMap<String, String> = yaml_serde::from_str(&keys).unwrap();
    let record = |(selector, key): (String, String)| {
        let kind = if selector == "ed" { "ed25519" } else { "rsa" };
        (format!("{selector}._domainkey.leaf7.fun"), found(&format!("v=DKIM1; k={kind}; p={key}")))
    };
    (std::fs::read(format!("{folder}/{name}.eml")).unwrap(), keys.into_iter().map(record).collect())
}

fn found(record: &str) -> TxtAnswer {
    TxtAnswer::Found(vec![record.into()])
}

fn arrived_at() -> Timestamp {
    "2026-11-20T09:00:10Z".parse().unwrap()
}

fn judged(mail: &[u8], answers: &TxtAnswers) -> Judgement {
    judged_with(mail, answers, &[], true, arrived_at())
}

fn judged_with(
    mail: &[u8],
    answers: &TxtAnswers,
    selectors: &[&str],
    aligned: bool,
    arrived_at: Timestamp,
) -> Judgement {
    let text = Text::new(mail).unwrap();
    let mail = text.mail().unwrap();
    let selectors: Vec<String> = selectors.iter().map(|s| (*s).to_owned()).collect();
    let pins = Pins { domains: &["leaf7.fun".to_owned()], selectors: &selectors, aligned };
    judge(&mail, &mail.sender().unwrap(), arrived_at, &pins, answers, &Limits::default())
}

fn signer() -> (Signer, TxtAnswers) {
    let signer = Signer::generate("leaf7.fun", "s1").unwrap();
    let (name, record) = signer.txt_record();
    (signer, TxtAnswers::from([(name, found(&record))]))
}

fn genuine_by(selector: &str) -> Judgement {
    Judgement::Genuine(SignedBy { domain: "leaf7.fun".into(), selector: selector.into(), covers_id: true })
}

fn refused(why: &str) -> Judgement {
    Judgement::False { why: format!("the signature of leaf7.fun {why}") }
}

const CHANGED: &str = "does not hold: a signed header field was changed, or another key signed it";

#[test]
fn what_another_implementation_signed_is_genuine_in_every_canonical_form() {
    for name in ["relaxed-relaxed", "relaxed-simple", "simple-relaxed", "simple-simple", "oversigned"] {
        let (mail, answers) = fixture(name);
        assert_eq!(judged(&mail, &answers), genuine_by("s2048"), "{name}");
    }
    let (mail, answers) = fixture("ed25519");
    assert_eq!(judged(&mail, &answers), genuine_by("ed"));
}

#[test]
fn a_blank_that_was_added_breaks_the_simple_forms_alone() {
    for (name, header, body) in
        [("simple-simple", false, false), ("simple-relaxed", false, true), ("relaxed-simple", true, false)]
    {
        let (mail, answers) = fixture(name);
        let text = String::from_utf8(mail).unwrap();
        let changed = |from: &str, to: &str| judged(text.replacen(from, to, 1).as_bytes(), &answers);
        let holds = |holds: bool, why: &str| if holds { genuine_by("s2048") } else { refused(why) };
        assert_eq!(changed("Subject: Your", "Subject:  Your"), holds(header, CHANGED), "{name}");
        assert_eq!(
            changed("API key is  l7", "API key is l7"),
            holds(body, "does not hold: the body was changed"),
            "{name}"
        );
    }
}

#[test]
fn m13_a_weak_rsa_key_holds_a_mail_and_a_very_weak_one_refuses_it() {
    let (mail, answers) = fixture("rsa-1024");
    let by = Some(SignedBy { domain: "leaf7.fun".into(), selector: "s1024".into(), covers_id: true });
    let why = "the key of leaf7.fun has 1024 bits, fewer than 2048".into();
    assert_eq!(judged(&mail, &answers), Judgement::Weak { by, why });
    let (mail, answers) = fixture("rsa-768");
    assert_eq!(judged(&mail, &answers), refused("has a key of fewer than 1024 bits"));
}

#[test]
fn m04_m08_m13_a_true_signature_by_sha1_or_of_a_part_or_without_the_subject_is_refused() {
    for (name, why) in [
        ("rsa-sha1", "uses rsa-sha1, which anybody can forge"),
        ("length", "covers a part of the body only (l=)"),
        ("subject-unsigned", "does not cover Subject"),
    ] {
        let (mail, answers) = fixture(name);
        assert_eq!(judged(&mail, &answers), refused(why), "{name}");
    }
}

#[test]
fn m07_m08_every_header_that_decides_must_be_signed() {
    let (signer, answers) = signer();
    for missing in MUST_BE_SIGNED {
        let headers = SIGNED.into_iter().filter(|name| *name != missing).collect();
        let mail = signer.sign_with(MAIL, &Signing { headers, ..Signing::default() });
        assert_eq!(judged(&mail, &answers), refused(&format!("does not cover {missing}")));
    }
}

#[test]
fn m04_a_length_of_any_value_makes_a_signature_worthless() {
    let (signer, answers) = signer();
    for length in ["l=0", "l=15", "l=1000000", "l="] {
        let mail = signer.sign_with(MAIL, &Signing { tags: vec![length.into()], ..Signing::default() });
        assert_eq!(judged(&mail, &answers), refused("covers a part of the body only (l=)"), "{length}");
    }
}

#[test]
fn m12_c05_its_times_are_compared_with_the_arrival_five_minutes_off_at_most() {
    let (signer, answers) = signer();
    let arrived = arrived_at().as_secs();
    let judged_at = |tags: &[String], later: i64| {
        let mail = signer.sign_with(MAIL, &Signing { tags: tags.to_vec(), ..Signing::default() });
        judged_with(&mail, &answers, &[], true, Timestamp::from_secs(arrived + later))
    };
    let made = |offset: i64| format!("t={}", arrived + offset);
    let expires = |offset: i64| format!("x={}", arrived + offset);
    assert_eq!(judged_at(&[made(300)], 0), genuine_by("s1"));
    assert_eq!(judged_at(&[made(301)], 0), refused("was made after the mail arrived (t=)"));
    let expired = refused("had expired when the mail arrived (x=)");
    assert_eq!(judged_at(&[made(-3600), expires(-300)], 0), genuine_by("s1"));
    assert_eq!(judged_at(&[made(-3600), expires(-301)], 0), expired);
    assert_eq!(judged_at(&[made(0), expires(0)], 0), expired, "it never was valid");
    assert_eq!(judged_at(&[made(-90 * 86_400)], 0), genuine_by("s1"), "age alone refuses no mail");
}

#[test]
fn m14_what_the_dns_says_of_the_key_decides() {
    let (signer, answers) = signer();
    let mail = signer.sign(MAIL);
    let name = "s1._domainkey.leaf7.fun";
    let TxtAnswer::Found(records) = &answers[name] else { panic!() };
    let key = records[0].clone();
    let with = |answer: TxtAnswer| judged(&mail, &TxtAnswers::from([(name.to_owned(), answer)]));
    let unknown = |why: &str| Judgement::Unknown { why: why.into() };
    assert_eq!(judged(&mail, &TxtAnswers::new()), unknown("s1._domainkey.leaf7.fun was not looked up"));
    let trouble = TxtAnswer::Trouble("SERVFAIL".into());
    assert_eq!(with(trouble), unknown("the DNS did not say s1._domainkey.leaf7.fun: SERVFAIL"));
    assert_eq!(with(TxtAnswer::Missing), refused("has no key in the DNS"));
    let test = Judgement::Weak { by: None, why: "leaf7.fun calls its key a test (t=y)".into() };
    assert_eq!(with(found(&format!("{key}; t=s:y"))), test);
    assert_eq!(with(TxtAnswer::Found(vec!["v=spf1 -all".into(), key.clone()])), genuine_by("s1"));
    for (record, why) in [
        ("v=DKIM1; k=ed25519; p=".to_owned(), "has a key that was revoked"),
        (format!("{key}; p=AAAA"), "has a malformed key in the DNS"),
        ("v=DKIM1; k=ed25519; p=!!!".into(), "has a malformed key in the DNS"),
        ("v=DKIM1; k=ed25519; p=AAAA".into(), CHANGED),
        (key.replace("ed25519", "rsa"), CHANGED),
        (format!("{key}; h=sha1"), "has a key that is not for sha256"),
        (format!("{key}; s=tlsrpt"), "has a key that is not for mail"),
        ("v=spf1 -all".into(), "has no one key in the DNS"),
    ] {
        assert_eq!(with(found(&record)), refused(why), "{record}");
    }
    let two = TxtAnswer::Found(vec![key.clone(), key]);
    assert_eq!(with(two), refused("has no one key in the DNS"));
}

#[test]
fn a_key_may_forbid_identities_below_its_domain() {
    let (mail, mut answers) = fixture("subdomain-identity");
    assert_eq!(judged(&mail, &answers), genuine_by("s2048"));
    let TxtAnswer::Found(records) = answers.get_mut("s2048._domainkey.leaf7.fun").unwrap() else { panic!() };
    records[0] += "; t=s";
    assert_eq!(judged(&mail, &answers), refused("names a subdomain in i=, which its key forbids"));
}

#[test]
fn one_signature_that_holds_is_enough_and_others_are_ignored() {
    let (ours, mut answers) = signer();
    let mailer = Signer::generate("mailer.example", "m1").unwrap();
    let (name, record) = mailer.txt_record();
    answers.insert(name, found(&record));
    let both = mailer.sign(&ours.sign(MAIL));
    assert_eq!(judged(&both, &answers), genuine_by("s1"));
    let alone = Judgement::False { why: "it is signed by others only".into() };
    assert_eq!(judged(&mailer.sign(MAIL), &answers), alone);
    let broken = [b"DKIM-Signature: v=1; d=leaf7.fun; d=leaf7.fun\r\n", MAIL].concat();
    assert_eq!(judged(&broken, &answers), Judgement::False { why: "its signature is malformed".into() });
    assert_eq!(judged(MAIL, &answers), Judgement::Weak { by: None, why: "nobody signed it".into() });
}

#[test]
fn m02_from_must_be_in_the_signing_domain_itself_unless_the_pin_says_otherwise() {
    let (signer, answers) = signer();
    let mail = String::from_utf8(MAIL.to_vec()).unwrap().replace(FROM, "noreply@mail.leaf7.fun");
    let mail = signer.sign(mail.as_bytes());
    assert_eq!(judged(&mail, &answers), refused("is not aligned: From is in another domain"));
    assert_eq!(judged_with(&mail, &answers, &["s1"], false, arrived_at()), genuine_by("s1"));
    let other = refused("has a selector that is not pinned");
    assert_eq!(judged_with(&mail, &answers, &["s2"], false, arrived_at()), other);
}

#[test]
fn m15_only_keys_of_pinned_domains_are_asked_for_and_only_under_legal_names() {
    let (ours, _) = signer();
    let evil = Signer::generate("evil.example", "e").unwrap();
    let pinned = ["leaf7.fun".to_owned()];
    let twice = ours.sign(&evil.sign(&ours.sign(MAIL)));
    assert_eq!(questions(&twice, &pinned), ["s1._domainkey.leaf7.fun"]);
    assert_eq!(questions(MAIL, &pinned), [""; 0]);
    for selector in ["a b", "a/b", "x'y", "ä", "", "a..b", "s1\u{0}", &"x".repeat(64)] {
        let mail = Signer::generate("leaf7.fun", selector).unwrap().sign(MAIL);
        assert_eq!(questions(&mail, &pinned), [""; 0], "{selector:?}");
    }
    let many = (0..30).fold(MAIL.to_vec(), |mail, nth| {
        Signer::generate("leaf7.fun", &format!("n{nth}")).unwrap().sign(&mail)
    });
    assert_eq!(questions(&many, &pinned).len(), 10);
}

/// How many signatures of a mail are tried, each for a look-up and a verification.
fn tried(mail: &[u8], pinned: &[&str]) -> usize {
    let text = Text::new(mail).unwrap();
    let pinned: Vec<String> = pinned.iter().map(|domain| (*domain).to_owned()).collect();
    signatures(&text.mail().unwrap(), &pinned).0.len()
}

#[test]
fn m16_of_five_hundred_signatures_ten_are_tried_and_aligned_ones_first() {
    let (ours, mut answers) = signer();
    let mailer = Signer::generate("mailer.example", "m1").unwrap();
    let genuine = ours.sign(MAIL);
    let field = |signer: &Signer| {
        let signed = signer.sign(MAIL);
        signed[..signed.len() - MAIL.len()].to_vec()
    };
    let under = |fields: Vec<u8>| [fields, genuine.clone()].concat();
    // Strangers' cost no look-up and no verification.
    let strangers = under(field(&mailer).repeat(499));
    assert_eq!(
        (tried(&strangers, &["leaf7.fun"]), questions(&strangers, &["leaf7.fun".into()]).len()),
        (1, 1)
    );
    assert_eq!(judged(&strangers, &answers), genuine_by("s1"));
    // Another pinned domain's are tried behind the one that From is in.
    let others = under(field(&mailer).repeat(499));
    let both = ["leaf7.fun".to_owned(), "mailer.example".to_owned()];
    assert_eq!(tried(&others, &["leaf7.fun", "mailer.example"]), 10);
    assert_eq!(questions(&others, &both), ["m1._domainkey.mailer.example", "s1._domainkey.leaf7.fun"]);
    // Nine that do not hold cost the genuine one nothing; four hundred and ninety-nine take its place.
    let forger = Signer::generate("leaf7.fun", "s1").unwrap();
    answers.insert("s1._domainkey.leaf7.fun".into(), found(&ours.txt_record().1));
    let nine = under(field(&forger).repeat(9));
    assert_eq!((tried(&nine, &["leaf7.fun"]), judged(&nine, &answers)), (10, genuine_by("s1")));
    let many = under(field(&forger).repeat(499));
    assert_eq!((tried(&many, &["leaf7.fun"]), judged(&many, &answers)), (10, refused(CHANGED)));
    // One more field than a header may have, and nothing is tried.
    let too_many = under(field(&forger).repeat(600));
    assert!(Text::new(&too_many).unwrap().mail().is_err());
    assert_eq!(questions(&too_many, &both), [""; 0]);
}

#[test]
fn m16_a_signature_of_ten_thousand_names_is_not_tried() {
    let (signer, answers) = signer();
    for (names, wanted) in [
        (SIGNED.len(), genuine_by("s1")),
        (128, genuine_by("s1")),
        (129, Judgement::False { why: "its signature is malformed".into() }),
        (10_000, Judgement::False { why: "its signature is malformed".into() }),
    ] {
        let headers = SIGNED.into_iter().chain(std::iter::repeat_n("X", names - SIGNED.len())).collect();
        let mail = signer.sign_with(MAIL, &Signing { headers, ..Signing::default() });
        assert_eq!(judged(&mail, &answers), wanted, "{names} names");
        let is_tried = matches!(wanted, Judgement::Genuine(_));
        assert_eq!(tried(&mail, &["leaf7.fun"]), usize::from(is_tried), "{names} names");
    }
}

/// It was once called "RSA, 18446744073709551615 bits".
#[test]
fn a_key_whose_kind_is_written_in_capitals_is_malformed() {
    let (signer, _) = signer();
    let record = signer.txt_record().1;
    assert_eq!(strength(std::slice::from_ref(&record)), Ok("Ed25519".into()));
    assert_eq!(strength(&[record.replace("k=", "K=")]), Err("the record is malformed".into()));
}

/// A template that ends in a line of blanks is nothing unusual; the library that canonicalizes counts it as an empty one.
#[test]
fn lines_of_blanks_at_the_end_of_a_relaxed_body_are_none() {
    let (signer, answers) = signer();
    for end in [" \r\n", "\r\n \t \r\n\r\n", " \t\r\n \r\n", "\r\n\r\n", ""] {
        let mail = signer.sign(&[MAIL, end.as_bytes()].concat());
        assert_eq!(judged(&mail, &answers), genuine_by("s1"), "{end:?}");
        let more = [&mail[..], b" \r\n\t\r\n"].concat();
        assert_eq!(judged(&more, &answers), genuine_by("s1"), "{end:?}: more of them change nothing");
        let text = [&mail[..], b".\r\n"].concat();
        assert_eq!(
            judged(&text, &answers),
            refused("does not hold: the body was changed"),
            "{end:?}: a full stop does"
        );
    }
}
