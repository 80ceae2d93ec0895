//! The IMAP adapter against Dovecot: what the scripts in `mail::imap::tests` suppose of a server, a real one does.

use crate::world::{Ca, Dovecot};
use keyrelay::{
    domain::{Limits, MailHash, MailPlace, Secret, Settled, Tidied, Timestamp},
    mail::{
        Folders, Look, MailboxTrouble, Search, Waker, Woken,
        imap::{self, Connection, Settings, Tls},
    },
};
use std::time::{Duration, SystemTime};

const LONG: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(86_400);

fn settings(dovecot: &Dovecot, ca: &Ca, tls: Tls) -> Settings {
    Settings {
        host: "localhost".into(),
        port: if tls == Tls::Implicit { dovecot.imaps.number } else { dovecot.imap.number },
        tls,
        ca_cert: Some(ca.ca_path()),
        user: Dovecot::USER.into(),
        password: Secret::new(Dovecot::PASSWORD),
        folders: vec![],
    }
}

fn connect(dovecot: &Dovecot, ca: &Ca, tls: Tls) -> (Connection, Waker) {
    imap::connect(&settings(dovecot, ca, tls), &Limits::default()).unwrap()
}

fn search() -> Search {
    let since = Timestamp::from(SystemTime::now() - 14 * DAY);
    Search { senders: vec!["key@vendor.example".into(), "@other.example".into()], since, bytes_max: 100_000 }
}

fn mail(from: &str, text: &str) -> Vec<u8> {
    format!("From: Vendor <{from}>\r\nTo: rotation@example.com\r\nSubject: {text}\r\n\r\n{text}\r\n")
        .into_bytes()
}

/// Folder and subject of each mail, then what could not be read.
fn seen(look: &Look) -> Vec<String> {
    let mails = look.mails.iter().map(|mail| {
        let text = String::from_utf8_lossy(&mail.bytes);
        let subject = text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or("no subject");
        format!("{} {subject}", mail.folder)
    });
    mails.chain(look.unreadable.iter().cloned()).collect()
}

fn look(connection: &mut Connection, which: Folders) -> Vec<String> {
    seen(&connection.look(&search(), which).unwrap())
}

/// Waits in a thread of its own while the test goes on.
fn wait(mut connection: Connection) -> tokio::task::JoinHandle<(Connection, Result<Woken, MailboxTrouble>)> {
    tokio::task::spawn_blocking(move || {
        let woken = connection.wait(LONG);
        (connection, woken)
    })
}

fn unreachable<T>(result: Result<T, MailboxTrouble>) -> String {
    match result {
        Err(MailboxTrouble::Unreachable(why)) => why,
        Err(MailboxTrouble::Refused(why)) => panic!("refused: {why}"),
        Ok(_) => panic!("it worked"),
    }
}

#[tokio::test]
async fn a_mail_that_arrives_is_news_comes_as_it_was_sent_and_stays_unseen() {
    let ca = Ca::new();
    let dovecot = Dovecot::start(&ca).await;
    for (number, tls) in [Tls::Implicit, Tls::StartTls].into_iter().enumerate() {
        let (mut connection, _waker) = connect(&dovecot, &ca, tls);
        let before = look(&mut connection, Folders::All).len();
        assert_eq!(before, number);

        let waiting = wait(connection);
        let sent = mail("key@vendor.example", "your new key");
        dovecot.deliver(&sent, "INBOX").await;
        let (mut connection, woken) = waiting.await.unwrap();
        assert_eq!(woken, Ok(Woken::News));
        let look = connection.look(&search(), Folders::First).unwrap();
        assert_eq!(seen(&look), ["INBOX your new key"]);
        assert_eq!(*look.mails[0].bytes, sent);
        assert_eq!((look.mails[0].size, look.mails[0].header_only), (sent.len(), false));
        connection.close();
    }
    let flags = dovecot.flags("INBOX").await;
    assert_eq!(flags.len(), 2);
    assert!(!flags.concat().contains("Seen"), "{flags:?}");
}

