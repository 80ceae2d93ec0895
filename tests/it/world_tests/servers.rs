//! Each server starts, does what it is for, misbehaves when told to, and comes back.

use crate::world::{Bao, Ca, Dovecot, Smtp, SmtpMode, SmtpOptions, SmtpTls, install_tls, until};
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    transport::smtp::{
        AsyncSmtpTransportBuilder,
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
    },
};
use serde_json::json;
use std::time::{Duration, SystemTime};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// A plain IMAP session: enough to see what a client sees.
struct Session(BufReader<TcpStream>);

impl Session {
    async fn open(dovecot: &Dovecot) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", dovecot.imap.number)).await.unwrap();
        let mut session = Self(BufReader::new(stream));
        session.line_with("* OK").await;
        session
    }
    async fn send(&mut self, line: &str) {
        self.0.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    }
    /// The first line that holds the text; panics when the server closes first.
    async fn line_with(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.0.read_line(&mut line).await.unwrap(), 0, "closed before {text:?}");
            if line.contains(text) {
                return line;
            }
        }
    }
    async fn login(&mut self, password: &str) -> String {
        self.send(&format!("a login {} \"{password}\"", Dovecot::USER)).await;
        self.line_with("a ").await
    }
}

#[tokio::test]
async fn dovecot_takes_mails_and_tells_an_idle_session_of_them() {
    let ca = Ca::new();
    let mut dovecot = Dovecot::start(&ca).await;
    let mut session = Session::open(&dovecot).await;
    assert!(session.login(Dovecot::PASSWORD).await.contains("OK"));
    session.send("b select INBOX").await;
    session.line_with("b OK").await;
    session.send("c idle").await;
    session.line_with("+ idling").await;

    dovecot.deliver(b"From: a@example.com\r\nSubject: one\r\n\r\nhello\r\n", "INBOX").await;
    assert_eq!(session.line_with("EXISTS").await, "* 1 EXISTS\r\n");
    let earlier = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_251_600);
    dovecot.deliver_at(b"Subject: two\r\n\r\nhello\r\n", "Junk", earlier);
    until("the mail in Junk is seen", async || (dovecot.mail_count("Junk").await == 1).then_some(())).await;
    let fetched =
        dovecot.doveadm(&["fetch", "-u", Dovecot::USER, "date.received.unixtime", "mailbox", "Junk", "all"]);
    assert_eq!(fetched.await.trim(), "date.received.unixtime: 1795251600");

    dovecot.kick().await;
    session.line_with("BYE").await;
    dovecot.expunge("INBOX").await;
    assert_eq!(dovecot.mail_count("INBOX").await, 0);
}

#[tokio::test]
async fn dovecot_comes_back_on_its_ports_with_its_mails() {
    let ca = Ca::new();
    let mut dovecot = Dovecot::start_with(&ca, 1).await;
    dovecot.deliver(b"Subject: one\r\n\r\nhello\r\n", "INBOX").await;
    assert_eq!(dovecot.flags("INBOX").await, ["\\Recent"]);
    dovecot.set_uidvalidity("INBOX", 77).await;

    dovecot.stop().await;
    TcpStream::connect(("127.0.0.1", dovecot.imap.number)).await.unwrap_err();
    dovecot.start_again().await;
    dovecot.set_password("another 5Jd6yLs1 password");
    let mut session = Session::open(&dovecot).await;
    assert!(session.login(Dovecot::PASSWORD).await.contains("NO [AUTHENTICATIONFAILED]"));
    assert!(session.login("another 5Jd6yLs1 password").await.contains("OK"));
    session.send("b examine INBOX").await;
    assert!(session.line_with("UIDVALIDITY").await.contains("[UIDVALIDITY 77]"));
    let mut second = Session::open(&dovecot).await;
    assert!(second.login("another 5Jd6yLs1 password").await.contains("Maximum number of connections"));

    dovecot.kill().await;
    TcpStream::connect(("127.0.0.1", dovecot.imap.number)).await.unwrap_err();
    assert!(dovecot.log().contains("starting up"), "{}", dovecot.log());
}

#[tokio::test]
async fn openbao_keeps_its_data_through_seal_kill_and_restart() {
    let ca = Ca::new();
    let mut bao = Bao::start(&ca).await;
    assert_eq!((bao.read("vendors/x").await, bao.metadata("vendors/x").await), (None, None));
    assert_eq!(bao.write("vendors/x", json!({"api_key": "one"})).await, 1);

    bao.seal().await;
    assert_eq!(bao.must_call(reqwest::Method::GET, "secret/data/vendors/x", json!(null)).await.0, 503);
    bao.unseal().await;
    bao.kill();
    TcpStream::connect(bao.address().trim_start_matches("https://")).await.unwrap_err();
    bao.start_sealed().await;
    bao.unseal().await;
    assert_eq!(bao.read("vendors/x").await, Some(json!({"api_key": "one"})));

    bao.delete("vendors/x").await;
    assert_eq!((bao.read("vendors/x").await, bao.versions("vendors/x").await), (None, 1));
}

