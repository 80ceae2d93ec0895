//! The adapter against servers that play a script, on loopback. What real servers do is in `tests/it/imap.rs`.

mod connect;
mod hostile;
mod idle;
mod limits;
mod look;
mod pki;
mod script;
mod services;
mod tidy;

use super::*;
use crate::{
    domain::{Limits, Secret, Timestamp},
    mail::{Folders, MailboxTrouble, Search, Waker},
};
use script::{Peer, Played};
use std::time::Duration;

const NOV_20: Timestamp = Timestamp::from_secs(1_795_165_200);
/// For what must not be waited for: a test that needs it has failed.
const LONG: Duration = Duration::from_secs(20);

/// Silence is told soon, and nothing else depends on it.
fn limits() -> Limits {
    Limits { mail_read_timeout: LONG, ..Limits::default() }
}
fn impatient() -> Limits {
    Limits { mail_read_timeout: Duration::from_secs(1), ..Limits::default() }
}

fn search(bytes_max: usize) -> Search {
    Search { senders: vec!["v@vendor.example".into()], since: NOV_20, bytes_max }
}

fn settings(port: u16, tls: Tls) -> Settings {
    Settings {
        host: "localhost".into(),
        port,
        tls,
        ca_cert: None,
        user: "relay".into(),
        login: Login::Password(Secret::new("canary")),
        folders: vec!["INBOX".into()],
    }
}

/// A connection to a server that, after the login, plays `script`.
fn logged_in(script: impl FnOnce(&mut Peer) + Send + 'static) -> (Played, Connection, Waker) {
    let (played, port) = script::play(|peer| {
        peer.welcome();
        script(peer);
    });
    let (connection, waker) = connect(&settings(port, Tls::None), &limits()).unwrap();
    (played, connection, waker)
}

/// What is wrong with a connection that could not be made or kept, without the port that changes.
fn unreachable<T>(result: Result<T, MailboxTrouble>) -> String {
    match result {
        Err(MailboxTrouble::Unreachable(why)) => without_port(&why),
        Err(other) => panic!("not unreachable: {other:?}"),
        Ok(_) => panic!("it worked"),
    }
}

fn refused<T>(result: Result<T, MailboxTrouble>) -> String {
    match result {
        Err(MailboxTrouble::Refused(why)) => without_port(&why),
        Err(other) => panic!("not refused: {other:?}"),
        Ok(_) => panic!("it worked"),
    }
}

/// The same of any trouble, after its kind.
fn told(trouble: &MailboxTrouble) -> String {
    match trouble {
        MailboxTrouble::Unreachable(why) => format!("unreachable: {}", without_port(why)),
        MailboxTrouble::Refused(why) => format!("refused: {}", without_port(why)),
        MailboxTrouble::Busy(why) => format!("busy: {}", without_port(why)),
        MailboxTrouble::TokenEnded(why) => format!("its token ended: {}", without_port(why)),
    }
}

fn without_port(text: &str) -> String {
    let (host, rest) = text.split_once(':').expect("host:port");
    format!("{host}{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}

/// Handed-out mails as `place folder bytes`, then what could not be read.
fn seen(look: &Look) -> Vec<String> {
    let mails = look.mails.iter().map(|mail| {
        let header = if mail.header_only { format!(" header of {}", mail.size) } else { String::new() };
        format!("{} {} {}{header}", mail.place, mail.folder, String::from_utf8_lossy(&mail.bytes))
    });
    mails.chain(look.unreadable.iter().map(|why| without_port(why))).collect()
}
