//! A certification authority of the test's own.

use super::Scratch;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

/// The last three are those of the README's example.
const NAMES: [&str; 5] =
    ["localhost", "127.0.0.1", "vault.example.com", "imap.example.com", "smtp.example.com"];

/// Its certificate, and a server's for this machine's loopback, as PEM files.
pub struct Ca {
    dir: Scratch,
    issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    pub fn new() -> Self {
        let dir = Scratch::new();
        let mut params = CertificateParams::new([]).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "keyrelay test CA");
        let key = KeyPair::generate().expect("a key pair");
        let certificate = params.self_signed(&key).expect("a certificate");
        dir.write("ca.pem", &certificate.pem());

        let names = NAMES.map(str::to_owned);
        let mut server = CertificateParams::new(names).expect("names");
        server.distinguished_name.push(DnType::CommonName, "localhost");
        let server_key = KeyPair::generate().expect("a key pair");
        let issuer = Issuer::new(params, key);
        let signed = server.signed_by(&server_key, &issuer).expect("a certificate");
        dir.write("cert.pem", &signed.pem());
        dir.secret("key.pem", &server_key.serialize_pem());
        Self { dir, issuer }
    }

    /// A client's certificate and key under these names, in place of those that were there; good from an hour ago for
    /// so long from now.
    pub fn client(&self, name: &str, lasts: Duration) -> (PathBuf, PathBuf) {
        let mut client = CertificateParams::new([name.to_owned()]).expect("one name");
        client.distinguished_name.push(DnType::CommonName, name);
        client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let now = SystemTime::now();
        client.not_before = (now - Duration::from_secs(3_600)).into();
        client.not_after = (now + lasts).into();
        let key = KeyPair::generate().expect("a key pair");
        let signed = client.signed_by(&key, &self.issuer).expect("a certificate");
        let (cert, private) = (format!("{name}.pem"), format!("{name}.key"));
        self.dir.write(&cert, &signed.pem());
        self.dir.secret(&private, &key.serialize_pem());
        (self.dir.join(&cert), self.dir.join(&private))
    }

    /// What a client has to trust.
    pub fn ca_path(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }
    pub fn cert_path(&self) -> PathBuf {
        self.dir.join("cert.pem")
    }
    pub fn key_path(&self) -> PathBuf {
        self.dir.join("key.pem")
    }
    pub fn ca_pem(&self) -> String {
        std::fs::read_to_string(self.ca_path()).expect("ca.pem")
    }
}
