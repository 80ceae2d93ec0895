//! The clock was set back: whatever was noted by the wrong one lies in the future now, and would be waited for, for
//! years, or count as fresh for as long.

use crate::domain::{Limits, Origin, Timestamp};
use crate::rotation::{candidate::Spool, state::Rotation};

impl Rotation {
    pub(in crate::rotation) fn clock_went_back(&mut self, now: Timestamp, limits: &Limits) {
        for task in [
            &mut self.documents.reading,
            &mut self.writing,
            &mut self.saving,
            &mut self.retire,
            &mut self.mail_retry,
            &mut self.tidying,
        ] {
            task.clock_went_back(now);
        }
        self.due.take_if(|due| due.at > now);
        self.due.iter_mut().for_each(|due| due.retry.clock_went_back(now));
        self.memory.scheduled = self.memory.scheduled.map(|at| at.min(now));
        self.answers.values_mut().for_each(|answer| answer.keeping.clock_went_back(now));
        self.keys.values_mut().for_each(|facts| facts.clock_went_back(now));
        self.consumers.values_mut().for_each(|consumer| consumer.clock_went_back(now));
        self.incidents.clock_went_back(now);
        for candidate in &mut self.candidates {
            candidate.received_at = candidate.received_at.min(now);
            candidate.word.iter_mut().for_each(|word| word.at = word.at.min(now));
            candidate.dead_since = candidate.dead_since.map(|at| at.min(now));
            // A mail's date is the vendor's; a paste's is this machine's.
            if matches!(candidate.origin, Origin::Ingest { .. }) {
                candidate.dated = candidate.dated.min(now.whole_secs());
                candidate.rotated_at = candidate.rotated_at.min(now.whole_secs());
            }
            if let Spool::Failed { again_at } = &mut candidate.spool {
                *again_at = (*again_at).min(now);
            }
        }
        for waiting in &mut self.waiting {
            waiting.until = waiting.until.min(now + limits.operator_wait);
        }
        (self.read_due, self.probe_due) = (Some(now), Some(now));
        self.prove_due = self.prove_due.map(|at| at.min(now));
        let moments = [&mut self.hints.last_at, &mut self.rehearsal_began_at];
        moments.into_iter().flatten().for_each(|at| *at = (*at).min(now));
    }
}
