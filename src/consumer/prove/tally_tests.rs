use super::*;
use crate::domain::Key;

const NOW: Timestamp = Timestamp::from_secs(1_795_251_600);

#[test]
fn one_address_is_asked_once() {
    let (outcome, requests) = asked(1, None, |_, _| holds(&[None]));
    assert_eq!((outcome, requests), (in_use(1, None), 1));
    let (outcome, requests) = asked(1, None, |_, _| holds(&[Some("a"), Some("b")]));
    assert_eq!((outcome, requests), (in_use(2, None), 1));
    let (outcome, requests) = asked(1, None, |_, _| nothing("404"));
    assert_eq!((outcome, requests), (unproven("404", 0, None), 1));
    let (outcome, requests) = asked(1, None, |_, _| silence("refused"));
    assert_eq!((outcome, requests), (ProofOutcome::Silent("refused".into()), 1));
}

#[test]
fn each_of_several_addresses_must_prove() {
    let (outcome, requests) = asked(3, None, |_, _| holds(&[Some("same")]));
    assert_eq!((outcome, requests), (in_use(3, Some(3)), 3));
    let (outcome, _) = asked(3, None, |url, _| if url == 1 { silence("b refused") } else { holds(&[None]) });
    assert_eq!(outcome, unproven("2 of 3 instances proven; b refused", 2, Some(3)));
    let (outcome, _) =
        asked(2, None, |url, _| if url == 0 { silence("a refused") } else { silence("b refused") });
    assert_eq!(outcome, ProofOutcome::Silent("b refused".into()));
}

#[test]
fn instances_are_asked_for_until_so_many_different_ones_have_proven() {
    let names = ["a", "a", "b", "a", "c", "d"];
    let (outcome, requests) = asked(1, Some(3), |_, request| holds(&[Some(names[request])]));
    assert_eq!((outcome, requests), (in_use(3, Some(3)), 5));
    let (outcome, requests) = asked(1, Some(3), |_, _| holds(&[Some("a"), Some("b"), Some("c"), Some("d")]));
    assert_eq!((outcome, requests), (in_use(4, Some(3)), 1));
}

#[test]
fn after_four_times_as_many_requests_it_is_k_of_n() {
    let (outcome, requests) = asked(1, Some(3), |_, request| holds(&[Some(["a", "b"][request % 2])]));
    assert_eq!((outcome, requests), (unproven("2 of 3 instances proven", 2, Some(3)), 12));
    let (outcome, requests) = asked(1, Some(2), |_, _| holds(&[None]));
    let why = "1 of 2 instances proven; the answer names no instance";
    assert_eq!((outcome, requests), (unproven(why, 1, Some(2)), 8));
}

#[test]
fn a_silent_instance_among_others_does_not_end_the_asking() {
    let (outcome, requests) = asked(1, Some(2), |_, request| match request {
        0 | 2 => silence("503"),
        1 => holds(&[Some("a")]),
        _ => holds(&[Some("b")]),
    });
    assert_eq!((outcome, requests), (in_use(2, Some(2)), 4));
}

#[test]
fn where_nobody_answers_as_often_as_wanted_nobody_is_there() {
    let (outcome, requests) = asked(1, Some(5), |_, _| silence("refused"));
    assert_eq!((outcome, requests), (ProofOutcome::Silent("refused".into()), 5));
}

#[test]
fn an_instance_with_another_key_ends_the_asking_and_outweighs_the_rest() {
    let old = Key::parse("old-key-0123456789-ABCDEF").unwrap().fingerprint();
    let (outcome, requests) = asked(1, Some(3), |_, request| match request {
        0 => holds(&[Some("a")]),
        _ => Finding::HoldsOther(old),
    });
    assert_eq!((outcome, requests), (ProofOutcome::OtherKey(old), 2));
    let (outcome, _) =
        asked(2, None, |url, _| if url == 0 { Finding::HoldsOther(old) } else { nothing("404") });
    assert_eq!(outcome, ProofOutcome::OtherKey(old));
}

#[test]
fn several_addresses_with_fewer_instances_are_still_asked_once_each() {
    let (outcome, requests) = asked(6, Some(1), |_, _| holds(&[None]));
    assert_eq!((outcome, requests), (in_use(6, Some(1)), 6));
}

#[test]
fn no_address_and_no_instance_are_never_proven() {
    let silent = ProofOutcome::Silent("no address is named".into());
    assert_eq!(asked(0, None, |_, _| holds(&[None])), (silent.clone(), 0));
    assert_eq!(asked(0, Some(0), |_, _| silence("refused")).0, silent);
    let (outcome, _) = asked(1, None, |_, _| holds(&[]));
    assert_eq!(outcome, ProofOutcome::Unproven { why: String::new(), instances: Instances::default() });
}

/// Asks as the adapter does, round by round; how the consumer answers depends on the address and the request's number.
fn asked(
    urls: usize,
    wanted: Option<u32>,
    answer: impl Fn(usize, usize) -> Finding,
) -> (ProofOutcome, usize) {
    let (mut tally, mut requests) = (Tally::new(urls, wanted), 0);
    while tally.wants_more() {
        for url in 0..urls.min(tally.room()) {
            tally.add(url, answer(url, requests));
            requests += 1;
        }
    }
    (tally.outcome(NOW), requests)
}

fn holds(instances: &[Option<&str>]) -> Finding {
    let instances = instances.iter().map(|name| name.map(str::to_owned)).collect();
    Finding::Holds { instances, last_401_at: None }
}
fn nothing(why: &str) -> Finding {
    Finding::Nothing(why.into())
}
fn silence(why: &str) -> Finding {
    Finding::Silence(why.into())
}
fn in_use(proven: u32, wanted: Option<u32>) -> ProofOutcome {
    ProofOutcome::Proven {
        level: ProofLevel::InUse,
        instances: Instances { proven, wanted },
        at: NOW,
        last_401_at: None,
    }
}
fn unproven(why: &str, proven: u32, wanted: Option<u32>) -> ProofOutcome {
    ProofOutcome::Unproven { why: why.into(), instances: Instances { proven, wanted } }
}
