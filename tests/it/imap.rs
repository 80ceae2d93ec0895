//! The IMAP adapter against real servers: what the scripts in `mail::imap::tests` suppose of a server, they do.

mod dovecot;
mod every;
mod races;

use crate::world::{Ca, Dovecot, MailServer};
use keyrelay::{
    domain::{Limits, Secret, Timestamp},
    mail::{
        Folders, Look, MailboxTrouble, Search, Waker, Woken,
        imap::{self, Connection, Login, Settings, Tls},
    },
};
use std::time::{Duration, SystemTime};

const LONG: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(86_400);

fn settings(server: &impl MailServer, ca: &Ca, tls: Tls) -> Settings {
    Settings {
        host: "localhost".into(),
        port: if tls == Tls::Implicit { server.imaps_port() } else { server.imap_port() },
        tls,
        ca_cert: Some(ca.ca_path()),
        user: Dovecot::USER.into(),
        login: Login::Password(Secret::new(Dovecot::PASSWORD)),
        folders: vec![],
    }
}

fn connect(server: &impl MailServer, ca: &Ca, tls: Tls) -> (Connection, Waker) {
    imap::connect(&settings(server, ca, tls), &Limits::default()).unwrap()
}

fn search() -> Search {
    let since = Timestamp::from(SystemTime::now() - 14 * DAY);
    Search { senders: vec!["key@vendor.example".into(), "@other.example".into()], since, bytes_max: 100_000 }
}

fn mail(from: &str, text: &str) -> Vec<u8> {
    format!("From: Vendor <{from}>\r\nTo: rotation@example.com\r\nSubject: {text}\r\n\r\n{text}\r\n")
        .into_bytes()
}

/// Folder and subject of each mail, then what could not be read.
fn seen(look: &Look) -> Vec<String> {
    let mails = look.mails.iter().map(|mail| {
        let text = String::from_utf8_lossy(&mail.bytes);
        let subject = text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or("no subject");
        format!("{} {subject}", mail.folder)
    });
    mails.chain(look.unreadable.iter().cloned()).collect()
}

fn look(connection: &mut Connection, which: Folders) -> Vec<String> {
    seen(&connection.look(&search(), which).unwrap())
}

/// Waits in a thread of its own while the test goes on.
fn wait(mut connection: Connection) -> tokio::task::JoinHandle<(Connection, Result<Woken, MailboxTrouble>)> {
    tokio::task::spawn_blocking(move || {
        let woken = connection.wait(LONG);
        (connection, woken)
    })
}

fn unreachable<T>(result: Result<T, MailboxTrouble>) -> String {
    match result {
        Err(MailboxTrouble::Unreachable(why)) => why,
        Err(other) => panic!("not unreachable: {other:?}"),
        Ok(_) => panic!("it worked"),
    }
}
