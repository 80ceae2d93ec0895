//! Incidents about the keys at the vendor: the current one, the one before, and the one that has not come.

use super::{Ctx, Out, incidents::Seen};
use crate::domain::{Code, RotatedBy, Severity, Timestamp, Verdict, spell_duration};
use crate::rotation::{incident::Report, keys::KeyFacts, state::Rotation, state_document::Former};

impl Rotation {
    pub(super) fn report_current_key(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let (dead, unclear, unseeded) = (self.key_dead(ctx), self.key_unclear(ctx), self.unseeded());
        if matches!(dead, Seen::So(_)) && !self.incidents.is_open(Code::KeyDead, "") {
            out.look_again = Some(true);
        }
        self.set(Code::KeyDead, ctx, dead);
        self.set(Code::KeyUnclear, ctx, unclear);
        self.set(Code::Unseeded, ctx, unseeded);
    }

    /// A new key is being proven or promoted right now.
    pub(super) fn is_coming(&self) -> bool {
        self.pending.is_some()
            || self.best_candidate().is_some_and(|candidate| candidate.dead_since.is_none())
    }

    fn key_dead(&self, ctx: Ctx<'_>) -> Seen {
        let Some(facts) = self.current_facts() else { return Seen::when(self.current.is_none(), None) };
        match facts.verdict {
            Some((Verdict::Alive, _)) => Seen::Over,
            Some((Verdict::Dead, _)) if self.is_waiting_for_answer() => Seen::Unknown, // told as that
            Some((Verdict::Dead, _)) if facts.is_dead(ctx.limits) && !self.is_coming() => {
                Seen::So(self.dead_report(facts, ctx))
            }
            Some((Verdict::Dead | Verdict::Unclear, _)) | None => Seen::Unknown,
        }
    }
    fn dead_report(&self, facts: &KeyFacts, ctx: Ctx<'_>) -> Report {
        let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
        let other_alive = self.keys.values().any(|facts| facts.is_alive(ctx.now, ctx.probe_period));
        let doubt = if other_alive { "" } else { ", or refuses everybody" };
        let ended = self.expires_at().filter(|at| *at <= ctx.now);
        let ended = ended.map(|at| format!("; it was to end {}", at.minutes())).unwrap_or_default();
        let message = format!("{vendor} refuses the current key{doubt} ({}){ended}", facts.why);
        let alive = |old: &Former| {
            self.facts(old.fingerprint).is_some_and(|facts| facts.is_alive(ctx.now, 2 * ctx.probe_period))
        };
        let back = self.previous().filter(|_| self.lives_until_revoked()).filter(alive).map(|old| {
            let shown = self.dashboard_label(old.fingerprint).map(|label| format!(" {label}")).unwrap_or_default();
            format!("the old key{shown} works still: leave it as it is, and go back to it:\nkeyrelay rollback {name}\nthen have a new one made:\n")
        });
        let hint = format!("{}{}", back.unwrap_or_default(), self.create_hint());
        let doing = match self.settings.mailbox {
            Some(_) => {
                "the mailbox was searched again for a confirmation; the key is tried again on every schedule"
            }
            None => "the key is tried again on every schedule",
        };
        Report::new(Code::KeyDead, Severity::Urgent, message, hint)
            .breaks("every consumer that uses this key is refused by the vendor")
            .doing(doing)
    }

    fn key_unclear(&self, ctx: Ctx<'_>) -> Seen {
        let Some(facts) = self.current_facts() else { return Seen::when(self.current.is_none(), None) };
        if self.is_probe_off() {
            return Seen::Over; // that is told, and nobody can be asked
        }
        let long =
            facts.unclear_since().filter(|since| ctx.now.since(*since) >= ctx.limits.unclear_told_after);
        match (facts.verdict, long) {
            (Some((Verdict::Unclear, _)), Some(since)) => {
                let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
                let message = format!(
                    "{vendor}'s answers do not say whether the current key works, since {} ({})",
                    since.minutes(),
                    facts.why
                );
                let hint = format!("look at {vendor}'s status page\nkeyrelay status {name}");
                let report = Report::new(Code::KeyUnclear, Severity::Warning, message, hint)
                    .doing("nothing is changed until the answers are clear; it is asked again and again");
                Seen::So(report)
            }
            (Some((Verdict::Alive | Verdict::Dead, _)), _) => Seen::Over,
            (Some((Verdict::Unclear, _)) | None, _) => Seen::Unknown,
        }
    }

    fn unseeded(&self) -> Seen {
        let (documents, name) = (&self.documents, &self.settings.name);
        if self.current.is_some() || documents.deleted || documents.foreign.is_some() {
            return Seen::Over;
        }
        if !documents.known || !self.looked || !self.candidates.is_empty() {
            return Seen::Unknown;
        }
        let path = &self.settings.path;
        let (message, hint, doing) = match self.settings.rotated_by {
            RotatedBy::Vendor => (
                format!("the store holds no key at {path}, and no confirmation was found"),
                format!("keyrelay ingest {name}"),
                "the mailbox is watched for a confirmation",
            ),
            RotatedBy::Operator | RotatedBy::Api => (
                format!("the store holds no key at {path}"),
                self.create_hint(),
                "the store is read again and again; nothing else can be done without a key",
            ),
        };
        let report = Report::new(Code::Unseeded, Severity::Warning, message, hint)
            .breaks("no consumer has a key from keyrelay")
            .doing(doing);
        Seen::So(report)
    }

