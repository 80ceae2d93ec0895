//! The one place that makes a TLS configuration: rustls on ring, TLS 1.2 and later, certificates always checked.
//! It knows nobody's protocol.

use crate::domain::Timestamp;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, Error, OtherError, PeerIncompatible, RootCertStore,
    crypto::ring, server::WebPkiClientVerifier,
};
use rustls_pki_types::{CertificateDer, UnixTime, pem::PemObject};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{path::Path, sync::Arc, time::Duration};

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

/// From when to when the first certificate of a PEM file is good. The error names the file and is for operators.
pub fn certificate_validity(path: &Path) -> Result<(Timestamp, Timestamp), String> {
    let broken = |why: &str| format!("{}: {why}", path.display());
    let certificate = CertificateDer::pem_file_iter(path)
        .and_then(|mut certificates| certificates.next().transpose())
        .map_err(|e| broken(&format!("cannot be read as PEM certificates: {e}")))?
        .ok_or_else(|| broken("holds no certificate"))?;
    let no_certificate = |why: String| broken(&format!("is no certificate: {why}"));
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).map_err(|e| no_certificate(e.to_string()))?;
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider)
        .build()
        .map_err(|e| no_certificate(e.to_string()))?;
    // The TLS library tells these moments only to who asks for one that lies outside.
    let on_day = |secs| {
        let day = UnixTime::since_unix_epoch(Duration::from_secs(secs));
        verifier.verify_client_cert(&certificate, &[], day).map(|_| secs)
    };
    let at = |secs: u64| Timestamp::from_secs(secs.cast_signed());
    let from = match on_day(0) {
        Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
            at(not_before.as_secs())
        }
        // It began before 1970, or there is something else about it, which the end's day shows as well.
        Err(_) | Ok(_) => at(0),
    };
    match on_day(DOOMSDAY) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            Ok((from, at(not_after.as_secs())))
        }
        Err(e) => Err(no_certificate(explain(&e))),
        Ok(end) => Ok((from, at(end))),
    }
}

/// The last second of the year 9999: a certificate can name none that is later (RFC 5280, 4.1.2.5).
const DOOMSDAY: u64 = 253_402_300_799;

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
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13)
        | Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            "it speaks no TLS of version 1.2 or later".into()
        }
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
        CertificateError::UnsupportedSignatureAlgorithmContext { .. } => {
            "its certificate is signed in a way that is trusted no longer, as with SHA-1".into()
        }
        CertificateError::Other(OtherError(why)) => {
            format!("its certificate is signed by one that may not sign it ({why})")
        }
        other => format!("its certificate is refused: {other}"),
    }
}

/// rustls shows a certificate's name as `DnsName("a.example")` or `IpAddress(192.0.2.1)`.
fn certified_name(shown: &str) -> &str {
    let inside = shown.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')')).unwrap_or(shown);
    inside.trim_matches('"')
}

#[cfg(test)]
mod certificates_tests;

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
    fn a_certificate_says_from_when_to_when_it_is_good_also_when_that_is_past() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cert.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        for (year, secs) in [(1999, 915_148_800), (2031, 1_924_992_000), (2090, 3_786_912_000)] {
            let mut params = rcgen::CertificateParams::default();
            params.not_before = rcgen::date_time_ymd(1998, 1, 1);
            params.not_after = rcgen::date_time_ymd(year, 1, 1);
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
            std::fs::write(&path, params.self_signed(&key).unwrap().pem()).unwrap();
            let (from, until) = (Timestamp::from_secs(883_612_800), Timestamp::from_secs(secs));
            assert_eq!(certificate_validity(&path), Ok((from, until)));
        }
        std::fs::write(&path, key.serialize_pem()).unwrap();
        assert_eq!(certificate_validity(&path), Err(format!("{}: holds no certificate", path.display())));
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
