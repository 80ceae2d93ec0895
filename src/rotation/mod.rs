//! THE CORE: whether and when a key becomes the current one, who gets it, and who is told. Pure and synchronous:
//! events with their moment go in, effects come out. It knows no clock, no network and no key, only fingerprints.
//!
//! One rotation, as it goes well:
//!
//! ```text
//!  vendor     mailbox      keyrelay                          store        consumers
//!    |--warning-->|--------->| Announced: rehearses            |              |
//!    |            |          |--- tries everything ----------->|------------->|
//!    |--new key-->|--------->| Probing                         |              |
//!    |<-- old? new? random? -|                                 |              |
//!    |            |          | Storing  --- check-and-set ---->|  (commit)    |
//!    |            |          | HandingOver                     |              |
//!    |            |          |--- deliver, act, prove --------------------- ->|
//!    |            |          | Steady, the old key retires     |              |
//!    |<-- old is dead? ------|--- remove the old key --------->|              |
//! ```
//!
//! [`Fleet`] routes events to credentials and merges their deadlines; [`Rotation`] is one credential's state machine.
//! Both have the same four verbs: `handle`, `next_deadline`, `handle_deadline`, and `resume`, which is the event that
//! brings the documents.

mod alerts_state;
mod budget;
mod candidate;
mod consumer;
mod consumer_clock;
mod consumer_observed;
mod digest;
mod effect;
mod event;
mod fleet;
mod heartbeat;
mod hints;
mod history;
mod incident;
mod key_note;
mod keys;
mod lease;
mod mailboxes;
mod noted_incidents;
mod outbox;
mod phase;
mod policy;
mod settings;
mod shown;
mod state;
mod state_document;
mod step;
mod task;
mod view;
mod wish;

#[cfg(test)]
mod tests;

pub use alerts_state::{ALERTS_SCHEMA, AlertsState};
pub use effect::{Action, Effect, Promotion, Purpose, Reply};
pub use event::{Attempt, Event, Input, MailboxInput, NoticeFailure, Schedule, StateRead, Ticket};
pub use fleet::Fleet;
pub use hints::HintFrom;
pub use history::{ConsumerRecord, Observed, PhaseEntered, Record, RecordKind, Trigger, merged};
pub use incident::Incident;
pub use key_note::KeyNote;
pub use lease::{Boot, Lease, LeaseEvent, LeaseOrder, Refusal, Role};
pub use noted_incidents::NotedIncidents;
pub use outbox::Channel;
pub use phase::{Parked, Phase};
pub use settings::{Alerts, Consumer, Credential, Delivery, Proof, Settings};
pub use state::{Generation, Rotation};
pub use state_document::{
    Announced, ConsumerNote, CurrentNote, Former, MailCopy, ObservedNote, ProbeOff, RolledBack, SCHEMA,
    StateDocument, StatedExpiry, ToRevoke,
};
pub use step::Reason;
pub use view::{ChannelView, ConsumerView, CredentialView, HeldView, MailboxView, StoreView};
pub use wish::{CallAction, CallInput, Fate, Occasion, Window, Wish};
