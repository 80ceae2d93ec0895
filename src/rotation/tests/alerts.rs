//! Ways out that fail, good news that nobody wants one by one, notes that survive, and the sign of life.

use super::{bench::*, *};
use crate::{
    domain::{Code, Finding, GoodNews, Notice, StoreTrouble, Verdict},
    rotation::{Alerts, Channel, Effect, Event, Input, MailboxInput, NoticeFailure, Settings},
};

fn with(alerts: Alerts) -> Settings {
    Settings { alerts, ..main_settings() }
}
fn mail_alone() -> Alerts {
    Alerts { channels: [Channel::Mail].into(), ..Alerts::default() }
}
fn both() -> Alerts {
    Alerts { channels: [Channel::Mail, Channel::Webhook].into(), ..Alerts::default() }
}

/// Whatever is to be sent on a way comes to this.
fn sending_comes_to(bench: &mut Bench, way: Channel, outcome: &Result<(), NoticeFailure>) -> Vec<Notice> {
    let mut tried = Vec::new();
    bench.run();
    let held = |effect: &Effect| matches!(effect, Effect::Notify { channel, .. } if *channel == way);
    while let Some(index) = bench.queue.iter().position(held) {
        let Some(Effect::Notify { channel, notice }) = bench.queue.remove(index) else { panic!() };
        let Notice { incident, step, .. } = (*notice).clone();
        tried.push(*notice);
        bench.happens(Event::NoticeSent { channel, incident, step, outcome: outcome.clone() });
        bench.run();
    }
    tried
}
/// Time passes, and nothing can be sent.
fn outage(bench: &mut Bench, length: Duration) {
    let end = bench.now + length;
    while bench.now < end {
        sending_comes_to(bench, Channel::Mail, &later());
        bench.wait(MIN);
    }
    sending_comes_to(bench, Channel::Mail, &later());
    bench.wait(5 * MIN);
}
fn later() -> Result<(), NoticeFailure> {
    Err(NoticeFailure::Later("connection refused".into()))
}
/// A mail that pretends, of a cause of its own.
fn suspicious(bench: &mut Bench, cause: &str) {
    let mail = bench.mail(bench.now);
    let (dated, why) = (bench.now, cause.to_owned());
    bench.looks(&[Finding::Unparsed { mail, dated, why }]);
}
fn mailbox_refuses(bench: &mut Bench) {
    let input = MailboxInput::Refused { why: "authentication failed".into() };
    bench.happens(Event::Mailbox { name: "mail".parse().unwrap(), input });
}
fn ids(notices: &[Notice]) -> Vec<(Code, u32, bool)> {
    notices.iter().map(|notice| (notice.code, notice.step, notice.resolved)).collect()
}

#[test]
fn every_notice_goes_every_way_and_one_that_fails_holds_the_other_up_by_nothing() {
    let mut bench = Bench::seeded_with(with(both()));
    bench.held_back = vec!["mail".into()];
    mailbox_refuses(&mut bench);
    assert_eq!(
        ids(&sending_comes_to(&mut bench, Channel::Mail, &later())),
        [(Code::MailboxRefused, 0, false)]
    );
    bench.looks(&[]);
    bench.run();
    assert_eq!(
        bench.take_only("post"),
        ["post mailbox-refused 0 urgent", "post mailbox-refused 1 urgent resolved"]
    );
    assert!(!bench.fleet.alerts_work());
}

#[test]
fn while_the_mail_server_is_away_a_later_step_takes_the_place_of_an_earlier_one() {
    let mut bench = Bench::seeded();
    bench.held_back = vec!["mail".into()];
    suspicious(&mut bench, "two keys could be meant");
    // Half of the time is gone, then three quarters.
    outage(&mut bench, 19 * HOUR);
    let tried = sending_comes_to(&mut bench, Channel::Mail, &Ok(()));
    let unparsed: Vec<_> = tried.iter().filter(|notice| notice.code == Code::MailUnparsed).collect();
    assert_eq!(unparsed.iter().map(|notice| notice.step).collect::<Vec<_>>(), [2], "{:?}", ids(&tried));
}

