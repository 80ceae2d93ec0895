//! A new definition of this credential. Its consumers count at once, so that one can be mended or taken away while a
//! rotation waits for it; everything else waits until the rotation has settled.

use super::Ctx;
use crate::domain::Timestamp;
use crate::rotation::{consumer::ConsumerState, phase::Phase, settings::Credential, state::Rotation};
use std::sync::Arc;

impl Rotation {
    /// After every reload, whatever changed, the documents are read and the consumers compared.
    pub(in crate::rotation) fn reconfigure(&mut self, settings: Arc<Credential>, now: Timestamp) {
        self.take_consumers(&settings);
        // A request that is mended counts at once: a rotation may wait for it.
        if self.settings.probe != settings.probe {
            self.settings =
                Arc::new(Credential { probe: settings.probe.clone(), ..(*self.settings).clone() });
        }
        self.take_observe(&settings);
        self.next_settings = Some(settings).filter(|settings| **settings != *self.settings);
        self.documents.key_wanted = true;
        (self.due, self.next_due) = (None, None); // what the new schedule says is told next
        self.prove_due = Some(now);
    }

    fn take_consumers(&mut self, settings: &Credential) {
        self.consumers.retain(|name, _| settings.consumers.contains_key(name));
        for (name, policy) in &settings.consumers {
            let known =
                self.consumers.entry(name.clone()).or_insert_with(|| ConsumerState::new(policy.clone()));
            if known.policy != *policy {
                known.policy = policy.clone();
                known.restart();
            }
        }
        if self.settings.consumers != settings.consumers {
            let consumers = settings.consumers.clone();
            self.settings = Arc::new(Credential { consumers, ..(*self.settings).clone() });
        }
    }

    pub(super) fn take_new_settings(&mut self, ctx: Ctx<'_>) {
        let in_rotation = match self.phase() {
            Phase::Probing | Phase::Storing | Phase::HandingOver => true,
            Phase::Unseeded | Phase::Steady | Phase::Announced | Phase::Parked(_) => false,
        };
        let Some(settings) = self.next_settings.take_if(|_| !in_rotation) else { return };
        self.documents.state_wanted |= settings.path != self.settings.path;
        self.looked |= settings.mailbox.is_none();
        self.copies_left_out |= settings.hygiene != self.settings.hygiene;
        self.settings = settings;
        self.documents.key_wanted = true;
        self.reconsider_held();
        self.probe_due.get_or_insert(ctx.now);
    }
}
