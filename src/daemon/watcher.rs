//! One thread for each mailbox: opens it, looks, waits, looks again, until something goes wrong or it is told to
//! leave. When to open it anew is the core's decision. What it fetches is judged elsewhere.

use super::{clock, inbox::Message};
use crate::{
    domain::{Limits, MailPlace, MailboxName, Settled, Tidied, Timestamp},
    mail::{Folders, Mailbox, MailboxSettings, MailboxTrouble, Search, Waker, Woken, open},
};
use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc as std_mpsc,
    },
    thread,
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// A running watcher, as seen by the loop.
pub struct Watcher {
    orders: Arc<Orders>,
    /// Hears when the thread has ended.
    ended: std_mpsc::Receiver<()>,
}

#[derive(Default)]
struct Orders {
    look: AtomicBool,
    afresh: AtomicBool,
    leave: AtomicBool,
    /// Set once the mailbox is open.
    waker: Mutex<Option<Waker>>,
    jobs: Mutex<VecDeque<Job>>,
    since: Mutex<Option<Timestamp>>,
}

/// What came of each mail, or why nothing is known.
pub type TidyAnswer = Result<Vec<(MailPlace, Tidied)>, String>;

/// Mails to be tidied. Dropped without an answer, it says so to whoever waits for that.
struct Job {
    mails: Vec<MailPlace>,
    settled: Settled,
    answer: oneshot::Sender<TidyAnswer>,
}

/// What is watched, and how.
pub struct Watch {
    pub name: MailboxName,
    pub settings: MailboxSettings,
    pub senders: Vec<String>,
    /// Mails that arrived on an earlier day are not looked for; moved on by each order to look.
    pub since: Timestamp,
    pub limits: Limits,
    /// When the access token that it is opened with is to be replaced, if there is one and that is known.
    pub renew_at: Option<Timestamp>,
    /// Whether its login is as good as it gets: an access token that was kept in memory may not be.
    pub login_is_new: bool,
}

impl Watch {
    /// How long the connection may last yet.
    fn left(&self) -> Option<Duration> {
        self.renew_at.map(|at| at.since(clock::now()))
    }
}

impl Watcher {
    /// The parsers of mail servers' answers recurse: they get more room than a thread usually has.
    const STACK_BYTES: usize = 8 << 20;

    pub fn start(watch: Watch, inbox: mpsc::Sender<Message>) -> Result<Self, String> {
        let orders = Arc::new(Orders::default());
        *orders.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(watch.since);
        let builder =
            thread::Builder::new().name(format!("mailbox-{}", watch.name)).stack_size(Self::STACK_BYTES);
        let theirs = orders.clone();
        let (alive, ended) = std_mpsc::channel();
        let work = move || {
            run(&watch, &theirs, &inbox);
            drop(alive);
        };
        builder.spawn(work).map_err(|error| format!("no thread for it: {error}"))?;
        Ok(Self { orders, ended })
    }
    /// Looks again now; `afresh`: at everything, also at what was handed out.
    pub fn look(&self, afresh: bool, since: Timestamp) {
        *self.orders.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(since);
        self.orders.afresh.fetch_or(afresh, Ordering::SeqCst);
        self.orders.look.store(true, Ordering::SeqCst);
        self.orders.wake();
    }
    /// Has these mails tidied, over the connection that is open, as soon as that is not used otherwise.
    pub fn tidy(&self, mails: Vec<MailPlace>, settled: Settled) -> oneshot::Receiver<TidyAnswer> {
        let (answer, answered) = oneshot::channel();
        self.orders.jobs().push_back(Job { mails, settled, answer });
        self.orders.wake();
        answered
    }
    /// Leaves the server, and waits for that a little: one that hangs in a connect is left to the end of the process.
    pub fn leave(self) {
        self.orders.leave.store(true, Ordering::SeqCst);
        self.orders.wake();
        // Nothing is ever sent: what is waited for is the other end's going.
        let _ = self.ended.recv_timeout(PATIENCE);
    }
}

