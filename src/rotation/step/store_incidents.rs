//! Incidents about the documents in the store and about the spool. Outages are the fleet's: one for all credentials.

use super::{Ctx, incidents::Seen};
use crate::domain::{Code, Origin, Severity, StoreTrouble};
use crate::rotation::{
    candidate::Spool,
    incident::Report,
    state::{Call, Rotation},
};

impl Rotation {
    pub(super) fn report_store(&mut self, ctx: Ctx<'_>) {
        let known = self.documents.known;
        let (forbidden, refused) = (self.refused_by_store(true), self.refused_by_store(false));
        let foreign = match &self.documents.foreign {
            Some(_) if self.is_judging_foreign(ctx) => Seen::Unknown,
            Some(why) => Seen::So(self.foreign_report(why)),
            None => Seen::when(known, None),
        };
        let reverted = Seen::when(known, self.reverted_report(ctx));
        let deleted = Seen::when(known, self.deleted_report());
        let state = Seen::when(known, self.state_report());
        for (code, seen) in [
            (Code::StoreForbidden, Seen::when(true, forbidden)),
            (Code::StoreRefused, Seen::when(true, refused)),
            (Code::StoreForeign, foreign),
            (Code::StoreReverted, reverted),
            (Code::DocumentDeleted, deleted),
            (Code::StateRefused, state),
        ] {
            self.set(code, ctx, seen);
        }
    }

    /// The calls that the store forbids, or that it refuses for another reason.
    fn refused_by_store(&self, forbidden: bool) -> Option<Report> {
        let (path, name) = (&self.settings.path, &self.settings.name);
        let these = self.documents.refusals.iter().filter(|(_, trouble)| match trouble {
            StoreTrouble::Forbidden(_) => forbidden,
            StoreTrouble::Refused(_) => !forbidden,
            StoreTrouble::Unreachable(_)
            | StoreTrouble::Untrusted(_)
            | StoreTrouble::Sealed
            | StoreTrouble::LoggedOut(_) => false,
        });
        let texts: Vec<_> = these
            .map(|(call, trouble)| match call {
                Call::Read => format!("{name} cannot be read at {path}: {trouble}"),
                Call::StoreKey => format!("the new key of {name} cannot be written to {path}: {trouble}"),
                Call::SaveState => format!("keyrelay's notes about {name} cannot be written: {trouble}"),
                Call::RetireKey => format!("the old key of {name} cannot be removed from {path}: {trouble}"),
            })
            .collect();
        let message = texts.first()?.clone();
        let (code, hint) = match forbidden {
            true => (Code::StoreForbidden, "mend keyrelay's policy in the store; then nothing, or:"),
            false => (Code::StoreRefused, "mend what the store says; then nothing, or:"),
        };
        let report = Report::new(code, Severity::Urgent, message, format!("{hint}\nkeyrelay status {name}"))
            .breaks("a new key cannot be promoted or noted as long as it is so")
            .doing("it is tried again by itself; keys that arrive meanwhile are kept in the spool");
        Some(report)
    }

