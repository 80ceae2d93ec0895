//! A vendor's API is to be asked for a new key. Where its rotation kills the old key at once, nothing may be missing
//! afterwards: everything that the new key will need is tried before, and what fails is said before anything is called.

use super::{Ctx, Out};
use crate::domain::{Asker, ConsumerName, RotatedBy, Timestamp, Verdict};
use crate::rotation::{
    consumer::ConsumerState,
    effect::{Action, Reply},
    settings::Delivery,
    state::{Awaits, Dirty, Rotation},
    wish::{Asked, Asking, CallAction, Fate, Occasion, Stage, Window, Wish},
};

/// Whether the call may be made, as far as one thing is concerned.
pub(super) enum Ready {
    Yes,
    /// It is not known yet.
    NotYet(String),
    No(Reply),
}

fn refused(why: impl Into<String>) -> Reply {
    Reply::Refused { why: why.into() }
}

impl Rotation {
    pub(super) fn rotate_asked(
        &mut self,
        (uid, ticket): Asked,
        occasion: Occasion,
        ctx: Ctx<'_>,
        out: &mut Out,
    ) {
        let may = match &self.asking {
            Some(_) => {
                Err(refused(format!("{} is being asked for a new key already", self.settings.vendor_title)))
            }
            None => self.may_ask(Asker::Operator { uid }, occasion.window, ctx),
        };
        match may {
            Err(reply) => out.replies.push((ticket, reply)),
            Ok(()) => {
                self.answer_later(ticket, Awaits::Rotation(occasion.rotation_id), ctx);
                self.begin_asking(Asker::Operator { uid }, occasion, ctx, out);
            }
        }
    }

    /// Everything is looked at anew, side by side.
    pub(super) fn begin_asking(&mut self, by: Asker, occasion: Occasion, ctx: Ctx<'_>, out: &mut Out) {
        let mut passes = std::collections::BTreeMap::new();
        for (name, consumer) in self.consumers.iter_mut().filter(|(_, consumer)| !consumer.policy.elsewhere) {
            consumer.rehearse(ctx.now);
            passes.insert(name.clone(), consumer.passes + 1);
        }
        if let Some(current) = &self.current {
            self.keys.entry(current.fingerprint).or_default().ask_anew(ctx.now);
        }
        self.documents.key_wanted = true;
        out.actions.push(Action::Call(CallAction::TrySpool { wish: occasion.rotation_id }));
        let (scheduled, stage) = (self.memory.scheduled, Stage::Checking);
        let asking = Asking { by, occasion, asked_at: ctx.now, passes, scheduled, spool: None, stage };
        self.asking = Some(asking);
    }
    pub(super) fn spool_tried(&mut self, wish: crate::domain::RotationId, outcome: Result<(), String>) {
        if let Some(asking) = self.asking.as_mut().filter(|asking| asking.occasion.rotation_id == wish) {
            asking.spool = Some(outcome);
        }
    }

