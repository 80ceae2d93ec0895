//! What went wrong below HTTP, in our own words: a library's error may carry a URL or what was sent.

use crate::domain::spell_duration;
use rustls::CertificateError;
use std::error::Error;
use std::io;
use std::time::Duration;

/// A sentence that names the host and never the key.
pub fn name(error: &reqwest::Error, host: &str, timeout: Duration) -> String {
    if error.is_timeout() {
        return if error.is_connect() {
            format!("{host} does not accept a connection")
        } else {
            format!("{host} did not answer within {}", spell_duration(timeout))
        };
    }
    if let Some(error) = sources(error).find_map(|error| error.downcast_ref::<rustls::Error>()) {
        return of_tls(error, host);
    }
    match sources(error).filter_map(|error| error.downcast_ref::<io::Error>()).map(io::Error::kind).last() {
        Some(io::ErrorKind::ConnectionRefused) => format!("{host} refuses the connection"),
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            format!("there is no route to {host}")
        }
        _ if error.is_connect() => {
            format!("{host} cannot be reached (is the name right, and does it speak TLS?)")
        }
        _ => format!("{host} did not send a whole HTTP answer"),
    }
}

fn of_tls(error: &rustls::Error, host: &str) -> String {
    let rustls::Error::InvalidCertificate(reason) = error else {
        return format!("no TLS connection with {host} came about");
    };
    let reason = match reason {
        // A CA that was made anew under its old name gives the second.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "comes from nobody whom this machine trusts (is ca-certificates installed?)"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "is not for that name"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet (is this machine's clock right?)"
        }
        CertificateError::Revoked => "is revoked",
        _ => "is not valid",
    };
    format!("the TLS certificate of {host} {reason}")
}

/// The error and what it wraps, outermost first. An I/O error hides what it wraps from `source()`.
fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| inner(*error))
}

fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}
