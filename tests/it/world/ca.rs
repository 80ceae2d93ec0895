//! A certification authority of the test's own.

use super::Scratch;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::path::PathBuf;

/// The last three are those of the README's example.
const NAMES: [&str; 5] =
    ["localhost", "127.0.0.1", "vault.example.com", "imap.example.com", "smtp.example.com"];

/// Its certificate, and a server's for this machine's loopback, as PEM files.
pub struct Ca {
    dir: Scratch,
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
        let signed = server.signed_by(&server_key, &Issuer::new(params, key)).expect("a certificate");
        dir.write("cert.pem", &signed.pem());
        dir.secret("key.pem", &server_key.serialize_pem());
        Self { dir }
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