#[tokio::test]
async fn the_server_filters_by_sender_and_day_and_junk_is_watched_too() {
    let ca = Ca::new();
    let mut dovecot = Dovecot::start(&ca).await;
    let now = SystemTime::now();
    let ago = |days| now - days * DAY;
    dovecot.deliver_at(&mail("key@vendor.example", "too old"), "INBOX", ago(20));
    dovecot.deliver_at(&mail("key@vendor.example", "in junk"), "Junk", ago(3));
    dovecot.deliver_at(&mail("KEY@Vendor.example", "other case"), "INBOX", ago(13));
    dovecot.deliver_at(&mail("any@other.example", "by domain"), "INBOX", ago(2));
    dovecot.deliver_at(&mail("somebody@else.example", "not ours"), "INBOX", ago(1));
    let large = [mail("key@vendor.example", "large"), b"x".repeat(150_000)].concat();
    dovecot.deliver_at(&large, "INBOX", ago(1));
    let middling = [mail("key@vendor.example", "middling"), b"x\r\n".repeat(30_000)].concat();
    dovecot.deliver_at(&middling, "INBOX", ago(0));

    let (mut connection, _waker) = connect(&dovecot, &ca, Tls::Implicit);
    let look = connection.look(&search(), Folders::All).unwrap();
    let all = ["INBOX other case", "Junk in junk", "INBOX by domain", "INBOX large", "INBOX middling"];
    assert_eq!(seen(&look), all);
    let sizes: Vec<_> =
        look.mails.iter().map(|mail| (mail.bytes.len() == mail.size, mail.header_only)).collect();
    assert_eq!(sizes, [(true, false), (true, false), (true, false), (false, true), (true, false)]);
    assert_eq!(*look.mails[4].bytes, middling);
    assert!(look.mails[3].bytes.ends_with(b"Subject: large\r\n\r\n"));
    assert_eq!(look.mails[1].arrived_at, Timestamp::from(ago(3)).whole_secs());

    assert_eq!(self::look(&mut connection, Folders::All), [""; 0]);
    connection.forget();
    assert_eq!(self::look(&mut connection, Folders::All), all);
}

#[tokio::test]
async fn with_another_uidvalidity_every_mail_is_handed_out_again() {
    let ca = Ca::new();
    let dovecot = Dovecot::start(&ca).await;
    dovecot.deliver(&mail("key@vendor.example", "one"), "INBOX").await;
    let (mut connection, _waker) = connect(&dovecot, &ca, Tls::Implicit);
    let place = |connection: &mut Connection| {
        let look = connection.look(&search(), Folders::All).ok()?;
        look.mails.first().map(|mail| mail.place.clone())
    };
    let before = place(&mut connection).unwrap();
    assert_eq!(place(&mut connection), None);
    dovecot.set_uidvalidity("INBOX", 77).await;
    // Dovecot may also end the session; then the next one hands it out.
    let after = place(&mut connection).or_else(|| place(&mut connect(&dovecot, &ca, Tls::Implicit).0));
    assert_eq!(after.as_deref(), Some("77/1"));
    assert_ne!(after, Some(before));
}

#[tokio::test]
async fn a_session_that_ends_is_told_and_a_call_leaves_idle() {
    let ca = Ca::new();
    let mut dovecot = Dovecot::start(&ca).await;
    let (connection, waker) = connect(&dovecot, &ca, Tls::Implicit);
    let waiting = wait(connection);
    waker.wake();
    let (connection, woken) = waiting.await.unwrap();
    assert_eq!(woken, Ok(Woken::Called));

    let waiting = wait(connection);
    dovecot.kick().await;
    let why = unreachable(waiting.await.unwrap().1);
    assert!(why.starts_with(&format!("localhost:{}: ", dovecot.imaps.number)), "{why}");
    assert!(why.contains("the server took its leave: "), "{why}");

    let (connection, _waker) = connect(&dovecot, &ca, Tls::Implicit);
    let waiting = wait(connection);
    dovecot.kill().await;
    let why = unreachable(waiting.await.unwrap().1);
    assert!(why.ends_with("the server closed the connection"), "{why}");
    let why = unreachable(imap::connect(&settings(&dovecot, &ca, Tls::Implicit), &Limits::default()));
    assert!(why.ends_with("the connection is refused; does the server run, and is the port right?"), "{why}");
}

#[tokio::test]
async fn a_wrong_password_is_refused_a_full_house_is_not() {
    let ca = Ca::new();
    let dovecot = Dovecot::start_with(&ca, 1).await;
    let right = settings(&dovecot, &ca, Tls::Implicit);
    let wrong = Settings { password: Secret::new("canary"), ..right.clone() };
    let port = dovecot.imaps.number;
    let Err(MailboxTrouble::Refused(why)) = imap::connect(&wrong, &Limits::default()) else {
        panic!("let in")
    };
    assert_eq!(
        why,
        format!(
            "localhost:{port} refuses the login of rotation@example.com: [AUTHENTICATIONFAILED] Authentication \
             failed.; check user and password, and whether this account may use IMAP"
        )
    );

    let (_first, _waker) = imap::connect(&right, &Limits::default()).unwrap();
    let why = unreachable(imap::connect(&right, &Limits::default()));
    assert!(why.starts_with(&format!("localhost:{port}: no login at the moment: [LIMIT] ")), "{why}");
}

