//! The loop: one thing at a time goes into the core, and what comes out is performed side by side.

use super::{
    alerts_file,
    asks::Asks,
    clock, history,
    inbox::{CAPACITY, FaceAsks, Message},
    intake, memory, perform, settings,
    standing::Standing,
    story,
    tools::Tools,
    watcher::Watcher,
    weight::{changes_something, is_answer, is_kept, is_promotion, keeps_what_is_nowhere_else},
};
use crate::{
    domain::{Limits, MailboxName, RotationId, Timestamp},
    face::{
        metrics::Counted,
        status::{About, Status, status},
    },
    rotation::{Action, CallAction, Effect, Event, Fleet, HintFrom, Input, MailboxInput},
};
use futures_util::FutureExt;
use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::sync::mpsc;

/// What this shell may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The daemon: everything.
    Everything,
    /// The daemon beside another one that acts: the consumers of this host, and nothing else.
    Standby,
    /// A command without a daemon: no mailbox is watched, no mail is sent.
    OneCommand,
    /// A look at things as they are: nothing is written anywhere.
    LookOnly,
}

pub struct Shell {
    pub fleet: Fleet,
    pub tools: Arc<Tools>,
    inbox: mpsc::Receiver<Message>,
    sender: mpsc::Sender<Message>,
    pub(super) watchers: BTreeMap<MailboxName, Watcher>,
    judge: intake::Judge,
    pub asks: Asks,
    /// Effects under way.
    pub(super) busy: usize,
    /// Of these, calls for a new key: whose answer is the only copy of one.
    pub(super) calls: usize,
    /// And these bring what exists nowhere else into the spool.
    pub(super) spooling: usize,
    pub(super) limits: Limits,
    pub(super) reach: Reach,
    pub standing: Standing,
    since: Timestamp,
    phases: story::Phases,
    pub counted: Counted,
    /// Keys of the configuration that a reload cannot change.
    pub needs_restart: Vec<String>,
    /// The longest wait for something to do.
    pub patience: Duration,
    clock: clock::Watch,
    /// It was set, and the schedules do not know it yet.
    clock_was_set: bool,
}

/// Timers stand still while the machine sleeps: the clock is looked at again at least this often.
pub const SLEEP_MAX: Duration = Duration::from_secs(30);

impl Shell {
    /// Starts the core: what the spool holds is told first, then the documents are read.
    pub fn start(tools: Tools, limits: &Limits, reach: Reach) -> Self {
        Self::start_after(tools, limits, reach, None)
    }
    /// `after`: who acted last, where there are two daemons.
    pub fn start_after(tools: Tools, limits: &Limits, reach: Reach, after: Option<RotationId>) -> Self {
        let (sender, inbox) = mpsc::channel(CAPACITY);
        let (tools, now) = (Arc::new(tools), clock::now());
        if reach != Reach::Everything {
            tools.gate.open_for_good(); // nobody else does what these do
        }
        let (fleet, effects) = Fleet::new(settings::core(&tools.config, limits, reach), now);
        let mut shell = Self {
            fleet,
            tools,
            inbox,
            sender,
            watchers: BTreeMap::new(),
            judge: intake::Judge::default(),
            asks: Asks::default(),
            busy: 0,
            calls: 0,
            spooling: 0,
            limits: limits.clone(),
            reach,
            standing: Standing::default(),
            since: now,
            phases: story::Phases::default(),
            counted: Counted::default(),
            needs_restart: Vec::new(),
            patience: SLEEP_MAX,
            clock: clock::Watch::begin(),
            clock_was_set: false,
        };
        if reach != Reach::Standby {
            shell.tell_of_alerts(after);
            shell.tell_of_spool();
            shell.tell_of_answers();
        }
        shell.perform_all(effects);
        shell
    }
    pub fn sender(&self) -> mpsc::Sender<Message> {
        self.sender.clone()
    }
    pub fn is_busy(&self) -> bool {
        self.busy > 0
    }

