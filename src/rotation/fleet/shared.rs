//! What belongs to no single credential: budgets, the negative control, mailboxes, clocks.

use super::Fleet;
use crate::domain::{CredentialName, ProbeAnswer, Timestamp};
use crate::rotation::{
    budget::Waiting,
    effect::{Action, Effect, Purpose, Reply},
    event::Ticket,
    state::Rotation,
    state_document::ProbeOff,
    step::Out,
    wish::CallAction,
};

impl Fleet {
    /// What one credential's step asks of the others and of the world.
    pub(super) fn collect(
        &mut self,
        name: &CredentialName,
        origin: &str,
        out: Out,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        // What a step tells is noted here before the store is told that the step is done.
        let (holds, mut saves) = (!out.notices.is_empty() || self.alerts_wait_for_disk(), Vec::new());
        for action in out.actions {
            match action {
                Action::SaveState { .. } if holds => {
                    saves.push(Effect::Credential { name: name.clone(), action })
                }
                Action::ProbeKey { attempt, fingerprint, purpose, fresh_connection } => {
                    let probe =
                        Waiting { name: name.clone(), attempt, fingerprint, purpose, fresh_connection };
                    self.meters.get_mut(origin).into_iter().for_each(|meter| meter.enqueue(probe.clone()));
                }
                action => {
                    if let (Action::Call(CallAction::CallRotation { .. }), Some(meter)) =
                        (&action, self.meters.get_mut(origin))
                    {
                        meter.count(Purpose::Candidate, now);
                    }
                    effects.push(Effect::Credential { name: name.clone(), action });
                }
            }
        }
        let may_ask = self.rotations.get(name).is_some_and(|rotation| !rotation.is_probe_off());
        if let Some(meter) = self.meters.get_mut(origin).filter(|_| out.control_wanted && may_ask) {
            meter.want_control(name);
        }
        let mailbox = self.rotations.get(name).and_then(|rotation| rotation.settings.mailbox.clone());
        if let (Some((attempt, mails)), Some(mailbox)) = (out.tidy, &mailbox) {
            let settled = self.rotations.get(name).map(|rotation| rotation.settings.hygiene.settled.clone());
            let (mailbox, name, settled) = (mailbox.clone(), name.clone(), settled.unwrap_or_default());
            effects.push(Effect::TidyMail { mailbox, name, attempt, mails, settled });
        }
        if let (Some(afresh), Some(mailbox)) = (out.look_again, mailbox) {
            effects.push(Effect::LookAtMailbox { name: mailbox, afresh });
        }
        effects.extend(out.replies.into_iter().map(|(ticket, reply)| Effect::Answer { ticket, reply }));
        let records = out
            .records
            .into_iter()
            .map(|record| Effect::Record { name: name.clone(), record: Box::new(record) });
        effects.extend(records);
        out.notices.into_iter().for_each(|notice| self.route(notice, effects));
        self.save_after_alerts(saves, effects);
        if let Some(time) = out.vendor_time {
            self.compare_clock(&format!("the vendor's at {origin}"), time, now);
        }
        match out.store {
            Some(Ok(())) => self.store_works(now, effects),
            Some(Err(trouble)) => self.store_fails(trouble, now),
            None => {}
        }
    }

    /// What is due here.
    pub(super) fn advance(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        let limits = self.settings.limits.clone();
        for (name, mailbox) in &mut self.mailboxes {
            if mailbox.opens(name, now, &limits) {
                effects.push(Effect::OpenMailbox { name: name.clone() });
            }
            if mailbox.saves(now) {
                effects.push(Effect::SaveToken { name: name.clone() });
            }
        }
        for (origin, meter) in &mut self.meters {
            let released = meter.release(now, &limits).into_iter();
            // A credential may have left the configuration while its probe waited, or may not be asked about any more.
            let rotations = &self.rotations;
            let wanted =
                |probe: &Waiting| rotations.get(&probe.name).is_some_and(|rotation| !rotation.is_probe_off());
            for probe in released.filter(wanted) {
                let Waiting { name, attempt, fingerprint, purpose, fresh_connection } = probe;
                let action = Action::ProbeKey { attempt, fingerprint, purpose, fresh_connection };
                effects.push(Effect::Credential { name, action });
            }
            if let Some(name) = meter.release_control(now, &limits) {
                effects.push(Effect::ProbeControl { origin: origin.clone(), name });
            }
        }
        self.check_store(now, effects);
        self.report_store(now);
        if !self.starting {
            self.tell(now, effects);
            self.beat(now, effects);
        }
        self.handled_at = now;
    }

    pub(super) fn own_deadlines(&self) -> impl Iterator<Item = Timestamp> {
        let limits = &self.settings.limits;
        let mailboxes = self.mailboxes.iter();
        let mailboxes =
            mailboxes.flat_map(|(name, mailbox)| mailbox.next_deadlines(name, self.handled_at, limits));
        let meters = self.meters.values();
        let meters =
            meters.flat_map(|meter| [meter.next_release_at(limits), meter.next_control_at(limits)]).flatten();
        mailboxes
            .chain(meters)
            .chain(self.outboxes.values().filter_map(|outbox| outbox.next_deadline(self.handled_at, limits)))
            .chain(self.alert_deadlines())
            .chain(self.next_store_check_at())
            .chain(self.next_ending_told_at())
            .chain(self.incidents.next_deadline(limits))
    }

    /// An operator's own call goes at once or is put off: who waits, and how long, is the operator's business.
    pub(super) fn call_asked(
        &mut self,
        name: &CredentialName,
        weight: u32,
        ticket: Ticket,
        now: Timestamp,
    ) -> Effect {
        let origin = self.rotations.get(name).map(|rotation| &rotation.settings.origin);
        let meter = origin.and_then(|origin| self.meters.get_mut(origin));
        match meter.map(|meter| meter.call(weight, now, &self.settings.limits)) {
            Some(Ok(())) => Effect::Call { ticket },
            Some(Err(at)) => Effect::Answer { ticket, reply: Reply::Later { at } },
            None => {
                let why = format!("{name} is no longer configured");
                Effect::Answer { ticket, reply: Reply::Refused { why } }
            }
        }
    }

    pub(super) fn control_finished(
        &mut self,
        origin: &str,
        answer: ProbeAnswer,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let Some(meter) = self.meters.get_mut(origin) else { return };
        meter.control_finished(answer.verdict, now);
        let here = self.rotations.iter_mut().filter(|(_, rotation)| rotation.settings.origin == origin);
        let mut names: Vec<CredentialName> = Vec::new();
        for (name, rotation) in here {
            if answer.wrote && names.is_empty() {
                rotation.probe_wrote(&answer.why, now);
            }
            names.push(name.clone());
        }
        names.iter().for_each(|name| self.step(name, None, now, effects));
    }

    /// Every credential that would be asked in the same way stops at once, and so does the random key.
    pub(super) fn switch_probe_off(&mut self, off: ProbeOff, now: Timestamp, effects: &mut Vec<Effect>) {
        let asks_so = |rotation: &&Rotation| *rotation.settings.probe == *off.probe;
        let names: Vec<_> =
            self.credentials().filter(asks_so).map(|rotation| rotation.name().clone()).collect();
        self.probes_off.insert(off.probe.clone(), off);
        for name in names {
            let origin = self.rotations.get(&name).map(|rotation| rotation.settings.origin.clone());
            let meter = origin.and_then(|origin| self.meters.get_mut(&origin));
            meter.into_iter().for_each(|meter| meter.forget_control());
            self.step(&name, None, now, effects);
        }
    }
}
