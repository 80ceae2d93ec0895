//! What holds on every real server.

use super::*;
use crate::world::{Cyrus, Tap};

macro_rules! on_every_server {
    ($($name:ident)*) => {
        mod dovecot {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() { super::$name::<super::Dovecot>().await; })*
        }
        mod cyrus {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)] async fn $name() { super::$name::<super::Cyrus>().await; })*
        }
    };
}

on_every_server! {
    a_mail_that_arrives_is_news_comes_as_it_was_sent_and_stays_unseen
    r21_the_server_filters_by_sender_and_day_and_junk_is_watched_too
    r30_imap03_a_connection_that_went_silent_in_idle_is_noticed
    r32_m58_a_wrong_password_is_told_as_such_and_another_authority_is_not_trusted
}

async fn a_mail_that_arrives_is_news_comes_as_it_was_sent_and_stays_unseen<S: MailServer>() {
    let ca = Ca::new();
    let server = S::start(&ca).await;
    for (number, tls) in [Tls::Implicit, Tls::StartTls].into_iter().enumerate() {
        let (mut connection, _waker) = connect(&server, &ca, tls);
        assert_eq!(connection.folders(), ["INBOX", "Junk"]);
        let before = look(&mut connection, Folders::All).len();
        assert_eq!(before, number);

        let waiting = wait(connection);
        let sent = mail("key@vendor.example", "your new key");
        server.deliver(&sent, "INBOX").await;
        let (mut connection, woken) = waiting.await.unwrap();
        assert_eq!(woken, Ok(Woken::News));
        let look = connection.look(&search(), Folders::First).unwrap();
        assert_eq!(seen(&look), ["INBOX your new key"]);
        assert_eq!(*look.mails[0].bytes, sent);
        assert_eq!((look.mails[0].size, look.mails[0].header_only), (sent.len(), false));
        connection.close();
    }
    let flags = server.flags("INBOX").await;
    assert_eq!(flags.len(), 2);
    assert!(!flags.concat().contains("Seen"), "{flags:?}");
}

async fn r21_the_server_filters_by_sender_and_day_and_junk_is_watched_too<S: MailServer>() {
    let ca = Ca::new();
    let mut server = S::start(&ca).await;
    let now = SystemTime::now();
    let ago = |days| now - days * DAY;
    let large = [mail("key@vendor.example", "large"), b"x".repeat(150_000)].concat();
    let middling = [mail("key@vendor.example", "middling"), b"x\r\n".repeat(30_000)].concat();
    for (mail, folder, days) in [
        (mail("key@vendor.example", "too old"), "INBOX", 20),
        (mail("key@vendor.example", "in junk"), "Junk", 3),
        (mail("KEY@Vendor.example", "other case"), "INBOX", 13),
        (mail("any@other.example", "by domain"), "INBOX", 2),
        (mail("somebody@else.example", "not ours"), "INBOX", 1),
        (large, "INBOX", 1),
        (middling.clone(), "INBOX", 0),
    ] {
        server.deliver_at(&mail, folder, ago(days)).await;
    }

    let (mut connection, _waker) = connect(&server, &ca, Tls::Implicit);
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

async fn r32_m58_a_wrong_password_is_told_as_such_and_another_authority_is_not_trusted<S: MailServer>() {
    let ca = Ca::new();
    let server = S::start(&ca).await;
    for tls in [Tls::Implicit, Tls::StartTls] {
        let right = settings(&server, &ca, tls);
        imap::connect(&right, &Limits::default()).unwrap().0.close();

        let wrong = Settings { login: Login::Password(Secret::new("canary")), ..right.clone() };
        let Err(MailboxTrouble::Refused(why)) = imap::connect(&wrong, &Limits::default()) else {
            panic!("let in")
        };
        let at = format!("localhost:{}", right.port);
        let expected = format!(
            "{at} refuses the login of rotation@example.com: {}; check user and password, and whether this \
             account may use IMAP",
            S::REFUSES
        );
        assert_eq!(why, expected);

        let other = Ca::new();
        let others = Settings { ca_cert: Some(other.ca_path()), ..right };
        let why = unreachable(imap::connect(&others, &Limits::default()));
        assert!(why.starts_with(&format!("{at}: no TLS: ")), "{why}");
    }
}

async fn r30_imap03_a_connection_that_went_silent_in_idle_is_noticed<S: MailServer>() {
    let ca = Ca::new();
    let server = S::start(&ca).await;
    let tap = Tap::to(server.imaps_port()).await;
    let brief = Limits {
        idle_renew: Duration::from_millis(200),
        mail_read_timeout: Duration::from_millis(500),
        ..Limits::default()
    };
    let settings = Settings { port: tap.port(), ..settings(&server, &ca, Tls::Implicit) };
    let open = {
        let (settings, brief) = (settings.clone(), brief.clone());
        move || imap::connect(&settings, &brief).map(|(connection, _waker)| connection)
    };
    let mut connection = tokio::task::spawn_blocking(open.clone()).await.unwrap().unwrap();
    let (mut connection, woken) = tokio::task::spawn_blocking(move || {
        look(&mut connection, Folders::All);
        let woken = connection.wait(Duration::from_secs(1)); // some renewals of IDLE
        (connection, woken)
    })
    .await
    .unwrap();
    assert_eq!(woken, Ok(Woken::Timeout));

    tap.silence();
    server.deliver(&mail("key@vendor.example", "meanwhile"), "INBOX").await;
    let why = tokio::task::spawn_blocking(move || unreachable(connection.wait(LONG))).await.unwrap();
    assert!(why.ends_with("IDLE: no answer within 0.5 s"), "{why}");
    let mut connection = tokio::task::spawn_blocking(open).await.unwrap().unwrap();
    let found = tokio::task::spawn_blocking(move || look(&mut connection, Folders::All)).await.unwrap();
    assert_eq!(found, ["INBOX meanwhile"]);

    let limits = Limits::default();
    let noticed = limits.idle_renew + limits.mail_read_timeout;
    assert!(noticed <= Duration::from_secs(360), "{noticed:?}");
}
