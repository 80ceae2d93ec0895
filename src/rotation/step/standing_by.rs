//! Beside the daemon that acts: only the consumers of this host are looked after. Nothing is noted, told by mail,
//! promoted or retired here; which key is current, the key document says.

use super::{Ctx, Out};
use crate::rotation::state::Rotation;

impl Rotation {
    pub(super) fn stand_by(&mut self, ctx: Ctx<'_>, out: &mut Out) {
        self.take_new_settings(ctx);
        self.advance_documents(ctx, out);
        if self.has_consumers_here() {
            // No consumer gets a key that was not seen alive from here.
            self.candidates.clear();
            self.advance_probes(ctx, out);
        }
        self.advance_consumers(ctx, out);
        self.note_phase(ctx.now);
        self.report_consumers(ctx);
        self.advance_waiting(ctx, out);
        self.tell(ctx, out);
        out.records.clear(); // the history is the acting one's
    }
    fn has_consumers_here(&self) -> bool {
        self.consumers.values().any(|consumer| !consumer.policy.elsewhere)
    }
}
