//! What an operator must hear: read off the state, over and over. Raising what is raised already tells nothing.

use super::{Ctx, Out};
use crate::domain::{
    Code, ConsumerLine, ConsumerName, Notice, Severity, StoreTrouble, Timestamp, Verdict, spell_duration,
};
use crate::rotation::{
    consumer::ConsumerState,
    incident::{Ladder, Report, Telling},
    settings::Proof,
    state::{Dirty, Rotation},
};

impl Rotation {
    pub(super) fn advance_incidents(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        self.report_current_key(ctx, out);
        self.report_expectation(ctx);
        self.report_candidates(ctx);
        self.report_store(ctx);
        self.report_consumers(ctx);
        self.report_old_key(ctx);
        self.incidents.climb(ctx.now, ctx.limits);
        self.incidents.expire(Code::MailSuspicious, ctx.now, ctx.limits.control_every);
    }

    fn set(&mut self, code: Code, subject: &str, ctx: Ctx<'_>, report: Option<Report>) {
        match report {
            Some(report) => self.incidents.raise(ctx.now, report.about(subject)),
            None => self.incidents.clear(code, subject),
        }
    }

    fn report_current_key(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let (name, vendor) = (self.settings.name.clone(), self.settings.vendor_title.clone());
        let facts = self.current_facts();
        let coming = self.best_candidate().is_some_and(|candidate| candidate.dead_since.is_none())
            || self.pending.is_some();
        let dead = facts.filter(|facts| facts.is_dead(ctx.limits) && !coming);
        let other_alive = self.keys.values().any(|facts| facts.is_alive(ctx.now, ctx.probe_period));
        let dead = dead.map(|facts| {
            let doubt = if other_alive { "" } else { ", or the vendor refuses everybody" };
            let message = format!("{vendor} refuses the current key{doubt} ({})", facts.why);
            let hint = format!("{}\nkeyrelay ingest {name}", self.settings.dashboard);
            Report::new(Code::KeyDead, Severity::Urgent, message, hint)
                .breaks("every consumer that uses this key is refused by the vendor")
                .doing("the mailbox was searched again for a confirmation; the key is tried again on every schedule")
        });
        if dead.is_some() && !self.incidents.is_open(Code::KeyDead, "") {
            out.look_again = Some(true);
        }
        let unclear = facts.and_then(|facts| {
            let since = facts
                .unclear_since()
                .filter(|since| ctx.now.since(*since) >= ctx.limits.unclear_told_after)?;
            let message = format!(
                "{vendor}'s answers do not say whether the current key works, since {} ({})",
                since.minutes(),
                facts.why
            );
            Some(
                Report::new(
                    Code::KeyUnclear,
                    Severity::Warning,
                    message,
                    format!("look whether {vendor} is down; keyrelay status {name}"),
                )
                .doing("nothing is changed until the answers are clear; it is asked again and again"),
            )
        });
        let unseeded =
            self.documents.known && self.looked && self.current.is_none() && self.candidates.is_empty();
        let unseeded = (unseeded && !self.documents.deleted && self.documents.foreign.is_none()).then(|| {
            let message =
                format!("the store holds no key at {}, and no confirmation was found", self.settings.path);
            Report::new(Code::Unseeded, Severity::Warning, message, format!("keyrelay ingest {name}"))
                .breaks("no consumer has a key from keyrelay")
        });
        self.set(Code::KeyDead, "", ctx, dead);
        self.set(Code::KeyUnclear, "", ctx, unclear);
        self.set(Code::Unseeded, "", ctx, unseeded);
    }

