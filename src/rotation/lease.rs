//! Which of two daemons acts. Pure: moments are handed in, as the time since this machine was booted (a clock that
//! goes on while it sleeps); what is to be done comes out as orders, and what became of them goes in as events.
//!
//! ```text
//!          read, written, a deadline                     Read, Write { cas }
//!  shell  ---------------------------->   Lease   ----------------------------->  shell
//!                                                  BecomeActive, BecomeStandby,
//!                                                  Refuse
//! ```
//!
//! Two clocks that never meet keep the two apart. The holder counts `limits.lease` from *before* it sent a renewal. The
//! others count the same time from *after* they have seen a version: a version that they see was written before, so
//! that the holder has always ended first. Every write is a check-and-set, so that the store decides between two that
//! take over at once, and a renewal that comes too late changes nothing.
//!
//! How to drive it: call [`Lease::handle_deadline`] once at the start and whenever [`Lease::next_deadline`] has come,
//! [`Lease::handle`] for each event, and carry out the orders in their order. `Read` and `Write` are answered by exactly
//! one [`LeaseEvent::Read`] or [`LeaseEvent::Written`] each, and at most one of them is under way. Before each effect
//! outside the store ask [`Lease::may_act`] with the moment at which it begins.

mod look;
#[cfg(test)]
mod tests;

use crate::domain::{Holder, LeaseDocument, LeaseRead, Limits, RotationId, WriteOutcome};
use std::time::Duration;

