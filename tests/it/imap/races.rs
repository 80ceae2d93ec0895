//! What happens on the server while we look: mails vanish, the folder becomes another, nothing comes any more.

use super::*;
use crate::world::{Imap, Tap, moment};

/// Mails that vanish while they are being fetched.
const ROUNDS: u32 = 300;

/// Through the tap, which needs to read along.
fn through(tap: &Tap, limits: &Limits) -> Connection {
    let settings = Settings {
        host: "127.0.0.1".into(),
        port: tap.port(),
        tls: Tls::None,
        ca_cert: None,
        user: Dovecot::USER.into(),
        login: Login::Password(Secret::new(Dovecot::PASSWORD)),
        folders: vec![],
    };
    imap::connect(&settings, limits).unwrap().0
}

/// Looks in a thread of its own while the test goes on.
fn looking(
    mut connection: Connection,
) -> tokio::task::JoinHandle<(Connection, Result<Look, MailboxTrouble>)> {
    tokio::task::spawn_blocking(move || {
        let look = connection.look(&search(), Folders::All);
        (connection, look)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r28_imap01_another_uidvalidity_between_search_and_fetch_loses_no_mail() {
    let ca = Ca::new();
    let dovecot = Dovecot::start(&ca).await;
    let tap = Tap::to(dovecot.imap.number).await;
    dovecot.deliver(&mail("key@vendor.example", "one"), "INBOX").await;
    for round in 1..=5 {
        let connection = tokio::task::block_in_place(|| through(&tap, &Limits::default()));
        tap.hold_at("FETCH");
        let looking = looking(connection);
        tap.holds().await;
        dovecot.set_uidvalidity("INBOX", 1_000 + round).await;
        tap.let_go();
        let (mut connection, look) = looking.await.unwrap();
        println!("round {round}: {:?}", look.as_ref().map(seen));
        // Dovecot may hand the mail out, or end the session; then the next one hands it out.
        let again = connection
            .look(&search(), Folders::All)
            .or_else(|_| through(&tap, &Limits::default()).look(&search(), Folders::All));
        let seen = [look, again].into_iter().flatten().flat_map(|look| seen(&look)).collect::<Vec<_>>();
        assert!(seen.iter().any(|seen| seen == "INBOX one"), "round {round}: {seen:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r29_imap07_a_mail_that_vanishes_between_search_and_fetch_is_absent_and_the_next_one_is_found() {
    let ca = Ca::new();
    let dovecot = Dovecot::start(&ca).await;
    let tap = Tap::to(dovecot.imap.number).await;
    dovecot.deliver(&mail("key@vendor.example", "gone"), "INBOX").await;
    let mut human = Imap::login(dovecot.imap.number).await;
    human.command("SELECT INBOX").await;
    let connection = tokio::task::block_in_place(|| through(&tap, &Limits::default()));
    tap.hold_at("FETCH");
    let looking = looking(connection);
    tap.holds().await;
    dovecot.expunge("INBOX").await;
    tap.let_go();
    let (mut connection, look) = looking.await.unwrap();
    let look = look.unwrap();
    assert!(look.mails.is_empty(), "{:?}", seen(&look));
    println!("told of: {:?}", look.unreadable);

    // Marked as deleted is not gone: whoever marked it may have been wrong.
    dovecot.deliver(&mail("key@vendor.example", "marked"), "INBOX").await;
    human.command("UID STORE 1:* +FLAGS (\\Deleted)").await;
    assert_eq!(self::look(&mut connection, Folders::All), ["INBOX marked"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r29_hundreds_of_mails_that_vanish_at_any_moment_break_no_connection() {
    let ca = Ca::new();
    let mut dovecot = Dovecot::start(&ca).await;
    let mut human = Imap::login(dovecot.imap.number).await;
    human.command("SELECT INBOX").await;
    let (mut connection, _waker) = connect(&dovecot, &ca, Tls::None);
    let (mut whole, mut gone) = (0, 0);
    for round in 0..ROUNDS {
        let sent = mail("key@vendor.example", &format!("number {round}"));
        dovecot.deliver_at(&sent, "INBOX", SystemTime::now());
        human.command("NOOP").await;
        let looking = looking(connection);
        moment(Duration::from_micros(150) * (round % 20)).await;
        human.command("UID STORE 1:* +FLAGS (\\Deleted)").await;
        human.command("EXPUNGE").await;
        let (back, look) = looking.await.unwrap();
        connection = back;
        let look = look.unwrap_or_else(|trouble| panic!("round {round}: {trouble:?}"));
        match &look.mails[..] {
            [] => gone += 1,
            [mail] => {
                assert_eq!(*mail.bytes, sent, "round {round}");
                whole += 1;
            }
            more => panic!("round {round}: {} mails", more.len()),
        }
    }
    println!("of {ROUNDS} mails {whole} came whole, and {gone} were gone");
    dovecot.deliver_at(&mail("key@vendor.example", "the last"), "INBOX", SystemTime::now());
    assert_eq!(look(&mut connection, Folders::All), ["INBOX the last"]);
}

#[tokio::test]
async fn imap02_a_folder_that_was_made_anew_with_the_same_uidvalidity_has_new_mails() {
    let ca = Ca::new();
    let dovecot = Dovecot::start(&ca).await;
    dovecot.set_uidvalidity("Junk", 77).await;
    for subject in ["one", "two"] {
        dovecot.deliver(&mail("key@vendor.example", subject), "Junk").await;
    }
    let (mut connection, _waker) = connect(&dovecot, &ca, Tls::Implicit);
    assert_eq!(look(&mut connection, Folders::All), ["Junk one", "Junk two"]);
    dovecot.doveadm(&["mailbox", "delete", "-u", Dovecot::USER, "Junk"]).await;
    dovecot.doveadm(&["mailbox", "create", "-u", Dovecot::USER, "Junk"]).await;
    dovecot.set_uidvalidity("Junk", 77).await;
    dovecot.deliver(&mail("key@vendor.example", "another one"), "Junk").await;
    assert_eq!(look(&mut connection, Folders::All), ["Junk another one"]);
}
