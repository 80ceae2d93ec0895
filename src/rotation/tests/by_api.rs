//! A new key from the vendor's API: asked once, noted before, and nobody is asked when the key could be lost or could
//! not be used.

use super::{bench::*, *};
use crate::{
    domain::{
        Account, Asker, CallOutcome, Finding, Fingerprint, IssuedKey, Origin, RotatedBy, RotationId,
        StoreTrouble, Verdict,
    },
    rotation::{CallInput, Credential, Delivery, Input, Occasion, Phase, Proof, Settings, Trigger, Window},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// How the vendor takes the next calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mood {
    /// A new key, and the old one is dead.
    #[default]
    Issues,
    /// A new key, and the old one lives on.
    IssuesWithGrace,
    Refuses,
    /// A new key, whose answer is lost.
    LosesAnswer,
    /// Nothing, and no answer either.
    LosesRequest,
    /// A new key, in an answer that nobody understands.
    Mumbles,
    /// Nothing, in an answer that nobody understands.
    Fails,
    /// Nothing can be sent.
    IsAway,
    /// It is still at it.
    Hangs,
}

/// The vendor's side of the call, and the answers in the spool.
#[derive(Debug, Default)]
pub struct Api {
    pub mood: Mood,
    /// Each call, with its wish and key.
    pub calls: Vec<(RotationId, Fingerprint)>,
    pub answers: BTreeMap<RotationId, (Asker, Timestamp, CallOutcome)>,
    pub issued: BTreeSet<Fingerprint>,
    /// Of these, whose answer got into the spool and can be read.
    pub kept: BTreeSet<Fingerprint>,
    pub killed: BTreeSet<Fingerprint>,
    /// The answer does not get into the spool.
    pub spool_fails: bool,
}

impl Api {
    pub fn call(&mut self, wish: RotationId, with: Fingerprint, by: Asker, now: Timestamp) -> Option<Input> {
        self.calls.push((wish, with));
        let new = key(self.calls.len() as u64 + 1);
        let makes =
            matches!(self.mood, Mood::Issues | Mood::IssuesWithGrace | Mood::LosesAnswer | Mood::Mumbles);
        if makes {
            self.issued.insert(new);
        }
        if makes && self.mood != Mood::IssuesWithGrace {
            self.killed.insert(with);
        }
        let issued = IssuedKey {
            fingerprint: new,
            key_id: Some(format!("key_{}", self.calls.len())),
            rotated_at: Some(now),
            old_until: None,
        };
        let outcome = match self.mood {
            Mood::Issues | Mood::IssuesWithGrace => CallOutcome::Issued(issued),
            Mood::Refuses => CallOutcome::Refused { why: "403: nothing was rotated".into() },
            Mood::LosesAnswer | Mood::LosesRequest => {
                CallOutcome::Lost { why: "no answer within 30 s".into() }
            }
            Mood::Mumbles => CallOutcome::Unread { why: "200 without a key at /key".into(), success: true },
            Mood::Fails => CallOutcome::Unread { why: "502 with text".into(), success: false },
            Mood::IsAway => CallOutcome::Unsent { why: "api refuses the connection".into() },
            Mood::Hangs => return None,
        };
        let mut kept = Ok(());
        if !matches!(outcome, CallOutcome::Lost { .. } | CallOutcome::Unsent { .. }) {
            match self.spool_fails {
                true => kept = Err("no space left on device".into()),
                false => {
                    self.answers.insert(wish, (by, now, outcome.clone()));
                    self.kept.extend(Some(new).filter(|_| matches!(outcome, CallOutcome::Issued(_))));
                }
            }
        }
        Some(Input::Call(CallInput::RotationAnswered { wish, by, at: now, outcome, kept }))
    }
}