    /// Announced, or due by the cadence, and not confirmed.
    fn report_expectation(&mut self, ctx: Ctx<'_>) {
        let overdue =
            self.expected_at().filter(|expected| *expected + ctx.limits.unconfirmed_after <= ctx.now);
        let report = overdue.filter(|_| self.best_candidate().is_none() && self.pending.is_none()).map(|expected| {
            let whole = self.settings.hand_over();
            let ladder = Ladder { from: expected, until: expected + whole - ctx.limits.margin(whole) };
            let urgent = ladder.is_urgent(ctx.now, ctx.limits);
            let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
            let why = if self.memory.announced.is_some() { "was announced for" } else { "is due since" };
            let message = format!("{vendor}'s rotation {why} {}, and no confirmation has come", expected.minutes());
            let hint = format!("look for the mail (also in Junk): keyrelay explain --credential {name}\n{}\nkeyrelay ingest {name}", self.settings.dashboard);
            let severity = if urgent { Severity::Urgent } else { Severity::Warning };
            Report::new(Code::RotationOverdue, severity, message, hint)
                .breaks(format!("if {vendor} did rotate, the current key dies {}", (expected + whole).minutes()))
                .doing("the mailbox is searched every minute")
                .ladder(Some(ladder))
        });
        self.set(Code::RotationOverdue, "", ctx, report);
    }

    fn report_candidates(&mut self, ctx: Ctx<'_>) {
        let name = self.settings.name.clone();
        let key_dead = self.current_facts().is_some_and(|facts| facts.is_dead(ctx.limits));
        let severity = if key_dead { Severity::Urgent } else { Severity::Warning };
        let mut subjects = Vec::new();
        for candidate in self.candidates.clone() {
            let label = self.label(candidate.fingerprint);
            if let Some(why) = &candidate.held {
                subjects.push(label.clone());
                let message = format!("the key {label} from {} is held: {why}", candidate.origin);
                let hint = format!("keyrelay status {name}\nkeyrelay accept {name} {label}");
                let report = Report::new(Code::CandidateHeld, severity, message, hint).about(&label);
                self.incidents
                    .raise(ctx.now, report.doing("nothing was changed; the key is kept in the spool"));
            }
        }
        self.incidents.clear_others(Code::CandidateHeld, &subjects);
        let dead = self.best_candidate().and_then(|candidate| {
            let since =
                candidate.dead_since.filter(|since| ctx.now.since(*since) >= ctx.limits.wrong_key_after)?;
            let message = format!(
                "the new key {} was received, and {} refuses it since {}",
                self.label(candidate.fingerprint),
                self.settings.vendor_title,
                since.minutes()
            );
            let hint =
                format!("compare it with the dashboard; the right key goes in with: keyrelay ingest {name}");
            Some(
                Report::new(Code::CandidateDead, severity, message, hint)
                    .doing("it is tried again and again; the old key stays in use"),
            )
        });
        let blind = matches!(ctx.control, Some((Verdict::Alive, _))) && self.best_candidate().is_some();
        let blind = blind.then(|| {
            let message = format!(
                "{} calls a random key alive, so its answers prove nothing",
                self.settings.vendor_title
            );
            Report::new(
                Code::ProbeBlind,
                Severity::Urgent,
                message,
                format!("look at the vendor's status; keyrelay status {name}"),
            )
            .breaks("no new key can be proven, and none is promoted")
            .doing("a random key is tried again every hour")
        });
        self.set(Code::CandidateDead, "", ctx, dead);
        self.set(Code::ProbeBlind, "", ctx, blind);
    }