    pub(super) fn advance_asking(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        let Some(asking) = self.asking.clone() else { return };
        match asking.stage {
            Stage::Checking => match self.readiness(&asking, ctx, out) {
                Ready::Yes => self.note_wish(&asking, ctx),
                Ready::NotYet(what) if asking.asked_at + ctx.limits.operator_wait <= ctx.now => {
                    self.stop_asking(refused(format!("{what}; nothing was called")), ctx, out)
                }
                Ready::NotYet(_) => {}
                Ready::No(reply) => self.stop_asking(reply, ctx, out),
            },
            // Once it is on its way to the store, that comes to an end first.
            Stage::Noting(_) | Stage::Calling => {}
        }
    }
    /// The wish goes into the state document: the proof that the store can be written, and what keeps everybody else
    /// from asking.
    fn note_wish(&mut self, asking: &Asking, ctx: Ctx<'_>) {
        let Some(old) = self.current.as_ref().map(|current| current.fingerprint) else { return };
        let Occasion { rotation_id, host, .. } = asking.occasion.clone();
        self.memory.wish =
            Some(Wish { old, host, at: ctx.now, rotation_id, by: asking.by, fate: Fate::Open });
        if let Some(due) = self.due.as_ref().filter(|_| asking.by == Asker::Schedule) {
            self.memory.scheduled = self.memory.scheduled.max(Some(due.at));
        }
        self.dirty = Dirty::Now;
        if let Some(asking) = &mut self.asking {
            asking.stage = Stage::Noting(None);
        }
    }
    /// It comes to nothing, and nothing was called.
    pub(super) fn stop_asking(&mut self, reply: Reply, ctx: Ctx<'_>, out: &mut Out) {
        let Some(asking) = self.asking.take() else { return };
        match asking.by {
            Asker::Operator { .. } => self.answer_rotation(asking.occasion.rotation_id, reply, out),
            Asker::Schedule => self.postpone(&reply, ctx),
        }
    }
    pub(super) fn answer_rotation(&mut self, wish: crate::domain::RotationId, reply: Reply, out: &mut Out) {
        let about = Awaits::Rotation(wish);
        let (answered, waiting): (Vec<_>, _) =
            std::mem::take(&mut self.waiting).into_iter().partition(|waiting| waiting.awaits == about);
        self.waiting = waiting;
        out.replies.extend(answered.into_iter().map(|waiting| (waiting.ticket, reply.clone())));
    }

    /// The first *no* counts, else the first that is not known yet.
    fn readiness(&mut self, asking: &Asking, ctx: Ctx<'_>, out: &mut Out) -> Ready {
        if let Err(reply) = self.may_ask(asking.by, asking.occasion.window, ctx) {
            return Ready::No(reply);
        }
        let found = [
            self.documents_ready(),
            self.current_key_ready(asking, ctx),
            self.probe_ready(ctx, out),
            spool_ready(asking),
            self.consumers_ready(asking),
        ];
        let mut unknown = Ready::Yes;
        for ready in found {
            match (&unknown, ready) {
                (_, Ready::No(reply)) => return Ready::No(reply),
                (Ready::Yes, Ready::NotYet(what)) => unknown = Ready::NotYet(what),
                (_, Ready::Yes | Ready::NotYet(_)) => {}
            }
        }
        unknown
    }

