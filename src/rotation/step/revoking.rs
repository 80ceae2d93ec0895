//! An old key that works until an operator revokes it: when every consumer works with the new one its operators are
//! told so, with both keys as the dashboard shows them, and it is asked until it is dead. Before that nobody is told to.

use super::{
    Ctx,
    by_hand::{REMINDED_EVERY, numbered},
    incidents::Seen,
};
use crate::domain::{Code, Fingerprint, ProofLevel, Severity, Timestamp};
use crate::rotation::{
    incident::Report,
    state::{Dirty, Rotation},
    state_document::ToRevoke,
};

impl Rotation {
    /// The old key, once the hand-over is complete and while it is not shown to be dead.
    fn to_be_revoked(&self) -> Option<Fingerprint> {
        let waits = self.lives_until_revoked() && !self.settings.observe && self.is_retiring();
        let old = self.previous().filter(|_| waits)?.fingerprint;
        (self.memory.retiring != Some(old)).then_some(old)
    }
    /// Why it would break something now.
    fn must_not_be_revoked(&self, ctx: Ctx<'_>) -> Option<String> {
        let current = self.current.as_ref()?.fingerprint;
        let vendor = &self.settings.vendor_title;
        let good = |name| {
            let state = self.consumers.get(name);
            state.is_none_or(|state| state.is_good(current) && !state.is_in_doubt())
        };
        let behind: Vec<_> =
            self.consumers.keys().filter(|name| !good(name)).map(ToString::to_string).collect();
        let facts = self.current_facts();
        if facts.is_some_and(|facts| facts.looks_dead()) {
            return Some(format!("{vendor} refuses the new one"));
        }
        if !behind.is_empty() {
            return Some(format!("{} must be shown to work with the new one first", behind.join(", ")));
        }
        let alive = facts.is_some_and(|facts| facts.is_alive(ctx.now, 2 * ctx.probe_period));
        (!alive && self.memory.probe_off.is_none())
            .then(|| format!("{vendor} does not say whether the new one works"))
    }