    fn report_store(&mut self, ctx: Ctx<'_>) {
        let (name, path) = (self.settings.name.clone(), self.settings.path.clone());
        let (mut forbidden, mut refused) = (None, None);
        match &self.documents.trouble {
            Some(trouble @ StoreTrouble::Forbidden(_)) => forbidden = Some(trouble.to_string()),
            Some(trouble @ StoreTrouble::Refused(_)) => refused = Some(trouble.to_string()),
            Some(StoreTrouble::Unreachable(_) | StoreTrouble::Sealed) | None => {} // the fleet tells of outages, once
        }
        let report = |code, text: Option<String>| {
            text.map(|text| {
                let hint = format!("mend the policy, the login or what the store says; the path is {path}");
                Report::new(code, Severity::Urgent, text, hint)
                    .doing("it is tried again by itself; keys that arrive are spooled")
            })
        };
        let foreign = self.documents.foreign.clone().filter(|_| !self.is_judging_foreign()).map(|why| {
            let message = format!("somebody else wrote to {path}: {why}");
            Report::new(Code::StoreForeign, Severity::Warning, message, format!("keyrelay ingest {name}"))
                .breaks("consumers that read the store themselves get that value")
                .doing("nothing was overwritten, and nothing is handed to consumers meanwhile")
        });
        let reverted = self.documents.reverted.map(|_| {
            let newer =
                self.current.as_ref().map(|current| self.label(current.fingerprint)).unwrap_or_default();
            let message = format!(
                "somebody put an earlier key back at {path}; the newer key {newer} is kept in the spool"
            );
            Report::new(
                Code::StoreReverted,
                Severity::Warning,
                message,
                format!("keyrelay accept {name} {newer}"),
            )
            .breaks("the earlier key dies at the end of its grace, and with it whoever reads the store")
            .doing("it is put back by itself shortly before the earlier key's deadline")
            .ladder(self.revert_ladder(ctx))
        });
        let deleted = self.documents.deleted.then(|| {
            let message = format!("the document at {path} was deleted in the store");
            Report::new(
                Code::DocumentDeleted,
                Severity::Urgent,
                message,
                format!("undelete it in the store, or: keyrelay ingest {name}"),
            )
            .breaks("consumers that read the store find nothing")
        });
        let state = self.documents.state_refused.clone().map(|why| {
            let message = format!("keyrelay's own notes about {name} cannot be read: {why}");
            Report::new(
                Code::StateRefused,
                Severity::Urgent,
                message,
                "install the version that wrote them".to_owned(),
            )
            .doing("nothing is changed until then; keys that arrive are spooled")
        });
        let (forbidden, refused) =
            (report(Code::StoreForbidden, forbidden), report(Code::StoreRefused, refused));
        let spooled = self.report_spooled(ctx);
        for (code, report) in [
            (Code::StoreForbidden, forbidden),
            (Code::StoreRefused, refused),
            (Code::StoreForeign, foreign),
            (Code::StoreReverted, reverted),
            (Code::DocumentDeleted, deleted),
            (Code::StateRefused, state),
            (Code::KeySpooled, spooled),
        ] {
            self.set(code, "", ctx, report);
        }
    }
    fn report_spooled(&self, ctx: Ctx<'_>) -> Option<Report> {
        let candidate = self.best_candidate()?;
        let trouble = self.documents.trouble.as_ref()?;
        if candidate.spool.is_unsettled() {
            return None;
        }
        let whole = self.settings.hand_over();
        let ladder = Ladder {
            from: candidate.rotated_at,
            until: candidate.rotated_at + whole - ctx.limits.margin(whole),
        };
        let severity =
            if ladder.is_urgent(ctx.now, ctx.limits) { Severity::Urgent } else { Severity::Warning };
        let message =
            format!("the new key {} waits in the spool: {trouble}", self.label(candidate.fingerprint));
        let hint = format!(
            "bring the store back (bao status, vault status); then nothing: keyrelay status {}",
            self.settings.name
        );
        Some(
            Report::new(Code::KeySpooled, severity, message, hint)
                .breaks(format!("the old key dies {}", (candidate.rotated_at + whole).minutes()))
                .doing("the key is safe on this machine and goes into the store by itself")
                .ladder(Some(ladder)),
        )
    }