impl Bench {
    pub fn rotate(&mut self, ticket: u64) {
        self.rotate_in(None, ticket);
    }
    pub fn rotate_in(&mut self, window: Option<Window>, ticket: u64) {
        let rotation_id =
            RotationId::from_parts(u64::try_from(self.now.as_millis()).unwrap(), u128::from(ticket));
        let occasion = Occasion { rotation_id, host: "web1".into(), window };
        self.input(Input::Call(CallInput::RotateAsked { uid: 1000, ticket, occasion }));
    }
    /// What a shell tells after a start and after a reload.
    pub fn reads_answers(&mut self) {
        for (wish, (by, at, outcome)) in self.world.api.answers.clone() {
            self.input(Input::Call(CallInput::RotationAnswered { wish, by, at, outcome, kept: Ok(()) }));
        }
    }
    pub fn calls(&self) -> usize {
        self.world.api.calls.len()
    }
}

pub fn api_settings() -> Settings {
    api_settings_with(None)
}
pub fn api_settings_with(grace: Option<Duration>) -> Settings {
    let consumers = [
        ("bot", consumer(Delivery::Copy, true, Proof::Asked)),
        ("web", consumer(Delivery::None, false, Proof::Asked)),
    ];
    let one = Credential {
        vendor_title: "Legba".into(),
        rotated_by: RotatedBy::Api,
        mailbox: None,
        cadence: None,
        notice_before: None,
        grace,
        hand_over_within: HOUR,
        create_steps: vec!["Legba dashboard, API keys, create a key".into()],
        ..credential("main", &consumers)
    };
    settings(vec![one])
}
/// The key in the store.
pub fn now(bench: &Bench) -> String {
    bench.world.holds("main").split([' ', ',']).next().unwrap_or_default().to_owned()
}
/// Long since seeded with K1, and quiet.
pub fn api() -> Bench {
    Bench::seeded_with(api_settings())
}
/// The same with a change.
pub fn api_but(change: impl FnOnce(&mut Credential)) -> Bench {
    let mut settings = api_settings();
    let mut one = (*settings.credentials[&"main".parse().unwrap()]).clone();
    change(&mut one);
    settings.credentials.insert("main".parse().unwrap(), Arc::new(one));
    Bench::seeded_with(settings)
}

#[test]
fn everything_is_tried_and_noted_before_the_one_call_and_the_key_goes_to_all_at_once() {
    let mut bench = api();
    bench.rotate(7);
    bench.expect(&[
        "try spool",
        "read key",
        "rehearse bot",
        "compare bot K1",
        "prove web K1",
        "probe K1",
        "control",
    ]);
    assert_eq!(bench.phase(), Phase::Announced);
    bench.run();
    bench.expect(&[
        "prove bot K1",
        "save",
        "call with K1",
        "spool K2",
        "drop answer",
        "read key",
        "probe K2",
        "store K2 after K1 as 1 over 1",
        "read key",
        "unspool K2",
        "compare bot K2",
        "prove web K2",
        "record rotation",
        "deliver bot K2",
        "act bot",
        "prove bot K2",
        "answer 7: promoted as 1, proven: true",
        "record rotation",
        "mail rotated 0 info",
        "save",
    ]);
    assert_eq!((bench.calls(), bench.phase()), (1, Phase::Steady));
    assert!(bench.world.spool.is_empty() && bench.world.api.answers.is_empty());
    let document = bench.world.stored("main").clone();
    assert_eq!(document.key.unwrap().previous.unwrap().expires_at, None, "the old key died with the call");
    assert_eq!(document.state.unwrap().wish, None);
}

#[test]
fn the_wish_is_in_the_store_before_the_call() {
    let mut bench = api();
    bench.held_back = vec!["call".into()];
    bench.rotate(7);
    bench.run();
    let wish = bench.world.stored("main").state.clone().unwrap().wish.unwrap();
    assert_eq!((wish.old, wish.host.as_str(), wish.by), (key(1), "web1", Asker::Operator { uid: 1000 }));
    assert_eq!((wish.at, bench.calls(), bench.phase()), (bench.now, 0, Phase::Probing));
    let asked = bench.view().rotation_asked_at;
    assert_eq!(asked, Some(bench.now));
}

