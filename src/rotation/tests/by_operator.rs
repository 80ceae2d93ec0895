//! A vendor whose keys an operator makes and revokes: nobody is told to revoke before it is safe, and nothing is taken
//! away that still works.

use super::{bench::*, *};
use crate::{
    domain::{Account, Code, RotatedBy, Severity, StoreTrouble, Verdict},
    rotation::{Consumer, Credential, Delivery, Input, Phase, Proof, Settings},
};
use std::sync::Arc;

pub fn leadey() -> Credential {
    let consumers = [
        ("bot", consumer(Delivery::Copy, true, Proof::Asked)),
        ("web", consumer(Delivery::None, false, Proof::Asked)),
    ];
    leadey_with(&consumers)
}
fn leadey_with(consumers: &[(&str, Consumer)]) -> Credential {
    let steps = |texts: &[&str]| texts.iter().map(|text| Arc::from(*text)).collect();
    Credential {
        vendor: "leadey".parse().unwrap(),
        vendor_title: "Leadey".into(),
        dashboard: "Leadey, Cockpit, Settings, API Keys".into(),
        mailbox: None,
        rotated_by: RotatedBy::Operator,
        create_steps: steps(&["Cockpit, Settings, API Keys, create a key", "copy the key"]),
        revoke_steps: steps(&["Cockpit, Settings, API Keys, revoke the old key"]),
        cadence: None,
        notice_before: Some(7 * DAY),
        grace: None,
        probe: "GET https://backend.leadey.ai/v1/me".into(),
        ..credential("main", consumers)
    }
}
pub fn only(credential: Credential) -> Settings {
    settings(vec![credential])
}
/// K1 is in use, and Leadey shows its keys by their end.
pub fn seeded(settings: Settings) -> Bench {
    let mut bench = Bench::seeded_with(settings);
    bench.world.labels = true;
    bench.passes(20 * MIN);
    bench.take();
    bench.world.alive(key(2));
    bench
}
/// K2 was put in, and every consumer works with it.
pub fn handed_over() -> Bench {
    let mut bench = seeded(only(leadey()));
    bench.ingest(key(2), false, 7);
    bench.run();
    bench
}
impl Bench {
    #[track_caller]
    pub fn told(&self, code: Code) -> &crate::domain::Notice {
        self.notices
            .iter()
            .rfind(|notice| notice.code == code)
            .unwrap_or_else(|| panic!("{code} is not told"))
    }
}

#[test]
fn a_key_that_was_put_in_is_handed_over_and_then_the_old_one_is_to_be_revoked() {
    let mut bench = handed_over();
    assert_eq!(bench.take_only("answer"), ["answer 7: promoted as 1, proven: true"]);
    let told = bench.told(Code::RevokeOldKey).clone();
    assert_eq!(
        (told.severity, told.message.as_str()),
        (Severity::Info, "every consumer works with the new key: now revoke the old key …0001 at Leadey")
    );
    let made = bench.view().rotated_at.unwrap().minutes();
    assert_eq!(
        told.hint,
        format!(
            "1. Cockpit, Settings, API Keys, revoke the old key\nrevoke …0001; do not revoke …0002, made about \
             {made}: it is in use\nwhether it is seen to be dead:\nkeyrelay status main"
        )
    );
    assert_eq!((bench.view().grace_until, bench.view().retiring), (None, true));
    bench.take();
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(HOUR);
    bench.expect_mails(&["mail revoke-old-key 1 info resolved"]);
    assert_eq!((bench.world.holds("main").as_str(), bench.view().retiring), ("K2, generation 1", false));
    assert_eq!(bench.phase(), Phase::Steady);
}

#[test]
fn before_every_consumer_works_with_the_new_key_nobody_is_told_to_revoke_the_old_one() {
    let mut bench = seeded(only(leadey()));
    bench.world.fake("web").silent = true;
    bench.ingest(key(2), false, 7);
    bench.passes(2 * DAY);
    assert!(bench.notices.iter().all(|notice| notice.code != Code::RevokeOldKey));
    assert_eq!(bench.view().deadline_at.map(|at| at > START), Some(true));
    bench.world.fake("web").silent = false;
    bench.passes(HOUR);
    assert!(!bench.told(Code::RevokeOldKey).resolved);
}

#[test]
fn consumers_have_their_time_from_the_promotion_on_however_long_the_key_lay_in_the_spool() {
    let mut bench = seeded(only(leadey()));
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.ingest(key(2), false, 7);
    bench.passes(10 * HOUR);
    assert_eq!(bench.told(Code::KeySpooled).until, None);
    assert!(bench.told(Code::KeySpooled).breaks.as_ref().unwrap().contains("nobody revokes"));
    bench.world.store_trouble = None;
    bench.world.fake("web").silent = true;
    let promoted = bench.now;
    bench.passes(10 * MIN);
    let deadline = bench.view().deadline_at.unwrap();
    assert!(deadline > promoted + DAY - 10 * MIN && deadline <= bench.now + DAY, "{deadline}");
}

