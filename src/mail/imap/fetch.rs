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
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// So much of each mail the first FETCH asks for: a confirmation is shorter, and comes in one round trip.
const FIRST_BYTES: usize = 64 << 10;
/// So many mails one FETCH asks for.
const FETCH_MAILS: usize = 16;
/// What a FETCH answer has beside each mail's bytes, at the very most.
const FRAME: usize = 4 << 10;

/// What FETCH says of one mail.
struct Fetched {
    uid: u32,
    arrived_at: Option<Timestamp>,
    size: usize,
    bytes: Option<Zeroizing<Vec<u8>>>,
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
        handed_out.retain(|uid| from.is_some_and(|from| *uid < from) || found.contains(uid));
        let new: Vec<u32> = found.iter().rev().filter(|uid| !handed_out.contains(uid)).copied().collect();

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
        Ok(found)
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
        for fetched in self.fetch_or_tell(uids, "BODY.PEEK[]", first, look)? {
            let Fetched { uid, size, .. } = fetched;
            let mut header_only = false;
            let mut mails = vec![fetched];
            if mails[0].length() >= first {
                header_only = size > bytes_max;
                if !header_only {
                    mails = self.fetch_or_tell(&[uid], "BODY.PEEK[]", bytes_max + 1, look)?;
                    // The server's size was too small; what counts is what came.
                    header_only = mails.iter().any(|mail| mail.length() > bytes_max);
                }
                if header_only {
                    mails = self.fetch_or_tell(&[uid], "BODY.PEEK[HEADER]", bytes_max, look)?;
                }
            }
            for mail in mails {
                taken.extend(self.hand_out(folder, mail, header_only, look));
            }
        }
        Ok(taken)
    }

    fn hand_out(
        &mut self,
        folder: usize,
        fetched: Fetched,
        header_only: bool,
        look: &mut Look,
    ) -> Option<RawMail> {
        let Fetched { uid, arrived_at, size, bytes } = fetched;
        let folder = &mut self.folders[folder];
        let (Some(arrived_at), Some(bytes)) = (arrived_at, bytes) else {
            let missing = if arrived_at.is_none() { "date" } else { "body" };
            let why = format!("{}: mail {uid} came without a {missing}", folder.name);
            look.unreadable.push(self.server.says(&why));
            return None;
        };
        folder.handed_out.insert(uid);
        Some(RawMail {
            size: if header_only { size } else { bytes.len() },
            bytes,
            header_only,
            arrived_at,
            folder: folder.name.clone(),
            junk: folder.junk,
            place: format!("{}/{uid}", folder.validity),
        })
    }

    /// A FETCH that is refused makes its mails unreadable, and no more.
    fn fetch_or_tell(
        &mut self,
        uids: &[u32],
        section: &str,
        bytes: usize,
        look: &mut Look,
    ) -> Result<Vec<Fetched>, MailboxTrouble> {
        match self.fetch(uids, section, bytes) {
            Ok(mails) => Ok(mails),
            Err(Failed::Lost(trouble)) => Err(trouble),
            Err(Failed::No(why)) => {
                look.unreadable.push(why);
                Ok(Vec::new())
            }
        }
    }

    /// At most `bytes` bytes of each mail's section. The server's word that a mail is that short is not needed.
    fn fetch(&mut self, uids: &[u32], section: &str, bytes: usize) -> Result<Vec<Fetched>, Failed> {
        let set = uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
        let items = format!("(UID INTERNALDATE RFC822.SIZE {section}<0.{bytes}>)");
        let answer_max = uids.len() * (bytes + FRAME) + ANSWER_MAX;
        let answers = self.run("FETCH", answer_max, |session| session.uid_fetch(set, items))?;

        let mut fetched: Vec<Fetched> = Vec::with_capacity(uids.len());
        for answer in answers.iter() {
            let body = answer.body().or_else(|| answer.header());
            let (Some(uid), asked_about) = (answer.uid, answer.size.is_some() || body.is_some()) else {
                continue;
            };
            if !asked_about || fetched.iter().any(|known| known.uid == uid) {
                continue; // somebody else changed a flag, and the server tells everybody
            }
            if !uids.contains(&uid) {
                let why = format!("FETCH: the server answered with mail {uid}, which was not asked for");
                return Err(Failed::Lost(self.server.trouble(&why)));
            }
            let bytes = body.filter(|body| !body.is_empty()).map(|body| Zeroizing::new(body.to_vec()));
            fetched.push(Fetched {
                uid,
                arrived_at: answer
                    .internal_date()
                    .map(|date| Timestamp::from_millis(date.timestamp_millis())),
                size: answer.size.map_or(0, |size| size as usize).max(bytes.as_ref().map_or(0, |b| b.len())),
                bytes,
            });
        }
        fetched.sort_by_key(|mail| mail.uid);
        Ok(fetched)
    }
}

impl Fetched {
    fn length(&self) -> usize {
        self.bytes.as_ref().map_or(0, |bytes| bytes.len())
    }
}

/// How many more mails this look takes.
fn room(look: &Look) -> usize {
    let bytes: usize = look.mails.iter().map(|mail| mail.bytes.len()).sum();
    if bytes >= LOOK_BYTES_MAX { 0 } else { LOOK_MAILS_MAX.saturating_sub(look.mails.len()) }
}
