//! Games with signatures. Each mail is tried without its trick, too: what is refused is refused for the trick alone.

use super::*;
use crate::demo::{
    mails::CONFIRMATIONS,
    sign::{SIGNED, Signing},
};

const TAKEN: (Outcome, &str) = (Outcome::NewKey, "");
const OTHERS_ONLY: (Outcome, &str) = (Outcome::Suspicious, "it is signed by others only");
const NOT_HELD: &str =
    "the signature of leaf7.fun does not hold: a signed header field was changed, or another key signed it";
const OTHER_BODY: (Outcome, &str) =
    (Outcome::Suspicious, "the signature of leaf7.fun does not hold: the body was changed");

impl World {
    fn unsigned(&self) -> String {
        String::from_utf8(self.fill(CONFIRMATIONS[0].1)).unwrap()
    }

    fn signed(&self) -> String {
        String::from_utf8(self.signer.sign(self.unsigned().as_bytes())).unwrap()
    }

    fn signed_without(&self, mail: &str, missing: &[&str]) -> String {
        let headers = SIGNED.into_iter().filter(|name| !missing.contains(name)).collect();
        let signing = Signing { headers, ..Signing::default() };
        String::from_utf8(self.signer.sign_with(mail.as_bytes(), &signing)).unwrap()
    }

    /// What becomes of a mail; where a key is offered it is the genuine one.
    fn becomes(&self, mail: &str) -> (Outcome, String) {
        let recognised = self.recognise(mail.as_bytes());
        assert!(recognised.key.is_none_or(|key| key == self.key), "another key: {mail}");
        let (outcome, why) = outcome(&recognised.finding);
        (outcome, why.to_owned())
    }

    fn expect(&self, mail: &str, (wanted, why): (Outcome, &str)) {
        assert_eq!(self.becomes(mail), (wanted, why.to_owned()), "{mail}");
    }
}

fn stranger(world: &mut World, domain: &str) -> Signer {
    let signer = Signer::generate(domain, "s1").unwrap();
    publish(&mut world.answers, &signer);
    signer
}

#[test]
fn m01_m51_r01_a_perfect_mail_that_nobody_signed_is_not_let_in() {
    let world = World::new();
    world.expect(&world.signed(), TAKEN);
    world.expect(&world.unsigned(), (Outcome::Held, "nobody signed it"));
    // What a server says of the envelope's sender is not said of this mail's text.
    let passed = "Received-SPF: pass (leaf7.fun designates 203.0.113.5)\r\nAuthentication-Results: mx.example.com; \
        spf=pass smtp.mailfrom=leaf7.fun; dmarc=pass header.from=leaf7.fun\r\n";
    for ids in [vec![], vec!["mx.example.com".to_owned()]] {
        let world = World { authserv_ids: ids, ..World::new() };
        world.expect(&format!("{passed}{}", world.signed()), TAKEN);
        world.expect(&format!("{passed}{}", world.unsigned()), (Outcome::Held, "nobody signed it"));
    }
}

#[test]
fn m02_r02_a_true_signature_of_another_domain_proves_nothing() {
    let mut world = World::new();
    world.expect(&world.signed(), TAKEN);
    for domain in ["attacker.example", "mail.leaf7.fun", "notleaf7.fun", "leaf7.fun.evil.example", "fun"] {
        let signer = stranger(&mut world, domain);
        let mail = String::from_utf8(signer.sign(world.unsigned().as_bytes())).unwrap();
        let malformed = (Outcome::Suspicious, "its signature is malformed");
        world.expect(&mail, if domain == "fun" { malformed } else { OTHERS_ONLY });
        let both = String::from_utf8(signer.sign(world.signed().as_bytes())).unwrap();
        world.expect(&both, TAKEN);
    }
}

#[test]
fn m05_a_length_with_a_body_in_a_new_boundary_is_refused() {
    let world = World::new();
    let genuine = world.unsigned();
    let (header, body) = genuine.split_once("\r\n\r\n").unwrap();
    let names: Vec<&str> = SIGNED.into_iter().filter(|name| *name != "Content-Type").collect();
    let sign = |tags: Vec<String>| {
        let signing = Signing { headers: names.clone(), tags, ..Signing::default() };
        String::from_utf8(world.signer.sign_with(genuine.as_bytes(), &signing)).unwrap()
    };
    // The signed body becomes the preamble, which nobody sees, and the attacker's part is appended.
    let twist = |mail: &str| {
        let kind = "Content-Type: multipart/mixed; boundary=evil";
        let mail = mail.replace("Content-Type: text/plain; charset=us-ascii", kind);
        format!(
            "{mail}\r\n--evil\r\n\r\nYour new API key is l7_00000000000000000000000000000bad.\r\n--evil--\r\n"
        )
    };
    assert!(header.contains("Content-Type: text/plain; charset=us-ascii"));
    let length = format!("l={}", body.trim_end().len() + 2);
    world.expect(&sign(vec![]), TAKEN);
    world.expect(&twist(&sign(vec![])), OTHER_BODY);
    let part = "the signature of leaf7.fun covers a part of the body only (l=)";
    world.expect(&sign(vec![length.clone()]), (Outcome::Suspicious, part));
    world.expect(&twist(&sign(vec![length])), (Outcome::Suspicious, part));
}

