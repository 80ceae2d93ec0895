//! The world answers an effect, as the shell and its adapters would, and shows the oracle what was done.

use super::{
    fault::Fault,
    life::{Answer, Sim},
    world::{at, key, number},
};
use crate::{
    domain::{
        ActionOutcome, ConsumerName, CopyState, DeliveryOutcome, Fingerprint, Instances, KeyRead,
        MailboxName, Notice, ProofLevel, ProofOutcome, StoreFacts,
    },
    rotation::{Action, Channel, Delivery, Effect, Event, Input, MailboxInput, NoticeFailure, Proof},
};

impl Sim {
    /// What comes back, and the keys that come with it.
    pub(super) fn perform(&mut self, effect: Effect) -> Option<Answer> {
        Some(match effect {
            Effect::Credential { name, action } => {
                let (input, keys) = self.act(action)?;
                Answer { event: Event::Credential { name, input }, keys }
            }
            Effect::ProbeControl { origin, .. } => {
                let answer = self.world.vendor.probe(9_999, &mut self.world.luck);
                Event::ControlFinished { origin, answer }.into()
            }
            Effect::CheckStore => {
                let trouble = super::world::Store::trouble(&mut self.world.luck);
                let time = Some(at(self.world.luck.t));
                let outcome = trouble.map_or(Ok(StoreFacts { time, ..StoreFacts::default() }), Err);
                Event::StoreChecked { outcome }.into()
            }
            Effect::Notify { channel, notice } => self.send(channel, &notice).into(),
            Effect::SaveAlerts(state) => {
                let full = self.world.luck.strikes(Fault::DiskFull);
                if !full {
                    let json = serde_json::to_string(&state).unwrap();
                    self.oracle.kept(&state, json.len());
                    self.world.host.alerts = Some(json);
                }
                let outcome = if full { Err("no space left on device".into()) } else { Ok(()) };
                Event::AlertsSaved { outcome }.into()
            }
            Effect::Beat => Event::BeatSent { outcome: Ok(()) }.into(),
            Effect::OpenMailbox { name } => return self.open_mailbox(name),
            Effect::LookAtMailbox { name, afresh } => return self.look_at_mailbox(name, afresh),
            Effect::TidyMail { name, attempt, .. } => {
                let outcome = Err("nothing is to be tidied here".into());
                Event::Credential { name, input: Input::MailTidied { attempt, outcome } }.into()
            }
            Effect::SaveToken { .. }
            | Effect::Call { .. }
            | Effect::Answer { .. }
            | Effect::Journal(_)
            | Effect::Record { .. } => {
                return None;
            }
        })
    }

    fn act(&mut self, action: Action) -> Option<(Input, Vec<u64>)> {
        let mut keys = Vec::new();
        let world = &mut self.world;
        let input = match action {
            Action::ReadDocuments { attempt, with_state } => {
                let (key, state) = world.store.read(with_state, &mut world.luck);
                if let KeyRead::Present(document) = &key {
                    self.oracle.read.insert(document.version);
                    keys.extend(document.current.map(number));
                    keys.extend(document.previous.map(|previous| number(previous.fingerprint)));
                }
                if let KeyRead::Deleted { version } = &key {
                    self.oracle.read.insert(*version);
                }
                Input::DocumentsRead { attempt, key, state }
            }
            Action::ProbeKey { attempt, fingerprint, .. } => {
                let answer = world.vendor.probe(number(fingerprint), &mut world.luck);
                Input::ProbeFinished { attempt, fingerprint, answer }
            }
            Action::StoreKey { attempt, cas, promotion } => {
                let before = world.store.current();
                let (done, outcome) = world.store.promote(cas, &promotion, &mut world.luck);
                if done {
                    self.oracle.promoted(&promotion, before, &self.world);
                }
                Input::KeyStored { attempt, outcome }
            }
            Action::RetireKey { attempt, cas } => {
                let previous = world.store.now().and_then(|document| document.previous);
                let (done, outcome) = world.store.retire(cas, &mut world.luck);
                if done {
                    self.oracle.read.insert(cas + 1);
                    previous.into_iter().for_each(|old| self.oracle.retired(old.fingerprint, &self.world));
                }
                Input::KeyRetired { attempt, outcome }
            }
            action => self.note(action)?,
        };
        Some((input, keys))
    }