#[test]
fn an_old_key_that_is_still_alive_after_its_time_is_a_warning_again_and_again() {
    let mut bench = handed_over();
    bench.take();
    bench.passes(DAY - HOUR);
    bench.expect_mails(&[]);
    bench.passes(2 * HOUR);
    bench.expect_mails(&["mail revoke-old-key 1 warning"]);
    assert!(bench.last_notice().message.starts_with("the old key …0001 still works at Leadey"));
    bench.passes(2 * DAY);
    bench.expect_mails(&["mail revoke-old-key 2 warning", "mail revoke-old-key 3 warning"]);
    bench.restart();
    bench.passes(DAY);
    bench.expect_mails(&["mail revoke-old-key 4 warning"]);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(HOUR);
    bench.expect_mails(&["mail revoke-old-key 5 warning resolved"]);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");
}

#[test]
fn a_restart_tells_it_once_and_keeps_its_time() {
    let mut bench = handed_over();
    bench.passes(HOUR);
    bench.take();
    bench.restart();
    bench.passes(DAY - 2 * HOUR);
    bench.expect_mails(&[]);
    assert!(bench.view().incidents.iter().any(|incident| incident.code == Code::RevokeOldKey));
    bench.passes(2 * HOUR);
    bench.expect_mails(&["mail revoke-old-key 1 warning"]);
    assert!(
        bench.last_notice().message.contains("…0001"),
        "the label is noted: {}",
        bench.last_notice().message
    );
}

#[test]
fn an_old_key_that_is_revoked_too_early_is_told_and_kept_until_the_consumers_are_there() {
    let mut bench = seeded(only(leadey()));
    bench.world.fake("web").silent = true;
    bench.ingest(key(2), false, 7);
    bench.wait(MIN);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(20 * MIN);
    let told = bench.told(Code::OldKeyDied);
    assert_eq!(told.severity, Severity::Urgent);
    assert_eq!(
        told.message,
        "the old key is dead already, before every consumer was tested with the new one"
    );
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    bench.world.fake("web").silent = false;
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K2, generation 1");
    assert!(
        bench.notices.iter().all(|notice| notice.code != Code::RevokeOldKey),
        "there is nothing to revoke"
    );
    assert_eq!(bench.view().incidents, []);
}

#[test]
fn where_the_wrong_key_was_revoked_the_way_back_is_named_and_nobody_is_told_to_revoke_the_other() {
    let mut bench = handed_over();
    bench.passes(20 * MIN);
    bench.take();
    bench.world.says(key(2), Verdict::Dead);
    bench.input(Input::Unauthorized { fingerprint: None, from: None });
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail key-dead 0 urgent"]);
    let hint = bench.last_notice().hint.clone();
    assert!(hint.starts_with(
        "the old key …0001 works still: leave it as it is, and go back to it:\nkeyrelay rollback main\n"
    ));
    assert!(
        hint.ends_with("1. Cockpit, Settings, API Keys, create a key\n2. copy the key\nkeyrelay ingest main"),
        "{hint}"
    );
    let open = bench.view().incidents;
    let revoke = open.iter().find(|incident| incident.code == Code::RevokeOldKey).unwrap();
    assert!(
        revoke
            .message
            .starts_with("do not revoke the old key …0001 at Leadey yet: Leadey refuses the new one")
    );
    bench.rollback(false, 8);
    bench.run();
    assert_eq!(bench.take_only("answer"), ["answer 8: promoted as 2, proven: true"]);
    assert_eq!(bench.world.holds("main"), "K1 after K2, generation 2");
    bench.passes(HOUR);
    assert!(bench.view().incidents.iter().all(|incident| incident.code != Code::RevokeOldKey));
}

#[test]
fn a_consumer_that_falls_back_to_the_old_key_stops_the_revocation() {
    let mut bench = handed_over();
    (bench.world.fake("web").reads_store, bench.world.fake("web").runs) = (false, Some(key(1)));
    bench.passes(2 * HOUR);
    let open = bench.view().incidents;
    let revoke = open.iter().find(|incident| incident.code == Code::RevokeOldKey).unwrap();
    let why =
        "do not revoke the old key …0001 at Leadey yet: web must be shown to work with the new one first";
    assert_eq!(revoke.message, why);
}

#[test]
fn a_consumer_that_is_not_seen_from_here_is_named_before_anything_is_revoked() {
    let elsewhere = Consumer { elsewhere: true, ..consumer(Delivery::Copy, true, Proof::Asked) };
    let mut bench = seeded(only(leadey_with(&[
        ("far", elsewhere),
        ("web", consumer(Delivery::None, false, Proof::Asked)),
    ])));
    bench.ingest(key(2), false, 7);
    bench.run();
    let breaks = bench.told(Code::RevokeOldKey).breaks.clone().unwrap();
    assert!(breaks.ends_with("look first: far"), "{breaks}");
}

