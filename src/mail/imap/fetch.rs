//! SEARCH and FETCH in one folder. A small mail comes whole with the first FETCH; of a larger one its size decides
//! what is fetched next, so that no answer is ever larger than what was asked for.

use super::{Connection, Failed, search::Query, wire::ANSWER_MAX};
use crate::{
    domain::Timestamp,
    mail::{
        Look, MailboxTrouble, RawMail,
        mailbox::{LOOK_BYTES_MAX, LOOK_MAILS_MAX},
    },
};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// So much of each mail the first FETCH asks for: a confirmation is shorter, and comes in one round trip.
const FIRST_BYTES: usize = 64 << 10;
/// So many mails one FETCH asks for.
const FETCH_MAILS: usize = 16;
/// What a FETCH answer has beside each mail's bytes, at the very most.
const FRAME: usize = 4 << 10;

/// So many mails one FETCH compares with what was handed out: its line stays under the 8,000 octets of RFC 2683.
const COMPARED_MAILS: usize = 500;

/// What FETCH says of one mail.
pub(super) struct Fetched {
    uid: u32,
    arrived_at: Option<Timestamp>,
    /// RFC822.SIZE; 0 where the server did not say.
    pub size: usize,
    pub bytes: Option<Zeroizing<Vec<u8>>>,
}

/// What a mail under some UID was when it was handed out. A folder that was deleted and made anew may have the
/// UIDVALIDITY that it had: then only these tell the mails apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Traits {
    arrived_at: Option<Timestamp>,
    size: usize,
}

impl Connection {
    /// Looks into the selected folder. Newest first: when there are too many, the others come with the next looks.
    pub(super) fn look_into(
        &mut self,
        folder: usize,
        query: &Query,
        look: &mut Look,
    ) -> Result<(), MailboxTrouble> {
        let from = self.folders[folder].opened_at;
        let found = self.search(query, from)?;
        let handed_out = &mut self.folders[folder].handed_out;
        handed_out.retain(|uid, _| from.is_some_and(|from| *uid < from) || found.contains(uid));
        if std::mem::take(&mut self.folders[folder].doubted) {
            self.compare(folder, look)?;
        }
        let handed_out = &self.folders[folder].handed_out;
        let new: Vec<u32> = found.iter().rev().filter(|uid| !handed_out.contains_key(uid)).copied().collect();

        let start = look.mails.len();
        let mut left = &new[..];
        while !left.is_empty() && room(look) > 0 {
            let (now, later) = left.split_at(left.len().min(FETCH_MAILS).min(room(look)));
            let mails = self.take(folder, now, query.bytes_max, look)?;
            look.mails.splice(start..start, mails);
            left = later;
        }
        if !left.is_empty() {
            let name = &self.folders[folder].name;
            let waiting = format!("{name}: {} older mails wait for the next look", left.len());
            look.unreadable.push(self.server.says(&waiting));
        }
        Ok(())
    }

    /// Where nothing below `from` is new, the server need not search it: in a large folder that takes seconds.
    fn search(&mut self, query: &Query, from: Option<u32>) -> Result<BTreeSet<u32>, Failed> {
        let range = from.map_or(String::new(), |from| format!("UID {from}:* "));
        let mut found = BTreeSet::new();
        for search in &query.searches {
            let search = format!("{range}{search}");
            found.extend(self.run("SEARCH", ANSWER_MAX, |session| session.uid_search(search))?);
        }
        found.remove(&0); // no mail has it, and who asks for it says something that is no IMAP
        Ok(found)
    }

    /// What is now another mail than the one that was handed out under its UID is new.
    fn compare(&mut self, folder: usize, look: &mut Look) -> Result<(), MailboxTrouble> {
        let uids: Vec<u32> = self.folders[folder].handed_out.keys().copied().collect();
        for uids in uids.chunks(COMPARED_MAILS) {
            for now in or_tell(self.fetch_traits(uids), look)? {
                let handed_out = &mut self.folders[folder].handed_out;
                if handed_out.get(&now.uid).is_some_and(|then| *then != now.traits()) {
                    handed_out.remove(&now.uid);
                }
            }
        }
        Ok(())
    }

    /// Fetches `uids` and hands them out by UID. One that is gone meanwhile is simply absent.
    fn take(
        &mut self,
        folder: usize,
        uids: &[u32],
        bytes_max: usize,
        look: &mut Look,
    ) -> Result<Vec<RawMail>, MailboxTrouble> {
        let mut taken = Vec::with_capacity(uids.len());
        let first = FIRST_BYTES.min(bytes_max + 1);
        for fetched in or_tell(self.fetch(uids, "BODY.PEEK[]", first), look)? {
            let uid = fetched.uid;
            let size = fetched.size.max(fetched.length());
            let mut header_only = false;
            let mut mails = vec![fetched];
            if mails[0].length() >= first {
                header_only = size > bytes_max;
                if !header_only {
                    mails = or_tell(self.fetch(&[uid], "BODY.PEEK[]", bytes_max + 1), look)?;
                    // The server's size was too small; what counts is what came.
                    header_only = mails.iter().any(|mail| mail.length() > bytes_max);
                }
                if header_only {
                    mails = or_tell(self.fetch(&[uid], "BODY.PEEK[HEADER]", bytes_max), look)?;
                }
            }
            for mail in mails {
                taken.extend(self.hand_out(folder, mail, header_only.then_some(bytes_max), look));
            }
        }
        Ok(taken)
    }

