//! Adapter: one IMAP mailbox, over the `imap` crate and a stream of our own. Blocking, for a thread of its own.
//!
//! Looking leaves no trace: EXAMINE, SEARCH and BODY.PEEK set no flag, not even `\Seen`. Only [`Connection::tidy`]
//! changes something, and only where the operator wants it. It never connects again, never sleeps but in
//! [`Connection::wait`], and does not know what a mail means.

mod answer;
mod dial;
mod fetch;
mod folder;
mod idle;
mod refusal;
mod sasl;
mod search;
mod socket;
mod tidy;
mod trouble;
mod wire;

#[cfg(test)]
mod tests;

use super::{Folders, Look, MailboxTrouble, Search, Waker};
use crate::domain::{Grant, Limits, Secret};
use folder::Folder;
use std::{path::PathBuf, time::Duration};
use trouble::{Failed, Server, guarded};
use wire::{ANSWER_MAX, Shared};

pub use tidy::is_same_folder;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    pub ca_cert: Option<PathBuf>,
    pub user: String,
    pub login: Login,
    /// Empty: INBOX and what the server flags `\Junk`.
    pub folders: Vec<String>,
}

/// What lets the user in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    Password(Secret),
    /// An access token is to be fetched first: nobody connects with this one.
    OAuth2(Box<Grant>),
    /// The access token.
    Token(Secret),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    Implicit,
    StartTls,
    /// Loopback only.
    None,
}

/// LOGOUT waits no longer for the server's answer.
const LEAVE_WITHIN: Duration = Duration::from_millis(500);

/// A logged-in connection. After any error it is of no use.
pub struct Connection {
    server: Server,
    session: imap::Session<Shared>,
    wire: Shared,
    /// Not empty; the first is the one that IDLE watches.
    folders: Vec<Folder>,
    selected: Option<usize>,
    /// Whether the server takes IDLE.
    idles: bool,
    abilities: tidy::Abilities,
    renew: Duration,
}

/// Connects and logs in. `Refused` means the login; everything else is `Unreachable`, with the precise cause.
pub fn connect(settings: &Settings, limits: &Limits) -> Result<(Connection, Waker), MailboxTrouble> {
    let server = Server::new(settings);
    sasl::check(&server, settings)?;
    let dialled = dial::dial(settings, limits.mail_read_timeout);
    let (wire, waker) = dialled.map_err(|why| refusal::lost(&server, &why, &why))?;
    let session = sasl::log_in(settings, &server, &wire)?;

    let mut connection = Connection {
        server,
        session,
        wire,
        folders: Vec::new(),
        selected: None,
        idles: false,
        abilities: tidy::Abilities::default(),
        renew: limits.idle_renew,
    };
    let can = connection.run("CAPABILITY", ANSWER_MAX, imap::Session::capabilities)?;
    connection.idles = sasl::has(&can, "IDLE");
    connection.abilities = tidy::Abilities::of(&can);
    let extended_list = sasl::has(&can, "SPECIAL-USE") && sasl::has(&can, "LIST-EXTENDED");
    connection.folders = connection.choose_folders(&settings.folders, extended_list)?;
    Ok((connection, waker))
}

impl Connection {
    /// The watched folders, the one that IDLE hears of first.
    pub fn folders(&self) -> Vec<String> {
        self.folders.iter().map(|folder| folder.name.clone()).collect()
    }

    /// SEARCHes the watched folders and fetches what this connection has not handed out yet.
    pub fn look(&mut self, search: &Search, which: Folders) -> Result<Look, MailboxTrouble> {
        let query = search::Query::new(search).map_err(|why| self.server.trouble(&why))?;
        self.renumbered();
        let mut look = Look { mails: Vec::new(), unreadable: Vec::new() };
        // The first folder comes last, so that it stays selected and no mail falls between SEARCH and IDLE.
        if which == Folders::All {
            for other in 1..self.folders.len() {
                match self.examine(other) {
                    Ok(_) => self.look_into(other, &query, &mut look)?,
                    Err(Failed::No(why)) => look.unreadable.push(why),
                    Err(Failed::Lost(trouble)) => return Err(trouble),
                }
            }
        }
        let next = match (which, self.selected) {
            (Folders::First, Some(0)) => self.folders[0].opened_at,
            (Folders::All | Folders::First, _) => self.examine(0)?,
        };
        self.wire.lock().take_news(); // whatever was announced so far, the SEARCH will find
        let unreadable = look.unreadable.len();
        self.look_into(0, &query, &mut look)?;
        let complete = !self.renumbered() && look.unreadable.len() == unreadable;
        self.folders[0].opened_at = next.filter(|_| complete);
        look.mails.sort_by_key(|mail| mail.arrived_at); // in the same second, by UID
        Ok(look)
    }

    /// The next look hands out everything again.
    pub fn forget(&mut self) {
        for folder in &mut self.folders {
            folder.forget();
        }
    }

    /// Whether the server told meanwhile that a folder is no longer what it was: then nothing that is known of any
    /// holds, and there is a reason to look again.
    fn renumbered(&mut self) -> bool {
        let renumbered = self.wire.lock().take_renumbered();
        if renumbered {
            self.forget();
            self.selected = None;
        }
        renumbered
    }

    /// Logs out; the server has half a second to answer.
    pub fn close(mut self) {
        self.wire.lock().set_patience(LEAVE_WITHIN);
        // Whatever it answers, we are gone.
        let _ = self.run("LOGOUT", ANSWER_MAX, imap::Session::logout);
    }

    /// One command. What the server says besides its answer is noticed by the wire and not kept.
    fn run<T>(
        &mut self,
        name: &str,
        answer_max: usize,
        command: impl FnOnce(&mut imap::Session<Shared>) -> imap::Result<T>,
    ) -> Result<T, Failed> {
        self.wire.lock().begin(name, answer_max);
        let result = guarded(|| command(&mut self.session));
        let _ = self.session.take_all_unsolicited();
        result.map_err(|error| self.server.failed(&self.wire, name, error))
    }
}
