//! The one place that changes something in a mailbox, and only where the operator wants it: a mail whose rotation is
//! over is moved to a folder, or deleted. (Whether it may go was decided elsewhere.)
//!
//! What is touched is that very mail and no other: its folder has the UIDVALIDITY it had, and its bytes, fetched once
//! more in the same opened folder, have the hash they had. Only `UID MOVE` and `UID EXPUNGE` are used: a plain EXPUNGE
//! and CLOSE would take away what somebody else has marked as deleted. A server that can do neither is told of.

use super::{Connection, Failed, sasl::has, search::encode_folder, wire::ANSWER_MAX};
use crate::{
    domain::{MailHash, MailPlace, Settled, Tidied},
    mail::MailboxTrouble,
};

/// So many mails of the same size in the target folder are compared with the one that is to be moved there.
const ALIKE_MAX: usize = 16;

/// What of the server's capabilities counts here.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Abilities {
    /// RFC 6851.
    moves: bool,
    /// RFC 4315: UID EXPUNGE.
    uid_plus: bool,
    /// RFC 4314.
    acl: bool,
}

impl Abilities {
    pub fn of(can: &imap::types::Capabilities) -> Self {
        Self { moves: has(can, "MOVE"), uid_plus: has(can, "UIDPLUS"), acl: has(can, "ACL") }
    }
    fn missing(self, settled: &Settled) -> Option<String> {
        match settled {
            Settled::Keep => None,
            Settled::Delete if self.uid_plus => None,
            Settled::Move(_) if self.moves || self.uid_plus => None,
            Settled::Delete => Some(
                "the server has no UIDPLUS: a mail cannot be deleted without taking away what others have marked as deleted"
                    .into(),
            ),
            Settled::Move(_) => Some(
                "the server has neither MOVE nor UIDPLUS: a mail cannot be moved without taking away what others have marked as deleted"
                    .into(),
            ),
        }
    }
}

/// Whether two names are of one folder: INBOX is written in any case (RFC 9051 §5.1).
pub fn is_same_folder(one: &str, other: &str) -> bool {
    one == other || (one.eq_ignore_ascii_case("INBOX") && other.eq_ignore_ascii_case("INBOX"))
}

/// A mail that was found to be the one that is meant.
struct Found {
    uid: u32,
    size: usize,
}

impl Connection {
    /// Does to each of the mails what is wanted, one after the other. Afterwards the next look opens its folder again.
    pub fn tidy(
        &mut self,
        mails: &[MailPlace],
        settled: &Settled,
        bytes_max: usize,
    ) -> Result<Vec<(MailPlace, Tidied)>, MailboxTrouble> {
        let mut tidied = Vec::with_capacity(mails.len());
        for mail in mails {
            let outcome = match self.tidy_one(mail, settled, bytes_max) {
                Ok(outcome) => outcome,
                Err(Failed::No(why)) => Tidied::Refused(why),
                Err(Failed::Lost(trouble)) => return Err(trouble),
            };
            tidied.push((mail.clone(), outcome));
        }
        self.selected = None;
        Ok(tidied)
    }

    fn tidy_one(&mut self, mail: &MailPlace, settled: &Settled, bytes_max: usize) -> Result<Tidied, Failed> {
        if let Some(why) = self.abilities.missing(settled).or_else(|| self.watched_target(settled)) {
            return Ok(Tidied::Refused(self.server.says(&why)));
        }
        let found = match self.find(mail, settled, bytes_max)? {
            Ok(found) => found,
            Err(outcome) => return Ok(outcome),
        };
        match settled {
            Settled::Keep => return Ok(Tidied::Done),
            Settled::Delete => self.delete(found.uid)?,
            Settled::Move(folder) if self.abilities.moves => {
                let target = encode_folder(folder);
                let command = format!("UID MOVE to {folder:?}");
                self.run(&command, ANSWER_MAX, |session| session.uid_mv(found.uid.to_string(), target))?;
            }
            Settled::Move(folder) => {
                if let Some(outcome) = self.copy_and_delete(mail, &found, folder, bytes_max)? {
                    return Ok(outcome);
                }
            }
        }
        // Whether it is done is what the folder shows, not what was answered.
        if self.is_there(found.uid)? {
            let why = format!("{}: the server said OK, and the mail is still there", mail.folder);
            return Ok(Tidied::Refused(self.server.says(&why)));
        }
        Ok(Tidied::Done)
    }

