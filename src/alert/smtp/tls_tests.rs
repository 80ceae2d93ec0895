//! Nothing goes to a server that is not who it should be, and nothing in clear that must not.

use super::script::{Script, Server, ServerTls, mail, settings, smtp, with_password};
use super::*;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use std::sync::Arc;

const OPS: [&str; 1] = ["ops@example.com"];

/// A certificate for this name, as a server has it and as a file to trust.
struct Identity {
    server: Arc<ServerConfig>,
    ca: tempfile::NamedTempFile,
}

fn identity(name: &str) -> Identity {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let server = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], signing_key.serialize_der().try_into().unwrap())
        .unwrap();
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), cert.pem()).unwrap();
    Identity { server: Arc::new(server), ca }
}

/// A login to this server, trusting this file only.
fn secure(port: u16, tls: Tls, ca: &Identity) -> Settings {
    Settings { tls, ca_cert: Some(ca.ca.path().into()), ..with_password(settings(port)) }
}

/// Both ways to TLS, as server and client know them.
fn ways(identity: &Identity) -> [(ServerTls, Tls); 2] {
    let server = || identity.server.clone();
    [(ServerTls::Start(server()), Tls::StartTls), (ServerTls::Implicit(server()), Tls::Implicit)]
}

#[tokio::test]
async fn a_trusted_server_gets_login_and_mail() {
    let trusted = identity("localhost");
    for (way, tls) in ways(&trusted) {
        let server = Server::with_tls(way, vec![vec![]]);
        let smtp = smtp(&secure(server.port, tls, &trusted));
        assert_eq!(smtp.send(&mail(&OPS)).await, SendOutcome::Sent, "{tls:?}");
        let heard = server.heard().remove(0);
        assert!(heard.contains("AUTH PLAIN ") && heard.ends_with("..hidden\r\n.\r\nQUIT\r\n"), "{heard}");
    }
}

#[tokio::test]
async fn a_server_of_another_ca_or_another_name_gets_neither() {
    let (trusted, stranger, elsewhere) =
        (identity("localhost"), identity("localhost"), identity("mail.example.net"));
    for (server_is, trusts, cause) in [
        (&stranger, &trusted, "invalid peer certificate: "),
        (&elsewhere, &elsewhere, "invalid peer certificate: certificate not valid for name \"localhost\""),
    ] {
        for (way, tls) in ways(server_is) {
            let server = Server::with_tls(way, vec![vec![]]);
            let SendOutcome::Failed(why) = smtp(&secure(server.port, tls, trusts)).send(&mail(&OPS)).await
            else {
                panic!("{tls:?}: it is not trusted")
            };
            let begins = format!("localhost:{} failed TLS: {cause}", server.port);
            assert!(why.starts_with(&begins), "{why}");
            assert!(why.contains("(see alerts.email.smtp.tls, port and ca_cert)"), "{why}");
            let heard = server.heard().remove(0);
            assert!(!heard.contains("AUTH") && !heard.contains("MAIL"), "{heard}");
        }
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_in_clear() {
    let trusted = identity("localhost");
    let no_tls: Script = vec![("EHLO", "250-test\r\n250 AUTH PLAIN LOGIN")];
    let server = Server::start(vec![no_tls]);
    let outcome = smtp(&secure(server.port, Tls::StartTls, &trusted)).send(&mail(&OPS)).await;
    let why = format!(
        "localhost:{} offers no STARTTLS: see alerts.email.smtp.tls and port while asking for STARTTLS",
        server.port
    );
    assert_eq!(outcome, SendOutcome::Failed(why));
    let heard = server.heard().remove(0);
    assert_eq!(heard.lines().count(), 1, "EHLO and nothing else: {heard}");
}

/// Answers that were put behind the go-ahead for TLS would be read as the server's own: this mail is refused, and
/// would pass for sent.
#[tokio::test]
async fn answers_put_in_before_tls_count_for_nothing() {
    let trusted = identity("localhost");
    let put_in =
        "220 go on\r\n250-test\r\n250 AUTH PLAIN\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 queued";
    let script = vec![("STARTTLS", put_in), (".", "554 5.7.1 spam")];
    let server = Server::with_tls(ServerTls::Start(trusted.server.clone()), vec![script]);
    let outcome = smtp(&secure(server.port, Tls::StartTls, &trusted)).send(&mail(&OPS)).await;
    let SendOutcome::Failed(why) = outcome else { panic!("{outcome:?}") };
    assert!(why.starts_with(&format!("localhost:{} failed TLS: ", server.port)), "{why}");
}

#[test]
fn a_ca_file_that_holds_none_is_refused_with_its_name() {
    let trusted = identity("localhost");
    let refused = |content: &str| {
        std::fs::write(trusted.ca.path(), content).unwrap();
        let error = Smtp::new(&secure(25, Tls::StartTls, &trusted), &Limits::default()).err().unwrap();
        error.replace(&trusted.ca.path().display().to_string(), "FILE")
    };
    let named = |why: &str| format!("alerts.email.smtp.ca_cert: FILE: {why}; it must be a readable PEM file");
    assert_eq!(refused(""), named("no certificate is in it"));
    let broken = "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
    assert_eq!(refused(broken), named("a certificate in it cannot be read"));
    let missing =
        Settings { ca_cert: Some("/nonexistent/ca.pem".into()), ..secure(25, Tls::Implicit, &trusted) };
    assert_eq!(
        Smtp::new(&missing, &Limits::default()).err().unwrap(),
        "alerts.email.smtp.ca_cert: /nonexistent/ca.pem: No such file or directory (os error 2); \
         it must be a readable PEM file"
    );
}

#[test]
fn a_host_that_tls_cannot_check_is_refused_before_anything_is_sent() {
    let trusted = identity("localhost");
    let settings = Settings { host: "mail server".into(), ..secure(25, Tls::StartTls, &trusted) };
    assert_eq!(
        Smtp::new(&settings, &Limits::default()).err().unwrap(),
        "alerts.email.smtp.host: \"mail server\" is no host name: TLS needs one"
    );
}
