//! How often a mailbox is opened, over simulated hours: servers lock out whoever hurries.

use super::{bench::*, world::World, *};
use crate::{
    domain::{Code, Finding, Notice, Severity},
    rotation::{Effect, Event, Fleet, MailboxInput, Settings},
};

/// What a server does each time, and what came of it in this time.
struct Hour {
    opened_at: Vec<Timestamp>,
    notices: Vec<Notice>,
}

fn mailbox(name: &str, input: MailboxInput) -> Event {
    Event::Mailbox { name: name.parse().unwrap(), input }
}

/// `answers` says what becomes of the opening with that number, counted from 0.
fn run_for(name: &'static str, span: Duration, answers: impl Fn(usize) -> Vec<MailboxInput>) -> Hour {
    let from = Bench::start(main_settings(), World::default()).now;
    let settings = Settings { mailboxes: vec![name.parse().unwrap()], ..main_settings() };
    let (mut fleet, mut effects) = Fleet::new(settings, from);
    let (mut now, mut hour) = (from, Hour { opened_at: Vec::new(), notices: Vec::new() });
    loop {
        for effect in std::mem::take(&mut effects) {
            match effect {
                Effect::OpenMailbox { .. } => {
                    let inputs = answers(hour.opened_at.len());
                    hour.opened_at.push(now);
                    effects
                        .extend(inputs.into_iter().flat_map(|input| fleet.handle(mailbox(name, input), now)));
                }
                Effect::Journal(notice) if notice.code != Code::Unseeded => hour.notices.push(*notice),
                _ => {}
            }
        }
        if !effects.is_empty() {
            continue;
        }
        match fleet.next_deadline() {
            Some((at, _)) if at <= from + span => now = at,
            _ => return hour,
        }
        effects = fleet.handle_deadline(now);
    }
}

fn looked() -> MailboxInput {
    MailboxInput::Looked { newest_notice_at: None }
}
fn lost() -> MailboxInput {
    MailboxInput::Lost { why: "the server took its leave: Server shutting down.".into() }
}

impl Hour {
    /// The most connections after the first one in any minute.
    fn reconnects_a_minute(&self) -> usize {
        let again = &self.opened_at[1..];
        let within = |from: &Timestamp| again.iter().filter(|at| (*from..*from + MIN).contains(at)).count();
        again.iter().map(within).max().unwrap_or_default()
    }
    fn codes(&self) -> Vec<(Code, Severity)> {
        self.notices.iter().map(|notice| (notice.code, notice.severity)).collect()
    }
}

#[test]
fn r31_a_server_that_says_bye_after_each_look_is_opened_again_at_once_and_three_times_a_minute_at_most() {
    let hour = run_for("mail", HOUR, |_| vec![looked(), lost()]);
    assert_eq!(hour.reconnects_a_minute(), 3);
    assert!((100..=181).contains(&hour.opened_at.len()), "{}", hour.opened_at.len());
    assert!(hour.opened_at[1].since(hour.opened_at[0]) <= SEC);
    assert_eq!(hour.codes(), [], "it is read all the time");
}

#[test]
fn r31_a_server_that_is_away_is_tried_three_times_a_minute_at_most_and_told_of_once() {
    let hour = run_for("mail", HOUR, |_| vec![lost()]);
    assert_eq!(hour.reconnects_a_minute(), 3);
    assert!((50..=90).contains(&hour.opened_at.len()), "{}", hour.opened_at.len());
    assert_eq!(hour.codes(), [(Code::MailboxUnreachable, Severity::Warning)]);
    assert!(hour.notices[0].at.since(hour.opened_at[0]) <= 10 * SEC);
}

#[test]
fn r31_two_mailboxes_of_one_server_do_not_come_back_in_step() {
    let [one, other] = ["mail-1", "mail-2"].map(|name| run_for(name, 10 * MIN, |_| vec![lost()]).opened_at);
    assert_eq!(one[0], other[0]);
    assert!(one[1..].iter().all(|at| !other.contains(at)), "{one:?} {other:?}");
}

#[test]
fn r32_a_password_that_is_wrong_for_an_hour_makes_few_logins_and_is_told_at_once() {
    let refused = || MailboxInput::Refused { why: "[AUTHENTICATIONFAILED] no".into() };
    let hour = run_for("mail", HOUR - SEC, |_| vec![refused()]);
    assert!((2..=6).contains(&hour.opened_at.len()), "{:?}", hour.opened_at);
    assert_eq!(hour.codes(), [(Code::MailboxRefused, Severity::Urgent)]);
    assert_eq!(hour.notices[0].at, hour.opened_at[0]);
    // The provider mends it meanwhile: the next try finds out, and that is told too.
    let hour = run_for("mail", HOUR, |number| if number < 2 { vec![refused()] } else { vec![looked()] });
    assert_eq!(hour.opened_at.len(), 3);
    assert_eq!(hour.notices.iter().map(|notice| notice.resolved).collect::<Vec<_>>(), [false, true]);
}

