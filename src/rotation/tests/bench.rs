//! Runs a fleet against the world, and writes down what it does.

use super::{
    DAY, HOUR, MIN, SEC, START, key,
    lines::line,
    perform::perform,
    world::{Fake, Stored, World},
};
pub use crate::sim::settings::{consumer, credential, settings};
use crate::{
    domain::{
        Confirmation, Finding, Fingerprint, MailHash, MailId, MailPlace, MailRef, Notice, RotationId,
        Timestamp, Warning,
    },
    rotation::{
        CallInput, Credential, CredentialView, Delivery, Effect, Event, Fleet, Input, MailboxInput, Phase,
        Proof, Rotation, Schedule, Settings,
    },
};
use std::{
    collections::{BTreeSet, VecDeque},
    sync::Arc,
    time::Duration,
};

pub struct Bench {
    pub fleet: Fleet,
    pub world: World,
    pub settings: Settings,
    pub now: Timestamp,
    /// Performed by nobody yet.
    pub queue: VecDeque<Effect>,
    /// Effects whose line begins so stay in the queue.
    pub held_back: Vec<String>,
    /// This machine's notes of its notices are not written yet.
    pub disk_hangs: bool,
    lines: Vec<String>,
    pub notices: Vec<crate::domain::Notice>,
    pub deadlines: usize,
    mails: u32,
    /// What the store held whenever mails were to be tidied.
    pub tidied: Vec<(Vec<MailPlace>, Stored)>,
    /// Each event (or deadline) with its effects, for the properties.
    story: Vec<(Option<Event>, Vec<Effect>)>,
    asked: BTreeSet<u64>,
}

/// The credential of most tests: one consumer with a file and a restart, one that reads the store itself.
pub fn main_settings() -> Settings {
    let consumers = [
        ("bot", consumer(Delivery::Copy, true, Proof::Asked)),
        ("web", consumer(Delivery::None, false, Proof::Asked)),
    ];
    settings(vec![credential("main", &consumers)])
}

/// As `main_settings`, and only observed.
pub fn observed_settings() -> Settings {
    let mut settings = main_settings();
    let observe = |one: &Arc<Credential>| Arc::new(Credential { observe: true, ..(**one).clone() });
    settings.credentials =
        settings.credentials.iter().map(|(name, one)| (name.clone(), observe(one))).collect();
    settings
}

impl Bench {
    /// A fleet that has just started; nothing is performed yet.
    pub fn start(settings: Settings, world: World) -> Self {
        let (fleet, effects) = Fleet::new(settings.clone(), START);
        let mut bench = Self {
            fleet,
            world,
            settings,
            now: START,
            queue: VecDeque::new(),
            held_back: Vec::new(),
            disk_hangs: false,
            lines: Vec::new(),
            notices: Vec::new(),
            deadlines: 0,
            mails: 0,
            tidied: Vec::new(),
            story: Vec::new(),
            asked: BTreeSet::new(),
        };
        for credential in bench.settings.credentials.values() {
            for (name, policy) in &credential.consumers {
                let reads_store = policy.delivery == Delivery::None;
                let fake = Fake { reads_store, acts: policy.acts, ..Fake::default() };
                bench.world.consumers.entry(name.clone()).or_insert(fake);
            }
        }
        bench.emit(effects);
        bench
    }
    /// `main`, long since seeded with K1 and quiet: its account recorded, its consumers proven, its mailbox empty.
    pub fn seeded() -> Self {
        Self::seeded_with(main_settings())
    }
    pub fn seeded_with(settings: Settings) -> Self {
        let mut world = World::default();
        world.put("main", key(1), START - DAY);
        world.alive(key(1));
        let mut bench = Self::start(settings, world);
        for (name, fake) in &mut bench.world.consumers {
            let _ = name;
            (fake.copy, fake.runs) = (Some(key(1)), Some(key(1)));
        }
        bench.run();
        bench.looks(&[]);
        bench.run();
        bench.wait(2 * MIN);
        bench.take();
        bench.world.writes = 0;
        bench
    }
    /// As `seeded`, and rotated to K2 an hour ago: settled, K1 is in its grace.
    pub fn rotated() -> Self {
        let mut bench = Self::seeded();
        bench.world.alive(key(2));
        bench.confirmed(key(2));
        bench.run();
        bench.wait(HOUR);
        assert_eq!(bench.phase(), Phase::Steady);
        bench.take();
        bench
    }

