//! What happens in the world by itself: the vendor rotates and writes mails, faults come at their moments, operators
//! paste and accept, and in the end everything is mended, and must come right.

use super::{
    HEAL, HOUR, MIN, SEC,
    chance::Chance,
    fault::{Fault, Plan},
    life::{Sim, about_main, main},
    oracle::Oracle,
    world::{Mail, MailKind, key},
};
use crate::{
    domain::{Code, Severity},
    rotation::{Delivery, Event, Input, Proof},
};

#[derive(Debug, Clone)]
pub enum Happening {
    Warned(i64),
    Rotates,
    Arrives(Mail),
    /// The deadline of a key that is replaced.
    Deadline(u64),
    ClockMended,
    Fault(Fault),
    /// From here on nothing goes wrong any more.
    Heals,
    /// An operator does what the notices say.
    Mends,
}

const DAY: i64 = 24 * HOUR;

impl Sim {
    /// The vendor's plan, and everything that was drawn.
    pub fn schedule(&mut self) {
        let chance = &mut self.world.luck.chance;
        let first = chance.between(MIN, 30 * HOUR);
        let mut rotations = vec![first];
        if self.world.luck.plan.on.contains(&Fault::NextSoon) {
            self.world.luck.count(Fault::NextSoon);
            rotations.push(first + self.world.luck.chance.between(SEC, 100 * MIN));
        }
        // The last one comes when all is well again.
        rotations.push(HEAL + 6 * HOUR);
        for rotates_at in rotations {
            self.happens_at((rotates_at - DAY).max(0), Happening::Warned(rotates_at));
            self.happens_at(rotates_at, Happening::Rotates);
        }
        for (t, fault) in self.world.luck.plan.moments.clone() {
            self.happens_at(t, Happening::Fault(fault));
        }
        self.happens_at(HEAL, Happening::Heals);
    }

    pub fn happen(&mut self, happening: Happening) {
        self.tell(|| format!("*** {happening:?}"));
        let t = self.world.luck.t;
        match happening {
            Happening::Warned(rotates_at) => {
                let dated = rotates_at - DAY;
                let late = self.world.luck.strikes(Fault::WarningLate);
                let arrived = if late { rotates_at + HOUR } else { dated + 5 * SEC };
                if !self.world.luck.strikes(Fault::WarningLost) {
                    self.mail(Mail { kind: MailKind::Warning, dated, arrived, junk: false, gone: false });
                }
            }
            Happening::Rotates => self.rotates(),
            Happening::Arrives(mail) => {
                self.world.mails.push(mail);
                if !self.world.luck.strikes(Fault::IdleDead) {
                    self.look(false, false);
                }
            }
            Happening::Deadline(n) => self.deadline(n),
            Happening::ClockMended => self.set_clock(0),
            Happening::Fault(fault) if self.world.luck.chaos => self.strike(fault, t),
            Happening::Fault(_) => {}
            Happening::Heals => self.heal(t),
            Happening::Mends => {
                self.mend();
                self.happens_at(t + HOUR, Happening::Mends);
            }
        }
    }
    fn mail(&mut self, mail: Mail) {
        let arrives_at = mail.arrived.max(self.world.luck.t);
        self.happens_at(arrives_at, Happening::Arrives(mail));
    }

