//! Certificates of the tests' own.

use rcgen::{CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use std::{path::Path, sync::Arc};

type Ca = CertifiedIssuer<'static, KeyPair>;

fn ca(folder: &Path, name: &str) -> Ca {
    crate::tls::install();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    std::fs::write(folder.join("ca.pem"), ca.pem()).unwrap();
    ca
}

fn server(ca: &Ca, name: &str) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, ca).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap())
}

/// A certificate for `localhost` and the CA that signed it, written to `ca.pem` in `folder`.
pub fn certificate(folder: &Path, ca_name: &str) -> Arc<ServerConfig> {
    server(&ca(folder, ca_name), "localhost")
}

/// Two servers of one CA, which is written to `ca.pem` in `folder`.
pub fn two_servers(folder: &Path, names: [&str; 2]) -> [Arc<ServerConfig>; 2] {
    let ca = ca(folder, "ours");
    names.map(|name| server(&ca, name))
}