/// A moment, as the time since this machine was booted, sleep included.
pub type Boot = Duration;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseEvent {
    /// What a `Read` came to.
    Read(LeaseRead),
    /// What a `Write` came to.
    Written(WriteOutcome),
    /// This daemon has another configuration now.
    Configured { configuration: String },
    /// This daemon has written a key to the store: the others are told with the next renewal.
    KeyWritten,
    /// It is over, and nothing is under way any more: the lease is given up, so that another can have it at once.
    Stopping,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseOrder {
    /// Read the lease document, from the store's active node.
    Read,
    /// Write it by check-and-set.
    Write { cas: u64, document: LeaseDocument },
    /// Act, and begin as after a start: the documents are read first. `after`: who had the lease before.
    BecomeActive { term: u64, after: Option<RotationId> },
    /// Do not act (any more): begin nothing, and forget what was decided.
    BecomeStandby,
    /// The same, and there is no standing by either.
    Refuse(Refusal),
}

/// Why this daemon cannot act for the one that holds the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The one that acts, and lives, has another configuration.
    Configuration { holder: Holder },
    /// The documents are not those that this process knew: somebody has put others in their place.
    Lineage { known: String, found: String },
    /// The lease document is another version's, or damaged.
    Unreadable { why: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// Nothing is known yet.
    Starting,
    Active {
        term: u64,
    },
    Standby,
    Refused(Refusal),
}

#[derive(Debug, Clone)]
pub struct Lease {
    me: Holder,
    limits: Limits,
    role: Role,
    /// Ours ends then; it counts while this daemon is active.
    until: Boot,
    seen: Option<Seen>,
    /// The document has been looked at before: what is new after that was written by somebody who lives.
    watched: bool,
    lineage: Option<String>,
    under_way: Option<UnderWay>,
    /// The answer to this write of ours was lost.
    unsure: Option<Sent>,
    /// The last write did not come to what it should: the next one is no hurry's.
    patient: bool,
    /// Counts our writes.
    writes: u64,
    news: u64,
    /// When the next call is due.
    due: Boot,
    stopping: bool,
    over: bool,
}

/// The newest version that is known.
#[derive(Debug, Clone)]
struct Seen {
    version: u64,
    document: Option<LeaseDocument>,
    /// Known since then; it was written before.
    since: Boot,
    /// It was written while this process watched.
    fresh: bool,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    write: u64,
    at: Boot,
    /// Who had the lease before it.
    after: Option<RotationId>,
}

#[derive(Debug, Clone)]
enum UnderWay {
    Read,
    Write { sent: Sent, document: LeaseDocument },
}

impl Lease {
    pub fn new(me: Holder, limits: &Limits, now: Boot) -> Self {
        Self {
            me,
            limits: limits.clone(),
            role: Role::Starting,
            until: Boot::ZERO,
            seen: None,
            watched: false,
            lineage: None,
            under_way: None,
            unsure: None,
            patient: false,
            writes: 0,
            news: 0,
            due: now,
            stopping: false,
            over: false,
        }
    }

    /// Whether an effect outside the store may begin now.
    pub fn may_act(&self, now: Boot) -> bool {
        self.is_active() && now + self.limits.lease_margin <= self.until
    }
    pub fn role(&self) -> &Role {
        &self.role
    }
    /// Who holds the lease as far as is known, this daemon included; `None`: nobody.
    pub fn holder(&self) -> Option<&Holder> {
        let document = self.seen.as_ref()?.document.as_ref()?;
        (!document.given_up).then_some(&document.holder)
    }
    /// Changes whenever the daemon that acts has written a key.
    pub fn news(&self) -> u64 {
        self.seen.as_ref().and_then(|seen| seen.document.as_ref()).map_or(0, |document| document.news)
    }
    /// After [`LeaseEvent::Stopping`]: there is nothing left to do.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// When [`Lease::handle_deadline`] has something to do; `None`: not before an event.
    pub fn next_deadline(&self) -> Option<Boot> {
        let due = (self.under_way.is_none() && !self.over).then_some(self.due);
        let end = self.is_active().then_some(self.until);
        [due, end].into_iter().flatten().min()
    }
    pub fn handle_deadline(&mut self, now: Boot) -> Vec<LeaseOrder> {
        let mut orders = Vec::new();
        self.advance(now, &mut orders);
        orders
    }
    pub fn handle(&mut self, event: LeaseEvent, now: Boot) -> Vec<LeaseOrder> {
        let mut orders = Vec::new();
        match event {
            LeaseEvent::Read(read) => {
                self.under_way = None;
                self.looked(read, now, &mut orders);
            }
            LeaseEvent::Written(outcome) => self.written(outcome, now, &mut orders),
            LeaseEvent::Configured { configuration } => {
                self.me.configuration = configuration;
                self.due = now;
                self.judge(&mut orders);
            }
            LeaseEvent::KeyWritten => self.news += 1,
            LeaseEvent::Stopping => self.stopping = true,
        }
        self.advance(now, &mut orders);
        orders
    }

    fn is_active(&self) -> bool {
        matches!(self.role, Role::Active { .. })
    }
    fn become_role(&mut self, role: Role, orders: &mut Vec<LeaseOrder>) {
        if self.role == role {
            return;
        }
        match &role {
            Role::Starting | Role::Active { .. } => {} // said by whoever knows the predecessor
            Role::Standby => orders.push(LeaseOrder::BecomeStandby),
            Role::Refused(why) => orders.push(LeaseOrder::Refuse(why.clone())),
        }
        self.role = role;
    }

    /// What is due, if nothing is under way.
    fn advance(&mut self, now: Boot, orders: &mut Vec<LeaseOrder>) {
        if self.is_active() && now >= self.until {
            self.due = now;
            self.become_role(Role::Standby, orders);
        }
        if self.under_way.is_some() || self.over {
            return;
        }
        if self.stopping {
            return self.leave(now, orders);
        }
        if now < self.due {
            return;
        }
        match self.seen.clone().filter(|seen| self.unsure.is_none() && self.may_write(seen, now)) {
            Some(seen) => self.write(&seen, false, now, orders),
            None => self.read(orders),
        }
    }
    fn leave(&mut self, now: Boot, orders: &mut Vec<LeaseOrder>) {
        match self.seen.clone().filter(|_| self.unsure.is_none()) {
            _ if !self.is_active() => self.over = true,
            Some(seen) => self.write(&seen, true, now, orders),
            None => self.read(orders),
        }
    }
    fn read(&mut self, orders: &mut Vec<LeaseOrder>) {
        self.under_way = Some(UnderWay::Read);
        orders.push(LeaseOrder::Read);
    }

    /// Renews, takes over, or gives up.
    fn write(&mut self, seen: &Seen, given_up: bool, now: Boot, orders: &mut Vec<LeaseOrder>) {
        self.writes += 1;
        let before = seen.document.as_ref();
        // Where there is none yet, this run names the line.
        let lineage = self.lineage.clone().unwrap_or_else(|| self.me.run.to_string());
        let term = match self.role {
            Role::Active { term } => term,
            Role::Starting | Role::Standby | Role::Refused(_) => before.map_or(0, |before| before.term) + 1,
        };
        let (holder, write, news) = (self.me.clone(), self.writes, self.news);
        let document = LeaseDocument { lineage, term, holder, given_up, write, news };
        let sent = Sent { write, at: now, after: before.map(|before| before.holder.run) };
        self.under_way = Some(UnderWay::Write { sent, document: document.clone() });
        orders.push(LeaseOrder::Write { cas: seen.version, document });
    }

    fn written(&mut self, outcome: WriteOutcome, now: Boot, orders: &mut Vec<LeaseOrder>) {
        let Some(UnderWay::Write { sent, document }) = self.under_way.take() else { return };
        let given_up = document.given_up;
        self.patient = false;
        match outcome {
            WriteOutcome::Written { version } => {
                self.note(version, Some(document), now);
                match given_up {
                    true => self.become_role(Role::Standby, orders),
                    false => self.hold(sent, now, orders),
                }
            }
            // Somebody has written: what is known is old. Until it is looked at, the lease goes on as it was.
            WriteOutcome::Mismatch => (self.seen, self.patient, self.due) = (None, true, now),
            WriteOutcome::Unknown(_) => (self.unsure, self.patient, self.due) = (Some(sent), true, now),
            WriteOutcome::Failed(_) => self.due = now + self.limits.lease_retry,
        }
        self.over |= given_up;
    }

    /// This write of ours is in the store.
    fn hold(&mut self, sent: Sent, now: Boot, orders: &mut Vec<LeaseOrder>) {
        let until = sent.at + self.limits.lease;
        if now >= until {
            self.due = now; // it came too late to be of use
            return;
        }
        (self.until, self.due) = (until, sent.at + self.limits.lease_renew);
        let document = self.seen.as_ref().and_then(|seen| seen.document.as_ref());
        let term = document.map_or(0, |document| document.term);
        if !self.is_active() {
            self.role = Role::Active { term };
            orders.push(LeaseOrder::BecomeActive { term, after: sent.after });
        }
    }
}
