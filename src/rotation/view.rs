//! What others may see of the core: plain values, for the status and for the shell's own look-ups.

use super::{
    fleet::Fleet,
    incident::Incident,
    outbox::{Channel, Outbox},
    phase::Parked,
    settings::Proof,
    state::Rotation,
};
use crate::domain::{
    ConsumerName, CredentialName, Fingerprint, Instances, Limits, MailId, MailboxName, OriginKind,
    ProofLevel, RotationId, StoreTrouble, Timestamp, VendorName, Verdict,
};
use std::collections::BTreeSet;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreView {
    pub reachable: bool,
    pub since: Option<Timestamp>,
    /// When it last answered.
    pub last_ok_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxView {
    pub name: MailboxName,
    pub last_ok_at: Option<Timestamp>,
    pub last_notice_at: Option<Timestamp>,
    /// It works now.
    pub ok: bool,
}

/// One way out for notices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelView {
    pub channel: Channel,
    pub last_sent_at: Option<Timestamp>,
    pub queued: usize,
    /// Nothing was refused, and the last try went well.
    pub ok: bool,
}

/// One credential, as status shows it. Fingerprints are labels: a weak one is its generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialView {
    pub name: CredentialName,
    pub vendor: VendorName,
    pub phase: &'static str,
    pub parked: Option<Parked>,
    pub retiring: bool,
    /// Nothing of it is changed.
    pub observing: bool,
    pub fingerprint: Option<String>,
    pub generation: u64,
    pub rotation_id: Option<RotationId>,
    pub rotated_at: Option<Timestamp>,
    pub grace_until: Option<Timestamp>,
    pub next_rotation_expected_at: Option<Timestamp>,
    /// When the current key ends, as far as anybody has said.
    pub expires_at: Option<Timestamp>,
    /// Since when its vendor is not asked any more, because the probe may have written something.
    pub probe_off_since: Option<Timestamp>,
    /// When the vendor warned of the rotation that is to come.
    pub announced_at: Option<Timestamp>,
    /// Since when the vendor's API is asked for a new key, and what came of it is open.
    pub rotation_asked_at: Option<Timestamp>,
    /// Until when every consumer must have come to the new key; `None` where no rotation is under way.
    pub deadline_at: Option<Timestamp>,
    /// The newest evidence of a rotation: a warning, a confirmation, a paste, a 401.
    pub last_signal_at: Option<Timestamp>,
    pub account: Vec<String>,
    pub last_probe: Option<(Verdict, Timestamp)>,
    pub held: Vec<HeldView>,
    pub consumers: Vec<ConsumerView>,
    pub incidents: Vec<Incident>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldView {
    pub fingerprint: String,
    pub from: OriginKind,
    /// Where it came from, in words.
    pub origin: String,
    pub why: String,
    /// What the vendor says of it, if it was asked.
    pub verdict: Option<(Verdict, Timestamp)>,
    pub account: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerView {
    pub name: ConsumerName,
    /// The key it was last proven with.
    pub fingerprint: Option<String>,
    pub proof: ProofLevel,
    pub instances: Instances,
    pub wanted: ProofLevel,
    pub at: Option<Timestamp>,
    /// Since when it has been shown to work with that key.
    pub since: Option<Timestamp>,
    pub stale: bool,
    pub error: Option<String>,
    pub next_try_at: Option<Timestamp>,
    pub elsewhere: bool,
}

impl Fleet {
    pub fn credentials(&self) -> impl Iterator<Item = &Rotation> {
        self.rotations.values().map(Box::as_ref)
    }
    pub fn credential(&self, name: &CredentialName) -> Option<&Rotation> {
        self.rotations.get(name).map(Box::as_ref)
    }
    pub fn view(&self, rotation: &Rotation, now: Timestamp) -> CredentialView {
        rotation.view(now, self)
    }
    pub fn store_view(&self) -> StoreView {
        let store = &self.store;
        StoreView { reachable: store.reachable, since: store.since, last_ok_at: store.last_ok_at }
    }
    /// Why the store cannot be used, as last seen.
    pub fn store_trouble(&self) -> Option<&StoreTrouble> {
        self.store.trouble.as_ref()
    }
    pub fn mailbox_views(&self) -> Vec<MailboxView> {
        let view = |(name, mailbox): (&MailboxName, &super::mailboxes::Mailbox)| MailboxView {
            name: name.clone(),
            last_ok_at: mailbox.last_ok_at,
            last_notice_at: mailbox.last_notice_at,
            // One that is being opened again does not work yet.
            ok: mailbox.open && mailbox.last_ok_at.is_some() && mailbox.connection.failures() == 0,
        };
        self.mailboxes.iter().map(view).collect()
    }
    pub fn open_incidents(&self) -> Vec<Incident> {
        self.incidents.to_vec()
    }
    /// The ways out that are configured.
    pub fn channel_views(&self) -> Vec<ChannelView> {
        let view = |(channel, outbox): (&Channel, &Outbox)| ChannelView {
            channel: *channel,
            last_sent_at: outbox.last_sent_at(),
            queued: outbox.queued(),
            ok: outbox.works(),
        };
        self.outboxes.iter().map(view).collect()
    }
    /// The sign of life, where somebody listens for it: whether it may be given now, and when it last was.
    pub fn heartbeat_view(&self, now: Timestamp) -> Option<(bool, Option<Timestamp>)> {
        self.heartbeat.is_wanted().then(|| (self.is_well(now), self.heartbeat.last_ok_at))
    }
    pub fn alerts_work(&self) -> bool {
        self.outboxes.values().all(Outbox::works)
    }
    /// Whether the shell must keep this key's value.
    pub fn needs_key(&self, name: &CredentialName, fingerprint: Fingerprint, now: Timestamp) -> bool {
        self.rotations.get(name).is_some_and(|rotation| rotation.needs_key(fingerprint, now))
    }
}

impl Rotation {
    pub fn name(&self) -> &CredentialName {
        &self.settings.name
    }
    /// An old key is needed while the document has it, while it lives, and while a consumer works with it.
    fn needs_key(&self, fingerprint: Fingerprint, now: Timestamp) -> bool {
        let mut formers = self.memory.formers.iter().filter(|former| former.fingerprint == fingerprint);
        let Some(former) = formers.next() else { return self.known_fingerprints().contains(&fingerprint) };
        let lives = former.until.is_some_and(|until| now < until);
        let kept = [self.current_fingerprint(), self.previous().map(|former| former.fingerprint)];
        let waits = self.candidates.iter().any(|candidate| candidate.fingerprint == fingerprint);
        lives || waits || kept.contains(&Some(fingerprint)) || self.is_used(fingerprint)
    }
    fn is_used(&self, fingerprint: Fingerprint) -> bool {
        self.consumers.values().any(|consumer| {
            let shown = consumer.shown.as_ref().map(|shown| shown.fingerprint);
            [shown, consumer.other_key].contains(&Some(fingerprint))
        })
    }
    /// Its documents were read, and the vendor was asked about the current key.
    pub fn is_known(&self) -> bool {
        let asked = self.current_facts().is_some_and(|facts| facts.verdict.is_some());
        self.documents.known && (self.current.is_none() || asked)
    }
    pub fn mailbox(&self) -> Option<&MailboxName> {
        self.settings.mailbox.as_ref()
    }
    pub fn current_fingerprint(&self) -> Option<Fingerprint> {
        self.current.as_ref().map(|current| current.fingerprint)
    }
    /// What recognition must know: keys that are known, and mails that are done. A key that is held for its mail is
    /// not known: a better mail may bring it.
    pub fn recognition(&self) -> (BTreeSet<Fingerprint>, BTreeSet<MailId>) {
        let mut known = self.known_fingerprints();
        let held = self.candidates.iter().filter(|candidate| candidate.waits_for_better_mail());
        held.for_each(|candidate| _ = known.remove(&candidate.fingerprint));
        (known, self.done_mails())
    }

    fn view(&self, now: Timestamp, fleet: &Fleet) -> CredentialView {
        let phase = self.phase();
        let parked = match phase {
            super::Phase::Parked(reason) => Some(reason),
            super::Phase::Unseeded
            | super::Phase::Steady
            | super::Phase::Announced
            | super::Phase::Probing
            | super::Phase::Storing
            | super::Phase::HandingOver => None,
        };
        let account = self.memory.account.as_ref().map(|account| account.0.iter().cloned().collect());
        CredentialView {
            name: self.settings.name.clone(),
            vendor: self.settings.vendor.clone(),
            phase: phase.as_str(),
            parked,
            retiring: self.is_retiring(),
            observing: self.settings.observe,
            fingerprint: self.current_fingerprint().map(|key| self.label(key)),
            generation: self.generation(),
            rotation_id: self.documents.key.as_ref().and_then(|document| document.rotation_id),
            rotated_at: self.current.as_ref().and_then(|current| current.rotated_at),
            grace_until: self.previous().and_then(|previous| previous.until),
            next_rotation_expected_at: self.expected_at(),
            expires_at: self.expires_at(),
            probe_off_since: self.probe_off_since(),
            announced_at: self.memory.announced.as_ref().map(|announced| announced.dated),
            rotation_asked_at: self.memory.wish.as_ref().map(|wish| wish.at),
            deadline_at: self.deadline_at(&fleet.settings.limits),
            last_signal_at: self.last_signal_at(),
            account: account.unwrap_or_default(),
            last_probe: self.current_facts().and_then(|facts| facts.verdict),
            held: self.held_views(),
            consumers: self.consumer_views(now, fleet),
            incidents: self.incidents.to_vec(),
        }
    }

    /// Of the hand-over under way, or of the one that waits for the store or the vendor.
    fn deadline_at(&self, limits: &Limits) -> Option<Timestamp> {
        let candidate = || {
            let (from, whole) = (self.best_candidate()?.rotated_at, self.settings.hand_over());
            Some(from + whole - limits.margin(whole))
        };
        self.hand_over_ladder(limits).map(|ladder| ladder.until).or_else(candidate)
    }
    fn last_signal_at(&self) -> Option<Timestamp> {
        let announced = self.memory.announced.as_ref().map(|announced| announced.dated);
        let rotated = self.current.as_ref().and_then(|current| current.rotated_at);
        let candidates = self.candidates.iter().map(|candidate| candidate.dated).max();
        [announced, rotated, candidates, self.hints.last_at].into_iter().flatten().max()
    }

    fn held_views(&self) -> Vec<HeldView> {
        let held = self.candidates.iter().filter_map(|candidate| Some((candidate, candidate.held.clone()?)));
        let view = held.map(|(candidate, why)| {
            let facts = self.facts(candidate.fingerprint);
            let account = facts.and_then(|facts| facts.account.as_ref());
            HeldView {
                fingerprint: self.label(candidate.fingerprint),
                from: if candidate.from_spool { OriginKind::Spool } else { candidate.origin.kind() },
                origin: candidate.origin.to_string(),
                why,
                verdict: facts.and_then(|facts| facts.verdict),
                account: account.map(|account| account.0.iter().cloned().collect()).unwrap_or_default(),
            }
        });
        view.collect()
    }

    fn consumer_views(&self, now: Timestamp, fleet: &Fleet) -> Vec<ConsumerView> {
        let current = self.current_fingerprint();
        let alive_at = self.current_facts().and_then(|facts| facts.alive_at);
        let views = self.consumers.iter().map(|(name, state)| {
            let level = current.map_or(ProofLevel::Unproven, |key| state.level(key));
            let shown = state.shown.as_ref();
            let age = shown.map(|shown| now.since(shown.at));
            let too_old = match state.policy.proof {
                Proof::Report { within } => age > Some(within),
                Proof::Asked | Proof::ByDelivery => age > Some(2 * fleet.settings.prove_period),
            };
            // A copy is only as good as the key in it.
            let key_unproven = level == ProofLevel::WorkingCopy
                && alive_at.is_none_or(|at| now.since(at) > 2 * fleet.probe_period(&self.settings.origin));
            ConsumerView {
                name: name.clone(),
                fingerprint: shown.map(|shown| self.label(shown.fingerprint)),
                proof: level,
                instances: shown.map(|shown| shown.instances).unwrap_or_default(),
                wanted: state.policy.wanted,
                at: shown.map(|shown| shown.at),
                since: shown.map(|shown| shown.since),
                stale: level > ProofLevel::Unproven && (too_old || key_unproven),
                error: state.error.clone().filter(|_| !state.policy.elsewhere),
                next_try_at: state.task.waits_until().filter(|_| state.error.is_some()),
                elsewhere: state.policy.elsewhere,
            }
        });
        views.collect()
    }
}
