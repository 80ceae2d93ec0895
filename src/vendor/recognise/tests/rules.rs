//! The steps of the decision, one by one.

use super::*;
use crate::demo::{
    mails::{CONFIRMATIONS, WARNINGS},
    sign::{SIGNED, Signing},
};

impl World {
    fn confirmation(&self) -> Vec<u8> {
        self.signer.sign(&self.fill(CONFIRMATIONS[0].1))
    }

    fn warning(&self) -> Vec<u8> {
        self.signer.sign(&self.fill(WARNINGS[0].1))
    }
}

pub fn id(finding: &Finding) -> &MailId {
    match finding {
        Finding::NewKey(confirmation) | Finding::Held { confirmation, .. } => &confirmation.mail.id,
        Finding::Warning(warning) => &warning.mail.id,
        Finding::Known { mail, .. }
        | Finding::Wait { mail, .. }
        | Finding::Suspicious { mail, .. }
        | Finding::Unparsed { mail, .. }
        | Finding::NotOurs { mail, .. } => &mail.id,
    }
}

fn why(recognised: &Recognised) -> &str {
    outcome(&recognised.finding).1
}

#[test]
fn m14_dns_trouble_makes_a_mail_wait_and_nothing_else() {
    let mut world = World::new();
    let mail = world.confirmation();
    let name = world.signer.txt_record().0;
    world.answers.insert(name, TxtAnswer::Trouble("no answer within 5 s".into()));
    let recognised = world.recognise(&mail);
    assert!(matches!(recognised.finding, Finding::Wait { .. }), "{:?}", recognised.finding);
    assert_eq!(why(&recognised), "the DNS did not say s1._domainkey.leaf7.fun: no answer within 5 s");
    assert_eq!(recognised.key, None);
    let news = world.fill(CONFIRMATIONS[0].1);
    let news = String::from_utf8(news).unwrap().replace("has been rotated", "in the news");
    let recognised = world.recognise(&world.signer.sign(news.as_bytes()));
    assert!(matches!(recognised.finding, Finding::NotOurs { .. }), "nobody waits for news");
    let unreadable = CONFIRMATIONS[0].1.replace("Subject: Your", "Subject: =?no-such-charset?q?Your?=");
    let mail = world.signer.sign(&world.fill(&unreadable));
    assert!(matches!(world.recognise(&mail).finding, Finding::Wait { .. }), "who knows what it is about");
    publish(&mut world.answers, &world.signer);
    assert!(matches!(world.recognise(&mail).finding, Finding::Unparsed { .. }), "and then it is told");
}

#[test]
fn a_mail_that_was_dealt_with_is_passed_over_and_its_key_stays_known() {
    let mut world = World::new();
    let (confirmation, warning) = (world.confirmation(), world.warning());
    for mail in [&confirmation, &warning] {
        world.done.insert(id(&world.recognise(mail).finding).clone());
    }
    let recognised = world.recognise(&confirmation);
    assert!(matches!(recognised.finding, Finding::Known { .. }), "{:?}", recognised.finding);
    assert_eq!(recognised.key.as_ref(), Some(&world.key), "the shell may have lost it");
    assert_eq!(why(&world.recognise(&warning)), "it was dealt with before");
}

#[test]
fn a_forged_mail_cannot_stand_in_for_the_genuine_one_with_its_message_id() {
    let mut world = World::new();
    let genuine = world.confirmation();
    let forged = Signer::generate("evil.example", "s").unwrap().sign(&world.fill(CONFIRMATIONS[0].1));
    let recognised = world.recognise(&forged);
    assert!(matches!(recognised.finding, Finding::Suspicious { .. }));
    let forged_id = id(&recognised.finding).clone();
    world.done.insert(forged_id.clone());
    assert_eq!(why(&world.recognise(&forged)), "it was dealt with before", "it is told of once");
    let recognised = world.recognise(&genuine);
    assert!(matches!(recognised.finding, Finding::NewKey(_)));
    let genuine_id = id(&recognised.finding);
    assert!(forged_id.0.starts_with(&format!("{}~", genuine_id.0)), "{forged_id:?} {genuine_id:?}");
}

#[test]
fn a_message_id_that_nobody_signed_is_told_apart_by_the_mail_s_hash() {
    let world = World::new();
    let headers = SIGNED.into_iter().filter(|name| *name != "Message-ID").collect();
    let mail = world.fill(CONFIRMATIONS[0].1);
    let signed = world.signer.sign_with(&mail, &Signing { headers, ..Signing::default() });
    let recognised = world.recognise(&signed);
    assert!(matches!(recognised.finding, Finding::NewKey(_)));
    assert!(id(&recognised.finding).0.contains("@leaf7.fun>~"), "{:?}", id(&recognised.finding));
    let text = String::from_utf8(mail).unwrap();
    let without: Vec<&str> =
        text.split_inclusive("\r\n").filter(|line| !line.starts_with("Message-ID")).collect();
    let recognised = world.recognise(&world.signer.sign(without.concat().as_bytes()));
    assert!(id(&recognised.finding).0.starts_with("sha256:"), "{:?}", id(&recognised.finding));
}

