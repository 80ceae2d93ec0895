//! From raw mails to findings: the DNS answers are fetched, then each mail is recognised for each credential of its
//! mailbox, on a thread with a large stack. A mail over which the process died twice is not opened a third time.

use super::tools::Tools;
use crate::{
    domain::{CredentialName, Finding, Fingerprint, Key, KeyShape, MailId, MailboxName, Timestamp},
    mail::{RawMail, TxtAnswers, authenticity},
    vendor::{Expectation, Profile, addressees, recognise},
};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
};
use tokio::task::JoinSet;

/// What a credential waits for, taken from the core at the moment of judging.
pub struct Wanted {
    pub name: CredentialName,
    pub known: BTreeSet<Fingerprint>,
    pub done: BTreeSet<MailId>,
    pub shape: Option<KeyShape>,
}

/// A look whose DNS questions are answered.
pub struct Answered {
    pub mailbox: MailboxName,
    pub mails: Vec<RawMail>,
    pub answers: TxtAnswers,
    pub all: bool,
}

/// A look, judged.
pub struct Judged {
    pub mailbox: MailboxName,
    pub all: bool,
    pub newest_notice_at: Option<Timestamp>,
    pub findings: Vec<(CredentialName, Vec<Finding>)>,
    pub keys: Vec<(CredentialName, Fingerprint, Key)>,
    /// Place, why, and whether it killed the process before.
    pub unread: Vec<(String, String, bool)>,
}

/// Fetches the DKIM keys that the mails name, all at once, each once.
pub async fn answer(tools: Arc<Tools>, mailbox: MailboxName, mails: Vec<RawMail>, all: bool) -> Answered {
    let pins =
        |profile: &Profile| profile.mail.iter().flat_map(|rules| rules.signed_by.clone()).collect::<Vec<_>>();
    let pinned: Vec<String> = tools.config.vendors.values().flat_map(pins).collect();
    let names: BTreeSet<String> =
        mails.iter().flat_map(|mail| authenticity::questions(&mail.bytes, &pinned)).collect();
    let mut lookups = JoinSet::new();
    for name in names {
        let tools = tools.clone();
        lookups.spawn(async move {
            let answer = tools.resolver.txt(&name).await;
            (name, answer)
        });
    }
    let mut answers = TxtAnswers::new();
    while let Some(answered) = lookups.join_next().await {
        // A look-up that panicked has no answer: its mail waits.
        answers.extend(answered.ok());
    }
    Answered { mailbox, mails, answers, all }
}

/// The parser of MIME recurses: a thread of usual size dies of a mail that a larger one survives.
const STACK_BYTES: usize = 16 << 20;

type Work = Box<dyn FnOnce() + Send>;

/// One thread for all mails, from the first one on. Mails are bounded in size and depth before they are parsed, so
/// that none of them holds the others up for long.
#[derive(Default)]
pub struct Judge {
    thread: Option<mpsc::Sender<Work>>,
}

impl Judge {
    /// `done` is called on that thread.
    pub fn judge(
        &mut self,
        tools: Arc<Tools>,
        answered: Answered,
        wanted: Vec<Wanted>,
        done: impl FnOnce(Judged) + Send + 'static,
    ) {
        let work = move || done(judge_all(&tools, answered, &wanted));
        let thread = match self.thread.take().map_or_else(begin, Ok) {
            Ok(thread) => thread,
            Err(error) => {
                tracing::error!(
                    "no thread to judge mails on ({error}); they are looked at again with the next poll"
                );
                return;
            }
        };
        // A thread that is gone is begun anew with the next look.
        self.thread = thread.send(Box::new(work)).is_ok().then_some(thread);
    }
}

/// A mail that makes a parser panic is not judged, and the next one is.
fn begin() -> io::Result<mpsc::Sender<Work>> {
    let (sender, works) = mpsc::channel::<Work>();
    let run = move || works.into_iter().for_each(|work| catch_unwind(AssertUnwindSafe(work)).unwrap_or(()));
    thread::Builder::new().name("mail-judge".into()).stack_size(STACK_BYTES).spawn(run)?;
    Ok(sender)
}

