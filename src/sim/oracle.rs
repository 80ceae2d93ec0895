//! What must hold, checked against the truth after each step: the promises of the design that the core can keep. Each
//! check says which one was broken, and stops the run.

use super::{HOUR, MIN, fault::Fault, world::World, world::mail_id, world::number};
use crate::{
    domain::{ConsumerName, Fingerprint, MailId, Notice, ProofLevel},
    rotation::{Action, AlertsState, Effect, Promotion, Reply, StateDocument},
};
use std::collections::{BTreeMap, BTreeSet};

/// A state document stays below this, in bytes.
const STATE_MAX: usize = 64 << 10;
/// What this machine keeps of its notices stays below this, in bytes.
const ALERTS_MAX: usize = 4 << 20;

/// Where one of these struck, an action may run twice, or a key be promoted twice.
const DISTURBING: &[Fault] = &[
    Fault::Kill,
    Fault::Stop,
    Fault::LateWrite,
    Fault::DeliverFails,
    Fault::ActFails,
    Fault::CopyChanged,
    Fault::OldKeyBack,
    Fault::Redelivers,
    Fault::RollsBack,
    Fault::Reverted,
    Fault::ForeignValue,
    Fault::ForeignNewest,
    Fault::Deleted,
    Fault::NotesLost,
    Fault::StaleRead,
];
#[derive(Default)]
pub struct Oracle {
    pub failure: Option<String>,
    /// Keys that an operator vouched for.
    pub blessed: BTreeSet<u64>,
    /// Keys that an operator was shown, to be let in.
    pub offered: BTreeSet<u64>,
    /// Keys that somebody else wrote to the store, and whether anybody wrote or deleted there.
    pub put: BTreeSet<u64>,
    pub rewritten: bool,
    /// Versions of the key document that this process has read.
    pub read: BTreeSet<u64>,
    /// Keys that a process has received.
    pub received: BTreeSet<u64>,
    promotions: BTreeMap<u64, u32>,
    /// Mails that the stored state calls done.
    done: BTreeSet<MailId>,
    retiring: Option<Fingerprint>,
    pub proofs: BTreeSet<(ConsumerName, u64)>,
    acts: BTreeMap<(ConsumerName, u64), u32>,
    /// Steps of incidents that this process was told are out.
    pub sent: BTreeSet<(String, u32)>,
    pub notices: u64,
    /// When clock or time itself last jumped, or a consumer was meddled with.
    pub jumped_at: Option<i64>,
    pub meddled_at: Option<i64>,
}

impl Oracle {
    pub fn fail(&mut self, what: impl Into<String>) {
        self.failure.get_or_insert(what.into());
    }
    /// Whether nothing of the kind has happened for a while.
    pub fn long_ago(at: Option<i64>, t: i64) -> bool {
        at.is_none_or(|at| t - at > 2 * HOUR)
    }

