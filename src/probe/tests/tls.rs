//! Only a certificate that the machine trusts, for that name and today, makes a vendor.

use super::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;
use std::time::Duration;

/// A CA, and what it signs.
struct Ca {
    cert: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap().der().clone();
        Self { cert, issuer: Issuer::new(params, key) }
    }

    /// A server on loopback that answers `[]`, with a certificate for `name` from and to these years.
    fn server(&self, name: &str, years: (i32, i32)) -> Server {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.0, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        Server::start(Arc::new(config))
    }

    fn trusting(&self) -> Prober {
        let mut roots = RootCertStore::empty();
        roots.add(self.cert.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Prober::trusting(config, &Limits::default()).unwrap()
    }
}

struct Server {
    port: u16,
    heard: mpsc::Receiver<usize>,
}

impl Server {
    fn start(config: Arc<ServerConfig>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, heard) = mpsc::channel();
        thread::spawn(move || {
            while let Ok((tcp, _)) = listener.accept() {
                let mut tls = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), tcp);
                let mut request = [0; 4096];
                let bytes = tls.read(&mut request).unwrap_or(0);
                if sender.send(bytes).is_err() {
                    return;
                }
                tls.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
                    .and_then(|()| tls.flush())
                    .unwrap_or(());
            }
        });
        Self { port, heard }
    }

    async fn asked_by(&self, prober: &Prober) -> ProbeAnswer {
        prober.probe(&leaf7(&format!("https://localhost:{}", self.port)), &key()).await
    }

    /// How much of a request was read, once a handshake was over or given up.
    fn bytes_heard(&self) -> usize {
        self.heard.recv_timeout(Duration::from_secs(10)).unwrap()
    }
}

#[tokio::test]
async fn a_trusted_certificate_for_that_name_is_asked() {
    let ca = Ca::new();
    let server = ca.server("localhost", (2020, 2100));
    let answer = server.asked_by(&ca.trusting()).await;
    assert_eq!((answer.verdict, answer.account), (Verdict::Alive, ids(&[])));
    assert!(server.bytes_heard() > 100);
}

#[tokio::test]
async fn any_other_certificate_is_unclear_and_hears_no_key() {
    let (ca, other) = (Ca::new(), Ca::new());
    for (server, why) in [
        (
            other.server("localhost", (2020, 2100)),
            "comes from nobody whom this machine trusts (is ca-certificates installed?)",
        ),
        (ca.server("auth.leaf7.fun", (2020, 2100)), "is not for that name"),
        (ca.server("localhost", (2020, 2021)), "has expired"),
        (ca.server("localhost", (2090, 2100)), "is not valid yet (is this machine's clock right?)"),
    ] {
        let answer = server.asked_by(&ca.trusting()).await;
        assert_eq!(answer, unclear(&format!("the TLS certificate of localhost {why}")));
        assert_eq!(server.bytes_heard(), 0);
    }
}

#[tokio::test]
async fn the_machines_own_store_does_not_trust_a_strangers_ca() {
    let server = Ca::new().server("localhost", (2020, 2100));
    let answer = server.asked_by(&Prober::new(&Limits::default()).unwrap()).await;
    let why = "the TLS certificate of localhost comes from nobody whom this machine trusts (is ca-certificates installed?)";
    assert_eq!(answer, unclear(why));
}

#[tokio::test]
async fn a_server_without_tls_is_unclear() {
    let greeter = TcpListener::bind("127.0.0.1:0").unwrap();
    let base_url = format!("https://{}", greeter.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = greeter.accept().unwrap();
        stream.write_all(b"220 mail.example ESMTP\r\n").unwrap();
        while stream.read(&mut [0; 512]).is_ok_and(|n| n > 0) {}
    });
    assert_eq!(ask(&base_url).await, unclear("no TLS connection with 127.0.0.1 came about"));
}