fn judge_all(tools: &Tools, answered: Answered, wanted: &[Wanted]) -> Judged {
    let diary = Diary::at(&tools.config.state_dir);
    let Answered { mailbox, mails, answers, all } = answered;
    let mut findings: Vec<_> = wanted.iter().map(|wanted| (wanted.name.clone(), Vec::new())).collect();
    let (mut keys, mut unread, mut newest_notice_at) = (Vec::new(), Vec::new(), None);
    let everybody = tools.config.recipients();
    let credentials = tools.config.credentials.iter();
    let recipients = credentials.map(|(name, credential)| (name, &credential.recipients[..]));
    let concerned = Concerned::of(recipients, wanted);
    for mail in &mails {
        let page = match diary.open(mail) {
            Ok(page) => page,
            Err(why) => {
                unread.push((mail.place.clone(), why, true));
                continue;
            }
        };
        for at in concerned.by(mail) {
            let (wanted, (_, findings)) = (&wanted[at], &mut findings[at]);
            let configured = tools.config.credentials.get(&wanted.name).zip(tools.profile(&wanted.name));
            let Some((credential, profile)) = configured else { continue };
            let expected = Expectation {
                credential: &wanted.name,
                recipients: &credential.recipients,
                others: &everybody,
                authserv_ids: tools.config.authserv_ids(credential),
                known: &wanted.known,
                done: &wanted.done,
                shape: wanted.shape.as_ref(),
            };
            let recognised = recognise(mail, &answers, profile, &expected, &tools.limits);
            if is_notice(&recognised.finding) {
                newest_notice_at = newest_notice_at.max(Some(mail.arrived_at));
            }
            if let Some(key) = recognised.key {
                let fingerprint = key.fingerprint_without(&profile.key.prefix);
                keys.push((wanted.name.clone(), fingerprint, key));
            }
            match recognised.finding {
                Finding::Unparsed { why, .. } if recognised.too_large => {
                    unread.push((mail.place.clone(), why, false))
                }
                Finding::NotOurs { .. } => {}
                finding => findings.push(finding),
            }
        }
        page.close();
    }
    Judged { mailbox, all, newest_notice_at, findings, keys, unread }
}

/// Which of many credentials a mail is looked at for.
struct Concerned<'a> {
    /// Places in the list of those who wait, by recipient; empty for recipients of another mailbox's credentials.
    by_recipient: BTreeMap<&'a str, Vec<usize>>,
    all: usize,
}

impl<'a> Concerned<'a> {
    /// `wanted` is sorted by name.
    fn of(recipients: impl Iterator<Item = (&'a CredentialName, &'a [String])>, wanted: &[Wanted]) -> Self {
        let mut by_recipient: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (name, recipients) in recipients {
            let at = wanted.binary_search_by(|wanted| wanted.name.cmp(name)).ok();
            recipients.iter().for_each(|recipient| by_recipient.entry(recipient).or_default().extend(at));
        }
        Self { by_recipient, all: wanted.len() }
    }
    /// Those whom it is written to, where that is anybody of this configuration: it is no business of the others,
    /// whatever else is wrong with it. What is written to nobody here concerns all.
    fn by(&self, mail: &RawMail) -> BTreeSet<usize> {
        let to = addressees(mail);
        let mut known = to.iter().filter_map(|address| self.by_recipient.get(address.as_str())).peekable();
        match known.peek() {
            Some(_) => known.flatten().copied().collect(),
            None => (0..self.all).collect(),
        }
    }
}

/// The vendor's own mail, whatever came of it.
fn is_notice(finding: &Finding) -> bool {
    match finding {
        Finding::NewKey(_) | Finding::Warning(_) | Finding::Known { .. } | Finding::Unparsed { .. } => true,
        Finding::Wait { .. }
        | Finding::Held { .. }
        | Finding::Suspicious { .. }
        | Finding::NotOurs { .. } => false,
    }
}

/// Which mail is being read is written down before, and crossed out after. What stands there at a start was being read
/// when the process died: once that may have been a kill or a power cut, and its key is wanted; twice it was the mail.
/// Files named by a hash of the mail; their content is nothing.
struct Diary {
    dir: PathBuf,
}