    /// An event, and its effects' lines; they are performed by `run`.
    pub fn happens(&mut self, event: Event) {
        if let Event::CallAsked { ticket, .. } = &event {
            self.asked.insert(*ticket);
        }
        let effects = self.fleet.handle(event.clone(), self.now);
        self.story.push((Some(event), effects.clone()));
        self.emit(effects);
    }
    pub fn input(&mut self, input: Input) {
        match &input {
            Input::Ingested { ticket, .. }
            | Input::Accepted { ticket, .. }
            | Input::RollbackAsked { ticket, .. }
            | Input::DeliverAsked { ticket, .. }
            | Input::ProveAsked { ticket, .. }
            | Input::Call(CallInput::RotateAsked { ticket, .. }) => _ = self.asked.insert(*ticket),
            _ => {}
        }
        self.happens(Event::Credential { name: "main".parse().unwrap(), input });
    }
    pub fn emit(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Answer { ticket, .. } | Effect::Call { ticket } = &effect {
                assert!(self.asked.remove(ticket), "{ticket} is answered twice");
            }
            if let Effect::TidyMail { mails, .. } = &effect {
                self.tidied.push((mails.clone(), self.world.stored("main").clone()));
            }
            self.lines.extend(line(&effect));
            self.queue.push_back(effect);
        }
    }
    /// Performs everything that is not held back, until nothing comes any more. No time passes.
    pub fn run(&mut self) {
        let mut performed = 0;
        while let Some(index) = self.queue.iter().position(|effect| !self.is_held_back(effect)) {
            performed += 1;
            assert!(performed < 5_000, "it never ends: {:?}", &self.lines[self.lines.len() - 10..]);
            let effect = self.queue.remove(index).unwrap();
            if let Some(event) = self.perform(effect) {
                self.happens(event);
            }
        }
    }
    /// Performs just so many effects; whether more are left.
    pub fn run_only(&mut self, count: usize) -> bool {
        for _ in 0..count {
            let Some(effect) = self.queue.pop_front() else { return false };
            if let Some(event) = self.perform(effect) {
                self.happens(event);
            }
        }
        !self.queue.is_empty()
    }
    fn is_held_back(&self, effect: &Effect) -> bool {
        let Some(line) = line(effect) else {
            return self.disk_hangs && matches!(effect, Effect::SaveAlerts(_));
        };
        self.held_back.iter().any(|prefix| line.starts_with(prefix.as_str()))
    }
    /// Lets time pass, deadline by deadline, and performs what comes.
    pub fn wait(&mut self, length: Duration) {
        let end = self.now + length;
        loop {
            self.run();
            let Some((at, reason)) = self.fleet.next_deadline().filter(|(at, _)| *at <= end) else {
                break;
            };
            assert!(at > self.now, "{reason:?} is due at {at}, which was handled");
            self.now = at;
            self.deadlines += 1;
            let effects = self.fleet.handle_deadline(self.now);
            self.story.push((None, effects.clone()));
            self.emit(effects);
        }
        self.now = end;
    }

    /// Lets time pass with its schedules.
    pub fn passes(&mut self, length: Duration) {
        let end = self.now + length;
        while self.now < end {
            self.tick(Schedule::CurrentKeyProbe);
            if self.now.as_secs() % 3_600 < 600 {
                self.tick(Schedule::ConsumerProve);
            }
            self.wait((10 * MIN).min(end.since(self.now)));
        }
    }
    pub fn tick(&mut self, schedule: Schedule) {
        self.happens(Event::Tick(schedule));
    }

    fn perform(&mut self, effect: Effect) -> Option<Event> {
        let world = &mut self.world;
        Some(match effect {
            Effect::Credential { name, action } => {
                let input = perform(world, &name, action, self.now)?;
                Event::Credential { name, input }
            }
            Effect::ProbeControl { origin, .. } => {
                Event::ControlFinished { origin, answer: world.random_key() }
            }
            Effect::TidyMail { name, attempt, mails, settled, .. } => {
                let outcome = world.mailbox.tidy(&mails, &settled);
                Event::Credential { name, input: Input::MailTidied { attempt, outcome } }
            }
            Effect::CheckStore => Event::StoreChecked {
                outcome: world.store_trouble.clone().map_or_else(|| Ok(world.store_facts.clone()), Err),
            },
            Effect::Notify { channel, notice } => {
                self.notices.push((*notice).clone());
                let Notice { incident, step, .. } = *notice;
                Event::NoticeSent { channel, incident, step, outcome: Ok(()) }
            }
            Effect::SaveAlerts(state) => Event::AlertsSaved { outcome: world.keep(&state) },
            Effect::Beat => Event::BeatSent { outcome: Ok(()) },
            Effect::OpenMailbox { .. }
            | Effect::LookAtMailbox { .. }
            | Effect::SaveToken { .. }
            | Effect::Answer { .. }
            | Effect::Call { .. }
            | Effect::Journal(_)
            | Effect::Record { .. } => return None,
        })
    }

    /// The process ends now, and another begins: what was in flight is lost.
    pub fn restart(&mut self) {
        self.queue.clear();
        self.asked.clear();
        let (fleet, effects) = Fleet::new(self.settings.clone(), self.now);
        self.fleet = fleet;
        self.emit(effects);
        if let Some(kept) = &self.world.alerts {
            let outcome = Ok(Box::new(serde_json::from_str(kept).unwrap()));
            self.happens(Event::AlertsFound { outcome });
        }
        for (fingerprint, (name, origin, dated, rotated_at, held)) in self.world.spool.clone() {
            let rotation_id = RotationId::from_parts(7, 7);
            let input = Input::SpoolFound { fingerprint, origin, dated, rotated_at, held, rotation_id };
            self.happens(Event::Credential { name, input });
        }
        self.reads_answers();
    }
    pub fn reload(&mut self, settings: Settings) {
        self.settings = settings.clone();
        self.happens(Event::Configured(Box::new(settings)));
    }

    /// A look at the mailbox, with these findings; the first one since the start is complete.
    pub fn looks(&mut self, findings: &[Finding]) {
        let input = MailboxInput::Looked { newest_notice_at: None };
        self.happens(Event::Mailbox { name: "mail".parse().unwrap(), input });
        let rotation_id = RotationId::from_parts(u64::try_from(self.now.as_millis()).unwrap(), 1);
        self.input(Input::MailsSeen { findings: findings.to_vec(), first: true, rotation_id });
    }
    pub fn mail(&mut self, at: Timestamp) -> MailRef {
        self.mails += 1;
        MailRef {
            id: MailId(format!("<{}@leaf7.fun>", self.mails)),
            from: "keys@leaf7.fun".into(),
            signed_by: "leaf7.fun".into(),
            selector: "s1".into(),
            arrived_at: at,
            folder: "INBOX".into(),
            junk: false,
            place: format!("7/{}", self.mails),
            hash: MailHash::of(&self.mails.to_be_bytes()),
        }
    }
    pub fn confirmation(&mut self, fingerprint: Fingerprint, dated: Timestamp) -> Confirmation {
        let mail = self.mail(dated + SEC);
        Confirmation { mail, fingerprint, dated, rotated_at: dated }
    }
    /// The confirmation of this key arrives, dated now.
    pub fn confirmed(&mut self, fingerprint: Fingerprint) {
        let confirmation = self.confirmation(fingerprint, self.now);
        self.looks(&[Finding::NewKey(confirmation)]);
    }
    pub fn warned(&mut self) {
        let mail = self.mail(self.now);
        self.looks(&[Finding::Warning(Warning { mail, dated: self.now })]);
    }
    pub fn ingest(&mut self, fingerprint: Fingerprint, sure: bool, ticket: u64) {
        let rotation_id = RotationId::from_parts(5, u128::from(ticket));
        self.input(Input::Ingested { fingerprint, uid: 1000, sure, expires_at: None, ticket, rotation_id });
    }
    pub fn rollback(&mut self, check: bool, ticket: u64) {
        let rotation_id = RotationId::from_parts(8, u128::from(ticket));
        self.input(Input::RollbackAsked { uid: 1000, check, ticket, rotation_id });
    }
    pub fn accept(&mut self, fingerprint: Fingerprint, ticket: u64) {
        let rotation_id = RotationId::from_parts(6, u128::from(ticket));
        self.input(Input::Accepted { fingerprint, uid: 1000, ticket, rotation_id });
    }

    /// Every line since the last time.
    pub fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
    /// Exactly these lines since the last time, in this order, and nothing else.
    #[track_caller]
    pub fn expect(&mut self, lines: &[&str]) {
        let got = self.take();
        assert_eq!(got, lines, "\n{}", got.join("\n"));
    }
    /// The mails to operators since the last time, and nothing of the rest.
    #[track_caller]
    pub fn expect_mails(&mut self, lines: &[&str]) {
        let got: Vec<_> = self.take().into_iter().filter(|line| line.starts_with("mail ")).collect();
        assert_eq!(got, lines, "\n{}", got.join("\n"));
    }
    /// What was written down since the story was last taken.
    pub fn take_records(&mut self) -> Vec<crate::rotation::Record> {
        let effects = self.take_story().into_iter().flat_map(|(_, effects)| effects);
        let record = |effect| match effect {
            Effect::Record { record, .. } => Some(*record),
            _ => None,
        };
        effects.filter_map(record).collect()
    }
    pub fn take_story(&mut self) -> Vec<(Option<Event>, Vec<Effect>)> {
        std::mem::take(&mut self.story)
    }
    /// Commands that wait for their answer.
    pub fn unanswered(&self) -> Vec<u64> {
        self.asked.iter().copied().collect()
    }
    pub fn main(&self) -> &Rotation {
        self.fleet.credential(&"main".parse().unwrap()).unwrap()
    }
    pub fn phase(&self) -> Phase {
        self.main().phase()
    }
    pub fn view(&self) -> CredentialView {
        self.fleet.view(self.main(), self.now)
    }
    pub fn last_notice(&self) -> &crate::domain::Notice {
        self.notices.last().unwrap()
    }
}