    fn report_consumers(&mut self, ctx: Ctx<'_>) {
        let Some(current) = self.current.as_ref().map(|current| current.fingerprint) else { return };
        let ladder = self.hand_over_ladder(ctx.limits);
        let name = self.settings.name.clone();
        let (mut failed, mut wrong, mut unrehearsed, mut silent) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (consumer, state) in self.consumers.iter().filter(|(_, state)| !state.policy.elsewhere) {
            let error = || state.error.clone().unwrap_or("it is not proven yet".into());
            let wrong_for_long =
                state.delivered_at.is_some_and(|at| ctx.now.since(at) >= ctx.limits.wrong_key_after);
            if state.failed {
                failed.push((consumer.clone(), error()));
            } else if state.other_key.is_some() && wrong_for_long {
                wrong.push((consumer.clone(), error()));
            } else if self.rehearsed_for.is_some()
                && ladder.is_none()
                && (state.rehearsal_error.is_some() || state.error.is_some())
            {
                unrehearsed.push((consumer.clone(), state.rehearsal_error.clone().unwrap_or_else(error)));
            } else if state.other_key.is_none()
                && !state.is_good(current)
                && self.silence_is_over(state, ladder, ctx)
            {
                silent.push((consumer.clone(), error()));
            }
        }
        let deliver = |consumer: &ConsumerName| format!("keyrelay deliver {name} --consumer {consumer}");
        let prove = |consumer: &ConsumerName| format!("keyrelay prove {name} --consumer {consumer}");
        self.report_each(
            Code::ConsumerFailed,
            failed,
            ctx,
            ladder,
            "the key could not be handed to",
            deliver,
        );
        self.report_each(Code::ConsumerWrongKey, wrong, ctx, ladder, "another key is in use at", prove);
        self.report_each(
            Code::RehearsalFailed,
            unrehearsed,
            ctx,
            None,
            "the coming rotation would fail at",
            prove,
        );
        let report = (!silent.is_empty()).then(|| self.unproven(&silent, ladder, ctx));
        self.set(Code::ConsumerUnproven, "", ctx, report);
    }
    fn report_each(
        &mut self,
        code: Code,
        consumers: Vec<(ConsumerName, String)>,
        ctx: Ctx<'_>,
        ladder: Option<Ladder>,
        what: &str,
        hint: impl Fn(&ConsumerName) -> String,
    ) {
        let subjects: Vec<_> = consumers.iter().map(|(name, _)| name.to_string()).collect();
        for (consumer, error) in consumers {
            let urgent = ladder.is_some_and(|ladder| ladder.is_urgent(ctx.now, ctx.limits));
            let severity = if urgent { Severity::Urgent } else { Severity::Warning };
            let report = Report::new(code, severity, format!("{what} {consumer}: {error}"), hint(&consumer))
                .about(consumer.as_str())
                .breaks(format!("{consumer} stops working when the key it has dies"))
                .doing("it is tried again and again; the other consumers are not held up")
                .ladder(ladder);
            self.incidents.raise(ctx.now, report);
        }
        self.incidents.clear_others(code, &subjects);
    }
    /// One that is merely silent is told of after a twenty-fourth of the hand-over time, or after its own `within`.
    fn silence_is_over(&self, state: &ConsumerState, ladder: Option<Ladder>, ctx: Ctx<'_>) -> bool {
        let Some(since) = state.unproven_since else { return false };
        let patience = match state.policy.proof {
            Proof::Report { within } => within,
            Proof::Asked | Proof::ByDelivery => self.settings.hand_over() / ctx.limits.silent_part,
        };
        let from = ladder.map_or(since, |ladder| ladder.from);
        from + patience <= ctx.now && since + ctx.limits.backoff_cap_min.min(patience) <= ctx.now
    }
    fn unproven(&self, silent: &[(ConsumerName, String)], ladder: Option<Ladder>, ctx: Ctx<'_>) -> Report {
        let names: Vec<_> = silent.iter().map(|(name, _)| name.to_string()).collect();
        let (verb, total) = (if names.len() == 1 { "was" } else { "were" }, self.consumers.len());
        let first = silent.first().map(|(_, error)| error.as_str()).unwrap_or_default();
        let message = format!(
            "{} of {total} consumers {verb} not shown to work with the current key: {} ({first})",
            names.len(),
            names.join(", ")
        );
        let urgent = ladder.is_some_and(|ladder| ladder.is_urgent(ctx.now, ctx.limits));
        let severity = if urgent { Severity::Urgent } else { Severity::Warning };
        let hint = names
            .iter()
            .map(|consumer| format!("keyrelay prove {} --consumer {consumer}", self.settings.name));
        let breaks = match ladder {
            Some(ladder) => format!(
                "{} may stop working {}, when the old key dies",
                names.join(", "),
                (ladder.until).minutes()
            ),
            None => format!("{} may not be working, or not survive the next rotation", names.join(", ")),
        };
        Report::new(Code::ConsumerUnproven, severity, message, hint.collect::<Vec<_>>().join("\n"))
            .breaks(breaks)
            .doing("each is tested again and again, and the old key is left alone until its grace ends")
            .ladder(ladder)
    }