    fn rotates(&mut self) {
        let t = self.world.luck.t;
        let (old, n) = (self.world.vendor.newest, self.world.vendor.newest + 1);
        let luck = &mut self.world.luck;
        let late = if luck.strikes(Fault::LateActivation) { luck.chance.between(SEC, 20 * MIN) } else { 0 };
        let dies_at = if luck.strikes(Fault::EarlyEnd) {
            t + luck.chance.between(10 * MIN, 6 * HOUR)
        } else if luck.strikes(Fault::LongGrace) {
            t + 30 * HOUR
        } else {
            t + DAY
        };
        let vendor = &mut self.world.vendor;
        vendor.issue(n, false, t + late);
        vendor.newest = n;
        if let Some(key) = vendor.keys.get_mut(&old) {
            (key.dies_at, key.stated_end) = (Some(dies_at), Some(t + DAY));
        }
        if dies_at >= t + DAY {
            self.happens_at(t + DAY - 5 * MIN, Happening::Deadline(old));
        }
        self.confirm(n, t);
    }
    fn confirm(&mut self, n: u64, t: i64) {
        let luck = &mut self.world.luck;
        let dated = t + luck.chance.between(0, 30 * SEC);
        let delay = if luck.strikes(Fault::MailLate) { 20 * HOUR } else { MIN };
        let arrived = dated + luck.chance.between(1, delay);
        let junk = luck.strikes(Fault::MailJunk);
        let unread = luck.strikes(Fault::MailUnread);
        let kind = if unread { MailKind::Unread } else { MailKind::Confirmation { key: n, signed: true } };
        let (lost, twice) = (luck.strikes(Fault::MailLost), luck.strikes(Fault::MailTwice));
        let unsigned = luck.strikes(Fault::MailUnsigned);
        if unsigned {
            let kind = MailKind::Confirmation { key: n, signed: false };
            self.mail(Mail { kind, dated, arrived: dated + 1, junk, gone: false });
        }
        if !lost {
            self.mail(Mail { kind, dated, arrived, junk, gone: false });
        }
        if twice {
            let again = arrived + self.world.luck.chance.between(1, 20 * HOUR);
            self.mail(Mail { kind, dated, arrived: again, junk: false, gone: false });
        }
    }

    /// Whoever could know that it will not come right was told by now.
    fn deadline(&mut self, old: u64) {
        let (t, n) = (self.world.luck.t, self.world.vendor.newest);
        if n != old + 1 || (self.world.store.current() == Some(n) && self.world.all_run(n)) {
            return;
        }
        let Some(process) = &self.process else { return };
        let quiet = Oracle::long_ago(self.oracle.jumped_at, t) && Oracle::long_ago(self.oracle.meddled_at, t);
        // What somebody wrote to the store by hand was adopted, or pasted over it: that was told in its time.
        let by_hand = self.world.store.current().is_some_and(|stored| self.oracle.put.contains(&stored));
        let decided = self.oracle.was_decided_against(n) || by_hand;
        let knows = self.oracle.received.contains(&n) && t - process.since > 2 * HOUR && !decided;
        if !quiet || !knows || self.skew != 0 {
            return;
        }
        let Some(rotation) = process.fleet.credential(&main()) else { return };
        let mut open = process.fleet.view(rotation, self.clock()).incidents;
        open.extend(process.fleet.open_incidents());
        if !open.iter().any(|incident| incident.severity >= Severity::Warning) {
            let (stored, runs) = (self.world.store.current(), self.world.runs());
            let message =
                format!("P6: K{old} dies in five minutes, nobody was told: K{stored:?} is stored, {runs}");
            self.oracle.fail(message);
        }
    }