    /// What can be said at once.
    pub(super) fn may_ask(&self, by: Asker, window: Option<Window>, ctx: Ctx<'_>) -> Result<(), Reply> {
        let (documents, name, vendor) = (&self.documents, &self.settings.name, &self.settings.vendor_title);
        if let Some(why) = self.rotated_otherwise() {
            return Err(refused(why));
        }
        if let Some(reply) = self.is_only_observed() {
            return Err(reply);
        }
        if self.stopping {
            return Err(Reply::Unreachable { why: "keyrelay was told to stop".into() });
        }
        if let Some(trouble) = self.store_trouble() {
            return Err(Reply::Unreachable { why: trouble.to_string() });
        }
        if !documents.known {
            return Err(Reply::Unreachable { why: "the store was not read yet".into() });
        }
        let in_doubt = documents.foreign.is_some() || documents.reverted.is_some() || documents.deleted;
        if documents.state_refused.is_some() || in_doubt {
            return Err(refused(format!(
                "the document of {name} in the store is not as keyrelay left it; first: keyrelay status {name}"
            )));
        }
        if self.current.is_none() {
            return Err(refused(format!(
                "there is no key to ask {vendor} with; first: keyrelay ingest {name}"
            )));
        }
        if self.pending.is_some() || self.best_candidate().is_some() {
            return Err(refused(format!("a new key is on its way already; see: keyrelay status {name}")));
        }
        if let Some(newer) = self.rolled_back().map(|note| self.label(note.from)) {
            return Err(refused(format!(
                "an operator went back from the newer key {newer}; first: keyrelay accept {name} {newer}"
            )));
        }
        self.may_ask_again(by)?;
        self.window_is_open(window, ctx)
    }
    /// Who rotates here, where that is not the API.
    fn rotated_otherwise(&self) -> Option<String> {
        let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
        match self.settings.rotated_by {
            RotatedBy::Api => None,
            RotatedBy::Vendor => Some(format!(
                "{vendor} has no call that rotates: it rotates by itself and mails the new key; \
                 one that you have goes in with: keyrelay ingest {name}"
            )),
            RotatedBy::Operator => {
                let steps: Vec<_> = self.settings.create_steps.iter().map(|step| step.to_string()).collect();
                let steps = if steps.is_empty() { self.settings.dashboard.clone() } else { steps.join("; ") };
                Some(format!(
                    "{vendor} has no call that rotates: you make the new key in its dashboard ({steps}), \
                     and then type: keyrelay ingest {name}"
                ))
            }
        }
    }
    /// One call for each wish; what became of the last one is known, or an operator takes it upon himself.
    fn may_ask_again(&self, by: Asker) -> Result<(), Reply> {
        let Some(wish) = &self.memory.wish else { return Ok(()) };
        let (name, vendor) = (&self.settings.name, &self.settings.vendor_title);
        let (when, host) = (wish.at.minutes(), &wish.host);
        match wish.fate {
            Fate::Open => Err(refused(format!(
                "{vendor} was asked {when} from {host}, and what came of it is not known yet; \
                 see: keyrelay status {name}"
            ))),
            Fate::Lost => Err(refused(format!(
                "the key that {vendor} made {when} is lost, and the old one is dead; see: keyrelay status {name}"
            ))),
            Fate::Unsure => match by {
                Asker::Operator { .. } => Ok(()),
                Asker::Schedule => Err(refused(format!(
                    "{vendor} was asked {when} and may have made a key that nobody has; \
                     only you may ask again: keyrelay rotate {name}"
                ))),
            },
        }
    }
    /// A key that ends before the next time does not wait for it.
    fn window_is_open(&self, window: Option<Window>, ctx: Ctx<'_>) -> Result<(), Reply> {
        let Some(window) = window.filter(|window| ctx.now < window.opens) else { return Ok(()) };
        let latest = window.opens + self.settings.hand_over();
        if self.expires_at().is_some_and(|end| end <= latest) {
            return Ok(());
        }
        let opens = window.opens.minutes();
        Err(refused(format!("the window is closed, and opens {opens}")))
    }

