//! What is told to the core at a start, and again after a reload: what the spool holds, and what the schedules say of the
//! time before.

use super::{clock, perform, rotate_at, shell::Shell};
use crate::{
    domain::CredentialName,
    rotation::{Event, Input},
};

impl Shell {
    /// Keys that waited.
    pub(super) fn tell_of_spool(&mut self) {
        let (entries, unreadable) = self.tools.spool.entries();
        for entry in entries {
            let Some(profile) = self.tools.profile(&entry.credential) else {
                tracing::warn!(
                    "the spool holds a key of {}, which is not configured; it is kept",
                    entry.credential
                );
                continue;
            };
            let fingerprint = entry.key.fingerprint_without(&profile.key.prefix);
            self.tools.keyring.insert(&entry.credential, fingerprint, entry.key);
            let crate::spool::Note { origin, dated, rotated_at, held, .. } = entry.note;
            let input = Input::SpoolFound {
                fingerprint,
                origin,
                dated,
                rotated_at,
                held,
                rotation_id: clock::rotation_id(),
            };
            self.handle(Event::Credential { name: entry.credential, input });
        }
        self.tell_of_unreadable(unreadable);
    }
    fn tell_of_unreadable(&mut self, unreadable: Vec<String>) {
        let names: Vec<_> = self.fleet.credentials().map(|rotation| rotation.name().clone()).collect();
        for why in unreadable {
            tracing::error!("{why}");
            let owner =
                names.iter().find(|name| why.contains(&format!("/{name}."))).or(names.first()).cloned();
            let input = Input::SpoolUnreadable { why };
            owner.into_iter().for_each(|name| self.handle(Event::Credential { name, input: input.clone() }));
        }
    }

    /// Answers that nobody has read, or could read: by the profile as it is now.
    pub(super) fn tell_of_answers(&mut self) {
        let (answers, unreadable) = self.tools.spool.answers();
        let kept = answers.into_iter().map(|answer| (answer, Ok(())));
        let unkept = self.tools.unkept.all().into_iter();
        let unkept = unkept.map(|answer| (answer, Err("the spool has not taken it yet".to_owned())));
        for (answer, kept) in kept.chain(unkept).collect::<Vec<_>>() {
            let input = perform::read_answer(&self.tools, &answer, kept);
            self.handle(Event::Credential { name: answer.credential, input });
        }
        self.tell_of_unreadable(unreadable);
    }

    /// The last moment of each `rotate_at`: the core knows which are done with.
    pub fn tell_what_is_due(&mut self) {
        let names: Vec<_> = self.tools.config.credentials.keys().cloned().collect();
        names.into_iter().for_each(|name| self.rotation_due(name));
    }
    pub(super) fn rotation_due(&mut self, name: CredentialName) {
        let due = rotate_at::due(&self.tools.config, &name, &self.tools.host, clock::now());
        due.into_iter().for_each(|input| self.handle(Event::Credential { name: name.clone(), input }));
    }
}