    fn strike(&mut self, fault: Fault, t: i64) {
        self.world.luck.count(fault);
        let newest = self.world.vendor.newest;
        match fault {
            Fault::Stop => self.stop(),
            Fault::Suspend => {
                let length = self.world.luck.chance.pick(&[SEC, MIN, HOUR, 8 * HOUR, 30 * HOUR]);
                self.suspend(length.min(HEAL - t));
            }
            Fault::ClockForward | Fault::ClockBack | Fault::ClockYears => self.step_clock(fault, t),
            Fault::Reload => {
                let settings = Box::new(self.settings.clone());
                self.feed(Event::Configured(settings).into());
            }
            Fault::OtherField => {
                if let Some(current) = self.world.store.current() {
                    self.world.store.put(current, t);
                }
            }
            Fault::ForeignNewest => self.somebody_writes(newest, t),
            Fault::ForeignValue => self.somebody_writes(9_001, t),
            Fault::Reverted => self.somebody_writes(newest.saturating_sub(1).max(1), t),
            Fault::Deleted => {
                (self.oracle.rewritten, self.oracle.meddled_at) = (true, Some(t));
                self.world.store.deleted = true;
            }
            Fault::NotesLost => {
                self.world.store.state = None;
                self.oracle.notes_lost();
            }
            Fault::ForeignMail => {
                let kind = MailKind::Confirmation { key: 1_000, signed: true };
                self.mail(Mail { kind, dated: t - SEC, arrived: t, junk: false, gone: false });
            }
            Fault::ForgedMail => {
                self.mail(Mail { kind: MailKind::Forged, dated: t, arrived: t, junk: false, gone: false })
            }
            Fault::OldMail => {
                let kind = MailKind::Confirmation { key: 1, signed: true };
                self.mail(Mail { kind, dated: -2 * DAY, arrived: t, junk: false, gone: false });
            }
            Fault::MailsGone => self.delete_mails(),
            Fault::NewUids => {
                self.world.validity += 1;
                self.look(true, true);
            }
            Fault::Boots1970 => {
                if self.process.is_some() {
                    self.die("the power was cut");
                }
                self.suspend(0);
                self.step_clock(Fault::Boots1970, t);
            }
            Fault::OldKeyBack => self.meddle(t, |running| running.runs = Some(1)),
            Fault::CopyChanged => self.meddle(t, |running| running.copy = Some(1)),
            fault => self.operator_does(fault, newest),
        }
    }
    fn somebody_writes(&mut self, n: u64, t: i64) {
        (self.oracle.rewritten, self.oracle.meddled_at) = (true, Some(t));
        self.oracle.put.insert(n);
        self.world.store.put(n, t);
    }
    /// Somebody empties the mailbox. What was in there only is lost by his hand.
    fn delete_mails(&mut self) {
        let t = self.world.luck.t;
        let here = self.world.mails.iter_mut().filter(|mail| mail.arrived <= t);
        here.for_each(|mail| mail.gone = true);
        let (store, spool) = (&self.world.store, &self.world.host.spool);
        self.oracle.received.retain(|n| store.ever.contains(n) || spool.contains_key(n));
    }
    fn operator_does(&mut self, fault: Fault, newest: u64) {
        match fault {
            Fault::PastesWrong => self.paste(9_002, !self.world.luck.plan.on.contains(&Fault::Blind)),
            // Who vouches for a foreign key gets it, where the vendor does not say whose it is.
            Fault::PastesForeign => self.paste(1_000, false),
            Fault::PastesOld => self.paste(newest.saturating_sub(1).max(1), true),
            Fault::PastesNewest => self.paste(newest, true),
            Fault::Accepts => self.accept(newest),
            Fault::RollsBack => {
                let document = self.world.store.now();
                let before = document.and_then(|document| document.previous).map(|one| one.fingerprint);
                let earlier = before.into_iter().chain(document.and_then(|document| document.current));
                self.oracle.blessed.extend(earlier.map(super::world::number));
                let check = self.world.luck.chance.one_in(3);
                self.ask(None, |ticket, rotation_id| Input::RollbackAsked {
                    uid: 1000,
                    check,
                    ticket,
                    rotation_id,
                });
            }
            Fault::Hints => {
                let fingerprint = self.world.luck.chance.one_in(2).then(|| key(newest));
                self.feed(about_main(Input::Unauthorized { fingerprint, from: None }).into());
            }
            Fault::Redelivers => {
                self.ask(None, |ticket, _| Input::DeliverAsked { consumer: None, ticket });
            }
            _ => {}
        }
    }
    fn meddle(&mut self, t: i64, change: impl Fn(&mut super::world::Running)) {
        self.oracle.meddled_at = Some(t);
        // One that nobody can ask cannot be seen to restart; one that reads the store restarts with what is there.
        let asked = |running: &&mut super::world::Running| {
            running.policy.proof == Proof::Asked && running.policy.delivery != Delivery::None
        };
        let which = usize::from(self.world.luck.chance.one_in(2));
        self.world.consumers.values_mut().filter(asked).nth(which).into_iter().for_each(change);
    }
    fn step_clock(&mut self, fault: Fault, t: i64) {
        let chance = &mut self.world.luck.chance;
        let size = match fault {
            Fault::ClockYears => chance.pick(&[-56, -10, 10]) * 365 * DAY,
            Fault::Boots1970 => -56 * 365 * DAY - 300 * DAY,
            Fault::ClockBack => -chance.pick(&[SEC, 3_599 * SEC, HOUR, 26 * HOUR]),
            _ => chance.pick(&[SEC, 3_601 * SEC, HOUR, 26 * HOUR]),
        };
        let mended_at = t + chance.pick(&[SEC, 10 * MIN, 5 * HOUR]);
        self.set_clock(size);
        self.happens_at(mended_at.min(HEAL), Happening::ClockMended);
    }
    fn paste(&mut self, n: u64, sure: bool) {
        if sure {
            self.oracle.blessed.insert(n);
        }
        self.ask(Some(n), |ticket, rotation_id| Input::Ingested {
            fingerprint: key(n),
            uid: 1000,
            sure,
            expires_at: None,
            ticket,
            rotation_id,
        });
    }
    fn accept(&mut self, n: u64) {
        self.oracle.blessed.insert(n);
        self.oracle.offered.insert(n);
        self.ask(None, |ticket, rotation_id| Input::Accepted {
            fingerprint: key(n),
            uid: 1000,
            ticket,
            rotation_id,
        });
    }

