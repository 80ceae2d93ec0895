//! Adapter: one maildir, watched with inotify. It reads `new` and `cur`, and moves, marks and deletes nothing.

use super::{
    Folders, Look, MailboxTrouble, RawMail, Search, Waker, Woken,
    mailbox::{LOOK_BYTES_MAX, LOOK_MAILS_MAX},
    waker::{self, Alarm},
};
use crate::domain::{Limits, Timestamp};
use rustix::fs::{OFlags, inotify};
use std::{
    collections::{HashMap, HashSet},
    fs::{File, Metadata},
    io::{self, Read},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::OpenOptionsExt,
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    pub path: PathBuf,
}

/// A mail moves from the first to the second, so they are listed in this order.
const FOLDERS: [&str; 2] = ["new", "cur"];
/// So much is read at first. Real headers are shorter; a longer one is read on, as far as a whole mail would be.
const HEADER_USUAL: usize = 64 << 10;
const DAY_MILLIS: i64 = 86_400_000;

/// An open maildir.
#[derive(Debug)]
pub struct Maildir {
    path: PathBuf,
    events: OwnedFd,
    alarm: Alarm,
    /// By unique name: what was handed out, as it was then.
    handed_out: HashMap<String, Stamp>,
    /// Unique names that `searched` is not looking for.
    passed_over: HashSet<String>,
    searched: Option<Search>,
}

/// A file that grows after it was read is read again.
type Stamp = (u64, Timestamp);

/// A file that may be a mail to hand out.
struct Candidate {
    path: PathBuf,
    folder: &'static str,
    unique: String,
    stamp: Stamp,
}

/// Watches a maildir; `new` and `cur` must be there.
pub fn open(settings: &Settings, _limits: &Limits) -> Result<(Maildir, Waker), MailboxTrouble> {
    let path = settings.path.clone();
    let (waker, alarm) = waker::pair().map_err(|e| trouble(&path, &e))?;
    let events = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)
        .map_err(|e| trouble(&path, &e.into()))?;
    use inotify::WatchFlags as On;
    let arrival = On::MOVED_TO | On::CREATE | On::CLOSE_WRITE | On::DELETE_SELF | On::MOVE_SELF | On::ONLYDIR;
    for folder in FOLDERS.map(|name| path.join(name)) {
        inotify::add_watch(&events, &folder, arrival).map_err(|e| trouble(&folder, &e.into()))?;
    }
    let maildir = Maildir {
        path,
        events,
        alarm,
        handed_out: HashMap::new(),
        passed_over: HashSet::new(),
        searched: None,
    };
    Ok((maildir, waker))
}

impl Maildir {
    /// Hands out what matches and was not handed out yet; a maildir is one folder.
    pub fn look(&mut self, search: &Search, _which: Folders) -> Result<Look, MailboxTrouble> {
        if self.searched.as_ref().is_some_and(|last| finds_more(last, search)) {
            self.passed_over.clear();
        }
        self.searched = Some(search.clone());

        let mut look = Look { mails: Vec::new(), unreadable: Vec::new() };
        let mut candidates = self.list(search, &mut look)?;
        candidates.sort_by(|a, b| (b.stamp.1, &b.unique).cmp(&(a.stamp.1, &a.unique)));
        let mut bytes = 0;
        let mut waiting = 0;
        for candidate in candidates {
            if look.mails.len() == LOOK_MAILS_MAX || bytes >= LOOK_BYTES_MAX {
                waiting += 1;
                continue;
            }
            match read(&candidate, search) {
                Ok(Some(mail)) => {
                    bytes += mail.bytes.len();
                    look.mails.push(mail);
                    self.handed_out.insert(candidate.unique, candidate.stamp);
                }
                Ok(None) => {
                    self.passed_over.insert(candidate.unique);
                }
                // It was moved on meanwhile, and comes again under its new name.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => look.unreadable.push(tell(&candidate.path, &e)),
            }
        }
        if waiting > 0 {
            let path = self.path.display();
            look.unreadable.push(format!("{path}: {waiting} older mails wait for the next look"));
        }
        look.mails.reverse();
        Ok(look)
    }

    /// The next look hands out everything again.
    pub fn forget(&mut self) {
        self.handed_out.clear();
    }

    /// Sleeps until a file arrives, a waker calls, or the time is up.
    pub fn wait(&mut self, timeout: Duration) -> Result<Woken, MailboxTrouble> {
        let until = Instant::now() + timeout;
        let woken = waker::wait_readable(self.events.as_fd(), Some(&self.alarm), until)
            .map_err(|e| trouble(&self.path, &e))?;
        if woken == Woken::News {
            self.take_events()?;
        }
        Ok(woken)
    }

    pub fn close(self) {}

    /// Events only say that something is there to look at, or that a folder is gone.
    fn take_events(&mut self) -> Result<(), MailboxTrouble> {
        let mut buffer = [std::mem::MaybeUninit::uninit(); 4_096];
        let mut events = inotify::Reader::new(&self.events, &mut buffer);
        loop {
            match events.next() {
                Ok(event) => {
                    use inotify::ReadFlags as Was;
                    if event
                        .events()
                        .intersects(Was::DELETE_SELF | Was::MOVE_SELF | Was::IGNORED | Was::UNMOUNT)
                    {
                        let gone = io::Error::other("new or cur was removed");
                        return Err(trouble(&self.path, &gone));
                    }
                }
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(()),
                Err(e) => return Err(trouble(&self.path, &e.into())),
            }
        }
    }