    /// The time for it begins when it may be done.
    pub(super) fn advance_revoking(&mut self, ctx: Ctx<'_>) {
        let noted = self.memory.to_revoke;
        let old = self.to_be_revoked();
        let begins = old.filter(|old| noted.is_none_or(|noted| noted.fingerprint != *old));
        if let Some(fingerprint) = begins.filter(|_| self.must_not_be_revoked(ctx).is_none()) {
            self.memory.to_revoke = Some(ToRevoke { fingerprint, since: ctx.now });
            self.dirty = self.dirty.max(Dirty::WhenCalm);
        }
        if noted.is_some() && self.documents.known && self.previous().is_none() {
            self.memory.to_revoke = None;
            self.dirty = self.dirty.max(Dirty::WhenCalm);
        }
    }
    /// Until when it is to be done.
    fn revoked_by(&self) -> Option<Timestamp> {
        let old = self.to_be_revoked()?;
        let noted = self.memory.to_revoke.filter(|noted| noted.fingerprint == old)?;
        Some(noted.since + self.settings.revoke_within)
    }
    pub(super) fn next_revocation_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        self.revoked_by().filter(|at| *at > ctx.now)
    }

    pub(super) fn report_revoking(&mut self, ctx: Ctx<'_>) {
        let seen = match (self.to_be_revoked(), self.revoked_by()) {
            (None, _) if !self.documents.known && self.incidents.is_open(Code::RevokeOldKey, "") => {
                Seen::So(self.not_yet_report(None, "the store was not read yet since keyrelay was started"))
            }
            (None, _) => Seen::when(self.documents.known, None),
            (Some(_), None) => Seen::Unknown,
            (Some(old), Some(until)) => match self.must_not_be_revoked(ctx) {
                // An open one must not go on to say the opposite.
                Some(why) if self.incidents.is_open(Code::RevokeOldKey, "") => {
                    Seen::So(self.not_yet_report(Some(old), &why))
                }
                Some(_) => Seen::Unknown,
                None => Seen::So(self.revoke_report(old, until, ctx)),
            },
        };
        self.set(Code::RevokeOldKey, ctx, seen);
    }
    fn revoke_report(&self, old: Fingerprint, until: Timestamp, ctx: Ctx<'_>) -> Report {
        let vendor = &self.settings.vendor_title;
        let over = until <= ctx.now;
        let shown = self.dashboard_label(old).map(|label| format!(" {label}")).unwrap_or_default();
        let message = match over {
            false => {
                format!("every consumer works with the new key: now revoke the old key{shown} at {vendor}")
            }
            true => format!(
                "the old key{shown} still works at {vendor}, and was to be revoked by {}",
                until.minutes()
            ),
        };
        let severity = if over { Severity::Warning } else { Severity::Info };
        let every = if over { REMINDED_EVERY } else { self.settings.revoke_within };
        let hint = format!(
            "{}{}\nwhether it is seen to be dead:\nkeyrelay status {}",
            numbered(&self.settings.revoke_steps),
            self.which_is_which(old),
            self.settings.name
        );
        let unseen = match self.memory.probe_off {
            Some(_) => "keyrelay cannot see when it is dead: the vendor's probe is switched off",
            None => "the old key is asked again and again, and removed from the store when it is dead",
        };
        Report::new(Code::RevokeOldKey, severity, message, hint)
            .breaks(self.revoking_breaks())
            .doing(unseen)
            .every(Some(every))
    }
    fn not_yet_report(&self, old: Option<Fingerprint>, why: &str) -> Report {
        let (vendor, name) = (&self.settings.vendor_title, &self.settings.name);
        let label = old.and_then(|old| self.dashboard_label(old));
        let shown = label.map(|label| format!(" {label}")).unwrap_or_default();
        let message = format!("do not revoke the old key{shown} at {vendor} yet: {why}");
        Report::new(Code::RevokeOldKey, Severity::Info, message, format!("keyrelay status {name}"))
            .breaks("whoever still needs the old key is refused as soon as it is revoked")
            .doing("you are told again when every consumer works with the new key")
    }
    /// So that nobody revokes the new one.
    fn which_is_which(&self, old: Fingerprint) -> String {
        let current = self.current.as_ref();
        let new = current.map(|current| current.fingerprint);
        let made = current.map(|current| current.dated().minutes()).unwrap_or_default();
        match (self.dashboard_label(old), new.and_then(|new| self.dashboard_label(new))) {
            (Some(old), Some(new)) if old == new => {
                format!("both keys are shown as {old}: revoke the older one, not the one made about {made}")
            }
            (Some(old), Some(new)) => {
                format!("revoke {old}; do not revoke {new}, made about {made}: it is in use")
            }
            (Some(old), None) => format!("revoke {old}, not the key made about {made}: that is in use"),
            (None, Some(new)) => format!("revoke the older key; do not revoke {new}: it is in use"),
            (None, None) => {
                format!("revoke the older key; do not revoke the one made about {made}: it is in use")
            }
        }
    }
    /// Consumers that were let go by without a test of their own.
    fn revoking_breaks(&self) -> String {
        let current = self.current.as_ref().map(|current| current.fingerprint);
        let tested = |state: &&crate::rotation::consumer::ConsumerState| {
            current.is_some_and(|key| state.level(key) >= ProofLevel::Loaded)
        };
        let untested = self.consumers.iter().filter(|(_, state)| !tested(state));
        let untested: Vec<_> = untested.map(|(name, _)| name.to_string()).collect();
        match untested.is_empty() {
            true => "until then whoever has the old key can use it".to_owned(),
            false => format!(
                "until then whoever has the old key can use it; not seen to use the new key from here, so look first: {}",
                untested.join(", ")
            ),
        }
    }
}
