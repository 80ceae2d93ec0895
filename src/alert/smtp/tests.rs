//! What a server can answer, and what becomes of the mail.

use super::script::{HANG_UP, SILENCE, Script, Server, hasty, mail, settings, smtp, with_password};
use super::*;

const OPS: [&str; 1] = ["ops@example.com"];

#[tokio::test]
async fn a_mail_travels_as_it_was_rendered() {
    let server = Server::start(vec![vec![]]);
    let smtp = smtp(&settings(server.port));
    assert_eq!(smtp.send(&mail(&["ops@example.com", "night@example.com"])).await, SendOutcome::Sent);
    let heard = server.heard().remove(0);
    let (ehlo, rest) = heard.split_once("\r\n").unwrap();
    assert!(ehlo.starts_with("EHLO ") && ehlo.contains('.'), "a complete name: {ehlo}");
    assert_eq!(
        rest,
        "MAIL FROM:<keyrelay@example.com>\r\n\
         RCPT TO:<ops@example.com>\r\n\
         RCPT TO:<night@example.com>\r\n\
         DATA\r\n\
         Date: Sat, 21 Nov 2026 09:00:00 +0000\r\n\
         From: \"Key Relay\" <keyrelay@example.com>\r\n\
         Subject: [keyrelay] URGENT leaf7-main: the vendor refuses the current key\r\n\
         Message-ID: <3f9c2a71d04be865.1@example.com>\r\n\
         To: ops@example.com, night@example.com\r\n\
         In-Reply-To: <3f9c2a71d04be865.0@example.com>\r\n\
         References: <3f9c2a71d04be865.0@example.com>\r\n\
         Auto-Submitted: auto-generated\r\n\
         X-Keyrelay-Code: key-dead\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 7bit\r\n\
         \r\n\
         the vendor refuses the current key.\r\n\
         ..hidden\r\n\
         .\r\n\
         QUIT\r\n"
    );
}

#[tokio::test]
async fn what_is_not_ascii_stays_readable_on_the_wire() {
    let server = Server::start(vec![vec![]]);
    let smtp = smtp(&settings(server.port));
    let mail = Mail { body: "the größte key\n2026 = now".into(), ..mail(&OPS) };
    assert_eq!(smtp.send(&mail).await, SendOutcome::Sent);
    let heard = server.heard().remove(0);
    let (_, body) = heard.split_once("quoted-printable\r\n\r\n").unwrap();
    assert_eq!(body, "the gr=C3=B6=C3=9Fte key\r\n2026 =3D now\r\n.\r\nQUIT\r\n");
}