    /// Opens the mail's folder, for writing where something is to be changed, and looks whether it is what it was.
    fn find(
        &mut self,
        mail: &MailPlace,
        settled: &Settled,
        bytes_max: usize,
    ) -> Result<Result<Found, Tidied>, Failed> {
        let number = self.folders.iter().position(|folder| folder.name == mail.folder);
        let place = mail.place.split_once('/').and_then(|(validity, uid)| {
            Some((validity.parse::<u32>().ok()?, uid.parse::<u32>().ok().filter(|uid| *uid > 0)?))
        });
        let Some((number, (validity, uid))) = number.zip(place) else {
            return Ok(Err(Tidied::Elsewhere));
        };
        let opened =
            if *settled == Settled::Keep { self.look_at(number)? } else { self.open_to_write(number)? };
        if opened.validity != validity {
            return Ok(Err(Tidied::Elsewhere));
        }
        if opened.read_only && *settled != Settled::Keep {
            let why = format!("{} may only be read by this login", mail.folder);
            return Ok(Err(Tidied::Refused(self.server.says(&why))));
        }
        let fetched = self.fetch(&[uid], "BODY.PEEK[]", bytes_max + 1)?;
        // A server may still name a mail that another session has just taken away, without a body.
        let there = fetched.first().and_then(|fetched| Some((fetched.size, fetched.bytes.as_ref()?)));
        Ok(match there {
            None => Err(Tidied::Gone),
            Some((size, bytes)) if MailHash::of(bytes) == mail.hash => Ok(Found { uid, size }),
            Some(_) => Err(Tidied::Elsewhere),
        })
    }

    fn look_at(&mut self, number: usize) -> Result<Opened, Failed> {
        self.examine(number)?;
        Ok(Opened { validity: self.folders[number].validity, read_only: true })
    }
    fn open_to_write(&mut self, number: usize) -> Result<Opened, Failed> {
        let (command, encoded) = self.folders[number].opening("SELECT");
        self.selected = None;
        let opened = self.run(&command, ANSWER_MAX, |session| session.select(encoded))?;
        Ok(Opened { validity: opened.uid_validity.unwrap_or_default(), read_only: opened.is_read_only })
    }

    /// That one mail alone.
    fn delete(&mut self, uid: u32) -> Result<(), Failed> {
        self.run("UID STORE", ANSWER_MAX, |session| {
            session.uid_store(uid.to_string(), "+FLAGS.SILENT (\\Deleted)")
        })?;
        let command = format!("UID EXPUNGE {uid}");
        self.run("UID EXPUNGE", ANSWER_MAX, |session| session.run_command_and_check_ok(&command))
    }

