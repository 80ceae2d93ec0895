//! What becomes of a confirmation once its rotation is over: what may go, when, and what must stay.

use super::{bench::*, world::World, *};
use crate::{
    domain::{Confirmation, Finding, Hygiene, Settled, Timestamp, Verdict},
    rotation::{Credential, Settings},
};
use std::sync::Arc;

pub fn with(settings: Settings, hygiene: &Hygiene) -> Settings {
    let one = |one: &Arc<Credential>| Arc::new(Credential { hygiene: hygiene.clone(), ..(**one).clone() });
    let credentials = settings.credentials.iter().map(|(name, known)| (name.clone(), one(known))).collect();
    Settings { credentials, ..settings }
}
pub fn wishing(settled: Settled, report_copies: bool) -> Bench {
    Bench::seeded_with(with(main_settings(), &Hygiene { settled, report_copies }))
}
fn moving() -> Bench {
    wishing(Settled::Move("Done".into()), false)
}
/// What is done in the mailbox, since the last time.
pub fn tidied(bench: &mut Bench) -> Vec<String> {
    let tidies = |line: &String| ["move", "delete", "count"].iter().any(|verb| line.starts_with(verb));
    bench.take().into_iter().filter(tidies).collect()
}
/// The confirmation of this key, which is alive, is read.
pub fn rotate(bench: &mut Bench, number: u64) -> Confirmation {
    bench.world.alive(key(number));
    let confirmation = bench.confirmation(key(number), bench.now);
    bench.looks(&[Finding::NewKey(confirmation.clone())]);
    confirmation
}
pub fn copy_of(confirmation: &Confirmation, bench: &mut Bench, folder: &str) -> Finding {
    let mut mail = bench.mail(bench.now);
    (mail.id, mail.folder) = (confirmation.mail.id.clone(), folder.into());
    Finding::Known { mail, fingerprint: confirmation.fingerprint, dated: START, genuine: true }
}

/// The folder is not there at first; and the confirmation lies in two.
pub fn untidy() -> Bench {
    let mut bench = wishing(Settled::Move("Rotated".into()), true);
    let why = "imap.example.com:993: UID MOVE to \"Rotated\" is refused: Mailbox doesn't exist: Rotated";
    bench.world.mailbox.refusal = Some(why.into());
    let confirmation = rotate(&mut bench, 2);
    let copy = copy_of(&confirmation, &mut bench, "Junk");
    bench.looks(&[copy]);
    bench.wait(HOUR);
    bench.world.mailbox.refusal = None;
    bench.wait(HOUR);
    bench
}

#[test]
fn s23_a_confirmation_is_moved_when_every_consumer_works_with_its_key_and_that_is_on_record() {
    let mut bench = moving();
    rotate(&mut bench, 2);
    bench.run();
    let lines: Vec<_> = bench.take();
    let after = |line: &str| {
        lines.iter().position(|known| known == line).unwrap_or_else(|| panic!("{line}: {lines:?}"))
    };
    let last = |line: &str| lines.iter().rposition(|known| known == line).unwrap();
    assert!(after("record rotation") < after("save"));
    assert!(after("prove bot K2") < after("save") && after("prove web K2") < after("save"));
    assert!(after("save") < last("read key"), "the key is read once more");
    assert!(last("read key") < after("move to Done: INBOX 7/1"), "{lines:?}");
    bench.passes(DAY);
    assert_eq!(tidied(&mut bench), [""; 0], "once");
}

#[test]
fn s23_nothing_is_touched_unless_it_is_wished_for() {
    for (settled, report_copies, expected) in [
        (Settled::Keep, false, vec![]),
        (Settled::Keep, true, vec![]),
        (Settled::Delete, false, vec!["delete INBOX 7/1"]),
    ] {
        let mut bench = wishing(settled, report_copies);
        rotate(&mut bench, 2);
        bench.wait(HOUR);
        assert_eq!(tidied(&mut bench), expected);
    }
}

#[test]
fn s23_what_is_only_observed_stays() {
    let hygiene = Hygiene { settled: Settled::Delete, report_copies: true };
    let mut bench = Bench::seeded_with(with(observed_settings(), &hygiene));
    let confirmation = rotate(&mut bench, 2);
    bench.wait(HOUR);
    bench.world.put("main", key(2), bench.now);
    for fake in bench.world.consumers.values_mut() {
        (fake.copy, fake.runs) = (Some(key(2)), Some(key(2)));
    }
    let copy = copy_of(&confirmation, &mut bench, "Junk");
    bench.looks(&[copy]);
    bench.passes(2 * DAY);
    assert_eq!(tidied(&mut bench), [""; 0]);
}