    /// Notes: the state document, and the spool.
    fn note(&mut self, action: Action) -> Option<Input> {
        let world = &mut self.world;
        Some(match action {
            Action::SaveState { attempt, cas, document } => {
                let json = serde_json::to_string(&document).unwrap();
                let bytes = json.len();
                let (done, outcome) = world.store.save(cas, json, &mut world.luck);
                if done {
                    self.oracle.saved(&document, bytes, &self.world);
                }
                Input::StateSaved { attempt, outcome }
            }
            Action::SpoolKey { fingerprint, origin, dated, rotated_at, held } => {
                let full = world.luck.strikes(Fault::SpoolFull);
                if !full {
                    world.host.spool.insert(number(fingerprint), (origin, dated, rotated_at, held));
                }
                let outcome = if full { Err("no space left on device".into()) } else { Ok(()) };
                Input::Spooled { fingerprint, outcome }
            }
            Action::DropSpooled { fingerprint } => {
                world.host.spool.remove(&number(fingerprint));
                self.oracle.key_is_safe(&self.world);
                return None;
            }
            action => self.serve(action)?,
        })
    }

    /// The consumers.
    fn serve(&mut self, action: Action) -> Option<Input> {
        Some(match action {
            Action::CompareCopy { consumer, attempt, fingerprint } => {
                let outcome = self.compare(&consumer, fingerprint);
                Input::CopyCompared { consumer, attempt, outcome }
            }
            Action::Deliver { consumer, attempt, fingerprint } => {
                let outcome = self.deliver(&consumer, fingerprint);
                Input::Delivered { consumer, attempt, outcome }
            }
            Action::Act { consumer, attempt } => {
                let outcome = self.run_action(&consumer);
                Input::Acted { consumer, attempt, outcome }
            }
            Action::Prove { consumer, attempt, fingerprint } => {
                let outcome = self.prove(&consumer, fingerprint);
                Input::Proved { consumer, attempt, outcome }
            }
            Action::Rehearse { consumer, attempt } => {
                let outcome = match self.world.luck.strikes(Fault::NoRehearsal) {
                    true => DeliveryOutcome::Failed("the folder belongs to root".into()),
                    false => DeliveryOutcome::Done,
                };
                Input::Rehearsed { consumer, attempt, outcome }
            }
            action => {
                // This vendor rotates by itself.
                self.oracle.fail(format!("a call for a new key: {action:?}"));
                return None;
            }
        })
    }

