//! What an operator must hear: read off the state, over and over. Raising what is raised already tells nothing, and
//! what cannot be seen yet (after a restart) neither begins nor ends an incident.

use super::{Ctx, Out};
use crate::domain::{Code, Origin, Severity, Timestamp, Verdict};
use crate::rotation::{
    candidate::Candidate,
    incident::{Ladder, Report},
    state::Rotation,
};

/// Whether the thing is so.
pub(super) enum Seen {
    So(Report),
    Over,
    /// Nobody knows yet, or it is neither: an open incident stays open.
    Unknown,
}

impl Seen {
    /// So or over, but for what the store has not said yet.
    pub(super) fn when(known: bool, report: Option<Report>) -> Self {
        match report {
            Some(report) => Seen::So(report),
            None if known => Seen::Over,
            None => Seen::Unknown,
        }
    }
}

impl Rotation {
    /// Whether something is late is judged by a moment that others' clocks have reached as well.
    pub(super) fn advance_incidents(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let ctx = Ctx { now: ctx.passed, ..ctx };
        if self.documents.known {
            self.incidents.everything_is_seen();
        }
        self.report_current_key(ctx, out);
        self.report_expectation(ctx);
        self.report_expiry(ctx);
        self.report_due(ctx);
        self.report_old_key(ctx);
        self.report_revoking(ctx);
        self.report_probe_off(ctx);
        self.report_held(ctx);
        let back = Seen::when(self.documents.known, self.rolled_back_report(ctx));
        self.set(Code::RolledBack, ctx, back);
        let observed = Seen::when(!self.may_be_observed(), self.observed_report(ctx));
        self.set(Code::RotationObserved, ctx, observed);
        self.report_candidate(ctx);
        self.report_store(ctx);
        self.report_spool(ctx);
        self.report_wish(ctx);
        self.report_consumers(ctx);
        self.incidents.climb(ctx.now, ctx.limits);
        self.incidents.expire(Code::MailSuspicious, ctx.now, ctx.limits.control_every);
    }

    pub(super) fn set(&mut self, code: Code, ctx: Ctx<'_>, seen: Seen) {
        match seen {
            Seen::So(report) => self.incidents.raise(ctx.now, report),
            Seen::Over => self.incidents.clear(code, ""),
            Seen::Unknown => {}
        }
    }

    /// The hand-over time of a key that became the vendor's current one at `from`.
    pub(super) fn ladder_from(&self, from: Timestamp, ctx: Ctx<'_>) -> Ladder {
        let whole = self.settings.hand_over();
        Ladder { from, until: from + whole - ctx.limits.margin(whole) }
    }

    fn report_held(&mut self, ctx: Ctx<'_>) {
        let name = self.settings.name.clone();
        let key_dead = self.current_facts().is_some_and(|facts| facts.is_dead(ctx.limits));
        let severity = if key_dead { Severity::Urgent } else { Severity::Warning };
        let mut waiting: Vec<_> = self.candidates.iter().map(|known| self.label(known.fingerprint)).collect();
        for candidate in self.candidates.clone() {
            let told_elsewhere = self.is_told_with_the_store(&candidate);
            // Of one from the spool an earlier process may have told: its notes say so.
            let noted = self.documents.known || !candidate.from_spool;
            if let Some(why) = candidate.held.as_ref().filter(|_| !told_elsewhere && noted) {
                let label = self.label(candidate.fingerprint);
                let message = format!("the key {label} from {} is held: {why}", candidate.origin);
                let hint = format!("keyrelay status {name}\nkeyrelay accept {name} {label}");
                let report = Report::new(Code::CandidateHeld, severity, message, hint).about(&label).doing(
                    "nothing was changed; the key is kept until you let it in, or a newer one is promoted",
                );
                self.incidents.raise(ctx.now, report);
            }
        }
        if self.candidates.len() >= ctx.limits.candidates {
            waiting.push("more".into());
        }
        self.incidents.clear_others(Code::CandidateHeld, &waiting);
    }
    /// The incident about the store's document names this key already.
    fn is_told_with_the_store(&self, candidate: &Candidate) -> bool {
        match candidate.origin {
            Origin::Store => self.documents.foreign.is_some(),
            Origin::Former => {
                let newer = self.rolled_back().is_some_and(|note| note.from == candidate.fingerprint);
                newer || self.documents.reverted.is_some() || self.documents.deleted
            }
            Origin::Mail(_) | Origin::Ingest { .. } | Origin::Rollback { .. } | Origin::Api { .. } => false,
        }
    }

