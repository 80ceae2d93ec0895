//! One type for every kind of mailbox, so that the shell needs to know only one. It decides nothing: when to look,
//! to wait and to open again is the caller's.

use super::{Look, MailboxTrouble, Search, Waker, Woken, imap, maildir};
use crate::domain::{AccessToken, Grant, Limits, MailPlace, Settled, Tidied};
use std::time::Duration;

/// So many mails a look hands out at most: a mailbox that somebody filled must not fill our memory too.
pub(super) const LOOK_MAILS_MAX: usize = 256;
/// No further mail is read in a look that has so many bytes.
pub(super) const LOOK_BYTES_MAX: usize = 16 << 20;

/// Which folders a look covers. A maildir is one folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folders {
    All,
    /// Only the one that [`Mailbox::wait`] hears of.
    First,
}

/// Where a mailbox is and how it is entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxSettings {
    Imap(imap::Settings),
    Maildir(maildir::Settings),
}

impl MailboxSettings {
    /// What an access token is to be fetched with, before the mailbox can be opened.
    pub fn grant(&self) -> Option<&Grant> {
        match self {
            MailboxSettings::Imap(imap::Settings { login: imap::Login::OAuth2(grant), .. }) => Some(grant),
            MailboxSettings::Imap(_) | MailboxSettings::Maildir(_) => None,
        }
    }
    /// The same mailbox, to be entered with that token.
    pub fn with_token(self, token: &AccessToken) -> Self {
        match self {
            MailboxSettings::Imap(settings) => MailboxSettings::Imap(imap::Settings {
                login: imap::Login::Token(token.secret.clone()),
                ..settings
            }),
            maildir @ MailboxSettings::Maildir(_) => maildir,
        }
    }
}

/// An open mailbox. After any error it is of no use: drop it and open another, which hands out everything again.
pub enum Mailbox {
    Imap(Box<imap::Connection>),
    Maildir(maildir::Maildir),
}

/// Opens a mailbox, blocking; the waker ends its waits.
pub fn open(settings: &MailboxSettings, limits: &Limits) -> Result<(Mailbox, Waker), MailboxTrouble> {
    match settings {
        MailboxSettings::Imap(settings) => imap::connect(settings, limits)
            .map(|(connection, waker)| (Mailbox::Imap(Box::new(connection)), waker)),
        MailboxSettings::Maildir(settings) => {
            maildir::open(settings, limits).map(|(maildir, waker)| (Mailbox::Maildir(maildir), waker))
        }
    }
}

impl Mailbox {
    /// The watched folders; a maildir is one, without a name.
    pub fn folders(&self) -> Vec<String> {
        match self {
            Mailbox::Imap(connection) => connection.folders(),
            Mailbox::Maildir(_) => Vec::new(),
        }
    }
    /// What matches and was not handed out yet since the mailbox was opened.
    pub fn look(&mut self, search: &Search, which: Folders) -> Result<Look, MailboxTrouble> {
        match self {
            Mailbox::Imap(connection) => connection.look(search, which),
            Mailbox::Maildir(maildir) => maildir.look(search, which),
        }
    }
    /// The next look hands out everything again: a mail could not be judged yet.
    pub fn forget(&mut self) {
        match self {
            Mailbox::Imap(connection) => connection.forget(),
            Mailbox::Maildir(maildir) => maildir.forget(),
        }
    }
    /// Does to each of the mails what is wanted once a rotation is over.
    pub fn tidy(
        &mut self,
        mails: &[MailPlace],
        settled: &Settled,
        bytes_max: usize,
    ) -> Result<Vec<(MailPlace, Tidied)>, MailboxTrouble> {
        match self {
            Mailbox::Imap(connection) => connection.tidy(mails, settled, bytes_max),
            Mailbox::Maildir(_) => {
                let refused = || Tidied::Refused("a maildir is only read".into());
                Ok(mails.iter().map(|mail| (mail.clone(), refused())).collect())
            }
        }
    }
    /// What stands in the way of that, by what the server says; nothing is changed.
    pub fn obstacles(&mut self, settled: &Settled) -> Result<Vec<String>, MailboxTrouble> {
        match self {
            Mailbox::Imap(connection) => connection.obstacles(settled),
            Mailbox::Maildir(_) => Ok(Vec::new()),
        }
    }
    /// Sleeps until there may be a new mail, a waker calls, or the time is up.
    pub fn wait(&mut self, timeout: Duration) -> Result<Woken, MailboxTrouble> {
        match self {
            Mailbox::Imap(connection) => connection.wait(timeout),
            Mailbox::Maildir(maildir) => maildir.wait(timeout),
        }
    }
    /// Takes leave of the server, within a second.
    pub fn close(self) {
        match self {
            Mailbox::Imap(connection) => connection.close(),
            Mailbox::Maildir(maildir) => maildir.close(),
        }
    }
}
