//! What went wrong, in our own words: a library's error may carry whatever a server said, however much of it.

use super::super::render::plain;
use super::SENDING;
use lettre::transport::smtp::Error;
use std::error::Error as _;
use std::io;

/// The longest piece of a server's text that is shown, in characters.
const SHOWN_MAX: usize = 160;

/// The server wants a login, or another one: the configuration's fault, not the mail's.
const LOGIN_CODES: [u16; 4] = [530, 534, 535, 538];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The server said no, for good (5xx).
    Permanent(String),
    /// The server said no, for now.
    Passing(String),
    /// No answer, or none that can be understood.
    Silent(String),
}

impl Trouble {
    pub(super) fn into_why(self) -> String {
        match self {
            Trouble::Permanent(why) | Trouble::Passing(why) | Trouble::Silent(why) => why,
        }
    }

    /// Names the server, and what was being done.
    pub(super) fn with_place(self, server: &str, doing: &str) -> Self {
        let place = |why| format!("{server} {why} while {doing}");
        match self {
            Trouble::Permanent(why) => Trouble::Permanent(place(why)),
            Trouble::Passing(why) => Trouble::Passing(place(why)),
            Trouble::Silent(why) if doing == SENDING => Trouble::Silent(place(why) + "; it may have arrived"),
            Trouble::Silent(why) => Trouble::Silent(place(why)),
        }
    }
}

/// The trouble, as the rest of a sentence that begins with the server's name.
pub(super) fn trouble(error: &Error) -> Trouble {
    let Some(code) = error.status() else { return Trouble::Silent(silence(error)) };
    let said = error.source().map(|text| shown(&text.to_string())).unwrap_or_default();
    let why = if said.is_empty() { format!("answered {code}") } else { format!("answered {code} ({said})") };
    if error.is_permanent() && !LOGIN_CODES.contains(&code.into()) {
        Trouble::Permanent(why)
    } else {
        Trouble::Passing(why)
    }
}

/// Why there is no answer: what the system or TLS said.
fn silence(error: &Error) -> String {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return io_silence(io);
        }
        cause = error.source();
    }
    "answered something that is no SMTP, or closed the connection".into()
}

pub(super) fn io_silence(error: &io::Error) -> String {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, InvalidData, UnexpectedEof};
    let cause = shown(&error.to_string());
    match error.kind() {
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe => "closed the connection".into(),
        // rustls reports so whatever it does not accept, a certificate above all.
        InvalidData => format!("failed TLS: {cause} (see alerts.email.smtp.tls, port and ca_cert)"),
        _ => format!("cannot be reached: {cause}"),
    }
}

/// A server's text, made harmless and short.
fn shown(text: &str) -> String {
    let plain = plain(text.trim());
    match plain.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}...", &plain[..end]),
        None => plain,
    }
}