#[test]
fn a_key_of_another_account_is_refused_whether_the_vendor_or_its_answers_say_so() {
    let mut bench = seeded(only(leadey()));
    bench.world.vendor.insert(key(3), (Verdict::Alive, Account::from_iter(["org-of-somebody"])));
    bench.ingest(key(3), true, 1);
    bench.run();
    bench.world.anothers.insert(key(2));
    bench.ingest(key(2), true, 2);
    bench.run();
    assert_eq!(
        bench.take_only("answer"),
        [
            "answer 1: refused: it is of another account than the current key",
            "answer 2: refused: the vendor says that it is of another account",
        ]
    );
    assert_eq!(bench.world.holds("main"), "K1, generation 0");
}

#[test]
fn where_the_vendor_shows_no_account_each_key_asks_once() {
    let mut bench = seeded(only(Credential { has_identity: false, ..leadey() }));
    for (ticket, n) in [(1, 2), (3, 3)] {
        bench.world.alive(key(n));
        bench.ingest(key(n), false, ticket);
        bench.run();
        let why = "this vendor shows no account, so it cannot be proven to be ours";
        assert_eq!(bench.take_only("answer"), [format!("answer {ticket}: held: {why}")]);
        bench.ingest(key(n), true, ticket + 1);
        bench.run();
        let promoted = format!("answer {}: promoted as {}, proven: true", ticket + 1, n - 1);
        assert_eq!(bench.take_only("answer"), [promoted]);
    }
}

#[test]
fn a_second_key_supersedes_the_first_wherever_that_is_and_says_so() {
    let mut bench = seeded(only(leadey()));
    bench.world.alive(key(3));
    bench.world.alive(key(4));
    bench.world.fake("web").silent = true;
    bench.ingest(key(2), false, 1);
    bench.run();
    bench.ingest(key(3), false, 2);
    bench.wait(MIN);
    let beside =
        "it supersedes the rotation to the key 0000000000000002, which not every consumer had come to yet";
    assert_eq!(bench.take_only("answer 2"), [format!("answer 2: promoted as 2, proven: false; {beside}")]);
    bench.world.fake("web").silent = false;
    bench.passes(10 * MIN);

    bench.world.says(key(4), Verdict::Unclear);
    bench.ingest(key(4), false, 3);
    bench.wait(MIN);
    bench.take();
    bench.world.alive(key(4));
    bench.world.alive(key(5));
    bench.ingest(key(5), false, 4);
    bench.run();
    let beside =
        "it supersedes the key 0000000000000004 from an operator (uid 1000), which was not promoted yet";
    assert_eq!(bench.take_only("answer"), [format!("answer 4: promoted as 3, proven: true; {beside}")]);
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K5 after K3, generation 3");
    assert_eq!(bench.world.spool.len(), 0);
}

#[test]
fn a_key_that_comes_while_another_is_being_written_waits_for_that_and_says_so() {
    let mut bench = seeded(only(leadey()));
    bench.world.alive(key(3));
    bench.held_back = vec!["store".into()];
    bench.ingest(key(2), false, 1);
    bench.run();
    bench.ingest(key(3), false, 2);
    bench.run();
    bench.held_back.clear();
    bench.run();
    let beside = "it waited for the key 0000000000000002, which was being written to the store";
    assert_eq!(
        bench.take_only("answer"),
        [
            "answer 1: promoted as 1, proven: true".to_owned(),
            format!("answer 2: promoted as 2, proven: true; {beside}")
        ]
    );
}

#[test]
fn of_two_keys_that_wait_for_the_store_the_later_one_alone_is_promoted() {
    let mut bench = seeded(only(leadey()));
    bench.world.alive(key(3));
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.ingest(key(2), false, 1);
    bench.wait(MIN);
    bench.ingest(key(3), false, 2);
    bench.wait(MIN);
    bench.world.store_trouble = None;
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K3 after K1, generation 1");
}

#[test]
fn the_vendors_limit_goes_to_the_current_key_however_long_the_old_one_is_watched() {
    let leafpad = Credential { limit: (2_000, DAY), ..leadey() };
    let mut bench = seeded(only(leafpad));
    bench.ingest(key(2), false, 1);
    bench.passes(3 * DAY);
    bench.take();
    let mut longest = Duration::ZERO;
    let mut probes = 0;
    for _ in 0..144 {
        bench.passes(10 * MIN);
        probes += bench.take_only("probe").len();
        let (_, asked_at) = bench.view().last_probe.unwrap();
        longest = longest.max(bench.now.since(asked_at));
    }
    assert!(longest <= 30 * MIN, "the current key was not asked for {longest:?}");
    assert!((60..=100).contains(&probes), "{probes} a day");
}

#[test]
fn without_a_key_the_steps_to_make_one_are_told() {
    let mut bench = Bench::start(only(leadey()), super::world::World::default());
    bench.wait(MIN);
    bench.expect_mails(&["mail unseeded 0 warning"]);
    let told = bench.last_notice();
    assert_eq!(told.message, "the store holds no key at vendors/main");
    assert_eq!(
        told.hint,
        "1. Cockpit, Settings, API Keys, create a key\n2. copy the key\nkeyrelay ingest main"
    );
}
