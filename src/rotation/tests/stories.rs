//! The little stories that bring each notice about.

use super::{bench::*, world::World, *};
use crate::{
    domain::{
        Account, Code, Ending, Finding, GoodNews, LoginPart, MailRef, Notice, StoreFacts, StoreTrouble,
        Verdict, Warning,
    },
    rotation::{Alerts, Channel, Effect, Event, Input, MailboxInput, NoticeFailure, Schedule, Settings},
};
use std::collections::BTreeMap;

/// The first notice of each code, none of them an end.
pub fn gallery() -> BTreeMap<Code, Notice> {
    let stories: [fn() -> Bench; 25] = [
        never_seeded,
        observed,
        rotated_calmly,
        handed_over_badly,
        with_another_key,
        drifted,
        dead_and_overdue,
        unclear,
        blind,
        dead_candidate,
        refused_candidate,
        held_candidate,
        strange_mails,
        sealed,
        unreachable,
        forbidden,
        overwritten,
        reverted,
        adopted,
        deleted,
        without_notes,
        with_strange_notes,
        rolled_back,
        spool_in_trouble,
        on_a_strange_host,
    ];
    let benches = stories.iter().map(|story| story()).chain([
        with_a_short_grace(),
        mute(),
        flooded(),
        weekly(),
        login_ends(),
        super::tidying::untidy(),
        super::by_operator::handed_over(),
        super::ends::expiring(),
        super::ends::outdated(),
        super::ends::due(),
        super::probe_off::written(),
    ]);
    let benches = benches.chain(super::by_api_judged::in_vain());
    let mut all = BTreeMap::new();
    for notice in benches.flat_map(|bench| bench.notices).filter(|notice| !notice.resolved) {
        all.entry(notice.code).or_insert(notice);
    }
    all
}