#[test]
fn r34_a_server_with_a_full_house_is_left_alone_for_a_quarter_of_an_hour_each_time() {
    let why =
        "imap.example.com:993: no login at the moment: [ALERT] Too many simultaneous connections. (Failure)";
    let hour = run_for("mail", 3 * HOUR, |number| match number {
        8.. => vec![looked()],
        _ => vec![MailboxInput::Busy { why: why.into() }],
    });
    let gaps: Vec<_> = hour.opened_at.windows(2).map(|pair| pair[1].since(pair[0])).collect();
    assert_eq!(gaps.len(), 8, "{gaps:?}");
    assert!(gaps.iter().all(|gap| (15 * MIN..19 * MIN).contains(gap)), "{gaps:?}");
    assert_eq!(hour.codes(), [(Code::MailboxUnreachable, Severity::Warning); 2]);
    assert!(hour.notices[0].message.ends_with(why) && hour.notices[1].resolved);
    assert_eq!(hour.notices[0].at, hour.opened_at[0]);
}

fn token_ended() -> MailboxInput {
    MailboxInput::TokenEnded { why: "its access token is to be renewed".into() }
}

#[test]
fn r33_a_connection_that_ends_with_its_token_begins_anew_and_nobody_is_told() {
    let settings = Settings { mailboxes: vec!["mail".parse().unwrap()], ..main_settings() };
    let mut bench = Bench::start(settings, World::default());
    bench.run();
    bench.happens(mailbox("mail", looked()));
    bench.run();
    bench.take();
    for _ in 0..3 {
        bench.passes(55 * MIN);
        bench.happens(mailbox("mail", token_ended()));
        bench.run();
        assert_eq!(bench.take_only("open"), ["open mail"]);
        bench.happens(mailbox("mail", looked()));
        assert_eq!(bench.take_only("mailbox"), [""; 0]);
    }
}

#[test]
fn r33_a_server_that_takes_every_token_for_ended_is_no_endless_loop_and_is_told() {
    let hour = run_for("mail", HOUR, |_| vec![token_ended()]);
    assert_eq!(hour.reconnects_a_minute(), 3);
    assert!(hour.opened_at.len() < 90, "{}", hour.opened_at.len());
    assert_eq!(hour.codes(), [(Code::MailboxUnreachable, Severity::Warning)]);
}

#[test]
fn a_refresh_token_that_the_store_does_not_take_is_tried_again_until_it_does() {
    let mut bench = Bench::seeded();
    let unsaved = |on_disk| MailboxInput::TokenUnsaved { why: "the store is sealed".into(), on_disk };
    bench.happens(mailbox("mail", unsaved(true)));
    bench.run();
    bench.expect_mails(&["mail mailbox-token-unsaved 0 warning"]);
    for _ in 0..5 {
        bench.wait(5 * MIN);
        assert_eq!(bench.take_only("save"), ["save token of mail"], "once until its outcome is known");
        bench.happens(mailbox("mail", unsaved(true)));
        bench.run();
    }
    bench.happens(mailbox("mail", unsaved(false)));
    bench.run();
    bench.expect_mails(&["mail mailbox-token-unsaved 1 urgent"]);
    bench.happens(mailbox("mail", MailboxInput::TokenSaved));
    bench.run();
    bench.expect_mails(&["mail mailbox-token-unsaved 2 urgent resolved"]);
    bench.wait(HOUR);
    assert_eq!(bench.take_only("save"), [""; 0]);
}

#[test]
fn imap14_one_mail_that_labels_show_in_two_folders_is_one_rotation() {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    let in_inbox = bench.confirmation(key(2), bench.now);
    let mut in_all_mail = in_inbox.clone();
    in_all_mail.mail.folder = "[Gmail]/All Mail".into();
    let found = [Finding::NewKey(in_inbox), Finding::NewKey(in_all_mail)];
    bench.looks(&found);
    bench.run();
    assert_eq!(bench.take_only("store").len(), 1);
    // Each new connection finds both again.
    for _ in 0..3 {
        bench.looks(&found);
        bench.wait(MIN);
    }
    let again: Vec<_> = bench
        .take()
        .into_iter()
        .filter(|line| line.starts_with("store") || line.starts_with("mail "))
        .collect();
    assert_eq!(again, [""; 0]);
    assert_eq!(bench.world.holds("main"), "K2 after K1, generation 1");
}