#[test]
fn the_history_names_the_api_and_the_key() {
    let mut bench = api();
    bench.rotate(7);
    bench.run();
    let records: Vec<_> = bench.take_records();
    let last = records.last().unwrap();
    let Some(Trigger::Candidate(Origin::Api { by, key_id, wish, .. })) = last.trigger.clone() else {
        panic!("{last:?}")
    };
    assert_eq!((by, key_id.as_deref()), (Asker::Operator { uid: 1000 }, Some("key_1")));
    assert_eq!(wish, last.rotation_id);
    let phases: Vec<_> = last.phases.iter().map(|entered| entered.phase.as_str()).collect();
    assert_eq!(phases, ["asked", "probing", "storing", "handing_over", "steady"]);
}

#[test]
fn a_new_key_that_works_only_later_is_tried_until_it_does() {
    let mut bench = api();
    bench.world.says(key(2), Verdict::Dead);
    bench.rotate(7);
    bench.wait(20 * SEC);
    assert_eq!(bench.take_only("answer"), [""; 0]);
    bench.world.alive(key(2));
    bench.wait(MIN);
    assert_eq!(bench.take_only("answer"), ["answer 7: promoted as 1, proven: true"]);
    assert_eq!(now(&bench), "K2");
    assert_eq!(bench.calls(), 1);
}

#[test]
fn a_new_key_of_another_account_is_kept_and_not_used() {
    let mut bench = api();
    bench.world.vendor.insert(key(2), (Verdict::Alive, Account::from_iter(["somebody-else"])));
    bench.rotate(7);
    bench.wait(10 * MIN);
    assert_eq!(bench.world.holds("main"), "K1, generation 0");
    assert_eq!((bench.view().held.len(), bench.world.spool.len(), bench.calls()), (1, 1, 1));
}

#[test]
fn a_new_key_that_stays_dead_is_never_thrown_away() {
    let mut bench = api();
    bench.world.says(key(2), Verdict::Dead);
    bench.rotate(7);
    bench.passes(12 * HOUR);
    assert_eq!(bench.world.spool.len(), 1);
    bench.world.alive(key(2));
    bench.wait(10 * MIN);
    assert_eq!(now(&bench), "K2");
}

#[test]
fn with_a_full_disk_the_key_goes_on_to_the_store_and_it_is_told() {
    let mut bench = api();
    bench.held_back = vec!["call".into()];
    bench.rotate(7);
    bench.run();
    bench.world.spool_trouble = Some("no space left on device".into());
    (bench.world.api.spool_fails, bench.held_back) = (true, Vec::new());
    bench.run();
    assert_eq!(now(&bench), "K2");
    let mails = bench.take_only("mail");
    assert!(mails.contains(&"mail spool-failed 0 urgent".into()), "{mails:?}");
}

#[test]
fn a_store_that_is_sealed_after_the_call_gets_the_key_when_it_is_back() {
    let mut bench = api();
    bench.held_back = vec!["call".into()];
    bench.rotate(7);
    bench.run();
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.held_back.clear();
    bench.run();
    bench.wait(MIN);
    assert_eq!(bench.take_only("answer"), ["answer 7: spooled: the store is sealed"]);
    assert_eq!((bench.world.spool.len(), bench.world.api.answers.len()), (1, 0));
    bench.world.store_trouble = None;
    bench.passes(10 * MIN);
    assert_eq!(now(&bench), "K2");
    assert_eq!((bench.calls(), bench.phase()), (1, Phase::Steady));
}

#[test]
fn going_back_after_it_is_refused_because_the_earlier_key_is_dead() {
    let mut bench = api();
    bench.rotate(7);
    bench.run();
    bench.wait(SEC);
    bench.take();
    bench.rollback(false, 8);
    bench.run();
    assert_eq!(
        bench.take_only("answer"),
        ["answer 8: refused: the vendor refuses the earlier key (the vendor says dead)"]
    );
}

#[test]
fn an_older_confirmation_says_nothing_against_a_key_that_was_asked_for() {
    let mut bench = api_but(|one| one.mailbox = Some("mail".parse().unwrap()));
    bench.rotate(7);
    bench.run();
    let old = bench.confirmation(key(9), START - HOUR);
    bench.looks(&[Finding::NewKey(old)]);
    bench.wait(HOUR);
    assert_eq!(now(&bench), "K2");
}