    /// Takes the next message, or does what has become due, and performs what comes of it.
    pub async fn turn(&mut self) {
        self.look_at_clock();
        self.release_held();
        let due = self.fleet.next_deadline().map(|(at, _)| at.since(clock::now()));
        let patience = due.map_or(self.patience, |due| due.min(self.patience)).min(self.held_patience());
        if due.is_some_and(|due| due.is_zero()) {
            // What is due comes before what is new: a full inbox holds no deadline up.
            let effects = self.fleet.handle_deadline(clock::now());
            return self.perform_all(effects);
        }
        let received = tokio::time::timeout(patience, self.inbox.recv()).await;
        self.look_at_clock();
        match received {
            Ok(message) => message.into_iter().for_each(|message| self.take(message)),
            Err(_) => {
                let effects = self.fleet.handle_deadline(clock::now());
                self.tell_phases(&effects, "Deadline");
                self.perform_all(effects);
            }
        }
    }

    fn look_at_clock(&mut self) {
        if let Some(before) = self.clock.look() {
            tracing::warn!("this machine's clock was set: it would say {before}");
            self.clock_was_set = true;
            self.handle(Event::ClockSet { before });
        }
    }
    /// Whether the clock was set since this was last asked.
    pub fn take_clock_was_set(&mut self) -> bool {
        std::mem::take(&mut self.clock_was_set)
    }

    pub fn take(&mut self, message: Message) {
        match message {
            Message::Event(event) => {
                let tick = matches!(event, Event::Tick(_));
                self.handle(event);
                if tick {
                    self.tidy_keyring();
                    memory::give_back();
                }
            }
            Message::Performed(event) => {
                self.busy -= 1;
                self.calls -= usize::from(event.as_ref().is_some_and(is_answer));
                self.spooling -= usize::from(event.as_ref().is_some_and(is_kept));
                event.into_iter().for_each(|event| self.handle(event));
            }
            Message::Admitted(admitted) => {
                self.busy -= 1;
                self.admitted(*admitted);
            }
            Message::Looked { name, look, all } => {
                for why in look.unreadable {
                    let input = MailboxInput::Unread { place: "one mail".into(), why, broken: false };
                    self.handle(Event::Mailbox { name: name.clone(), input });
                }
                self.judge_later(name, look.mails, all);
            }
            Message::MailboxEnded { name, trouble } => {
                self.watchers.remove(&name);
                self.mailbox_ended(name, trouble);
            }
            Message::Answered(answered) => {
                let (sender, wanted) = (self.sender.clone(), self.wanted(&answered.mailbox));
                self.judge.judge(self.tools.clone(), answered, wanted, move |judged| {
                    // The loop is gone: the mail is still in its mailbox.
                    let _ = sender.blocking_send(Message::Judged(judged));
                });
            }
            Message::Judged(judged) => self.judged(judged),
            Message::Asked(asked) if self.reach == Reach::Standby && !asked.request.only_looks() => {
                self.refuse(asked);
            }
            Message::Asked(asked) => {
                let now = clock::now();
                let status = self.status(now);
                for event in self.asks.take(asked, &self.fleet, &self.tools, status) {
                    self.handle(event);
                }
            }
            Message::Face(asks) => self.face(asks),
            Message::RotationDue(_) if self.reach == Reach::Standby => {}
            Message::RotationDue(name) => self.rotation_due(name),
        }
    }