#[test]
fn s23_while_a_consumer_is_not_proven_the_mail_stays() {
    let mut bench = moving();
    bench.world.fake("web").silent = true;
    rotate(&mut bench, 2);
    bench.passes(3 * HOUR);
    assert_eq!(tidied(&mut bench), [""; 0]);
    bench.world.fake("web").silent = false;
    bench.passes(2 * HOUR);
    assert_eq!(tidied(&mut bench), ["move to Done: INBOX 7/1"]);
}

#[test]
fn s23_while_the_key_is_in_no_store_the_mail_stays() {
    let mut bench = moving();
    bench.world.store_trouble = Some(crate::domain::StoreTrouble::Sealed);
    rotate(&mut bench, 2);
    bench.passes(3 * HOUR);
    assert_eq!(tidied(&mut bench), [""; 0]);
    bench.world.store_trouble = None;
    bench.passes(HOUR);
    assert_eq!(tidied(&mut bench), ["move to Done: INBOX 7/1"]);
}

/// The key is read once more just before: what somebody did to it meanwhile is seen.
#[test]
fn s23_a_key_that_left_the_store_since_it_settled_keeps_its_mail() {
    type Mishap = (&'static str, fn(&mut World, Timestamp));
    let mishaps: [Mishap; 3] = [
        ("deleted", |world, _| world.stored("main").deleted = true),
        ("an earlier key", |world, now| world.put("main", key(1), now)),
        ("somebody else's", |world, now| {
            world.says(key(9), Verdict::Dead);
            world.put("main", key(9), now);
        }),
    ];
    for (what, happen) in mishaps {
        let mut bench = moving();
        bench.held_back = vec!["save".into()];
        rotate(&mut bench, 2);
        bench.run();
        happen(&mut bench.world, bench.now);
        bench.held_back.clear();
        bench.passes(2 * HOUR);
        assert_eq!(tidied(&mut bench), [""; 0], "{what}");
    }
}

#[test]
fn s23_a_kill_at_any_moment_leaves_no_mail_behind_and_takes_none_too_early() {
    let mut cuts = 0;
    for cut in 0..40 {
        let mut bench = moving();
        let confirmation = rotate(&mut bench, 2);
        cuts += usize::from(bench.run_only(cut));
        let settled = bench.world.stored("main").state.as_ref().map_or(0, |state| state.settled);
        assert!(bench.world.mailbox.gone.is_empty() || settled == 1, "cut after {cut}");
        bench.restart();
        bench.run();
        let at = confirmation.mail.lies_at().unwrap();
        let (known, done) = bench.main().recognition();
        let is_known = known.contains(&key(2)) || done.contains(&confirmation.mail.id);
        let Confirmation { mail, fingerprint, .. } = confirmation.clone();
        let again = match is_known {
            true => Finding::Known { mail, fingerprint, dated: START, genuine: true },
            false => Finding::NewKey(confirmation),
        };
        let findings: Vec<_> =
            Some(again).filter(|_| !bench.world.mailbox.gone.contains(&at)).into_iter().collect();
        bench.looks(&findings);
        bench.passes(HOUR);
        assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1", "cut after {cut}");
        assert!(bench.world.mailbox.gone.contains(&at), "cut after {cut}");
        bench.take();
        bench.passes(HOUR);
        assert_eq!(tidied(&mut bench), [""; 0], "cut after {cut}");
    }
    assert!(cuts > 20, "only {cuts} cuts fell into the rotation");
}

/// It was noted, and the mailbox need not hand it out again: it may be older than what is searched for.
#[test]
fn s23_what_was_noted_before_a_kill_is_tidied_after_it() {
    let mut bench = moving();
    bench.held_back = vec!["move".into()];
    rotate(&mut bench, 2);
    bench.run();
    bench.held_back.clear();
    bench.take();
    bench.restart();
    bench.looks(&[]);
    bench.passes(HOUR);
    assert_eq!(tidied(&mut bench), ["move to Done: INBOX 7/1"]);
}

#[test]
fn s23_a_superseded_rotation_is_tidied_with_the_one_that_took_its_place() {
    let mut bench = moving();
    bench.world.fake("web").silent = true;
    rotate(&mut bench, 2);
    bench.passes(HOUR);
    rotate(&mut bench, 3);
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K3 after K2, generation 2");
    assert_eq!(tidied(&mut bench), [""; 0]);
    bench.world.fake("web").silent = false;
    bench.passes(2 * HOUR);
    assert_eq!(tidied(&mut bench), ["move to Done: INBOX 7/1, INBOX 7/2"]);
}

/// It was never in the store: its mail may be its only copy.
#[test]
fn s23_the_mail_of_a_key_that_was_passed_over_stays() {
    let mut bench = moving();
    bench.world.alive(key(2));
    bench.world.alive(key(3));
    let older = bench.confirmation(key(2), bench.now);
    let newer = bench.confirmation(key(3), bench.now + SEC);
    bench.now = bench.now + MIN;
    bench.looks(&[Finding::NewKey(older), Finding::NewKey(newer)]);
    bench.passes(3 * HOUR);
    assert_eq!(bench.world.holds("main"), "K3 after K1, generation 1");
    assert_eq!(tidied(&mut bench), ["move to Done: INBOX 7/2"]);
}

#[test]
fn s23_a_key_that_is_held_or_refused_keeps_its_mail_until_an_operator_lets_it_in() {
    let mut bench = moving();
    bench.world.alive(key(2));
    let confirmation = bench.confirmation(key(2), bench.now);
    let why = "the vendor is not pinned".into();
    bench.looks(&[Finding::Held { confirmation, why }]);
    bench.passes(2 * HOUR);
    assert_eq!(tidied(&mut bench), [""; 0]);
    bench.accept(key(2), 7);
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
    assert_eq!(tidied(&mut bench), ["move to Done: INBOX 7/1"]);
}

#[test]
fn s23_while_an_operator_has_gone_back_nothing_is_touched_and_then_all_is_made_up_for() {
    let mut bench = moving();
    bench.held_back = vec!["move".into()];
    rotate(&mut bench, 2);
    bench.run();
    bench.restart(); // the order is lost with the process
    bench.looks(&[]);
    bench.run();
    bench.rollback(false, 1);
    bench.run();
    bench.queue.clear();
    bench.restart();
    bench.looks(&[]);
    bench.held_back.clear();
    bench.take();
    bench.passes(2 * HOUR);
    assert_eq!(bench.world.holds("main"), "K1 after K2, generation 2");
    assert_eq!(tidied(&mut bench), [""; 0]);
    bench.accept(key(2), 2);
    bench.passes(2 * HOUR);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 3");
    assert_eq!(tidied(&mut bench), ["move to Done: INBOX 7/1"]);
}

/// Its mail is gone, and nothing is lost: the store holds the newer key as the previous one, the spool holds it too.
#[test]
fn s23_going_back_after_the_mail_is_gone_loses_no_key() {
    let mut bench = moving();
    rotate(&mut bench, 2);
    bench.passes(HOUR);
    assert_eq!(tidied(&mut bench), ["move to Done: INBOX 7/1"]);
    bench.rollback(false, 1);
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K1 after K2, generation 2");
    assert!(bench.world.spool.contains_key(&key(2)));
    bench.accept(key(2), 2);
    bench.passes(HOUR);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 3");
    assert_eq!(tidied(&mut bench), [""; 0]);
}

#[test]
fn s23_a_key_that_keyrelay_did_not_promote_keeps_its_mail() {
    let mut bench = moving();
    let mail = bench.mail(bench.now);
    bench.looks(&[Finding::Known { mail, fingerprint: key(1), dated: START, genuine: true }]);
    bench.passes(2 * HOUR);
    assert_eq!(tidied(&mut bench), [""; 0]);
}

#[test]
fn s23_a_server_that_says_no_is_told_of_and_tried_until_it_does_it() {
    let mut bench = moving();
    bench.world.mailbox.refusal = Some("UID MOVE to \"Done\" is refused: no such folder".into());
    rotate(&mut bench, 2);
    bench.passes(HOUR);
    let lines = bench.take();
    let moves = lines.iter().filter(|line| line.starts_with("move")).count();
    assert!((5..60).contains(&moves), "{moves} tries in an hour");
    let mails: Vec<_> = lines.iter().filter(|line| line.starts_with("mail mail")).collect();
    assert_eq!(mails, ["mail mail-not-tidied 0 warning"]);
    bench.restart();
    bench.looks(&[]);
    bench.passes(HOUR);
    assert!(bench.take().iter().all(|line| !line.starts_with("mail mail")), "told once");
    bench.world.mailbox.refusal = None;
    bench.passes(HOUR);
    let lines = bench.take();
    assert_eq!(lines.iter().filter(|line| line.starts_with("move")).count(), 1);
    assert!(lines.contains(&"mail mail-not-tidied 1 warning resolved".to_owned()), "{lines:?}");
}

#[test]
fn imap01_s23_a_mail_whose_place_has_changed_is_looked_for_and_found_there() {
    let mut bench = moving();
    let confirmation = bench.confirmation(key(2), bench.now);
    bench.world.mailbox.elsewhere.extend(confirmation.mail.lies_at());
    bench.world.alive(key(2));
    bench.looks(&[Finding::NewKey(confirmation.clone())]);
    bench.wait(HOUR);
    let lines = bench.take();
    let at = lines.iter().position(|line| line == "move to Done: INBOX 7/1").unwrap();
    assert!(lines[at..].contains(&"look afresh".to_owned()), "{lines:?}");
    assert_eq!(lines.iter().filter(|line| line.starts_with("move")).count(), 1, "not again where it is not");
    let copy = copy_of(&confirmation, &mut bench, "INBOX");
    bench.looks(&[copy]);
    bench.wait(HOUR);
    assert_eq!(tidied(&mut bench), ["move to Done: INBOX 7/2"]);
}

#[test]
fn imap07_s23_a_mail_that_somebody_took_away_is_done() {
    let mut bench = moving();
    let confirmation = rotate(&mut bench, 2);
    bench.world.mailbox.gone.extend(confirmation.mail.lies_at());
    bench.passes(3 * HOUR);
    let lines = bench.take();
    assert_eq!(lines.iter().filter(|line| line.starts_with("move")).count(), 1);
    assert!(!lines.iter().any(|line| line.starts_with("mail mail")), "{lines:?}");
}

/// Whatever was done before the connection broke is found done.
#[test]
fn s23_a_connection_that_breaks_is_made_up_for_and_told_only_if_it_always_does() {
    let mut bench = moving();
    bench.world.mailbox.breaks = true;
    rotate(&mut bench, 2);
    bench.run();
    bench.world.mailbox.breaks = false;
    bench.passes(HOUR);
    let lines = bench.take();
    assert_eq!(lines.iter().filter(|line| line.starts_with("move")).count(), 2);
    assert!(!lines.iter().any(|line| line.starts_with("mail mail")), "{lines:?}");

    bench.world.mailbox.breaks = true;
    rotate(&mut bench, 3);
    bench.passes(HOUR);
    assert_eq!(bench.take_only("mail mail"), ["mail mail-not-tidied 0 warning"]);
}

#[test]
fn s23_a_wish_that_is_taken_back_ends_its_notice_and_its_notes() {
    let mut bench = moving();
    bench.world.mailbox.refusal = Some("no".into());
    rotate(&mut bench, 2);
    bench.passes(HOUR);
    bench.take();
    bench.reload(main_settings());
    bench.passes(HOUR);
    assert_eq!(bench.take_only("mail mail"), ["mail mail-not-tidied 1 warning resolved"]);
    assert!(bench.world.stored("main").state.as_ref().unwrap().copies.is_empty());
}

/// Nobody has to wait for the next rotation, or for the next connection.
#[test]
fn s23_a_wish_that_comes_later_is_for_what_lies_there_already() {
    let mut bench = Bench::rotated();
    let hygiene = Hygiene { settled: Settled::Delete, report_copies: false };
    bench.reload(with(main_settings(), &hygiene));
    bench.wait(MIN);
    assert_eq!(bench.take_only("look"), ["look afresh"]);
    let findings = [1, 2].map(|number| {
        let mail = bench.mail(bench.now);
        Finding::Known { mail, fingerprint: key(number), dated: START, genuine: true }
    });
    bench.looks(&findings);
    bench.wait(MIN);
    assert_eq!(tidied(&mut bench), ["delete INBOX 7/2, INBOX 7/3"]);
}