#[test]
fn m06_m09_a_second_field_above_or_below_a_genuine_mail_is_refused() {
    let world = World::new();
    for (name, value) in [
        ("From", "attacker@evil.example"),
        ("From", FROM),
        ("To", TO),
        ("Subject", "Your Leaf7 API key has been rotated"),
        ("Date", "Fri, 20 Nov 2026 09:00:00 +0000"),
        ("Message-ID", "<1@leaf7.fun>"),
        ("MIME-Version", "1.0"),
        ("Content-Type", "text/plain"),
        ("Content-Transfer-Encoding", "7bit"),
    ] {
        let signed = world.signed();
        let (header, body) = signed.split_once("\r\n\r\n").unwrap();
        let why = format!("it has more than one {name}");
        for name in [name.to_owned(), name.to_uppercase()] {
            let second = format!("{name}: {value}");
            world.expect(&format!("{second}\r\n{signed}"), (Outcome::Suspicious, &why));
            world.expect(&format!("{header}\r\n{second}\r\n\r\n{body}"), (Outcome::Suspicious, &why));
        }
        world.expect(&format!("X-{name}: {value}\r\n{signed}"), TAKEN);
    }
}

#[test]
fn m07_m08_who_wrote_to_whom_about_what_and_when_must_be_signed() {
    let world = World::new();
    world.expect(&world.signed_without(&world.unsigned(), &[]), TAKEN);
    for name in ["From", "To", "Subject", "Date"] {
        let why = format!("the signature of leaf7.fun does not cover {name}");
        world.expect(&world.signed_without(&world.unsigned(), &[name]), (Outcome::Suspicious, &why));
    }
}

#[test]
fn m08_what_need_not_be_signed_cannot_lead_to_another_key() {
    let world = World::new();
    let free = ["Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"];
    for (_, template) in CONFIRMATIONS {
        let mail = String::from_utf8(world.fill(template)).unwrap();
        let signed = world.signed_without(&mail, &free);
        let (header, body) = signed.split_once("\r\n\r\n").unwrap();
        let header = header.replace("\r\n\t", "\t").replace("\r\n ", " ");
        let kept: Vec<&str> =
            header.split("\r\n").filter(|line| !free.iter().any(|name| line.starts_with(name))).collect();
        for kind in [
            "text/plain",
            "text/html",
            "text/plain; charset=utf-16le",
            "text/html; charset=iso-2022-jp",
            "multipart/mixed; boundary=x",
            "multipart/alternative; boundary=\"=_b2?x\"",
            "message/rfc822",
            "application/octet-stream",
        ] {
            for encoding in ["7bit", "base64", "quoted-printable", "x-uuencode"] {
                let changed = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}");
                let mail = format!("{}\r\n{changed}\r\n\r\n{body}", kept.join("\r\n"));
                let recognised = world.recognise(mail.as_bytes());
                // Read in another way, something else of what the vendor wrote may look like a key: for an operator.
                if recognised.key.is_some_and(|key| key != world.key) {
                    let other = "its key is of another make than the current one (length or fixed beginning)";
                    assert_eq!(outcome(&recognised.finding), (Outcome::Held, other), "{mail}");
                }
            }
        }
    }
}

#[test]
fn m10_r07_another_customers_mail_and_one_that_was_sent_on_are_refused() {
    let world = World::new();
    let to_another = world.unsigned().replacen(TO, "customer@other.example", 1);
    let signed = String::from_utf8(world.signer.sign(to_another.as_bytes())).unwrap();
    let why = "it is addressed to somebody else: whoever got it may have sent it on";
    world.expect(&signed, (Outcome::Suspicious, why));
    world.expect(
        &format!("Delivered-To: {TO}\r\nX-Original-To: {TO}\r\n{signed}"),
        (Outcome::Suspicious, why),
    );
    let as_ours = signed.replacen("customer@other.example", TO, 1);
    world.expect(&as_ours, (Outcome::Suspicious, NOT_HELD));
    for name in ["Resent-From", "Resent-To", "Resent-Date", "resent-message-id"] {
        let sent_on = format!("{name}: {TO}\r\n{}", world.signed());
        world.expect(&sent_on, (Outcome::Suspicious, "it was sent on by somebody (Resent-)"));
    }
    world.expect(&format!("Delivered-To: {TO}\r\n{}", world.signed()), TAKEN);
}