#[tokio::test]
async fn an_address_that_is_none_can_never_be_sent_to() {
    let smtp = smtp(&settings(1));
    let refused = |text: &str| SendOutcome::Refused(text.into());
    assert_eq!(
        smtp.send(&mail(&["ops@example.com\r\nBcc: thief@example.net"])).await,
        refused(r#""ops@example.com\r\nBcc: thief@example.net" is no mail address: correct alerts.email"#)
    );
    let nobody = "the mail has no recipient: name one in alerts.email.to";
    assert_eq!(smtp.send(&mail(&[])).await, refused(nobody));
}

/// What one connection's script makes of a mail to one recipient; `HERE` stands for the server.
async fn outcome(script: Script) -> SendOutcome {
    let server = Server::start(vec![script]);
    let here = format!("localhost:{}", server.port);
    let outcome = smtp(&settings(server.port)).send(&mail(&OPS)).await;
    let there = |why: String| why.replace(&here, "HERE");
    match outcome {
        SendOutcome::Sent => SendOutcome::Sent,
        SendOutcome::SentToSome(why) => SendOutcome::SentToSome(there(why)),
        SendOutcome::Refused(why) => SendOutcome::Refused(there(why)),
        SendOutcome::Failed(why) => SendOutcome::Failed(there(why)),
    }
}

#[tokio::test]
async fn a_mail_that_the_server_will_never_take_is_refused() {
    for (script, why) in [
        (("MAIL", "550 5.7.1 not you"), "HERE answered 550 (5.7.1 not you) while naming the sender"),
        (
            ("RCPT", "554 5.7.1 Relay access denied"),
            "HERE refused ops@example.com: answered 554 (5.7.1 Relay access denied) while naming the recipients",
        ),
        (("DATA", "554 no"), "HERE answered 554 (no) while announcing the mail"),
        ((".", "552 5.3.4 too large"), "HERE answered 552 (5.3.4 too large) while sending the mail"),
    ] {
        assert_eq!(outcome(vec![script]).await, SendOutcome::Refused(why.into()));
    }
}

#[tokio::test]
async fn a_passing_refusal_and_one_that_is_not_about_the_mail_leave_it_to_be_sent_again() {
    for (script, why) in [
        (("greeting", "554 5.3.2 no service"), "HERE answered 554 (5.3.2 no service) while connecting"),
        (
            ("greeting", "+OK dovecot ready"),
            "HERE answered something that is no SMTP, or closed the connection while connecting",
        ),
        (("EHLO", "421 4.3.2 later"), "HERE answered 421 (4.3.2 later) while connecting"),
        (("MAIL", "451 4.3.0 later"), "HERE answered 451 (4.3.0 later) while naming the sender"),
        (("MAIL", "530 5.7.0 log in"), "HERE answered 530 (5.7.0 log in) while naming the sender"),
        (
            ("RCPT", "451 4.7.1 greylisted"),
            "HERE refused ops@example.com: answered 451 (4.7.1 greylisted) while naming the recipients",
        ),
        (("DATA", "250 ok"), "HERE answered 250 out of turn while announcing the mail"),
        ((".", "354 go on"), "HERE answered 354 out of turn while sending the mail; it may have arrived"),
        ((".", "452 4.3.1 full"), "HERE answered 452 (4.3.1 full) while sending the mail"),
        (
            (".", HANG_UP),
            "HERE answered something that is no SMTP, or closed the connection while sending the mail; it may have arrived",
        ),
    ] {
        assert_eq!(outcome(vec![script]).await, SendOutcome::Failed(why.into()));
    }
}

#[tokio::test]
async fn a_refused_recipient_silences_nobody_else() {
    let server = Server::start(vec![vec![("RCPT TO:<gone@", "550 5.1.1 no such user")]]);
    let outcome = smtp(&settings(server.port)).send(&mail(&["gone@example.com", "ops@example.com"])).await;
    let why =
        format!("localhost:{} refused gone@example.com: answered 550 (5.1.1 no such user)", server.port);
    assert_eq!(outcome, SendOutcome::SentToSome(why));
    assert!(server.heard()[0].contains("RCPT TO:<ops@example.com>\r\nDATA\r\n"));
}

#[tokio::test]
async fn a_servers_text_is_made_harmless_and_short() {
    let long: &'static str = format!("550 \x1b[31m{}", "x".repeat(600)).leak();
    let SendOutcome::Refused(why) = outcome(vec![("MAIL", long)]).await else { panic!("it is refused") };
    let shown = format!(r"\u{{1b}}[31m{}...", "x".repeat(150));
    assert_eq!(why, format!("HERE answered 550 ({shown}) while naming the sender"));
}

#[tokio::test]
async fn nobody_there_is_a_failure_that_names_the_place() {
    let why = "localhost:1 cannot be reached: Connection refused (os error 111) while connecting";
    assert_eq!(smtp(&settings(1)).send(&mail(&OPS)).await, SendOutcome::Failed(why.into()));
}

#[tokio::test]
async fn a_server_that_never_speaks_is_given_up() {
    let server = Server::start(vec![vec![("greeting", SILENCE)]]);
    let smtp = hasty(&settings(server.port), Duration::from_millis(200));
    let why = format!("localhost:{} gave no answer within 0.2 s while connecting", server.port);
    assert_eq!(smtp.send(&mail(&OPS)).await, SendOutcome::Failed(why.clone()));
}

#[tokio::test]
async fn a_lost_answer_to_the_whole_mail_is_told_as_such() {
    let server = Server::start(vec![vec![(".", SILENCE)]]);
    let smtp = hasty(&settings(server.port), Duration::from_secs(2));
    let why = format!(
        "localhost:{} gave no answer within 2 s while sending the mail; it may have arrived",
        server.port
    );
    assert_eq!(smtp.send(&mail(&OPS)).await, SendOutcome::Failed(why));
}

#[tokio::test]
async fn a_mail_that_was_taken_is_sent_whatever_the_server_says_of_quit() {
    for goodbye in [SILENCE, HANG_UP, "500 what"] {
        let server = Server::start(vec![vec![("QUIT", goodbye)]]);
        let smtp = hasty(&settings(server.port), Duration::from_secs(2));
        assert_eq!(smtp.send(&mail(&OPS)).await, SendOutcome::Sent, "{goodbye:?}");
    }
}

/// A connection that was given up in the middle of a mail must not meet the next mail: its late 354 would pass for
/// the next mail's answer, and a refused mail for sent.
#[tokio::test]
async fn a_cancelled_mail_leaves_nothing_behind_for_the_next() {
    let mut server = Server::start(vec![vec![("DATA", SILENCE)], vec![(".", "554 5.7.1 spam")], vec![]]);
    let smtp = smtp(&settings(server.port));
    let (first, next) = (mail(&OPS), Mail { body: "the next".into(), ..mail(&OPS) });
    tokio::select! {
        outcome = smtp.send(&first) => panic!("the server never answers: {outcome:?}"),
        () = server.fell_silent() => {}
    }
    assert!(matches!(smtp.send(&next).await, SendOutcome::Refused(_)));
    assert_eq!(smtp.send(&next).await, SendOutcome::Sent);
    let heard = server.heard();
    assert!(!heard[0].contains("the vendor refuses the current key."), "{}", heard[0]);
    assert!(heard[2].ends_with("\r\n\r\nthe next\r\n.\r\nQUIT\r\n"), "{}", heard[2]);
}

#[tokio::test]
async fn a_password_means_a_login_as_the_user_or_else_the_sender() {
    for (user, sent) in [
        (Some("relay".to_owned()), "AUTH PLAIN AHJlbGF5AHBhc3MtY2FuYXJ5"),
        (None, "AUTH PLAIN AGtleXJlbGF5QGV4YW1wbGUuY29tAHBhc3MtY2FuYXJ5"),
    ] {
        let server = Server::start(vec![vec![]]);
        let smtp = smtp(&Settings { user, ..with_password(settings(server.port)) });
        assert_eq!(smtp.send(&mail(&OPS)).await, SendOutcome::Sent);
        assert_eq!(server.heard()[0].lines().nth(1), Some(sent));
    }
}

#[tokio::test]
async fn a_refused_login_names_user_and_server_and_repeats_nothing_that_was_said() {
    let echo = "535 5.7.8 wrong: AGtleXJlbGF5QGV4YW1wbGUuY29tAHBhc3MtY2FuYXJ5 (pass-canary)";
    let server = Server::start(vec![vec![("AUTH", echo)]]);
    let outcome = smtp(&with_password(settings(server.port))).send(&mail(&OPS)).await;
    let why = format!(
        "localhost:{} refused the login of \"keyrelay@example.com\" with 535 \
         (check alerts.email.smtp.user and its password) while logging in",
        server.port
    );
    assert_eq!(outcome, SendOutcome::Failed(why));
    assert!(!server.heard()[0].contains("MAIL"));
}

#[tokio::test]
async fn a_server_without_login_gets_no_password() {
    let server = Server::start(vec![vec![("EHLO", "250 test")]]);
    let outcome = smtp(&with_password(settings(server.port))).send(&mail(&OPS)).await;
    let why = format!(
        "localhost:{} offers no login (AUTH PLAIN or LOGIN): see alerts.email.smtp.tls and port, or drop password \
         while logging in",
        server.port
    );
    assert_eq!(outcome, SendOutcome::Failed(why));
}

#[tokio::test]
async fn a_check_logs_in_and_sends_nothing() {
    let server = Server::start(vec![vec![], vec![("AUTH", "454 4.7.0 later")]]);
    let port = server.port;
    let smtp = smtp(&Settings { user: Some("relay".into()), ..with_password(settings(port)) });
    assert_eq!(smtp.check().await, Ok(()));
    let why = format!(
        "localhost:{port} refused the login of \"relay\" with 454 (check alerts.email.smtp.user and its password) \
         while logging in"
    );
    assert_eq!(smtp.check().await, Err(why));
    let heard = &server.heard()[0];
    assert!(heard.ends_with("\r\nAUTH PLAIN AHJlbGF5AHBhc3MtY2FuYXJ5\r\nQUIT\r\n"), "{heard}");
}