    /// An effect comes out of the core.
    pub fn emitted(&mut self, effect: &Effect, keyring: &BTreeSet<u64>, world: &World) {
        let Effect::Credential { action, .. } = effect else { return };
        let needs: Vec<Fingerprint> = match action {
            Action::StoreKey { promotion, .. } => {
                [Some(promotion.fingerprint), promotion.previous].into_iter().flatten().collect()
            }
            Action::ProbeKey { fingerprint, .. }
            | Action::SpoolKey { fingerprint, .. }
            | Action::CompareCopy { fingerprint, .. }
            | Action::Deliver { fingerprint, .. }
            | Action::Prove { fingerprint, .. } => vec![*fingerprint],
            Action::ReadDocuments { .. }
            | Action::RetireKey { .. }
            | Action::SaveState { .. }
            | Action::DropSpooled { .. }
            | Action::Act { .. }
            | Action::Call(_)
            | Action::Rehearse { .. } => Vec::new(),
        };
        if let Some(missing) = needs.iter().find(|needed| !keyring.contains(&number(**needed))) {
            self.fail(format!("the process does not hold the key {missing}: {action:?}"));
        }
        match action {
            Action::StoreKey { cas, promotion, .. } => self.stores(*cas, promotion, world),
            Action::Deliver { consumer, fingerprint, .. } => self.delivers(consumer, *fingerprint, world),
            Action::RetireKey { .. } => {
                let previous = world.store.now().and_then(|document| document.previous);
                if previous.is_some_and(|previous| self.retiring != Some(previous.fingerprint)) {
                    self.fail("P2: a retirement was not written down before it is performed");
                }
            }
            _ => {}
        }
    }
    fn stores(&mut self, cas: u64, promotion: &Promotion, world: &World) {
        let (n, t) = (number(promotion.fingerprint), world.luck.t);
        if cas != 0 && !self.read.contains(&cas) {
            self.fail(format!("P5: version {cas} is to be overwritten, and was never read"));
        }
        let said = world.vendor.said_alive.get(&n);
        let stale = said.is_some_and(|said| t - said > 6 * MIN) && Self::long_ago(self.jumped_at, t);
        if said.is_none() || stale {
            self.fail(format!("P1: K{n} is to be promoted, and was last seen alive at {said:?} of {t}"));
        }
    }
    fn delivers(&mut self, consumer: &ConsumerName, fingerprint: Fingerprint, world: &World) {
        let n = number(fingerprint);
        // A vendor that lets every key in makes a foreign value a first key.
        let blind = world.luck.plan.on.contains(&Fault::Blind);
        if !blind && (!world.vendor.is_ours(n) || !world.vendor.said_alive.contains_key(&n)) {
            self.fail(format!("P1: {consumer} is given K{n}, which was not proven to be alive and ours"));
        }
        if !world.store.ever.contains(&n) {
            self.fail(format!("P1: {consumer} is given K{n}, which is not in the store"));
        }
        let given = world.consumers.get(consumer).map_or(0, |running| running.given);
        // Both somebody's own doing: an operator's, or that of whoever wrote a key that nobody had seen before.
        let gone_back = self.blessed.contains(&n) || self.put.contains(&n);
        if n < given && given < 1_000 && !gone_back {
            self.fail(format!("P1: {consumer} is given K{n} after K{given}"));
        }
    }

