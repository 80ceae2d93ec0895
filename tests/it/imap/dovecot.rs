//! What only Dovecot can be made to do.

use super::*;
use keyrelay::domain::{MailHash, MailPlace, Settled, Tidied};

#[tokio::test]
async fn imap01_with_another_uidvalidity_every_mail_is_handed_out_again() {
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
async fn r31_imap04_a_session_that_ends_is_told_and_a_call_leaves_idle() {
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
async fn r34_a_full_house_is_no_wrong_password() {
    let ca = Ca::new();
    let dovecot = Dovecot::start_with(&ca, 1).await;
    let right = settings(&dovecot, &ca, Tls::Implicit);
    let port = dovecot.imaps.number;
    let (_first, _waker) = imap::connect(&right, &Limits::default()).unwrap();
    let why = match imap::connect(&right, &Limits::default()).map(drop) {
        Err(MailboxTrouble::Busy(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(why.starts_with(&format!("localhost:{port}: no login at the moment: [")), "{why}");
    assert!(why.contains("Maximum number of connections"), "{why}");
}

#[tokio::test]
async fn a_password_that_is_no_ascii_lets_in() {
    let ca = Ca::new();
    let mut dovecot = Dovecot::start(&ca).await;
    dovecot.set_password("Schl\u{fc}ssel");
    dovecot.kill().await;
    dovecot.start_again().await; // it looks for a new password file no more often than each second
    let umlauts = Settings {
        login: Login::Password(Secret::new("Schl\u{fc}ssel")),
        ..settings(&dovecot, &ca, Tls::Implicit)
    };
    let (connection, _waker) = imap::connect(&umlauts, &Limits::default()).unwrap();
    connection.close();
}

#[tokio::test]
async fn r35_twelve_of_a_thousand_mails_are_found_and_only_they_are_fetched() {
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
