//! Incidents about consumers: those that cannot be served, those that work with another key, those that are silent,
//! and those that would fail the coming rotation.

use super::{Ctx, incidents::Seen};
use crate::domain::{Code, ConsumerName, Severity, Timestamp};
use crate::rotation::{
    consumer::ConsumerState,
    incident::{Ladder, Report},
    settings::Proof,
    state::Rotation,
};
use std::time::Duration;

/// What is wrong with a consumer, worst first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Failed,
    OtherKey,
    Unrehearsed,
    Silent,
}

type Named = (ConsumerName, String);

impl Rotation {
    pub(super) fn report_consumers(&mut self, ctx: Ctx<'_>) {
        if self.current.is_none() {
            return;
        }
        let ladder = self.hand_over_ladder(ctx.limits);
        let mut by_kind: [Vec<Named>; 4] = Default::default();
        for (name, state) in self.consumers.iter().filter(|(_, state)| !state.policy.elsewhere) {
            if let Some(wrong) = self.wrong_with(state, ladder, ctx) {
                by_kind[wrong as usize].push((name.clone(), self.error_of(state, wrong)));
            }
        }
        let [failed, other_key, unrehearsed, silent] = by_kind;
        self.report_failed(failed, ladder, ctx);
        self.report_other_key(other_key, ladder, ctx);
        self.report_rehearsal(&unrehearsed, ctx);
        self.report_silent(&silent, ladder, ctx);
    }

    fn wrong_with(&self, state: &ConsumerState, ladder: Option<Ladder>, ctx: Ctx<'_>) -> Option<Wrong> {
        let over = |at: Option<Timestamp>| at.is_some_and(|at| at <= ctx.now);
        if state.failed {
            Some(Wrong::Failed)
        } else if state.other_key.is_some() && over(self.wrong_key_told_at(state, ctx)) {
            Some(Wrong::OtherKey)
        } else if ladder.is_none() && over(self.rehearsal_told_at(state, ctx)) {
            Some(Wrong::Unrehearsed)
        } else {
            // One that answers with another key is not silent: it is told of as that, in its time.
            let silent = state.other_key.is_none() && over(self.silence_told_at(state, ladder, ctx));
            silent.then_some(Wrong::Silent)
        }
    }
    fn error_of(&self, state: &ConsumerState, wrong: Wrong) -> String {
        let rehearsal = state.rehearsed.as_ref().and_then(|outcome| outcome.as_ref().err());
        let error = match wrong {
            Wrong::Unrehearsed => rehearsal.or(state.error.as_ref()),
            Wrong::Failed | Wrong::OtherKey | Wrong::Silent => state.error.as_ref(),
        };
        error.cloned().unwrap_or("it has shown nothing yet".into())
    }

