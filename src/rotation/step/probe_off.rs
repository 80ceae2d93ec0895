//! A probe that the vendor must refuse, because it would write something: once one was let through, none is sent any
//! more, for no credential that would be asked in the same way, and not of a random key either. A restart does not try
//! it again; a changed request does. Meanwhile nothing can be proven: keys wait for an operator's word.

use super::{Ctx, incidents::Seen};
use crate::domain::{Code, Severity, Timestamp};
use crate::rotation::{
    incident::Report,
    state::{Dirty, Rotation},
    state_document::ProbeOff,
    task::Task,
};

impl Rotation {
    /// Nobody may be asked.
    pub(in crate::rotation) fn is_probe_off(&self) -> bool {
        self.memory.probe_off.is_some()
    }
    pub(in crate::rotation) fn probe_off(&self) -> Option<&ProbeOff> {
        self.memory.probe_off.as_ref()
    }
    /// Since when nobody is asked.
    pub fn probe_off_since(&self) -> Option<Timestamp> {
        self.memory.probe_off.as_ref().map(|off| off.since)
    }

    /// A request that asked about a key of this credential was let through.
    pub(in crate::rotation) fn probe_wrote(&mut self, why: &str, now: Timestamp) {
        self.switch_probe_off(ProbeOff {
            probe: self.settings.probe.to_string(),
            since: now,
            by: self.settings.name.clone(),
            why: why.to_owned(),
        });
    }
    fn switch_probe_off(&mut self, off: ProbeOff) {
        if self.memory.probe_off.is_some() {
            return;
        }
        // What is known of the keys stays known after a restart: nobody can be asked again.
        let seen: Vec<_> =
            self.keys.iter().filter_map(|(key, facts)| Some((*key, facts.alive_at?))).collect();
        for (key, alive_at) in seen {
            self.note_key(key, |note| note.alive_at = Some(alive_at));
        }
        self.memory.probe_off = Some(off);
        self.dirty = Dirty::Now;
    }

    /// Takes over what another credential's probe has shown, and begins anew with a request that was changed.
    pub(super) fn advance_probe_off(&mut self, ctx: Ctx<'_>) {
        let changed = |off: &ProbeOff| *off.probe != *self.settings.probe;
        if self.memory.probe_off.as_ref().is_some_and(changed) {
            self.memory.probe_off = None;
            self.dirty = Dirty::Now;
            self.reconsider_held();
            self.probe_due = Some(ctx.now);
        }
        if let Some(off) = ctx.probe_off {
            self.switch_probe_off(off.clone());
        }
        if self.memory.probe_off.is_none() {
            return;
        }
        self.keys.values_mut().for_each(|facts| facts.probe = Task::IDLE);
        let known = self.known_fingerprints();
        for note in self.memory.notes.iter().filter(|note| known.contains(&note.fingerprint)) {
            let facts = self.keys.entry(note.fingerprint).or_default();
            if let Some(at) = note.alive_at.filter(|_| facts.verdict.is_none()) {
                facts.was_alive(at);
            }
        }
    }

    pub(super) fn report_probe_off(&mut self, ctx: Ctx<'_>) {
        let report = self.memory.probe_off.as_ref().map(|off| self.wrote_report(off));
        self.set(Code::ProbeWrote, ctx, Seen::when(self.documents.known, report));
    }
    fn wrote_report(&self, off: &ProbeOff) -> Report {
        let (vendor, name) = (&self.settings.vendor_title, &self.settings.vendor);
        let asked = match off.by == self.settings.name {
            true => String::new(),
            false => format!(", when it was asked for {}", off.by),
        };
        let message = format!(
            "{vendor} let a probe through that it must refuse{asked} ({}): it may have written something there",
            off.why
        );
        let hint = format!(
            "look in {vendor} for what this request may have made about {}, and delete it there:\n{}\n\
             correct vendors.{name}.probe in the configuration, so that nothing can be written, then:\n\
             keyrelay check\nsystemctl reload keyrelay",
            off.since.minutes(),
            off.probe,
        );
        Report::new(Code::ProbeWrote, Severity::Warning, message, hint)
            .breaks(format!(
                "whether a {vendor} key works cannot be seen: a dead one is not noticed, and new ones are held for \
                 your word"
            ))
            .doing(
                "no key is sent to the vendor any more, for none of its credentials, until the request is changed; \
                 consumers are served and tested on",
            )
    }
}
