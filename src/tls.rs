//! The one place that makes a TLS configuration: rustls on ring, TLS 1.2 and later, certificates always checked.
//! It knows nobody's protocol.

use rustls::{CertificateError, ClientConfig, Error, RootCertStore, crypto::ring};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{path::Path, sync::Arc};

/// Makes ring the provider of the whole process: libraries that build their own configuration ask for it. Call it
/// as often as you like.
pub fn install() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may have been faster, and it installed the same.
        let _ = ring::default_provider().install_default();
    }
}

/// What a client trusts: with a CA file (PEM, one or more certificates) exactly those, without one the platform's.
/// The error names the file and is for operators.
pub fn client_config(ca_cert: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("no TLS version can be used: {e}"))?;
    let builder = match ca_cert {
        Some(path) => builder.with_root_certificates(roots(path)?),
        None => builder.with_platform_verifier().map_err(|e| {
            format!("the system's root certificates cannot be read: {e}; install ca-certificates, or name a CA file")
        })?,
    };
    Ok(Arc::new(builder.with_no_client_auth()))
}

/// Whether the file can be trusted: why not, naming it.
pub fn check_roots(path: &Path) -> Result<(), String> {
    roots(path).map(drop)
}

/// The certificates in a PEM file as the only roots.
fn roots(path: &Path) -> Result<RootCertStore, String> {
    let broken = |why: String| format!("{}: {why}", path.display());
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| broken(format!("cannot be read as PEM certificates: {e}")))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|e| broken(format!("is no CA certificate: {e}")))?;
    }
    if roots.is_empty() { Err(broken("holds no certificate".into())) } else { Ok(roots) }
}

/// Why a handshake failed, for operators: as in `its certificate is for mail.example.com, not for this name`.
pub fn explain(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(wrong) => explain_certificate(wrong),
        Error::InvalidMessage(_) => {
            "it does not speak TLS on this port; another port, or STARTTLS, may be meant".into()
        }
        other => other.to_string(),
    }
}

fn explain_certificate(wrong: &CertificateError) -> String {
    match wrong {
        CertificateError::NotValidForNameContext { presented, .. } if !presented.is_empty() => {
            let names: Vec<_> = presented.iter().map(|name| certified_name(name)).collect();
            format!("its certificate is for {}, not for this name", names.join(", "))
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is not for this name".into()
        }
        // A bad signature: the trusted CA has the right name, and another key.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "its certificate is signed by nobody that is trusted here; name its CA's file in ca_cert".into()
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; is the clock right?".into()
        }
        other => format!("its certificate is refused: {other}"),
    }
}

/// rustls shows a certificate's name as `DnsName("a.example")`.
fn certified_name(shown: &str) -> &str {
    shown.split('"').nth(1).unwrap_or(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_holds_no_certificate_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let error = || client_config(Some(&path)).unwrap_err();

        assert!(error().starts_with(&format!("{}: cannot be read as PEM certificates: ", path.display())));
        std::fs::write(&path, "no PEM at all\n").unwrap();
        assert_eq!(error(), format!("{}: holds no certificate", path.display()));
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(error().starts_with(&format!("{}: is no CA certificate: ", path.display())));
    }

    #[test]
    fn the_platform_s_roots_or_one_file_make_a_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        std::fs::write(&path, certificate.pem()).unwrap();

        install();
        assert!(client_config(Some(&path)).is_ok());
        assert!(client_config(None).is_ok());
    }
}