/// A mail that is being read.
const READING: &str = "reading";
/// The process died while it was read.
const DIED_ONCE: &str = "died-once";
/// And once more: it stays closed.
const BROKEN: &str = "broken";

/// What is crossed out: that it is read, and that it was when the process died.
struct Page([PathBuf; 2]);

impl Diary {
    fn at(state_dir: &Path) -> Self {
        Self { dir: state_dir.join("mails") }
    }
    fn open(&self, mail: &RawMail) -> Result<Page, String> {
        let digest = Sha256::digest(mail.bytes.as_slice());
        let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        let [reading, died_once, broken] =
            [READING, DIED_ONCE, BROKEN].map(|end| self.dir.join(format!("{name}.{end}")));
        if broken.exists() {
            return Err("keyrelay died over it twice, and does not open it again".into());
        }
        // Without this note a mail that kills the process would be read again after each restart; with a full disk
        // that risk is taken, because a key may be in it.
        let written = fs::create_dir_all(&self.dir).and_then(|()| fs::write(&reading, b""));
        if let Err(error) = written {
            tracing::warn!("{} cannot be written: {error}", reading.display());
        }
        Ok(Page([reading, died_once]))
    }
}
impl Page {
    fn close(self) {
        for path in self.0 {
            // What is left behind counts as a death at the next start, and is crossed out by the next reading.
            let _ = fs::remove_file(path);
        }
    }
}

/// At a start: mails that were being read when the process died for the second time are set aside. Returns how many.
pub fn set_broken_aside(state_dir: &Path) -> usize {
    let Ok(entries) = fs::read_dir(Diary::at(state_dir).dir) else { return 0 };
    let paths = entries.flatten().map(|entry| entry.path());
    let reading = paths.filter(|path| path.extension().is_some_and(|end| end == READING));
    let died_again = |path: &PathBuf| {
        let end = if path.with_extension(DIED_ONCE).exists() { BROKEN } else { DIED_ONCE };
        fs::rename(path, path.with_extension(end)).is_ok() && end == BROKEN
    };
    reading.filter(died_again).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn mail(header: &str) -> RawMail {
        let bytes = Zeroizing::new(format!("From: security@leaf7.fun\r\n{header}\r\n\r\ntext").into_bytes());
        let size = bytes.len();
        let (folder, place) = ("INBOX".into(), "1/1".into());
        let arrived_at = Timestamp::from_secs(1_795_251_600);
        RawMail { bytes, size, header_only: false, arrived_at, folder, junk: false, place }
    }

    /// A thousand credentials of one mailbox each looked at every mail, and listed every other's addresses for it.
    #[test]
    fn r61_a_mail_is_looked_at_for_those_whom_it_is_written_to() {
        let names: Vec<CredentialName> =
            ["a", "b", "c", "elsewhere"].map(|name| name.parse().unwrap()).to_vec();
        let recipients = [["a@x.example"], ["b@x.example"], ["a@x.example"], ["e@x.example"]]
            .map(|addresses| addresses.map(str::to_owned));
        let wanted = |name: &CredentialName| Wanted {
            name: name.clone(),
            known: BTreeSet::new(),
            done: BTreeSet::new(),
            shape: None,
        };
        let wanted: Vec<_> = names[..3].iter().map(wanted).collect();
        let all = names.iter().zip(recipients.iter().map(|recipients| &recipients[..]));
        let concerned = Concerned::of(all, &wanted);
        let by = |header: &str| concerned.by(&mail(header)).into_iter().collect::<Vec<_>>();
        assert_eq!(by("To: A@x.example"), [0, 2], "two may share an address");
        assert_eq!(by("To: b@x.example, a@x.example"), [0, 1, 2]);
        assert_eq!(by("To: e@x.example"), [0; 0], "it is for another mailbox's credential");
        for unclear in ["To: d@x.example", "To: a@x.example\r\nTo: b@x.example", "To: ", "Cc: a@x.example"] {
            assert_eq!(by(unclear), [0, 1, 2], "{unclear}: each says what is wrong with it");
        }
    }
}
