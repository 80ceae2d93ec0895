//! A call whose answer does not come, or that nobody can read: the old key says what became of it, twice and not at once.

use super::{
    bench::*,
    by_api::{Mood, api, api_settings_with, now},
    *,
};
use crate::{
    domain::{CallOutcome, Code, IssuedKey, Severity, Verdict},
    rotation::{CallInput, Input, Parked, Phase},
};

/// Asked with this outcome; what is told at once is over.
fn asked(mood: Mood) -> Bench {
    let mut bench = api();
    bench.world.api.mood = mood;
    bench.rotate(7);
    bench.run();
    assert_eq!((bench.calls(), bench.phase()), (1, Phase::Probing));
    bench.take();
    bench
}
fn open(bench: &Bench) -> Vec<(Code, Severity)> {
    bench.view().incidents.iter().map(|incident| (incident.code, incident.severity)).collect()
}

/// The stories that end without a new key.
pub fn in_vain() -> [Bench; 4] {
    let asked = |mood| {
        let mut bench = asked(mood);
        bench.wait(2 * MIN);
        bench
    };
    let mut blocked = api();
    let today = blocked.now;
    for at in [today - DAY, today] {
        blocked.world.fake("web").silent = at == today;
        let (next, host) = (Some(at + 7 * DAY), "web1".into());
        blocked.input(Input::Call(CallInput::RotationDue { at, next, host, window: None }));
        blocked.wait(SEC);
    }
    [blocked, asked(Mood::LosesRequest), asked(Mood::LosesAnswer), asked(Mood::Mumbles)]
}

#[test]
fn a_lost_answer_is_judged_after_the_calls_time_by_two_answers_a_minute_apart() {
    let mut bench = asked(Mood::LosesRequest);
    bench.wait(39 * SEC);
    bench.expect(&[]);
    bench.wait(SEC);
    bench.expect(&["probe K1"]);
    bench.wait(59 * SEC);
    bench.expect(&[]);
    bench.wait(SEC);
    let why = "unreachable: Legba made no new key: there was no answer that tells (no answer within 30 s), and the old \
               key still works";
    assert_eq!(bench.take_only("answer"), [format!("answer 7: {why}")]);
    assert_eq!(open(&bench), [(Code::RotationFailed, Severity::Warning)]);
    assert_eq!(
        (bench.phase(), bench.world.stored("main").state.clone().unwrap().wish),
        (Phase::Steady, None)
    );
}

#[test]
fn one_that_ended_with_nothing_is_over_when_it_is_asked_again() {
    let mut bench = asked(Mood::LosesRequest);
    bench.wait(2 * MIN);
    bench.world.api.mood = Mood::Issues;
    bench.rotate(8);
    bench.run();
    assert_eq!((bench.calls(), open(&bench)), (2, vec![]));
    assert!(bench.take_only("mail rotation-failed").iter().any(|line| line.ends_with("resolved")));
}

#[test]
fn a_dead_old_key_after_a_lost_answer_is_issued_and_lost() {
    let mut bench = asked(Mood::LosesAnswer);
    bench.wait(2 * MIN);
    let why = "unreachable: Legba made a new key, its answer was lost (no answer within 30 s), and the old key is dead; \
               see: keyrelay status main";
    assert_eq!(bench.take_only("answer"), [format!("answer 7: {why}")]);
    assert_eq!(open(&bench), [(Code::KeyLost, Severity::Urgent)]);
    assert_eq!(bench.phase(), Phase::Parked(Parked::KeyLost));
    let notice = bench.last_notice();
    assert_eq!(
        notice.hint,
        "Legba dashboard, API keys, create a key\nkeyrelay ingest main\nrevoke the key that was lost"
    );
    bench.rotate(8);
    assert!(bench.take_only("answer")[0].starts_with("answer 8: refused: the key that Legba made"));
    assert_eq!(bench.calls(), 1);
    bench.world.alive(key(5));
    bench.ingest(key(5), false, 9);
    bench.run();
    assert_eq!(now(&bench), "K5");
    bench.wait(MIN);
    assert_eq!((open(&bench), bench.phase()), (vec![], Phase::Steady));
}