    fn documents_ready(&self) -> Ready {
        match self.documents.key_wanted || !self.documents.reading.is_idle() {
            true => Ready::NotYet("the store has not said what it holds".into()),
            false => Ready::Yes,
        }
    }
    /// Alive now, and of an account that the new key can be compared with.
    fn current_key_ready(&mut self, asking: &Asking, ctx: Ctx<'_>) -> Ready {
        let (name, vendor) = (self.settings.name.clone(), self.settings.vendor_title.clone());
        let Some(facts) = self.current_facts().filter(|facts| facts.last_probe_at() >= Some(asking.asked_at))
        else {
            self.current_wanted = true;
            return Ready::NotYet(format!("{vendor} has not said whether the current key works"));
        };
        match facts.verdict {
            Some((Verdict::Dead, _)) => {
                let why = format!("{vendor} refuses the current key ({})", facts.why);
                return Ready::No(refused(format!(
                    "{why}; the right one goes in with: keyrelay ingest {name}"
                )));
            }
            Some((Verdict::Alive, _)) => {}
            Some((Verdict::Unclear, _)) | None => {
                let why = format!("{vendor}'s answer for the current key is unclear ({})", facts.why);
                self.current_wanted = true;
                return Ready::NotYet(why);
            }
        }
        let shown = facts.account.clone().unwrap_or_default();
        let (pin, now) = (self.settings.account.as_ref(), ctx.now);
        if pin.is_some_and(|pin| !shown.is_empty() && !shown.shares_with(pin)) {
            return Ready::No(refused("the current key is of another account than the one that is pinned"));
        }
        if self.settings.has_identity && shown.is_empty() {
            return Ready::No(refused(format!("{vendor} shows no account for the current key")));
        }
        match facts.is_alive(now, ctx.limits.verdict_fresh) {
            true => Ready::Yes,
            false => {
                self.current_wanted = true;
                Ready::NotYet(format!("{vendor} has not said whether the current key works"))
            }
        }
    }
    /// A vendor that calls everything alive could not prove the new key.
    fn probe_ready(&self, ctx: Ctx<'_>, out: &mut Out) -> Ready {
        let vendor = &self.settings.vendor_title;
        match ctx.control.filter(|(_, at)| ctx.now.since(*at) <= ctx.limits.control_every) {
            Some((Verdict::Dead | Verdict::Unclear, _)) => Ready::Yes,
            Some((Verdict::Alive, _)) => {
                out.control_wanted = true;
                Ready::No(refused(format!(
                    "{vendor} calls a random key alive, so a new key could not be proven"
                )))
            }
            None => {
                out.control_wanted = true;
                Ready::NotYet(format!("{vendor} was not asked about a random key yet"))
            }
        }
    }
    fn consumers_ready(&self, asking: &Asking) -> Ready {
        let mut unknown = Ready::Yes;
        for (consumer, wanted) in &asking.passes {
            let Some(state) = self.consumers.get(consumer) else { continue };
            match self.consumer_ready(consumer, state, *wanted) {
                Ready::No(reply) => return Ready::No(reply),
                Ready::NotYet(what) => unknown = Ready::NotYet(what),
                Ready::Yes => {}
            }
        }
        unknown
    }
    fn consumer_ready(&self, consumer: &ConsumerName, state: &ConsumerState, wanted: u64) -> Ready {
        let name = &self.settings.name;
        if let Some(Err(why)) = &state.rehearsed {
            let what = format!("the key could not be handed to consumer {consumer}: {why}");
            return Ready::No(refused(format!(
                "{what}; mend that, then: keyrelay deliver {name} --consumer {consumer}"
            )));
        }
        let rehearsed = state.policy.delivery == Delivery::None || state.rehearsed.is_some();
        if state.passes < wanted || !rehearsed {
            let error = state.error.as_ref().map_or(String::new(), |error| format!(" ({error})"));
            return Ready::NotYet(format!("consumer {consumer} was not tested in time{error}"));
        }
        let current = self.current.as_ref().map(|current| current.fingerprint);
        if current.is_some_and(|current| state.is_good(current)) && !state.is_in_doubt() {
            return Ready::Yes;
        }
        let error = state.error.clone().unwrap_or("it has shown nothing".into());
        Ready::No(refused(format!(
            "consumer {consumer} is not proven ({error}); mend that, then: \
             keyrelay prove {name} --consumer {consumer}"
        )))
    }

    pub(super) fn next_asking_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let checking = self.asking.as_ref().filter(|asking| asking.stage == Stage::Checking);
        let over = checking.map(|asking| asking.asked_at + ctx.limits.operator_wait);
        let moments = [over, self.next_judgement_at(ctx), self.next_moment_at(ctx), self.next_keeping_at()];
        moments.into_iter().flatten().filter(|at| *at > ctx.now).min()
    }
}

fn spool_ready(asking: &Asking) -> Ready {
    match &asking.spool {
        Some(Ok(())) => Ready::Yes,
        Some(Err(why)) => Ready::No(refused(format!(
            "the spool cannot be written, so that the new key could be lost: {why}"
        ))),
        None => Ready::NotYet("the spool could not be tried in time".into()),
    }
}
