//! The login to the store: refused, or about to end.

use super::{bench::*, *};
use crate::{
    domain::{Ending, LoginPart, StoreFacts, StoreTrouble},
    rotation::{Event, Schedule},
};

fn ending(part: LoginPart) -> Ending {
    Ending { part, from: None, until: None, uses_left: None, lost: None }
}

/// One that was given `lived` ago and lives `life`.
fn token(bench: &Bench, lived: Duration, life: Duration) -> Ending {
    let from = bench.now - lived;
    Ending { from: Some(from), until: Some(from + life), ..ending(LoginPart::Token) }
}

fn look(bench: &mut Bench) {
    bench.happens(Event::Tick(Schedule::MailboxPoll));
    bench.run();
}

fn told(bench: &mut Bench, endings: Vec<Ending>) -> Vec<String> {
    bench.world.store_facts = StoreFacts { endings, ..StoreFacts::default() };
    look(bench);
    mails(bench)
}

/// What operators were told of the login, besides all that goes on.
fn mails(bench: &mut Bench) -> Vec<String> {
    bench.take_only("mail store")
}

#[test]
fn a_token_is_told_of_when_a_quarter_of_its_life_is_left_then_urgently_and_once_more_when_it_was_replaced() {
    let mut bench = Bench::seeded();
    let long = token(&bench, DAY, 32 * DAY);
    assert_eq!(told(&mut bench, vec![long]), [""; 0]);
    bench.passes(22 * DAY);
    assert_eq!(mails(&mut bench), [""; 0]);
    bench.passes(2 * DAY);
    assert_eq!(mails(&mut bench), ["mail store-login-expiring 0 warning"]);
    bench.passes(5 * DAY);
    assert_eq!(mails(&mut bench), ["mail store-login-expiring 1 urgent"]);
    let other = token(&bench, HOUR, 32 * DAY);
    assert_eq!(told(&mut bench, vec![other]), ["mail store-login-expiring 2 urgent resolved"]);
}

#[test]
fn a_short_life_is_told_of_a_day_before_its_end_and_a_very_short_one_in_its_last_quarter() {
    for (life, left) in [(3 * DAY, DAY), (2 * DAY, DAY), (24 * HOUR, 6 * HOUR), (2 * HOUR, 30 * MIN)] {
        let mut bench = Bench::seeded();
        let fresh = token(&bench, Duration::ZERO, life);
        assert_eq!(told(&mut bench, vec![fresh]), [""; 0], "{life:?}");
        bench.passes(life - left - MIN);
        assert_eq!(mails(&mut bench), [""; 0]);
        bench.passes(2 * MIN);
        assert_eq!(mails(&mut bench), ["mail store-login-expiring 0 warning"]);
    }
}

#[test]
fn a_certificate_of_a_year_is_told_of_eight_days_before_its_end() {
    let mut bench = Bench::seeded();
    let year = Ending { part: LoginPart::Certificate, ..token(&bench, 365 * DAY - 9 * DAY, 365 * DAY) };
    assert_eq!(told(&mut bench, vec![year]), [""; 0]);
    bench.passes(DAY + HOUR);
    assert_eq!(mails(&mut bench), ["mail store-login-expiring 0 warning"]);
    bench.passes(6 * DAY);
    assert_eq!(mails(&mut bench), ["mail store-login-expiring 1 urgent"]);
}

#[test]
fn the_notice_says_what_ends_when_what_it_breaks_and_what_to_type() {
    let mut bench = Bench::seeded();
    let near = token(&bench, 9 * HOUR, 10 * HOUR);
    told(&mut bench, vec![near.clone()]);
    let notice = bench.notices.last().unwrap();
    let until = near.until.unwrap();
    assert_eq!(
        notice.message,
        format!("the token to the store ends {} (in 1 h), and cannot be renewed", until.minutes())
    );
    assert_eq!(notice.until, Some(until));
    assert_eq!(
        notice.hint,
        "make one, and put it where store.vault.auth.token says:\n\
         bao token create -policy=keyrelay -period=768h\n\
         then, if it is not read from a file:\n\
         systemctl reload keyrelay"
    );
    assert!(notice.breaks.is_some() && notice.doing.is_some());
}

#[test]
fn what_has_lost_its_use_is_told_at_once_and_few_uses_too() {
    let gone = Ending { lost: Some("it was revoked".into()), ..ending(LoginPart::SecretId) };
    let uses = |uses_left| Ending { uses_left: Some(uses_left), ..ending(LoginPart::SecretId) };
    for (ending, message) in [
        (gone, "the secret-id to the store will not do: it was revoked"),
        (uses(3), "the secret-id to the store is good for 3 more logins"),
        (uses(1), "the secret-id to the store is good for 1 more login"),
    ] {
        let mut bench = Bench::seeded();
        assert_eq!(told(&mut bench, vec![ending]), ["mail store-login-expiring 0 warning"]);
        assert_eq!(bench.notices.last().unwrap().message, message);
        assert_eq!(told(&mut bench, vec![uses(4)]), ["mail store-login-expiring 1 warning resolved"]);
    }
}