    fn foreign_report(&self, why: &str) -> Report {
        let (path, name) = (&self.settings.path, &self.settings.name);
        let held = self.candidates.iter().find(|known| known.origin == Origin::Store && known.held.is_some());
        let hint = match held.map(|candidate| self.label(candidate.fingerprint)) {
            Some(label) => format!(
                "if that key is right:\nkeyrelay accept {name} {label}\nelse:\nkeyrelay ingest {name}"
            ),
            None => format!("put the right key in:\nkeyrelay ingest {name}"),
        };
        Report::new(
            Code::StoreForeign,
            Severity::Warning,
            format!("somebody else wrote to {path}: {why}"),
            hint,
        )
        .breaks("consumers that read the store themselves get that value")
        .doing("nothing was overwritten, and nothing is handed to consumers meanwhile")
    }
    fn reverted_report(&self, ctx: Ctx<'_>) -> Option<Report> {
        self.documents.reverted?;
        let (path, name) = (&self.settings.path, &self.settings.name);
        let newer = self.current.as_ref().map(|current| self.label(current.fingerprint)).unwrap_or_default();
        let lost = self.documents.unheld.is_some();
        let where_it_is = match lost {
            true => "is in an older version of that document, and nowhere else",
            false => "is kept in the spool",
        };
        let message =
            format!("somebody put an earlier key back at {path}; the newer key {newer} {where_it_is}");
        let (hint, doing) = match lost {
            true => (
                format!(
                    "look for the version before:\nbao kv metadata get {path}\nthen put its key in:\nkeyrelay ingest {name}"
                ),
                "nobody is given the earlier key; keyrelay was not there, and cannot put the newer one back",
            ),
            false => (
                format!("keyrelay accept {name} {newer}"),
                "nobody is given the earlier key; the newer one is put back shortly before that end",
            ),
        };
        let report = Report::new(Code::StoreReverted, Severity::Warning, message, hint)
            .breaks("the earlier key dies at the end of its grace, and with it whoever reads the store")
            .doing(doing)
            .ladder(self.revert_ladder(ctx));
        Some(report)
    }
    fn deleted_report(&self) -> Option<Report> {
        let (path, name) = (&self.settings.path, &self.settings.name);
        let message = format!("the document at {path} was deleted in the store");
        let kept = self.candidates.iter().find(|candidate| candidate.origin == Origin::Former);
        let back = match kept.map(|candidate| self.label(candidate.fingerprint)) {
            Some(label) => format!("keyrelay accept {name} {label}"),
            None => format!("keyrelay ingest {name}"),
        };
        let report = Report::new(
            Code::DocumentDeleted,
            Severity::Urgent,
            message,
            format!("undelete it in the store, or:\n{back}"),
        )
        .breaks("consumers that read the store find nothing")
        .doing("nothing is handed to consumers meanwhile");
        self.documents.deleted.then_some(report)
    }
    fn state_report(&self) -> Option<Report> {
        let why = self.documents.state_refused.as_ref()?;
        let name = &self.settings.name;
        let message = format!("keyrelay's own notes about {name} cannot be read: {why}");
        let hint = format!("install the version of keyrelay that wrote them, then:\nkeyrelay status {name}");
        let report = Report::new(Code::StateRefused, Severity::Urgent, message, hint)
            .breaks("no new key is promoted")
            .doing("nothing is changed until then; keys that arrive are kept in the spool");
        Some(report)
    }

    pub(super) fn report_spool(&mut self, ctx: Ctx<'_>) {
        let name = &self.settings.name;
        let failed = self.candidates.iter().find_map(|candidate| candidate.spool_error.clone());
        let failed = failed.map(|why| {
            let message = format!("a key could not be written to the spool: {why}");
            let hint = "make room in the spool's folder; until this is resolved do not stop keyrelay and do not \
                        delete mails";
            Report::new(Code::SpoolFailed, Severity::Urgent, message, hint)
                .breaks(format!("if this process ends now, {name}'s new key may be lost"))
                .doing("it is tried again every few seconds")
        });
        let safe = self.candidates.iter().any(|candidate| {
            candidate.held.is_none()
                && candidate.would.is_none()
                && candidate.spool == Spool::Safe
                && candidate.origin != Origin::Store
        });
        let spooled = match self.spooled_report(ctx) {
            Some(report) => Seen::So(report),
            None if safe || !self.documents.known => Seen::Unknown,
            None => Seen::Over,
        };
        self.set(Code::SpoolFailed, ctx, Seen::when(true, failed));
        self.set(Code::KeySpooled, ctx, spooled);
    }
    fn spooled_report(&self, ctx: Ctx<'_>) -> Option<Report> {
        let candidate = self.best_candidate()?;
        let trouble = self.store_trouble()?;
        if candidate.spool != Spool::Safe || candidate.origin == Origin::Store {
            return None;
        }
        // A key that lives until it is revoked leaves the new one all the time it needs.
        let ladder = (!self.lives_until_revoked()).then(|| self.ladder_from(candidate.rotated_at, ctx));
        let urgent = ladder.is_some_and(|ladder| ladder.is_urgent(ctx.now, ctx.limits));
        let severity = if urgent { Severity::Urgent } else { Severity::Warning };
        let message =
            format!("the new key {} waits in the spool: {trouble}", self.label(candidate.fingerprint));
        let hint = format!(
            "bring the store back, then nothing:\nbao status\nkeyrelay status {}",
            self.settings.name
        );
        let report = Report::new(Code::KeySpooled, severity, message, hint)
            .breaks(self.old_key_dies(candidate.rotated_at))
            .doing("the key is safe on this machine, and goes into the store by itself")
            .ladder(ladder);
        Some(report)
    }
}
