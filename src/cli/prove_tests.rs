use super::super::tests::{calm, captured, done};
use super::*;

#[test]
fn the_document_holds_what_was_asked_about() {
    let done = done(Outcome::Done, calm());
    let document: serde_json::Value = serde_json::from_str(&json(&asked(&done, None, None))).unwrap();
    let consumers = serde_json::to_value(&calm().credentials[0].consumers).unwrap();
    assert_eq!(
        document,
        serde_json::json!({"schema": 1, "credentials": [{"name": "leaf7-main", "consumers": consumers}]})
    );
}

#[test]
fn only_the_consumer_that_was_asked_about_is_shown() {
    let mut status = calm();
    let mut second = status.credentials[0].clone();
    second.name = "leaf7-two".parse().unwrap();
    second.consumers[0].name = "bot".parse().unwrap();
    status.credentials.push(second);
    let done = done(Outcome::Done, status);
    let bot = "bot".parse().unwrap();
    let names: Vec<_> =
        asked(&done, None, Some(&bot)).into_iter().map(|credential| credential.name).collect();
    assert_eq!(names, ["leaf7-two".parse().unwrap()]);
    let ((), shown, told) = captured(|console| show(&asked(&done, None, Some(&bot)), console));
    assert!(shown.starts_with("leaf7-two\n  bot     in use (one instance), "), "{shown}");
    assert_eq!(told, "");
}

#[test]
fn a_test_that_failed_just_now_counts_more_than_an_older_proof() {
    let mut status = calm();
    status.credentials[0].consumers[0].error = Some("500 from the consumer".into());
    let failed = done(Outcome::Done, status);
    let asked_about = asked(&failed, None, None);
    assert_eq!(judged(failed, &asked_about).exit(), Exit::NotHeld);
    let good = done(Outcome::Done, calm());
    let asked_about = asked(&good, None, None);
    assert_eq!(judged(good, &asked_about).exit(), Exit::Done);
}