/// Taking leave of a server needs one round trip.
const PATIENCE: Duration = Duration::from_secs(1);

impl Orders {
    fn wake(&self) {
        if let Some(waker) = &*self.waker.lock().unwrap_or_else(PoisonError::into_inner) {
            waker.wake();
        }
    }
    fn jobs(&self) -> MutexGuard<'_, VecDeque<Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn leaves(&self) -> bool {
        self.leave.load(Ordering::SeqCst)
    }
}

/// A server's answer may make a parser panic: that is a lost connection, and nobody else's trouble.
fn run(watch: &Watch, orders: &Orders, inbox: &mpsc::Sender<Message>) {
    let ended = catch_unwind(AssertUnwindSafe(|| watch_until_trouble(watch, orders, inbox)));
    let trouble = match ended {
        Ok(Ok(())) => return,
        Ok(Err(trouble)) => trouble,
        Err(_) => MailboxTrouble::Unreachable("the server's answer could not be understood at all".into()),
    };
    // The loop is gone: nobody is left to be told.
    let _ = inbox.blocking_send(Message::MailboxEnded { name: watch.name.clone(), trouble });
}

fn watch_until_trouble(
    watch: &Watch,
    orders: &Orders,
    inbox: &mpsc::Sender<Message>,
) -> Result<(), MailboxTrouble> {
    let (mut mailbox, waker) = open(&watch.settings, &watch.limits).map_err(|trouble| match trouble {
        MailboxTrouble::Refused(why) if !watch.login_is_new => MailboxTrouble::TokenEnded(why),
        other => other,
    })?;
    *orders.waker.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker);
    let mut which = Folders::All;
    while !orders.leaves() {
        if orders.afresh.swap(false, Ordering::SeqCst) {
            mailbox.forget();
        }
        let look = mailbox.look(&search(watch, orders), which)?;
        let all = which == Folders::All;
        if inbox.blocking_send(Message::Looked { name: watch.name.clone(), look, all }).is_err() {
            break;
        }
        which = wait(&mut mailbox, watch, orders)?;
        if watch.left().is_some_and(|left| left.is_zero()) && !orders.leaves() {
            mailbox.close();
            return Err(MailboxTrouble::TokenEnded("its access token is to be renewed".into()));
        }
    }
    mailbox.close();
    Ok(())
}

/// Waits for a reason to look: at one folder where the server says that there is news, at all when it was ordered.
fn wait(mailbox: &mut Mailbox, watch: &Watch, orders: &Orders) -> Result<Folders, MailboxTrouble> {
    loop {
        if orders.look.swap(false, Ordering::SeqCst) || orders.leaves() {
            return Ok(Folders::All);
        }
        let job = orders.jobs().pop_front();
        if let Some(job) = job {
            do_job(job, mailbox, watch)?;
            return Ok(Folders::First); // what arrived meanwhile
        }
        let left = watch.left().unwrap_or(Duration::MAX);
        if left.is_zero() {
            return Ok(Folders::All);
        }
        match mailbox.wait(watch.limits.idle_renew.min(left))? {
            Woken::News => return Ok(Folders::First),
            Woken::Timeout => return Ok(Folders::All),
            Woken::Called => {}
        }
    }
}

fn do_job(job: Job, mailbox: &mut Mailbox, watch: &Watch) -> Result<(), MailboxTrouble> {
    let tidied = mailbox.tidy(&job.mails, &job.settled, watch.limits.mail_bytes_max);
    let (answer, trouble) = match tidied {
        Ok(tidied) => (Ok(tidied), Ok(())),
        Err(trouble) => (Err(trouble.to_string()), Err(trouble)),
    };
    // Who asked may be gone: then nobody misses the answer.
    let _ = job.answer.send(answer);
    trouble
}

fn search(watch: &Watch, orders: &Orders) -> Search {
    let since = orders.since.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or(watch.since);
    Search { senders: watch.senders.clone(), since, bytes_max: watch.limits.mail_bytes_max }
}