    fn report_old_key(&mut self, ctx: Ctx<'_>) {
        let previous = self.previous();
        let facts = previous.and_then(|previous| self.keys.get(&previous.fingerprint));
        let unsettled = self.generation() > self.memory.settled;
        let early = previous.and_then(|previous| previous.until).filter(|until| *until > ctx.now);
        let died = facts.filter(|facts| facts.looks_dead() && unsettled).zip(early).map(|(_, until)| {
            let left = spell_duration(until.since(ctx.now));
            let message = format!("the old key is dead already, {left} before the end of its grace");
            Report::new(
                Code::OldKeyDied,
                Severity::Urgent,
                message,
                format!("keyrelay status {}", self.settings.name),
            )
            .breaks("consumers that are not tested yet may be refused by the vendor right now")
        });
        let over = previous
            .and_then(|previous| previous.until)
            .filter(|until| *until + ctx.limits.unconfirmed_after <= ctx.now);
        let alive = facts.filter(|facts| matches!(facts.verdict, Some((Verdict::Alive, _)))).zip(over).map(
            |(_, until)| {
                let message = format!("the old key still works, though its grace ended {}", until.minutes());
                Report::new(
                    Code::OldKeyAlive,
                    Severity::Info,
                    message,
                    "nothing for a while; look at the dashboard if it stays so",
                )
                .doing("it is asked again, and removed from the store when it is dead")
            },
        );
        self.set(Code::OldKeyDied, "", ctx, died);
        self.set(Code::OldKeyAlive, "", ctx, alive);
    }

    /// Everything that came up in this step becomes a notice.
    pub(super) fn tell(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let tellings = self.incidents.take_tellings();
        if tellings.iter().any(|telling| telling.incident.severity > Severity::Info) {
            self.dirty = Dirty::Now;
        }
        out.notices.extend(tellings.into_iter().map(|telling| self.notice(telling, ctx)));
    }
    fn notice(&self, telling: Telling, ctx: Ctx<'_>) -> Notice {
        let Telling { incident, id, step, resolved } = telling;
        let current = self.current.as_ref().map(|current| current.fingerprint);
        let line = |(name, state): (&ConsumerName, &ConsumerState)| ConsumerLine {
            name: name.clone(),
            level: current.map_or(crate::domain::ProofLevel::Unproven, |key| state.level(key)),
            wanted: state.policy.wanted,
            at: state.shown.as_ref().filter(|shown| Some(shown.fingerprint) == current).map(|shown| shown.at),
            error: state.error.clone(),
        };
        let written = self.documents.key.as_ref().and_then(|document| document.rotation_id);
        Notice {
            next_mail_at: incident.next_told_at(ctx.limits).filter(|_| !resolved),
            until: incident.until(),
            incident: id,
            step,
            code: incident.code,
            severity: incident.severity,
            resolved,
            credential: Some(self.settings.name.clone()),
            since: incident.since,
            at: ctx.now,
            message: incident.message,
            breaks: incident.breaks,
            doing: incident.doing,
            hint: incident.hint,
            consumers: self.consumers.iter().map(line).collect(),
            count: incident.count,
            rotation_id: self.journey.as_ref().map(|journey| journey.rotation_id).or(written),
        }
    }

    pub(super) fn next_incident_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let later = |at: Timestamp| Some(at).filter(|at| *at > ctx.now);
        let unclear = self
            .current_facts()
            .and_then(|facts| later(facts.unclear_since()? + ctx.limits.unclear_told_after));
        let dead = self
            .best_candidate()
            .and_then(|candidate| later(candidate.dead_since? + ctx.limits.wrong_key_after));
        let ladder = self.hand_over_ladder(ctx.limits);
        let silence = self.consumers.values().filter_map(|state| {
            let since = state.unproven_since?;
            let patience = match state.policy.proof {
                Proof::Report { within } => within,
                Proof::Asked | Proof::ByDelivery => self.settings.hand_over() / ctx.limits.silent_part,
            };
            let told = (ladder.map_or(since, |ladder| ladder.from) + patience)
                .max(since + ctx.limits.backoff_cap_min.min(patience));
            later(told)
        });
        let wrong = self.consumers.values().filter_map(|state| {
            state.other_key?;
            later(state.delivered_at? + ctx.limits.wrong_key_after)
        });
        silence.chain(wrong).chain(unclear).chain(dead).chain(self.incidents.next_deadline(ctx.limits)).min()
    }
}