    /// MOVE for servers without it; the outcome, where it does not come to that. A try that broke off after COPY has left
    /// a mail in the target, which is not copied again: what is there byte for byte is there.
    fn copy_and_delete(
        &mut self,
        mail: &MailPlace,
        found: &Found,
        folder: &str,
        bytes_max: usize,
    ) -> Result<Option<Tidied>, Failed> {
        let target = encode_folder(folder);
        let is_copied = self.has_mail(folder, found.size, &mail.hash, bytes_max)?;
        let again = match self.find(mail, &Settled::Delete, bytes_max)? {
            Ok(found) => found,
            Err(outcome) => return Ok(Some(outcome)),
        };
        if !is_copied {
            let copy = format!("UID COPY {} {}", again.uid, quoted(&target));
            let name = format!("UID COPY to {folder:?}");
            self.run(&name, ANSWER_MAX, |session| session.run_command_and_check_ok(&copy))?;
        }
        self.delete(again.uid)?;
        Ok(None)
    }
    /// Asked for by its size alone: nothing out of a mail goes into a command.
    fn has_mail(
        &mut self,
        folder: &str,
        size: usize,
        hash: &MailHash,
        bytes_max: usize,
    ) -> Result<bool, Failed> {
        self.open_target(folder)?;
        let search = format!("LARGER {} SMALLER {}", size.saturating_sub(1), size + 1);
        let found = self.run("SEARCH", ANSWER_MAX, |session| session.uid_search(search))?;
        let mut uids: Vec<u32> = found.into_iter().collect();
        uids.sort_unstable_by(|one, other| other.cmp(one));
        for uid in uids.into_iter().take(ALIKE_MAX) {
            let fetched = self.fetch(&[uid], "BODY.PEEK[]", bytes_max + 1)?;
            if fetched.iter().filter_map(|mail| mail.bytes.as_ref()).any(|bytes| MailHash::of(bytes) == *hash)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
    fn open_target(&mut self, folder: &str) -> Result<(), Failed> {
        self.selected = None;
        let encoded = encode_folder(folder);
        let name = format!("EXAMINE {folder:?}");
        self.run(&name, ANSWER_MAX, |session| session.examine(encoded)).map(|_| ())
    }
    fn is_there(&mut self, uid: u32) -> Result<bool, Failed> {
        let answers = self.run("FETCH", ANSWER_MAX, |session| session.uid_fetch(uid.to_string(), "(UID)"))?;
        Ok(answers.iter().any(|answer| answer.uid == Some(uid)))
    }

    fn watched_target(&self, settled: &Settled) -> Option<String> {
        let Settled::Move(target) = settled else { return None };
        let is_watched = self.folders.iter().any(|folder| is_same_folder(&folder.name, target));
        is_watched.then(|| format!("{target} is watched itself, and nothing is moved there"))
    }
}

/// What of an opened folder counts.
struct Opened {
    validity: u32,
    read_only: bool,
}

/// What stands in the way, by what the server says. Nothing is moved or changed.
impl Connection {
    pub fn obstacles(&mut self, settled: &Settled) -> Result<Vec<String>, MailboxTrouble> {
        let mut obstacles = Vec::new();
        if *settled == Settled::Keep {
            return Ok(obstacles);
        }
        let missing = self.abilities.missing(settled).or_else(|| self.watched_target(settled));
        obstacles.extend(missing.map(|why| self.server.says(&why)));
        if let Settled::Move(folder) = settled {
            let opened = self.open_target(folder);
            obstacles.extend(note(opened)?);
            if obstacles.is_empty() {
                let needed = "i";
                obstacles.extend(self.missing_right(folder, &encode_folder(folder), needed)?);
            }
        }
        for number in 0..self.folders.len() {
            let opened = self.open_to_write(number);
            let name = self.folders[number].name.clone();
            match opened {
                Ok(opened) if opened.read_only => {
                    obstacles.push(self.server.says(&format!("{name} may only be read by this login")));
                }
                Ok(_) => {
                    let (_, encoded) = self.folders[number].opening("MYRIGHTS");
                    obstacles.extend(self.missing_right(&name, &encoded, "te")?);
                }
                Err(failed) => obstacles.extend(note(Err::<(), _>(failed))?),
            }
        }
        self.selected = None;
        Ok(obstacles)
    }

    /// Where the server has rights for each folder (RFC 4314): `i` lets put mails in, `t` and `e` take them away. (RFC
    /// 2086 has `d` for both.)
    fn missing_right(
        &mut self,
        folder: &str,
        encoded: &str,
        needed: &str,
    ) -> Result<Option<String>, MailboxTrouble> {
        if !self.abilities.acl {
            return Ok(None);
        }
        let asked = self.run("MYRIGHTS", ANSWER_MAX, |session| session.my_rights(encoded));
        let rights = match asked {
            Ok(rights) => rights,
            Err(failed) => return note(Err::<(), _>(failed)),
        };
        let rights = &rights.parsed().rights().to_string();
        let old = rights.contains('d') && !rights.contains(['t', 'e']);
        let lacks = needed.chars().any(|right| !rights.contains(right)) && !(old && needed == "te");
        let may = if needed == "i" { "put a mail into it" } else { "take a mail out of it" };
        let why = format!("{folder}: this login may not {may} (its rights are {rights}, {needed} is needed)");
        Ok(lacks.then(|| self.server.says(&why)))
    }
}

/// A refusal is an obstacle; a lost connection is not.
fn note<T>(done: Result<T, Failed>) -> Result<Option<String>, MailboxTrouble> {
    match done {
        Ok(_) => Ok(None),
        Err(Failed::No(why)) => Ok(Some(why)),
        Err(Failed::Lost(trouble)) => Err(trouble),
    }
}

/// The name comes from the configuration, without control characters, and is ASCII once it is encoded.
fn quoted(folder: &str) -> String {
    format!("\"{}\"", folder.replace('\\', "\\\\").replace('"', "\\\""))
}