#[test]
fn a_lost_key_is_still_told_as_lost_after_a_restart() {
    let mut bench = asked(Mood::LosesAnswer);
    bench.wait(2 * MIN);
    bench.take();
    bench.restart();
    bench.passes(HOUR);
    bench.expect_mails(&[]);
    assert_eq!(open(&bench), [(Code::KeyLost, Severity::Urgent)]);
    assert_eq!(bench.calls(), 1);
}

#[test]
fn unclear_answers_judge_nothing_and_the_vendor_is_asked_on() {
    let mut bench = asked(Mood::LosesAnswer);
    bench.world.api.killed.clear();
    bench.world.says(key(1), Verdict::Unclear);
    bench.passes(10 * MIN);
    assert_eq!(bench.phase(), Phase::Probing);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(10 * MIN);
    assert_eq!(bench.phase(), Phase::Parked(Parked::KeyLost));
}

#[test]
fn a_vendor_that_says_dead_once_and_alive_twice_has_made_nothing() {
    let mut bench = asked(Mood::LosesRequest);
    bench.world.says(key(1), Verdict::Dead);
    bench.wait(50 * SEC);
    bench.world.alive(key(1));
    bench.wait(5 * MIN);
    assert_eq!(
        (bench.phase(), open(&bench)),
        (Phase::Steady, vec![(Code::RotationFailed, Severity::Warning)])
    );
}

#[test]
fn with_a_grace_an_old_key_that_works_proves_nothing_and_only_an_operator_asks_again() {
    let mut bench = Bench::seeded_with(api_settings_with(Some(DAY)));
    bench.world.api.mood = Mood::LosesRequest;
    bench.rotate(7);
    bench.wait(2 * MIN);
    assert!(bench.take_only("answer")[0].contains("is not known"));
    assert_eq!(open(&bench), [(Code::RotationFailed, Severity::Warning)]);
    bench.passes(2 * HOUR);
    assert_eq!(bench.calls(), 1);
    bench.world.api.mood = Mood::IssuesWithGrace;
    bench.rotate(8);
    bench.run();
    assert_eq!((bench.calls(), now(&bench).as_str()), (2, "K3"));
    bench.wait(HOUR);
    assert_eq!(open(&bench), []);
}

#[test]
fn with_a_grace_the_key_is_lost_when_the_old_one_dies() {
    let mut bench = Bench::seeded_with(api_settings_with(Some(DAY)));
    bench.world.api.mood = Mood::LosesRequest;
    bench.rotate(7);
    bench.passes(DAY);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(HOUR);
    assert_eq!(open(&bench), [(Code::KeyLost, Severity::Urgent)]);
}

#[test]
fn with_a_grace_the_old_key_has_the_time_that_the_vendor_says() {
    let mut bench = Bench::seeded_with(api_settings_with(Some(DAY)));
    bench.world.api.mood = Mood::IssuesWithGrace;
    bench.rotate(7);
    bench.run();
    let document = bench.world.stored("main").key.clone().unwrap();
    assert_eq!(document.previous.unwrap().expires_at, Some(bench.now + DAY));
}

#[test]
fn a_refusal_ends_the_wish_at_once() {
    let mut bench = api();
    bench.world.api.mood = Mood::Refuses;
    bench.rotate(7);
    bench.run();
    let answers = bench.take_only("answer");
    assert_eq!(answers, ["answer 7: refused: Legba made no new key: 403: nothing was rotated"]);
    assert_eq!(open(&bench), [(Code::RotationFailed, Severity::Warning)]);
    assert!(bench.world.api.answers.is_empty());
    bench.passes(DAY);
    assert_eq!((bench.calls(), bench.phase()), (1, Phase::Steady));
}