    /// `header_max`: the mail is its header alone, of which at most so many bytes are wanted.
    fn hand_out(
        &mut self,
        folder: usize,
        fetched: Fetched,
        header_max: Option<usize>,
        look: &mut Look,
    ) -> Option<RawMail> {
        let traits = fetched.traits();
        let Fetched { uid, arrived_at, size, bytes } = fetched;
        let folder = &mut self.folders[folder];
        let (Some(arrived_at), Some(mut bytes)) = (arrived_at, bytes) else {
            let missing = if arrived_at.is_none() { "date" } else { "body" };
            let why = format!("{}: mail {uid} came without a {missing}", folder.name);
            look.unreadable.push(self.server.says(&why));
            return None;
        };
        folder.handed_out.insert(uid, traits);
        let whole = size.max(bytes.len());
        bytes.truncate(header_max.unwrap_or(whole)); // a server may send more than it was asked for
        Some(RawMail {
            size: if header_max.is_some() { whole } else { bytes.len() },
            bytes,
            header_only: header_max.is_some(),
            arrived_at,
            folder: folder.name.clone(),
            junk: folder.junk,
            place: format!("{}/{uid}", folder.validity),
        })
    }

    /// Date and size of each mail, and at most `bytes` bytes of its section. The server's word that a mail is that
    /// short is not needed.
    pub(super) fn fetch(
        &mut self,
        uids: &[u32],
        section: &str,
        bytes: usize,
    ) -> Result<Vec<Fetched>, Failed> {
        self.fetch_items(uids, &format!(" {section}<0.{bytes}>"), bytes)
    }

    fn fetch_traits(&mut self, uids: &[u32]) -> Result<Vec<Fetched>, Failed> {
        self.fetch_items(uids, "", 0)
    }

    fn fetch_items(&mut self, uids: &[u32], more: &str, bytes: usize) -> Result<Vec<Fetched>, Failed> {
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let items = format!("(UID INTERNALDATE RFC822.SIZE{more})");
        let answer_max = uids.len() * (bytes + FRAME) + ANSWER_MAX;
        let answers = self.run("FETCH", answer_max, |session| session.uid_fetch(set, items))?;

        let mut fetched = BTreeMap::new();
        for answer in answers.iter() {
            let body = answer.body().or_else(|| answer.header());
            let date = answer.internal_date();
            let (Some(uid), true) = (answer.uid, answer.size.is_some() || body.is_some() || date.is_some())
            else {
                continue; // somebody else changed a flag, and the server tells everybody
            };
            if !uids.contains(&uid) {
                let why = format!("FETCH: the server answered with mail {uid}, which was not asked for");
                return Err(Failed::Lost(self.server.trouble(&why)));
            }
            // Some tell of one mail in several responses. What was said first holds.
            let mail = fetched.entry(uid).or_insert(Fetched { uid, arrived_at: None, size: 0, bytes: None });
            mail.arrived_at =
                mail.arrived_at.or(date.map(|date| Timestamp::from_millis(date.timestamp_millis())));
            if mail.size == 0 {
                mail.size = answer.size.map_or(0, |size| size as usize);
            }
            if let (Some(body), None) = (body, &mail.bytes) {
                mail.bytes = Some(self.wire.lock().mail(body)).filter(|bytes| !bytes.is_empty());
            }
        }
        Ok(fetched.into_values().collect())
    }
}

impl Fetched {
    fn length(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len())
    }
    fn traits(&self) -> Traits {
        Traits { arrived_at: self.arrived_at, size: self.size }
    }
}

/// A FETCH that is refused makes its mails unreadable, and no more.
fn or_tell(fetched: Result<Vec<Fetched>, Failed>, look: &mut Look) -> Result<Vec<Fetched>, MailboxTrouble> {
    match fetched {
        Ok(mails) => Ok(mails),
        Err(Failed::Lost(trouble)) => Err(trouble),
        Err(Failed::No(why)) => {
            look.unreadable.push(why);
            Ok(Vec::new())
        }
    }
}

/// How many more mails this look takes.
fn room(look: &Look) -> usize {
    let bytes: usize = look.mails.iter().map(|mail| mail.bytes.len()).sum();
    if bytes >= LOOK_BYTES_MAX { 0 } else { LOOK_MAILS_MAX.saturating_sub(look.mails.len()) }
}