    fn wrong_key_told_at(&self, state: &ConsumerState, ctx: Ctx<'_>) -> Option<Timestamp> {
        let from = state.delivered_at.or(state.unproven_since)?;
        Some(from + ctx.limits.wrong_key_after)
    }
    /// A delivery that could not be made is told at once, a proof that does not hold when it had its minute.
    fn rehearsal_told_at(&self, state: &ConsumerState, ctx: Ctx<'_>) -> Option<Timestamp> {
        let began = self.rehearsal_began_at?;
        let whole = self.settings.notice_before.unwrap_or(ctx.limits.operator_wait);
        let patience = ctx.limits.operator_wait.min(whole / ctx.limits.silent_part);
        match &state.rehearsed {
            Some(Err(_)) => Some(began + patience),
            Some(Ok(())) | None => Some(state.unproven_since?.max(began) + patience),
        }
    }
    /// One that is merely silent is told of after a twenty-fourth of the hand-over time, or after its own `within`. One
    /// that did work with this key has that time from when it fell silent.
    fn silence_told_at(
        &self,
        state: &ConsumerState,
        ladder: Option<Ladder>,
        ctx: Ctx<'_>,
    ) -> Option<Timestamp> {
        let current = self.current.as_ref()?.fingerprint;
        let since = state.unproven_since?;
        let patience = self.patience_with(state, ctx);
        let from = ladder.filter(|_| !state.is_good(current)).map_or(since, |ladder| ladder.from);
        Some((from + patience).max(since + ctx.limits.backoff_cap_min.min(patience)))
    }
    fn patience_with(&self, state: &ConsumerState, ctx: Ctx<'_>) -> Duration {
        match state.policy.proof {
            Proof::Report { within } => within,
            Proof::Asked | Proof::ByDelivery => self.settings.hand_over() / ctx.limits.silent_part,
        }
    }
    pub(super) fn consumer_moments(&self, ctx: Ctx<'_>) -> impl Iterator<Item = Timestamp> {
        let ladder = self.hand_over_ladder(ctx.limits);
        let moments = move |state: &ConsumerState| {
            [
                state.other_key.and_then(|_| self.wrong_key_told_at(state, ctx)),
                self.rehearsal_told_at(state, ctx),
                self.silence_told_at(state, ladder, ctx),
                state.unproven_since.map(|since| since + ctx.limits.backoff_cap_min),
            ]
        };
        let here = self.consumers.values().filter(|state| !state.policy.elsewhere);
        here.flat_map(moments).flatten().filter(move |at| *at > ctx.now)
    }

    fn report_failed(&mut self, failed: Vec<Named>, ladder: Option<Ladder>, ctx: Ctx<'_>) {
        let unknown = |state: &ConsumerState| state.passes == 0;
        let name = self.settings.name.clone();
        let hint = |consumer: &ConsumerName| format!("keyrelay deliver {name} --consumer {consumer}");
        self.report_each(Code::ConsumerFailed, failed, ladder, ctx, unknown, |consumer, error| {
            (format!("the key could not be handed to {consumer}: {error}"), hint(consumer))
        });
    }
    fn report_other_key(&mut self, wrong: Vec<Named>, ladder: Option<Ladder>, ctx: Ctx<'_>) {
        let current = self.current.as_ref().map(|current| current.fingerprint);
        let unknown = move |state: &ConsumerState| !current.is_some_and(|current| state.is_good(current));
        let name = self.settings.name.clone();
        let hint = |consumer: &ConsumerName| {
            format!("restart {consumer}, then:\nkeyrelay prove {name} --consumer {consumer}")
        };
        // The table of consumers says which.
        self.report_each(Code::ConsumerWrongKey, wrong, ladder, ctx, unknown, |consumer, _| {
            (format!("{consumer} was given the current key, and works with another one"), hint(consumer))
        });
    }
    fn report_each(
        &mut self,
        code: Code,
        consumers: Vec<Named>,
        ladder: Option<Ladder>,
        ctx: Ctx<'_>,
        unknown: impl Fn(&ConsumerState) -> bool,
        words: impl Fn(&ConsumerName, &str) -> (String, String),
    ) {
        let stays = self.consumers.iter().filter(|(_, state)| unknown(state)).map(|(name, _)| name);
        let stays = stays.chain(consumers.iter().map(|(name, _)| name));
        let open: Vec<_> = stays.map(ToString::to_string).collect();
        for (consumer, error) in consumers {
            let (message, hint) = words(&consumer, &error);
            let report = Report::new(code, severity(ladder, ctx), message, hint)
                .about(consumer.as_str())
                .breaks(format!("{consumer} stops working when the key it has dies"))
                .doing("it is tried again and again; the other consumers are not held up")
                .ladder(ladder);
            self.incidents.raise(ctx.now, report);
        }
        self.incidents.clear_others(code, &open);
    }