#[test]
fn each_part_of_the_login_is_an_incident_of_its_own() {
    let mut bench = Bench::seeded();
    let refused = Ending {
        lost: Some("invalid role or secret ID".into()),
        ..Ending { part: LoginPart::Login, ..token(&bench, HOUR, 3 * HOUR) }
    };
    let certificate = Ending { part: LoginPart::Certificate, ..token(&bench, 89 * DAY, 90 * DAY) };
    let both = ["mail store-login-expiring 0 urgent", "mail store-login-expiring 0 warning"];
    let mut begun = told(&mut bench, vec![refused, certificate.clone()]);
    begun.sort();
    assert_eq!(begun, both);
    assert_eq!(told(&mut bench, vec![certificate]), ["mail store-login-expiring 1 warning resolved"]);
}

#[test]
fn the_store_is_looked_at_when_the_token_is_to_be_renewed_and_not_in_a_loop() {
    let mut bench = Bench::seeded();
    bench.world.store_facts.renew_in = Some(20 * MIN);
    look(&mut bench);
    bench.take_only("check store");
    bench.wait(20 * MIN - SEC);
    assert_eq!(bench.take_only("check store"), [""; 0]);
    bench.wait(2 * SEC);
    assert_eq!(bench.take_only("check store").len(), 1);
    bench.world.store_facts.renew_in = Some(Duration::ZERO);
    look(&mut bench);
    bench.take_only("check store");
    bench.wait(MIN);
    let asked = bench.take_only("check store").len();
    assert!(asked <= 61, "{asked}");
}

#[test]
fn a_refused_login_is_one_incident_for_all_at_once_and_over_when_the_store_lets_in() {
    let mut bench = Bench::seeded();
    let why = "logging in at auth/approle: 400 (invalid role or secret ID)";
    bench.world.store_trouble = Some(StoreTrouble::LoggedOut(why.into()));
    look(&mut bench);
    bench.expect_mails(&["mail store-login-refused 0 warning"]);
    let notice = bench.notices.last().unwrap();
    assert_eq!(notice.message, format!("the store does not let keyrelay in: {why}"));
    assert!(notice.hint.ends_with("keyrelay check\nsystemctl reload keyrelay"), "{}", notice.hint);
    bench.world.alive(key(2));
    bench.confirmed(key(2));
    bench.wait(MIN);
    bench.expect_mails(&["mail store-login-refused 1 urgent", "mail key-spooled 0 warning"]);
    bench.world.store_trouble = None;
    bench.wait(MIN);
    bench.expect_mails(&[
        "mail store-login-refused 2 urgent resolved",
        "mail key-spooled 1 warning resolved",
        "mail rotated 0 info",
    ]);
}

#[test]
fn one_outage_follows_another_and_each_is_told_by_its_own_name() {
    let mut bench = Bench::seeded();
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    look(&mut bench);
    bench.expect_mails(&["mail store-sealed 0 warning"]);
    bench.world.store_trouble = Some(StoreTrouble::LoggedOut("its token has ended".into()));
    bench.wait(MIN);
    bench.expect_mails(&["mail store-login-refused 0 warning", "mail store-sealed 1 warning resolved"]);
}

#[test]
fn a_server_that_is_not_trusted_is_told_at_once_with_the_key_that_names_its_authority() {
    let mut bench = Bench::seeded();
    bench.world.store_trouble = Some(StoreTrouble::Untrusted("vault:8200: TLS: unknown issuer".into()));
    look(&mut bench);
    bench.expect_mails(&["mail store-unreachable 0 warning"]);
    let notice = bench.notices.last().unwrap();
    assert_eq!(notice.message, "the store's certificate is not trusted: vault:8200: TLS: unknown issuer");
    assert_eq!(
        notice.hint,
        "if it is the right server, name its authority's PEM file in store.vault.ca_cert, then:\n\
         keyrelay check\n\
         systemctl reload keyrelay"
    );
}

#[test]
fn during_an_outage_what_was_told_of_the_login_stays_as_it_was() {
    let mut bench = Bench::seeded();
    let near = token(&bench, 8 * HOUR, 10 * HOUR);
    assert_eq!(told(&mut bench, vec![near]), ["mail store-login-expiring 0 warning"]);
    bench.world.store_trouble = Some(StoreTrouble::Sealed);
    look(&mut bench);
    bench.wait(10 * MIN);
    bench.expect_mails(&["mail store-sealed 0 warning"]);
}