#[test]
fn what_began_and_ended_while_nobody_could_be_told_is_one_mail() {
    let mut bench = Bench::seeded();
    bench.held_back = vec!["mail".into()];
    mailbox_refuses(&mut bench);
    let began = bench.now;
    sending_comes_to(&mut bench, Channel::Mail, &later());
    bench.looks(&[]);
    bench.wait(MIN);
    let tried = sending_comes_to(&mut bench, Channel::Mail, &Ok(()));
    assert_eq!(ids(&tried), [(Code::MailboxRefused, 1, true)]);
    assert_eq!(tried[0].since, began, "and says since when it was so");
}

#[test]
fn a_notice_that_is_refused_for_good_holds_no_other_and_is_given_up_in_the_end() {
    let mut bench = Bench::seeded();
    bench.held_back = vec!["mail".into()];
    let never = Err(NoticeFailure::Never("554 no thanks".into()));
    mailbox_refuses(&mut bench);
    let tried = sending_comes_to(&mut bench, Channel::Mail, &never);
    assert_eq!(ids(&tried), [(Code::MailboxRefused, 0, false), (Code::AlertsFailing, 0, false)]);
    let mut offered = 1;
    for _ in 0..5 {
        bench.wait(HOUR);
        let tried = sending_comes_to(&mut bench, Channel::Mail, &never);
        offered += tried.iter().filter(|notice| notice.code == Code::MailboxRefused).count();
    }
    assert_eq!(offered, 4);
    let open: Vec<_> = bench.fleet.open_incidents().into_iter().map(|incident| incident.code).collect();
    assert_eq!(open, [Code::MailboxRefused, Code::AlertsFailing, Code::AlertsDropped]);
}

#[test]
fn when_too_many_wait_the_least_urgent_are_given_up_first_and_that_is_told() {
    let mut bench = Bench::seeded();
    let limits = crate::domain::Limits { queued_notices: 3, ..Default::default() };
    bench.reload(Settings { limits: std::sync::Arc::new(limits), ..main_settings() });
    bench.held_back = vec!["mail".into()];
    mailbox_refuses(&mut bench);
    bench.warned();
    for n in 0..4 {
        let (place, why) = (format!("mail {n}"), "2 MiB".to_owned());
        let input = MailboxInput::Unread { place, why, broken: false };
        bench.happens(Event::Mailbox { name: "mail".parse().unwrap(), input });
    }
    bench.run();
    assert_eq!(bench.fleet.channel_views()[0].queued, 3);
    let open = bench.fleet.open_incidents();
    let dropped = open.iter().find(|incident| incident.code == Code::AlertsDropped).unwrap();
    assert!(dropped.count >= 3, "{dropped:?}");
    let tried = sending_comes_to(&mut bench, Channel::Mail, &Ok(()));
    assert_eq!(ids(&tried)[0], (Code::MailboxRefused, 0, false), "what is urgent stays");
}

#[test]
fn a_kill_while_nobody_can_be_told_loses_no_notice_no_thread_and_tells_nothing_twice() {
    let mut bench = Bench::seeded();
    mailbox_refuses(&mut bench);
    bench.run();
    bench.expect_mails(&["mail mailbox-refused 0 urgent"]);
    let thread = bench.last_notice().incident.clone();
    bench.held_back = vec!["mail".into()];
    bench.world.store_trouble = Some(StoreTrouble::Unreachable("no route".into()));
    bench.tick(crate::rotation::Schedule::CurrentKeyProbe);
    bench.wait(2 * MIN);
    let away = sending_comes_to(&mut bench, Channel::Mail, &later());
    assert_eq!(ids(&away)[0], (Code::StoreUnreachable, 0, false));
    bench.take();
    bench.restart();
    bench.held_back.clear();
    mailbox_refuses(&mut bench);
    bench.wait(HOUR);
    bench.expect_mails(&["mail store-unreachable 0 warning"]);
    assert_eq!(bench.last_notice().incident, away[0].incident);
    bench.world.store_trouble = None;
    bench.wait(MIN);
    bench.looks(&[]);
    bench.wait(MIN);
    bench.expect_mails(&[
        "mail store-unreachable 1 warning resolved",
        "mail mailbox-refused 1 urgent resolved",
    ]);
    assert_eq!(bench.last_notice().incident, thread);
}

