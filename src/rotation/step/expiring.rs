//! A key that ends by itself at a known time: its operators hear of it early enough to have the next one made. An end
//! belongs to one key. Whoever puts a key in may say it; the configuration's is that of the key which was current when
//! it was first seen there, so that one which nobody corrects alarms nobody about the next key, and hides nothing.

use super::{Ctx, by_hand::REMINDED_EVERY, incidents::Seen};
use crate::domain::{Code, RotatedBy, Severity, Timestamp};
use crate::rotation::{
    incident::{Ladder, Report},
    state::{Dirty, Rotation},
    state_document::StatedExpiry,
};

impl Rotation {
    /// When the current key ends, as far as anybody has said.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let current = self.current.as_ref()?.fingerprint;
        if self.settings.rotated_by == RotatedBy::Vendor {
            return None;
        }
        let stated = self.stated_expiry().filter(|stated| stated.fingerprint == current);
        stated.map(|stated| stated.expires_at).or_else(|| self.note_of(current)?.expires_at)
    }
    /// What the configuration says, and of which key.
    fn stated_expiry(&self) -> Option<StatedExpiry> {
        let written = self.settings.expires_at?;
        self.memory.stated_expiry.filter(|stated| stated.expires_at == written)
    }
    /// A new value speaks of the key that is current now.
    pub(super) fn advance_expiry(&mut self) {
        if !self.documents.known || self.documents.foreign.is_some() {
            return;
        }
        let stated = match (self.settings.expires_at, &self.current) {
            (None, _) => None,
            (Some(_), None) => return,
            (Some(expires_at), Some(current)) => {
                let fingerprint = current.fingerprint;
                Some(self.stated_expiry().unwrap_or(StatedExpiry { fingerprint, expires_at }))
            }
        };
        if self.memory.stated_expiry != stated {
            self.memory.stated_expiry = stated;
            self.dirty = self.dirty.max(Dirty::WhenCalm);
        }
    }

    /// From the first notice to the deadline. A key that does not live long is told of in its second half.
    fn expiry_ladder(&self, ctx: Ctx<'_>) -> Option<Ladder> {
        let (end, begin) = (self.expires_at()?, self.current.as_ref()?.dated());
        let notice = self.settings.notice_before.unwrap_or(7 * REMINDED_EVERY);
        let notice = notice.min(end.since(begin) / 2);
        Some(Ladder { from: end - notice, until: end - ctx.limits.margin(notice) })
    }
    /// Its notice has begun.
    pub(super) fn is_expiring(&self, ctx: Ctx<'_>) -> bool {
        self.expiry_ladder(ctx).is_some_and(|ladder| ladder.from <= ctx.now)
    }
    pub(super) fn next_expiry_at(&self, ctx: Ctx<'_>) -> Option<Timestamp> {
        let moments = [self.expiry_ladder(ctx).map(|ladder| ladder.from), self.expires_at()];
        moments.into_iter().flatten().filter(|at| *at > ctx.now).min()
    }

    pub(super) fn report_expiry(&mut self, ctx: Ctx<'_>) {
        if !self.documents.known {
            return;
        }
        let ladder = self.expiry_ladder(ctx).filter(|ladder| ladder.from <= ctx.now);
        let report = ladder.filter(|_| !self.is_coming()).and_then(|ladder| self.expiring(ladder, ctx));
        // One incident for each key: the next one's is another.
        let current = self.current.as_ref().map(|current| self.label(current.fingerprint));
        let open: Vec<_> = current.filter(|_| ladder.is_some()).into_iter().collect();
        report.into_iter().for_each(|report| self.incidents.raise(ctx.now, report));
        self.incidents.clear_others(Code::KeyExpiring, &open);
        let outdated = self.outdated_expiry();
        self.set(Code::ExpiryOutdated, ctx, Seen::when(true, outdated));
    }
    fn expiring(&self, ladder: Ladder, ctx: Ctx<'_>) -> Option<Report> {
        let (current, end) = (self.current.as_ref()?.fingerprint, self.expires_at()?);
        let (label, vendor) = (self.label(current), &self.settings.vendor_title);
        let shown = self.dashboard_label(current).map(|label| format!(" ({label})")).unwrap_or_default();
        let ends = if end > ctx.now { "ends" } else { "ended" };
        let message = format!("the key {label}{shown} {ends} {}, and no new one has come", end.minutes());
        let severity =
            if ladder.is_urgent(ctx.now, ctx.limits) { Severity::Urgent } else { Severity::Warning };
        let (hint, doing) = match self.settings.rotated_by {
            RotatedBy::Operator | RotatedBy::Vendor => (
                self.create_hint(),
                format!(
                    "nothing: only you can have {vendor} make a key; what you put in is proven and handed over"
                ),
            ),
            RotatedBy::Api => (
                format!("keyrelay rotate {}", self.settings.name),
                "the vendor's API is asked for a new one when rotate_at says so".to_owned(),
            ),
        };
        let report = Report::new(Code::KeyExpiring, severity, message, hint)
            .about(label)
            .breaks(format!("{vendor} refuses every consumer that uses it from then on"))
            .doing(doing)
            .ladder(Some(ladder));
        Some(report)
    }

    /// The configuration still speaks of an earlier key.
    fn outdated_expiry(&self) -> Option<Report> {
        let (stated, current) = (self.stated_expiry()?, self.current.as_ref()?.fingerprint);
        let own = self.note_of(current).and_then(|note| note.expires_at);
        if stated.fingerprint == current || own == Some(stated.expires_at) {
            return None;
        }
        let name = &self.settings.name;
        let what = match own {
            Some(own) => format!("the current one ends {}, as was said when it was put in", own.minutes()),
            None => "nobody has said when the current one ends".to_owned(),
        };
        let message = format!(
            "credentials.{name}.expires_at ({}) is that of an earlier key; {what}",
            stated.expires_at
        );
        let hint = format!(
            "correct credentials.{name}.expires_at, or leave it out if the key does not end, then:\n\
             keyrelay check\nsystemctl reload keyrelay"
        );
        let severity = if own.is_some() { Severity::Info } else { Severity::Warning };
        let report = Report::new(Code::ExpiryOutdated, severity, message, hint).doing(
            "it is not applied to the current key, and nothing is told of an end that nobody has said",
        );
        Some(match own {
            Some(_) => report,
            None => report.breaks("if the current key ends, nobody is told before"),
        })
    }
}