fn never_seeded() -> Bench {
    let mut bench = Bench::start(main_settings(), World::default());
    bench.run();
    bench.looks(&[]);
    bench.run();
    bench
}
fn observed() -> Bench {
    let mut observed = main_settings();
    for one in observed.credentials.values_mut() {
        let settings = crate::rotation::Credential { observe: true, ..(**one).clone() };
        *one = std::sync::Arc::new(settings);
    }
    let mut bench = Bench::seeded_with(observed);
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(MIN);
    bench
}
fn rotated_calmly() -> Bench {
    let mut bench = Bench::seeded();
    bench.warned();
    bench.world.fake("web").silent = true;
    bench.wait(HOUR);
    bench.world.fake("web").silent = false;
    bench.wait(HOUR);
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.passes(DAY + 2 * HOUR);
    bench
}
fn handed_over_badly() -> Bench {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.fake("web").silent = true;
    bench.world.fake("bot").deliver_fails = true;
    bench.confirmed(key(2));
    bench.wait(2 * HOUR);
    bench
}
fn with_a_short_grace() -> Bench {
    let mut bench = Bench::seeded();
    bench.world.alive(key(2));
    bench.world.fake("web").silent = true;
    bench.confirmed(key(2));
    bench.wait(2 * MIN);
    bench.world.says(key(1), Verdict::Dead);
    bench.wait(MIN);
    bench
}
fn with_another_key() -> Bench {
    let mut bench = Bench::seeded();
    (bench.world.fake("web").reads_store, bench.world.fake("web").runs) = (false, Some(key(1)));
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(5 * MIN);
    bench
}
fn drifted() -> Bench {
    let mut bench = Bench::rotated();
    (bench.world.fake("bot").copy, bench.world.fake("bot").runs) = (Some(key(1)), Some(key(1)));
    bench.tick(Schedule::ConsumerProve);
    bench.wait(10 * MIN);
    bench
}
fn dead_and_overdue() -> Bench {
    let mut bench = Bench::seeded();
    bench.warned();
    bench.passes(DAY + 2 * HOUR);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(20 * MIN);
    bench
}
fn unclear() -> Bench {
    let mut bench = Bench::rotated();
    bench.world.says(key(2), Verdict::Unclear);
    bench.passes(HOUR);
    bench
}
fn blind() -> Bench {
    let mut bench = Bench::rotated();
    bench.world.control = Some(Verdict::Alive);
    bench.passes(DAY);
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.passes(10 * MIN);
    bench
}
fn dead_candidate() -> Bench {
    let mut bench = Bench::seeded();
    bench.confirmed(key(2));
    bench.wait(HOUR);
    bench
}
fn refused_candidate() -> Bench {
    let mut bench = Bench::seeded();
    bench.world.vendor.insert(key(2), (Verdict::Alive, Account::from_iter(["somebody-else"])));
    bench.confirmed(key(2));
    bench.run();
    bench
}
fn held_candidate() -> Bench {
    let mut bench = Bench::rotated();
    bench.world.alive(key(3));
    let confirmation = bench.confirmation(key(3), bench.now);
    bench.looks(&[Finding::Held { confirmation, why: "its mail has no signature".into() }]);
    bench.wait(MIN);
    bench
}
fn strange_mails() -> Bench {
    let mut bench = Bench::seeded();
    let why = |text: &str| text.to_owned();
    let mail = bench.mail(bench.now);
    bench
        .looks(&[Finding::Suspicious { mail, why: why("its signature of leaf7.fun does not fit its text") }]);
    let (mail, dated) = (bench.mail(bench.now), bench.now);
    bench.looks(&[Finding::Unparsed { mail, dated, why: why("two keys could be meant") }]);
    let waits = Finding::Wait { mail: bench.mail(bench.now), why: why("its DKIM key cannot be looked up") };
    for _ in 0..4 {
        bench.looks(std::slice::from_ref(&waits));
        bench.wait(10 * SEC);
    }
    let mail = MailRef { folder: "Spam".into(), junk: true, ..bench.mail(bench.now) };
    bench.looks(&[Finding::Warning(Warning { mail, dated: bench.now })]);
    for broken in [true, false] {
        let why = if broken { "keyrelay died over it" } else { "it has 2 MiB, and 1 MiB is the limit" };
        let (place, why) = ("INBOX, UID 7".to_owned(), why.to_owned());
        let input = MailboxInput::Unread { place, why, broken };
        bench.happens(Event::Mailbox { name: "mail".parse().unwrap(), input });
    }
    bench.wait(MIN);
    bench
}
fn with_trouble(trouble: StoreTrouble) -> Bench {
    let mut bench = Bench::rotated();
    bench.world.store_trouble = Some(trouble);
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.passes(10 * MIN);
    bench
}
fn sealed() -> Bench {
    with_trouble(StoreTrouble::Sealed)
}
fn unreachable() -> Bench {
    with_trouble(StoreTrouble::Unreachable("https://vault.example.com:8200 refuses the connection".into()))
}
fn forbidden() -> Bench {
    let mut bench = with_trouble(StoreTrouble::Forbidden("permission denied".into()));
    bench.world.store_trouble = Some(StoreTrouble::Refused("the mount is read-only".into()));
    bench.passes(HOUR);
    bench
}
fn put_into_the_store(n: u64) -> Bench {
    let mut bench = Bench::rotated();
    bench.world.put("main", key(n), bench.now);
    bench.passes(10 * MIN);
    bench
}
fn overwritten() -> Bench {
    put_into_the_store(9)
}
fn reverted() -> Bench {
    put_into_the_store(1)
}
fn adopted() -> Bench {
    let mut bench = Bench::rotated();
    bench.world.alive(key(9));
    bench.world.put("main", key(9), bench.now);
    bench.passes(10 * MIN);
    bench
}
fn deleted() -> Bench {
    let mut bench = Bench::rotated();
    bench.world.stored("main").deleted = true;
    bench.passes(10 * MIN);
    bench
}
fn without_notes() -> Bench {
    let mut bench = Bench::rotated();
    (bench.world.stored("main").state, bench.world.stored("main").state_version) = (None, 0);
    bench.restart();
    bench.wait(MIN);
    bench
}
fn with_strange_notes() -> Bench {
    let mut bench = Bench::rotated();
    bench.world.stored("main").state_refused = true;
    bench.restart();
    bench.wait(5 * MIN);
    bench
}
fn rolled_back() -> Bench {
    let mut bench = Bench::rotated();
    bench.rollback(false, 7);
    bench.run();
    bench
}
fn spool_in_trouble() -> Bench {
    let mut bench = Bench::rotated();
    bench.input(Input::SpoolUnreadable {
        why: "/var/lib/keyrelay/spool/main.0f3a.key: it does not open: damaged, or written with another spool key".into(),
    });
    bench.world.spool_trouble = Some("/var/lib/keyrelay/spool/main.77c1.key: No space left on device".into());
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    bench.world.alive(key(3));
    bench.confirmed(key(3));
    bench.wait(MIN);
    bench
}
/// What belongs to no credential.
fn on_a_strange_host() -> Bench {
    let mut bench = Bench::rotated();
    let mut mailbox = |input| bench.happens(Event::Mailbox { name: "mail".parse().unwrap(), input });
    mailbox(MailboxInput::Refused { why: "[AUTHENTICATIONFAILED] Authentication failed.".into() });
    for _ in 0..8 {
        mailbox(MailboxInput::Lost { why: "imap.example.com:993 refuses the connection".into() });
    }
    let why = "the store is sealed".into();
    mailbox(MailboxInput::TokenUnsaved { why, on_disk: true });
    let facts = StoreFacts { time: Some(bench.now - HOUR), ..StoreFacts::default() };
    bench.happens(Event::StoreChecked { outcome: Ok(facts) });
    let mistakes = "config.yaml: mailbox: unknown key; did you mean \"mailboxes\"?".to_owned();
    bench.happens(Event::ConfigRefused { mistakes });
    bench.wait(MIN);
    bench
}
/// Every way to tell somebody fails, one after the other.
fn mute() -> Bench {
    let alerts = Alerts {
        channels: [Channel::Mail, Channel::Webhook].into(),
        heartbeat: Some(5 * MIN),
        ..Alerts::default()
    };
    let mut bench = Bench::seeded_with(Settings { alerts, ..main_settings() });
    bench.world.disk_trouble =
        Some("/var/lib/keyrelay/alerts.json: No space left on device (os error 28)".into());
    bench.warned();
    bench.held_back = vec!["mail".into(), "post".into(), "beat".into()];
    for _ in 0..5 {
        bench.run();
        while let Some(effect) = bench.queue.pop_front() {
            let event = not_taken(&mut bench, effect);
            bench.happens(event);
            bench.run();
        }
        bench.wait(HOUR);
    }
    let why = "/var/lib/keyrelay/alerts.json: it is damaged: EOF while parsing a string at line 1 column 512; it is \
               now /var/lib/keyrelay/alerts.json.unreadable";
    bench.happens(Event::AlertsFound { outcome: Err(why.into()) });
    bench.held_back.clear();
    bench.run();
    bench.wait(HOUR);
    bench
}
/// Whatever goes out is refused.
fn not_taken(bench: &mut Bench, effect: Effect) -> Event {
    let Effect::Notify { channel, notice } = effect else {
        let why = "the address in alerts.heartbeat gave no answer within 10 s";
        return Event::BeatSent { outcome: Err(why.into()) };
    };
    let mail = "smtp.example.com:587 answered 554 (5.7.1 refused by policy) while sending the mail";
    let failure = match channel {
        Channel::Mail => NoticeFailure::Never(mail.into()),
        Channel::Webhook => NoticeFailure::Later("the address in alerts.webhook answered 404".into()),
    };
    let (incident, step) = (notice.incident.clone(), notice.step);
    bench.notices.push(*notice);
    Event::NoticeSent { channel, incident, step, outcome: Err(failure) }
}
fn flooded() -> Bench {
    let names: Vec<_> = (1..20).map(|n| format!("shop-{n:02}")).collect();
    let mut bench =
        Bench::start(settings(names.iter().map(|name| credential(name, &[])).collect()), World::default());
    bench.run();
    for name in &names {
        let rotation_id = crate::domain::RotationId::nil();
        let input = Input::MailsSeen { findings: Vec::new(), first: true, rotation_id };
        bench.happens(Event::Credential { name: name.parse().unwrap(), input });
    }
    bench.wait(MIN);
    bench
}
fn weekly() -> Bench {
    let alerts =
        Alerts { channels: [Channel::Mail].into(), good_news: GoodNews::Weekly, ..Alerts::default() };
    let mut bench = Bench::seeded_with(Settings { alerts, ..main_settings() });
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.passes(HOUR);
    bench.world.says(key(1), Verdict::Dead);
    bench.passes(2 * DAY);
    bench
}
fn login_ends() -> Bench {
    let mut bench = with_trouble(StoreTrouble::LoggedOut("permission denied".into()));
    bench.world.store_trouble = None;
    let ending = Ending {
        part: LoginPart::Token,
        from: Some(bench.now - 31 * DAY),
        until: Some(bench.now + DAY),
        uses_left: None,
        lost: None,
    };
    bench.world.store_facts = StoreFacts { endings: vec![ending], ..StoreFacts::default() };
    bench.passes(10 * MIN);
    bench
}