    pub fn handle(&mut self, event: Event) {
        let now = clock::now();
        let name = match &event {
            Event::Credential { name, .. } => Some(name.clone()),
            _ => None,
        };
        let cause = story::name_of(&event);
        self.standing.key_written |= is_promotion(&event);
        self.counted.count(&event);
        let rotation = name.as_ref().and_then(|name| self.fleet.credential(name));
        let before = rotation.map(|rotation| story::before(&self.fleet, rotation, now));
        let effects = self.fleet.handle(event, now);
        if let (Some(before), Some(name)) = (before, &name)
            && let Some(rotation) = self.fleet.credential(name)
        {
            self.phases.tell(rotation, &cause);
            story::tell(&before, &self.fleet, rotation, now);
        }
        self.tell_phases(&effects, &cause);
        self.perform_all(effects);
    }
    /// Deadlines, the store's return and a vendor's answer to a random key move credentials as well.
    fn tell_phases(&mut self, effects: &[Effect], cause: &str) {
        for effect in effects {
            if let Effect::Credential { name, .. } | Effect::Record { name, .. } = effect
                && let Some(rotation) = self.fleet.credential(name)
            {
                self.phases.tell(rotation, cause);
            }
        }
    }

    pub(super) fn perform_all(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.perform(effect);
        }
    }
    fn perform(&mut self, effect: Effect) {
        let Some(effect) = self.let_through(effect) else { return };
        tracing::debug!(?effect, "performing");
        let tools = self.tools.clone();
        match effect {
            Effect::Credential { action, .. }
                if self.reach == Reach::LookOnly && changes_something(&action) => {}
            Effect::Credential { name, action } => {
                self.calls += usize::from(matches!(action, Action::Call(CallAction::CallRotation { .. })));
                self.spooling += usize::from(keeps_what_is_nowhere_else(&action));
                self.spawn(async move { perform::action(tools, name, action).await })
            }
            Effect::ProbeControl { origin, name } => {
                self.spawn(async move { Some(perform::control(tools, origin, name).await) });
            }
            Effect::SaveToken { name } => self.save_token(name),
            Effect::CheckStore => self.spawn(async move { Some(perform::check_store(tools).await) }),
            Effect::Journal(notice) => perform::journal(&notice),
            Effect::Notify { channel, notice } => {
                self.spawn(async move { Some(perform::notice(tools, channel, *notice).await) });
            }
            Effect::SaveAlerts(state) => {
                self.spawn(async move { Some(perform::save_alerts(tools, *state).await) });
            }
            Effect::Beat => self.spawn(async move { Some(perform::beat(tools).await) }),
            Effect::OpenMailbox { name } => self.open_mailbox(&name),
            Effect::LookAtMailbox { name, afresh } => {
                let since = self.search_since(&name);
                self.watchers.get(&name).into_iter().for_each(|watcher| watcher.look(afresh, since));
            }
            Effect::TidyMail { mailbox, name, attempt, mails, settled } => {
                let answer = self.watchers.get(&mailbox).map(|watcher| watcher.tidy(mails, settled));
                self.spawn(async move { Some(perform::tidied(name, attempt, answer).await) });
            }
            Effect::Answer { ticket, reply } => {
                let status = self.status(clock::now());
                self.asks.reply(ticket, reply, status);
            }
            Effect::Call { ticket } => self.call(ticket),
            Effect::Record { .. } if self.reach == Reach::LookOnly => {}
            Effect::Record { name, record } => {
                self.counted.record(&name, &record);
                history::append(&tools.config.state_dir, &name, &record);
            }
        }
    }
    pub(super) fn spawn(&mut self, work: impl Future<Output = Option<Event>> + Send + 'static) {
        self.busy += 1;
        let sender = self.sender.clone();
        tokio::spawn(async move {
            // A panic in an adapter must not look like an effect that is still under way.
            let event = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                tracing::error!("an effect ended in a panic (a bug: please report it)");
                None
            });
            let _ = sender.send(Message::Performed(event)).await;
        });
    }

    /// What waited to be told when the last process ended; a command leaves it to the daemon.
    fn tell_of_alerts(&mut self, after: Option<RotationId>) {
        if self.reach != Reach::Everything {
            return;
        }
        let mut outcome = alerts_file::read(&self.tools.config.state_dir);
        if let Ok(Some(found)) = &mut outcome
            && after.is_some_and(|after| found.run != Some(after))
        {
            found.forget_credentials();
        }
        if let Some(outcome) = outcome.map(|found| found.map(Box::new)).transpose() {
            self.handle(Event::AlertsFound { outcome });
        }
    }
    pub fn status(&self, now: Timestamp) -> Status {
        let is_daemon = matches!(self.reach, Reach::Everything | Reach::Standby);
        let about = About {
            version: env!("CARGO_PKG_VERSION"),
            host: &self.tools.host,
            role: self.role(),
            since: is_daemon.then_some(self.standing.since.unwrap_or(self.since)),
            holder: self.standing.holder.as_deref(),
            needs_restart: &self.needs_restart,
        };
        status(&self.fleet, &about, now)
    }
    fn face(&mut self, asks: FaceAsks) {
        // Who asked may be gone: then nobody misses the answer.
        match asks {
            FaceAsks::Status(answer) => _ = answer.send(self.status(clock::now())),
            FaceAsks::Failing(answer) => _ = answer.send(self.failing()),
            FaceAsks::Hint { name, fingerprint, uid, answer } => {
                let current = self.fleet.credential(&name).map(|rotation| rotation.current_fingerprint());
                let _ = answer.send(current.map(|current| fingerprint.is_none() || fingerprint == current));
                let from = uid.map(|uid| HintFrom { uid, rotation_id: clock::rotation_id() });
                self.handle(Event::Credential { name, input: Input::Unauthorized { fingerprint, from } });
            }
        }
    }
    fn failing(&self) -> Vec<String> {
        let mailboxes = self.fleet.mailbox_views().into_iter().filter(|mailbox| !mailbox.ok);
        let mut failing: Vec<_> = mailboxes.map(|mailbox| format!("mailbox {}", mailbox.name)).collect();
        failing.extend((!self.fleet.store_view().reachable).then(|| "store".to_owned()));
        failing.extend((!self.fleet.alerts_work()).then(|| "alerts".to_owned()));
        failing.extend(self.standing.failing.clone());
        failing
    }

    /// A new configuration takes the place of the old one, whole.
    pub fn reconfigure(&mut self, tools: Tools) {
        let changed =
            |name: &MailboxName| tools.config.mailboxes.get(name) != self.tools.config.mailboxes.get(name);
        let gone: Vec<_> = self.watchers.keys().filter(|name| changed(name)).cloned().collect();
        let old = std::mem::replace(&mut self.tools, Arc::new(tools));
        let kept = &self.tools.config.credentials;
        let dropped = old.config.credentials.keys().filter(|name| !kept.contains_key(*name));
        dropped.for_each(|name| self.counted.forget(name));
        for name in gone {
            self.watchers.remove(&name).into_iter().for_each(Watcher::leave);
            let input = MailboxInput::Lost { why: "its configuration has changed".into() };
            self.handle(Event::Mailbox { name, input });
        }
        let settings = settings::core(&self.tools.config, &self.limits, self.reach);
        self.handle(Event::Configured(Box::new(settings)));
        if self.reach == Reach::Everything {
            self.tell_of_answers(); // a changed profile may read what the old one could not
            self.tell_what_is_due();
        }
    }

    /// Wipes keys that nobody needs any more.
    fn tidy_keyring(&self) {
        let now = clock::now();
        self.tools.keyring.retain(|name, fingerprint| self.fleet.needs_key(name, fingerprint, now));
    }

    /// The process ends: what exists nowhere else is spooled, what is under way is given a moment, a call for a new key
    /// all the time that it has.
    pub async fn stop(&mut self) {
        self.handle(Event::Stopping);
        for (_, watcher) in std::mem::take(&mut self.watchers) {
            let _ = tokio::task::spawn_blocking(|| watcher.leave()).await;
        }
        let patience = self.last_patience();
        while self.busy > 0 && tokio::time::timeout_at(patience, self.turn()).await.is_ok() {}
    }
}