    /// The newest key, on its way.
    fn report_candidate(&mut self, ctx: Ctx<'_>) {
        let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
        let best = self.best_candidate();
        let dead_for_long = best.and_then(|candidate| {
            let since = candidate.dead_since?;
            (ctx.now.since(since) >= ctx.limits.wrong_key_after).then_some((candidate, since))
        });
        let alive = best
            .and_then(|candidate| self.facts(candidate.fingerprint))
            .is_some_and(|facts| facts.is_alive(ctx.now, ctx.limits.verdict_fresh));
        let dead = match dead_for_long {
            Some((candidate, since)) => {
                let label = self.label(candidate.fingerprint);
                let message = format!(
                    "the new key {label} was received, and {vendor} refuses it since {}",
                    since.minutes()
                );
                let hint = format!(
                    "{}\ncompare it; the right key goes in with:\nkeyrelay ingest {name}",
                    self.settings.dashboard
                );
                let ladder = self.ladder_from(candidate.rotated_at, ctx);
                let urgent = ladder.is_urgent(ctx.now, ctx.limits);
                let severity = if urgent { Severity::Urgent } else { Severity::Warning };
                let report = Report::new(Code::CandidateDead, severity, message, hint)
                    .breaks(self.old_key_dies(candidate.rotated_at))
                    .doing("it is tried again and again; the current key stays in use")
                    .ladder(Some(ladder));
                Seen::So(report)
            }
            None if best.is_none() || alive => Seen::Over,
            None => Seen::Unknown,
        };
        let blind = match ctx.control {
            Some((Verdict::Alive, _)) if best.is_some() => {
                let message = format!("{vendor} calls a random key alive, so its answers prove nothing");
                let hint = format!("look at {vendor}'s status page\nkeyrelay status {name}");
                let report = Report::new(Code::ProbeBlind, Severity::Urgent, message, hint)
                    .breaks("no new key can be proven, and none is promoted")
                    .doing("a random key is tried again every few minutes, and the new key is kept");
                Seen::So(report)
            }
            Some((Verdict::Alive, _)) => Seen::Over,
            Some((Verdict::Dead | Verdict::Unclear, _)) => Seen::Over,
            None => Seen::Unknown,
        };
        self.set(Code::CandidateDead, ctx, dead);
        self.set(Code::ProbeBlind, ctx, blind);
    }

    pub(super) fn next_incident_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let unclear = self
            .current_facts()
            .and_then(|facts| Some(facts.unclear_since()? + ctx.limits.unclear_told_after));
        let dead = self
            .best_candidate()
            .and_then(|candidate| Some(candidate.dead_since? + ctx.limits.wrong_key_after));
        let given_up = self.best_candidate().and_then(|candidate| {
            candidate.dead_since.map(|_| self.ladder_from(candidate.rotated_at, ctx).until)
        });
        let foreign = self
            .best_candidate()
            .filter(|candidate| candidate.origin == Origin::Store)
            .map(|candidate| candidate.received_at + ctx.limits.unclear_told_after);
        unclear
            .into_iter()
            .chain(foreign)
            .chain(self.next_observed_at(ctx))
            .chain(self.next_expiry_at(ctx))
            .chain(self.next_due_at(ctx))
            .chain(self.next_revocation_at(ctx))
            .chain(dead)
            .chain(given_up)
            .chain(self.consumer_moments(ctx))
            .chain(self.incidents.next_deadline(ctx.limits))
            .filter(|at| *at > ctx.now)
            .min()
    }
}
