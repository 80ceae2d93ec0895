//! What the mailbox's own server says may hold a mail back, and never lets one in.

use super::*;
use crate::demo::mails::{CONFIRMATIONS, WARNINGS};
use proptest::prelude::*;

const ID: &str = "mx.example.com";
const FAILS: &str = "mx.example.com says that the signature of leaf7.fun does not hold (dkim=fail)";
const TWICE: &str = "it bears results of mx.example.com from more than one stop on its way: that server does not \
    take out what others write in its name";

/// A world whose mailbox's server is known by name.
fn world() -> World {
    World { authserv_ids: vec![ID.into()], ..World::new() }
}

fn field(text: &str) -> Vec<u8> {
    format!("Authentication-Results: {text}\r\n").into_bytes()
}

impl World {
    fn confirmation_with(&self, fields: &[u8]) -> Vec<u8> {
        [fields, &self.signer.sign(&self.fill(CONFIRMATIONS[0].1))].concat()
    }

    fn decides(&self, mail: &[u8]) -> (Outcome, String) {
        let recognised = self.recognise(mail);
        let (outcome, why) = outcome(&recognised.finding);
        (outcome, why.to_owned())
    }
}

#[test]
fn m20_m22_m23_m24_m25_what_is_not_the_own_servers_word_changes_nothing() {
    let world = world();
    let taken = (Outcome::NewKey, String::new());
    assert_eq!(world.decides(&world.confirmation_with(b"")), taken);
    for text in [
        "aaa.com; dkim=fail header.d=leaf7.fun",
        "dkim=fail header.d=leaf7.fun; dmarc=fail header.from=leaf7.fun",
        "mx.example.com; none (dkim=fail header.d=leaf7.fun)",
        "mx.example.com; dkim=pass reason=\"; dkim=fail header.d=leaf7.fun\" header.d=leaf7.fun",
        "mx.example.com; dkim=fail",
        "mx.example.com; notdkim=fail header.d=leaf7.fun",
        "mx.example.com 2; dkim=fail header.d=leaf7.fun",
        "mx.example.com; dkim/2=fail header.d=leaf7.fun",
        "mx.example.com; dkim=fail x.d=leaf7.fun",
    ] {
        assert_eq!(world.decides(&world.confirmation_with(&field(text))), taken, "{text}");
    }
    let fails = world.confirmation_with(&field("mx.example.com; DKIM\r\n\t=\r\n fail header.d=leaf7.fun"));
    assert_eq!(world.decides(&fails), (Outcome::Held, FAILS.to_owned()), "folded and in capitals it is read");
    let world = World { authserv_ids: Vec::new(), ..world };
    assert_eq!(world.decides(&fails), taken, "nobody is asked where no name is pinned");
}

#[test]
fn m21_two_fields_of_the_own_server_with_a_stop_between_them_hold_the_mail() {
    let world = world();
    let own = "mx.example.com; dkim=pass header.d=leaf7.fun";
    let stop = b"Received: from a by mx.example.com; Fri, 20 Nov 2026 09:00:05 +0000\r\n".as_slice();
    let both_on_top = world.confirmation_with(&[&field(own), &field(own), stop].concat());
    assert_eq!(world.decides(&both_on_top), (Outcome::NewKey, String::new()));
    let one_from_elsewhere = world.confirmation_with(&[&field(own), stop, &field(own)].concat());
    assert_eq!(world.decides(&one_from_elsewhere), (Outcome::Held, TWICE.to_owned()));
    let below = String::from_utf8(world.confirmation_with(stop)).unwrap();
    let fails = String::from_utf8(field("mx.example.com; dkim=fail header.d=leaf7.fun")).unwrap();
    let below = below.replacen("From: ", &format!("{fails}From: "), 1);
    assert_eq!(world.decides(below.as_bytes()), (Outcome::NewKey, String::new()), "it was there before");
}

