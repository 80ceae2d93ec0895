//! The same over TLS, with a certificate that the test makes.

use super::*;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net, thread,
};
use tempfile::TempDir;

#[tokio::test]
async fn a_certificate_of_the_configured_ca_is_trusted_and_no_other() {
    let folder = TempDir::new().unwrap();
    let pem = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let (port, ca) = serve_tls("localhost");
    let (_, other_ca) = serve_tls("localhost");
    let (ca, other_ca) = (pem("ca.pem", &ca), pem("other.pem", &other_ca));
    let ask = async |url: String, ca: Option<&Path>| {
        ask_with(&Http { ca_cert: ca, ..to(&[url]) }, &Limits::default()).await
    };

    assert_eq!(ask(format!("https://localhost:{port}/keyrelay"), Some(&ca)).await, in_use(1, None));

    let not_trusted = async |url: String, ca| {
        let ProofOutcome::Silent(why) = ask(url.clone(), ca).await else { panic!("it is not trusted") };
        let (begin, end) = (
            format!("{url}: its certificate is not trusted ("),
            "): name its CA in ca_cert, or correct the host name",
        );
        assert!(why.starts_with(&begin) && why.ends_with(end), "{why}");
    };
    not_trusted(format!("https://localhost:{port}"), Some(&other_ca)).await;
    not_trusted(format!("https://localhost:{port}"), None).await;
    not_trusted(format!("https://127.0.0.1:{port}"), Some(&ca)).await;
}

#[tokio::test]
async fn a_ca_file_that_is_missing_or_holds_none_is_named() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ca.pem");
    let url = ["https://localhost/".to_owned()];
    let http = Http { ca_cert: Some(&path), ..to(&url) };
    let silent = |why: &str| ProofOutcome::Silent(format!("ca_cert {} {why}", path.display()));

    let missing = ask_with(&http, &Limits::default()).await;
    assert_eq!(missing, silent("cannot be read: No such file or directory (os error 2)"));
    fs::write(&path, "no certificate").unwrap();
    assert_eq!(ask_with(&http, &Limits::default()).await, silent("holds no certificate in PEM form"));
}

#[tokio::test]
async fn a_server_without_tls_at_an_https_address_is_told_as_such() {
    let url = serve_bytes("HTTP/1.1 400 Bad Request\r\n\r\n", false).await.replace("http:", "https:");
    let why = format!("{}: TLS failed: received corrupt message of type InvalidContentType", origin(&url));
    assert_eq!(ask(&url).await, ProofOutcome::Silent(why));
}

/// A consumer with the key NEW behind TLS; its port, and its certificate in PEM form.
fn serve_tls(name: &str) -> (u16, String) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = rustls_pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![made.cert.der().clone()], key.into()).unwrap());
    let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream.unwrap());
            // A client that does not trust us goes away.
            let _ = answer_once(stream);
        }
    });
    (port, made.cert.pem())
}

fn answer_once(stream: impl std::io::Read + Write) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        let name = axum::http::HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.insert(name, value.parse().unwrap());
    }
    let body = answer(&headers, NEW, "");
    let stream = stream.get_mut();
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len())?;
    stream.write_all(&body)?;
    stream.flush()
}