#[tokio::test]
async fn openbao_gives_rights_on_the_named_paths_only() {
    let ca = Ca::new();
    let bao = Bao::start(&ca).await;
    let client = reqwest::Client::builder()
        .tls_certs_only([reqwest::Certificate::from_pem(&std::fs::read(bao.ca_path()).unwrap()).unwrap()])
        .no_proxy()
        .build()
        .unwrap();
    let status = async |token: &str, path: &str| {
        let url = format!("{}/v1/secret/data/{path}", bao.address());
        client.get(url).header("X-Vault-Token", token).send().await.unwrap().status().as_u16()
    };
    let role = bao.approle(&["vendors/x"]).await;
    let login = client.post(format!("{}/v1/auth/approle/login", bao.address()));
    let answer =
        login.json(&json!({"role_id": role.role_id, "secret_id": role.secret_id})).send().await.unwrap();
    let answer: serde_json::Value = answer.json().await.unwrap();
    let token = answer["auth"]["client_token"].as_str().unwrap();
    assert_eq!(answer["auth"]["lease_duration"], 3600);
    assert_eq!((status(token, "vendors/x").await, status(token, "vendors/y").await), (404, 403));

    let token = bao.token(&["vendors/y"], 600).await;
    assert_eq!(status(&token, "keyrelay/y").await, 404);
    bao.revoke(&token).await;
    assert_eq!(status(&token, "keyrelay/y").await, 403);
    let store = bao.store(&["vendors/x"]).await;
    assert_eq!(store["vault"]["address"], bao.address());
    assert_eq!(status(bao.root_token(), "anything").await, 404);
}

fn mail() -> Message {
    let to = "ops@example.com".parse().unwrap();
    Message::builder()
        .from(Smtp::USER.parse().unwrap())
        .to(to)
        .subject("one")
        .body("hello".to_owned())
        .unwrap()
}

#[tokio::test]
async fn the_smtp_server_keeps_refuses_and_hangs_as_told() {
    install_tls();
    let ca = Ca::new();
    let mut smtp = Smtp::start(&ca).await;
    let right =
        mailer(&ca, &smtp).credentials(Credentials::new(Smtp::USER.into(), Smtp::PASSWORD.into())).build();
    let wrong = mailer(&ca, &smtp).credentials(Credentials::new(Smtp::USER.into(), "wrong".into())).build();
    let code = async |mailer: &AsyncSmtpTransport<Tokio1Executor>| match mailer.send(mail()).await {
        Ok(_) => 250,
        Err(error) => error.status().map_or(0, u16::from),
    };

    assert_eq!((code(&right).await, code(&wrong).await), (250, 535));
    let kept = smtp.wait_for("the first", |mail| mail.contains("Subject: one")).await;
    assert!(
        kept.starts_with("X-Envelope-From: keyrelay@example.com\r\nX-Envelope-To: ops@example.com\r\n"),
        "{kept}"
    );
    for (mode, expected) in [(SmtpMode::Busy, 451), (SmtpMode::Refuse, 554), (SmtpMode::Accept, 250)] {
        smtp.set_mode(mode);
        assert_eq!(code(&right).await, expected);
    }
    smtp.set_mode(SmtpMode::Silent);
    let hangs = tokio::time::timeout(Duration::from_millis(300), code(&right)).await;
    assert!(hangs.is_err(), "{hangs:?}");

    smtp.stop();
    assert_eq!(code(&right).await, 0);
    smtp.set_mode(SmtpMode::Accept);
    smtp.start_again().await;
    assert_eq!(code(&right).await, 250);
    assert_eq!(smtp.mails().len(), 3);
}

#[tokio::test]
async fn the_smtp_server_speaks_implicit_tls_or_none() {
    install_tls();
    let ca = Ca::new();
    for tls in [SmtpTls::Implicit, SmtpTls::None] {
        let smtp = Smtp::start_with(&ca, SmtpOptions { tls, login: false }).await;
        mailer(&ca, &smtp).build().send(mail()).await.unwrap();
        assert_eq!(smtp.mails().len(), 1);
    }
}

fn mailer(ca: &Ca, smtp: &Smtp) -> AsyncSmtpTransportBuilder {
    let root = Certificate::from_pem(ca.ca_pem().as_bytes()).unwrap();
    let trust = TlsParameters::builder("localhost".into()).certificate_store(CertificateStore::None);
    let trust = trust.add_root_certificate(root).build().unwrap();
    let tls = match smtp.alerts(&[])["email"]["smtp"]["tls"].as_str().unwrap() {
        "starttls" => Tls::Required(trust),
        "implicit" => Tls::Wrapper(trust),
        _ => Tls::None,
    };
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("localhost").port(smtp.port.number).tls(tls)
}
