//! The truth: what the vendor has issued, what lies in the store and in the mailbox, what consumers run, what is on
//! disk. Nobody in here decides anything; faults strike as they are drawn.

use super::{HOUR, START, chance::Chance, fault::Fault, fault::Plan};
use crate::{
    domain::{
        Account, Confirmation, ConsumerName, Finding, Fingerprint, KeyDocument, KeyRead, MailHash, MailId,
        MailRef, Origin, PreviousKey, ProbeAnswer, StoreTrouble, Timestamp, Verdict, Warning, WriteOutcome,
    },
    rotation::{Consumer, Promotion, StateRead},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

/// The n-th key. Ours are counted from 1; those of another account from 1,000; from 9,000 on none exists.
pub fn key(n: u64) -> Fingerprint {
    format!("{n:016x}").parse().unwrap()
}
pub fn number(fingerprint: Fingerprint) -> u64 {
    u64::from_str_radix(&fingerprint.hex(), 16).unwrap()
}
pub fn at(t: i64) -> Timestamp {
    Timestamp::from_millis(START.as_millis() + t)
}

/// Whether a fault strikes, and how often each did in which phase.
pub struct Luck {
    pub chance: Chance,
    pub plan: Plan,
    pub t: i64,
    pub chaos: bool,
    pub phase: &'static str,
    pub hits: BTreeMap<(Fault, &'static str), u64>,
}

impl Luck {
    pub fn strikes(&mut self, fault: Fault) -> bool {
        if !self.chaos || !self.plan.on.contains(&fault) {
            return false;
        }
        let (one_in, t) = (self.plan.one_in.get(&fault).copied(), self.t);
        let windows = self.plan.windows.get(&fault);
        let within = windows.is_some_and(|all| all.iter().any(|(from, until)| (*from..*until).contains(&t)));
        let struck = within || one_in.is_some_and(|many| self.chance.one_in(many));
        if struck {
            self.count(fault);
        }
        struck
    }
    pub fn count(&mut self, fault: Fault) {
        *self.hits.entry((fault, self.phase)).or_default() += 1;
    }
}

/// One key at the vendor.
#[derive(Debug, Clone)]
pub struct Issued {
    pub foreign: bool,
    pub works_from: i64,
    pub dies_at: Option<i64>,
    /// What the vendor says of that.
    pub stated_end: Option<i64>,
}

#[derive(Default)]
pub struct Vendor {
    pub keys: BTreeMap<u64, Issued>,
    pub newest: u64,
    /// When it last let this key in, and whether it ever refused it.
    pub said_alive: BTreeMap<u64, i64>,
    pub said_dead: BTreeSet<u64>,
}

impl Vendor {
    pub fn issue(&mut self, n: u64, foreign: bool, works_from: i64) {
        let (dies_at, stated_end) = (None, None);
        self.keys.insert(n, Issued { foreign, works_from, dies_at, stated_end });
    }
    pub fn is_alive(&self, n: u64, t: i64) -> bool {
        self.keys.get(&n).is_some_and(|key| key.works_from <= t && key.dies_at.is_none_or(|end| t < end))
    }
    pub fn is_ours(&self, n: u64) -> bool {
        self.keys.get(&n).is_some_and(|key| !key.foreign)
    }
    pub fn probe(&mut self, n: u64, luck: &mut Luck) -> ProbeAnswer {
        let t = luck.t;
        if luck.strikes(Fault::VendorDown) || luck.strikes(Fault::Html) {
            return ProbeAnswer::unclear("503 with a page");
        }
        if luck.strikes(Fault::TooMany) {
            let secs = luck.chance.pick(&[0, 1, 30, 600, 40_000, 1_000_000_000]);
            let retry_after = Some(Duration::from_secs(secs));
            return ProbeAnswer { retry_after, ..ProbeAnswer::unclear("429") };
        }
        if luck.strikes(Fault::Blind) {
            self.said_alive.insert(n, t); // it said so; of whose account it says nothing
            return ProbeAnswer { vendor_time: Some(at(t)), ..ProbeAnswer::new(Verdict::Alive, "200") };
        }
        let alive = self.is_alive(n, t);
        if !alive || luck.strikes(Fault::Flap401) {
            self.said_dead.insert(n);
            return ProbeAnswer { vendor_time: Some(at(t)), ..ProbeAnswer::new(Verdict::Dead, "401") };
        }
        self.said_alive.insert(n, t);
        let project = if self.is_ours(n) { "project-1" } else { "project-2" };
        let shown = !luck.strikes(Fault::EmptyAccount);
        let account = Account::from_iter([project].into_iter().filter(|_| shown));
        let answer = ProbeAnswer::new(Verdict::Alive, "200");
        ProbeAnswer { account: Some(account), vendor_time: Some(at(t)), ..answer }
    }
}

/// The key document's versions, and the state document.
#[derive(Default)]
pub struct Store {
    pub versions: Vec<KeyDocument>,
    pub deleted: bool,
    /// The key that our own fields speak of.
    written: Option<Fingerprint>,
    pub state: Option<String>,
    pub state_version: u64,
    /// Every key that was ever the current one here.
    pub ever: BTreeSet<u64>,
}

impl Store {
    pub fn now(&self) -> Option<&KeyDocument> {
        self.versions.last().filter(|_| !self.deleted)
    }
    pub fn current(&self) -> Option<u64> {
        self.now()?.current.map(number)
    }
    fn version(&self) -> u64 {
        self.versions.len() as u64
    }
    fn push(&mut self, document: KeyDocument) {
        self.ever.extend(document.current.map(number));
        self.deleted = false;
        self.versions.push(document);
    }
    /// Somebody else writes; keyrelay's own fields stay as they were.
    pub fn put(&mut self, n: u64, t: i64) {
        let before = self.now().cloned();
        let fresh = KeyDocument {
            version: 0,
            created_at: at(t),
            current: None,
            previous: None,
            generation: 0,
            rotated_at: None,
            rotation_id: None,
            ours: false,
            as_written: false,
            unusable: None,
        };
        let kept = before.unwrap_or(fresh);
        self.push(KeyDocument {
            version: self.version() + 1,
            created_at: at(t),
            current: Some(key(n)),
            as_written: kept.ours && self.written == Some(key(n)),
            ..kept
        });
    }
    pub fn trouble(luck: &mut Luck) -> Option<StoreTrouble> {
        if luck.strikes(Fault::Sealed) {
            Some(StoreTrouble::Sealed)
        } else if luck.strikes(Fault::StoreAway) {
            Some(StoreTrouble::Unreachable("nobody answers".into()))
        } else if luck.strikes(Fault::StoreForbids) {
            Some(StoreTrouble::Forbidden("403".into()))
        } else {
            None
        }
    }
    pub fn read(&self, with_state: bool, luck: &mut Luck) -> (KeyRead, Option<StateRead>) {
        if let Some(trouble) = Self::trouble(luck) {
            return (KeyRead::Failed(trouble.clone()), with_state.then_some(StateRead::Failed(trouble)));
        }
        let stale = self.versions.len() > 1 && luck.strikes(Fault::StaleRead);
        let key = match self.versions.len().checked_sub(if stale { 2 } else { 1 }) {
            Some(_) if self.deleted && !stale => KeyRead::Deleted { version: self.version() },
            Some(index) => KeyRead::Present(self.versions[index].clone()),
            None => KeyRead::Absent,
        };
        (key, with_state.then(|| self.read_state()))
    }
    fn read_state(&self) -> StateRead {
        let version = self.state_version;
        match &self.state {
            Some(json) => {
                let document = Box::new(serde_json::from_str(json).unwrap());
                StateRead::Present { version, document }
            }
            None => StateRead::Absent { version },
        }
    }
    /// One check-and-set: whether it was done, and what is answered.
    fn write(luck: &mut Luck, version: u64, cas: u64) -> (bool, WriteOutcome) {
        if let Some(trouble) = Self::trouble(luck) {
            return (false, WriteOutcome::Failed(trouble));
        }
        if luck.strikes(Fault::StoreRefuses) {
            return (false, WriteOutcome::Failed(StoreTrouble::Refused("quota".into())));
        }
        if luck.strikes(Fault::WriteLost) {
            return (false, WriteOutcome::Unknown("no answer".into()));
        }
        if version != cas {
            return (false, WriteOutcome::Mismatch);
        }
        if luck.strikes(Fault::AnswerLost) {
            return (true, WriteOutcome::Unknown("the connection was reset".into()));
        }
        (true, WriteOutcome::Written { version: version + 1 })
    }
    pub fn promote(&mut self, cas: u64, promotion: &Promotion, luck: &mut Luck) -> (bool, WriteOutcome) {
        let (done, outcome) = Self::write(luck, self.version(), cas);
        if done {
            self.written = Some(promotion.fingerprint);
            let expires_at = promotion.previous_expires_at;
            self.push(KeyDocument {
                version: cas + 1,
                created_at: at(luck.t),
                current: Some(promotion.fingerprint),
                previous: promotion.previous.map(|fingerprint| PreviousKey { fingerprint, expires_at }),
                generation: promotion.generation,
                rotated_at: Some(promotion.rotated_at),
                rotation_id: Some(promotion.rotation_id),
                ours: true,
                as_written: true,
                unusable: None,
            });
        }
        (done, outcome)
    }
    pub fn retire(&mut self, cas: u64, luck: &mut Luck) -> (bool, WriteOutcome) {
        let (done, outcome) = Self::write(luck, self.version(), cas);
        if let Some(document) = self.versions.last().cloned().filter(|_| done) {
            self.push(KeyDocument { version: cas + 1, previous: None, ..document });
        }
        (done, outcome)
    }
    pub fn save(&mut self, cas: u64, json: String, luck: &mut Luck) -> (bool, WriteOutcome) {
        let (done, outcome) = Self::write(luck, self.state_version, cas);
        if done {
            self.state_version += 1;
            self.state = Some(json);
        }
        (done, outcome)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    Warning,
    Confirmation { key: u64, signed: bool },
    Forged,
    Unread,
}

#[derive(Debug, Clone)]
pub struct Mail {
    pub kind: MailKind,
    pub dated: i64,
    pub arrived: i64,
    pub junk: bool,
    /// It lies in the mailbox no more.
    pub gone: bool,
}

/// What recognition makes of it; a test holds real mails of each kind against this.
pub fn finding(
    index: usize,
    mail: &Mail,
    validity: u64,
    known: &BTreeSet<Fingerprint>,
    done: &BTreeSet<MailId>,
    dns_away: bool,
) -> Finding {
    let reference = reference(index, mail, validity);
    let dated = at(mail.dated).whole_secs();
    let is_done = done.contains(&reference.id);
    // What nobody signed, and a body that was changed, are known without a name server.
    let is_judged_alone =
        matches!(mail.kind, MailKind::Forged | MailKind::Confirmation { signed: false, .. });
    match mail.kind {
        _ if dns_away && !is_judged_alone => Finding::Wait { mail: reference, why: "no answer".into() },
        MailKind::Forged | MailKind::Unread | MailKind::Warning if is_done => {
            Finding::NotOurs { mail: reference, why: "it was dealt with".into() }
        }
        MailKind::Forged => Finding::Suspicious { mail: reference, why: "its signature does not fit".into() },
        MailKind::Warning => Finding::Warning(Warning { mail: reference, dated }),
        MailKind::Unread => Finding::Unparsed { mail: reference, dated, why: "it shows no key".into() },
        MailKind::Confirmation { key: n, signed } => {
            let fingerprint = key(n);
            if is_done || known.contains(&fingerprint) {
                return Finding::Known { mail: reference, fingerprint, dated, genuine: signed };
            }
            let rotated_at = dated.min(reference.arrived_at);
            let confirmation = Confirmation { mail: reference, fingerprint, dated, rotated_at };
            match signed {
                true => Finding::NewKey(confirmation),
                false => Finding::Held { confirmation, why: "it has no signature".into() },
            }
        }
    }
}
pub fn mail_id(index: usize) -> MailId {
    MailId(format!("<{index}@leaf7.fun>"))
}
fn reference(index: usize, mail: &Mail, validity: u64) -> MailRef {
    MailRef {
        id: mail_id(index),
        from: "keys@leaf7.fun".into(),
        signed_by: "leaf7.fun".into(),
        selector: "s1".into(),
        arrived_at: at(mail.arrived).whole_secs(),
        folder: if mail.junk { "Junk" } else { "INBOX" }.into(),
        junk: mail.junk,
        place: format!("{validity}/{index}"),
        hash: MailHash::of(&index.to_be_bytes()),
    }
}

/// One consumer as it is.
#[derive(Debug, Clone)]
pub struct Running {
    pub policy: Consumer,
    pub copy: Option<u64>,
    pub runs: Option<u64>,
    /// The newest key it was given.
    pub given: u64,
}

/// What survives the process on its machine.
#[derive(Default)]
pub struct Host {
    pub spool: BTreeMap<u64, (Origin, Timestamp, Timestamp, Option<String>)>,
    pub alerts: Option<String>,
}

pub struct World {
    pub luck: Luck,
    pub vendor: Vendor,
    pub store: Store,
    pub mails: Vec<Mail>,
    /// Of the mailbox' numbers.
    pub validity: u64,
    pub consumers: BTreeMap<ConsumerName, Running>,
    pub host: Host,
}

impl World {
    pub fn new(luck: Luck, consumers: impl Iterator<Item = (ConsumerName, Consumer)>) -> Self {
        let running = |policy: Consumer| Running { copy: Some(1), runs: Some(1), given: 1, policy };
        let consumers = consumers.map(|(name, policy)| (name, running(policy))).collect();
        let (mut vendor, mut store) = (Vendor { newest: 1, ..Vendor::default() }, Store::default());
        vendor.issue(1, false, -48 * HOUR);
        vendor.issue(1_000, true, -48 * HOUR);
        store.put(1, -24 * HOUR);
        Self { luck, vendor, store, mails: Vec::new(), validity: 7, consumers, host: Host::default() }
    }
    /// Which key each consumer runs, for people.
    pub fn runs(&self) -> String {
        let runs = |(name, one): (&ConsumerName, &Running)| format!("{name} runs {:?}", one.runs);
        self.consumers.iter().map(runs).collect::<Vec<_>>().join(", ")
    }
    /// Whether each consumer works with the vendor's newest key.
    pub fn all_run(&self, n: u64) -> bool {
        self.consumers.values().all(|consumer| consumer.runs == Some(n))
    }
}
