//! Which folders are watched, and what each has handed out.

use super::{Connection, Failed, fetch::Traits, search::encode_folder, wire::ANSWER_MAX};
use crate::mail::MailboxTrouble;
use imap_proto::NameAttribute;
use std::collections::BTreeMap;

pub(super) struct Folder {
    /// As configured, or as the server lists it.
    pub name: String,
    /// As it goes over the wire.
    encoded: String,
    /// The server flags it `\Junk`.
    pub junk: bool,
    /// UIDs mean something only together with it. 0: the server did not say.
    pub validity: u32,
    /// What arrived after the folder was opened has this UID or a higher one, and a look at it need search no
    /// others.
    pub opened_at: Option<u32>,
    /// It was opened anew: what was handed out may be another mail by now.
    pub doubted: bool,
    /// By UID.
    pub handed_out: BTreeMap<u32, Traits>,
}

impl Folder {
    fn new(name: &str, encoded: String) -> Self {
        Self {
            name: name.to_owned(),
            encoded,
            junk: false,
            validity: 0,
            opened_at: None,
            doubted: false,
            handed_out: BTreeMap::new(),
        }
    }
    /// The command that opens it, as it is told of, and the name as it goes over the wire.
    pub fn opening(&self, verb: &str) -> (String, String) {
        (format!("{verb} {:?}", self.name), self.encoded.clone())
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
            return self.configured(configured, extended_list);
        }
        let mut folders = vec![Folder::new("INBOX", "INBOX".into())];
        let junk = self.find_junk(extended_list)?;
        folders.extend(junk.map(|name| Folder { junk: true, ..Folder::new(&name, name.clone()) }));
        Ok(folders)
    }

    /// Which one of them is for junk is asked where there may be one.
    fn configured(&mut self, names: &[String], extended_list: bool) -> Result<Vec<Folder>, MailboxTrouble> {
        let junk = match names.iter().all(|name| name.eq_ignore_ascii_case("INBOX")) {
            true => None,
            false => self.find_junk(extended_list)?,
        };
        let folder = |name: &String| {
            let encoded = encode_folder(name);
            let is_junk = junk.as_ref() == Some(&encoded);
            Folder { junk: is_junk, ..Folder::new(name, encoded) }
        };
        Ok(names.iter().map(folder).collect())
    }

    fn find_junk(&mut self, extended_list: bool) -> Result<Option<String>, Failed> {
        // Many servers show the flag only to who asks; the others do not understand the question.
        let pattern = if extended_list { "\"*\" RETURN (SPECIAL-USE)" } else { "\"*\"" };
        let listed = self.run("LIST", ANSWER_MAX, |session| session.list(None, Some(pattern)))?;
        let junk = listed.iter().find(|name| {
            let has = |wanted| name.attributes().contains(&wanted);
            // A name that no command can hold is nobody's folder.
            let can_be_said = !name.name().contains(char::is_control);
            has(NameAttribute::Junk) && !has(NameAttribute::NoSelect) && can_be_said
        });
        Ok(junk.map(|name| unquoted(name.name())))
    }

    /// Selects a folder for reading only; with another UIDVALIDITY everything in it is new. Returns its UIDNEXT.
    pub(super) fn examine(&mut self, number: usize) -> Result<Option<u32>, Failed> {
        let (command, encoded) = self.folders[number].opening("EXAMINE");
        self.selected = None;
        self.folders[number].opened_at = None;
        let mailbox = self.run(&command, ANSWER_MAX, |session| session.examine(&encoded))?;
        self.selected = Some(number);
        let folder = &mut self.folders[number];
        let validity = mailbox.uid_validity.unwrap_or_default();
        // Without one no UID means anything the next time.
        if folder.validity != validity || validity == 0 {
            folder.validity = validity;
            folder.forget();
        }
        folder.doubted = !folder.handed_out.is_empty();
        Ok(mailbox.uid_next)
    }
}

/// The parser leaves a quoted name's escapes in it.
fn unquoted(name: &str) -> String {
    let mut chars = name.chars();
    let next = |c, chars: &mut std::str::Chars| if c == '\\' { chars.next() } else { Some(c) };
    std::iter::from_fn(|| chars.next().and_then(|c| next(c, &mut chars))).collect()
}