#[test]
fn what_was_not_sent_made_nothing() {
    let mut bench = api();
    bench.world.api.mood = Mood::IsAway;
    bench.rotate(7);
    bench.run();
    let why = "refused: Legba made no new key: nothing was sent: api refuses the connection";
    assert_eq!(bench.take_only("answer"), [format!("answer 7: {why}")]);
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn an_answer_that_nobody_understands_stays_in_the_spool_and_is_read_again() {
    let mut bench = asked(Mood::Mumbles);
    assert_eq!(open(&bench), [(Code::AnswerUnreadable, Severity::Urgent)]);
    bench.passes(3 * HOUR);
    assert_eq!(open(&bench), [(Code::AnswerUnreadable, Severity::Urgent)]);
    assert_eq!(bench.world.api.answers.len(), 1);
    // The profile was corrected.
    for (_, _, outcome) in bench.world.api.answers.values_mut() {
        let issued = IssuedKey { fingerprint: key(2), key_id: None, rotated_at: None, old_until: None };
        *outcome = CallOutcome::Issued(issued);
    }
    bench.reads_answers();
    bench.run();
    assert_eq!(now(&bench), "K2");
    bench.wait(MIN);
    assert_eq!((open(&bench), bench.world.api.answers.len(), bench.calls()), (vec![], 0, 1));
}

#[test]
fn an_answer_that_nobody_understands_is_let_go_of_when_the_old_key_is_proven_to_live() {
    let mut bench = asked(Mood::Fails);
    assert_eq!(open(&bench), []);
    bench.wait(2 * MIN);
    assert_eq!(open(&bench), [(Code::RotationFailed, Severity::Warning)]);
    assert!(bench.world.api.answers.is_empty());
}

#[test]
fn an_answer_that_nobody_understands_is_let_go_of_when_a_later_key_is_current() {
    let mut bench = asked(Mood::Mumbles);
    bench.restart();
    bench.passes(10 * MIN);
    assert_eq!(
        (open(&bench), bench.world.api.answers.len()),
        (vec![(Code::AnswerUnreadable, Severity::Urgent)], 1)
    );
    bench.world.alive(key(5));
    bench.ingest(key(5), false, 9);
    bench.wait(MIN);
    assert_eq!(now(&bench), "K5");
    assert_eq!((open(&bench), bench.world.api.answers.len()), (vec![], 0));
}

#[test]
fn an_answer_that_the_spool_does_not_take_is_kept_until_it_does() {
    let mut bench = api();
    bench.held_back = vec!["call".into()];
    bench.rotate(7);
    bench.run();
    (bench.world.api.mood, bench.world.api.spool_fails) = (Mood::Mumbles, true);
    bench.world.spool_trouble = Some("no space left on device".into());
    bench.held_back.clear();
    bench.run();
    let told = bench.last_notice().doing.clone().unwrap();
    assert!(told.contains("do not stop keyrelay"), "{told}");
    bench.wait(MIN);
    bench.world.spool_trouble = None;
    bench.take();
    bench.wait(10 * MIN);
    let kept = bench.take_only("keep").len();
    assert_eq!(kept, 1);
}

#[test]
fn a_late_answer_after_the_judgement_is_a_key_like_any_other() {
    let mut bench = asked(Mood::Hangs);
    bench.world.api.killed.insert(key(1));
    bench.world.api.issued.insert(key(2));
    bench.wait(5 * MIN);
    let (wish, _) = bench.world.api.calls[0];
    let outcome = CallOutcome::Issued(IssuedKey {
        fingerprint: key(2),
        key_id: None,
        rotated_at: None,
        old_until: None,
    });
    let by = crate::domain::Asker::Schedule;
    bench.input(Input::Call(CallInput::RotationAnswered { wish, by, at: bench.now, outcome, kept: Ok(()) }));
    bench.wait(MIN);
    assert_eq!((now(&bench).as_str(), open(&bench)), ("K2", vec![]));
}