#[tokio::test]
async fn a_password_that_is_no_ascii_lets_in() {
    let ca = Ca::new();
    let mut dovecot = Dovecot::start(&ca).await;
    dovecot.set_password("Schl\u{fc}ssel");
    dovecot.kill().await;
    dovecot.start_again().await; // it looks for a new password file no more often than each second
    let umlauts =
        Settings { password: Secret::new("Schl\u{fc}ssel"), ..settings(&dovecot, &ca, Tls::Implicit) };
    let (connection, _waker) = imap::connect(&umlauts, &Limits::default()).unwrap();
    connection.close();
}

#[tokio::test]
async fn twelve_of_a_thousand_mails_are_found_and_only_they_are_fetched() {
    let ca = Ca::new();
    let mut dovecot = Dovecot::start(&ca).await;
    for n in 0..1_000 {
        let ours = n % 84 == 3;
        let from = if ours { "key@vendor.example" } else { "news@letter.example" };
        let arrived_at = SystemTime::now() - DAY + Duration::from_secs(n);
        dovecot.deliver_at(&mail(from, &format!("number {n}")), "INBOX", arrived_at);
    }
    let (mut connection, _waker) = connect(&dovecot, &ca, Tls::Implicit);
    let expected: Vec<_> = (0..12).map(|n| format!("INBOX number {}", n * 84 + 3)).collect();
    assert_eq!(look(&mut connection, Folders::All), expected);
}

/// Sent once, in the folder; the place at which it lies.
async fn delivered(dovecot: &Dovecot, connection: &mut Connection, sent: &[u8]) -> MailPlace {
    dovecot.deliver(sent, "INBOX").await;
    let look = connection.look(&search(), Folders::All).unwrap();
    let mail = look.mails.last().expect("the mail");
    MailPlace { folder: mail.folder.clone(), place: mail.place.clone(), hash: MailHash::of(&mail.bytes) }
}

#[tokio::test]
async fn s23_a_mail_is_moved_or_deleted_alone_with_and_without_the_move_command() {
    let ca = Ca::new();
    let mut dovecot = Dovecot::start(&ca).await;
    dovecot.doveadm(&["mailbox", "create", "-u", Dovecot::USER, "Done"]).await;
    dovecot.deliver(&mail("friend@example.org", "lunch"), "INBOX").await;
    dovecot.doveadm(&["flags", "add", "-u", Dovecot::USER, "\\Deleted", "mailbox", "INBOX", "all"]).await;
    let to_done = Settled::Move("Done".into());
    let mut expected = 0;
    for without_move in [false, true] {
        if without_move {
            dovecot.start_again_as("IMAP4rev1 UIDPLUS IDLE LIST-EXTENDED SPECIAL-USE").await;
        }
        let (mut connection, _waker) = connect(&dovecot, &ca, Tls::Implicit);
        for settled in [&to_done, &Settled::Delete] {
            let sent = mail("key@vendor.example", &format!("your new key, {without_move}"));
            let place = delivered(&dovecot, &mut connection, &sent).await;
            let other = MailPlace { hash: MailHash::of(b"another mail"), ..place.clone() };
            let tidied = connection.tidy(&[other, place.clone(), place], settled, 100_000).unwrap();
            let outcomes: Vec<_> = tidied.into_iter().map(|(_, outcome)| outcome).collect();
            assert_eq!(outcomes, [Tidied::Elsewhere, Tidied::Done, Tidied::Gone]);
            expected += usize::from(*settled == to_done);
            assert_eq!((dovecot.mail_count("Done").await, dovecot.mail_count("INBOX").await), (expected, 1));
        }
        let flags = dovecot.flags("INBOX").await;
        assert!(flags[0].contains("\\Deleted"), "what somebody else has marked is there: {flags:?}");
        assert_eq!(connection.obstacles(&to_done), Ok(vec![]));
        let nowhere = connection.obstacles(&Settled::Move("Nowhere".into())).unwrap();
        assert!(nowhere.len() == 1 && nowhere[0].contains("EXAMINE \"Nowhere\" is refused"), "{nowhere:?}");
        connection.close();
    }
    assert_eq!(expected, 2);
}