    fn heal(&mut self, t: i64) {
        self.world.luck.chaos = false;
        self.set_clock(0);
        self.suspend(0);
        self.happens_at(t + 20 * MIN, Happening::Mends);
    }
    /// Once an hour, and only what an open incident asks for.
    fn mend(&mut self) {
        let Some(process) = &self.process else { return };
        let Some(rotation) = process.fleet.credential(&main()) else { return };
        let view = process.fleet.view(rotation, self.clock());
        let open = |code: Code| view.incidents.iter().any(|incident| incident.code == code);
        let newest = self.world.vendor.newest;
        let held = view.held.iter().any(|held| held.fingerprint == key(newest).to_string());
        let consumers = [Code::ConsumerWrongKey, Code::ConsumerFailed, Code::ConsumerUnproven];
        let keys = [
            Code::KeyDead,
            Code::RotationOverdue,
            Code::MailUnparsed,
            Code::StoreForeign,
            Code::StoreReverted,
            Code::DocumentDeleted,
            Code::CandidateHeld,
            Code::RolledBack,
            Code::Unseeded,
        ];
        let (asks_key, asks_consumer) = (keys.into_iter().any(&open), consumers.into_iter().any(&open));
        let right = self.world.store.current() == Some(newest);
        if asks_key && held {
            self.accept(newest);
        } else if asks_key && (!right || open(Code::StoreForeign)) {
            self.paste(newest, true);
        } else if asks_consumer {
            self.oracle.blessed.insert(newest);
            self.ask(None, |ticket, _| Input::DeliverAsked { consumer: None, ticket });
        }
    }

    /// The end: everything is as it should be, and nothing is left over.
    pub fn has_come_right(&mut self) {
        let newest = self.world.vendor.newest;
        let Some(process) = &self.process else { return self.oracle.fail("the end: no process runs") };
        let Some(rotation) = process.fleet.credential(&main()) else { return };
        let view = process.fleet.view(rotation, self.clock());
        let mut wrong = Vec::new();
        if self.world.store.current() != Some(newest) {
            wrong.push(format!(
                "the store holds {:?}, the newest key is K{newest}",
                self.world.store.current()
            ));
        }
        if !self.world.all_run(newest) {
            wrong.push(format!("not every consumer runs K{newest}: {}", self.world.runs()));
        }
        for (n, _) in self.world.host.spool.iter().filter(|(n, (_, _, _, held))| {
            held.is_none() && !view.held.iter().any(|held| held.fingerprint == key(**n).to_string())
        }) {
            wrong.push(format!("K{n} is left in the spool"));
        }
        if view.retiring || !["steady", "announced"].contains(&view.phase) {
            wrong.push(format!("phase {} ({:?}), retiring: {}", view.phase, view.parked, view.retiring));
        }
        let allowed = [Code::CandidateHeld];
        for incident in view.incidents.iter().chain(&process.fleet.open_incidents()) {
            if !allowed.contains(&incident.code) {
                wrong.push(format!("{} {} is open: {}", incident.code, incident.subject, incident.message));
            }
        }
        let queued: usize = process.fleet.channel_views().iter().map(|channel| channel.queued).sum();
        if queued > 0 {
            wrong.push(format!("{queued} notices wait"));
        }
        if let Some(unanswered) = self.asked.keys().next() {
            wrong.push(format!("{unanswered} was never answered"));
        }
        let spooled = self.world.host.spool.len();
        if spooled > 16 {
            wrong.push(format!("{spooled} keys in the spool"));
        }
        if !wrong.is_empty() {
            self.oracle.fail(format!("the end: {}", wrong.join("; ")));
        }
    }
}

/// The plan of one seed.
pub fn plan(chance: &mut Chance) -> Plan {
    Plan::draw(chance, HEAL)
}