#[test]
fn m11_r08_last_years_confirmation_is_known_and_without_a_memory_it_is_as_old_as_it_was() {
    let mut world = World::new();
    let replayed = world.signed();
    world.arrived_at = world.dated() + std::time::Duration::from_secs(365 * 86_400);
    world.known.insert(world.key.fingerprint());
    world.expect(&replayed, (Outcome::Known, ""));
    // The core holds what is dated before the key that it has; it is told the truth about the age.
    world.known.remove(&world.key.fingerprint());
    let recognised = world.recognise(replayed.as_bytes());
    let Finding::NewKey(confirmation) = recognised.finding else { panic!("{:?}", recognised.finding) };
    assert_eq!((confirmation.dated, confirmation.rotated_at), (world.dated(), world.dated()));
    assert_eq!(confirmation.mail.arrived_at, world.arrived_at);
    let younger = replayed.replacen("20 Nov 2026", "20 Nov 2027", 1);
    world.expect(&younger, (Outcome::Suspicious, NOT_HELD));
}

#[test]
fn m15_signatures_with_strange_names_are_none() {
    let world = World::new();
    world.expect(&world.signed(), TAKEN);
    let long = "x".repeat(64);
    for (tag, strange) in [
        ("d", "leaf7.fun'"),
        ("d", "leaf7.fun)"),
        ("d", "leaf7.fun\""),
        ("d", "leaf7.fun/x"),
        ("d", "leaf7.fun\u{1}"),
        ("d", "leaf7.fun (x)"),
        ("d", "leaf7.fun,evil.example"),
        ("d", ""),
        ("s", "s1'"),
        ("s", "s1\"x"),
        ("s", "s1(x)"),
        ("s", "s1/x"),
        ("s", "s1 x"),
        ("s", "..s1"),
        ("s", &long),
        ("s", ""),
    ] {
        let genuine = if tag == "d" { "d=leaf7.fun" } else { "s=s1" };
        let changed = world.signed().replacen(genuine, &format!("{tag}={strange}"), 1);
        let (outcome, why) = world.becomes(&changed);
        assert_eq!(outcome, Outcome::Suspicious, "{tag}={strange}: {why}");
        // Neither the name nor anything of it is shown.
        let told = ["its signature is malformed", "a header field holds control characters"];
        assert!(told.contains(&why.as_str()), "{tag}={strange}: {why}");
        assert_eq!(
            crate::mail::authenticity::questions(changed.as_bytes(), &["leaf7.fun".to_owned()]),
            [""; 0]
        );
    }
}

#[test]
fn m17_a_seal_of_a_forwarder_does_not_mend_a_broken_signature() {
    let mut world = World::new();
    let sealer = stranger(&mut world, "forwarder.example");
    let seal = "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=forwarder.example; s=s1; b=AAAA\r\n\
        ARC-Message-Signature: i=1; a=rsa-sha256; d=forwarder.example; s=s1; h=from:to; bh=AAAA; b=AAAA\r\n\
        ARC-Authentication-Results: i=1; forwarder.example; dkim=pass header.d=leaf7.fun; arc=pass\r\n";
    let footer = "\r\n-- \r\nForwarded by forwarder.example\r\n";
    world.expect(&format!("{seal}{}", world.signed()), TAKEN);
    world.expect(&format!("{seal}{}{footer}", world.signed()), OTHER_BODY);
    let signed_again = sealer.sign(format!("{}{footer}", world.signed()).as_bytes());
    world.expect(&format!("{seal}{}", String::from_utf8(signed_again).unwrap()), OTHER_BODY);
    world.expect(&format!("{seal}{}", world.unsigned()), (Outcome::Held, "nobody signed it"));
}

#[test]
fn m18_signatures_of_a_kind_that_nobody_knows_count_for_nothing() {
    let world = World::new();
    for field in [
        "DKIM2-Signature: i=1; d=leaf7.fun; s=s1; b=AAAA",
        "DKIM-Signature2: v=1; d=leaf7.fun; s=s1; b=AAAA",
        "DomainKey-Signature: a=rsa-sha1; d=leaf7.fun; s=s1; b=AAAA",
        "X-Google-DKIM-Signature: v=1; d=leaf7.fun; s=s1; b=AAAA",
        "Message-Instance: m=1; h=AAAA",
    ] {
        world.expect(&format!("{field}\r\n{}", world.signed()), TAKEN);
        world.expect(&format!("{field}\r\n{}", world.unsigned()), (Outcome::Held, "nobody signed it"));
    }
    let next_version = world.signed().replacen("v=1", "v=2", 1);
    world.expect(&next_version, (Outcome::Suspicious, "its signature is malformed"));
}
