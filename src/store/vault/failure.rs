//! Why a request has no answer. Of an error only that is kept which is known to hold no URL, header or body.

use crate::{domain::StoreTrouble, tls};
use std::{
    error::Error,
    io::{self, ErrorKind},
};

const CLOSED: &str = "the connection was closed";

/// Why there is no answer, for the operator.
pub(super) enum NoAnswer {
    NotSent(String),
    /// The server's certificate is not trusted: nothing was sent.
    Untrusted(String),
    /// Every node that answers is sealed: nothing was sent.
    Sealed,
    /// It may have been received and done.
    Lost(String),
}

impl NoAnswer {
    /// For a request that may be sent again.
    pub fn into_trouble(self) -> StoreTrouble {
        match self {
            NoAnswer::NotSent(why) | NoAnswer::Lost(why) => StoreTrouble::Unreachable(why),
            NoAnswer::Untrusted(why) => StoreTrouble::Untrusted(why),
            NoAnswer::Sealed => StoreTrouble::Sealed,
        }
    }
}

/// The innermost cause: what the system or the TLS library says.
pub(super) fn cause(error: &reqwest::Error) -> String {
    let mut said = None;
    for error in Causes(error.source()) {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            said = Some(match error.kind() {
                // The TLS library's words for it are a lesson with a link.
                ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => {
                    CLOSED.to_owned()
                }
                _ => error.to_string(),
            });
        } else if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return format!("TLS: {}", tls::explain(error));
        }
    }
    said.unwrap_or_else(|| CLOSED.to_owned())
}

/// Whether the server's certificate was refused here.
pub(super) fn is_refusal_of_certificate(error: &reqwest::Error) -> bool {
    Causes(error.source())
        .filter_map(|error| error.downcast_ref::<rustls::Error>())
        .any(|error| matches!(error, rustls::Error::InvalidCertificate(_)))
}

/// The chain of causes, through what `io::Error` wraps.
struct Causes<'a>(Option<&'a (dyn Error + 'static)>);

impl<'a> Iterator for Causes<'a> {
    type Item = &'a (dyn Error + 'static);
    fn next(&mut self) -> Option<Self::Item> {
        let error = self.0.take()?;
        self.0 = match error.downcast_ref::<io::Error>() {
            Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
            None => error.source(),
        };
        Some(error)
    }
}