/// Its thread is on this machine, though the store was never told of it and is away when the next process starts.
#[test]
fn a_credentials_incident_goes_on_as_the_same_thread_after_a_kill_with_the_store_away() {
    let mut bench = Bench::seeded();
    bench.held_back = vec!["mail".into(), "save".into()];
    suspicious(&mut bench, "two keys could be meant");
    bench.run();
    let first = bench.queue.iter().find_map(|effect| match effect {
        Effect::Notify { notice, .. } => Some(notice.clone()),
        _ => None,
    });
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.restart();
    bench.held_back.clear();
    bench.run();
    let again = bench.notices.iter().rfind(|notice| notice.code == Code::MailUnparsed).unwrap();
    assert_eq!((&again.incident, again.step), (&first.unwrap().incident, 0));
    bench.take();
    bench.wait(12 * HOUR);
    assert_eq!(bench.take_only("mail mail-unparsed"), ["mail mail-unparsed 1 urgent"]);
    bench.world.store_trouble = None;
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(MIN);
    assert_eq!(bench.take_only("mail mail-unparsed"), ["mail mail-unparsed 2 urgent resolved"]);
}

#[test]
fn the_store_is_not_told_that_a_rotation_is_settled_before_its_news_is_safe() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.disk_hangs = true;
    bench.confirmed(key(2));
    bench.run();
    assert_eq!((bench.phase(), settled(&mut bench)), (crate::rotation::Phase::Steady, 0));
    bench.disk_hangs = false;
    bench.run();
    assert_eq!(settled(&mut bench), 1);
}

#[test]
fn a_full_disk_is_told_and_holds_up_neither_the_store_nor_the_mails() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.disk_trouble = Some("no space left on device".into());
    bench.confirmed(key(2));
    bench.wait(MIN);
    assert_eq!(settled(&mut bench), 1);
    bench.expect_mails(&["mail rotated 0 info", "mail alerts-unsaved 0 warning"]);
    bench.world.disk_trouble = None;
    bench.wait(10 * MIN);
    bench.expect_mails(&["mail alerts-unsaved 1 warning resolved"]);
}

fn settled(bench: &mut Bench) -> u64 {
    bench.world.stored("main").state.as_ref().map_or(0, |state| state.settled)
}

#[test]
fn notes_that_cannot_be_read_are_told_of() {
    let mut bench = Bench::seeded();
    bench.world.alerts = None;
    bench.restart();
    let why = "alerts.json: it is damaged; it is now alerts.json.unreadable".to_owned();
    bench.happens(Event::AlertsFound { outcome: Err(why) });
    bench.run();
    bench.expect_mails(&["mail alerts-lost 0 warning"]);
}

#[test]
fn good_news_one_by_one_are_mails_and_off_means_off_while_trouble_and_its_end_are_mailed() {
    let mut bench = Bench::seeded_with(with(Alerts { good_news: GoodNews::Off, ..both() }));
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.run();
    mailbox_refuses(&mut bench);
    bench.wait(MIN);
    bench.looks(&[]);
    bench.run();
    let told: Vec<_> = bench
        .take()
        .into_iter()
        .filter(|line| line.starts_with("mail") || line.starts_with("post"))
        .collect();
    assert_eq!(
        told,
        [
            "post rotated 0 info",
            "mail mailbox-refused 0 urgent",
            "post mailbox-refused 0 urgent",
            "mail mailbox-refused 1 urgent resolved",
            "post mailbox-refused 1 urgent resolved",
        ]
    );
}