    /// Announced, or due by the cadence, and not confirmed.
    pub(super) fn report_expectation(&mut self, ctx: Ctx<'_>) {
        let by_vendor = self.settings.rotated_by == RotatedBy::Vendor;
        let expected = self.expected_at().filter(|_| by_vendor);
        let overdue = expected.filter(|expected| *expected + ctx.limits.unconfirmed_after <= ctx.now);
        let seen = match overdue {
            None => Seen::when(self.documents.known, None),
            Some(_) if self.is_waiting_for_others() => Seen::Over,
            Some(_) if self.is_coming() || !self.documents.known => Seen::Unknown,
            Some(expected) => Seen::So(self.overdue_report(expected, ctx)),
        };
        self.set(Code::RotationOverdue, ctx, seen);
    }
    fn overdue_report(&self, expected: Timestamp, ctx: Ctx<'_>) -> Report {
        let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
        let ladder = self.ladder_from(expected, ctx);
        let severity =
            if ladder.is_urgent(ctx.now, ctx.limits) { Severity::Urgent } else { Severity::Warning };
        let why = if self.memory.announced.is_some() { "was announced for" } else { "was due" };
        let message =
            format!("{vendor}'s rotation {why} {}, and no confirmation has come", expected.minutes());
        let hint = format!(
            "look for the mail, also in Junk:\nkeyrelay explain --credential {name}\n{}\nkeyrelay ingest {name}",
            self.settings.dashboard
        );
        let dies = (expected + self.settings.hand_over()).minutes();
        Report::new(Code::RotationOverdue, severity, message, hint)
            .breaks(format!("if {vendor} did rotate, the current key dies {dies}"))
            .doing("the mailbox is searched again and again")
            .ladder(Some(ladder))
    }

    pub(super) fn report_old_key(&mut self, ctx: Ctx<'_>) {
        let (died, alive) = match self.previous() {
            Some(previous) => (self.old_key_died(previous, ctx), self.old_key_alive(previous, ctx)),
            None => (Seen::when(self.documents.known, None), Seen::when(self.documents.known, None)),
        };
        self.set(Code::OldKeyDied, ctx, died);
        self.set(Code::OldKeyAlive, ctx, alive);
    }
    /// *Dead* counts only while another key of ours is alive there.
    fn old_key_died(&self, previous: Former, ctx: Ctx<'_>) -> Seen {
        if self.generation() <= self.memory.settled {
            return Seen::Over;
        }
        let verdict = self.facts(previous.fingerprint).and_then(|facts| facts.verdict);
        let control = self.current_facts().is_some_and(|facts| facts.is_alive(ctx.now, 2 * ctx.probe_period));
        let lives_on = self.lives_until_revoked();
        match (verdict, previous.until.filter(|until| *until > ctx.now)) {
            (Some((Verdict::Dead, _)), Some(until)) if control && self.somebody_waits(ctx) => {
                let left = spell_duration(until.since(ctx.now));
                Seen::So(
                    self.died_report(format!(
                        "the old key is dead already, {left} before the end of its grace"
                    )),
                )
            }
            (Some((Verdict::Dead, _)), None) if control && lives_on && self.somebody_waits(ctx) => {
                let message =
                    "the old key is dead already, before every consumer was tested with the new one";
                Seen::So(self.died_report(message.to_owned()))
            }
            (Some((Verdict::Alive, _)), _) => Seen::Over,
            (Some((Verdict::Dead | Verdict::Unclear, _)) | None, _) => Seen::Unknown,
        }
    }
    fn died_report(&self, message: String) -> Report {
        let hint = format!("keyrelay status {}", self.settings.name);
        Report::new(Code::OldKeyDied, Severity::Urgent, message, hint)
            .breaks("consumers that are not tested yet may be refused by the vendor right now")
            .doing("each consumer is brought to the new key as fast as it lets itself be")
    }
    /// Somebody was not shown to work with the current key, and had a moment for it.
    fn somebody_waits(&self, ctx: Ctx<'_>) -> bool {
        let over = |since: Timestamp| since + ctx.limits.backoff_cap_min <= ctx.now;
        self.consumers.values().any(|state| !state.policy.elsewhere && state.unproven_since.is_some_and(over))
    }
    fn old_key_alive(&self, previous: Former, ctx: Ctx<'_>) -> Seen {
        let verdict = self.facts(previous.fingerprint).and_then(|facts| facts.verdict);
        let over = previous.until.filter(|until| *until + ctx.limits.unconfirmed_after <= ctx.now);
        match (verdict, over) {
            (Some((Verdict::Alive, _)), Some(until)) => {
                let message = format!("the old key still works, though its grace ended {}", until.minutes());
                let hint = format!("nothing for a while; if it stays so:\n{}", self.settings.dashboard);
                let report = Report::new(Code::OldKeyAlive, Severity::Info, message, hint)
                    .doing("it is asked again, and removed from the store when it is dead");
                Seen::So(report)
            }
            (Some((Verdict::Dead, _)), _) => Seen::Over,
            (Some((Verdict::Alive | Verdict::Unclear, _)) | None, _) => Seen::Unknown,
        }
    }
}