#[test]
fn m26_m27_what_the_own_server_says_against_it_holds_a_genuine_mail_with_its_key() {
    let world = world();
    for (text, why) in [
        ("mx.example.com; dkim=fail header.d=leaf7.fun; dkim=pass header.d=evil.example", FAILS),
        (
            "mx.example.com; dmarc=pass header.from=evil.example",
            "mx.example.com saw another From than the one that is there (dmarc)",
        ),
        (
            "mx.example.com; dkim=pass header.d=leaf7.fun; dmarc=fail header.from=leaf7.fun",
            "mx.example.com says that its From is not proven (dmarc=fail)",
        ),
    ] {
        let recognised = world.recognise(&world.confirmation_with(&field(text)));
        assert_eq!(outcome(&recognised.finding), (Outcome::Held, why), "{text}");
        assert_eq!(recognised.key.as_ref(), Some(&world.key), "an operator may let it in");
    }
    for text in [
        "mx.example.com; dkim=pass header.d=leaf7.fun; dkim=fail header.d=evil.example",
        "mx.example.com; dmarc=pass header.from=leaf7.fun",
    ] {
        assert_eq!(world.decides(&world.confirmation_with(&field(text))).0, Outcome::NewKey, "{text}");
    }
}

#[test]
fn a_warning_that_the_own_server_doubts_announces_nothing() {
    let world = world();
    let warning = world.signer.sign(&world.fill(WARNINGS[0].1));
    assert_eq!(world.decides(&warning).0, Outcome::Warning);
    let doubted = [field("mx.example.com; dkim=fail header.d=leaf7.fun"), warning].concat();
    assert_eq!(
        world.decides(&doubted),
        (Outcome::Suspicious, format!("it announces a rotation, and {FAILS}"))
    );
}

/// How good a decision is for who wants a key let in.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::NewKey | Outcome::Warning => 2,
        Outcome::Held => 1,
        Outcome::Known | Outcome::Wait | Outcome::Suspicious | Outcome::Unparsed | Outcome::NotOurs => 0,
    }
}

fn some_field() -> impl Strategy<Value = String> {
    let id =
        prop_oneof![Just(ID), Just("MX.EXAMPLE.COM"), Just("\"mx.example.com\""), Just("aaa.com"), Just("")];
    let version = prop_oneof![Just(""), Just(" 1"), Just(" 2")];
    let method =
        prop_oneof![Just("dkim"), Just("dmarc"), Just("spf"), Just("dkim/1"), Just("arc"), Just("auth")];
    let result = prop_oneof![Just("pass"), Just("fail"), Just("none"), Just("policy"), Just("PASS")];
    let property = prop_oneof![Just("header.d"), Just("header.i"), Just("header.from"), Just("reason")];
    let value =
        prop_oneof![Just("leaf7.fun"), Just("@leaf7.fun"), Just("evil.example"), Just("\"; dkim=pass\"")];
    let comment =
        prop_oneof![Just(""), Just(" (dkim=pass header.d=leaf7.fun)"), Just(" (((a)\\)"), Just(" ;")];
    let one =
        (method, result, comment, property, value).prop_map(|(method, result, comment, property, value)| {
            format!("; {method}={result}{comment} {property}={value}")
        });
    let written = (id, version, proptest::collection::vec(one, 0..4))
        .prop_map(|(id, version, all)| format!("{id}{version}{}", all.concat()));
    prop_oneof![4 => written, 1 => "[ -~]{0,80}"]
}

/// Line ends before which a field may be put in: everywhere in the header.
fn places(mail: &[u8]) -> Vec<usize> {
    let end = mail.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 2;
    let is_field = |at: &usize| *at == 0 || (mail[*at - 1] == b'\n' && !mail[*at].is_ascii_whitespace());
    (0..end).filter(is_field).collect()
}

#[test]
fn m20_m59_r10_no_results_ever_let_in_what_is_not_let_in_without_them() {
    let mut refused: Vec<(String, World, Vec<u8>)> = folder::refused().collect();
    let held = world();
    let mail = held.confirmation_with(&field("mx.example.com; dkim=fail header.d=leaf7.fun"));
    refused.push(("by the own server".into(), held, mail));
    let genuine = world();
    let mail = genuine.confirmation_with(b"");
    refused.push(("genuine".into(), genuine, mail));
    for (name, world, mail) in &mut refused {
        world.authserv_ids = vec![ID.into()];
        let before = rank(world.decides(mail).0);
        assert_eq!(before == 2, name == "genuine", "{name}");
        let places = places(mail);
        let fields = proptest::collection::vec((some_field(), proptest::sample::select(places)), 1..4);
        let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(40));
        let outcome = runner.run(&fields, |fields| {
            let mut changed = mail.clone();
            let mut fields = fields;
            fields.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
            for (text, at) in fields {
                changed.splice(at..at, field(&text));
            }
            let after = world.decides(&changed);
            prop_assert!(rank(after.0) <= before, "{after:?}: {}", String::from_utf8_lossy(&changed));
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