#[test]
fn weekly_means_one_digest_on_monday_morning_with_what_rotated_and_what_comes() {
    // START is a Saturday, 09:00.
    let mut bench = Bench::seeded_with(with(Alerts { good_news: GoodNews::Weekly, ..mail_alone() }));
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(HOUR);
    bench.expect_mails(&[]);
    bench.restart();
    bench.looks(&[]);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(DAY + 2 * HOUR);
    bench.wait(Timestamp::from_secs(START.as_secs() + 2 * 86_400 - 3_600).since(bench.now) - SEC);
    bench.expect_mails(&[]);
    bench.wait(SEC);
    bench.expect_mails(&["mail weekly-digest 0 info"]);
    let digest = bench.last_notice().clone();
    assert_eq!(
        digest.message,
        "weekly digest: 2 things went well, 0 of 2 consumers at their level, nothing is open"
    );
    assert_eq!(digest.sections[0].heading, "What went well");
    let rotated = "2026-11-21 09:02 UTC main: the new key 0000000000000002 is in the store, and all 2 consumers \
                   were tested with it; the hand-over took 0 s and ended 23 h 55 min before its deadline";
    assert_eq!(digest.sections[0].lines[1], rotated);
    assert_eq!(digest.sections[1].lines, ["2026-11-28 09:02 UTC main is expected to rotate"]);
    bench.take();
    bench.wait(6 * DAY);
    assert_eq!(bench.take_only("mail weekly"), [""; 0]);
    bench.wait(DAY);
    assert_eq!(bench.take_only("mail weekly"), ["mail weekly-digest 0 info"], "also when nothing happened");
}

#[test]
fn a_sign_of_life_is_given_while_all_is_well_and_not_otherwise() {
    let alerts = || Alerts { heartbeat: Some(5 * MIN), ..mail_alone() };
    let mut bench = Bench::seeded_with(with(alerts()));
    bench.wait(HOUR);
    assert_eq!(bench.take_only("beat").len(), 12);
    let stops = |bench: &mut Bench, what: &str| {
        bench.wait(5 * MIN);
        bench.take();
        bench.wait(HOUR);
        assert_eq!(bench.take_only("beat"), [""; 0], "{what}");
    };
    let goes_on = |bench: &mut Bench, what: &str| {
        bench.take();
        bench.wait(10 * MIN);
        assert!(!bench.take_only("beat").is_empty(), "{what}");
    };
    mailbox_refuses(&mut bench);
    stops(&mut bench, "a mailbox cannot be read");
    bench.looks(&[]);
    goes_on(&mut bench, "it can");
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.tick(crate::rotation::Schedule::CurrentKeyProbe);
    stops(&mut bench, "the store is sealed");
    bench.world.store_trouble = None;
    goes_on(&mut bench, "it is unsealed");
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(20 * MIN);
    stops(&mut bench, "the vendor refuses the key");
    bench.world.alive(key(1));
    bench.passes(20 * MIN);
    goes_on(&mut bench, "it takes it again");
    bench.world.says(key(1), Verdict::Unclear);
    bench.tick(crate::rotation::Schedule::CurrentKeyProbe);
    goes_on(&mut bench, "one unclear answer is no alarm");
    bench.passes(HOUR);
    stops(&mut bench, "the answers stay unclear");
}

#[test]
fn a_sign_of_life_that_is_not_taken_is_told_and_never_hurried() {
    let mut bench = Bench::seeded_with(with(Alerts { heartbeat: Some(5 * MIN), ..mail_alone() }));
    bench.held_back = vec!["beat".into()];
    for told in [0, 0, 1] {
        bench.wait(5 * MIN);
        let index = bench.queue.iter().position(|effect| *effect == Effect::Beat).unwrap();
        bench.queue.remove(index);
        bench.happens(Event::BeatSent { outcome: Err("it answered 500".into()) });
        assert_eq!(bench.take_only("mail").len(), told);
    }
    bench.held_back.clear();
    bench.run();
    bench.take();
    bench.wait(5 * MIN);
    bench.expect_mails(&["mail heartbeat-failing 1 warning resolved"]);
}

#[test]
fn a_command_tells_nobody_and_leaves_it_to_the_daemon() {
    let mut bench = Bench::seeded();
    let mail = bench.settings.alerts.clone();
    bench.settings.alerts = Alerts { silent: true, ..Alerts::default() };
    bench.restart();
    bench.wait(MIN);
    bench.take();
    suspicious(&mut bench, "two keys could be meant");
    bench.wait(MIN);
    bench.expect_mails(&[]);
    bench.settings.alerts = mail;
    bench.restart();
    bench.input(Input::ProveAsked { consumer: None, ticket: 1 });
    bench.wait(MIN);
    bench.expect_mails(&["mail mail-unparsed 0 urgent"]);
}