    /// The files in both folders that nothing is known of yet. What is remembered of files that are gone goes too.
    fn list(&mut self, search: &Search, look: &mut Look) -> Result<Vec<Candidate>, MailboxTrouble> {
        let mut candidates: HashMap<String, Candidate> = HashMap::new();
        let mut there = HashSet::new();
        for folder in FOLDERS {
            let path = self.path.join(folder);
            for entry in path.read_dir().map_err(|e| trouble(&path, &e))? {
                let entry = entry.map_err(|e| trouble(&path, &e))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let unique = name.split(":2,").next().unwrap_or_default().to_owned();
                if name.starts_with('.') || self.passed_over.contains(&unique) {
                    there.insert(unique);
                    continue;
                }
                match entry.metadata() {
                    Ok(metadata) => {
                        let candidate = Candidate {
                            path: entry.path(),
                            folder,
                            unique: unique.clone(),
                            stamp: stamp(&metadata),
                        };
                        if metadata.is_file() && self.is_wanted(&candidate, search) {
                            candidates.insert(unique.clone(), candidate);
                        }
                    }
                    Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                    Err(e) => look.unreadable.push(tell(&entry.path(), &e)),
                }
                there.insert(unique);
            }
        }
        self.handed_out.retain(|unique, _| there.contains(unique));
        self.passed_over.retain(|unique| there.contains(unique));
        Ok(candidates.into_values().collect())
    }

    fn is_wanted(&self, candidate: &Candidate, search: &Search) -> bool {
        let day = |time: Timestamp| time.as_millis().div_euclid(DAY_MILLIS);
        let (size, arrived_at) = candidate.stamp;
        // An empty file is one that somebody is about to write.
        size > 0
            && day(arrived_at) >= day(search.since)
            && self.handed_out.get(&candidate.unique) != Some(&candidate.stamp)
    }
}

fn finds_more(last: &Search, now: &Search) -> bool {
    last.senders != now.senders || now.since < last.since
}

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.len(), metadata.modified().map_or(Timestamp::MIN, Timestamp::from))
}

/// Reads a mail, or its header where it is too large; `None` where another sent it.
fn read(candidate: &Candidate, search: &Search) -> io::Result<Option<RawMail>> {
    // A link, or a pipe that somebody put in the file's place since it was listed, is not opened.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or_default())
        .open(&candidate.path)?;
    let size = usize::try_from(candidate.stamp.0).unwrap_or(usize::MAX);
    let mut rest = file.take(search.bytes_max as u64);
    let mut start = Zeroizing::new(Vec::with_capacity(size.min(HEADER_USUAL)));
    (&mut rest).take(HEADER_USUAL as u64).read_to_end(&mut start)?;
    if header_end(&start) == start.len() {
        let mut longer = Zeroizing::new(Vec::with_capacity(size.min(search.bytes_max)));
        longer.extend_from_slice(&start);
        rest.read_to_end(&mut longer)?;
        start = longer;
    }
    let header = &start[..header_end(&start)];
    if !sent_by(header, &search.senders) {
        return Ok(None);
    }
    let header_only = size > search.bytes_max;
    let bytes = if header_only {
        Zeroizing::new(header.to_vec())
    } else {
        let mut whole = Zeroizing::new(Vec::with_capacity(size)); // grown, it would leave copies behind
        whole.extend_from_slice(&start);
        rest.read_to_end(&mut whole)?;
        whole
    };
    Ok(Some(RawMail {
        size,
        bytes,
        header_only,
        arrived_at: candidate.stamp.1,
        folder: candidate.folder.to_owned(),
        junk: false,
        place: candidate.unique.clone(),
    }))
}

/// Where the header ends, its empty line included.
fn header_end(bytes: &[u8]) -> usize {
    let mut end = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        end += line.len();
        if line.trim_ascii().is_empty() {
            break;
        }
    }
    end
}

/// Whether one of the senders stands in a From field: a coarse sieve, as an IMAP server's SEARCH is one.
fn sent_by(header: &[u8], senders: &[String]) -> bool {
    let mut in_from = false;
    let mut from = String::new();
    for line in header.split_inclusive(|b| *b == b'\n') {
        let folded = line.first().is_some_and(|b| b.is_ascii_whitespace());
        if !folded {
            let name = line.split(|b| *b == b':').next().unwrap_or_default();
            in_from = name.trim_ascii_end().eq_ignore_ascii_case(b"from");
        }
        if in_from {
            from.push_str(&String::from_utf8_lossy(line).to_lowercase());
        }
    }
    senders.iter().any(|sender| from.contains(sender.as_str()))
}

fn tell(path: &Path, error: &io::Error) -> String {
    let cause = error.to_string().to_lowercase();
    format!("{}: {}", path.display(), cause.split(" (os error").next().unwrap_or_default())
}

fn trouble(path: &Path, error: &io::Error) -> MailboxTrouble {
    MailboxTrouble::Unreachable(tell(path, error))
}
