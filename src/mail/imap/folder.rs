//! Which folders are watched, and what each has handed out.

use super::{Connection, Failed, search::encode_folder, wire::ANSWER_MAX};
use crate::mail::MailboxTrouble;
use imap_proto::NameAttribute;
use std::collections::BTreeSet;

pub(super) struct Folder {
    /// As configured, or as the server lists it.
    pub name: String,
    /// As it goes over the wire.
    encoded: String,
    /// The server flags it `\Junk`. (What is configured by name is not asked for its flags.)
    pub junk: bool,
    /// UIDs mean something only together with it.
    pub validity: u32,
    /// What arrived after the folder was opened has this UID or a higher one, and a look at it need search no
    /// others.
    pub opened_at: Option<u32>,
    pub handed_out: BTreeSet<u32>,
}

impl Folder {
    fn new(name: &str, encoded: String) -> Self {
        Self {
            name: name.to_owned(),
            encoded,
            junk: false,
            validity: 0,
            opened_at: None,
            handed_out: BTreeSet::new(),
        }
    }
    pub fn forget(&mut self) {
        self.handed_out.clear();
        self.opened_at = None;
    }
}

impl Connection {
    /// The configured ones; without any INBOX, and the one that the server flags `\Junk` (RFC 6154).
    pub(super) fn choose_folders(
        &mut self,
        configured: &[String],
        extended_list: bool,
    ) -> Result<Vec<Folder>, MailboxTrouble> {
        if !configured.is_empty() {
            return Ok(configured.iter().map(|name| Folder::new(name, encode_folder(name))).collect());
        }
        let mut folders = vec![Folder::new("INBOX", "INBOX".into())];
        let junk = self.find_junk(extended_list)?;
        folders.extend(junk.map(|name| Folder { junk: true, ..Folder::new(&name, name.clone()) }));
        Ok(folders)
    }

    fn find_junk(&mut self, extended_list: bool) -> Result<Option<String>, Failed> {
        // Many servers show the flag only to who asks; the others do not understand the question.
        let pattern = if extended_list { "\"*\" RETURN (SPECIAL-USE)" } else { "\"*\"" };
        let listed = self.run("LIST", ANSWER_MAX, |session| session.list(None, Some(pattern)))?;
        let junk = listed.iter().find(|name| {
            let has = |wanted| name.attributes().contains(&wanted);
            has(NameAttribute::Junk) && !has(NameAttribute::NoSelect)
        });
        Ok(junk.map(|name| name.name().to_owned()))
    }

    /// Selects a folder for reading only; with another UIDVALIDITY everything in it is new. Returns its UIDNEXT.
    pub(super) fn examine(&mut self, number: usize) -> Result<Option<u32>, Failed> {
        let name = &self.folders[number].name;
        let command = format!("EXAMINE {name:?}");
        let encoded = self.folders[number].encoded.clone();
        self.selected = None;
        self.folders[number].opened_at = None;
        let mailbox = self.run(&command, ANSWER_MAX, |session| session.examine(&encoded))?;
        self.selected = Some(number);
        let folder = &mut self.folders[number];
        let validity = mailbox.uid_validity.unwrap_or_default();
        if folder.validity != validity {
            folder.validity = validity;
            folder.forget();
        }
        Ok(mailbox.uid_next)
    }
}