    fn compare(&mut self, consumer: &ConsumerName, fingerprint: Fingerprint) -> CopyState {
        let running = &self.world.consumers[consumer];
        match running.copy {
            _ if running.policy.delivery != Delivery::Copy => CopyState::Unreadable,
            Some(copy) if copy == number(fingerprint) => {
                if running.policy.proof == Proof::ByDelivery {
                    self.oracle.proven(consumer, copy, ProofLevel::WorkingCopy);
                }
                CopyState::Same
            }
            Some(copy) => CopyState::Differs(Some(key(copy))),
            None => CopyState::Missing,
        }
    }
    fn deliver(&mut self, consumer: &ConsumerName, fingerprint: Fingerprint) -> DeliveryOutcome {
        if self.world.luck.strikes(Fault::DeliverFails) {
            return DeliveryOutcome::Failed("no space left on device".into());
        }
        let n = number(fingerprint);
        let Some(running) = self.world.consumers.get_mut(consumer) else {
            return DeliveryOutcome::Failed("there is no such consumer".into());
        };
        running.copy = Some(n);
        running.given = running.given.max(n);
        if !running.policy.acts {
            running.runs = Some(n);
        }
        if running.policy.proof == Proof::ByDelivery {
            self.oracle.proven(consumer, n, ProofLevel::WorkingCopy);
        }
        DeliveryOutcome::Done
    }
    fn run_action(&mut self, consumer: &ConsumerName) -> ActionOutcome {
        self.oracle.acted(consumer, &self.world);
        if self.world.luck.strikes(Fault::ActFails) {
            return ActionOutcome::Failed("exit status 1".into());
        }
        let lies = self.world.luck.strikes(Fault::ActLies);
        if let Some(running) = self.world.consumers.get_mut(consumer).filter(|_| !lies) {
            running.runs = running.copy;
        }
        ActionOutcome::Done
    }
    fn prove(&mut self, consumer: &ConsumerName, fingerprint: Fingerprint) -> ProofOutcome {
        if self.world.luck.strikes(Fault::Silent) {
            return ProofOutcome::Silent("nobody answers".into());
        }
        let (asked, stored, t) = (number(fingerprint), self.world.store.current(), self.world.luck.t);
        let Some(running) = self.world.consumers.get_mut(consumer) else {
            return ProofOutcome::Silent("there is no such consumer".into());
        };
        if running.policy.delivery == Delivery::None {
            running.runs = stored.or(running.runs);
        }
        match running.runs {
            Some(runs) if runs == asked => {
                self.oracle.proven(consumer, runs, ProofLevel::InUse);
                let instances = Instances { proven: 1, wanted: None };
                ProofOutcome::Proven { level: ProofLevel::InUse, instances, at: at(t), last_401_at: None }
            }
            Some(other) => {
                // It has shown with which one it works.
                self.oracle.proven(consumer, other, ProofLevel::InUse);
                ProofOutcome::OtherKey(key(other))
            }
            None => ProofOutcome::Silent("it has no key".into()),
        }
    }

    fn send(&mut self, channel: Channel, notice: &Notice) -> Event {
        let facts = crate::alert::render::Facts {
            host: "host",
            version: "0",
            from: "keyrelay@example.com",
            to: &["ops@example.com".to_owned()],
        };
        let mail = crate::alert::render::mail(notice, &facts);
        if mail.subject.contains('\n') || mail.body.trim().is_empty() || notice.hint.trim().is_empty() {
            self.oracle.fail(format!("a mail that says nothing: {mail:?}"));
        }
        let outcome = if self.world.luck.strikes(Fault::SmtpAway) {
            Err(NoticeFailure::Later("connection refused".into()))
        } else if self.world.luck.strikes(Fault::SmtpRefuses) {
            Err(NoticeFailure::Never("550 no".into()))
        } else {
            self.oracle.told(notice);
            Ok(())
        };
        Event::NoticeSent { channel, incident: notice.incident.clone(), step: notice.step, outcome }
    }

    fn open_mailbox(&mut self, name: MailboxName) -> Option<Answer> {
        let luck = &mut self.world.luck;
        let input = if luck.strikes(Fault::MailboxAway) {
            MailboxInput::Lost { why: "connection refused".into() }
        } else if luck.strikes(Fault::LoginRefused) {
            MailboxInput::Refused { why: "wrong password".into() }
        } else if luck.strikes(Fault::MailboxBusy) {
            MailboxInput::Busy { why: "too many connections".into() }
        } else {
            self.opened();
            return None;
        };
        Some(Event::Mailbox { name, input }.into())
    }
    fn look_at_mailbox(&mut self, name: MailboxName, afresh: bool) -> Option<Answer> {
        if !self.is_watching() {
            return None;
        }
        if self.world.luck.strikes(Fault::MailboxAway) {
            self.lost();
            let input = MailboxInput::Lost { why: "the server closed the connection".into() };
            return Some(Event::Mailbox { name, input }.into());
        }
        self.look(afresh, true);
        None
    }
}
