//! What operators read.

use super::{bench::*, *};
use crate::{
    domain::{Code, Finding},
    rotation::{Channel, Effect, Event, NoticeFailure},
};

/// Many credentials of which every one has something to tell.
fn many(count: u32) -> Bench {
    let credentials = (0..count).map(|n| credential(&format!("slot-{n:02}"), &[])).collect();
    let mut bench = Bench::start(settings(credentials), world::World::default());
    bench.run();
    for n in 0..count {
        let input = crate::rotation::Input::MailsSeen {
            findings: Vec::new(),
            first: true,
            rotation_id: crate::domain::RotationId::nil(),
        };
        bench.happens(Event::Credential { name: format!("slot-{n:02}").parse().unwrap(), input });
    }
    bench
}

/// The mail that nobody has sent yet.
fn held_mail(bench: &mut Bench) -> crate::domain::Notice {
    let index = bench.queue.iter().position(|effect| matches!(effect, Effect::Notify { .. })).unwrap();
    let Some(Effect::Notify { notice, .. }) = bench.queue.remove(index) else { panic!() };
    *notice
}

#[test]
fn of_many_notices_sixteen_go_alone_and_one_mail_names_the_others() {
    let mut bench = many(50);
    bench.wait(HOUR - SEC);
    let mut mails = vec!["mail unseeded 0 warning"; 16];
    mails.push("mail notices-summed-up 0 warning");
    bench.expect_mails(&mails);
    let summary = bench.last_notice();
    assert_eq!(summary.message, "34 notices at once: 34 unseeded");
    let lines = &summary.sections[0].lines;
    assert_eq!(lines.len(), 34);
    let first = "warning slot-16: the store holds no key at vendors/slot-16, and no confirmation was found (unseeded)";
    assert_eq!(lines[0], first);
    // A restart knows that each of them was told.
    bench.restart();
    bench.wait(MIN);
    bench.expect_mails(&[]);
}

#[test]
fn never_more_than_twenty_mails_go_out_in_an_hour_and_what_comes_later_waits_a_quarter_of_it() {
    let mut bench = many(120);
    bench.wait(MIN);
    bench.take();
    let empty = |name: &str| Event::Credential {
        name: name.parse().unwrap(),
        input: crate::rotation::Input::SpoolUnreadable { why: format!("{name}.key: it does not open") },
    };
    for n in 0..9 {
        for m in 0..10 {
            bench.happens(empty(&format!("slot-{:02}", 10 * n + m)));
        }
        bench.wait(MIN * 5);
    }
    let mails = bench.take_only("mail");
    assert_eq!(mails, ["mail notices-summed-up 0 urgent"; 3], "at 15, 30 and 45 minutes");
}

#[test]
fn ends_are_summed_up_like_beginnings() {
    let mut bench = many(30);
    bench.run();
    assert_eq!(bench.take_only("mail").len(), 17);
    for n in 0..30 {
        bench.world.put(&format!("slot-{n:02}"), key(n + 1), bench.now);
        bench.world.alive(key(n + 1));
    }
    bench.passes(20 * MIN);
    // The ends wait for their turn, and are summed up as well.
    assert_eq!(bench.take_only("mail"), ["mail notices-summed-up 0 info"]);
    let message = "60 notices at once: 30 account-recorded, 30 resolved";
    assert_eq!(bench.last_notice().message, message);
}

#[test]
fn a_mail_that_could_not_be_sent_is_sent_later_and_the_outage_is_an_incident() {
    let mut bench = Bench::seeded();
    bench.held_back = vec!["mail".into()];
    bench.warned();
    bench.run();
    for _ in 0..4 {
        let notice = held_mail(&mut bench);
        let outcome = Err(NoticeFailure::Later("connection refused".into()));
        bench.happens(Event::NoticeSent {
            channel: Channel::Mail,
            incident: notice.incident,
            step: notice.step,
            outcome,
        });
        bench.run();
        let calls = bench.deadlines;
        bench.wait(5 * MIN);
        assert!(bench.deadlines - calls < 20, "nothing spins while a mail waits");
    }
    assert_eq!(bench.fleet.open_incidents()[0].code, Code::AlertsFailing);
    assert!(!bench.fleet.alerts_work());
    bench.take();
    bench.held_back.clear();
    bench.run();
    // Nobody could be told of it while it lasted: one mail says that it was, and is over.
    bench.expect_mails(&["mail alerts-failing 1 urgent resolved"]);
    assert!(bench.fleet.alerts_work());
}

#[test]
fn what_was_told_but_did_not_go_out_before_a_restart_is_told_again_with_the_same_number() {
    let mut bench = Bench::seeded();
    let mail = bench.mail(bench.now);
    bench.held_back = vec!["mail".into()];
    let (dated, why) = (bench.now, "two keys could be meant".to_owned());
    bench.looks(&[Finding::Unparsed { mail, dated, why }]);
    bench.run();
    let told = held_mail(&mut bench);
    bench.held_back.clear();
    bench.restart();
    bench.run();
    let again = bench.last_notice();
    assert_eq!((&again.incident, again.step), (&told.incident, told.step));
    bench.take();
    bench.restart();
    bench.run();
    bench.expect_mails(&[]);
}

#[test]
fn the_good_news_say_what_was_tested() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    let notice = bench.last_notice();
    let message = "the new key 0000000000000002 is in the store, and all 2 consumers were tested with it";
    assert_eq!((notice.code, notice.message.as_str()), (Code::Rotated, message));
    assert_eq!(notice.rotation_id, bench.view().rotation_id);
    assert!(notice.consumers.iter().all(|line| line.at == Some(bench.now)));
}

#[test]
fn a_mailbox_that_is_away_for_long_is_told_once_and_opened_again_and_again() {
    use crate::rotation::MailboxInput;
    let mut bench = Bench::seeded();
    let name: crate::domain::MailboxName = "mail".parse().unwrap();
    let lost = |bench: &mut Bench| {
        let input = MailboxInput::Lost { why: "connection reset".into() };
        bench.happens(Event::Mailbox { name: name.clone(), input });
        bench.wait(MIN);
    };
    (0..3).for_each(|_| lost(&mut bench));
    assert_eq!(bench.take(), ["open mail"; 3]);
    (0..3).for_each(|_| lost(&mut bench));
    bench.expect_mails(&["mail mailbox-unreachable 0 warning"]);
    bench.looks(&[]);
    bench.run();
    bench.expect_mails(&["mail mailbox-unreachable 1 warning resolved"]);
}

#[test]
fn a_mailbox_that_refuses_the_login_is_told_at_once_and_tried_four_times_an_hour() {
    use crate::rotation::MailboxInput;
    let mut bench = Bench::seeded();
    let name: crate::domain::MailboxName = "mail".parse().unwrap();
    let refused = MailboxInput::Refused { why: "authentication failed".into() };
    bench.happens(Event::Mailbox { name: name.clone(), input: refused });
    bench.run();
    bench.expect(&["mail mailbox-refused 0 urgent"]);
    bench.wait(15 * MIN - SEC);
    bench.expect(&[]);
    bench.wait(SEC);
    bench.expect(&["open mail"]);
}