#[test]
fn a_large_mail_is_judged_by_its_sender_alone() {
    let world = World::new();
    let mail = world.confirmation();
    let mut raw = world.raw(&mail);
    (raw.header_only, raw.size) = (true, 3_000_000);
    let recognised = world.recognise_raw(&raw);
    assert_eq!((why(&recognised), recognised.too_large), ("it has 3000000 bytes, more than 1048576", true));
    assert!(matches!(recognised.finding, Finding::Unparsed { dated, .. } if dated == world.dated()));
    let mut other = world.raw(b"From: noreply@other.example\r\n\r\n");
    (other.header_only, other.size) = (true, 3_000_000);
    assert!(matches!(world.recognise_raw(&other).finding, Finding::NotOurs { .. }));
}

#[test]
fn m10_the_signed_to_names_exactly_one_of_the_recipients() {
    let world = World::new();
    let template = CONFIRMATIONS[0].1;
    let becomes = |to: &str| {
        let mail = world.fill(&template.replace("{to}", to));
        let recognised = world.recognise(&world.signer.sign(&mail));
        (matches!(recognised.finding, Finding::NewKey(_)), why(&recognised).to_owned())
    };
    for to in [
        "Rotation <ROTATION@Example.com>",
        "x@other.example, second@example.com",
        "rotation@example.com, rotation@example.com",
    ] {
        assert_eq!(becomes(to), (true, String::new()), "{to}");
    }
    let siblings = "it is addressed to another credential";
    assert_eq!(becomes("third@example.com, x@other.example"), (false, siblings.to_owned()));
    let other = "it is addressed to somebody else: whoever got it may have sent it on";
    for (to, why) in [
        ("x@other.example", other),
        ("\"rotation@example.com\" <x@other.example>", other),
        ("undisclosed-recipients:;", "its To is not a plain list of addresses"),
        (
            "rotation@example.com, second@example.com",
            "it is addressed to 2 of the credential's recipients at once",
        ),
    ] {
        assert_eq!(becomes(to), (false, why.to_owned()), "{to}");
    }
}

#[test]
fn a_sender_that_is_pinned_is_the_only_one() {
    let mut world = World::new();
    let over = serde_json::json!({"mail": {"from": ["keys@leaf7.fun"]}});
    let name = "leaf7".parse().unwrap();
    world.profile =
        resolve(&BTreeMap::from([(name, over)])).unwrap().remove(&"leaf7".parse().unwrap()).unwrap();
    assert_eq!(why(&world.recognise(&world.confirmation())), "its From is somebody else's");
    let mail = world.fill(&CONFIRMATIONS[0].1.replace("{sender}", "keys@leaf7.fun"));
    assert!(matches!(world.recognise(&world.signer.sign(&mail)).finding, Finding::NewKey(_)));
}

#[test]
fn a_key_of_a_mail_that_nobody_signed_is_held_with_the_key() {
    let world = World::new();
    let recognised = world.recognise(&world.fill(CONFIRMATIONS[8].1));
    let Finding::Held { confirmation, .. } = &recognised.finding else { panic!("{:?}", recognised.finding) };
    assert_eq!(confirmation.fingerprint, world.key.fingerprint());
    assert_eq!((confirmation.mail.signed_by.as_str(), confirmation.mail.selector.as_str()), ("", ""));
    assert_eq!(recognised.key.as_ref(), Some(&world.key));
}

#[test]
fn a_vendor_without_notices_owns_no_mail() {
    let mut world = World::new();
    world.profile.mail = None;
    assert_eq!(why(&world.recognise(&world.confirmation())), "the vendor sends no notices");
}

#[test]
fn no_reason_quotes_the_mail() {
    let world = World::new();
    for (name, template) in CONFIRMATIONS {
        for mail in [
            world.fill(template),
            world.signer.sign(&world.fill(&template.replace("{to}", "x@canary.example"))),
        ] {
            let shown = format!("{:?}", world.recognise(&mail).finding);
            assert!(!shown.contains(world.key.expose()) && !shown.contains("canary"), "{name}: {shown}");
        }
    }
}

#[test]
fn m03_r03_nothing_that_bytes_can_be_makes_it_fail() {
    let world = World::new();
    let mail = world.confirmation();
    // The last line end is not part of what is signed.
    for cut in 0..mail.len() - 2 {
        assert!(!matches!(world.recognise(&mail[..cut]).finding, Finding::NewKey(_)), "cut at {cut}");
    }
    for at in 0..mail.len() {
        for byte in [0, b'\n', b'\r', b'"', b'<', b'=', b'@', 0xff] {
            let mut changed = mail.clone();
            changed[at] = byte;
            let recognised = world.recognise(&changed);
            let same = changed == mail;
            // Relaxed forms let blanks differ; no other byte may.
            assert!(same || recognised.key.is_none_or(|key| key == world.key), "byte {byte} at {at}");
        }
    }
}
