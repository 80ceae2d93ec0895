//! The SMTP adapter against a real server: TLS with a private CA, login, and each way a mail can fail.

use crate::world::{Ca, PATIENCE, Smtp as Server, SmtpMode, SmtpOptions, SmtpTls};
use keyrelay::alert::render::{self, Facts};
use keyrelay::alert::smtp::{SendOutcome, Settings, Smtp, Tls};
use keyrelay::domain::{Code, Limits, Notice, Secret, Severity, Timestamp};
use std::time::Duration;

#[tokio::test]
async fn every_way_to_a_server_carries_the_mail() {
    let ca = Ca::new();
    for (tls, ours) in
        [(SmtpTls::StartTls, Tls::StartTls), (SmtpTls::Implicit, Tls::Implicit), (SmtpTls::None, Tls::None)]
    {
        let server = Server::start_with(&ca, SmtpOptions { tls, login: tls == SmtpTls::StartTls }).await;
        let login = (tls == SmtpTls::StartTls).then(|| Secret::new(Server::PASSWORD));
        let smtp = smtp(&server, &ca, Settings { tls: ours, password: login, ..settings() }, PATIENCE);
        assert_eq!(smtp.check().await, Ok(()), "{ours:?}");
        assert_eq!(smtp.send(&mail(0)).await, SendOutcome::Sent, "{ours:?}");
        let kept = server.wait_for("the notice", |_| true).await;
        assert!(
            kept.starts_with("X-Envelope-From: keyrelay@example.com\r\nX-Envelope-To: ops@example.com\r\n")
        );
        assert!(
            kept.contains(
                "\r\nSubject: [keyrelay] URGENT leaf7-main: the vendor refuses the current key\r\n"
            )
        );
        assert!(kept.contains("\r\n    keyrelay ingest leaf7-main\r\n"), "{kept}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_named_and_nothing_is_sent() {
    let ca = Ca::new();
    let server = Server::start(&ca).await;
    let wrong = Settings { password: Some(Secret::new("wrong-canary")), ..settings() };
    let outcome = smtp(&server, &ca, wrong, PATIENCE).send(&mail(0)).await;
    let why = format!(
        "localhost:{} refused the login of \"keyrelay@example.com\" with 535 \
         (check alerts.email.smtp.user and its password) while logging in",
        server.port.number
    );
    assert_eq!(outcome, SendOutcome::Failed(why));
    assert_eq!(server.mails(), Vec::<String>::new());
}

#[tokio::test]
async fn a_server_that_another_ca_vouches_for_gets_nothing() {
    let (ca, stranger) = (Ca::new(), Ca::new());
    let server = Server::start(&ca).await;
    let outcome = smtp(&server, &stranger, settings(), PATIENCE).send(&mail(0)).await;
    let SendOutcome::Failed(why) = outcome else { panic!("{outcome:?}") };
    assert!(why.contains(" failed TLS: invalid peer certificate: "), "{why}");
    assert_eq!(server.mails(), Vec::<String>::new());
}

#[tokio::test]
async fn a_busy_server_a_refusal_and_one_that_is_gone_are_told_apart() {
    let ca = Ca::new();
    let mut server = Server::start(&ca).await;
    let smtp = smtp(&server, &ca, settings(), PATIENCE);
    let here = format!("localhost:{}", server.port.number);
    server.set_mode(SmtpMode::Busy);
    let busy = format!("{here} answered 451 (4.3.0 try again later) while sending the mail");
    assert_eq!(smtp.send(&mail(0)).await, SendOutcome::Failed(busy));
    server.set_mode(SmtpMode::Refuse);
    let never = format!("{here} answered 554 (5.7.1 refused by policy) while sending the mail");
    assert_eq!(smtp.send(&mail(0)).await, SendOutcome::Refused(never));
    server.stop();
    let gone = format!("{here} cannot be reached: Connection refused (os error 111) while connecting");
    assert_eq!(smtp.send(&mail(0)).await, SendOutcome::Failed(gone));
}

/// After a server that fell silent in the middle of a mail the next one is really delivered, and a refusal of it is
/// seen.
#[tokio::test]
async fn a_mail_that_was_given_up_does_not_spoil_the_next() {
    let ca = Ca::new();
    let server = Server::start(&ca).await;
    server.set_mode(SmtpMode::Silent);
    let hasty = smtp(&server, &ca, settings(), Duration::from_secs(3));
    let outcome = hasty.send(&mail(0)).await;
    let SendOutcome::Failed(why) = outcome else { panic!("{outcome:?}") };
    assert!(why.ends_with(" gave no answer within 3 s while sending the mail; it may have arrived"), "{why}");
    server.set_mode(SmtpMode::Refuse);
    assert!(matches!(hasty.send(&mail(1)).await, SendOutcome::Refused(_)));
    server.set_mode(SmtpMode::Accept);
    assert_eq!(hasty.send(&mail(2)).await, SendOutcome::Sent);
    let kept = server.mails();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].contains("\r\nMessage-ID: <3f9c2a71d04be865.2@example.com>\r\n"));
    assert!(kept[0].contains("\r\nReferences: <3f9c2a71d04be865.0@example.com>\r\n"));
}

/// STARTTLS and a login, but for host, port and CA.
fn settings() -> Settings {
    Settings {
        from: Server::USER.into(),
        to: vec!["ops@example.com".into()],
        urgent_to: vec!["ops@example.com".into()],
        host: "localhost".into(),
        port: 0,
        tls: Tls::StartTls,
        user: None,
        password: Some(Secret::new(Server::PASSWORD)),
        ca_cert: None,
    }
}

fn smtp(server: &Server, trusted: &Ca, settings: Settings, smtp_timeout: Duration) -> Smtp {
    let settings = Settings { port: server.port.number, ca_cert: Some(trusted.ca_path()), ..settings };
    Smtp::new(&settings, &Limits { smtp_timeout, ..Limits::default() }).expect("settings that hold")
}

fn mail(step: u32) -> render::Mail {
    let at = Timestamp::from_secs(1_795_251_600);
    let notice = Notice {
        incident: "3f9c2a71d04be865".into(),
        step,
        code: Code::KeyDead,
        severity: Severity::Urgent,
        resolved: false,
        good_news: false,
        credential: Some("leaf7-main".parse().expect("a name")),
        since: at,
        at,
        until: None,
        message: "the vendor refuses the current key".into(),
        breaks: None,
        doing: None,
        hint: "fetch the key from the vendor's dashboard: keyrelay ingest leaf7-main".into(),
        next_mail_at: None,
        sections: Vec::new(),
        consumers: Vec::new(),
        count: 1,
        rotation_id: None,
    };
    let facts = Facts { host: "web1", version: "0.1.0", from: Server::USER, to: &["ops@example.com".into()] };
    render::mail(&notice, &facts)
}
