use super::*;
use crate::domain::CredentialName;

const CHALLENGE: &str = "000102030405060708090a0b0c0d0e0f";

#[test]
fn a_proof_is_what_everybody_elses_hmac_makes_of_it() {
    // printf 'keyrelay-proof-v1\nstorefront\n000102030405060708090a0b0c0d0e0f' | openssl dgst -sha256 -hmac new-key-0123456789-ABCDEF
    let proof = expected_proof(&key("new-key-0123456789-ABCDEF"), &name("storefront"), CHALLENGE);
    assert_eq!(proof, "2429882c79082e34ac22a32328360175408b105220988026a6d9b45561c5f83a");
}

#[test]
fn a_challenge_is_32_lower_case_hex_digits_and_never_the_same() {
    let (one, two) = (Challenge::random().unwrap(), Challenge::random().unwrap());
    assert_eq!(one.as_str().len(), 32);
    assert!(one.as_str().bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')), "{one}");
    assert_ne!(one, two);
}

#[test]
fn one_object_with_the_proof_of_the_key_holds_it() {
    let new = proof(NEW);
    assert_eq!(judge(&format!(r#"{{"proof": "{new}"}}"#)), holds(&[None]));
    assert_eq!(judge(&format!(r#"{{"proof": "{}", "more": 1}}"#, new.to_uppercase())), holds(&[None]));
    let full = format!(r#"{{"proof": "{new}", "instance": "web-1", "last_401_at": "2026-11-21T09:00:00Z"}}"#);
    let last_401_at = Some("2026-11-21T09:00:00Z".parse().unwrap());
    assert_eq!(judge(&full), Answer::Holds { instances: vec![Some("web-1".into())], last_401_at });
}

#[test]
fn an_array_is_one_per_instance_and_all_must_hold() {
    let (new, old) = (proof(NEW), proof(OLD));
    let entry = |proof: &str, instance: &str| format!(r#"{{"proof": "{proof}", "instance": "{instance}"}}"#);
    let array = |entries: &[String]| judge(&format!("[{}]", entries.join(",")));

    assert_eq!(array(&[entry(&new, "a"), entry(&new, "b")]), holds(&[Some("a"), Some("b")]));
    assert_eq!(array(&[entry(&new, "a"), entry(&old, "b")]), Answer::HoldsOther(key(OLD).fingerprint()));
    let nonsense = "the proof is of no key of this credential, or of another consumer or challenge";
    assert_eq!(array(&[entry(&new, "a"), entry("00", "b")]), Answer::Wrong(nonsense.into()));
    assert_eq!(
        array(&[entry(&new, "a"), "{}".into()]),
        Answer::Wrong("one instance of several gave no proof".into())
    );
    let not_distinct = Answer::Wrong("two instances in the answer have the same name, or none".into());
    assert_eq!(array(&[entry(&new, "a"), entry(&new, "a")]), not_distinct);
    assert_eq!(array(&[entry(&new, "a"), entry(&new, "")]), not_distinct);
    assert_eq!(array(&[]), Answer::Wrong("the answer lists no instance".into()));
}

#[test]
fn the_latest_401_of_all_instances_is_kept_and_one_that_is_no_time_is_not() {
    let new = proof(NEW);
    let entry = |at: &str, instance| {
        format!(r#"{{"proof": "{new}", "instance": "{instance}", "last_401_at": "{at}"}}"#)
    };
    let entries = [entry("2026-11-21T09:00:00Z", 1), entry("2026-11-21T10:00:00Z", 2), entry("yesterday", 3)];
    let Answer::Holds { last_401_at, .. } = judge(&format!("[{}]", entries.join(","))) else {
        panic!("all hold")
    };
    assert_eq!(last_401_at, Some("2026-11-21T10:00:00Z".parse().unwrap()));
}

#[test]
fn a_proof_of_another_key_another_consumer_or_another_challenge_is_none() {
    let judged = |proof: String| judge(&format!(r#"{{"proof": "{proof}"}}"#));
    let wrong = Answer::Wrong(
        "the proof is of no key of this credential, or of another consumer or challenge".into(),
    );

    assert_eq!(judged(proof(OLD)), Answer::HoldsOther(key(OLD).fingerprint()));
    assert_eq!(judged(proof("stranger-0123456789-ABCDEF")), wrong);
    assert_eq!(judged(expected_proof(&key(NEW), &name("backoffice"), CHALLENGE)), wrong);
    assert_eq!(judged(expected_proof(&key(NEW), &name("storefront"), &CHALLENGE.replace('0', "1"))), wrong);
    assert_eq!(judged(proof(NEW)[..63].into()), wrong);
    assert_eq!(judged(String::new()), wrong);
    assert_eq!(judge(r#"{"proof": null}"#), wrong);
}

#[test]
fn what_holds_no_proof_counts_for_nothing() {
    let fingerprint = format!(r#"{{"fingerprint": "{}", "instance": "web-1"}}"#, key(NEW).fingerprint());
    for body in [&fingerprint, "{}", "null", "true", r#""ok""#, "[{}]"] {
        assert_eq!(judge(body), Answer::NoProof("the answer holds no proof".into()), "{body}");
    }
    let deep = "[".repeat(60_000);
    for body in ["", "ok\n", "<html>", &deep, &format!(r#"{{"proof": "{}"}} {{}}"#, proof(NEW))] {
        assert_eq!(judge(body), Answer::NoProof("the answer is not JSON".into()), "{:.20}", body);
    }
}

const NEW: &str = "new-key-0123456789-ABCDEF";
const OLD: &str = "old-key-0123456789-ABCDEF";

fn judge(body: &str) -> Answer {
    let question = Question {
        credential: &"leaf7-main".parse::<CredentialName>().unwrap(),
        consumer: &name("storefront"),
        key: &key(NEW),
        others: &[key("older-key-0123456789-ABC"), key(OLD)],
        now: Timestamp::MIN,
    };
    judge_answer(body.as_bytes(), &question, &Challenge(CHALLENGE.into()))
}

fn proof(text: &str) -> String {
    expected_proof(&key(text), &name("storefront"), CHALLENGE)
}

fn holds(instances: &[Option<&str>]) -> Answer {
    let instances = instances.iter().map(|name| name.map(str::to_owned)).collect();
    Answer::Holds { instances, last_401_at: None }
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn name(text: &str) -> ConsumerName {
    text.parse().unwrap()
}