    /// A promotion is in the store; `before` was the current key there.
    pub fn promoted(&mut self, promotion: &Promotion, before: Option<u64>, world: &World) {
        let n = number(promotion.fingerprint);
        if !world.vendor.is_ours(n) {
            self.fail(format!("P1: K{n} was promoted, and is not ours"));
        }
        let wanted = self.blessed.contains(&n) || self.put.contains(&n);
        if before.is_some_and(|before| n < before && before < 1_000) && !wanted {
            self.fail(format!("P1: K{n} was promoted over the newer {before:?}"));
        }
        if before.is_some_and(|before| world.vendor.is_ours(before))
            && before != Some(n)
            && promotion.previous.map(number) != before
            && before.is_some_and(|before| !self.put.contains(&before))
        {
            self.fail(format!("P3: {before:?} was replaced, and is not kept beside K{n}"));
        }
        if before.is_some_and(|before| !world.vendor.is_ours(before)) && !self.blessed.contains(&n) {
            self.fail(format!("P3: somebody else's value was overwritten with K{n}"));
        }
        let times = self.promotions.entry(n).or_default();
        *times += 1;
        // What was written over, or deleted, is put back: by the ladder's last step, or by an operator.
        if *times > 1 && !self.rewritten && !wanted {
            self.fail(format!("P5: K{n} was promoted a second time"));
        }
    }
    /// `_previous` was removed.
    pub fn retired(&mut self, previous: Fingerprint, world: &World) {
        let (n, t) = (number(previous), world.luck.t);
        if !world.vendor.said_dead.contains(&n) {
            self.fail(format!("P3: K{n} was removed, and the vendor never refused it"));
        }
        let stated = world.vendor.keys.get(&n).and_then(|key| key.stated_end);
        let in_time = stated.is_some_and(|end| t < end - 10 * MIN) && Self::long_ago(self.jumped_at, t);
        if in_time && world.vendor.is_alive(n, t) && !world.all_run(world.store.current().unwrap_or(0)) {
            self.fail(format!("P3: K{n} was removed while it works and a consumer needs it"));
        }
    }
    /// A state document is in the store.
    pub fn saved(&mut self, document: &StateDocument, bytes: usize, world: &World) {
        if bytes > STATE_MAX {
            self.fail(format!("P8: the state document has {bytes} bytes"));
        }
        self.done = document.done.iter().cloned().collect();
        self.retiring = document.retiring;
        let generation = world.store.now().map_or(0, |stored| stored.generation);
        if let Some(n) = world.store.current().filter(|_| document.settled == generation && generation > 0) {
            let current = |consumer: &&ConsumerName| {
                !self.proofs.contains(&((*consumer).clone(), n))
                    && document.current.is_some_and(|noted| number(noted.fingerprint) == n)
            };
            if let Some(unproven) = world.consumers.keys().find(current) {
                self.fail(format!(
                    "P7: generation {generation} is settled, and {unproven} never showed K{n}"
                ));
            }
        }
        self.key_is_safe(world);
    }
    pub fn notes_lost(&mut self) {
        (self.done, self.retiring) = (BTreeSet::new(), None);
    }
    /// The newest key that was received exists somewhere that outlives the process.
    pub fn key_is_safe(&mut self, world: &World) {
        let (n, t) = (world.vendor.newest, world.luck.t);
        let owed =
            self.received.contains(&n) && !world.store.ever.contains(&n) && !self.was_decided_against(n);
        if !owed || !world.vendor.is_alive(n, t) || world.host.spool.contains_key(&n) {
            return;
        }
        let holds = |(index, mail): (usize, &super::world::Mail)| {
            let carries = matches!(mail.kind, super::world::MailKind::Confirmation { key, .. } if key == n);
            carries && mail.arrived <= t && !mail.gone && !self.done.contains(&mail_id(index))
        };
        if !world.mails.iter().enumerate().any(holds) {
            self.fail(format!(
                "P2: K{n} was received, and is neither in the store nor the spool nor its mail"
            ));
        }
    }
    pub fn acted(&mut self, consumer: &ConsumerName, world: &World) {
        let generation = world.store.now().map_or(0, |document| document.generation);
        let times = self.acts.entry((consumer.clone(), generation)).or_default();
        *times += 1;
        let calm = !DISTURBING.iter().any(|fault| world.luck.plan.on.contains(fault));
        if *times > 1 && calm && self.blessed.is_empty() {
            self.fail(format!("the action of {consumer} ran twice for generation {generation}"));
        }
    }
    pub fn answered(&mut self, n: Option<u64>, reply: &Reply, world: &World) {
        let Some(n) = n else { return };
        match reply {
            Reply::Promoted { .. } if !world.store.ever.contains(&n) => {
                self.fail(format!("an operator was told that K{n} is promoted, and it is not"));
            }
            Reply::Spooled { .. } if !world.host.spool.contains_key(&n) => {
                self.fail(format!("P2: an operator was told that K{n} is in the spool, and it is not"));
            }
            _ => {}
        }
    }
    /// A notice came up.
    pub fn shown(&mut self, notice: &Notice) {
        let accepts = notice.hint.lines().filter_map(|line| line.strip_prefix("keyrelay accept main "));
        let keys = accepts.filter_map(|label| u64::from_str_radix(label, 16).ok());
        self.offered.extend(keys);
    }
    /// An operator was shown this key, and put in another one: that was his decision.
    pub fn was_decided_against(&self, n: u64) -> bool {
        self.offered.contains(&n) && self.blessed.iter().any(|other| *other != n)
    }
    pub fn told(&mut self, notice: &Notice) {
        self.notices += 1;
        if self.sent.contains(&(notice.incident.clone(), notice.step)) {
            self.fail(format!("{} {} was told twice", notice.code, notice.step));
        }
    }
    pub fn kept(&mut self, state: &AlertsState, bytes: usize) {
        if bytes > ALERTS_MAX {
            self.fail(format!("P8: the alerts file has {bytes} bytes: {state:?}"));
        }
    }
    pub fn proven(&mut self, consumer: &ConsumerName, n: u64, level: ProofLevel) {
        if level > ProofLevel::Unproven {
            self.proofs.insert((consumer.clone(), n));
        }
    }
}