    /// One mail for all of them, a day before it can hurt.
    fn report_rehearsal(&mut self, failing: &[Named], ctx: Ctx<'_>) {
        let seen = match failing {
            [] if self.rehearsal_began_at.is_none() || self.rehearsal_is_over() => Seen::Over,
            [] => Seen::Unknown,
            [_, ..] => {
                let name = &self.settings.name;
                let list: Vec<_> =
                    failing.iter().map(|(consumer, error)| format!("{consumer} ({error})")).collect();
                let message = format!("the coming rotation would fail at {}", list.join(", "));
                let hint = failing
                    .iter()
                    .map(|(consumer, _)| format!("keyrelay prove {name} --consumer {consumer}"));
                let hint = hint.collect::<Vec<_>>().join("\n");
                let until = self.rehearsed_for.map_or(String::new(), |at| format!(" {}", at.minutes()));
                let report = Report::new(Code::RehearsalFailed, Severity::Warning, message, hint)
                    .breaks(format!("the rotation{until} would leave them with a key that dies"))
                    .doing("everything else was tried, and works; these are tried again and again");
                Seen::So(report)
            }
        };
        self.set(Code::RehearsalFailed, ctx, seen);
    }
    /// Every consumer that can be tried was tried, and showed itself.
    fn rehearsal_is_over(&self) -> bool {
        let tried = |state: &ConsumerState| {
            state.rehearsal.is_idle() && state.rehearsal.waits_until().is_none() && !state.is_in_doubt()
        };
        self.consumers.values().all(tried)
    }

    fn report_silent(&mut self, silent: &[Named], ladder: Option<Ladder>, ctx: Ctx<'_>) {
        let current = self.current.as_ref().map(|current| current.fingerprint);
        let good = |state: &ConsumerState| {
            current.is_some_and(|current| state.is_good(current)) && !state.is_in_doubt()
        };
        let seen = match silent {
            [] if self.consumers.values().all(good) => Seen::Over,
            [] => Seen::Unknown,
            [_, ..] => Seen::So(self.silent_report(silent, ladder, ctx)),
        };
        self.set(Code::ConsumerUnproven, ctx, seen);
    }
    fn silent_report(&self, silent: &[Named], ladder: Option<Ladder>, ctx: Ctx<'_>) -> Report {
        let names: Vec<_> = silent.iter().map(|(name, _)| name.to_string()).collect();
        let list: Vec<_> = silent.iter().map(|(name, error)| format!("{name} ({error})")).collect();
        let (count, total) = (names.len(), self.consumers.len());
        let message = match count {
            1 => format!("{} does not show that it works with the current key", list.join(", ")),
            _ => format!(
                "{count} of {total} consumers do not show that they work with the current key: {}",
                list.join(", ")
            ),
        };
        let hint = names
            .iter()
            .map(|consumer| format!("keyrelay prove {} --consumer {consumer}", self.settings.name));
        let breaks = match ladder {
            Some(ladder) => {
                format!(
                    "whoever of {} still uses the old key is refused by the vendor soon after {}",
                    names.join(", "),
                    ladder.until.minutes()
                )
            }
            None => format!("{} may not be working, or not survive the next rotation", names.join(", ")),
        };
        let hint = format!(
            "see that it runs and has read the new key, then:\n{}\nor hand the key over once more:\n\
             keyrelay deliver {}",
            hint.collect::<Vec<_>>().join("\n"),
            self.settings.name
        );
        Report::new(Code::ConsumerUnproven, severity(ladder, ctx), message, hint)
            .breaks(breaks)
            .doing(
                "the new key is in the store and was handed over; the consumer is tested again and again, also \
                 after the deadline, and the old key is left alone until its grace ends",
            )
            .ladder(ladder)
    }
}

fn severity(ladder: Option<Ladder>, ctx: Ctx<'_>) -> Severity {
    match ladder {
        Some(ladder) if ladder.is_urgent(ctx.now, ctx.limits) => Severity::Urgent,
        Some(_) | None => Severity::Warning,
    }
}
