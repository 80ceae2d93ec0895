//! What is made of a look at the lease document.

use super::{Boot, Lease, LeaseOrder, Refusal, Role, Seen};
use crate::domain::{LeaseDocument, LeaseRead};

impl Lease {
    pub(super) fn looked(&mut self, read: LeaseRead, now: Boot, orders: &mut Vec<LeaseOrder>) {
        let (version, document) = match read {
            LeaseRead::Present { version, document } => (version, Some(document)),
            LeaseRead::Absent { version } => (version, None),
            LeaseRead::Refused { why } => {
                self.due = now + self.limits.lease_look;
                self.seen = None;
                return self.become_role(Role::Refused(Refusal::Unreadable { why }), orders);
            }
            LeaseRead::Failed => {
                self.due = now + self.limits.lease_retry;
                self.over |= self.stopping;
                return;
            }
        };
        if self.seen.as_ref().is_some_and(|seen| version < seen.version) {
            // An old answer. A write that fits no more will show it if it was the truth.
            self.due = now + self.limits.lease_retry;
            if self.unsure.is_some() && !self.is_active() {
                self.seen = None;
            }
            return;
        }
        let is_ours = document.as_ref().is_some_and(|document| document.holder.run == self.me.run);
        let write = document.as_ref().map(|document| document.write);
        let arrived = self.unsure.take().filter(|sent| is_ours && write == Some(sent.write));
        self.note(version, document, now);
        match arrived {
            Some(sent) => self.hold(sent, now, orders),
            // An earlier write of ours, whose moment nobody knows: it says that nobody else came, and gives no time.
            None if is_ours && self.is_active() => self.wait(now),
            None => {
                self.judge(orders);
                self.wait(now);
            }
        }
    }

    pub(super) fn note(&mut self, version: u64, document: Option<LeaseDocument>, now: Boot) {
        if let Some(document) = &document {
            self.lineage.get_or_insert_with(|| document.lineage.clone());
            self.news = self.news.max(document.news);
        }
        let same = |seen: &&Seen| seen.version == version && seen.document == document;
        let since = self.seen.as_ref().filter(same).map(|seen| (seen.since, seen.fresh));
        let (since, fresh) = since.unwrap_or((now, self.watched));
        self.watched = true;
        self.seen = Some(Seen { version, document, since, fresh });
    }

    /// What this daemon is beside the holder. That it may take the lease is said when it has it.
    pub(super) fn judge(&mut self, orders: &mut Vec<LeaseOrder>) {
        let Some(seen) = &self.seen else { return };
        let document = seen.document.as_ref();
        let mine = document.is_some_and(|document| document.holder.run == self.me.run);
        if mine && self.is_active() {
            return;
        }
        let refusal = document.and_then(|document| self.refusal(document, seen.fresh));
        let differs = document.is_some_and(|document| !self.is_like_me(document));
        match refusal {
            Some(why) => self.become_role(Role::Refused(why), orders),
            // Whether the other one lives is not known yet.
            None if self.role == Role::Starting && differs => {}
            None => self.become_role(Role::Standby, orders),
        }
    }
    fn refusal(&self, document: &LeaseDocument, lives: bool) -> Option<Refusal> {
        if let Some(known) = self.lineage.as_ref().filter(|known| **known != document.lineage) {
            return Some(Refusal::Lineage { known: known.clone(), found: document.lineage.clone() });
        }
        let refused = lives && !document.given_up && !self.is_like_me(document);
        refused.then(|| Refusal::Configuration { holder: document.holder.clone() })
    }
    fn is_like_me(&self, document: &LeaseDocument) -> bool {
        document.holder.configuration == self.me.configuration
    }

    /// When the next call is due: at once where this daemon may write, unless it just has, to no avail.
    fn wait(&mut self, now: Boot) {
        let Some(seen) = &self.seen else { return };
        let (look, lapses) = (now + self.limits.lease_look, seen.since + self.limits.lease);
        self.due = match self.may_write(seen, now) {
            true if self.patient => now + self.limits.lease_retry,
            true => now,
            // What has lapsed and is not ours to take is looked at like anything else.
            false if lapses > now => lapses.min(look),
            false => look,
        };
    }

    /// Whether the next version is this daemon's to write: it holds the lease, or nobody does.
    pub(super) fn may_write(&self, seen: &Seen, now: Boot) -> bool {
        if self.is_active() {
            return true;
        }
        let Some(document) = &seen.document else { return true };
        let ours = document.holder.run == self.me.run;
        let free = ours || document.given_up || now >= seen.since + self.limits.lease;
        free && self.lineage.as_ref() == Some(&document.lineage)
    }
}
